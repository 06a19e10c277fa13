package audit_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"habeas.dev/pkg/dsar"
	"habeas.dev/services/internal/audit"
	"habeas.dev/services/internal/journal"
	"habeas.dev/services/internal/journal/memjournal"
	"habeas.dev/services/internal/journal/sqlitejournal"
	"habeas.dev/services/internal/lifecycle"
	"habeas.dev/services/internal/outbox"
	"habeas.dev/services/internal/pgtest"
	"habeas.dev/services/internal/receipt"
)

// TestFingerprintsAreCounted: without the vault nobody can tell whose fingerprints they
// are, and how many there are is held against the facts.
func TestFingerprintsAreCounted(t *testing.T) {
	t.Parallel()
	for what, c := range map[string]struct {
		statement string
		findings  int
	}{
		"nothing": {"UPDATE fingerprint SET request = request WHERE request = " + num, 0},
		"deleted": {"DELETE FROM fingerprint WHERE request = " + num, 1},
		"added":   {"INSERT INTO fingerprint (fingerprint, request) VALUES ('x', " + num + ")", 1},
	} {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			s := inSQLite(t)
			s.exec(c.statement, answered)
			r, err := audit.Run(t.Context(), audit.Config{Journal: s.Journal})
			must(t, err)
			if len(r.Findings) != c.findings || c.findings > 0 && (r.Findings[0].Code != "fingerprint" || r.Findings[0].Request != answered) {
				t.Errorf("%+v", r.Findings)
			}
		})
	}
}

// TestTakenIn: leaves that a restored journal took in from the mirror are of no request
// there, which isn't taken for a deletion, as long as the log's key has signed it.
func TestTakenIn(t *testing.T) {
	t.Parallel()
	s := inSQLite(t)
	j := memjournal.New(memjournal.Config{})
	key := s.signer
	l, err := receipt.NewLog(receipt.Config{Journal: j, Key: key, Mirror: s.Mirror})
	must(t, err)
	if _, err = l.Publish(t.Context()); !errors.Is(err, receipt.ErrBehind) {
		t.Errorf("what nobody has said is to be taken in: %v", err)
	}
	must(t, l.TakeIn(t.Context()))
	must(t, l.SignTakenIn(t.Context(), s.Now))
	_, err = l.Publish(t.Context())
	must(t, err)
	if err := l.SignSearches(t.Context(), false); !errors.Is(err, receipt.ErrSearches) {
		t.Errorf("fewer searches than before are signed: %v", err)
	}
	must(t, l.SignSearches(t.Context(), true)) // as habeas reconcile does
	if err := l.SignHeads(t.Context(), false); !errors.Is(err, receipt.ErrHeads) {
		t.Errorf("fewer heads than before are signed: %v", err)
	}
	must(t, l.SignHeads(t.Context(), true))
	look := func() audit.Report {
		r, err := audit.Run(t.Context(), audit.Config{Journal: j, Mirror: s.Mirror, Log: s.key})
		must(t, err)
		return r
	}
	if r := look(); r.Unowned != r.Leaves || r.Leaves == 0 || len(r.Findings) > 0 || !slices.Equal(r.TakenIn, receipt.TakenIn{{From: 0, To: r.Leaves, At: s.Now}}) {
		t.Errorf("%+v", r)
	}
	name := "log-taken-in " + s.key.Name()
	signed, version, err := j.Note(t.Context(), name)
	must(t, err)
	must(t, j.SetNote(t.Context(), name, bytes.Replace(signed, []byte("0 "), []byte("2 "), 1), version))
	if r := look(); len(r.Findings) != int(r.Leaves) || r.Findings[0].Code != "leaf-unowned" {
		t.Errorf("what nobody signed is believed: %+v", r)
	}
}

// TestNobodyTakesIn: who has the journal's database alone, and deletes a forgotten request with
// the log's leaves, has nothing signed by what coordinators do on their own. Where a person has
// the leaves taken in, what is signed is those that no request has then, and no others.
func TestNobodyTakesIn(t *testing.T) {
	t.Parallel()
	s := inSQLite(t)
	var owners []func()
	for _, id := range []string{answered, another, recordsGo, retained} {
		of, err := s.Journal.LeavesOf(t.Context(), id)
		must(t, err)
		for _, l := range of {
			owners = append(owners, func() {
				s.exec("UPDATE leaf SET request = "+num+", version = ? WHERE num = ?", id, l.Version, l.Index)
			})
		}
	}
	theirs, err := s.Journal.LeavesOf(t.Context(), forgotten)
	must(t, err)
	s.delete(forgotten)
	s.exec("DELETE FROM request WHERE id = ?", forgotten)
	s.exec("UPDATE counter SET request = (SELECT count(*) FROM request), leaf = 0")
	s.exec("DELETE FROM leaf")
	s.exec("DELETE FROM tree")
	l, err := receipt.NewLog(receipt.Config{Journal: s.Journal, Key: s.signer, Mirror: s.Mirror})
	must(t, err)
	found := func(code string) bool {
		return slices.ContainsFunc(s.audit(t).Findings, func(f audit.Finding) bool { return f.Code == code })
	}
	for range 2 {
		if _, err := l.Publish(t.Context()); !errors.Is(err, receipt.ErrBehind) {
			t.Fatalf("the log goes on: %v", err)
		}
		must(t, l.SignTakenIn(t.Context(), s.Now))
	}
	if !found("checkpoint") {
		t.Error("leaves were deleted, and nothing says so")
	}
	must(t, l.TakeIn(t.Context()))
	for _, own := range owners { // as facts that are taken up do
		own()
	}
	if !found("leaf-unowned") {
		t.Error("before it is signed which leaves are of no request, none is believed to be")
	}
	for range 2 {
		must(t, l.SignTakenIn(t.Context(), s.Now))
	}
	r := s.audit(t)
	if len(r.Findings) != 1 || r.Findings[0].Code != "head" || r.Findings[0].Request != forgotten || r.Unowned != int64(len(theirs)) {
		t.Errorf("%+v", r)
	}
	for _, t2 := range theirs {
		if !r.TakenIn.Has(t2.Index) {
			t.Errorf("leaf %d isn't signed", t2.Index)
		}
	}
	s.vanish(answered, "NULL", "NULL")
	if !found("leaf-unowned") {
		t.Error("what is deleted later isn't found")
	}
}

// TestTimersOfPostgreSQL: who writes to the table of timers can have a request forgotten late or
// never. Each is named, and mended when a coordinator starts.
func TestTimersOfPostgreSQL(t *testing.T) {
	t.Parallel()
	s := inPostgreSQL(t, pgtest.Shared(t))
	s.exec("DELETE FROM timer WHERE request = "+num, answered)
	s.exec("UPDATE timer SET wake_at = '2099-01-01' WHERE request = "+num, another)
	s.exec("INSERT INTO timer SELECT num, '2099-01-01' FROM request WHERE id = ?", forgotten)
	r := s.audit(t)
	var named []string
	for _, f := range r.Findings {
		if f.Code == "timer" {
			named = append(named, f.Request)
		}
	}
	slices.Sort(named)
	if want := []string{answered, forgotten, another}; len(r.Findings) != 3 || !slices.Equal(named, []string{want[0], want[1], want[2]}) {
		t.Errorf("%v", r.Findings)
	}
	n, err := lifecycle.MendTimers(t.Context(), s.Journal)
	if err != nil || n != 3 {
		t.Errorf("%d are mended: %v", n, err)
	}
	if r := s.audit(t); len(r.Findings) > 0 {
		t.Errorf("%v", r.Findings)
	}
	s.Tick(s.Now.AddDate(3, 0, 0))
	for _, id := range []string{answered, another} {
		if state, err := s.Requests.State(t.Context(), id); err != nil || state.SubjectForgotten.IsZero() {
			t.Errorf("%s isn't forgotten: %v", id, err)
		}
	}
}

// TestWhatIsExpected: what lies beside an answer for who opens it, and letters that an erasure
// of the person has reached, are no findings; and forgetting leaves nothing in the outbox.
func TestWhatIsExpected(t *testing.T) {
	t.Parallel()
	s := inSQLite(t)
	s.keyed(answered)
	late := s.late()
	if r := s.audit(t); len(r.Findings) > 0 {
		t.Errorf("what is beside an answer: %v", r.Findings)
	}
	const erasure = "10000000-0000-4000-8000-000000000008"
	s.Request(erasure, dsar.Erasure, "anna@example.com", dsar.Counts{Dataset: "invoices", Found: 1, Erased: 1})
	s.Tick(s.Now)
	publish := func() {
		l, err := receipt.NewLog(receipt.Config{Journal: s.Journal, Key: s.signer, Mirror: s.Mirror})
		must(t, err)
		_, err = l.Publish(t.Context())
		must(t, err)
	}
	publish()
	if there, err := s.Outbox.Exists(t.Context(), late); err != nil || there {
		t.Fatalf("the erasure reached no letter: %v", err)
	}
	if r := s.audit(t); len(r.Findings) > 0 {
		t.Errorf("what an erasure has reached: %v", r.Findings)
	}
	s.Tick(s.Now.AddDate(20, 0, 0))
	publish()
	list := s.Outbox.List(nil)
	for {
		o, err := list.Next(t.Context())
		if errors.Is(err, io.EOF) {
			break
		}
		must(t, err)
		if is := outbox.Parse(o.Key); is.RequestID != open && is.RequestID != retained { // which stay, of right
			t.Errorf("left: %s", o.Key)
		}
	}
}

// TestExport: what is exported is enough to verify every chain with other tools.
func TestExport(t *testing.T) {
	t.Parallel()
	j, err := sqlitejournal.Open(t.Context(), sqlitejournal.Config{Path: filepath.Join(t.TempDir(), "journal.db")})
	must(t, err)
	t.Cleanup(func() { _ = j.Close() })
	s := newScene(t, j, nil)
	var out bytes.Buffer
	r, err := audit.Run(t.Context(), audit.Config{Journal: s.Journal, Log: s.key, Mirror: s.Mirror, Export: &out})
	must(t, err)
	facts := map[string][]journal.Fact{}
	kinds := map[string]int{}
	for line := range strings.Lines(out.String()) {
		var l struct {
			Kind, Request, Type string
			Version             int
			At                  time.Time
			Data, Hash          []byte
		}
		must(t, json.Unmarshal([]byte(line), &l))
		if kinds[l.Kind]++; l.Kind == "fact" {
			facts[l.Request] = append(facts[l.Request], journal.Fact{RequestID: l.Request, Version: l.Version, Type: l.Type, At: l.At, Data: l.Data, Hash: l.Hash})
		}
	}
	if int64(kinds["fact"]) != r.Facts || kinds["request"] != 6 || int64(kinds["leaf"]) != r.Leaves || kinds["checkpoint"] != 2 {
		t.Errorf("%v of %+v", kinds, r)
	}
	for id, chain := range facts {
		if err := journal.VerifyChain(chain); err != nil {
			t.Errorf("%s: %v", id, err)
		}
	}
}
