package people

import (
	"fmt"
	"strings"
)

// CanaryPrefix starts every personal text of [Canaries].
const CanaryPrefix = "canary-"

// Canaries returns a population of n people, with what is companies' own and with files, whose
// personal texts are all marked: canary-<person>-<field>. Who finds "canary-" outside of the systems,
// the vault and the outbox has found a leak. Telephone numbers must stay
// telephone numbers, and card numbers card numbers; they are listed by
// [Population.Needles].
func Canaries(seed int64, n int) *Population {
	return generate(Config{Seed: seed, People: n, Own: true, Files: true}, true)
}

func canary(person int, field string) string {
	return fmt.Sprintf("%s%d-%s", CanaryPrefix, person, field)
}

func (p *Person) mark() {
	p.GivenName = canary(p.Number, "given_name")
	p.FamilyName = canary(p.Number, "family_name")
	p.Email = canary(p.Number, "email") + "@example.com"
	p.Phone = fmt.Sprintf("+88350%09d", 410_000_000+p.Number)
	if p.AccountID != "" {
		p.AccountID = "acc_" + canary(p.Number, "account_id")
	}
	if p.Employer != "" {
		p.Employer = canary(p.Number, "employer")
	}
}

// Needles lists every text of a population of [Canaries] that must be found in
// no topic, journal, log, trace or error: the prefix, the telephone numbers, and
// of the card numbers at PaymentTech all but the last four digits.
func (p *Population) Needles() []string {
	needles := []string{CanaryPrefix}
	for _, who := range p.People {
		card := p.CardNumber(who.Number)
		needles = append(needles, strings.TrimPrefix(who.Phone, "+"), card[:len(card)-4])
	}
	return needles
}
