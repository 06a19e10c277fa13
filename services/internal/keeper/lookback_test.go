package keeper_test

import (
	"errors"
	"os"
	"slices"
	"testing"

	"habeas.dev/pkg/dsar"
	"habeas.dev/pkg/vault"
	"habeas.dev/services/internal/core"
	"habeas.dev/services/internal/journal/memjournal"
	"habeas.dev/services/internal/prints"
)

// TestKeysOfAnEarlierErasure: what an erasure had to keep isn't denied where the vault, an older
// copy than the journal, has lost its keys. Every later request of the person to which it makes a
// difference waits until somebody has said whose it is; what it left is told then, and nothing of
// it where it is another's. What a stranger asks waits for nobody (attack 12, 5).
func TestKeysOfAnEarlierErasure(t *testing.T) {
	t.Parallel()
	const three, four = "2d4ff5da-8c2a-4a18-9e55-1a7a5d3b6a21", "3e5005eb-9d3b-4b29-8f66-2b8b6e4c7b32"
	type kind struct {
		name         string
		right, later dsar.Right
		hold         bool
		same         bool
	}
	for _, k := range []kind{
		{"copy", dsar.Erasure, dsar.Access, false, true},
		{"erasure", dsar.Erasure, dsar.Erasure, false, true},
		{"anothers", dsar.Erasure, dsar.Erasure, false, false},
		{"hold", dsar.Access, dsar.Erasure, true, true},
	} {
		t.Run(k.name, func(t *testing.T) {
			t.Parallel()
			h := newHouse(t, memjournal.New(memjournal.Config{}))
			value := func(typ dsar.IdentifierType, v string) prints.Value {
				return prints.Value{Identifier: dsar.Identifier{Type: typ}, Value: v}
			}
			before := t.TempDir()
			must(t, os.CopyFS(before, os.DirFS(h.Dir+"/keys")))
			kept := dsar.Counts{Dataset: "invoices", Found: 2, Erased: 1}
			kept.Retain(1, "tax-records", h.Now.AddDate(10, 0, 0))
			h.Request(one, k.right, "anna@example.com", kept)
			if k.hold {
				_, err := h.Requests.Do(t.Context(), one, core.Hold{By: "lea", Reason: "a lawsuit", Now: h.Now})
				must(t, err)
			}
			must(t, h.Vault.Close())
			must(t, os.RemoveAll(h.Dir+"/keys"))
			must(t, os.CopyFS(h.Dir+"/keys", os.DirFS(before)))
			h.OpenVault()
			if _, err := h.Vault.Keys(t.Context(), one); !errors.Is(err, vault.ErrNoKeys) {
				t.Fatalf("its keys are there: %v", err)
			}

			none := dsar.Counts{Dataset: "invoices"}
			h.Accept(three, k.later, value("email", "sam@example.com"), value("account_id", "7"))
			if s := h.Play(three, none); !s.Status.Ended() {
				t.Errorf("a stranger's is %s", s.Status)
			}
			h.AcceptFirst(two, k.later, value("email", "Anna@example.com"), value("account_id", "5"))
			s := h.Play(two, none)
			if doubts := s.InDoubt(); len(doubts) != 1 || doubts[0].RequestID != one || doubts[0].Why != core.DoubtNoKeys || len(s.Tasks) > 0 ||
				s.Attention.Code != core.CodeEarlierNoKeys || !slices.Contains(s.Needs(), core.Need{Kind: core.NeedKeys}) {
				t.Fatalf("it is %s (%+v), in doubt about %+v, needs %v", s.Status, s.Attention, doubts, s.Needs())
			}
			_, err := h.Requests.Do(t.Context(), two, core.JudgeEarlier{By: "lea", Request: one, Same: k.same, Reason: "asked the shop", Now: h.Now})
			must(t, err)
			if s = h.Play(two, none); k.hold {
				if len(s.Holds) != 1 {
					t.Errorf("the hold doesn't hold: %v", s.Holds)
				}
			} else if told := len(s.KeptElsewhere) == 1 && len(s.KeptElsewhere[0].Retained) == 1; told != k.same {
				t.Errorf("what it left: %+v", s.KeptElsewhere)
			}
			if !s.Status.Ended() {
				t.Errorf("it is %s: %+v", s.Status, s.Attention)
			}

			// Nobody asks twice of the account.
			h.AcceptFirst(four, k.later, value("email", "anna@example.com"), value("account_id", "5"))
			if s := h.Play(four, none); !s.Status.Ended() {
				t.Errorf("the next one is %s, in doubt about %+v", s.Status, s.InDoubt())
			}
		})
	}
}

// TestLostFactsHoldUpErasures: an erasure plans, and erases nothing, while a restored journal is
// known to lack facts of another request of the person, or of itself, and nobody has looked: that a
// hold was put on may be among them (attack 12, 6).
func TestLostFactsHoldUpErasures(t *testing.T) {
	t.Parallel()
	for _, of := range []string{one, two} {
		h := newHouse(t, memjournal.New(memjournal.Config{}))
		email := prints.Value{Identifier: dsar.Identifier{Type: "email"}, Value: "anna@example.com"}
		account := prints.Value{Identifier: dsar.Identifier{Type: "account_id"}, Value: "5"}
		h.Request(one, dsar.Access, email.Value)
		h.AcceptFirst(two, dsar.Erasure, email, account)
		_, err := h.Requests.TakeUp(t.Context(), of, nil, &core.TakeUp{By: "lea", From: core.TakenFromHeads, Lost: 2, Now: h.Now})
		must(t, err)
		if s, err := h.Requests.State(t.Context(), of); err != nil || !slices.Contains(s.Needs(), core.Need{Kind: core.NeedShort}) {
			t.Fatalf("needs %v, %v", s.Needs(), err)
		}
		counts := dsar.Counts{Dataset: "invoices", Found: 1, Erased: 1}
		if s := h.PlayOn(two, counts); s.Task("billing", dsar.Plan) == nil || s.Task("billing", dsar.Erase) != nil {
			t.Fatalf("%s lacks facts, and %s is %s: %+v", of, two, s.Status, s.Tasks)
		}
		_, err = h.Requests.Do(t.Context(), of, core.Note{By: "lea", Reason: "no hold was on", Now: h.Now})
		must(t, err)
		h.Now = h.Now.Add(core.RecourseEvery)
		if s := h.Play(two, counts); !s.Status.Ended() {
			t.Errorf("%s was looked at, and %s is %s", of, two, s.Status)
		}
	}
}
