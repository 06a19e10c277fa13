package audit_test

import (
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"sync"
	"testing"

	"gocloud.dev/blob/memblob"

	"habeas.dev/pkg/dsar"
	"habeas.dev/services/internal/audit"
	"habeas.dev/services/internal/core"
	"habeas.dev/services/internal/journal"
	"habeas.dev/services/internal/journal/sqlitejournal"
	"habeas.dev/services/internal/receipt"
)

// TestKeptFromTheList: one request that is kept from the list of heads is found among more that
// wait for it than are noted at once.
func TestKeptFromTheList(t *testing.T) {
	t.Parallel()
	s := inSQLite(t)
	var all sync.WaitGroup
	for part := range 10 {
		all.Go(func() {
			for i := range journal.MaxHeads / 5 {
				_, err := s.Requests.Accept(t.Context(), core.Accepted{RequestID: fmt.Sprintf("20000000-0000-4000-8000-%012d", part*journal.MaxHeads+i), Right: dsar.Access, Jurisdiction: "EEA", ReceivedAt: s.Now, AcceptedAt: s.Now, Source: "test", Digest: "d",
					Identifiers: []dsar.Identifier{{Type: "email", Fingerprint: "f", Sealed: []byte("x"), Assurance: dsar.AssuranceVerified}}, Keep: &core.Keep{AnswerDays: 1, AccountabilityMonths: 1},
					Systems: []dsar.System{{Name: "billing", Abilities: []dsar.Action{dsar.Gather}, Needs: []dsar.IdentifierType{"email"}}}})
				if err != nil {
					t.Error(err)
				}
			}
		})
	}
	all.Wait()
	kept := func() (ids []string) {
		t.Helper()
		r, err := audit.Run(t.Context(), audit.Config{Journal: s.Journal, Parallel: 2})
		must(t, err)
		for _, f := range r.Findings {
			if f.Code == "unlisted" {
				ids = append(ids, f.Request)
			}
		}
		return ids
	}
	if got := kept(); got != nil {
		t.Errorf("kept from the list are %v, and all wait", got)
	}
	want := []string{fmt.Sprintf("20000000-0000-4000-8000-%012d", 0), fmt.Sprintf("20000000-0000-4000-8000-%012d", 9*journal.MaxHeads+journal.MaxHeads/5-1)}
	for _, id := range want {
		s.exec("DELETE FROM unlisted WHERE request = "+num, id)
	}
	got := kept()
	if slices.Sort(got); !slices.Equal(got, want) {
		t.Errorf("kept from the list are %v, want %v", got, want)
	}
}

// TestHeadsGoOn: a mirror that lags behind is no alarm, and is caught up with. A journal that was
// restored from an older copy lacks what was listed since: nothing is signed, and the audit says
// so, until a person has it signed as it is; from then on it goes on.
func TestHeadsGoOn(t *testing.T) {
	t.Parallel()
	s := inSQLite(t)
	const mirrored = "log/privacy.example.com_log/heads"
	logOf := func(j receipt.Journal) *receipt.Log {
		l, err := receipt.NewLog(receipt.Config{Journal: j, Key: s.signer, Mirror: s.Mirror})
		must(t, err)
		return l
	}
	clean := func(j journal.Store, when string) {
		t.Helper()
		r, err := audit.Run(t.Context(), audit.Config{Journal: j, Mirror: s.Mirror, Log: s.key})
		must(t, err)
		if len(r.Findings) > 0 {
			t.Errorf("%s: %v", when, r.Findings)
		}
	}
	before := filepath.Join(t.TempDir(), "before.db")
	s.exec("VACUUM INTO ?", before)
	lagging, err := s.Mirror.ReadAll(t.Context(), mirrored)
	must(t, err)
	s.assign(open, "paul")
	clean(s.Journal, "before it is listed")
	must(t, logOf(s.Journal).SignHeads(t.Context(), false))
	newest, err := s.Mirror.ReadAll(t.Context(), mirrored)
	must(t, err)
	must(t, s.Mirror.WriteAll(t.Context(), mirrored, lagging, nil))
	clean(s.Journal, "the mirror lags")
	must(t, logOf(s.Journal).SignHeads(t.Context(), false))
	if caughtUp, err := s.Mirror.ReadAll(t.Context(), mirrored); err != nil || string(caughtUp) != string(newest) {
		t.Errorf("the mirror isn't caught up with: %v", err)
	}

	s.assign(open, "lea")
	away := memblob.OpenBucket(nil)
	must(t, away.Close())
	l, err := receipt.NewLog(receipt.Config{Journal: s.Journal, Key: s.signer, Mirror: away})
	must(t, err)
	if err := l.SignHeads(t.Context(), false); err == nil {
		t.Error("signed, and the mirror is away")
	}
	if end, err := s.Journal.HeadsEnd(t.Context()); err != nil || end.Waiting != 0 {
		t.Errorf("nothing is listed while the mirror is away: %+v, %v", end, err)
	}

	restored, err := sqlitejournal.Open(t.Context(), sqlitejournal.Config{Path: before})
	must(t, err)
	t.Cleanup(func() { _ = restored.Close() })
	if err := logOf(restored).SignHeads(t.Context(), false); !errors.Is(err, receipt.ErrHeads) {
		t.Errorf("an older list is signed: %v", err)
	}
	r, err := audit.Run(t.Context(), audit.Config{Journal: restored, Mirror: s.Mirror, Log: s.key})
	must(t, err)
	if len(r.Findings) != 1 || r.Findings[0].Code != "heads" {
		t.Errorf("a restored journal: %v", r.Findings)
	}
	must(t, logOf(restored).SignHeads(t.Context(), true)) // as habeas reconcile does
	clean(restored, "it was reconciled")
	must(t, logOf(restored).SignHeads(t.Context(), false))
}
