package link_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
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
