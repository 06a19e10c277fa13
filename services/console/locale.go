package console

import (
	"net/http"
	"slices"
	"sync"
	"time"

	"golang.org/x/text/language"

	"habeas.dev/services/internal/words"
)

// locale is a language of the console.
type locale struct{ tag, name string }

// languages returns the console's languages. The first is used where a browser asks
// for none of them.
var languages = sync.OnceValue(func() (all []locale) {
	for _, l := range words.All() {
		all = append(all, locale{l.Tag, l.Name})
	}
	return all
})

// others returns the languages that a reader of this one can change to.
func (l locale) others() []*words.Language {
	return slices.DeleteFunc(words.All(), func(other *words.Language) bool { return other.Tag == l.tag })
}

// matcher picks the language that suits a browser's wishes best.
var matcher = sync.OnceValue(func() language.Matcher {
	var tags []language.Tag
	for _, l := range languages() {
		tags = append(tags, language.Make(l.tag))
	}
	return language.NewMatcher(tags)
})

// languageCookie holds the language that somebody chose.
const languageCookie = "habeas-language"

// languageOf returns the language that somebody chose, or that their browser asks
// for.
func languageOf(r *http.Request) string {
	if c, err := r.Cookie(languageCookie); err == nil {
		for _, l := range languages() {
			if l.tag == c.Value {
				return l.tag
			}
		}
	}
	_, i := language.MatchStrings(matcher(), r.Header.Get("Accept-Language"))
	return languages()[i].tag
}

// setLanguage stores the language that somebody chose in a cookie, and shows the
// page again.
func (c *Console) setLanguage(w http.ResponseWriter, r *http.Request, u User) {
	r.Body = http.MaxBytesReader(w, r.Body, maxForm)
	chosen := r.PostFormValue("language")
	for _, l := range languages() {
		if l.tag == chosen {
			http.SetCookie(w, &http.Cookie{Name: languageCookie, Value: chosen, Path: "/", MaxAge: int((365 * 24 * time.Hour).Seconds()), HttpOnly: true, SameSite: http.SameSiteLaxMode})
			http.Redirect(w, r, ownPage(r.PostFormValue("page")), http.StatusSeeOther)
			return
		}
	}
	c.fail(w, r, u, http.StatusUnprocessableEntity, errChoice.Error())
}

// say returns a text in a language. Texts are looked up by their English.
func say(lang, text string) string { return words.For(lang).Say(text) }

// sayWord returns a word of the journal in a language: a status, an outcome, an action.
func sayWord(lang, word string) string { return words.For(lang).Word(word) }
