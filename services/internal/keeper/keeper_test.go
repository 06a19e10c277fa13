package keeper_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"habeas.dev/pkg/dsar"
	"habeas.dev/pkg/vault"
	"habeas.dev/services/internal/core"
	"habeas.dev/services/internal/journal"
	"habeas.dev/services/internal/journal/memjournal"
	"habeas.dev/services/internal/keeper"
	"habeas.dev/services/internal/keeper/keepertest"
	"habeas.dev/services/internal/outbox"
	"habeas.dev/services/internal/prints"
	"habeas.dev/services/internal/receipt"
	"habeas.dev/services/internal/rejected"
)

var start = keepertest.Start

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// house is an installation with what the tests ask of it.
type house struct{ *keepertest.House }

func newHouse(t testing.TB, j journal.Store) *house {
	return &house{keepertest.New(t, t.TempDir(), j)}
}

// opens reports what of a request can be opened: records, answer, plan, whom it is about.
func (h *house) opens(id string) (records, answer, plan, subject bool) {
	h.Helper()
	open := func(name string) bool {
		r, err := h.Vault.OpenObject(h.Context(), id, name)
		if err != nil {
			return false
		}
		defer r.Close()
		b, err := io.ReadAll(r)
		return err == nil && string(b) == "personal"
	}
	answer, err := keepertest.Answers{House: h.House}.Opens(h.Context(), id, 0)
	must(h, err)
	s, err := h.Requests.State(h.Context(), id)
	must(h, err)
	if keys, err := h.Vault.Keys(h.Context(), id); err == nil {
		_, err = keys.Open(s.Identifiers[0].Sealed, vault.Identifier)
		subject = err == nil
	}
	return open("billing/gather/1-0a0b0c0d"), answer, open("billing/plan/1-0a0b0c0d"), subject
}

// verifies checks that what remains verifies: chain, row, and a leaf for each of the
// facts that have one.
func (h *house) verifies(id string, leaves int) []core.Event {
	h.Helper()
	facts, err := h.Journal.Facts(h.Context(), id, 1)
	must(h, err)
	row, err := h.Journal.Row(h.Context(), id)
	must(h, err)
	must(h, journal.VerifyHead(row, facts))
	of, err := h.Journal.LeavesOf(h.Context(), id)
	must(h, err)
	if len(of) != leaves {
		h.Errorf("%d leaves, not %d", len(of), leaves)
	}
	var events []core.Event
	for _, f := range facts {
		e, err := core.Decode(f.Type, f.Data)
		must(h, err)
		events = append(events, e)
		if g, ok := e.(core.Forgotten); ok && string(receipt.Leaf(g.Document, g.Salt)) != string(g.Leaf) {
			h.Errorf("the leaf of version %d isn't of its document", f.Version)
		}
	}
	return events
}

const one, two = "9f0d6c0e-6f0f-4b43-9f0f-3a9c3c0f7a11", "9f0d6c0e-6f0f-4b43-9f0f-3a9c3c0f7a22"

// TestEnds: an access gets its receipt at once; its records and answer end 30 days after
// it was answered, whom it was about after 24 months; what remains verifies.
func TestEnds(t *testing.T) {
	t.Parallel()
	h := newHouse(t, memjournal.New(memjournal.Config{}))
	h.Request(one, dsar.Access, "anna@example.com", dsar.Counts{Dataset: "invoices", Found: 1})
	h.Tick(start)
	h.verifies(one, 1)
	if r, a, _, s := h.opens(one); !r || !a || !s {
		t.Fatal("it is gone already")
	}
	h.Tick(start.AddDate(0, 0, 30).Add(-time.Minute))
	if r, a, _, s := h.opens(one); !r || !a || !s {
		t.Error("it ended early")
	}
	h.Tick(start.AddDate(0, 0, 30))
	if r, a, _, s := h.opens(one); r || a || !s {
		t.Errorf("records %v, answer %v; whom it was about %v", r, a, s)
	}
	h.verifies(one, 2)
	if _, err := h.Requests.Do(t.Context(), one, core.DeliverAgain{By: "lea", Now: h.Now}); !errors.Is(err, core.ErrNotAllowed) {
		t.Errorf("an answer that is gone was delivered: %v", err)
	}
	h.Tick(start.AddDate(2, 0, 0).Add(-time.Minute))
	if found, err := h.Journal.ByFingerprint(t.Context(), h.Vault.Fingerprint("email", "anna@example.com"), 10); err != nil || len(found) != 1 {
		t.Errorf("%v, %v", found, err)
	}
	must(t, h.Outbox.WriteAll(t.Context(), "letters/"+one+".1-confirmation.en.txt", []byte("Dear"), nil))
	h.Tick(start.AddDate(2, 0, 0))
	if r, a, p, s := h.opens(one); r || a || p || s {
		t.Error("something opens")
	}
	if found, err := h.Journal.ByFingerprint(t.Context(), h.Vault.Fingerprint("email", "anna@example.com"), 10); err != nil || len(found) != 0 {
		t.Errorf("it is found by the person's address: %v, %v", found, err)
	}
	if letter, err := h.Outbox.Exists(t.Context(), "letters/"+one+".1-confirmation.en.txt"); letter || err != nil {
		t.Errorf("the letter is there: %v", err)
	}
	events := h.verifies(one, 3)
	if _, err := h.Vault.Keys(t.Context(), one); !errors.Is(err, vault.ErrShredded) {
		t.Error(err)
	}
	// Nothing more, whenever it is looked at, and whoever wants it again.
	h.Tick(start.AddDate(20, 0, 0))
	must(t, h.Keeper.Forget(t.Context(), one, core.PartSubject, "lea", "again"))
	if again := h.verifies(one, 3); len(again) != len(events) {
		t.Errorf("%d facts more", len(again)-len(events))
	}
}

// TestNeeded: as long as something had to stay of an erasure, whom it was about is known;
// the certificate goes nonetheless.
func TestNeeded(t *testing.T) {
	t.Parallel()
	h := newHouse(t, memjournal.New(memjournal.Config{}))
	until := start.AddDate(8, 0, 0)
	h.Request(one, dsar.Erasure, "anna@example.com", dsar.Counts{Dataset: "invoices", Found: 1, Retained: []dsar.Retention{{Records: 1, Ground: "tax", Until: until}}})
	h.Tick(start.AddDate(7, 0, 0))
	if _, a, p, s := h.opens(one); a || !p || !s {
		t.Errorf("certificate %v, plan %v, whom it was about %v", a, p, s)
	}
	for part, want := range map[core.Part]error{core.PartSubject: core.ErrNotAllowed, "all": core.ErrInvalid} {
		if err := h.Keeper.Forget(t.Context(), one, part, "lea", "now"); !errors.Is(err, want) {
			t.Errorf("%s: %v", part, err)
		}
	}
	if _, _, _, s := h.opens(one); !s {
		t.Error("it was refused, and is gone")
	}
}

// TestOpenIsKept: nothing of a request that is open is forgotten.
func TestOpenIsKept(t *testing.T) {
	t.Parallel()
	h := newHouse(t, memjournal.New(memjournal.Config{}))
	h.Request(one, dsar.Access, "anna@example.com")
	_, err := h.Requests.Accept(t.Context(), core.Accepted{RequestID: two, Right: dsar.Access, Jurisdiction: "EEA", ReceivedAt: start, AcceptedAt: start, Source: "test", Digest: "d",
		Identifiers: []dsar.Identifier{{Type: "email", Fingerprint: "f", Sealed: []byte("x"), Assurance: dsar.AssuranceVerified}}, Keep: &core.Keep{AnswerDays: 1, AccountabilityMonths: 1},
		Systems: []dsar.System{{Name: "billing", Abilities: []dsar.Action{dsar.Gather}, Needs: []dsar.IdentifierType{"email"}}}})
	must(t, err)
	if err := h.Keeper.Forget(t.Context(), two, core.PartRecords, "lea", "now"); !errors.Is(err, core.ErrNotAllowed) {
		t.Error(err)
	}
	if err := h.Keeper.Forget(t.Context(), "9f0d6c0e-6f0f-4b43-9f0f-3a9c3c0f7a33", core.PartRecords, "lea", "now"); !errors.Is(err, core.ErrUnknown) {
		t.Error(err)
	}
}

// TestCopies: a person's erasure reaches the records and answers of what they asked
// before, and nobody else's.
func TestCopies(t *testing.T) {
	t.Parallel()
	h := newHouse(t, memjournal.New(memjournal.Config{}))
	const others = "9f0d6c0e-6f0f-4b43-9f0f-3a9c3c0f7a33"
	h.Request(one, dsar.Access, "anna@example.com")
	h.Request(others, dsar.Access, "sam@example.com")
	h.Tick(start)
	h.Now = start.Add(time.Hour)
	letter := "letters/" + one + ".1-confirmation.en.txt"
	must(t, h.Outbox.WriteAll(t.Context(), letter, []byte("Dear Anna"), nil))
	_, err := h.Requests.Do(t.Context(), one, core.NoteLetter{LetterSent: core.LetterSent{Letter: core.LetterConfirmation, Language: "en", Cause: 1, Channel: "outbox", Moment: core.Moment{At: h.Now}}})
	must(t, err)
	_, err = h.Requests.Do(t.Context(), one, core.OpenAnswer{Now: h.Now})
	must(t, err)
	h.Request(two, dsar.Erasure, "anna@example.com", dsar.Counts{Dataset: "invoices", Found: 1, Erased: 1})
	h.Tick(start.Add(time.Hour))
	if r, a, _, s := h.opens(one); r || a || !s {
		t.Errorf("the earlier answer: records %v, answer %v, whom it was about %v", r, a, s)
	}
	if r, a, _, s := h.opens(others); !r || !a || !s {
		t.Error("somebody else's is gone")
	}
	events := h.verifies(two, 1)
	i := slices.IndexFunc(events, func(e core.Event) bool { _, ok := e.(core.CopiesForgotten); return ok })
	if i < 0 || !slices.Equal(events[i].(core.CopiesForgotten).Requests, []string{one}) {
		t.Fatalf("%v", events)
	}
	// The certificate rests on it, so it comes before the answer is assembled.
	if j := slices.IndexFunc(events, func(e core.Event) bool { s, ok := e.(core.TaskSent); return ok && s.Action == dsar.Assemble }); j < i {
		t.Errorf("copies were reached with fact %d, and the certificate was begun with %d", i+1, j+1)
	}
	if exists, err := h.Outbox.Exists(t.Context(), letter); exists || err != nil {
		t.Errorf("the earlier request's letter is there: %v", err)
	}
}

// TestCopiesOfAHousehold: an erasure waits until somebody has said whether what was answered
// before to who has the same telephone was theirs: what isn't stays, and what is goes.
func TestCopiesOfAHousehold(t *testing.T) {
	t.Parallel()
	for _, same := range []bool{false, true} {
		h := newHouse(t, memjournal.New(memjournal.Config{}))
		value := func(typ dsar.IdentifierType, v string) prints.Value {
			return prints.Value{Identifier: dsar.Identifier{Type: typ}, Value: v}
		}
		phone := value("phone", "+33612345678")
		h.Accept(one, dsar.Access, phone, value("account_id", "5"))
		h.Play(one)
		_, err := h.Requests.Do(t.Context(), one, core.OpenAnswer{Now: h.Now})
		must(t, err)
		h.Accept(two, dsar.Erasure, phone, value("account_id", "6"))
		counts := dsar.Counts{Dataset: "invoices", Found: 1, Erased: 1}
		s := h.Play(two, counts)
		if doubts := s.InDoubt(); len(doubts) != 1 || doubts[0].RequestID != one || doubts[0].Why != core.DoubtAccounts || s.Task("billing", dsar.Erase) != nil {
			t.Fatalf("in doubt about %+v, tasks %v", doubts, s.Tasks)
		}
		_, err = h.Requests.Do(t.Context(), two, core.JudgeEarlier{By: "lea", Request: one, Same: same, Reason: "looked at both", Now: h.Now})
		must(t, err)
		if s = h.Play(two, counts); !s.Status.Ended() {
			t.Fatalf("it is %s", s.Status)
		}
		if r, a, _, _ := h.opens(one); r == same || a == same {
			t.Errorf("the same: %v; of the other answer records open %v, the answer %v", same, r, a)
		}
		if got, want := s.OwnCopies.Requests, map[bool]int{true: 1}[same]; got != want {
			t.Errorf("the certificate counts %d requests, not %d", got, want)
		}
	}
}

// TestUnfetchedIsKept: an answer that nobody has fetched outlives the person's erasure until its
// own end, and the erasure's fact says so; after that end an erasure reaches it, ticked or not.
func TestUnfetchedIsKept(t *testing.T) {
	t.Parallel()
	h := newHouse(t, memjournal.New(memjournal.Config{}))
	const later = "9f0d6c0e-6f0f-4b43-9f0f-3a9c3c0f7a33"
	said := func(id string) core.CopiesForgotten {
		t.Helper()
		for _, e := range h.verifies(id, 1) {
			if c, ok := e.(core.CopiesForgotten); ok {
				return c
			}
		}
		t.Fatal("the erasure says nothing of copies")
		return core.CopiesForgotten{}
	}
	h.Request(one, dsar.Access, "anna@example.com")
	h.Tick(start)
	h.Now = start.Add(time.Hour)
	letter := "letters/" + one + ".1-confirmation.en.txt"
	must(t, h.Outbox.WriteAll(t.Context(), letter, []byte("Dear Anna"), nil))
	_, err := h.Requests.Do(t.Context(), one, core.NoteLetter{LetterSent: core.LetterSent{Letter: core.LetterConfirmation, Language: "en", Cause: 1, Channel: "outbox", Moment: core.Moment{At: h.Now}}})
	must(t, err)
	h.Request(two, dsar.Erasure, "anna@example.com", dsar.Counts{Dataset: "invoices", Found: 1, Erased: 1})
	h.Tick(h.Now)
	if r, a, _, s := h.opens(one); !r || !a || !s {
		t.Errorf("the answer that nobody has fetched: records %v, answer %v, whom it was about %v", r, a, s)
	}
	if exists, err := h.Outbox.Exists(t.Context(), letter); !exists || err != nil {
		t.Errorf("the letter about it is gone: %v", err)
	}
	end := start.AddDate(0, 0, 30)
	if c := said(two); len(c.Requests) > 0 || c.Unfetched != 1 || !c.Until.Equal(end) {
		t.Errorf("%+v", c)
	}
	h.Now = end
	h.Request(later, dsar.Erasure, "anna@example.com", dsar.Counts{Dataset: "invoices", Found: 1, Erased: 1})
	if r, a, _, _ := h.opens(one); r || a {
		t.Errorf("past its end: records %v, answer %v", r, a)
	}
}

// TestRestoredObjects: a backup of objects and outbox that is a day old, restored, opens
// nothing.
func TestRestoredObjects(t *testing.T) {
	t.Parallel()
	h := newHouse(t, memjournal.New(memjournal.Config{}))
	h.Request(one, dsar.Access, "anna@example.com")
	h.Tick(start.AddDate(0, 0, 29))
	backup := t.TempDir()
	must(t, os.CopyFS(backup, os.DirFS(h.Dir+"/objects")))
	bundle, err := h.Outbox.ReadAll(t.Context(), outbox.AnswerName(one))
	must(t, err)
	h.Tick(start.AddDate(0, 0, 30))
	must(t, os.RemoveAll(h.Dir+"/objects"))
	must(t, os.CopyFS(h.Dir+"/objects", os.DirFS(backup)))
	must(t, h.Outbox.WriteAll(t.Context(), outbox.AnswerName(one), bundle, nil))
	h.OpenVault()
	if r, a, _, _ := h.opens(one); r || a {
		t.Errorf("records %v, answer %v", r, a)
	}
}

// TestRestoredOutbox: of a backup of the outbox, restored, what was forgotten since is deleted
// again: letters and answer of who is forgotten, letters that an erasure of the person had
// reached, and nothing else. Where nothing was forgotten since, nothing is read.
func TestRestoredOutbox(t *testing.T) {
	t.Parallel()
	for age, reached := range map[int]int{1: 3, 100: 4} { // after a hundred days all answers' time has come
		t.Run(fmt.Sprint(age), func(t *testing.T) {
			t.Parallel()
			const open, erased, erasure = "9f0d6c0e-6f0f-4b43-9f0f-3a9c3c0f7a33", "9f0d6c0e-6f0f-4b43-9f0f-3a9c3c0f7a44", "9f0d6c0e-6f0f-4b43-9f0f-3a9c3c0f7a55"
			h := newHouse(t, memjournal.New(memjournal.Config{}))
			ctx := t.Context()
			names := map[string]string{}
			written := func(id string, n int) {
				names[id] = fmt.Sprintf("letters/%s.%d-confirmation.en.txt", id, n)
				must(t, h.Outbox.WriteAll(ctx, names[id], []byte("Dear "+id), nil))
				_, err := h.Requests.Do(ctx, id, core.NoteLetter{LetterSent: core.LetterSent{Letter: core.LetterConfirmation, Language: "en", Cause: n, Channel: "outbox", Moment: core.Moment{At: h.Now}}})
				must(t, err)
			}
			there := func() (all []string) {
				list := h.Outbox.List(nil)
				for {
					o, err := list.Next(ctx)
					if errors.Is(err, io.EOF) {
						return all
					}
					must(t, err)
					if o.Key != outbox.MarkName {
						all = append(all, o.Key)
					}
				}
			}
			for id, person := range map[string]string{one: "anna@example.com", two: "sam@example.com", open: "lea@example.com", erased: "max@example.com"} {
				h.Request(id, dsar.Access, person)
				written(id, 1)
			}
			must(t, h.Outbox.WriteAll(ctx, "letters/"+one+".2-never-journalled.en.txt", []byte("Dear Anna"), nil))
			h.Tick(start)
			_, err := h.Requests.Do(ctx, erased, core.OpenAnswer{Now: h.Now})
			must(t, err)
			_, err = h.Keeper.SweepOutbox(ctx)
			must(t, err)
			before := there()
			backup := map[string][]byte{}
			for _, name := range append(before, outbox.MarkName) {
				backup[name], err = h.Outbox.ReadAll(ctx, name)
				must(t, err)
			}
			restore := func() {
				for name, text := range backup {
					must(t, h.Outbox.WriteAll(ctx, name, text, nil))
				}
			}
			restore()
			if n, err := h.Keeper.SweepOutbox(ctx); n != 0 || err != nil || !slices.Equal(there(), before) {
				t.Errorf("nothing was forgotten, and of %d requests something is deleted: %v", n, err)
			}

			h.Now = start.AddDate(0, 0, age)
			must(t, h.Keeper.Forget(ctx, one, core.PartRecords, "lea", "asked"))
			must(t, h.Keeper.Forget(ctx, one, core.PartSubject, "lea", "asked"))
			must(t, h.Keeper.Forget(ctx, two, core.PartRecords, "lea", "asked"))
			h.Request(erasure, dsar.Erasure, "max@example.com", dsar.Counts{Dataset: "invoices", Found: 1, Erased: 1})
			h.Tick(h.Now)
			after := there()
			for range 3 { // and processes go on
				_, err := h.Keeper.SweepOutbox(ctx)
				must(t, err)
			}
			if !slices.Equal(there(), after) {
				t.Errorf("what is deleted of what was forgotten already: %v of %v", there(), after)
			}
			restore()
			if len(there()) <= len(after) {
				t.Fatal("nothing came back")
			}
			h.OpenVault() // a new process
			n, err := h.Keeper.SweepOutbox(ctx)
			if err != nil || n != reached {
				t.Errorf("of %d requests something is deleted again, not of %d: %v", n, reached, err)
			}
			if got := there(); !slices.Equal(got, after) {
				t.Errorf("there is %v, and was %v", got, after)
			}
			for id, stays := range map[string]bool{one: false, two: true, open: true, erased: false} {
				if exists, err := h.Outbox.Exists(ctx, names[id]); exists != stays || err != nil {
					t.Errorf("letter of %s: %v, want %v (%v)", id, exists, stays, err)
				}
			}
			forged := "forgotten/" + h.Now.Format(time.DateOnly) + "/" + open + ".letters"
			must(t, h.Mirror.WriteAll(ctx, forged, []byte(strings.Repeat("0", 64)), nil))
			must(t, h.Mirror.WriteAll(ctx, strings.TrimSuffix(forged, "letters")+"subject", nil, nil))
			_, err = h.Keeper.SweepOutbox(ctx)
			must(t, err)
			if got := there(); !slices.Equal(got, after) {
				t.Errorf("a forged entry has letters deleted: %v", got)
			}
		})
	}
}

// TestRestoredKeys: a backup of keys, restored, is shredded again before anything else; so
// nothing opens, not even with the objects restored as well.
func TestRestoredKeys(t *testing.T) {
	t.Parallel()
	for _, age := range []int{1, 20} {
		t.Run(fmt.Sprint(age), func(t *testing.T) {
			t.Parallel()
			h := newHouse(t, memjournal.New(memjournal.Config{}))
			h.Request(one, dsar.Access, "anna@example.com")
			h.Request(two, dsar.Access, "sam@example.com")
			h.Tick(start.AddDate(0, 0, 30-age))
			_, _, err := h.Keeper.List.Again(t.Context(), h.Vault, keeper.JournalledBy(h.Requests), h.Now)
			must(t, err)
			backup := t.TempDir()
			must(t, os.CopyFS(backup, os.DirFS(h.Dir)))
			must(t, h.Keeper.Forget(t.Context(), two, core.PartRecords, "lea", "asked"))
			must(t, h.Keeper.Forget(t.Context(), two, core.PartSubject, "lea", "asked"))
			h.Tick(start.AddDate(0, 0, 30))
			for day := range age { // the process is started every day
				_, _, err := h.Keeper.List.Again(t.Context(), h.Vault, keeper.JournalledBy(h.Requests), start.AddDate(0, 0, 30+day))
				must(t, err)
			}
			must(t, h.Keeper.List.Check(t.Context(), h.Vault, time.Now().Add(time.Hour))) // as they are
			must(t, h.Vault.Close())
			for _, part := range []string{"keys", "objects"} {
				must(t, os.RemoveAll(filepath.Join(h.Dir, part)))
				must(t, os.CopyFS(filepath.Join(h.Dir, part), os.DirFS(filepath.Join(backup, part))))
			}
			h.OpenVault()
			if r, _, _, _ := h.opens(one); !r {
				t.Fatal("the backup opens nothing by itself: the test proves nothing")
			}
			h.OpenVault()
			soon := time.Now().Add(time.Hour) // the list's files are of now, whatever the test's clock says
			if err := h.Keeper.List.Check(t.Context(), h.Vault, soon); !errors.Is(err, keeper.ErrRestored) {
				t.Errorf("before the coordinator has started: %v", err)
			}
			nobody := func(context.Context, string, vault.Root) (bool, error) { return false, nil } // the journal is from before, too
			n, forged, err := h.Keeper.List.Again(t.Context(), h.Vault, nobody, start.AddDate(0, 0, 40))
			must(t, err)
			if n != 3 || forged != 0 {
				t.Errorf("%d roots were ended again, %d entries are forged", n, forged)
			}
			if r, a, _, s := h.opens(one); r || a || !s {
				t.Errorf("records %v, answer %v, whom it was about %v", r, a, s)
			}
			if err := h.Keeper.List.Check(t.Context(), h.Vault, soon); err != nil {
				t.Errorf("after it has started: %v", err)
			}
			if r, a, p, s := h.opens(two); r || a || p || s {
				t.Error("what was forgotten by hand opens")
			}
		})
	}
}

// TestForgedEntries: whoever can write to the mirror has nothing shredded and nobody kept
// from starting; what v0.1.0 has written counts where the journal has it, too.
func TestForgedEntries(t *testing.T) {
	t.Parallel()
	h := newHouse(t, memjournal.New(memjournal.Config{}))
	h.Request(one, dsar.Access, "anna@example.com")
	h.Request(two, dsar.Access, "sam@example.com")
	must(t, h.Keeper.Forget(t.Context(), two, core.PartRecords, "lea", "asked"))
	day := "forgotten/" + start.Format(time.DateOnly) + "/"
	theirs, err := h.Mirror.ReadAll(t.Context(), day+two+".records")
	must(t, err)
	for name, text := range map[string][]byte{one + ".records": nil, one + ".subject": theirs, two + ".records": nil, "rubbish": nil, "../x.records": theirs} {
		must(t, h.Mirror.WriteAll(t.Context(), day+name, text, nil))
	}
	must(t, h.Keeper.List.Check(t.Context(), h.Vault, time.Now().Add(time.Hour)))
	n, forged, err := h.Keeper.List.Again(t.Context(), h.Vault, keeper.JournalledBy(h.Requests), h.Now)
	must(t, err)
	if n != 1 || forged < 2 {
		t.Errorf("%d were ended, %d are forged", n, forged)
	}
	if r, a, _, s := h.opens(one); !r || !a || !s {
		t.Errorf("records %v, answer %v, whom it was about %v", r, a, s)
	}
	if r, _, _, _ := h.opens(two); r {
		t.Error("what the journal has forgotten opens")
	}
}

// TestForgettingBreaksOff: whatever fails, it is done again, and there is one fact.
func TestForgettingBreaksOff(t *testing.T) {
	t.Parallel()
	for _, op := range []memjournal.Op{memjournal.OpAppend, memjournal.OpRow, memjournal.OpList, memjournal.OpFacts} {
		for _, after := range []bool{false, true} {
			broken := false
			h := newHouse(t, memjournal.New(memjournal.Config{Fault: func(o memjournal.Op, then bool) error {
				if broken && o == op && then == after {
					broken = false
					return journal.ErrUnavailable
				}
				return nil
			}}))
			h.Request(one, dsar.Access, "anna@example.com")
			h.Tick(start)
			h.Now = start.AddDate(2, 0, 0)
			for range 10 {
				broken = true
				_, _ = h.Coord.Tick(t.Context())
			}
			broken = false
			h.Tick(h.Now)
			if r, a, p, s := h.opens(one); r || a || p || s {
				t.Errorf("%s, %v: something opens", op, after)
			}
			h.verifies(one, 3)
		}
	}
}

// TestRejectedEnd: keys of rejected records end when their records have left the topic, and
// stay so by the list of what was forgotten; those of today open.
func TestRejectedEnd(t *testing.T) {
	t.Parallel()
	h := newHouse(t, memjournal.New(memjournal.Config{}))
	for _, ago := range []int{0, 30, 31, 32, 33, 400} {
		_, err := h.Vault.CreateKeys(t.Context(), rejected.KeySet(start.AddDate(0, 0, -ago)))
		must(t, err)
	}
	for _, want := range []int{3, 0} {
		if days, err := h.Keeper.EndRejected(t.Context()); err != nil || days != want {
			t.Errorf("%d days, %v; want %d", days, err, want)
		}
	}
	for ago, gone := range map[int]bool{0: false, 30: false, 31: false, 32: true, 33: true, 400: true} {
		if _, err := h.Vault.Keys(t.Context(), rejected.KeySet(start.AddDate(0, 0, -ago))); errors.Is(err, vault.ErrShredded) != gone {
			t.Errorf("%d days ago: %v", ago, err)
		}
	}
}

// TestNeverTaken: the keys of a request that the journal doesn't have are destroyed on
// demand; those of one that it has aren't.
func TestNeverTaken(t *testing.T) {
	t.Parallel()
	h := newHouse(t, memjournal.New(memjournal.Config{}))
	h.Request(one, dsar.Access, "anna@example.com")
	_, err := h.Vault.CreateKeys(t.Context(), two)
	must(t, err)
	if err := h.Keeper.ForgetNeverTaken(t.Context(), one); !errors.Is(err, keeper.ErrTaken) {
		t.Error(err)
	}
	must(t, h.Keeper.ForgetNeverTaken(t.Context(), two))
	if _, err := h.Vault.Keys(t.Context(), two); !errors.Is(err, vault.ErrShredded) {
		t.Error(err)
	}
	if _, err := h.Vault.Keys(t.Context(), one); err != nil {
		t.Error(err)
	}
}
