package console

import (
	"context"
	"net/http"
	"slices"
	"time"

	"golang.org/x/text/language"

	"habeas.dev/services/internal/words"
)

// locale is a language of the console, with all that there are.
type locale struct {
	lang *words.Language
	all  *words.Languages
}

// others returns the languages that a reader of this one can change to.
func (l locale) others() []*words.Language {
	return slices.DeleteFunc(l.all.All(), func(other *words.Language) bool { return other == l.lang })
}

// languageCookie holds the language that somebody chose.
const languageCookie = "habeas-language"

// spoken is the key under which a call has the console's languages.
type spoken struct{}

// speaking lets every handler behind it know the console's languages.
func speaking(all *words.Languages, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		next.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), spoken{}, all)))
	})
}

// languageOf returns the language that somebody chose, or that suits their browser's
// wishes best; the first where it asks for none of them.
func languageOf(r *http.Request) *words.Language {
	languages, _ := r.Context().Value(spoken{}).(*words.Languages)
	all := languages.All()
	if c, err := r.Cookie(languageCookie); err == nil {
		for _, l := range all {
			if l.Tag == c.Value {
				return l
			}
		}
	}
	tags := make([]language.Tag, len(all))
	for i, l := range all {
		tags[i] = language.Make(l.Tag)
	}
	_, i := language.MatchStrings(language.NewMatcher(tags), r.Header.Get("Accept-Language"))
	return all[i]
}

// setLanguage stores the language that somebody chose in a cookie, and shows the
// page again.
func (c *Console) setLanguage(w http.ResponseWriter, r *http.Request, u User) {
	r.Body = http.MaxBytesReader(w, r.Body, maxForm)
	chosen := r.PostFormValue("language")
	for _, l := range c.Languages.All() {
		if l.Tag == chosen {
			http.SetCookie(w, &http.Cookie{Name: languageCookie, Value: chosen, Path: "/", MaxAge: int((365 * 24 * time.Hour).Seconds()), HttpOnly: true, SameSite: http.SameSiteLaxMode})
			http.Redirect(w, r, ownPage(r.PostFormValue("page")), http.StatusSeeOther)
			return
		}
	}
	c.fail(w, r, u, http.StatusUnprocessableEntity, errChoice.Error())
}
