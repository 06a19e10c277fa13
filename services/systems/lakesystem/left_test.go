package lakesystem

import (
	"context"
	"errors"
	"io/fs"
	"net/url"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/iceberg-go"
	"github.com/apache/iceberg-go/catalog"
	"github.com/apache/iceberg-go/table"

	"habeas.dev/pkg/dsar"
	"habeas.dev/pkg/worker"
)

// byKeyOnly returns a lake that holds a record of anna's which only its key tells: what said whose
// it is was taken out since it was planned. kept has it lie somewhere besides.
func byKeyOnly(t *testing.T, kept func(l *lake)) (*lake, *System, *worker.EraseJob) {
	t.Helper()
	before := newLake(t)
	before.create("clicks", clicks())
	before.create("letters", letters())
	before.append("clicks", click("1", "anna", ""))
	j := &worker.EraseJob{Job: account("anna"), Plan: before.plan(before.serve(webManifest(t)), account("anna"))}
	l := newLake(t)
	l.create("clicks", clicks())
	l.create("letters", letters())
	l.append("clicks", click("1", "", ""), click("2", "bob", ""))
	kept(l)
	return l, l.serve(webManifest(t)), j
}

// tag has a tag keep the table as it is.
func tag(l *lake) {
	l.Helper()
	now := l.table("clicks")
	if _, _, err := l.cat.CommitTable(l.Context(), now.Identifier(), nil, []table.Update{table.NewSetSnapshotRefUpdate("audit", now.CurrentSnapshot().SnapshotID, table.TagRef, -1, -1, -1)}); err != nil {
		l.Fatal(err)
	}
}

// orphan writes what the table holds into a file that belongs to no snapshot.
func orphan(l *lake) {
	l.Helper()
	tbl := l.table("clicks")
	schema, batches, err := read(l.Context(), tbl, must(files(l.Context(), tbl, iceberg.AlwaysTrue{})), nil, 1)
	if err != nil {
		l.Fatal(err)
	}
	for _, err := range table.WriteRecords(l.Context(), tbl, schema, func(yield func(arrow.RecordBatch, error) bool) { batches(yield) }) {
		if err != nil {
			l.Fatal(err)
		}
	}
}

// TestByKeyIsLookedForEverywhere: what is erased by its key alone is looked for by its key in
// what tags keep and in files of no snapshot, too, as well as in the proof.
func TestByKeyIsLookedForEverywhere(t *testing.T) {
	t.Parallel()
	for code, kept := range map[string]func(*lake){"lake-ref": tag, "lake-orphan": orphan, "": func(*lake) {}} {
		l, s, j := byKeyOnly(t, kept)
		if err := s.Erase(t.Context(), []*worker.EraseJob{j}); err != nil {
			t.Fatal(err)
		}
		same(t, "what is left", l.ids("clicks", "click_id"), "2")
		named := func(c dsar.Counts) bool {
			return (c.Cause != nil) == (code != "") && (code == "" || c.Cause.Code == code)
		}
		if c := of(j.Counts, "clicks"); c.Erased != 1 || !named(c) {
			t.Errorf("%q: %+v", code, c)
		}
		j.Counts = nil
		if err := s.Prove(t.Context(), []*worker.EraseJob{j}); err != nil || !named(of(j.Counts, "clicks")) {
			t.Errorf("%q: the proof says %+v, %v", code, j.Counts, err)
		}
	}
}

// TestHiddenByKey: rows that were planned, are found by their key alone, and were deleted by
// merge-on-read go from their files.
func TestHiddenByKey(t *testing.T) {
	t.Parallel()
	l, s, j := byKeyOnly(t, func(l *lake) {
		tx := l.table("clicks").NewTransaction()
		if err := tx.SetProperties(iceberg.Properties{"write.delete.mode": "merge-on-read"}); err != nil {
			l.Fatal(err)
		}
		if err := tx.Delete(l.Context(), iceberg.EqualTo(iceberg.Reference("click_id"), "1"), nil); err != nil {
			l.Fatal(err)
		}
		if _, err := tx.Commit(l.Context()); err != nil {
			l.Fatal(err)
		}
	})
	if err := s.Erase(t.Context(), []*worker.EraseJob{j}); err != nil {
		t.Fatal(err)
	}
	if n := l.table("clicks").CurrentSnapshot().Summary.Properties["total-delete-files"]; n != "0" {
		t.Errorf("%s files of deletes are left, and the row lies in its file", n)
	}
	same(t, "what is left", l.ids("clicks", "click_id"), "2")
}

// TestMarksOutliveOthers: another erasure's commit between a crash and the next attempt leaves
// known what the first had erased; and what is told once is told as gone when it comes again.
func TestMarksOutliveOthers(t *testing.T) {
	t.Parallel()
	l := newLake(t)
	l.create("clicks", clicks())
	l.create("letters", letters())
	l.append("clicks", click("1", "anna", ""), click("2", "bob", ""), click("3", "carol", ""))
	s := l.serve(webManifest(t))
	job := func(id, request string) *worker.EraseJob {
		who := account(id)
		who.RequestID = request
		return &worker.EraseJob{Job: who, Plan: l.plan(s, who)}
	}
	anna, bob := job("anna", "a"), job("bob", "b")
	s.at = func(at string) error {
		if at == "committed" {
			return errors.New("broken off")
		}
		return nil
	}
	if err := s.Erase(t.Context(), []*worker.EraseJob{anna}); err == nil {
		t.Fatal("it wasn't broken off")
	}
	s.at = nil
	if err := s.Erase(t.Context(), []*worker.EraseJob{bob}); err != nil {
		t.Fatal(err)
	}
	for _, want := range []dsar.Counts{{Erased: 1, Found: 1}, {Gone: 1}} {
		if err := s.Erase(t.Context(), []*worker.EraseJob{anna}); err != nil {
			t.Fatal(err)
		}
		if c := of(anna.Counts, "clicks"); c.Erased != want.Erased || c.Found != want.Found || c.Gone != want.Gone {
			t.Errorf("%+v, want %+v", c, want)
		}
	}
	// An erasure by keys that comes after the answer counts what it erases, whichever process
	// does it.
	again := &worker.EraseJob{Job: anna.Job, Plan: anna.Plan}
	again.ByKeys = true
	if err := l.serve(webManifest(t)).Erase(t.Context(), []*worker.EraseJob{again}); err != nil || of(again.Counts, "clicks").Erased != 0 {
		t.Errorf("by keys: %+v, %v", again.Counts, err)
	}
	// Another request's plan of the same hash has erased nothing.
	other := &worker.EraseJob{Job: account("anna"), Plan: anna.Plan}
	other.RequestID = "c"
	if err := s.Erase(t.Context(), []*worker.EraseJob{other}); err != nil || of(other.Counts, "clicks").Erased != 0 {
		t.Errorf("%+v, %v", other.Counts, err)
	}
}

// TestMarksAreBounded: what a summary says of earlier commits ends, by number and by time.
func TestMarksAreBounded(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 20, 9, 0, 0, 0, time.UTC)
	all := marks{"old": {1, 0, now.Add(-marksFor - time.Second)}}
	for i := range maxMarks + 10 {
		all["a"+strings.Repeat("b", i)] = mark{1, 0, now.Add(-time.Hour)}
	}
	j := &worker.EraseJob{Job: account("anna")}
	out := all.and([]*worker.EraseJob{j}, []dsar.Counts{{Erased: 3, Late: 1}}, nil, now)
	if _, kept := out["old"]; kept || len(out) != maxMarks || out[markOf(j)] != (mark{3, 1, now}) {
		t.Errorf("%d marks, %+v", len(out), out[markOf(j)])
	}
}

// TestWritings: an identifier is found in each form in which a database would find it.
func TestWritings(t *testing.T) {
	t.Parallel()
	l := newLake(t)
	fields := clicks()
	fields[2].Type = iceberg.PrimitiveTypes.UUID
	l.create("clicks", fields)
	l.create("letters", letters())
	const id = "9f0d6c0e-6f0f-4b43-9f0f-3a9c3c0f7a11"
	l.append("clicks", click("1", "rene\u0301", ""), click("2", "ren\u00e9", ""), click("3", "rene", ""))
	l.append("clicks", click("4", "", id))
	s := l.serve(webManifest(t))
	for _, name := range []string{"rene\u0301", "ren\u00e9"} {
		if got := l.gather(s, account(name)); len(got) != 2 {
			t.Errorf("%+q: %d records are found, there are two", name, len(got))
		}
	}
	cookie := worker.Job{Task: worker.Task{Right: dsar.Erasure, Identifiers: []worker.Identifier{{Type: "cookie_id", Value: strings.ToUpper(id)}}}}
	if got := l.gather(s, cookie); len(got) != 1 {
		t.Errorf("%d records are found by a UUID in capitals", len(got))
	}
	l.erase(s, account("ren\u00e9"))
	same(t, "what is left", l.ids("clicks", "click_id"), "3", "4")
}

// secretive is a catalogue whose errors hold what opens it.
type secretive struct{ catalog.Catalog }

const catalogueSecret = "hunter2-of-the-lake"

func (secretive) LoadTable(context.Context, table.Identifier) (*table.Table, error) {
	return nil, &url.Error{Op: "Get", URL: "https://lake.example/v1/tables?token=" + catalogueSecret, Err: context.DeadlineExceeded}
}

// TestCatalogueSecretsStay: no error of a catalogue, of its opening, of a table's or of a task, holds an
// address with what opens it, and says what it is all the same.
func TestCatalogueSecretsStay(t *testing.T) {
	t.Parallel()
	l := newLake(t)
	l.create("clicks", clicks())
	l.create("letters", letters())
	s := l.serve(webManifest(t))
	_, startErr := New(t.Context(), webManifest(t), secretive{l.cat})
	s.cat = secretive{l.cat}
	gatherErr := s.Plan(t.Context(), []*worker.PlanJob{{Job: account("anna"), Plan: worker.NewPlanWriter(s.m)}})
	_, openErr := Open(t.Context(), webManifest(t), Address{URL: "http://127.0.0.1:1/?token=" + catalogueSecret, Credential: "id:" + catalogueSecret})
	for what, err := range map[string]error{"the start": startErr, "a task": gatherErr, "opening": openErr, "explaining": explain(s.datasets[0], &url.Error{Op: "Put", URL: "s3://k:" + catalogueSecret + "@bucket/a", Err: fs.ErrPermission})} {
		if err == nil || strings.Contains(err.Error(), catalogueSecret) {
			t.Errorf("%s says %v", what, err)
		}
	}
	if !errors.Is(gatherErr, context.DeadlineExceeded) || !strings.Contains(unsaid(startErr).Error(), "deadline exceeded") {
		t.Errorf("it doesn't say what it is: %v", startErr)
	}
}

// TestStuckStore: a store that doesn't answer is waited for as long as it may take, and an
// erasure that waits for another one's turn is parked.
func TestStuckStore(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		ends := make(chan struct{})
		began := time.Now()
		_, err := within(t.Context(), fileTime, func() (struct{}, error) { <-ends; return struct{}{}, nil })
		if !errors.Is(err, errSlow) || time.Since(began) != fileTime {
			t.Errorf("after %s: %v", time.Since(began), err)
		}
		close(ends)

		goesOn, dropped := make(chan struct{}), make(chan int, 1)
		slow := func(yield func(int, error) bool) {
			if yield(1, nil) {
				<-goesOn
				yield(2, nil)
			}
		}
		began = time.Now()
		var got []int
		for n, err := range stepwise(t.Context(), batchTime, slow, func(n int) { dropped <- n }) {
			if got = append(got, n); err != nil && (!errors.Is(err, errSlow) || time.Since(began) != batchTime) {
				t.Errorf("after %s: %v", time.Since(began), err)
			}
		}
		if len(got) != 2 || got[0] != 1 {
			t.Errorf("%v", got)
		}
		close(goesOn)
		if n := <-dropped; n != 2 {
			t.Errorf("%d is dropped", n)
		}

		s := &System{committing: make(chan struct{}, 1), patience: turnTime}
		end, err := s.turn(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		began = time.Now()
		_, err = s.turn(t.Context())
		var e *worker.Error
		if !errors.As(err, &e) || e.Code != "lake-busy" || time.Since(began) != turnTime {
			t.Errorf("after %s: %v", time.Since(began), err)
		}
		end()
		var all sync.WaitGroup
		all.Go(func() {
			if end, err := s.turn(t.Context()); err != nil {
				t.Error(err)
			} else {
				end()
			}
		})
		all.Wait()
	})
}
