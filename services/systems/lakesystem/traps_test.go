package lakesystem

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/iceberg-go"
	"github.com/apache/iceberg-go/catalog"
	"github.com/apache/iceberg-go/table"

	"habeas.dev/pkg/dsar"
	"habeas.dev/pkg/worker"
)

// mergeOnRead deletes an account as another engine would: by merge-on-read.
func (l *lake) mergeOnRead(account string) {
	l.Helper()
	tx := l.table("clicks").NewTransaction()
	if err := tx.SetProperties(iceberg.Properties{"write.delete.mode": "merge-on-read"}); err != nil {
		l.Fatal(err)
	}
	if err := tx.Delete(l.Context(), iceberg.EqualTo(iceberg.Reference("account_id"), account), nil); err != nil {
		l.Fatal(err)
	}
	if _, err := tx.Commit(l.Context()); err != nil {
		l.Fatal(err)
	}
}

// lies reads every file below the table's folder that is Parquet, as it lies there, and
// tells whether it holds a text. Only what isn't compressed would be found by its bytes.
func (l *lake) lies(s *System, who worker.Job) bool {
	l.Helper()
	h, err := s.examine(l.Context(), s.datasets[0], []*worker.EraseJob{{Job: who}})
	if err != nil {
		l.Fatal(err)
	}
	tbl := l.table("clicks")
	tasks, err := files(l.Context(), tbl, iceberg.AlwaysTrue{})
	if err != nil {
		l.Fatal(err)
	}
	for _, t := range tasks {
		some, err := h.whose(l.Context(), tbl, t, false)
		if err != nil {
			l.Fatal(err)
		}
		if len(some) > 0 {
			return true
		}
	}
	places, err := h.left(l.Context(), tbl)
	if err != nil {
		l.Fatal(err)
	}
	return len(places) > 0
}

// TestAsManyNullsAsValues: a row group with as many nulls as values is read. A condition on
// rows would have iceberg-go pass it over.
func TestAsManyNullsAsValues(t *testing.T) {
	t.Parallel()
	for values := range 3 {
		for nulls := range 4 {
			t.Run(fmt.Sprint(values+1, " values, ", nulls, " nulls"), func(t *testing.T) {
				t.Parallel()
				l := newLake(t)
				l.create("clicks", clicks(), catalog.WithProperties(iceberg.Properties{"write.parquet.row-group-limit": "2"}))
				l.create("letters", letters())
				var rows, left []string
				for i := range nulls {
					left = append(left, fmt.Sprint("null ", i))
					rows = append(rows, click(left[i], "", ""))
				}
				for i := range values + 1 {
					rows = append(rows, click(fmt.Sprint("value ", i), "anna", ""))
				}
				l.append("clicks", rows...)
				s := l.serve(webManifest(t))
				if got := l.gather(s, account("anna")); len(got) != values+1 {
					t.Errorf("%d records are gathered", len(got))
				}
				tag(l)
				p := l.plan(s, account("anna"))
				if c := l.erase(s, account("anna")); c.Erased != int64(values+1) || c.Cause == nil || c.Cause.Code != "lake-ref" {
					t.Errorf("%+v", c)
				}
				if c := l.prove(s, account("anna"), p); c.Found != 0 || c.Cause == nil {
					t.Errorf("%+v", c)
				}
				same(t, "what is left", l.ids("clicks", "click_id"), left...)
			})
		}
	}
}

// TestMergeOnReadStaysDeleted: rows that another engine deleted by merge-on-read don't come
// back with an erasure, those of the same person go from the files too, and the files that
// said so go where nothing needs them.
func TestMergeOnReadStaysDeleted(t *testing.T) {
	t.Parallel()
	l := newLake(t)
	l.create("clicks", clicks(), catalog.WithProperties(iceberg.Properties{"format-version": "2"}))
	l.create("letters", letters())
	l.append("clicks", click("1", "anna", ""), click("2", "bob", ""), click("3", "carol", ""), click("4", "", ""))
	l.append("clicks", click("5", "bob", ""), click("6", "dave", ""))
	l.mergeOnRead("bob")
	s := l.serve(webManifest(t))
	if !l.lies(s, account("bob")) {
		t.Fatal("merge-on-read left nothing: there is nothing to test")
	}
	if c := l.erase(s, account("anna")); c.Erased != 1 {
		t.Errorf("%+v", c)
	}
	same(t, "what is left", l.ids("clicks", "click_id"), "3", "4", "6")
	// Of Bob nothing is shown, so nothing is planned; but he lies in a file.
	if c := l.erase(s, account("bob")); c.Erased != 0 || c.Uncovered != "" {
		t.Errorf("%+v", c)
	}
	if l.lies(s, account("bob")) {
		t.Error("rows that were deleted by merge-on-read lie in files still")
	}
	same(t, "what is left", l.ids("clicks", "click_id"), "3", "4", "6")
	if n := l.table("clicks").CurrentSnapshot().Summary.Properties["total-delete-files"]; n != "0" {
		t.Errorf("%s files of deletes are left", n)
	}
}

// TestNullsStay: rows that hold null where an identifier would stand stay.
func TestNullsStay(t *testing.T) {
	t.Parallel()
	l := newLake(t)
	l.create("clicks", clicks())
	l.create("letters", letters())
	l.append("clicks", click("1", "anna", ""), click("2", "", ""), click("3", "", "x"), click("4", "bob", ""))
	s := l.serve(webManifest(t))
	l.erase(s, account("anna"))
	same(t, "what is left", l.ids("clicks", "click_id"), "2", "3", "4")
	for _, path := range l.paths("clicks") {
		if !strings.Contains(path, ownMark) {
			t.Errorf("%s isn't known as this worker's", path)
		}
	}
}

// TestErasesWhateverTheTableSays: a table that has deletes done by merge-on-read has the
// rows gone from its files all the same.
func TestErasesWhateverTheTableSays(t *testing.T) {
	t.Parallel()
	l := newLake(t)
	l.create("clicks", clicks(), catalog.WithProperties(iceberg.Properties{"write.delete.mode": "merge-on-read"}))
	l.create("letters", letters())
	l.append("clicks", click("1", "anna", ""), click("2", "bob", ""))
	s := l.serve(webManifest(t))
	l.erase(s, account("anna"))
	if l.lies(s, account("anna")) {
		t.Error("the rows lie in the files still")
	}
}

// TestOnlyFilesThatHoldSomething: a file without a record isn't touched, though its
// statistics let it have one; nothing is committed where nothing is held.
func TestOnlyFilesThatHoldSomething(t *testing.T) {
	t.Parallel()
	l := newLake(t)
	fields := clicks()
	spec := iceberg.NewPartitionSpec(iceberg.PartitionField{SourceIDs: []int{2}, FieldID: 1000, Name: "account_bucket", Transform: iceberg.BucketTransform{NumBuckets: 8}})
	l.create("clicks", fields, catalog.WithPartitionSpec(&spec))
	l.create("letters", letters())
	l.append("clicks", click("1", "anna", ""), click("2", "bob", ""), click("3", "zoe", ""))
	l.append("clicks", click("4", "aaron", ""), click("5", "zoe", ""))
	s := l.serve(webManifest(t))
	before := l.paths("clicks")
	if c := l.erase(s, account("mia")); c.Found != 0 {
		t.Errorf("%+v", c)
	}
	same(t, "the files", l.paths("clicks"), before...)
	l.erase(s, account("anna"))
	kept := map[string]bool{}
	for _, p := range l.paths("clicks") {
		kept[p] = true
	}
	gone := 0
	for _, p := range before {
		if !kept[p] {
			gone++
		}
	}
	if gone != 1 {
		t.Errorf("%d files were replaced, one held something", gone)
	}
	same(t, "what is left", l.ids("clicks", "click_id"), "2", "3", "4", "5")
}

// TestExpiresAgainAndAgain: on a local file system an expiry tells of files that an earlier
// one removed; that is no error, and nothing is left.
func TestExpiresAgainAndAgain(t *testing.T) {
	t.Parallel()
	l := newLake(t)
	l.create("clicks", clicks())
	l.create("letters", letters())
	l.append("clicks", click("1", "anna", ""), click("2", "bob", ""), click("3", "carol", ""), click("4", "dave", ""))
	s := l.serve(webManifest(t))
	for _, who := range []string{"anna", "bob", "carol"} {
		if c := l.erase(s, account(who)); c.Erased != 1 || c.Uncovered != "" {
			t.Errorf("%s: %+v", who, c)
		}
		if l.lies(s, account(who)) {
			t.Errorf("%s lies in a file still", who)
		}
	}
	if n := len(l.table("clicks").Metadata().Snapshots()); n != 1 {
		t.Errorf("%d snapshots are left", n)
	}
	same(t, "what is left", l.ids("clicks", "click_id"), "4")
}

// TestFormat3IsRefused: a table of format version 3 is refused by name, as the worker starts
// and where a table becomes one.
func TestFormat3IsRefused(t *testing.T) {
	t.Parallel()
	l := newLake(t)
	l.create("clicks", clicks())
	l.create("letters", letters())
	l.append("clicks", click("1", "anna", ""))
	s := l.serve(webManifest(t))
	p := l.plan(s, account("anna"))
	tx := l.table("clicks").NewTransaction()
	if err := tx.UpgradeFormatVersion(3); err != nil {
		t.Fatal(err)
	}
	if _, err := tx.Commit(t.Context()); err != nil {
		t.Fatal(err)
	}
	err := s.Erase(t.Context(), []*worker.EraseJob{{Job: account("anna"), Plan: p}})
	var e *worker.Error
	if !errors.As(err, &e) || e.Code != "lake-format" || !e.Permanent() {
		t.Errorf("the erasure says %v", err)
	}
	if _, err := New(t.Context(), webManifest(t), l.cat); err == nil || !strings.Contains(err.Error(), "web.yaml:2") || !strings.Contains(err.Error(), "format version 3") {
		t.Errorf("the start says %v", err)
	}
	if len(l.gather(l.serve(webManifest(t, "[gather, erase]", "[gather]")), account("anna"))) != 1 {
		t.Error("what can't be erased can't be gathered")
	}
}

// racing has somebody append before a commit.
type racing struct {
	catalog.Catalog
	before func()
}

func (r *racing) CommitTable(ctx context.Context, ident table.Identifier, reqs []table.Requirement, updates []table.Update) (table.Metadata, string, error) {
	if f := r.before; f != nil {
		r.before = nil
		f()
	}
	return r.Catalog.CommitTable(ctx, ident, reqs, updates)
}

func (r *racing) LoadTable(ctx context.Context, ident table.Identifier) (*table.Table, error) {
	tbl, err := r.Catalog.LoadTable(ctx, ident)
	if err != nil {
		return nil, err
	}
	return table.New(ident, tbl.Metadata(), tbl.MetadataLocation(), tbl.FS, r), nil
}

// TestRefusedCommitIsBegunAnew: somebody appends rows of the same person while an erasure
// writes; it is refused, begun anew, takes them too, and leaves no file behind.
func TestRefusedCommitIsBegunAnew(t *testing.T) {
	t.Parallel()
	l := newLake(t)
	l.create("clicks", clicks())
	l.create("letters", letters())
	l.append("clicks", click("1", "anna", ""), click("2", "bob", ""))
	r := &racing{Catalog: l.cat}
	s, err := New(t.Context(), webManifest(t), r)
	if err != nil {
		t.Fatal(err)
	}
	p := l.plan(s, account("anna"))
	r.before = func() { l.append("clicks", click("3", "anna", ""), click("4", "bob", "")) }
	j := &worker.EraseJob{Job: account("anna"), Plan: p}
	if err := s.Erase(t.Context(), []*worker.EraseJob{j}); err != nil {
		t.Fatal(err)
	}
	if c := of(j.Counts, "clicks"); c.Erased != 2 || c.Late != 1 || dsar.Unmet(p.Counts(), j.Counts) != "" {
		t.Errorf("%+v", c)
	}
	same(t, "what is left", l.ids("clicks", "click_id"), "2", "4")
	orphans, err := l.table("clicks").PlanOrphanFiles(t.Context(), table.WithFilesOlderThan(0))
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range orphans.Files() {
		if strings.HasSuffix(path, ".parquet") {
			t.Errorf("%s is left behind", path)
		}
	}
}

// TestTagsAreNamed: a tag that still holds the rows is named, and holds the proof open; it is
// removed where the manifest says so.
func TestTagsAreNamed(t *testing.T) {
	t.Parallel()
	for _, refs := range []string{"{}", "{refs: remove}"} {
		l := newLake(t)
		l.create("clicks", clicks())
		l.create("letters", letters())
		l.append("clicks", click("1", "anna", ""), click("2", "bob", ""))
		now := l.table("clicks")
		if _, _, err := l.cat.CommitTable(t.Context(), now.Identifier(), nil, []table.Update{table.NewSetSnapshotRefUpdate("audit", now.CurrentSnapshot().SnapshotID, table.TagRef, -1, -1, -1)}); err != nil {
			t.Fatal(err)
		}
		s := l.serve(webManifest(t, "lake: {}", "lake: "+refs))
		p := l.plan(s, account("anna"))
		c := l.erase(s, account("anna"))
		named := strings.Contains(c.Uncovered, "audit") && c.Cause != nil && c.Cause.Code == "lake-ref"
		if removes := refs != "{}"; named == removes || c.Erased != 1 {
			t.Errorf("%s: %+v", refs, c)
		}
		proof := l.prove(s, account("anna"), p)
		if removes := refs != "{}"; (proof.Uncovered == "") != removes || proof.Found != 0 {
			t.Errorf("%s: the proof says %+v", refs, proof)
		}
	}
}

// TestOrphansAreNamed: a file that belongs to no snapshot and holds rows is named; what other
// files hold is not.
func TestOrphansAreNamed(t *testing.T) {
	t.Parallel()
	l := newLake(t)
	l.create("clicks", clicks())
	l.create("letters", letters())
	l.append("clicks", click("1", "anna", ""), click("2", "bob", ""))
	s := l.serve(webManifest(t))
	tbl := l.table("clicks")
	schema, batches, err := read(t.Context(), tbl, must(files(t.Context(), tbl, iceberg.AlwaysTrue{})), nil, 1)
	if err != nil {
		t.Fatal(err)
	}
	for _, err := range table.WriteRecords(t.Context(), tbl, schema, func(yield func(arrow.RecordBatch, error) bool) {
		for b, err := range batches {
			if !yield(b, err) {
				return
			}
		}
	}) {
		if err != nil {
			t.Fatal(err)
		}
	}
	c := l.erase(s, account("anna"))
	if c.Erased != 1 || c.Cause == nil || c.Cause.Code != "lake-orphan" {
		t.Errorf("%+v", c)
	}
	if c := l.erase(s, account("carol")); c.Uncovered != "" {
		t.Errorf("of somebody else: %+v", c)
	}
}

// age has all files of the lake be older than they are.
func (l *lake) age(t *testing.T, by time.Duration) {
	t.Helper()
	when := time.Now().Add(-by)
	err := filepath.WalkDir(filepath.Join(l.dir, "files"), func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		return os.Chtimes(path, when, when)
	})
	if err != nil {
		t.Fatal(err)
	}
}

// TestHalfWrittenFiles: a file that can't be read is named. This worker's own is removed after an
// hour, when it can't be writing it any more; another's may be anything, and is left.
func TestHalfWrittenFiles(t *testing.T) {
	t.Parallel()
	for name, age := range map[string]time.Duration{"00000-0" + ownMark + "abc-00001.parquet": ownAge, "00000-0-other-00001.parquet": orphanAge} {
		l := newLake(t)
		l.create("clicks", clicks())
		l.create("letters", letters())
		l.append("clicks", click("1", "anna", ""), click("2", "bob", ""))
		s := l.serve(webManifest(t))
		half := filepath.Join(filepath.Dir(strings.TrimPrefix(l.paths("clicks")[0], "file://")), name)
		if err := os.WriteFile(half, []byte("PAR1 and no end"), 0o600); err != nil {
			t.Fatal(err)
		}
		p := l.plan(s, account("anna"))
		j := &worker.EraseJob{Job: account("anna"), Plan: p}
		erase := func() dsar.Counts {
			t.Helper()
			if err := s.Erase(t.Context(), []*worker.EraseJob{j}); err != nil {
				t.Fatal(err)
			}
			return of(j.Counts, "clicks")
		}
		if c := erase(); c.Erased != 1 || c.Cause == nil || !strings.HasPrefix(c.Cause.Code, "lake-orphan") {
			t.Errorf("%s: %+v", name, c)
		}
		l.age(t, age-time.Minute)
		if c := erase(); c.Cause == nil {
			t.Errorf("%s was removed when it might have been somebody's: %+v", name, c)
		}
		l.age(t, age+time.Minute)
		own := strings.Contains(name, ownMark)
		if c := erase(); own != (c.Uncovered == "") || !own && c.Cause.Code != "lake-orphan-unread" {
			t.Errorf("%s: %+v", name, c)
		}
		if _, err := os.Stat(half); own != errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%s: %v", name, err)
		}
		if own {
			continue
		}
		if err := os.Remove(half); err != nil {
			t.Fatal(err)
		}
		if c := erase(); c.Uncovered != "" {
			t.Errorf("%s was taken away: %+v", name, c)
		}
	}
}

func must(tasks []table.FileScanTask, err error) []table.FileScanTask {
	if err != nil {
		panic(err)
	}
	return tasks
}

// TestBrokenOffAnywhere breaks an erasure off at each point between its steps: the table is
// whole, what it held of others is there, and the next attempt does the rest.
func TestBrokenOffAnywhere(t *testing.T) {
	t.Parallel()
	for _, point := range points() {
		l := newLake(t)
		l.create("clicks", clicks())
		l.create("letters", letters())
		l.append("clicks", click("1", "anna", ""), click("2", "bob", ""))
		s := l.serve(webManifest(t))
		p := l.plan(s, account("anna"))
		s.at = func(at string) error {
			if at == point {
				return errors.New("broken off")
			}
			return nil
		}
		if err := s.Erase(t.Context(), []*worker.EraseJob{{Job: account("anna"), Plan: p}}); err == nil {
			t.Fatalf("%s: it wasn't broken off", point)
		}
		s.at = nil
		left := l.ids("clicks", "click_id")
		if point == "file" || point == "written" {
			same(t, "what is left", left, "1", "2")
		} else {
			same(t, "what is left", left, "2")
		}
		j := &worker.EraseJob{Job: account("anna"), Plan: p}
		if err := s.Erase(t.Context(), []*worker.EraseJob{j}); err != nil {
			t.Fatal(err)
		}
		if c := of(j.Counts, "clicks"); c.Erased != 1 || c.Found != 1 || c.Gone != 0 || c.Uncovered != "" {
			t.Errorf("%s: this erasure's own: %+v", point, c)
		}
		same(t, "what is left in the end", l.ids("clicks", "click_id"), "2")
		if l.lies(s, account("anna")) {
			t.Errorf("%s: the rows lie in files still", point)
		}
	}
}

// TestUUIDsInAnyWriting: files are passed over by the writings that a lake may have of a UUID,
// and not by the one that was asked for.
func TestUUIDsInAnyWriting(t *testing.T) {
	t.Parallel()
	const one, other = "5f2b3c4d-1a2b-4c3d-8e9f-0a1b2c3d4e5f", "5f2b3c4d-1a2b-4c3d-8e9f-0a1b2c3d4e50"
	l := newLake(t)
	l.create("clicks", clicks())
	l.create("letters", letters())
	for i, w := range []string{one, strings.ToUpper(one), strings.ReplaceAll(one, "-", ""), "{" + one + "}", strings.ToUpper(other)} {
		l.append("clicks", click(strconv.Itoa(i), w, "")) // a file each
	}
	s := l.serve(webManifest(t))
	for _, asked := range []string{one, strings.ToUpper(one), strings.ReplaceAll(one, "-", "")} {
		if got := len(l.gather(s, account(asked))); got != 4 {
			t.Errorf("%d records are found by %q", got, asked)
		}
	}
	if c := l.erase(s, account(strings.ReplaceAll(one, "-", ""))); c.Erased != 4 {
		t.Errorf("erased %d", c.Erased)
	}
	same(t, "left", l.ids("clicks", "click_id"), "4")
}
