package lakesystem

import (
	"context"
	"errors"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/apache/iceberg-go"
	"github.com/apache/iceberg-go/table"
	"golang.org/x/sync/errgroup"

	"habeas.dev/pkg/dsar"
	"habeas.dev/pkg/manifest"
	"habeas.dev/pkg/worker"
)

// holding is what a table holds of many people: the records that plans name, and those that
// asking anew finds.
type holding struct {
	s      *System
	d      *dataset
	jobs   []*worker.EraseJob
	people *people
	today  time.Time
	items  map[string]*item // by key

	mu   sync.Mutex // of items and hits, while files are read
	hits map[string]*hit
}

// item is a record that was planned or found.
type item struct {
	there  bool
	is     stay // by the rules of retention, today
	shares []share
}

// share is one person's part in a record.
type share struct {
	job     int
	planned bool
	keep    *stay // the plan has it stay
	found   bool  // by asking anew
	others  bool  // it holds other identifiers than the person's, and none of theirs
}

// hit is a file in which something was found.
type hit struct {
	task table.FileScanTask
	keys map[string]bool
	// hidden tells that it has rows that only reading it raw shows: they were deleted by
	// merge-on-read, and lie there still.
	hidden bool
}

// examine reads the plans of jobs, as far as they are of a dataset.
func (s *System) examine(ctx context.Context, d *dataset, jobs []*worker.EraseJob) (*holding, error) {
	tasks := make([]*worker.Task, len(jobs))
	for i, j := range jobs {
		tasks[i] = &j.Task
	}
	h := &holding{s: s, d: d, jobs: jobs, people: s.people(d, tasks), today: s.today(), items: map[string]*item{}}
	for i, j := range jobs {
		for e, err := range j.Plan.Entries(ctx) {
			if err != nil {
				return nil, err
			}
			if e.Dataset != d.Name {
				continue
			}
			if _, err := worker.KeyColumns(e.Key, len(d.Lake.Key)); err != nil {
				return nil, worker.Permanent("schema-changed", "the plan's keys of "+d.Name+" aren't the key that the manifest names now: retry, and it is planned anew", nil)
			}
			sh := share{job: i, planned: true}
			if e.Keep {
				sh.keep = &stay{true, e.Ground, e.Until}
			}
			it := h.item(e.Key)
			it.shares = append(it.shares, sh)
		}
	}
	return h, nil
}

// today returns the day on which it is told what must stay, in UTC.
func (s *System) today() time.Time {
	y, m, d := s.now().UTC().Date()
	return time.Date(y, m, d, 0, 0, 0, 0, time.UTC)
}

func (h *holding) item(key string) *item {
	it := h.items[key]
	if it == nil {
		it = &item{}
		h.items[key] = it
	}
	return it
}

// nothing reports whether there is nothing to look for.
func (h *holding) nothing() bool { return len(h.items) == 0 && h.people.nobody() }

// look looks at a table: first by asking anew, then by the keys of what was planned and
// that didn't find. It may be called again, for the table as it is then.
func (h *holding) look(ctx context.Context, tbl *table.Table) error {
	h.hits = map[string]*hit{}
	for key, it := range h.items {
		it.there, it.is = false, stay{}
		it.shares = slices.DeleteFunc(it.shares, func(s share) bool { return !s.planned })
		for i := range it.shares {
			it.shares[i].found, it.shares[i].others = false, false
		}
		if len(it.shares) == 0 {
			delete(h.items, key)
		}
	}
	if tbl.CurrentSnapshot() == nil || h.nothing() {
		return nil
	}
	if !h.people.nobody() {
		tasks, err := files(ctx, tbl, h.people.filter(tbl.Schema()))
		if err != nil {
			return err
		}
		if err := h.visit(ctx, tbl, tasks, true, h.found); err != nil {
			return err
		}
	}
	if err := h.hidden(ctx, tbl); err != nil {
		return err
	}
	missing := map[string]bool{}
	for key, it := range h.items {
		if slices.ContainsFunc(it.shares, func(s share) bool { return s.planned && !s.found }) {
			missing[key] = true
		}
	}
	if len(missing) == 0 {
		return nil
	}
	filter := h.keyed(tbl.Schema(), slices.Sorted(maps.Keys(missing)))
	tasks, err := files(ctx, tbl, filter)
	if err != nil {
		return err
	}
	return h.visit(ctx, tbl, tasks, false, func(v *view, i int, of *hit) error {
		key, err := v.key(i)
		if err != nil || !missing[key] {
			return err
		}
		h.mu.Lock()
		defer h.mu.Unlock()
		it := h.items[key]
		for j := range it.shares {
			if sh := &it.shares[j]; !sh.found {
				sh.others = sh.others || v.somebodyElses(h.people, sh.job, i)
			}
		}
		h.meet(v, i, it, of, key)
		return nil
	})
}

// filter returns the condition under which a file can hold something that should be gone: of
// one of the people, or under a key that was planned.
func (h *holding) filter(schema *iceberg.Schema) iceberg.BooleanExpression {
	e := h.people.filter(schema)
	if keys := h.planned(); len(keys) > 0 {
		e = iceberg.NewOr(e, h.keyed(schema, keys))
	}
	return e
}

// planned returns the keys that plans name, sorted.
func (h *holding) planned() []string {
	var keys []string
	for key, it := range h.items {
		if slices.ContainsFunc(it.shares, func(s share) bool { return s.planned }) {
			keys = append(keys, key)
		}
	}
	slices.Sort(keys)
	return keys
}

// concerns returns whose record a row is that should be gone, wherever it lies: by its
// identifiers; or by its key, where it was planned and holds no other person's. It returns
// nobody of a record that must stay.
func (h *holding) concerns(v *view, i int) ([]int, error) {
	who := v.owners(nil, h.people, i)
	key, err := v.key(i)
	if err != nil {
		if len(who) == 0 {
			return nil, nil // no plan names a row without a key
		}
		return nil, err
	}
	it := h.items[key]
	if it == nil {
		return slices.DeleteFunc(who, func(job int) bool { return h.jobs[job].ByKeys }), nil
	}
	if it.there && h.stays(key, it) != nil {
		return nil, nil
	}
	who = slices.DeleteFunc(who, func(job int) bool {
		return h.jobs[job].ByKeys && !slices.ContainsFunc(it.shares, func(s share) bool { return s.job == job && s.planned })
	})
	for _, s := range it.shares {
		if s.planned && !slices.Contains(who, s.job) && !v.somebodyElses(h.people, s.job, i) {
			who = append(who, s.job)
		}
	}
	return who, nil
}

// keyed returns the condition under which a file can hold one of some keys.
func (h *holding) keyed(schema *iceberg.Schema, keys []string) iceberg.BooleanExpression {
	if len(h.d.Lake.Key) > 1 || len(keys) > literals*literals {
		return iceberg.AlwaysTrue{}
	}
	if e, known := among(schema, h.d.Lake.Key[0], keys); known {
		return e
	}
	return iceberg.AlwaysTrue{}
}

// visit goes through the rows of files, two files at a time, so that row is called by two
// goroutines and MUST lock what it changes. owned has those files passed over in which nobody's identifiers are.
func (h *holding) visit(ctx context.Context, tbl *table.Table, tasks []table.FileScanTask, owned bool, row func(v *view, i int, of *hit) error) error {
	all, ctx := errgroup.WithContext(ctx)
	all.SetLimit(filesAtOnce)
	for _, task := range tasks {
		all.Go(func() error {
			if owned {
				some, err := h.holdsSome(ctx, tbl, task)
				if err != nil || !some {
					return err
				}
			}
			_, batches, err := read(ctx, tbl, []table.FileScanTask{task}, h.d.judged, 1)
			if err != nil {
				return err
			}
			of := &hit{task: task, keys: map[string]bool{}}
			return each(batches, h.d, func(v *view, i int) error { return row(v, i, of) })
		})
	}
	return all.Wait()
}

// holdsSome reports whether a file holds a row of these people, by its columns of
// identifiers alone: keys, each of which stands there once, are most of what judging reads.
func (h *holding) holdsSome(ctx context.Context, tbl *table.Table, task table.FileScanTask) (bool, error) {
	var columns []string
	for _, s := range h.d.subjects {
		columns = append(columns, s.column)
	}
	_, batches, err := read(ctx, tbl, []table.FileScanTask{task}, distinct(columns), 1)
	if err != nil {
		return false, err
	}
	only := &dataset{Dataset: &manifest.Dataset{Lake: &manifest.DatasetLake{Table: h.d.Lake.Table}}, subjects: h.d.subjects}
	err = each(batches, only, func(v *view, i int) error {
		if len(v.owners(nil, h.people, i)) > 0 {
			return errFound
		}
		return nil
	})
	if errors.Is(err, errFound) {
		return true, nil
	}
	return false, err
}

// errFound ends a search.
var errFound = errors.New("found")

// found takes in a row that asking anew may find. To a task that goes by its keys only it
// says no more than that a planned record is still its person's.
func (h *holding) found(v *view, i int, of *hit) error {
	owners := v.owners(nil, h.people, i)
	if len(owners) == 0 {
		return nil
	}
	key, err := v.key(i)
	if err != nil {
		return err
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	it := h.items[key]
	for _, who := range owners {
		at := -1
		if it != nil {
			at = slices.IndexFunc(it.shares, func(s share) bool { return s.job == who })
		}
		switch {
		case at >= 0:
			it.shares[at].found = true
		case h.jobs[who].ByKeys:
			continue
		default:
			it = h.item(key)
			it.shares = append(it.shares, share{job: who, found: true})
		}
	}
	if it != nil {
		h.meet(v, i, it, of, key)
	}
	return nil
}

// meet takes in that a record is there. The caller has locked the holding. A file may be
// visited twice: what was met in it the first time stays.
func (h *holding) meet(v *view, i int, it *item, of *hit, key string) {
	it.there = true
	for _, sh := range it.shares {
		if is := v.stays(i, h.jobs[sh.job].Jurisdiction, h.today); is.kept && (!it.is.kept || is.until.IsZero() || !it.is.until.IsZero() && is.until.After(it.is.until)) {
			it.is = is
		}
	}
	path := of.task.File.FilePath()
	if h.hits[path] == nil {
		h.hits[path] = of
	}
	h.hits[path].keys[key] = true
}

// hidden finds the files that hold rows which should be gone and were deleted by
// merge-on-read.
func (h *holding) hidden(ctx context.Context, tbl *table.Table) error {
	tasks, err := files(ctx, tbl, h.filter(tbl.Schema()))
	if err != nil {
		return err
	}
	for _, task := range tasks {
		if len(task.DeleteFiles)+len(task.DeletionVectorFiles)+len(task.EqualityDeleteFiles) == 0 {
			continue
		}
		var rows [2]int
		for n, one := range [][]table.FileScanTask{{task}, raw([]table.FileScanTask{task})} {
			_, batches, err := read(ctx, tbl, one, h.d.judged, 1)
			if err != nil {
				return err
			}
			err = each(batches, h.d, func(v *view, i int) error {
				who, err := h.concerns(v, i)
				if len(who) > 0 {
					rows[n]++
				}
				return err
			})
			if err != nil {
				return err
			}
		}
		if rows[0] == rows[1] {
			continue
		}
		path := task.File.FilePath()
		if h.hits[path] == nil {
			h.hits[path] = &hit{task: task, keys: map[string]bool{}}
		}
		h.hits[path].hidden = true
	}
	return nil
}

// stays says why a record must stay; nil where it needn't. What one of several people's is
// to stay for, it stays for.
func (h *holding) stays(key string, it *item) *stay {
	if it.is.kept {
		return &it.is
	}
	var planned *stay
	for _, sh := range it.shares {
		if h.jobs[sh.job].IsHeld(h.d.Name, key) {
			return &stay{true, dsar.LegalHold, time.Time{}}
		}
		if sh.keep != nil {
			planned = sh.keep
		}
	}
	return planned
}

// judge decides on each record that is there, and counts by job, as an erasure does. gone are
// the keys of those that go.
func (h *holding) judge() (counts []dsar.Counts, gone map[string]bool, late [][]worker.Entry) {
	counts, gone, late = make([]dsar.Counts, len(h.jobs)), map[string]bool{}, make([][]worker.Entry, len(h.jobs))
	for _, key := range slices.Sorted(maps.Keys(h.items)) {
		it := h.items[key]
		stays, mine := h.stays(key, it), false
		for _, sh := range it.shares {
			n := &counts[sh.job]
			switch {
			case !it.there:
				n.Gone++
				continue
			case sh.others && h.jobs[sh.job].ByKeys: // long ago: the person's own is gone
				n.Gone++
				continue
			case sh.others:
				n.Reassigned++
				n.Uncovered, n.Cause = worker.Overtaken, &dsar.Cause{Dataset: h.d.Name}
				continue
			}
			mine = true
			n.Found++
			if stays != nil {
				n.Retain(1, stays.ground, stays.until)
			} else {
				n.Erased++
			}
			if !sh.planned {
				n.Late++
				if stays != nil {
					late[sh.job] = append(late[sh.job], worker.Entry{Dataset: h.d.Name, Key: key, Keep: true, Ground: stays.ground, Until: stays.until})
				}
			}
		}
		if mine && stays == nil {
			gone[key] = true
		}
	}
	return counts, gone, late
}

// tell adds a dataset's counts to the jobs'.
func (h *holding) tell(counts []dsar.Counts) {
	for i, n := range counts {
		if n.Found+n.Gone > 0 || n.Uncovered != "" {
			n.Dataset = h.d.Name
			h.jobs[i].Counts = append(h.jobs[i].Counts, n)
		}
	}
}
