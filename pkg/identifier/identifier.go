// Package identifier says when two writings of an identifier are one: the only
// list of such equivalences in Habeas. Fingerprints, the console's search, and
// the workers that look a person up compare by it, so that a person who is found
// by one part is found by all.
//
// The equivalences are:
//
//   - blanks of every kind at the ends (spaces, tabs, no-break and zero-width
//     spaces, byte order marks, control characters) don't count, for any type;
//   - characters are compared in Unicode's form C;
//   - e-mail: case doesn't count, before the @ either (a strict reader of RFC 5321
//     would tell it apart and no mail provider does), but a letter outside of ASCII is
//     never one of ASCII: İ isn't i; a domain is the same in Unicode and in Punycode
//     (IDNA), and with the dot of the root behind it; mailto: before it doesn't count.
//     What is behind a plus, and dots before the @,
//     count: some providers take them as other people's;
//   - phone: spaces, hyphens, dots, slashes and brackets don't count; 00 is +; a
//     national prefix that is written behind the country's code ("+33 (0)6") isn't
//     part of the number; and, where a default country is configured, a national
//     number is the same as its international writing. An extension counts.
//     Text that isn't a number is compared as text;
//   - a UUID, as an identifier of any other type: case, hyphens and braces around it
//     don't count, nor does urn:uuid: before it. It is told by its form, 32 hexadecimal digits.
//
// Everything else counts: two account numbers that differ in case are two.
//
// A further equivalence changes fingerprints, so that earlier requests aren't found by
// the writings that it concerns.
//
// Stability: stable: a name that changes stands in the CHANGELOG.
package identifier

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"

	"habeas.dev/pkg/dsar"
)

// The types that have equivalences of their own. A type with a system's prefix
// ("crm.email") has those of what follows it.
const (
	Email dsar.IdentifierType = "email"
	Phone dsar.IdentifierType = "phone"
)

// Rules are the equivalences, as far as they are configured. The zero Rules have
// no default country. Rules are safe for many goroutines.
type Rules struct{ home *country }

// New returns the rules with a default country: an ISO 3166 code such as FR, whose
// national telephone numbers are the same as their international writing. Empty
// means none. An unknown country is an error.
func New(defaultCountry string) (Rules, error) {
	if defaultCountry == "" {
		return Rules{}, nil
	}
	home, err := countryOf(defaultCountry)
	return Rules{home}, err
}

// Normalise returns the one form by which an identifier is compared. Two writings
// are one identifier if and only if their normal forms are equal. Normalising
// twice changes nothing (TestNormaliseTwice). The empty string is nobody's.
func (r Rules) Normalise(typ dsar.IdentifierType, value string) string {
	value = Trim(value)
	switch base(typ) {
	case Email:
		return normaliseEmail(value)
	case Phone:
		return r.normalisePhone(value)
	default:
		if canonical, is := uuidOf(value); is {
			return canonical
		}
		return norm.NFC.String(value)
	}
}

// Same reports whether two values are writings of one identifier.
func (r Rules) Same(typ dsar.IdentifierType, a, b string) bool {
	n := r.Normalise(typ, a)
	return n != "" && n == r.Normalise(typ, b)
}

// Forms returns every form that a stored value may have which is this identifier
// and was brought into the form that a database can compute: see [Plain]. The
// normal form is the first. Who looks a person up in a store that can't call
// [Rules.Normalise] asks for any of them, and MAY check what comes back by
// [Rules.Same]. It misses stored values that only Go brings together, which
// [Rules.Findable] tells: digits of other scripts, a domain that IDNA maps (full-width
// letters), letters that have more than one lower case (the Greek final sigma), and
// UUIDs in both cases at once or as a URN.
func (r Rules) Forms(typ dsar.IdentifierType, value string) []string {
	n := r.Normalise(typ, value)
	switch base(typ) {
	case Email:
		return emailForms(n)
	case Phone:
		return r.phoneForms(n)
	default:
		if _, is := uuidOf(n); is {
			return uuidForms(n)
		}
		return []string{n}
	}
}

// Plain returns the form of a value that a database can compute by itself, and that
// [Rules.Forms] lists: without blanks at the ends; an e-mail in lower case; a phone
// number without the characters in [Separators].
func Plain(typ dsar.IdentifierType, value string) string {
	value = Trim(value)
	switch base(typ) {
	case Email:
		return strings.Map(lower, value)
	case Phone:
		return strings.Map(func(r rune) rune {
			if strings.ContainsRune(Separators, r) {
				return -1
			}
			return r
		}, value)
	default:
		return value
	}
}

// lower returns the lower case of a letter, as far as that isn't one of ASCII where the
// letter is none.
func lower(r rune) rune {
	if l := unicode.ToLower(r); r < utf8.RuneSelf || l >= utf8.RuneSelf {
		return l
	}
	return r
}

// Separators are the characters that a telephone number is written with and that
// aren't part of it.
const Separators = " \u00a0\u2009\u202f\t()-\u2010\u2011\u2012\u2013\u2014./"

// Blanks are the characters that [Trim] takes off, apart from control characters:
// what a database is told to trim.
const Blanks = " \t\n\v\f\r\u0085\u00a0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u2028\u2029\u202f\u205f\u3000" +
	"\u00ad\u180e\u200b\u200c\u200d\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2060\ufeff"

// Trim takes blanks of every kind off both ends.
func Trim(value string) string {
	return strings.TrimFunc(value, func(r rune) bool { return unicode.IsControl(r) || strings.ContainsRune(Blanks, r) })
}

// base returns a type without the prefix of the system that it belongs to.
func base(typ dsar.IdentifierType) dsar.IdentifierType {
	return typ[strings.LastIndexByte(string(typ), '.')+1:]
}
