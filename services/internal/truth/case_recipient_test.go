package truth

import (
	"slices"
	"strings"
	"testing"

	"habeas.dev/pkg/dsar"
	"habeas.dev/services/internal/statement"
)

// TestToldAreThoseWhoReceived: the answer names as told each recipient, and no other, that
// receives rows of the person which the databases show as changed, of those that the law has
// told; and who can't be told, with the reason. Of a copy it names whoever receives a row that
// is in it, by country.
func TestToldAreThoseWhoReceived(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name  string
		right dsar.Right
		law   string
		told  []string
		not   []string
	}{
		{"erased in the EEA", dsar.Erasure, "EEA", []string{"broker", "carrier", "host"}, []string{"tax-office"}},
		{"erased in California", dsar.Erasure, "California", []string{"broker", "host"}, nil}, // the carrier was sold nothing,
		{"opted out in California", dsar.OptOut, "California", []string{"broker"}, nil},
		{"objected in the EEA", dsar.Objection, "EEA", nil, nil},
		{"erased in Korea", dsar.Erasure, "South Korea", nil, nil},
		{"a copy", dsar.Access, "EEA", nil, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			onBoth(t, func(s *scene) {
				db := s.system(`
system: shop
abilities: [gather, erase, restrict]
datasets:
- {name: orders, columns: [id, email], subject: {email: email}, recipients: [carrier, tax-office], purposes: [run-account]}
- {name: ads, columns: [id, email], subject: {email: email}, recipients: [broker, host], purposes: [selling], technical: [sold], restrict: [{column: sold, value: 0, lifted: 1, stops: [selling]}]}
- {name: reviews, columns: [id, email], subject: {email: email}, recipients: [publisher], purposes: [research]}
`, "CREATE TABLE orders(id INTEGER PRIMARY KEY, email TEXT)", "CREATE TABLE ads(id INTEGER PRIMARY KEY, email TEXT, sold INTEGER)", "CREATE TABLE reviews(id INTEGER PRIMARY KEY, email TEXT)")
				db.row("orders", 1, "anna@example.com")
				db.row("ads", 1, "anna@example.com", 1)
				db.row("reviews", 1, "sam@example.com") // Anna has written none
				s.begin()
				a := s.completed(s.play(s.submit(asking(c.right, c.law))))
				var told, not, receives []string
				for _, said := range a.whole.Statements {
					for _, r := range said.Recipients {
						switch said.Kind {
						case statement.RecipientsTold:
							told = append(told, r.Recipient)
						case statement.NotTold:
							not = append(not, r.Recipient)
							if said.Reason == "" {
								s.Errorf("it isn't said why %s can't be told", r.Recipient)
							}
						case statement.ReceivedIn:
							receives = append(receives, said.Country+" "+r.Recipient)
						}
					}
				}
				slices.Sort(told)
				if !slices.Equal(told, c.told) || !slices.Equal(not, c.not) {
					s.Errorf("told are %v, and not %v; want %v and %v", told, not, c.told, c.not)
				}
				page := a.files["index.html"]
				if copied := c.right == dsar.Access; copied && !slices.Equal(receives, []string{"GB carrier"}) || !copied && len(receives) > 0 {
					s.Errorf("receives: %v", receives)
				}
				if strings.Contains(page, "Review Publisher") {
					s.Error("who receives reviews is named to who has written none")
				}
			})
		})
	}
}
