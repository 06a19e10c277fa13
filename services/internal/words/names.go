package words

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// Listed joins names: "a, b and c".
func Listed(names []string, conjunction string) string {
	switch len(names) {
	case 0:
		return ""
	case 1:
		return names[0]
	}
	last := len(names) - 1
	return strings.Join(names[:last], ", ") + " " + conjunction + " " + names[last]
}

// Named looks a code up; a code that has no words is shown in place of them.
func Named[K ~string](names map[K]string, code K) string {
	if s := names[code]; s != "" {
		return s
	}
	return strings.NewReplacer("_", " ", "-", " ").Replace(string(code))
}

// TitleCase makes a sentence's first letter large.
func TitleCase(s string) string { return changeFirst(s, unicode.ToUpper) }

// Cited returns an article as it stands behind what rests on it: in brackets; in square ones
// where it has a bracket of its own that doesn't open, as French cites points: [art. 12, point b)].
func Cited(article string) string {
	if strings.Count(article, ")") > strings.Count(article, "(") {
		return "[" + article + "]"
	}
	return "(" + article + ")"
}

// LowerFirst makes a sentence's first letter small.
func LowerFirst(s string) string { return changeFirst(s, unicode.ToLower) }

func changeFirst(s string, to func(rune) rune) string {
	r, n := utf8.DecodeRuneInString(s)
	if n == 0 {
		return s
	}
	return string(to(r)) + s[n:]
}
