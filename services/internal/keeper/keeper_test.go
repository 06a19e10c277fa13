package keeper_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"gocloud.dev/blob"
	"gocloud.dev/blob/memblob"
	"gocloud.dev/gcerrors"

	"habeas.dev/pkg/dsar"
	"habeas.dev/pkg/vault"
	"habeas.dev/services/coordinator"
	"habeas.dev/services/internal/core"
	"habeas.dev/services/internal/journal"
	"habeas.dev/services/internal/journal/memjournal"
	"habeas.dev/services/internal/keeper"
	"habeas.dev/services/internal/lifecycle"
	"habeas.dev/services/internal/receipt"
)

var start = time.Date(2026, 11, 20, 9, 30, 0, 0, time.UTC)

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// house is an installation with a clock that is set.
type house struct {
	testing.TB
	dir      string
	journal  *memjournal.Store
	requests *lifecycle.Lifecycle
	vault    *vault.Vault
	outbox   *blob.Bucket
	mirror   *blob.Bucket
	keeper   *keeper.Keeper
	coord    *coordinator.Coordinator
	now      time.Time
}

// newHouse opens one; dir may hold the vault of another.
func newHouse(t testing.TB, dir string) *house {
	t.Helper()
	h := &house{TB: t, dir: dir, journal: memjournal.New(memjournal.Config{}), outbox: memblob.OpenBucket(nil), mirror: memblob.OpenBucket(nil), now: start}
	h.requests = lifecycle.New(h.journal)
	h.openVault()
	return h
}

// openVault opens the vault as a process does that starts.
func (h *house) openVault() {
	h.Helper()
	var err error
	h.vault, err = vault.Open(h.Context(), vault.Config{Bucket: h.dir + "/objects", Keys: h.dir + "/keys", Key: h.dir + "/master.key", CreateKey: true})
	must(h, err)
	h.Cleanup(func() { _ = h.vault.Close() })
	clock := func() time.Time { return h.now }
	h.keeper = &keeper.Keeper{
		Receipts: &receipt.Issuer{Requests: h.requests, Rows: h.journal, Vault: h.vault, Now: clock},
		Requests: h.requests, Journal: h.journal, Vault: h.vault, Outbox: h.outbox, Answers: answers{h}, List: keeper.NewList(h.mirror), Now: clock,
	}
	h.coord = coordinator.New(coordinator.Config{Requests: h.requests, Timers: h.journal, Keeper: h.keeper, Now: clock, Log: slog.New(slog.DiscardHandler)})
}

// answers are bundles of one sealed value.
type answers struct{ *house }

func (a answers) Opens(ctx context.Context, id string) (bool, error) {
	b, err := a.outbox.ReadAll(ctx, id)
	if gcerrors.Code(err) == gcerrors.NotFound {
		return false, nil
	}
	keys, err := a.vault.Keys(ctx, id)
	if errors.Is(err, vault.ErrShredded) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	_, err = keys.Open(b, vault.BundleKey)
	return err == nil, nil
}

func (a answers) Delete(ctx context.Context, id string) error {
	if err := a.outbox.Delete(ctx, id); gcerrors.Code(err) != gcerrors.NotFound {
		return err
	}
	return nil
}

// request plays a request to its end. What its system reports is given.
func (h *house) request(id string, right dsar.Right, person string, counts ...dsar.Counts) {
	h.Helper()
	ctx := h.Context()
	keys, err := h.vault.CreateKeys(ctx, id)
	must(h, err)
	sealed, err := keys.Seal([]byte(person), vault.Identifier)
	must(h, err)
	_, err = h.requests.Accept(ctx, core.Accepted{
		RequestID: id, Right: right, Jurisdiction: "EEA", ReceivedAt: h.now, AcceptedAt: h.now, DueAt: h.now.AddDate(0, 1, 0), Source: "test", Digest: "d",
		Identifiers: []dsar.Identifier{{Type: "email", Fingerprint: h.vault.Fingerprint("email", person), Sealed: sealed, Assurance: dsar.AssuranceVerified}},
		Systems:     []dsar.System{{Name: "billing", Abilities: []dsar.Action{dsar.Gather, dsar.Erase}, Needs: []dsar.IdentifierType{"email"}}},
		Keep:        &core.Keep{AnswerDays: 30, AccountabilityMonths: 24},
	})
	must(h, err)
	for range 10 {
		s, err := h.requests.State(ctx, id)
		must(h, err)
		if s.Status.Ended() {
			return
		}
		for _, task := range s.Tasks {
			if task.Status == core.TaskIsSent {
				h.report(id, task, counts)
			}
		}
	}
	h.Fatalf("request %s doesn't end", id)
}

func (h *house) report(id string, task core.TaskState, counts []dsar.Counts) {
	h.Helper()
	r := dsar.Report{RequestID: id, System: task.System, Action: task.Action, Attempt: task.Attempt, Kind: dsar.ReportEnded, Outcome: dsar.NothingFound}
	switch task.Action {
	case dsar.Gather:
		r.Outcome, r.Objects = dsar.Gathered, []dsar.Object{h.object(id, "billing/gather/1-0a0b0c0d")}
		r.Counts = counts
	case dsar.Plan:
		for _, c := range counts {
			c.Erased = 0
			r.Counts = append(r.Counts, c)
		}
		r.Outcome, r.Objects = dsar.Found, []dsar.Object{h.object(id, "billing/plan/1-0a0b0c0d")}
	case dsar.Erase:
		r.Outcome, r.Counts = dsar.Erased, counts
	case dsar.Prove:
		for _, c := range counts {
			c.Found, c.Erased = c.Kept(), 0
			r.Counts = append(r.Counts, c)
		}
		r.Outcome = dsar.Proven
	case dsar.Assemble:
		keys, err := h.vault.Keys(h.Context(), id)
		must(h, err)
		sealed, err := keys.Seal([]byte("the answer"), vault.BundleKey)
		if err == nil {
			must(h, h.outbox.WriteAll(h.Context(), id, sealed, nil))
		}
		r.Outcome, r.Objects = dsar.Assembled, []dsar.Object{{Name: id, Bytes: 1, SHA256: strings.Repeat("0", 64)}}
	}
	_, err := h.requests.Do(h.Context(), id, core.TakeReport{Report: r, Now: h.now})
	must(h, err)
}

func (h *house) object(id, name string) dsar.Object {
	h.Helper()
	w, err := h.vault.Create(h.Context(), id, name)
	must(h, err)
	_, err = io.WriteString(w, "personal")
	must(h, err)
	must(h, w.Close())
	return dsar.Object{Name: name, Bytes: 8, Records: 1}
}

// tick has the coordinator do what is due at a time.
func (h *house) tick(at time.Time) {
	h.Helper()
	h.now = at
	for range 20 {
		n, err := h.coord.Tick(h.Context())
		must(h, err)
		if n == 0 {
			return
		}
	}
	h.Fatal("there is always something due")
}

// opens reports what of a request can be opened: records, answer, plan, whom it is about.
func (h *house) opens(id string) (records, answer, plan, subject bool) {
	h.Helper()
	open := func(name string) bool {
		r, err := h.vault.OpenObject(h.Context(), id, name)
		if err != nil {
			return false
		}
		defer r.Close()
		b, err := io.ReadAll(r)
		return err == nil && string(b) == "personal"
	}
	answer, err := answers{h}.Opens(h.Context(), id)
	must(h, err)
	s, err := h.requests.State(h.Context(), id)
	must(h, err)
	if keys, err := h.vault.Keys(h.Context(), id); err == nil {
		_, err = keys.Open(s.Identifiers[0].Sealed, vault.Identifier)
		subject = err == nil
	}
	return open("billing/gather/1-0a0b0c0d"), answer, open("billing/plan/1-0a0b0c0d"), subject
}

// verifies checks that what remains verifies: chain, row, and a leaf for each of the
// facts that have one.
func (h *house) verifies(id string, leaves int) []core.Event {
	h.Helper()
	facts, err := h.journal.Facts(h.Context(), id, 1)
	must(h, err)
	row, err := h.journal.Row(h.Context(), id)
	must(h, err)
	must(h, journal.VerifyHead(row, facts))
	of, err := h.journal.LeavesOf(h.Context(), id)
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
	h := newHouse(t, t.TempDir())
	h.request(one, dsar.Access, "anna@example.com", dsar.Counts{Dataset: "invoices", Found: 1})
	h.tick(start)
	h.verifies(one, 1)
	if r, a, _, s := h.opens(one); !r || !a || !s {
		t.Fatal("it is gone already")
	}
	h.tick(start.AddDate(0, 0, 30).Add(-time.Minute))
	if r, a, _, s := h.opens(one); !r || !a || !s {
		t.Error("it ended early")
	}
	h.tick(start.AddDate(0, 0, 30))
	if r, a, _, s := h.opens(one); r || a || !s {
		t.Errorf("records %v, answer %v; whom it was about %v", r, a, s)
	}
	h.verifies(one, 2)
	if _, err := h.requests.Do(t.Context(), one, core.DeliverAgain{By: "lea", Now: h.now}); !errors.Is(err, core.ErrNotAllowed) {
		t.Errorf("an answer that is gone was delivered: %v", err)
	}
	h.tick(start.AddDate(2, 0, 0).Add(-time.Minute))
	if found, err := h.journal.ByFingerprint(t.Context(), h.vault.Fingerprint("email", "anna@example.com"), 10); err != nil || len(found) != 1 {
		t.Errorf("%v, %v", found, err)
	}
	must(t, h.outbox.WriteAll(t.Context(), "letters/"+one+".1-confirmation.en.txt", []byte("Dear"), nil))
	h.tick(start.AddDate(2, 0, 0))
	if r, a, p, s := h.opens(one); r || a || p || s {
		t.Error("something opens")
	}
	if found, err := h.journal.ByFingerprint(t.Context(), h.vault.Fingerprint("email", "anna@example.com"), 10); err != nil || len(found) != 0 {
		t.Errorf("it is found by the person's address: %v, %v", found, err)
	}
	if letter, err := h.outbox.Exists(t.Context(), "letters/"+one+".1-confirmation.en.txt"); letter || err != nil {
		t.Errorf("the letter is there: %v", err)
	}
	events := h.verifies(one, 3)
	if _, err := h.vault.Keys(t.Context(), one); !errors.Is(err, vault.ErrShredded) {
		t.Error(err)
	}
	// Nothing more, whenever it is looked at, and whoever wants it again.
	h.tick(start.AddDate(20, 0, 0))
	must(t, h.keeper.Forget(t.Context(), one, core.PartSubject, "lea", "again"))
	if again := h.verifies(one, 3); len(again) != len(events) {
		t.Errorf("%d facts more", len(again)-len(events))
	}
}

// TestNeeded: as long as something had to stay of an erasure, whom it was about is known;
// the certificate goes nonetheless.
func TestNeeded(t *testing.T) {
	t.Parallel()
	h := newHouse(t, t.TempDir())
	until := start.AddDate(8, 0, 0)
	h.request(one, dsar.Erasure, "anna@example.com", dsar.Counts{Dataset: "invoices", Found: 1, Retained: []dsar.Retention{{Records: 1, Ground: "tax", Until: until}}})
	h.tick(start.AddDate(7, 0, 0))
	if _, a, p, s := h.opens(one); a || !p || !s {
		t.Errorf("certificate %v, plan %v, whom it was about %v", a, p, s)
	}
	for part, want := range map[core.Part]error{core.PartSubject: core.ErrNotAllowed, "all": core.ErrInvalid} {
		if err := h.keeper.Forget(t.Context(), one, part, "lea", "now"); !errors.Is(err, want) {
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
	h := newHouse(t, t.TempDir())
	h.request(one, dsar.Access, "anna@example.com")
	_, err := h.requests.Accept(t.Context(), core.Accepted{RequestID: two, Right: dsar.Access, Jurisdiction: "EEA", ReceivedAt: start, AcceptedAt: start, Source: "test", Digest: "d",
		Identifiers: []dsar.Identifier{{Type: "email", Fingerprint: "f", Sealed: []byte("x"), Assurance: dsar.AssuranceVerified}}, Keep: &core.Keep{AnswerDays: 1, AccountabilityMonths: 1},
		Systems: []dsar.System{{Name: "billing", Abilities: []dsar.Action{dsar.Gather}, Needs: []dsar.IdentifierType{"email"}}}})
	must(t, err)
	if err := h.keeper.Forget(t.Context(), two, core.PartRecords, "lea", "now"); !errors.Is(err, core.ErrNotAllowed) {
		t.Error(err)
	}
	if err := h.keeper.Forget(t.Context(), "9f0d6c0e-6f0f-4b43-9f0f-3a9c3c0f7a33", core.PartRecords, "lea", "now"); !errors.Is(err, core.ErrUnknown) {
		t.Error(err)
	}
}

// TestCopies: a person's erasure reaches the records and answers of what they asked
// before, and nobody else's.
func TestCopies(t *testing.T) {
	t.Parallel()
	h := newHouse(t, t.TempDir())
	const others = "9f0d6c0e-6f0f-4b43-9f0f-3a9c3c0f7a33"
	h.request(one, dsar.Access, "anna@example.com")
	h.request(others, dsar.Access, "sam@example.com")
	h.tick(start)
	h.now = start.Add(time.Hour)
	h.request(two, dsar.Erasure, "anna@example.com", dsar.Counts{Dataset: "invoices", Found: 1, Erased: 1})
	h.tick(start.Add(time.Hour))
	if r, a, _, s := h.opens(one); r || a || !s {
		t.Errorf("the earlier answer: records %v, answer %v, whom it was about %v", r, a, s)
	}
	if r, a, _, s := h.opens(others); !r || !a || !s {
		t.Error("somebody else's is gone")
	}
	events := h.verifies(two, 1)
	if i := slices.IndexFunc(events, func(e core.Event) bool { _, ok := e.(core.CopiesForgotten); return ok }); i < 0 || !slices.Equal(events[i].(core.CopiesForgotten).Requests, []string{one}) {
		t.Errorf("%v", events)
	}
}

// TestRestoredObjects: a backup of objects and outbox that is a day old, restored, opens
// nothing.
func TestRestoredObjects(t *testing.T) {
	t.Parallel()
	h := newHouse(t, t.TempDir())
	h.request(one, dsar.Access, "anna@example.com")
	h.tick(start.AddDate(0, 0, 29))
	backup := t.TempDir()
	must(t, os.CopyFS(backup, os.DirFS(h.dir+"/objects")))
	bundle, err := h.outbox.ReadAll(t.Context(), one)
	must(t, err)
	h.tick(start.AddDate(0, 0, 30))
	must(t, os.RemoveAll(h.dir+"/objects"))
	must(t, os.CopyFS(h.dir+"/objects", os.DirFS(backup)))
	must(t, h.outbox.WriteAll(t.Context(), one, bundle, nil))
	h.openVault()
	if r, a, _, _ := h.opens(one); r || a {
		t.Errorf("records %v, answer %v", r, a)
	}
}

// TestRestoredKeys: a backup of keys, restored, is shredded again before anything else; so
// nothing opens, not even with the objects restored as well.
func TestRestoredKeys(t *testing.T) {
	t.Parallel()
	for _, age := range []int{1, 20} {
		t.Run(fmt.Sprint(age), func(t *testing.T) {
			t.Parallel()
			h := newHouse(t, t.TempDir())
			h.request(one, dsar.Access, "anna@example.com")
			h.request(two, dsar.Access, "sam@example.com")
			h.tick(start.AddDate(0, 0, 30-age))
			_, err := h.keeper.List.Again(t.Context(), h.vault, h.now)
			must(t, err)
			backup := t.TempDir()
			must(t, os.CopyFS(backup, os.DirFS(h.dir)))
			must(t, h.keeper.Forget(t.Context(), two, core.PartRecords, "lea", "asked"))
			must(t, h.keeper.Forget(t.Context(), two, core.PartSubject, "lea", "asked"))
			h.tick(start.AddDate(0, 0, 30))
			for day := range age { // the process is started every day
				_, err := h.keeper.List.Again(t.Context(), h.vault, start.AddDate(0, 0, 30+day))
				must(t, err)
			}
			must(t, h.vault.Close())
			for _, part := range []string{"keys", "objects"} {
				must(t, os.RemoveAll(filepath.Join(h.dir, part)))
				must(t, os.CopyFS(filepath.Join(h.dir, part), os.DirFS(filepath.Join(backup, part))))
			}
			h.openVault()
			if r, _, _, _ := h.opens(one); !r {
				t.Fatal("the backup opens nothing by itself: the test proves nothing")
			}
			h.openVault()
			n, err := h.keeper.List.Again(t.Context(), h.vault, start.AddDate(0, 0, 40))
			must(t, err)
			if n != 3 {
				t.Errorf("%d roots were ended again", n)
			}
			if r, a, _, s := h.opens(one); r || a || !s {
				t.Errorf("records %v, answer %v, whom it was about %v", r, a, s)
			}
			if r, a, p, s := h.opens(two); r || a || p || s {
				t.Error("what was forgotten by hand opens")
			}
		})
	}
}

// TestForgettingBreaksOff: whatever fails, it is done again, and there is one fact.
func TestForgettingBreaksOff(t *testing.T) {
	t.Parallel()
	for _, op := range []memjournal.Op{memjournal.OpAppend, memjournal.OpRow, memjournal.OpList, memjournal.OpFacts} {
		for _, after := range []bool{false, true} {
			h := newHouse(t, t.TempDir())
			broken := false
			h.journal = memjournal.New(memjournal.Config{Fault: func(o memjournal.Op, then bool) error {
				if broken && o == op && then == after {
					broken = false
					return journal.ErrUnavailable
				}
				return nil
			}})
			h.requests = lifecycle.New(h.journal)
			h.openVault()
			h.request(one, dsar.Access, "anna@example.com")
			h.tick(start)
			h.now = start.AddDate(2, 0, 0)
			for range 10 {
				broken = true
				_, _ = h.coord.Tick(t.Context())
			}
			broken = false
			h.tick(h.now)
			if r, a, p, s := h.opens(one); r || a || p || s {
				t.Errorf("%s, %v: something opens", op, after)
			}
			h.verifies(one, 3)
		}
	}
}
