// Package keepertest has an installation with a clock that is set, on which requests are
// played to their end: for tests of what becomes of them afterwards.
package keepertest

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"log/slog"
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
	"habeas.dev/services/internal/keeper"
	"habeas.dev/services/internal/lifecycle"
	"habeas.dev/services/internal/outbox"
	"habeas.dev/services/internal/prints"
	"habeas.dev/services/internal/receipt"
	"habeas.dev/services/internal/remarks"
)

// Start is when its clock begins.
var Start = time.Date(2026, 11, 20, 9, 30, 0, 0, time.UTC)

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// House is an installation with a clock that is set.
type House struct {
	testing.TB
	Dir      string
	Journal  journal.Store
	Requests *lifecycle.Lifecycle
	Vault    *vault.Vault
	Outbox   *blob.Bucket
	Mirror   *blob.Bucket
	Keeper   *keeper.Keeper
	Coord    *coordinator.Coordinator
	Now      time.Time
}

// New opens one in a folder, on a journal.
func New(t testing.TB, dir string, j journal.Store) *House {
	t.Helper()
	h := &House{TB: t, Dir: dir, Journal: j, Outbox: memblob.OpenBucket(nil), Mirror: memblob.OpenBucket(nil), Now: Start}
	h.OpenVault()
	return h
}

// OpenVault opens the vault as a process does that starts.
func (h *House) OpenVault() {
	h.Helper()
	var err error
	h.Vault, err = vault.Open(h.Context(), vault.Config{Bucket: h.Dir + "/objects", Keys: h.Dir + "/keys", Key: h.Dir + "/master.key", CreateKey: true})
	must(h, err)
	h.Cleanup(func() { _ = h.Vault.Close() })
	h.Requests = lifecycle.New(h.Journal, lifecycle.WithPrints(prints.Prints{Vault: h.Vault}), lifecycle.WithRemarks(remarks.Remarks{Vault: h.Vault}))
	clock := func() time.Time { return h.Now }
	h.Keeper = &keeper.Keeper{
		Receipts: &receipt.Issuer{Requests: h.Requests, Rows: h.Journal, Vault: h.Vault, Now: clock},
		Requests: h.Requests, Journal: h.Journal, Vault: h.Vault, Outbox: h.Outbox, Answers: Answers{h}, List: keeper.NewList(h.Mirror), Now: clock,
	}
	h.Coord = coordinator.New(coordinator.Config{Requests: h.Requests, Timers: h.Journal, Keeper: h.Keeper, Now: clock, Log: slog.New(slog.DiscardHandler)})
}

// Answers are bundles of one sealed value.
type Answers struct{ *House }

// Opens implements keeper.Answers.
func (a Answers) Opens(ctx context.Context, id string, _ int) (bool, error) {
	for _, name := range outbox.OfAnswer(id, 0) {
		if there, err := a.Outbox.Exists(ctx, name); err != nil || there && !outbox.Parse(name).Kind.Sealed() {
			return there, err
		}
	}
	b, err := a.Outbox.ReadAll(ctx, outbox.AnswerName(id))
	if gcerrors.Code(err) == gcerrors.NotFound {
		return false, nil
	}
	keys, err := a.Vault.Keys(ctx, id)
	if errors.Is(err, vault.ErrShredded) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	_, err = keys.Open(b, vault.BundleKey)
	return err == nil, nil
}

// Request plays a request to its end. What its system reports is given.
func (h *House) Request(id string, right dsar.Right, email string, counts ...dsar.Counts) {
	h.Helper()
	h.Accept(id, right, prints.Value{Identifier: dsar.Identifier{Type: "email"}, Value: email})
	if s := h.Play(id, counts...); !s.Status.Ended() {
		h.Fatalf("request %s doesn't end: it is %s", id, s.Status)
	}
}

// Accept takes a request in, of who has some identifiers.
func (h *House) Accept(id string, right dsar.Right, who ...prints.Value) {
	h.Helper()
	h.accept(id, right, false, who)
}

// AcceptFirst takes a request in that looks at others before any system is asked, as the door
// has it where another one may be the person's.
func (h *House) AcceptFirst(id string, right dsar.Right, who ...prints.Value) {
	h.Helper()
	h.accept(id, right, true, who)
}

func (h *House) accept(id string, right dsar.Right, first bool, who []prints.Value) {
	h.Helper()
	ctx := h.Context()
	keys, err := h.Vault.CreateKeys(ctx, id)
	must(h, err)
	var ids []dsar.Identifier
	for _, v := range who {
		v.Assurance = dsar.AssuranceVerified
		v.Sealed, err = keys.Seal([]byte(v.Value), vault.Identifier)
		must(h, err)
		v.Fingerprint, err = keys.Fingerprint(v.Type, v.Value)
		must(h, err)
		ids = append(ids, v.Identifier)
	}
	_, err = h.Requests.Accept(ctx, core.Accepted{
		RequestID: id, Right: right, Jurisdiction: "EEA", ReceivedAt: h.Now, AcceptedAt: h.Now, DueAt: h.Now.AddDate(0, 1, 0), Source: "test", Digest: "d", OwnPrints: true,
		Identifiers: ids, LooksBack: len(ids) > 1, LooksFirst: first,
		Systems: []dsar.System{{Name: "billing", Abilities: []dsar.Action{dsar.Gather, dsar.Erase}, Needs: []dsar.IdentifierType{"email", "account_id"}}},
		Keep:    &core.Keep{AnswerDays: 30, AccountabilityMonths: 24},
	})
	must(h, err)
}

// Play plays a request until it has ended or needs a person.
func (h *House) Play(id string, counts ...dsar.Counts) core.State {
	h.Helper()
	s := h.PlayOn(id, counts...)
	if !s.Status.Ended() && s.Status != core.StatusNeedsAttention {
		h.Fatalf("request %s doesn't end", id)
	}
	return s
}

// PlayOn plays a request as far as it goes.
func (h *House) PlayOn(id string, counts ...dsar.Counts) core.State {
	h.Helper()
	ctx := h.Context()
	for range 10 {
		s, err := h.Requests.State(ctx, id)
		must(h, err)
		if s.Status.Ended() || s.Status == core.StatusNeedsAttention {
			return s
		}
		for _, d := range s.Duties(h.Now) { // what it waits for
			must(h, h.Keeper.Do(ctx, id, d))
		}
		for _, task := range s.Tasks {
			if task.Status == core.TaskIsSent {
				h.report(id, *task, counts)
			}
		}
	}
	s, err := h.Requests.State(ctx, id)
	must(h, err)
	return s
}

func (h *House) report(id string, task core.TaskState, counts []dsar.Counts) {
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
		keys, err := h.Vault.Keys(h.Context(), id)
		must(h, err)
		sealed, err := keys.Seal([]byte("the answer"), vault.BundleKey)
		if err == nil {
			must(h, h.Outbox.WriteAll(h.Context(), outbox.AnswerName(id), sealed, nil))
		}
		r.Outcome, r.Objects = dsar.Assembled, []dsar.Object{{Name: outbox.AnswerName(id), Bytes: 1, SHA256: strings.Repeat("0", 64)}}
	}
	_, err := h.Requests.Do(h.Context(), id, core.TakeReport{Report: r, Now: h.Now})
	must(h, err)
}

func (h *House) object(id, name string) dsar.Object {
	h.Helper()
	w, err := h.Vault.Create(h.Context(), id, name)
	must(h, err)
	_, err = io.WriteString(w, "personal")
	must(h, err)
	must(h, w.Close())
	sum := sha256.Sum256([]byte("personal"))
	return dsar.Object{Name: name, Bytes: 8, Records: 1, SHA256: hex.EncodeToString(sum[:])}
}

// Tick has the coordinator do what is due at a time.
func (h *House) Tick(at time.Time) {
	h.Helper()
	h.Now = at
	for range 20 {
		n, err := h.Coord.Tick(h.Context())
		must(h, err)
		if n == 0 {
			return
		}
	}
	h.Fatal("there is always something due")
}
