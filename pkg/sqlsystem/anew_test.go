package sqlsystem

import (
	"strings"
	"testing"
)

// TestRenumbered: a number that SQLite gives anew is named where something stays under it, and
// nowhere else.
func TestRenumbered(t *testing.T) {
	t.Parallel()
	const rule = ` | id made:date | retention: [{ground: tax, source: law, title: {en: Tax}, column: made, period: P10Y}]`
	for _, c := range []struct {
		users, notes string
		named        bool
	}{
		{"id INTEGER PRIMARY KEY", "erase: delete" + rule, true},
		{"id INTEGER PRIMARY KEY", "erase: keep, why: {en: It is ours}", true},
		{"id INTEGER PRIMARY KEY", "erase: delete", false},
		{"id INTEGER PRIMARY KEY AUTOINCREMENT", "erase: delete" + rule, false},
		{"id INT PRIMARY KEY", "erase: delete" + rule, false},
		{"id INTEGER, n INTEGER, PRIMARY KEY (id, n)", "erase: delete" + rule, false},
	} {
		d := sqliteDB(t, "CREATE TABLE users (email TEXT, "+c.users+"); CREATE TABLE notes (id INTEGER PRIMARY KEY, user_id INTEGER, made DATE)")
		s := open(t, d, small(t, "abilities: [resolve, gather, erase]\nneeds: [email, member_no]\nfinds: [member_no]\nsql: {resolve: [{find: member_no, table: users, column: id, by: {email: email}}]}",
			"notes | table: notes, key: [id], subject: {member_no: user_id}, "+c.notes))
		got, err := s.Renumbered(t.Context())
		if err != nil || (len(got) == 1) != c.named || len(got) > 1 || c.named && (!strings.Contains(got[0].What, "dataset notes") || !strings.Contains(got[0].What, `"id" of users`)) {
			t.Errorf("%s, %s: %v, %v", c.users, c.notes, got, err)
		}
	}
}
