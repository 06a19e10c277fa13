package link_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"testing"
	"time"

	"habeas.dev/pkg/dsar"
	"habeas.dev/pkg/link"
	"habeas.dev/pkg/vault"
)

// holds are the same in every system.
type holds []link.Held

func (h holds) Held(_ context.Context, _, _ string) ([]link.Held, error) { return h, nil }
func (h holds) Together() link.Holds                                     { return h }

// TestHeldIsForgottenWithItsOwn: whose records are held is told with the tasks of an erasure
// and no other, lies under that person's own request, and is forgotten with it. A hold whose
// person can't be read any more leaves no erasure to go on.
func TestHeldIsForgottenWithItsOwn(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	const held = "0b6fd3a2-1d7c-4c53-8f53-70d5f2f0a9c4"
	keys, err := f.vault.CreateKeys(t.Context(), held)
	if err != nil {
		t.Fatal(err)
	}
	sealed, err := keys.Seal([]byte("camille@example.com"), vault.Identifier)
	if err != nil {
		t.Fatal(err)
	}
	people := holds{{RequestID: held, Identifiers: []dsar.Identifier{{Type: "email", Sealed: sealed}}, Datasets: []string{"messages"}}}
	f.hub = link.NewHub(f.vault, &f.Memory, func() time.Time { return f.now }, link.WithHolds(people))
	open := func(a dsar.Action) link.Task {
		sent := f.task("account", a, 1)
		if bytes.Contains(sent, []byte("camille")) {
			t.Fatal("the address is in the open")
		}
		opened, err := f.key("account").OpenTask(f.parse(sent), f.now)
		if err != nil {
			t.Fatal(err)
		}
		return opened
	}
	grant := func(a dsar.Action) link.Grant {
		g, err := open(a).ReadGrant(t.Context(), f.vault.Objects)
		if err != nil {
			t.Fatal(err)
		}
		if text, err := json.Marshal(g); err != nil || bytes.Contains(text, []byte("camille")) {
			t.Fatal("the grant names who is held, or ", err)
		}
		return g
	}
	for _, a := range []dsar.Action{dsar.Resolve, dsar.Gather} {
		if g := grant(a); len(g.Held) > 0 {
			t.Errorf("%s is told of holds", a)
		}
	}
	g := grant(dsar.Erase)
	read, err := g.ReadHeld(t.Context(), f.vault.Objects)
	if err != nil || len(read) != 1 || read[0].RequestID != held || len(read[0].Identifiers) != 1 || read[0].Identifiers[0].Value != "camille@example.com" || read[0].Datasets[0] != "messages" {
		t.Fatalf("%+v, %v", read, err)
	}
	if err := f.vault.Shred(t.Context(), held); err != nil {
		t.Fatal(err)
	}
	if read, err := g.ReadHeld(t.Context(), f.vault.Objects); !errors.Is(err, vault.ErrNoObject) {
		t.Errorf("it was forgotten: %+v, %v", read, err)
	}
	if lost := open(dsar.Plan).Lost; lost != link.LostHeld {
		t.Errorf("a plan whose holds can't be read comes with %q", lost)
	}
}

// TestHeldPlans: a plan of somebody's of whom records are held is opened by their own
// grant; where that request was forgotten, and the hold is on another, it is left out.
func TestHeldPlans(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	const erased = "0b6fd3a2-1d7c-4c53-8f53-70d5f2f0a9c4"
	keys, err := f.vault.CreateKeys(t.Context(), erased)
	if err != nil {
		t.Fatal(err)
	}
	const scope = "account/plan/1"
	k, err := keys.ObjectKey(scope)
	if err != nil {
		t.Fatal(err)
	}
	w, err := f.vault.Objects.Create(t.Context(), k, scope+"-x")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.Write([]byte("keys")); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	people := holds{{RequestID: erased, Plans: []dsar.Object{{Name: scope + "-x", SHA256: "h"}}, Beside: true}}
	f.hub = link.NewHub(f.vault, &f.Memory, func() time.Time { return f.now }, link.WithHolds(people))
	held := func() []link.HeldPerson {
		t.Helper()
		opened, err := f.key("account").OpenTask(f.parse(f.task("account", dsar.Erase, 1)), f.now)
		if err != nil || opened.Lost != "" {
			t.Fatal(err, opened.Lost)
		}
		g, err := opened.ReadGrant(t.Context(), f.vault.Objects)
		if err != nil {
			t.Fatal(err)
		}
		all, err := g.ReadHeld(t.Context(), f.vault.Objects)
		if err != nil {
			t.Fatal(err)
		}
		return all
	}
	all := held()
	if len(all) != 1 || len(all[0].Plans) != 1 {
		t.Fatalf("held are %+v", all)
	}
	k, err = all[0].Grant.ObjectKey(erased, scope)
	if err != nil {
		t.Fatal(err)
	}
	r, err := f.vault.Objects.Open(t.Context(), k, all[0].Plans[0].Name)
	if err != nil {
		t.Fatal(err)
	}
	if text, err := io.ReadAll(r); err != nil || string(text) != "keys" {
		t.Errorf("read %q, %v", text, err)
	}
	if err := r.Close(); err != nil {
		t.Error(err)
	}
	if err := f.vault.Shred(t.Context(), erased); err != nil {
		t.Fatal(err)
	}
	if all := held(); len(all) != 0 {
		t.Errorf("held are %+v", all)
	}
}
