package internaldb_test

import (
	"context"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"habeas.dev/pkg/dsar"
	"habeas.dev/pkg/manifest"
	"habeas.dev/pkg/worker"
	"habeas.dev/services/sandbox/internaldb"
	"habeas.dev/services/sandbox/people"
)

func everyone(p *people.Population) []int {
	out := make([]int, len(p.People))
	for i := range out {
		out[i] = i + 1
	}
	return out
}

// TestEveryRecordAndNoneOfOthers gathers everyone, and compares with the seeds.
func TestEveryRecordAndNoneOfOthers(t *testing.T) {
	t.Parallel()
	p := people.Generate(people.Config{Seed: 11})
	onEach(t, p, func(t *testing.T, w *fixture) {
		w.resolve(everyone(p)...)
		for _, system := range internaldb.Systems() {
			for batch := range slices.Chunk(reachable(w, system), 50) {
				for person, got := range w.gather(system, batch...) {
					if want := w.held(system, person, nil); !slices.Equal(sorted(got), want) {
						t.Errorf("%s: person %d:\ngot  %s\nwant %s", system, person, strings.Join(sorted(got), "\n     "), strings.Join(want, "\n     "))
					}
				}
			}
		}
	})
}

// reachable returns the people of whom a system's identifiers are known.
func reachable(w *fixture, system string) []int {
	var out []int
	for _, person := range everyone(w.people) {
		if system == people.Events || system == people.Account || slices.ContainsFunc(w.known[person], func(id worker.Identifier) bool { return id.Type == "account_id" }) {
			out = append(out, person)
		}
	}
	return out
}

func TestNobody(t *testing.T) {
	t.Parallel()
	p := people.Generate(people.Config{Seed: 11})
	onEach(t, p, func(t *testing.T, w *fixture) {
		const nobody = 100_000
		w.known[nobody] = []worker.Identifier{{Type: "email", Value: people.NobodyEmail}, {Type: "account_id", Value: "acc_"}, {Type: "customer_ref", Value: "' OR '1'='1"}}
		for _, system := range internaldb.Systems() {
			for _, action := range []dsar.Action{dsar.Gather, dsar.Plan, dsar.Erase} {
				if r := w.do(system, action, dsar.Erasure, nobody)[nobody]; r.Outcome != dsar.NothingFound {
					t.Errorf("%s %s: %s", system, action, r.Outcome)
				}
			}
		}
	})
}

// TestEraseLeavesWhatMustStay erases some people everywhere, in the manifests'
// order, and compares what is left with the seeds.
func TestEraseLeavesWhatMustStay(t *testing.T) {
	t.Parallel()
	p := people.Generate(people.Config{Seed: 12})
	gone := []int{people.Leaver, people.Camille, 10, 20, 21, 22, 40}
	onEach(t, p, func(t *testing.T, w *fixture) {
		w.resolve(everyone(p)...)
		for _, system := range []string{people.Billing, people.Marketplace, people.Events, people.Account} {
			var persons []int
			for _, n := range gone {
				if slices.Contains(reachable(w, system), n) {
					persons = append(persons, n)
				}
			}
			plan := w.do(system, dsar.Plan, dsar.Erasure, persons...)
			done := w.do(system, dsar.Erase, dsar.Erasure, persons...)
			again := w.do(system, dsar.Erase, dsar.Erasure, persons...)
			proof := w.do(system, dsar.Prove, dsar.Erasure, persons...)
			left := w.gather(system, persons...)
			for _, n := range persons {
				checkErased(t, w, system, n, plan[n], done[n], again[n], proof[n], left[n])
			}
		}
		// Nobody else lost anything.
		for _, system := range internaldb.Systems() {
			var others []int
			for _, n := range reachable(w, system) {
				if !slices.Contains(gone, n) {
					others = append(others, n)
				}
			}
			for n, got := range w.gather(system, others...) {
				if want := w.held(system, n, nil); !slices.Equal(sorted(got), want) {
					t.Errorf("%s: person %d holds other records after others were erased", system, n)
				}
			}
		}
	})
}

func checkErased(t *testing.T, w *fixture, system string, n int, plan, done, again, proof dsar.Report, left []string) {
	t.Helper()
	held, want := w.held(system, n, nil), w.held(system, n, mustStay)
	if !slices.Equal(sorted(left), want) {
		t.Errorf("%s: person %d: left\n%s\nwant\n%s", system, n, strings.Join(sorted(left), "\n"), strings.Join(want, "\n"))
	}
	if found, kept, _ := sum(plan); found != int64(len(held)) || kept != int64(len(want)) {
		t.Errorf("%s: person %d: the plan is %d, of which %d stay; held are %d, of which %d must", system, n, found, kept, len(held), len(want))
	}
	if found, kept, erased := sum(done); found != int64(len(held)) || kept != int64(len(want)) || erased != found-kept {
		t.Errorf("%s: person %d: of %d erased %d, kept %d", system, n, found, erased, kept)
	}
	if _, kept, erased := sum(again); kept != int64(len(want)) || erased != 0 {
		t.Errorf("%s: person %d: the second time erased %d, kept %d", system, n, erased, kept)
	}
	if proof.Outcome != dsar.Proven {
		t.Errorf("%s: person %d: %s", system, n, proof.Outcome)
	}
	for _, c := range proof.Counts {
		for _, r := range c.Retained {
			if last := latest(w, system, n, c.Dataset); r.Ground != "tax-records" || !r.Until.Equal(booksEnd(last)) {
				t.Errorf("%s: person %d: %s stays until %s on the ground %s, want %s", system, n, c.Dataset, r.Until, r.Ground, booksEnd(last))
			}
		}
	}
}

// booksEnd returns when what the books are made of may go: ten years after the close of the
// financial year, which ends with December (Luxembourg, Code de commerce, art. 16).
func booksEnd(day time.Time) time.Time { return time.Date(day.Year()+11, 1, 1, 0, 0, 0, 0, time.UTC) }

// mustStay knows the law by itself.
func mustStay(r people.Row) bool {
	day, ok := bookDay(r)
	return ok && booksEnd(day).After(today)
}

func bookDay(r people.Row) (time.Time, bool) {
	column := map[string]string{"invoices": "issued_on", "invoice_lines": "issued_on", "payments": "paid_on"}[r.Dataset]
	if r.System != people.Billing || column == "" {
		return time.Time{}, false
	}
	day, err := time.Parse(time.DateOnly, r.Values[column].(string))
	return day, err == nil
}

func latest(w *fixture, system string, n int, dataset string) (last time.Time) {
	for _, r := range w.people.RowsIn(n, system) {
		if day, ok := bookDay(r); ok && r.Dataset == dataset && day.After(last) {
			last = day
		}
	}
	return last
}

func sum(r dsar.Report) (found, kept, erased int64) {
	for _, c := range r.Counts {
		found += c.Found
		kept += c.Kept()
		erased += c.Erased + c.Anonymised
	}
	return found, kept, erased
}

func TestRestrict(t *testing.T) {
	t.Parallel()
	p := people.Generate(people.Config{Seed: 13})
	onEach(t, p, func(t *testing.T, w *fixture) {
		w.resolve(people.Camille)
		r := w.do(people.Account, dsar.Restrict, dsar.Objection, people.Camille)[people.Camille]
		if r.Outcome != dsar.Restricted || len(r.Counts) != 1 || r.Counts[0].Dataset != "profile" || r.Counts[0].Restricted != 1 {
			t.Errorf("got %+v", r)
		}
		r = w.do(people.Events, dsar.Restrict, dsar.ConsentWithdrawal, people.Camille)[people.Camille]
		if r.Outcome != dsar.Restricted {
			t.Errorf("got %+v", r)
		}
		for _, rec := range w.gather(people.Events, people.Camille)[people.Camille] {
			if strings.HasPrefix(rec, "media ") && !strings.Contains(rec, `"consent":false`) {
				t.Errorf("consent stands after it was withdrawn: %s", rec)
			}
		}
	})
}

func TestManifestsGoTogether(t *testing.T) {
	t.Parallel()
	ms := manifests(t)
	if _, err := manifest.Catalogue(ms); err != nil {
		t.Error(err)
	}
	for _, m := range ms {
		for _, d := range m.Datasets {
			for what, text := range map[string]manifest.Text{"title": d.Title, "purpose": d.Purpose, "storage": d.Storage} {
				if text["fr"] == "" {
					t.Errorf("%s %s: no %s in French", m.System, d.Name, what)
				}
			}
			for _, c := range d.Columns {
				if c.Title["fr"] == "" || c.Title["en"] == "" {
					t.Errorf("%s %s.%s has no title in both languages", m.System, d.Name, c.Name)
				}
			}
		}
	}
}

func TestCreate(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "a folder?with=odd#name", "sandbox")
	files, err := internaldb.Create(t.Context(), dir, people.Generate(people.Config{Seed: 1}))
	if err != nil {
		t.Fatal(err)
	}
	before := stat(t, files)
	again, err := internaldb.Create(t.Context(), dir, people.Generate(people.Config{Seed: 2}))
	if err != nil || !reflect.DeepEqual(files, again) || !reflect.DeepEqual(before, stat(t, files)) {
		t.Errorf("made again: %v, %v", again, err)
	}
	entries, err := os.ReadDir(dir)
	entries = slices.DeleteFunc(entries, os.DirEntry.IsDir) // of files beside rows
	if err != nil || len(entries) != len(internaldb.Systems()) {
		t.Errorf("the folder holds %v, %v", entries, err)
	}
	newFixture(t, people.Generate(people.Config{Seed: 1}), func(system string) string { return files[system] })
}

func stat(t *testing.T, files map[string]string) map[string]time.Time {
	out := map[string]time.Time{}
	for system, file := range files {
		info, err := os.Stat(file)
		if err != nil {
			t.Fatal(err)
		}
		if info.Mode().Perm() != 0o600 {
			t.Errorf("%s has mode %v", system, info.Mode())
		}
		out[system] = info.ModTime()
	}
	return out
}

// TestCreateCutOff holds that a file is there whole or not at all.
func TestCreateCutOff(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := internaldb.Create(ctx, dir, people.Generate(people.Config{})); err == nil {
		t.Error("no error")
	}
	if entries, err := os.ReadDir(dir); err != nil || len(entries) != 0 {
		t.Errorf("the folder holds %v, %v", entries, err)
	}
}
