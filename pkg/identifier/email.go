package identifier

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/net/idna"
	"golang.org/x/text/unicode/norm"
)

// domains maps domains as browsers look them up (UTS 46, non-transitional), without
// refusing those that are in use and against the letter of the standard.
var domains = idna.New(idna.MapForLookup(), idna.Transitional(false), idna.StrictDomainName(false), idna.CheckHyphens(false), idna.BidiRule())

// normaliseEmail returns an address with its case folded and its domain in ASCII.
func normaliseEmail(s string) string {
	at := strings.LastIndexByte(s, '@')
	if at < 0 {
		return fold(s)
	}
	return fold(s[:at]) + "@" + asciiDomain(s[at+1:])
}

// asciiDomain returns a domain in ASCII. One that IDNA doesn't know stays, folded.
func asciiDomain(domain string) string {
	domain = fold(domain)
	if isASCII(domain) && !strings.Contains(domain, "xn--") {
		return domain
	}
	ascii, err := domains.ToASCII(domain)
	if err != nil || ascii == "" {
		return domain
	}
	return ascii
}

// emailForms returns the writings of a normal address in lower case: with its
// domain in ASCII and in Unicode, composed and decomposed.
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
	return out
}

// fold returns text in form C without differences of case, by Unicode's simple case
// folding: each character stands for all that differ from it in case only.
func fold(s string) string {
	switch {
	case isASCII(s):
		return strings.ToLower(s)
	case !utf8.ValidString(s): // it isn't text: two of them would become one
		return s
	}
	return norm.NFC.String(strings.Map(foldRune, norm.NFC.String(s)))
}

func foldRune(r rune) rune {
	least := r
	for next := unicode.SimpleFold(r); next != r; next = unicode.SimpleFold(next) {
		least = min(least, next)
	}
	return unicode.ToLower(least)
}

func isASCII(s string) bool {
	for i := range len(s) {
		if s[i] >= 0x80 {
			return false
		}
	}
	return true
}
