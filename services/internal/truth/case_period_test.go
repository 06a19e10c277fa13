package truth

import (
	"strings"
	"testing"

	"habeas.dev/pkg/dsar"
)

// TestRetentionByLaw: an invoice of eight years ago stays under the law that has it stay for
// ten, goes under one with seven and under one that knows no such duty; each is told its own
// article or none, and who asks under another law isn't quoted it. Two of them in one batch
// stay apart, and a row of both stays.
func TestRetentionByLaw(t *testing.T) {
	t.Parallel()
	const manifest = `
system: books
datasets:
- {name: invoices, columns: [id, email, payer, "issued_on:date"], subject: {email: email, phone: payer}, retention: [{ground: tax-records, source: "Code de commerce, art. 16", sources: {EEA: "Code de commerce, art. 16", California: "Rev. & Tax. Code 19057"},
   title: {en: Tax records, fr: Pièces fiscales}, from: issued_on, period: P10Y, periods: {California: P7Y, Japan: none}}]}
`
	for law, want := range map[string]struct {
		left   []string
		quoted string
	}{
		"EEA":        {[]string{"1", "2", "3"}, "Code de commerce, art. 16"},
		"California": {[]string{"1", "3"}, "Rev. & Tax. Code 19057"},
		"Japan":      {[]string{"3"}, ""},
		"Brazil":     {[]string{"1", "2", "3"}, ""},
	} {
		t.Run(law, func(t *testing.T) {
			t.Parallel()
			onBoth(t, func(s *scene) {
				db := s.system(strings.Replace(manifest, "email: email, phone: payer", "email: email", 1), "CREATE TABLE invoices(id INTEGER PRIMARY KEY, email TEXT, payer TEXT, issued_on DATE)")
				db.row("invoices", 1, "anna@example.com", nil, "2024-03-01")
				db.row("invoices", 2, "anna@example.com", nil, "2018-10-01")
				db.row("invoices", 3, "sam@example.com", nil, "2018-10-01")
				s.begin()
				a := s.completed(s.play(s.submit(asking(dsar.Erasure, law))))
				s.holds("books", "SELECT id FROM invoices", want.left...)
				s.numbers(a, "books", "invoices", 2, int64(3-len(want.left)), int64(len(want.left)-1))
				for _, source := range []string{"Code de commerce, art. 16", "Rev. & Tax. Code 19057"} {
					said := strings.ReplaceAll(a.files["index.html"], "&amp;", "&")
					if strings.Contains(said, source) != (source == want.quoted) {
						s.Errorf("it quotes %q: %t", source, source != want.quoted)
					}
				}
			})
		})
	}
	t.Run("two laws at once", func(t *testing.T) {
		t.Parallel()
		onBoth(t, func(s *scene) {
			db := s.system(strings.Replace(manifest, "system: books", "system: books\nneeds: [email, phone]", 1), "CREATE TABLE invoices(id INTEGER PRIMARY KEY, email TEXT, payer TEXT, issued_on DATE)")
			db.row("invoices", 1, "anna@example.com", nil, "2018-10-01")
			db.row("invoices", 2, nil, "+33612345678", "2018-10-01")
			db.row("invoices", 3, "anna@example.com", "+33612345678", "2018-10-01")
			s.begin()
			anna := asking(dsar.Erasure, "California")
			other := mine("phone +33612345678")
			other.Right = dsar.Erasure
			first, second := s.submit(anna), s.submit(other)
			s.play(first)
			s.completed(s.play(second))
			s.completed(s.play(first))
			s.holds("books", "SELECT id FROM invoices WHERE id < 3", "2")
		})
	})
}
