package truth

import (
	"fmt"
	"strings"
	"testing"

	"habeas.dev/pkg/dsar"
	"habeas.dev/services/internal/core"
	"habeas.dev/services/internal/statement"
)

// TestCase03OneVerifiedIdentifier: what isn't verified is asked for nothing until it is
// proven, whatever other identifier is.
func TestCase03OneVerifiedIdentifier(t *testing.T) {
	t.Parallel()
	onBoth(t, func(s *scene) {
		s.proof = "unverified"
		db := s.system(`
system: desk
needs: [email, cookie_id]
datasets:
- {name: people, columns: [id, email, name], subject: {email: email, cookie_id: cookie}, technical: [cookie]}
`, "CREATE TABLE people(id INTEGER PRIMARY KEY, email TEXT, cookie TEXT, name TEXT)")
		db.row("people", 1, "camille.o'brien@example.com", "c-1", "CAMILLE")
		db.row("people", 2, "mallory@example.net", "c-2", "MALLORY")
		s.begin()
		for _, own := range []string{"email mallory@example.net", "cookie_id anything"} {
			for _, right := range []dsar.Right{dsar.Access, dsar.Erasure} {
				r := mine(own, "email camille.o'brien@example.com")
				r.Right, r.Subject.Proven, r.Subject.Identifiers[1].Verified = right, nil, false
				id := s.submit(r)
				state := s.play(id)
				if state.Status != core.StatusAwaitingProof || len(state.Tasks) > 0 {
					s.Errorf("%s with a verified %s: %s %s", right, own, state.Status, ends(state))
				}
				// Somebody decides to go on without it.
				a := s.completed(s.do(id, core.JudgeProof{By: "lea", Without: true, Reason: "not hers", Calendar: s.kit.book, Now: s.now}))
				s.silentOn(a, "CAMILLE", "o'brien")
				if len(a.said.Without) == 0 {
					s.Errorf("%s doesn't say that it went on without an identifier", right)
				}
			}
		}
		s.holds("desk", "SELECT name FROM people", "CAMILLE")
	})
}

// TestCase03FoundByAClaim: a claimed identifier opens nothing either that others lead
// to, and a proof of one doesn't prove the rest.
func TestCase03FoundByAClaim(t *testing.T) {
	t.Parallel()
	onBoth(t, func(s *scene) {
		s.proof = "unverified"
		db := s.system(fmt.Sprintf(numbered, "desk", ""), numberedTables("notes")...)
		db.row("users", 1, "camille@example.com", "CAMILLE")
		db.row("users", 2, "mallory@example.net", "MALLORY")
		db.row("notes", 1, 1, "of Camille")
		s.begin()
		r := mine("email mallory@example.net", "email camille@example.com")
		r.Right, r.Subject.Proven, r.Subject.Identifiers[1].Verified = dsar.Access, nil, false
		id := s.submit(r)
		state := s.play(id)
		fingerprint := state.Identifiers[0].Fingerprint
		a := s.completed(s.do(id, core.JudgeProof{By: "lea", Accepted: true, Identifiers: []string{fingerprint}, Calendar: s.kit.book, Now: s.now}))
		s.shows(a, "desk", "users", "2")
		s.shows(a, "desk", "notes")
		s.silentOn(a, "of Camille", "CAMILLE")
	})
}

// TestCase04Impostor: who isn't proven learns nothing that was found, in any law; and a
// mandate that was rejected is called one.
func TestCase04Impostor(t *testing.T) {
	t.Parallel()
	onBoth(t, func(s *scene) {
		db := s.system(fmt.Sprintf(numbered, "desk", ""), numberedTables("notes")...)
		for id := range 3 {
			db.row("users", 8217351+id, "camille@example.com", "CAMILLE")
			db.row("notes", id, 8217351, "canary of Camille")
		}
		s.begin()
		for _, law := range []string{"California", "EEA", "UK"} {
			for _, who := range []dsar.Check{dsar.CheckAgent, dsar.CheckGuardian, ""} {
				r := mine("email camille@example.com")
				r.Right, r.Jurisdiction, r.Subject.OnBehalf, r.Subject.Proven = dsar.Access, law, who, nil
				id := s.submit(r)
				state := s.play(id)
				if state.Awaited == "" {
					if _, err := s.life.Do(s.ctx(), id, core.AskProof{By: "lea", Reason: "doubt", Now: s.now}); err != nil {
						continue // it was answered: the address was verified, and nobody doubted
					}
				}
				failed := []dsar.Check{dsar.CheckIdentity}
				if who != "" {
					failed = []dsar.Check{who}
				}
				state = s.do(id, core.JudgeProof{By: "lea", Failed: failed, Reason: "forged", Calendar: s.kit.book, Now: s.now})
				what := fmt.Sprintf("%s, on behalf %q", law, who)
				texts := s.written(id)
				if state.Status == core.StatusCompleted {
					a := s.read(state)
					for name, text := range a.files {
						texts = append(texts, name+": "+text)
					}
				}
				for _, text := range texts {
					for _, secret := range []string{"8217351", "canary", "CAMILLE", `"found":3`} {
						if strings.Contains(text, secret) {
							s.Errorf("%s: an impostor is told %q: %.200s", what, secret, text)
						}
					}
				}
				if who == dsar.CheckAgent && state.Status == core.StatusRefused && strings.Contains(strings.Join(texts, " "), "your identity") {
					s.Errorf("%s: the mandate was rejected, and the letter speaks of identity:\n%s", what, texts)
				}
			}
		}
	})
}

// TestCase04AskedMidway: proof that is asked for once something was found is the same:
// of what was found nothing is told when it is rejected, in no law.
func TestCase04AskedMidway(t *testing.T) {
	t.Parallel()
	onBoth(t, func(s *scene) {
		db := s.system(fmt.Sprintf(numbered, "desk", "scope: {user_id: shared}\n"), numberedTables("notes")...)
		db.row("users", 8217351, "camille@example.com", "CAMILLE")
		db.row("notes", 1, 8217351, "canary of Camille")
		s.quiet = true
		s.begin()
		for _, law := range []string{"California", "EEA", "UK"} {
			r := mine("email camille@example.com")
			r.Right, r.Jurisdiction = dsar.Access, law
			id := s.submit(r)
			s.before = func(_ string, action dsar.Action) {
				if action == dsar.Gather {
					s.before = nil
					_, err := s.life.Do(s.ctx(), id, core.AskProof{By: "lea", Reason: "doubt", Now: s.now})
					s.must(err)
				}
			}
			if state := s.play(id); state.Status != core.StatusAwaitingProof || len(state.Identifiers) < 2 {
				s.Fatalf("%s: %s, %d identifiers", law, state.Status, len(state.Identifiers))
			}
			state := s.do(id, core.JudgeProof{By: "lea", Failed: []dsar.Check{dsar.CheckIdentity}, Reason: "forged", Calendar: s.kit.book, Now: s.now})
			texts := s.written(id)
			if state.Status == core.StatusCompleted {
				a := s.read(state)
				for name, text := range a.files {
					texts = append(texts, name+": "+text)
				}
				for _, said := range a.whole.Statements {
					if said.Records > 0 || said.Kind.OfSomething() || said.Kind == statement.Holds || said.Identifier != nil && said.Identifier.FoundBy != "" {
						s.Errorf("%s: an impostor is told: %s %s %+v", law, said.Kind, said.Text, said)
					}
				}
			}
			for _, text := range texts {
				for _, secret := range []string{"8217351", "canary", "CAMILLE"} {
					if strings.Contains(text, secret) {
						s.Errorf("%s: an impostor is told %q: %.300s", law, secret, text)
					}
				}
			}
		}
	})
}
