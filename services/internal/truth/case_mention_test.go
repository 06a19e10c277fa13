package truth

import (
	"testing"

	"habeas.dev/pkg/dsar"
	"habeas.dev/services/internal/statement"
)

// TestMentionsAreTold: texts of others that name a person stay, and the certificate says so,
// of who has records of their own and of who is only named; nobody hears that nothing is left.
func TestMentionsAreTold(t *testing.T) {
	t.Parallel()
	onBoth(t, func(s *scene) {
		db := s.system(`
system: forum
datasets: [{name: posts, columns: [id, author, body], subject: {email: author}, mentions: {email: [body]}, others: [{columns: [body], unless: {email: author}, then: person}]}]
`, "CREATE TABLE posts(id INTEGER PRIMARY KEY, author TEXT, body TEXT)")
		db.row("posts", 1, "anna@example.com", "Hello")
		db.row("posts", 2, "sam@example.com", "Ask anna@example.com or eve@example.com")
		db.row("posts", 3, "sam@example.com", "Thanks, anna@example.com.")
		s.begin()
		for email, answered := range map[string]statement.Kind{"anna@example.com": statement.NamedLeft, "eve@example.com": statement.NamedThere} {
			a := s.completes(dsar.Erasure, "email "+email)
			s.says(a, "forum", []statement.Kind{statement.Mentions, answered}, append(nothingThere, statement.Empty))
			s.says(a, "", []statement.Kind{statement.OnlyTextsLeft}, nothingThere)
		}
		s.holds("forum", "SELECT id FROM posts", "2", "3")
	})
}
