package sqlsystem

import (
	"errors"
	"slices"
	"testing"

	"habeas.dev/pkg/dsar"
	"habeas.dev/pkg/worker"
)

// TestCorrectionsLeadNowhereElse: a correction of what rows are joined by, or of what a condition
// is about, is undone where other rows would be the person's by it; whatever it is asked by.
func TestCorrectionsLeadNowhereElse(t *testing.T) {
	t.Parallel()
	const schema = `CREATE TABLE prof (id INTEGER PRIMARY KEY, user_id INTEGER, nick VARCHAR(50), kind VARCHAR(50), email VARCHAR(50));
		CREATE TABLE posts (id INTEGER PRIMARY KEY, nick VARCHAR(50), body VARCHAR(50));
		INSERT INTO prof VALUES (1, 5, 'ann', 'shop', 'ann@example.com'), (2, 6, 'bob', 'shop', 'bob@example.com'), (3, 7, 'carl', 'shop', 'carl@example.com'), (4, 8, 'Ann', 'shop', 'Ann2@example.com');
		INSERT INTO posts VALUES (1, 'ann', 'hers'), (2, 'bob', 'his'), (3, 'dora', 'nobody has that nick')`
	everyDatabase(t, schema, func(t *testing.T, d database) {
		m := small(t, "abilities: [gather, erase, rectify]\nneeds: [user_no, email]\nsql: {}",
			`prof | key: [id], subject: {user_no: user_id, email: email}, where: {kind: shop}, erase: delete, rectify: [nick, kind, email] | id nick kind email`,
			`posts | key: [id], via: [{table: prof, on: {nick: nick}}], subject: {user_no: prof.user_id}, erase: delete | id body`)
		s := open(t, d, m)
		for name, c := range map[string]struct {
			of            string
			column, value string
			code          string
		}{
			"to another's nick":     {"user_no 5", "nick", "bob", CodeLeadsElsewhere},
			"to a nick of old":      {"user_no 7", "nick", "dora", CodeLeadsElsewhere},
			"from one's own posts":  {"user_no 5", "nick", "anna", CodeLeadsElsewhere},
			"without a post":        {"user_no 7", "nick", "charles", ""},
			"out of the system":     {"user_no 7", "kind", "mail", CodeLeadsElsewhere},
			"an address, by it":     {"email carl@example.com", "email", "charles@example.com", ""},
			"an address, by number": {"user_no 6", "email", "bob2@example.com", ""},
		} {
			jobs := jobsOf(dsar.Rectification, ids(c.of))
			jobs[0].Changes = []worker.Change{{Dataset: "prof", Column: c.column, Value: c.value}}
			before := d.column(t, "SELECT "+c.column+" FROM prof ORDER BY id")
			err := s.rectifyAll(t.Context(), jobs)
			if err == nil {
				err = jobs[0].Err
			}
			got := ""
			if e := (*worker.Error)(nil); errors.As(err, &e) {
				got = e.Code
			}
			changed := !slices.Equal(before, d.column(t, "SELECT "+c.column+" FROM prof ORDER BY id"))
			if got != c.code || changed == (c.code != "") {
				t.Errorf("%s: %v (%s), changed %v", name, err, got, changed)
			}
		}
	})
}
