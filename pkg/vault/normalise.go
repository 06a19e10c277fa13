package vault

import (
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"

	"habeas.dev/pkg/dsar"
)

// Normalise brings an identifier into the one form by which it is compared:
// an email address trimmed, in Unicode's form C and lower case (also before the
// @, where a strict reader of RFC 5321 would tell cases apart and no mail
// provider does); a phone number as its digits, with + in front where it has
// one; anything else trimmed. A phone number without any digit is kept, trimmed,
// so that two of them aren't one. Normalising twice changes nothing.
func Normalise(typ dsar.IdentifierType, value string) string {
	value = strings.TrimSpace(value)
	switch typ {
	case "email":
		return normaliseEmail(value)
	case "phone":
		return normalisePhone(value)
	default:
		return value
	}
}

func normaliseEmail(s string) string {
	for i := range len(s) {
		if s[i] >= 0x80 {
			return norm.NFC.String(strings.ToLower(norm.NFC.String(s)))
		}
	}
	return strings.ToLower(s)
}

func normalisePhone(s string) string {
	var b strings.Builder
	for _, r := range norm.NFKC.String(s) { // full-width digits and plus are digits and plus
		if unicode.IsDigit(r) || r == '+' && b.Len() == 0 {
			b.WriteRune(r)
		}
	}
	if strings.TrimPrefix(b.String(), "+") == "" {
		return s
	}
	return b.String()
}
