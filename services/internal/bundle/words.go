package bundle

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"habeas.dev/services/internal/words"
)

// wordsFor returns the words of an answer in the language of a locale.
func wordsFor(locale string) *words.Answer { return &words.For(locale).Answer }

// Language returns the language of the answer to a subject of this locale (BCP 47),
// such as "fr".
func Language(locale string) string { return words.For(locale).Tag }

// listed joins names: "a, b and c".
func listed(names []string, conjunction string) string {
	switch len(names) {
	case 0:
		return ""
	case 1:
		return names[0]
	}
	last := len(names) - 1
	return strings.Join(names[:last], ", ") + " " + conjunction + " " + names[last]
}

// named looks a code up; a code that has no words is shown in place of them.
func named[K ~string](names map[K]string, code K) string {
	if s := names[code]; s != "" {
		return s
	}
	return strings.NewReplacer("_", " ", "-", " ").Replace(string(code))
}

// titleCase makes a sentence's first letter large, lowerFirst small.
func titleCase(s string) string { return changeFirst(s, unicode.ToUpper) }

func lowerFirst(s string) string { return changeFirst(s, unicode.ToLower) }

func changeFirst(s string, to func(rune) rune) string {
	r, n := utf8.DecodeRuneInString(s)
	if n == 0 {
		return s
	}
	return string(to(r)) + s[n:]
}
