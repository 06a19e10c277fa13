package truth

import (
	"fmt"
	"slices"
	"testing"

	"habeas.dev/pkg/dsar"
	"habeas.dev/services/intake"
	"habeas.dev/services/internal/core"
)

// TestProofModes: whom each mode believes, for each thing that upstream may say of two
// identifiers: what waits for proof discloses nothing, and what doesn't discloses what
// belongs to the believed ones only.
func TestProofModes(t *testing.T) {
	t.Parallel()
	const anna, sam = "email anna@example.com", "email sam@example.com"
	says := map[string]struct {
		ids      []string
		verified []bool
		proven   bool // upstream says that it has seen who they are
	}{
		"verified":              {[]string{anna}, []bool{true}, false},
		"claimed":               {[]string{anna}, []bool{false}, false},
		"one verified":          {[]string{anna, sam}, []bool{true, false}, false},
		"verified, seen":        {[]string{anna}, []bool{true}, true},
		"claimed, seen":         {[]string{anna}, []bool{false}, true},
		"verified, for another": {[]string{anna}, []bool{true}, false},
	}
	waits := []string{"waits"}
	table := map[intake.Proof]map[string][]string{ // the ids of the rows that are shown
		intake.ProofUnlessVerified: {"verified": {"1"}, "claimed": waits, "one verified": waits, "verified, seen": {"1"}, "claimed, seen": {"1"}, "verified, for another": waits},
		intake.ProofOrWithout:      {"verified": {"1"}, "claimed": waits, "one verified": {"1"}, "verified, seen": {"1"}, "claimed, seen": {"1"}, "verified, for another": waits},
		intake.ProofAlways:         {"verified": waits, "claimed": waits, "one verified": waits, "verified, seen": {"1"}, "claimed, seen": {"1"}, "verified, for another": waits},
		intake.ProofNever:          {"verified": {"1"}, "claimed": {"1"}, "one verified": {"1", "2"}, "verified, seen": {"1"}, "claimed, seen": {"1"}, "verified, for another": waits},
	}
	for mode, cases := range table {
		for name, want := range cases {
			t.Run(fmt.Sprint(mode, "/", name), func(t *testing.T) {
				t.Parallel()
				s := newScene(t, sqLite)
				s.proof = mode
				db := s.system("system: desk\ndatasets:\n- {name: mails, columns: [id, email], subject: {email: email}}\n", "CREATE TABLE mails(id INTEGER PRIMARY KEY, email TEXT)")
				db.row("mails", 1, "anna@example.com")
				db.row("mails", 2, "sam@example.com")
				s.begin()
				said := says[name]
				r := mine(said.ids...)
				r.Right = dsar.Access
				for i, v := range said.verified {
					r.Subject.Identifiers[i].Verified = v
				}
				if !said.proven {
					r.Subject.Proven = nil
				}
				if name == "verified, for another" {
					r.Subject.OnBehalf = dsar.CheckAgent
				}
				state := s.play(s.submit(r))
				if slices.Equal(want, waits) {
					if state.Status != core.StatusAwaitingProof || len(state.Tasks) > 0 {
						t.Errorf("it is %s: %s", state.Status, ends(state))
					}
					return
				}
				s.shows(s.completed(state), "desk", "mails", want...)
			})
		}
	}
}

// TestOptOutNeedsNoProofInAnyMode: where the law asks no proof, a claim stops processing,
// and does nothing else.
func TestOptOutNeedsNoProofInAnyMode(t *testing.T) {
	t.Parallel()
	for _, mode := range []intake.Proof{intake.ProofUnlessVerified, intake.ProofOrWithout, intake.ProofAlways, intake.ProofNever} {
		t.Run(string(mode), func(t *testing.T) {
			t.Parallel()
			s := newScene(t, sqLite)
			s.proof = mode
			db := s.system(`
system: desk
abilities: [resolve, gather, erase, restrict]
needs: [email, user_id]
finds: [user_id]
resolve: [{find: user_id, table: users, column: id, by: {email: email}}]
datasets:
- {name: users, columns: [id, email], subject: {email: email}, purposes: [selling], technical: [locked], restrict: [{column: locked, value: 1, lifted: 0, stops: [selling]}]}
- {name: visits, columns: [id], subject: {user_id: user_id}, purposes: [selling], technical: [locked], restrict: [{column: locked, value: 1, lifted: 0, stops: [selling]}]}
`, "CREATE TABLE users(id INTEGER PRIMARY KEY, email TEXT, locked INTEGER)", "CREATE TABLE visits(id INTEGER PRIMARY KEY, user_id INTEGER, locked INTEGER)")
			db.row("users", 1, "anna@example.com", 0)
			db.row("users", 2, "sam@example.com", 0)
			db.row("visits", 1, 1, 0)
			s.begin()
			r := mine("email anna@example.com")
			r.Right, r.Jurisdiction, r.Subject.Proven, r.Subject.Identifiers[0].Verified = dsar.OptOut, "California", nil, false
			a := s.completed(s.play(s.submit(r)))
			s.holds("desk", "SELECT id FROM users WHERE locked = 1", "1")
			if mode != intake.ProofNever { // a claim leads nowhere
				s.holds("desk", "SELECT id FROM visits WHERE locked = 1")
			}
			s.silentOn(a, `"kind":"shown"`)
		})
	}
}
