package console

import (
	"cmp"
	"net/http"
	"strings"
	"time"

	"golang.org/x/text/language"
)

// tongue is a language of the console.
type tongue struct{ tag, name string }

// languages are those that the console speaks; the first one where a browser
// asks for none of them.
var languages = []tongue{{"en", "English"}, {"fr", "Français"}}

// matcher picks among them.
var matcher = language.NewMatcher([]language.Tag{language.English, language.French})

// languageCookie keeps what somebody chose.
const languageCookie = "habeas-language"

// language is the one that somebody chose, or their browser asks for.
func languageOf(r *http.Request) string {
	if c, err := r.Cookie(languageCookie); err == nil {
		for _, l := range languages {
			if l.tag == c.Value {
				return l.tag
			}
		}
	}
	_, i := language.MatchStrings(matcher, r.Header.Get("Accept-Language"))
	return languages[i].tag
}

// setLanguage keeps the language that somebody chose, and shows the page again.
func (c *Console) setLanguage(w http.ResponseWriter, r *http.Request, u User) {
	r.Body = http.MaxBytesReader(w, r.Body, maxForm)
	chosen := r.PostFormValue("language")
	for _, l := range languages {
		if l.tag == chosen {
			http.SetCookie(w, &http.Cookie{Name: languageCookie, Value: chosen, Path: "/", MaxAge: int((365 * 24 * time.Hour).Seconds()), HttpOnly: true, SameSite: http.SameSiteLaxMode})
			http.Redirect(w, r, ownPage(r.PostFormValue("page")), http.StatusSeeOther)
			return
		}
	}
	c.fail(w, r, u, http.StatusUnprocessableEntity, errChoice.Error())
}

// say returns a text in a language; texts are known by their English.
func say(lang, text string) string {
	if fr := cmp.Or(french[text], frenchCauses[text]); lang == "fr" && fr != "" {
		return unbroken.Replace(fr)
	}
	return text
}

// unbroken has no line begin with what French writes a space before.
var unbroken = strings.NewReplacer(" :", "\u00a0:", " ;", "\u00a0;", " ?", "\u00a0?", " !", "\u00a0!")

// label returns the English for a word of the journal: a status, an outcome, an
// action.
func label(word string) string {
	if text, ok := labels[word]; ok {
		return text
	}
	return word
}
