package bundle

import (
	"encoding/json"

	"habeas.dev/pkg/manifest"
	"habeas.dev/pkg/record"
)

const (
	// lastDigits is how much of a payment card's number is shown.
	lastDigits = 4
	// minCard is the shortest card number (ISO/IEC 7812-1: 12 to 19 digits in practice);
	// of a shorter one four digits would be too much.
	minCard = 12
)

// mask returns what stands in place of a secret in CSV and JSON. That nothing is held
// may be told.
func (c *column) mask(value json.RawMessage) json.RawMessage {
	if len(value) == 0 || value[0] == 'n' || string(value) == `""` {
		return value
	}
	c.held = true
	text := `"` + hiddenCell + c.kind
	if digits := c.ending(value); digits != "" {
		text += ", ends in " + digits
	}
	return json.RawMessage(text + `]"`)
}

// ending returns the last digits of a payment card; empty for any other secret, and for
// what isn't a card's number.
func (c *column) ending(value json.RawMessage) string {
	if c.secret != manifest.PaymentCard || len(value) == 0 {
		return ""
	}
	var digits []byte
	for _, b := range []byte(record.Text(value)) {
		switch {
		case b >= '0' && b <= '9':
			digits = append(digits, b)
		case b != ' ' && b != '-' && b != '*' && b != '.':
			return ""
		}
	}
	if len(digits) < minCard {
		return ""
	}
	return string(digits[len(digits)-lastDigits:])
}
