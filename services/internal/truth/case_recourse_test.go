package truth

import (
	"testing"
	"time"

	"habeas.dev/pkg/dsar"
	"habeas.dev/services/internal/core"
)

// TestAskedForIsKeptFromErasure: in Canada, what somebody asked to see isn't erased while that
// request of theirs is open; once it has been answered, it is, without anybody asking again. In
// the EEA nothing waits.
func TestAskedForIsKeptFromErasure(t *testing.T) {
	t.Parallel()
	for law, waits := range map[string]bool{"Canada": true, "EEA": false} {
		t.Run(law, func(t *testing.T) {
			t.Parallel()
			onBoth(t, func(s *scene) {
				db := s.system(`
system: crm
datasets:
- {name: people, columns: [id, email], subject: {email: email}}
`, "CREATE TABLE people(id INTEGER PRIMARY KEY, email TEXT)")
				db.row("people", 1, "anna@example.com")
				db.row("people", 2, "sam@example.com")
				s.begin()
				access := asking(dsar.Access, law)
				access.Subject.OnBehalf, access.Subject.Proven = dsar.CheckAgent, nil
				copied := s.submit(access)
				s.play(copied)
				erased := s.submit(asking(dsar.Erasure, law))
				for range 100 { // it never ends by itself while it waits
					if s.deliver() {
						continue
					}
					s.must(s.letters.Handle(s.ctx(), erased))
					s.until(s.now.Add(core.RecourseEvery))
					if s.stateOf(erased).Status.Ended() {
						break
					}
					if s.now.After(today.Add(5 * 24 * time.Hour)) {
						break
					}
				}
				if done := s.stateOf(erased).Status == core.StatusCompleted; done == waits {
					s.Fatalf("erased before the copy was given: %t", done)
				}
				if !waits {
					return
				}
				s.holds("crm", "SELECT id FROM people", "1", "2")
				s.shows(s.completed(s.do(copied, core.JudgeProof{By: "lea", Accepted: true, Calendar: s.kit.book, Now: s.now})), "crm", "people", "1")
				s.completed(s.play(erased))
				s.holds("crm", "SELECT id FROM people", "2")
			})
		})
	}
}
