package soql

import "unicode"

// Pattern is the compiled right side of a LIKE.
type Pattern []matcher

// matcher is a rune, any rune, or any run of runes.
type matcher struct {
	r        rune
	any, run bool
}

// CompileLike compiles the right side of a LIKE as [Value].Text holds it: %
// stands for any run of characters, _ for one, and behind a backslash for
// themselves. Case doesn't matter.
func CompileLike(text string) Pattern {
	var p Pattern
	escaped := false
	for _, r := range text {
		switch {
		case !escaped && r == '\\':
			escaped = true
			continue
		case !escaped && r == '%':
			if n := len(p); n == 0 || !p[n-1].run {
				p = append(p, matcher{run: true})
			}
		case !escaped && r == '_':
			p = append(p, matcher{any: true})
		default:
			p = append(p, matcher{r: unicode.ToLower(r)})
		}
		escaped = false
	}
	return p
}

// Match reports whether a whole text matches. It takes at most len(p)·len(s) steps,
// whatever the pattern.
func (p Pattern) Match(s string) bool {
	text := []rune(s)
	at, i := 0, 0       // in the pattern, in the text
	star, mark := -1, 0 // the last run, and where it was tried
	for i < len(text) {
		switch {
		case at < len(p) && p[at].run:
			star, mark = at, i
			at++
		case at < len(p) && (p[at].any || p[at].r == unicode.ToLower(text[i])):
			at++
			i++
		case star >= 0:
			mark++
			at, i = star+1, mark
		default:
			return false
		}
	}
	for at < len(p) && p[at].run {
		at++
	}
	return at == len(p)
}
