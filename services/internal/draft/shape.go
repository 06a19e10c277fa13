package draft

import (
	"context"
	"encoding/json"
	"net/netip"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"habeas.dev/pkg/manifest"
)

// sampled is how many rows of a table are looked at.
const sampled = 200

// shape is what the sampled values of a column look like. It is all that is kept of them.
type shape uint8

const (
	shapeNone shape = iota // nothing was there to look at
	shapeOther
	shapeEmail
	shapeIP
	shapeIBAN
	shapeCard
	shapeHash // of a password
	shapeJWT
	shapeJSON
	shapeProse
	shapeSeconds
	shapeMilliseconds
)

var (
	emailForm = regexp.MustCompile(`^[^@\s]{1,64}@[^@\s]+\.[^@\s.]+$`)
	ibanForm  = regexp.MustCompile(`^[A-Z]{2}[0-9]{2}[A-Z0-9]{11,30}$`)
	cardForm  = regexp.MustCompile(`^[0-9]{13,19}$`)
	hashForm  = regexp.MustCompile(`^(\$2[abxy]?\$|\$argon2|\$P\$|\$[156]\$|\$scrypt|pbkdf2|bcrypt|\{SSHA)`)
	jwtForm   = regexp.MustCompile(`^eyJ[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.`)
	keyForm   = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_.-]{0,62}$`)
)

// shapeOf tells what one value looks like.
func shapeOf(v string) shape {
	v = strings.TrimSpace(v)
	plain := strings.ReplaceAll(v, " ", "")
	switch {
	case emailForm.MatchString(v):
		return shapeEmail
	case hashForm.MatchString(v):
		return shapeHash
	case jwtForm.MatchString(v):
		return shapeJWT
	case ibanForm.MatchString(plain) && ibanChecks(plain):
		return shapeIBAN
	case cardForm.MatchString(strings.ReplaceAll(plain, "-", "")):
		return shapeOfDigits(strings.ReplaceAll(plain, "-", ""))
	case (strings.HasPrefix(v, "{") || strings.HasPrefix(v, "[")) && json.Valid([]byte(v)):
		return shapeJSON
	case strings.Count(v, " ") > 6:
		return shapeProse
	}
	if strings.ContainsAny(v, ".:") {
		if _, err := netip.ParseAddr(strings.SplitN(v, "/", 2)[0]); err == nil {
			return shapeIP
		}
	}
	return shapeOfDigits(v)
}

// shapeOfDigits tells a card's number from a moment that is counted.
func shapeOfDigits(v string) shape {
	n, err := strconv.ParseInt(v, 10, 64)
	switch {
	case err == nil && n >= 600_000_000 && n < 4_000_000_000: // 1989 to 2096
		return shapeSeconds
	case err == nil && n >= 600_000_000_000 && n < 4_000_000_000_000:
		return shapeMilliseconds
	case cardForm.MatchString(v) && luhn(v):
		return shapeCard
	default:
		return shapeOther
	}
}

// luhn reports whether the last digit is the check digit of the others (ISO/IEC 7812-1).
func luhn(digits string) bool {
	sum := 0
	for i := range len(digits) {
		n := int(digits[len(digits)-1-i] - '0')
		if i%2 == 1 {
			if n *= 2; n > 9 {
				n -= 9
			}
		}
		sum += n
	}
	return sum%10 == 0
}

// ibanChecks reports whether an account's number has the check digits that it must have
// (ISO 13616).
func ibanChecks(iban string) bool {
	rest := 0
	for _, r := range iban[4:] + iban[:4] {
		if r >= 'A' {
			rest = (rest*100 + int(r-'A') + 10) % 97
		} else {
			rest = (rest*10 + int(r-'0')) % 97
		}
	}
	return rest == 1
}

// sample looks at some rows of a table, and notes what its columns look like. What can't
// be read has no shape.
func (d *Draft) sample(ctx context.Context, t *table) {
	var looked []*column
	var names []string
	for _, c := range t.columns {
		if c.class() == classText || c.class() == classInt || strings.EqualFold(c.Type, "inet") {
			looked, names = append(looked, c), append(names, c.Name)
		}
	}
	counts := make([]map[shape]int, len(looked))
	key, value := t.keyAndValue()
	_ = d.survey.Sample(ctx, t.Name, names, sampled, func(values []string) {
		keyed := ""
		for i, v := range values {
			if v == "" {
				continue
			}
			if counts[i] == nil {
				counts[i] = map[shape]int{}
			}
			counts[i][shapeOf(v)]++
			if looked[i] == key {
				keyed = v
			}
		}
		if i := slices.Index(looked, value); i >= 0 && keyed != "" {
			// The key of a value is a word of the program's.
			if said(manifest.NameWords(keyed), "email", "mail") && keyForm.MatchString(keyed) && shapeOf(values[i]) == shapeEmail && !slices.Contains(value.keyed, keyed) {
				value.keyed = append(value.keyed, keyed)
			}
		}
	})
	for i, c := range looked {
		c.shape = most(counts[i])
		if c.class() == classInt && c.shape != shapeSeconds && c.shape != shapeMilliseconds {
			c.shape = shapeNone
		}
	}
	for _, c := range t.columns {
		c.secret = secretOf(c)
		slices.Sort(c.keyed)
	}
}

// most returns the shape that three of five values have.
func most(counts map[shape]int) shape {
	all := 0
	for _, n := range counts {
		all += n
	}
	for s, n := range counts {
		if n*5 >= all*3 {
			return s
		}
	}
	if all == 0 {
		return shapeNone
	}
	return shapeOther
}

// keyAndValue returns the columns of a table of keys and values.
func (t *table) keyAndValue() (key, value *column) {
	for _, c := range t.columns {
		switch w := lastWord(c.words); {
		case c.class() != classText:
		case w == "key" || w == "name" && len(t.columns) <= 5 || w == "k":
			key = c
		case w == "value" || w == "v":
			value = c
		}
	}
	if key == nil || value == nil {
		return nil, nil
	}
	return key, value
}

// secretOf returns the kind of secret that a column seems to hold, by its name or by what
// it holds.
func secretOf(c *column) manifest.Secret {
	if kind := manifest.SuspectedSecret(c.Name); kind != "" {
		return kind
	}
	switch c.shape {
	case shapeHash:
		return "password"
	case shapeCard:
		return manifest.PaymentCard
	case shapeIBAN:
		return "financial-account"
	case shapeJWT:
		return manifest.OtherSecret
	}
	if c.class() != classText || c.refers() || said(c.words, "at", "type", "name", "status", "brand") {
		return ""
	}
	switch {
	case said(c.words, "pass", "crypt"):
		return "password"
	case said(c.words, "recovery", "cookie", "session", "nonce", "activation"):
		return manifest.OtherSecret
	default:
		return ""
	}
}
