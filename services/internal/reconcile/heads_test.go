package reconcile_test

import (
	"path/filepath"
	"slices"
	"testing"
	"time"

	"golang.org/x/mod/sumdb/note"

	"habeas.dev/pkg/dsar"
	"habeas.dev/services/internal/core"
	"habeas.dev/services/internal/journal"
	"habeas.dev/services/internal/journal/memjournal"
	"habeas.dev/services/internal/keeper/keepertest"
	"habeas.dev/services/internal/receipt"
	"habeas.dev/services/internal/reconcile"
	"habeas.dev/services/internal/signkey"
)

// listed is a world whose list of heads is signed and mirrored.
type listed struct {
	*world
	log *receipt.Log
	key note.Verifier
	at  int // appends before a hold was put on
}

// newListed has a request answered, and then a hold put on it, and an erasure carried out; each
// is a place of the list.
func newListed(t *testing.T) *listed {
	t.Helper()
	w := &listed{world: &world{tape: &tape{Store: memjournal.New(memjournal.Config{})}, topic: topic{}, left: map[string]*dsar.Object{}}}
	w.House = keepertest.New(t, t.TempDir(), w.tape)
	key, err := signkey.Create(filepath.Join(t.TempDir(), "k"), "privacy.example.com/log")
	if err == nil {
		w.key, err = note.NewVerifier(key.Verifier)
	}
	if err == nil {
		w.log, err = receipt.NewLog(receipt.Config{Journal: w.tape, Key: key, Mirror: w.Mirror})
	}
	if err != nil {
		t.Fatal(err)
	}
	w.Request(first, dsar.Access, "anna@example.com")
	w.Request(third, dsar.Access, "sam@example.com")
	w.sign(t)
	w.at = len(w.tape.appends)
	if _, err := w.Requests.Do(t.Context(), first, core.Hold{By: "lea", Reason: "a lawsuit", Now: w.Now}); err != nil {
		t.Fatal(err)
	}
	for n := range 20 { // more places than a file of the mirror has
		w.sign(t)
		if _, err := w.Requests.Do(t.Context(), third, core.Note{By: "lea", Reason: "looked", Now: w.Now.Add(time.Duration(n) * time.Second)}); err != nil {
			t.Fatal(err)
		}
	}
	w.Request(second, dsar.Erasure, "tom@example.com", dsar.Counts{Dataset: "invoices", Found: 2, Erased: 2})
	w.sign(t)
	for _, a := range w.tape.appends {
		if err := (reconcile.Vouching{Vault: w.Vault, Next: w.topic}).Publish(t.Context(), a.Messages); err != nil {
			t.Fatal(err)
		}
	}
	return w
}

func (w *listed) sign(t *testing.T) {
	t.Helper()
	if err := w.log.SignHeads(t.Context(), false); err != nil {
		t.Fatal(err)
	}
}

// lacking returns what reconciles a journal, with what the mirror's list has beyond its own.
func (w *listed) lacking(t *testing.T, j journal.Store) reconcile.Config {
	t.Helper()
	c := w.config(j)
	var err error
	if c.Beyond, err = receipt.HeadsBeyond(t.Context(), j, w.Mirror, w.key); err != nil {
		t.Fatal(err)
	}
	return c
}

// TestListedIsNamed: requests that had facts, as the mirrored list says, which nobody has any
// more are named, planned as done; where the journal knows them they wait for a person, and hold
// up erasures, until somebody has noted that they looked. What could be taken up isn't named.
func TestListedIsNamed(t *testing.T) {
	t.Parallel()
	w := newListed(t)
	for _, kafka := range []bool{false, true} {
		var reports []reconcile.Report
		var c reconcile.Config
		for _, plan := range []bool{true, false, false} { // and once more, as after a crash
			if !plan && len(reports) == 1 || plan {
				c = w.lacking(t, w.tape.backup(t, w.at, nil))
			} else {
				c = w.lacking(t, c.Journal)
			}
			if c.Plan = plan; !kafka {
				c.Topics = nil
			}
			report, err := reconcile.Run(t.Context(), c)
			if err != nil {
				t.Fatal(err)
			}
			reports = append(reports, report)
		}
		for n, report := range reports {
			what := map[string]reconcile.What{}
			for _, i := range report.Items {
				if what[i.Request] = i.What; (i.Lost > 0) == kafka {
					t.Errorf("kafka %v, %d: %+v", kafka, n, i)
				}
			}
			if report.Heads.Any() == kafka || report.Heads == nil || report.Heads.Unread != 0 || report.Heads.Has > report.Heads.Signed {
				t.Errorf("kafka %v, %d: %+v", kafka, n, report.Heads)
			}
			if !kafka && (what[first] != reconcile.Short || what[third] != reconcile.Short || what[second] != reconcile.Lost || report.Heads.Requests != 3) {
				t.Errorf("%d: %v, %+v", n, what, report.Heads)
			}
		}
		s, err := c.Requests.State(t.Context(), first)
		if err != nil {
			t.Fatal(err)
		}
		waits := slices.Contains(s.Needs(), core.Need{Kind: core.NeedShort})
		if waits == kafka || s.HoldsUp() == kafka || len(s.Holds) > 0 != kafka {
			t.Errorf("kafka %v: needs %v, holds %v, holds up %v", kafka, s.Needs(), s.Holds, s.HoldsUp())
		}
		if !kafka {
			if s.FactsLost != 1 {
				t.Errorf("%d facts are lost", s.FactsLost)
			}
			if s, err = c.Requests.Do(t.Context(), first, core.Note{By: "lea", Reason: "the lawsuit was on", Now: w.Now}); err != nil || s.HoldsUp() || len(s.Needs()) > 0 {
				t.Errorf("noted: needs %v, %v", s.Needs(), err)
			}
		}
	}
}

// TestUnreadPlaces: what the mirror has of the list is believed as far as its signed end has it in
// its hash; places that are missing, or altered, are counted.
func TestUnreadPlaces(t *testing.T) {
	t.Parallel()
	for name, spoil := range map[string]func(w *listed, file string) error{
		"missing": func(w *listed, file string) error { return w.Mirror.Delete(w.Context(), file) },
		"altered": func(w *listed, file string) error {
			b, err := w.Mirror.ReadAll(w.Context(), file)
			if err == nil {
				b[10] ^= 1
				err = w.Mirror.WriteAll(w.Context(), file, b, nil)
			}
			return err
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newListed(t)
			j := w.tape.backup(t, w.at, nil)
			if err := spoil(w, "log/privacy.example.com_log/heads-list/0"); err != nil {
				t.Fatal(err)
			}
			c := w.lacking(t, j)
			c.Topics = nil
			report, err := reconcile.Run(t.Context(), c)
			if err != nil {
				t.Fatal(err)
			}
			if report.Heads == nil || report.Heads.Unread == 0 || !report.Heads.Any() {
				t.Errorf("%+v", report.Heads)
			}
			i := slices.IndexFunc(report.Items, func(i reconcile.Item) bool { return i.Request == second })
			if i < 0 || report.Items[i].Lost == 0 {
				t.Errorf("what is in the rest isn't named: %+v", report.Items)
			}
		})
	}
}
