package people

import (
	"fmt"
	"strings"
)

// paymentech makes what the payment processor holds under billing's customer
// reference: for most the stored profile, and for all the settled payments, of
// which its interface tells no more than where they are kept.
func (g *generator) paymentech() {
	ref := g.population.CustomerRef(g.who.Number)
	if g.who.Number < firstRandom || g.IntN(5) > 0 {
		card := g.population.CardNumber(g.who.Number)
		g.add("profiles", ref, map[string]any{
			"customerRefNum": ref, "customerName": g.fullName(), "customerEmail": g.typed(), "customerPhone": g.nullable(g.who.Phone),
			"customerAddress1": g.address(), "customerAddress2": g.nullable(personal("c/o " + g.who.FamilyName)), "customerCity": g.city(),
			"customerState": nil, "customerZIP": g.digits(5), "customerCountryCode": g.country(), "customerAccountType": "CC",
			"ccAccountNum": strings.Repeat("*", len(card)-4) + card[len(card)-4:], "ccExp": fmt.Sprintf("20%d%02d", 29+g.IntN(4), 1+g.IntN(12)),
			"ecpCheckDDA": nil, "status": "A", "orderDefaultDescription": g.nullable(g.note()),
		})
	}
	g.add("settled_payments", ref, map[string]any{"customerRefNum": ref, "last_settled_on": nil})
}

// CardNumber returns the number of the card that a person pays with at PaymentTech:
// invented, every person's own, and of a valid check digit (ISO/IEC 7812-1).
func (p *Population) CardNumber(number int) string {
	r := mix(p.seed ^ mix(uint64(number)))
	digits := fmt.Sprintf("400041%06d%03d", number, r%1000)
	sum := 0
	for i, c := range digits {
		d := int(c - '0')
		if i%2 == 0 { // the check digit is the sixteenth
			if d *= 2; d > 9 {
				d -= 9
			}
		}
		sum += d
	}
	return digits + string(rune('0'+(10-sum%10)%10))
}
