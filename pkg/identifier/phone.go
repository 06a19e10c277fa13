package identifier

import (
	"regexp"
	"slices"
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"
)

// extension matches what a number is followed by inside of a firm.
var extension = regexp.MustCompile(`(?i)^(.*[0-9)])\s*(?:;ext=|extension|ext\.?|x|#)\s*:?\s*([0-9]{1,8})$`)

// tel is how a link to a number begins (RFC 3966).
const tel = "tel:"

// normalisePhone returns a number as its digits, with + in front where it is
// international and ;ext= behind where it has an extension. Text that isn't a
// number is returned as text.
func (r Rules) normalisePhone(s string) string {
	text := fold(s)
	s = latinDigits(norm.NFKC.String(s))
	s = strings.TrimPrefix(s, tel)
	ext := ""
	if m := extension.FindStringSubmatch(s); m != nil {
		s, ext = m[1], ";ext="+m[2]
	}
	digits, ok := digitsOf(s)
	if !ok {
		return text
	}
	return r.international(digits) + ext
}

// digitsOf returns the digits of a number, with + in front where it has one. It is
// false where there is anything but digits and what they are separated by.
func digitsOf(s string) (string, bool) {
	var b strings.Builder
	digits := false
	for _, c := range s {
		switch {
		case '0' <= c && c <= '9':
			digits = true
			b.WriteRune(c)
		case c == '+' && b.Len() == 0:
			b.WriteRune(c)
		case strings.ContainsRune(Separators, c) || strings.ContainsRune(Blanks, c):
		default:
			return "", false
		}
	}
	return b.String(), digits
}

// latinDigits returns text with the digits of every script as 0 to 9.
func latinDigits(s string) string {
	if isASCII(s) {
		return s
	}
	return strings.Map(func(c rune) rune {
		if c < 0x80 || !unicode.IsDigit(c) {
			return c
		}
		zero := c // the digits of a script are ten in a row
		for zero > c-9 && unicode.IsDigit(zero-1) {
			zero--
		}
		return '0' + (c-zero)%10
	}, s)
}

// international returns a number with + and its country's code, as far as that is
// known.
func (r Rules) international(digits string) string {
	if strings.HasPrefix(digits, "00") && len(digits) > 4 {
		digits = "+" + digits[2:]
	}
	if number, ok := strings.CutPrefix(digits, "+"); ok {
		return "+" + withoutTrunk(number)
	}
	if r.home == nil {
		return digits
	}
	if out := r.home.exit; out != "" && out != "00" && strings.HasPrefix(digits, out) {
		return "+" + withoutTrunk(digits[len(out):])
	}
	national, ok := strings.CutPrefix(digits, r.home.trunk)
	if !ok && r.home.trunkAlways || len(national) < r.home.shortest || len(national) > r.home.longest {
		return digits // a service's or local number, or another country's without its +
	}
	return "+" + r.home.code + national
}

// withoutTrunk drops the national prefix behind a country's code: +33 (0)6 is +33 6.
func withoutTrunk(number string) string {
	c := countryOfNumber(number)
	if c == nil || c.trunk == "" || !c.trunkAlways {
		return number
	}
	rest, ok := strings.CutPrefix(number[len(c.code):], c.trunk)
	if !ok || strings.HasPrefix(rest, c.trunk) || len(rest) < c.shortest || len(rest) > c.longest {
		return number
	}
	return c.code + rest
}

// phoneForms returns the writings of a normal number without separators.
func (r Rules) phoneForms(n string) []string {
	n, ext, extended := strings.Cut(n, ";ext=")
	out := r.numberForms(n)
	if !extended {
		return out
	}
	var with []string
	for _, sign := range []string{";ext=", "ext", "x", "#"} {
		for _, form := range out {
			with = append(with, form+sign+ext)
		}
	}
	return with
}

// numberForms returns the writings of a number without extension: each is one that
// [Rules.Normalise] makes the same.
func (r Rules) numberForms(n string) []string {
	number, ok := strings.CutPrefix(n, "+")
	if !ok || strings.Trim(number, "0123456789") != "" {
		return []string{n}
	}
	forms := []string{n, "00" + number, tel + n}
	if c := countryOfNumber(number); c != nil {
		national := c.trunk + number[len(c.code):]
		forms = append(forms, "+"+c.code+national, "00"+c.code+national)
	}
	if r.home != nil {
		forms = append(forms, r.home.exit+number)
		if national, ok := strings.CutPrefix(number, r.home.code); ok {
			forms = append(forms, r.home.trunk+national, national)
		}
	}
	out := []string{n}
	for _, f := range forms[1:] {
		if !slices.Contains(out, f) && r.Normalise(Phone, f) == n {
			out = append(out, f)
		}
	}
	return out
}
