package truth

import (
	"slices"
	"strings"
	"testing"

	"habeas.dev/pkg/dsar"
	"habeas.dev/services/internal/core"
	"habeas.dev/services/internal/statement"
)

// TestStaysByTheManifest: rows that the manifest has kept, and those that others' rows refer
// to, are planned, left and told with what they stay for; what nobody else refers to goes.
func TestStaysByTheManifest(t *testing.T) {
	t.Parallel()
	onBoth(t, func(s *scene) {
		db := s.system(`
system: shop
datasets:
- {name: unsubscribed, columns: [id, email], subject: {email: email}, erase: keep, why: {en: So that nothing is sent to you, fr: Pour que rien ne vous soit envoyé}}
- {name: addresses, columns: [id], via: [{table: orders, on: {id: address_id}}], subject: {email: orders.email}, unless_shared: [{table: orders, on: {address_id: id}}]}
- {name: orders, columns: [id], subject: {email: email}, technical: [address_id]}
`, "CREATE TABLE unsubscribed(id INTEGER PRIMARY KEY, email TEXT)", "CREATE TABLE addresses(id INTEGER PRIMARY KEY)", "CREATE TABLE orders(id INTEGER PRIMARY KEY, email TEXT, address_id INTEGER)")
		for p, person := range []string{"anna", "sam"} {
			db.row("unsubscribed", 1+p, person+"@example.com")
			db.row("addresses", 11+p)
			db.row("orders", 21+p, person+"@example.com", 11)
		}
		db.row("orders", 23, "anna@example.com", 12)
		s.begin()
		a := s.completes(dsar.Erasure, "email anna@example.com")
		s.numbers(a, "shop", "unsubscribed", 1, 0, 1)
		s.numbers(a, "shop", "addresses", 2, 1, 1)
		s.numbers(a, "shop", "orders", 2, 2, 0)
		s.holds("shop", "SELECT id FROM unsubscribed", "1", "2")
		s.holds("shop", "SELECT id FROM addresses", "11")
		s.holds("shop", "SELECT id FROM orders", "22")
		for _, ground := range []string{"So that nothing is sent to you", "Other records that stay refer to it"} {
			if !strings.Contains(a.files["index.html"], ground) {
				s.Errorf("the answer doesn't say %q", ground)
			}
		}
		s.completes(dsar.Erasure, "email sam@example.com")
		s.holds("shop", "SELECT id FROM addresses")
		// Sam's erasure took the address that Anna's had left: nobody says that it is kept.
		a = s.completes(dsar.Access, "email anna@example.com")
		s.says(a, "shop", nil, []statement.Kind{statement.Kept})
		if strings.Contains(a.files["index.html"], "Other records that stay refer to it") {
			s.Error("the answer says that an address is kept that is gone")
		}
	})
}

// TestAskedAgainGoesByTheFirstPlan: what an erasure left since somebody else's record referred
// to it goes by its key when the person asks for erasure again, and nothing refers to it any
// more: nothing of theirs leads there. What the person has anew goes by what they ask, and what
// others refer to still, or anew, stays.
func TestAskedAgainGoesByTheFirstPlan(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name    string
		between func(*store)
		left    []string
	}{
		{"nobody refers to it", func(db *store) { db.exec("DELETE FROM orders WHERE id = 22") }, nil},
		{"somebody still does", func(*store) {}, []string{"11"}},
		{"somebody else does", func(db *store) { db.exec("UPDATE orders SET email = 'eve@example.com' WHERE id = 22") }, []string{"11"}},
		{"nobody, and there is more", func(db *store) {
			db.exec("DELETE FROM orders WHERE id = 22")
			db.row("addresses", 12)
			db.row("orders", 24, "anna@example.com", 12)
			db.row("addresses", 13)
			db.row("orders", 25, "sam@example.com", 13)
		}, []string{"13"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			onBoth(t, func(s *scene) {
				db := s.system(`
system: shop
datasets:
- {name: addresses, columns: [id], via: [{table: orders, on: {id: address_id}}], subject: {email: orders.email}, unless_shared: [{table: orders, on: {address_id: id}}]}
- {name: orders, columns: [id], subject: {email: email}, technical: [address_id]}
`, "CREATE TABLE addresses(id INTEGER PRIMARY KEY)", "CREATE TABLE orders(id INTEGER PRIMARY KEY, email TEXT, address_id INTEGER)")
				db.row("addresses", 11)
				db.row("orders", 21, "anna@example.com", 11)
				db.row("orders", 22, "sam@example.com", 11)
				s.begin()
				first := s.asks(dsar.Erasure, "email anna@example.com")
				s.numbers(s.completed(first), "shop", "addresses", 1, 0, 1)
				c.between(db)
				s.now = s.now.Add(core.RetentionAgain)
				s.completes(dsar.Erasure, "email anna@example.com")
				again := s.completed(s.play(first.Accepted.RequestID))
				s.holds("shop", "SELECT id FROM addresses", c.left...)
				stays := slices.Contains(c.left, "11")
				if says := strings.Contains(again.files["index.html"], "Other records that stay refer to it"); says != stays {
					s.Errorf("left are %v, and the first answer says that others refer to it: %t", c.left, says)
				}
			})
		})
	}
}
