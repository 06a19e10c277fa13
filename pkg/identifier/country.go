package identifier

import (
	"fmt"
	"strings"
)

// country is how telephone numbers are written in one country (ITU-T E.164 and the
// national numbering plans).
type country struct {
	iso  string
	code string // the country's code, behind +
	// trunk is the national prefix: what a national number begins with and an
	// international one lacks. Empty where there is none.
	trunk string
	// trunkAlways tells that no national number is written without the prefix, and
	// that none begins with it behind the country's code.
	trunkAlways bool
	// exit is what is dialled for +.
	exit string
	// shortest is how many digits a whole number has at least, without prefix: a
	// shorter one is a local or service number.
	shortest int
	// longest is how many it has at most: a longer one isn't a
	// number of this country.
	longest int
}

// countries are those whose laws Habeas knows, and their neighbours. Codes that
// begin with another code don't exist (E.164 is prefix-free).
var countries = []country{
	{"AT", "43", "0", true, "00", 7, 13}, {"BE", "32", "0", true, "00", 8, 9}, {"BG", "359", "0", true, "00", 7, 9}, {"HR", "385", "0", true, "00", 8, 9},
	{"CY", "357", "", false, "00", 8, 8}, {"CZ", "420", "", false, "00", 9, 9}, {"DK", "45", "", false, "00", 8, 8}, {"EE", "372", "", false, "00", 7, 8},
	{"FI", "358", "0", true, "00", 6, 12}, {"FR", "33", "0", true, "00", 9, 9}, {"DE", "49", "0", true, "00", 7, 12}, {"GR", "30", "", false, "00", 10, 10},
	{"HU", "36", "06", true, "00", 8, 9}, {"IS", "354", "", false, "00", 7, 9}, {"IE", "353", "0", true, "00", 7, 10}, {"IT", "39", "", false, "00", 6, 11},
	{"LV", "371", "", false, "00", 8, 8}, {"LI", "423", "", false, "00", 7, 9}, {"LT", "370", "0", true, "00", 8, 8}, {"LU", "352", "", false, "00", 6, 11},
	{"MT", "356", "", false, "00", 8, 8}, {"NL", "31", "0", true, "00", 9, 9}, {"NO", "47", "", false, "00", 8, 8}, {"PL", "48", "", false, "00", 9, 9},
	{"PT", "351", "", false, "00", 9, 9}, {"RO", "40", "0", true, "00", 9, 9}, {"SK", "421", "0", true, "00", 9, 9}, {"SI", "386", "0", true, "00", 8, 8},
	{"ES", "34", "", false, "00", 9, 9}, {"SE", "46", "0", true, "00", 7, 10}, {"GB", "44", "0", true, "00", 9, 10}, {"CH", "41", "0", true, "00", 9, 9},
	{"US", "1", "1", false, "011", 10, 10}, {"CA", "1", "1", false, "011", 10, 10}, {"BR", "55", "0", false, "00", 10, 11}, {"JP", "81", "0", true, "010", 9, 10},
	{"KR", "82", "0", true, "00", 8, 11}, {"IN", "91", "0", false, "00", 10, 10}, {"AU", "61", "0", true, "0011", 9, 9}, {"NZ", "64", "0", true, "00", 8, 10},
	{"SG", "65", "", false, "000", 8, 8}, {"ZA", "27", "0", true, "00", 9, 9}, {"IL", "972", "0", true, "00", 8, 9}, {"TR", "90", "0", true, "00", 10, 10},
	{"UA", "380", "0", true, "00", 9, 9}, {"MX", "52", "", false, "00", 10, 10}, {"CN", "86", "0", false, "00", 9, 11}, {"TH", "66", "0", true, "001", 8, 9},
}

func countryOf(iso string) (*country, error) {
	for i := range countries {
		if strings.EqualFold(countries[i].iso, iso) {
			return &countries[i], nil
		}
	}
	return nil, fmt.Errorf("identifier: no telephone writing is known for the country %q; it must be an ISO 3166 code such as FR", iso)
}

// countryOfNumber returns the country whose code an international number begins
// with, where it is known.
func countryOfNumber(number string) *country {
	for i := range countries {
		if strings.HasPrefix(number, countries[i].code) {
			return &countries[i]
		}
	}
	return nil
}
