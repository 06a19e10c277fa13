// Package spreadsheet keeps what a table holds from being taken for formulas by the program
// that opens it.
package spreadsheet

import "unicode/utf8"

// FormulaLike reports whether a spreadsheet could take a text for a formula: it
// begins (after apostrophes, so that the rule can be undone) with = + - @, a tab or
// a carriage return, or the full-width forms of the four. Numbers and phone numbers
// are none: they hold no letter, so that they can call nothing.
func FormulaLike(s []byte) bool {
	bare := 0
	for bare < len(s) && s[bare] == '\'' {
		bare++
	}
	if bare == len(s) {
		return false
	}
	switch c := s[bare]; c {
	case '=', '@', '\t', '\r':
		return true
	case '+', '-':
		return bare > 0 || !numberLike(s[1:])
	case 0xEF: // U+FF0B ＋, U+FF0D －, U+FF1D ＝, U+FF20 ＠
		r, _ := utf8.DecodeRune(s[bare:])
		return r == '＋' || r == '－' || r == '＝' || r == '＠'
	default:
		return false
	}
}

// numberLike reports whether a text is digits with the marks of numbers, dates and
// phone numbers between them.
func numberLike(s []byte) bool {
	for _, c := range s {
		if (c < '0' || c > '9') && c != ' ' && c != '.' && c != '-' && c != '(' && c != ')' && c != '/' {
			return false
		}
	}
	return len(s) > 0
}

// Plain returns a cell that no spreadsheet takes for a formula: one that could be has an
// apostrophe before it.
func Plain(text string) string {
	if FormulaLike([]byte(text)) {
		return "'" + text
	}
	return text
}
