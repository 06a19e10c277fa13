package identifier

import (
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/net/idna"
	"golang.org/x/text/unicode/norm"
)

// domains maps domains as browsers look them up (UTS 46, non-transitional), without
// refusing those that are in use and against the letter of the standard.
var domains = idna.New(idna.MapForLookup(), idna.Transitional(false), idna.StrictDomainName(false), idna.CheckHyphens(false), idna.BidiRule())

// mailto is how a link to an address begins (RFC 6068).
const mailto = "mailto:"

// normaliseEmail returns an address with its case folded and its domain in ASCII, without
// what makes a link of it.
func normaliseEmail(s string) string {
	s = fold(s)
	for strings.HasPrefix(s, mailto) {
		s = Trim(s[len(mailto):])
	}
	at := strings.LastIndexByte(s, '@')
	if at < 0 {
		return s
	}
	return s[:at+1] + asciiDomain(s[at+1:])
}

// asciiDomain returns a folded domain in ASCII, without the dot of the root. One that IDNA
// doesn't know stays.
func asciiDomain(domain string) string {
	if !isASCII(domain) || strings.Contains(domain, "xn--") {
		if ascii, err := domains.ToASCII(domain); err == nil && ascii != "" {
			domain = ascii
		}
	}
	if whole, rooted := strings.CutSuffix(domain, "."); rooted && whole != "" && !strings.HasSuffix(whole, ".") {
		return whole
	}
	return domain
}

// emailForms returns the writings of a normal address in lower case: with its
// domain in ASCII and in Unicode, composed and decomposed, with the dot of the root, and
// as a link.
func emailForms(n string) []string {
	out := []string{n}
	if at := strings.LastIndexByte(n, '@'); at >= 0 && strings.Contains(n[at:], "xn--") {
		if domain, err := domains.ToUnicode(n[at+1:]); err == nil {
			out = append(out, n[:at+1]+domain)
		}
	}
	for _, s := range out {
		if decomposed := norm.NFD.String(s); decomposed != s && utf8.ValidString(s) {
			out = append(out, decomposed)
		}
	}
	for _, s := range out {
		if at := strings.LastIndexByte(s, '@'); at > 0 && at < len(s)-1 {
			out = append(out, s+".", mailto+s)
		}
	}
	return slices.DeleteFunc(out, func(s string) bool { return normaliseEmail(s) != n })
}

// fold returns text in form C without differences of case, by Unicode's simple case
// folding: each character stands for all that differ from it in case only. A letter
// outside of ASCII never becomes one of ASCII by its case, though Unicode folds the long s
// to s, and Go lowers İ to i: databases don't agree on these, and they are other people's.
// İ is i with a dot above, which has no one character (CaseFolding.txt).
func fold(s string) string {
	switch {
	case isASCII(s):
		return strings.ToLower(s)
	case !utf8.ValidString(s): // it isn't text: two of them would become one
		return s
	}
	return norm.NFC.String(strings.ReplaceAll(strings.Map(foldRune, norm.NFC.String(s)), "İ", "i\u0307"))
}

func foldRune(r rune) rune {
	least := r
	for next := unicode.SimpleFold(r); next != r; next = unicode.SimpleFold(next) {
		least = min(least, next)
	}
	if r >= utf8.RuneSelf && least < utf8.RuneSelf {
		return r
	}
	return lower(least)
}

func isASCII(s string) bool {
	for i := range len(s) {
		if s[i] >= 0x80 {
			return false
		}
	}
	return true
}
