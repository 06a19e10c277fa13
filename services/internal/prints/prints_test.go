package prints_test

import (
	"bytes"
	"testing"
	"time"

	"habeas.dev/pkg/dsar"
	"habeas.dev/pkg/vault"
	"habeas.dev/services/internal/core"
	"habeas.dev/services/internal/journal"
	"habeas.dev/services/internal/journal/memjournal"
	"habeas.dev/services/internal/lifecycle"
	"habeas.dev/services/internal/prints"
)

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

const one, two = "9f0d6c0e-6f0f-4b43-9f0f-3a9c3c0f7a11", "9f0d6c0e-6f0f-4b43-9f0f-3a9c3c0f7a22"

// scene is two requests of one person, written differently each time.
type scene struct {
	*testing.T
	vault    *vault.Vault
	journal  journal.Store
	requests *lifecycle.Lifecycle
	prints   prints.Prints
}

func newScene(t *testing.T) *scene {
	t.Helper()
	v, err := vault.InMemory(t.Context())
	must(t, err)
	s := &scene{T: t, vault: v, journal: memjournal.New(memjournal.Config{}), prints: prints.Prints{Vault: v}}
	s.requests = lifecycle.New(s.journal, lifecycle.WithPrints(s.prints))
	s.accept(one, "anna@example.com")
	s.accept(two, " Anna@Example.com")
	return s
}

func (s *scene) accept(id, address string) {
	s.Helper()
	keys, err := s.vault.CreateKeys(s.Context(), id)
	must(s.T, err)
	print, err := keys.Fingerprint("email", address)
	must(s.T, err)
	sealed, err := keys.Seal([]byte(address), vault.Identifier)
	must(s.T, err)
	_, err = s.requests.Accept(s.Context(), core.Accepted{RequestID: id, Right: dsar.Access, Jurisdiction: "EEA", ReceivedAt: time.Now(), AcceptedAt: time.Now(), Source: "test", Digest: "d", OwnPrints: true,
		Identifiers: []dsar.Identifier{{Type: "email", Fingerprint: print, Sealed: sealed, Assurance: dsar.AssuranceVerified}},
		Systems:     []dsar.System{{Name: "billing", Abilities: []dsar.Action{dsar.Gather}, Needs: []dsar.IdentifierType{"email"}}}})
	must(s.T, err)
}

func (s *scene) found() (ids []string) {
	s.Helper()
	rows, err := s.journal.ByFingerprint(s.Context(), s.vault.Fingerprint("email", "anna@example.com"), 10)
	must(s.T, err)
	for _, r := range rows {
		ids = append(ids, r.RequestID)
	}
	return ids
}

// TestPrintsAreTheRequestsOwn: both of a person's requests are found by their address; the
// facts, the messages and the rows have nothing in common by which they could be, and
// nothing that is computed by a key which outlives the request.
func TestPrintsAreTheRequestsOwn(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	if got := s.found(); len(got) != 2 {
		t.Fatalf("found %v", got)
	}
	across := []byte(s.vault.Fingerprint("email", "anna@example.com"))
	var own []string
	for _, id := range []string{one, two} {
		state, err := s.requests.State(t.Context(), id)
		must(t, err)
		own = append(own, state.Identifiers[0].Fingerprint)
		facts, err := s.journal.Facts(t.Context(), id, 1)
		must(t, err)
		for _, f := range facts {
			if bytes.Contains(f.Data, across) {
				t.Errorf("%s of %s holds a fingerprint across requests", f.Type, id)
			}
		}
		if same, err := s.prints.Among(t.Context(), state, state.Identifiers, "email", "ANNA@example.com"); err != nil || !same {
			t.Errorf("it isn't known in %s: %v", id, err)
		}
		if same, err := s.prints.Among(t.Context(), state, state.Identifiers, "email", "sam@example.com"); err != nil || same {
			t.Errorf("somebody else is known in %s: %v", id, err)
		}
	}
	if own[0] == own[1] {
		t.Error("two requests have one fingerprint")
	}
	waiting, err := s.journal.Pending(t.Context(), 100)
	must(t, err)
	for _, m := range waiting {
		if bytes.Contains(m.Payload, across) {
			t.Errorf("a message to %s holds a fingerprint across requests", m.Topic)
		}
	}
}

// TestPrintsEndWithTheRequest: of a request that is forgotten nobody can tell any more
// whether an address was its, whatever keys they hold, and nothing finds it; the person's
// other request is found as before.
func TestPrintsEndWithTheRequest(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	must(t, s.vault.Shred(t.Context(), one))
	must(t, s.journal.ForgetFingerprints(t.Context(), one))
	if got := s.found(); len(got) != 1 || got[0] != two {
		t.Errorf("found %v", got)
	}
	state, err := s.requests.State(t.Context(), one)
	must(t, err)
	if same, err := s.prints.Among(t.Context(), state, state.Identifiers, "email", "anna@example.com"); err != nil || same {
		t.Errorf("it is known still: %v, %v", same, err)
	}
	if across, err := s.prints.Across(t.Context(), one, state.Identifiers); err != nil || len(across) != 0 {
		t.Errorf("%v, %v", across, err)
	}
}

// TestWhoCantIndexAppendsNothing: identifiers that nobody would find again aren't appended.
func TestWhoCantIndexAppendsNothing(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	s.requests = lifecycle.New(s.journal)
	const three = "9f0d6c0e-6f0f-4b43-9f0f-3a9c3c0f7a33"
	_, err := s.requests.Accept(t.Context(), core.Accepted{RequestID: three, Right: dsar.Access, Jurisdiction: "EEA", ReceivedAt: time.Now(), AcceptedAt: time.Now(), Source: "test", Digest: "d", OwnPrints: true,
		Identifiers: []dsar.Identifier{{Type: "email", Fingerprint: "00", Sealed: []byte("x"), Assurance: dsar.AssuranceVerified}},
		Systems:     []dsar.System{{Name: "billing", Abilities: []dsar.Action{dsar.Gather}, Needs: []dsar.IdentifierType{"email"}}}})
	if err == nil {
		t.Error("appended")
	}
	if facts, err := s.journal.Facts(t.Context(), three, 1); err != nil || len(facts) != 0 {
		t.Errorf("%d facts, %v", len(facts), err)
	}
}
