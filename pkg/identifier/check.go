package identifier

import (
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"habeas.dev/pkg/dsar"
)

// Malformed returns what a value must be that isn't an identifier of its type, and is empty
// where it is one. An e-mail is one address and nothing else: no name beside it, no list, no
// blank or invisible character in it. A telephone number has a digit. Other types are as
// their systems make them; empty and of blanks only is none of any type.
func Malformed(typ dsar.IdentifierType, value string) string {
	value = Trim(value)
	switch {
	case value == "":
		return "must not be empty"
	case !utf8.ValidString(value):
		return "must be text in UTF-8"
	case base(typ) == Email && !isAddress(value):
		return "must be one address and nothing else, such as anna@example.com"
	case base(typ) == Phone && !strings.ContainsFunc(value, unicode.IsDigit):
		return "must be a telephone number, such as +33 6 12 34 56 78"
	default:
		return ""
	}
}

// isAddress reports whether text is one address. Quoted words before the @ and numbers in
// brackets behind it, which RFC 5321 knows and nobody gives, are none.
func isAddress(s string) bool {
	if len(s) > len(mailto) && strings.EqualFold(s[:len(mailto)], mailto) {
		s = s[len(mailto):]
	}
	local, domain, found := strings.Cut(s, "@")
	if !found || local == "" || strings.ContainsFunc(s, notInAddress) {
		return false
	}
	n := normaliseEmail("x@" + domain)
	labels := strings.Split(n[len("x@"):], ".")
	return !strings.Contains(domain, "@") && !slices.Contains(labels, "")
}

// notInAddress reports whether a character stands in no address outside of quotes.
func notInAddress(r rune) bool {
	return unicode.IsSpace(r) || unicode.IsControl(r) || strings.ContainsRune(Blanks, r) || strings.ContainsRune("\"(),:;<>[]\\", r)
}

// Findable reports whether a stored value is found by every writing of the identifier that
// it is, in a store that compares by [Plain]: it isn't where it is malformed, where only Go
// brings it together with the others ([Rules.Forms]), or where a telephone number doesn't
// say of which country it is.
func (r Rules) Findable(typ dsar.IdentifierType, stored string) bool {
	if Malformed(typ, stored) != "" {
		return false
	}
	forms := r.Forms(typ, stored)
	return slices.Contains(forms, Plain(typ, stored)) && (base(typ) != Phone || strings.HasPrefix(forms[0], "+"))
}
