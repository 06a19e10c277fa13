package lakesystem

import (
	"context"
	"errors"
	"slices"
	"strings"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/compute"
	"github.com/apache/arrow-go/v18/arrow/memory"
	"github.com/apache/iceberg-go"
	"github.com/apache/iceberg-go/table"
	"github.com/google/uuid"
	"golang.org/x/sync/errgroup"

	"habeas.dev/pkg/dsar"
	"habeas.dev/pkg/worker"
)

// Erase erases the records of many people: for each table, the files that hold any are
// written anew without them, and replaced in one commit. A commit that is refused, since
// somebody else's came before, is begun anew. Then earlier snapshots are expired, and what
// still holds the records is named.
func (s *System) Erase(ctx context.Context, jobs []*worker.EraseJob) error {
	if err := s.wait(jobs); err != nil {
		return err
	}
	end, err := s.turn(ctx)
	if err != nil {
		return err
	}
	defer end()
	for _, j := range jobs {
		j.Counts = nil
	}
	for _, d := range s.datasets {
		if err := s.erase(ctx, d, jobs); err != nil {
			return explain(d, err)
		}
	}
	s.handed.add(jobs, s.now())
	return nil
}

func (s *System) erase(ctx context.Context, d *dataset, jobs []*worker.EraseJob) error {
	h, err := s.examine(ctx, d, jobs)
	if err != nil || h.nothing() {
		return err
	}
	for range maxRounds {
		tbl, err := s.load(ctx, d)
		if err != nil {
			return err
		}
		if err := erasable(d, tbl); err != nil {
			return err
		}
		if err := h.look(ctx, tbl); err != nil {
			return err
		}
		counts, gone, late := h.judge()
		all := marksOf(tbl)
		untold := s.handed.untold(all)
		tbl, done, err := h.replace(ctx, tbl, gone, all.and(h.jobs, counts, untold, s.now()))
		if err != nil {
			return err
		}
		if done {
			return h.settle(ctx, tbl, len(gone) > 0, untold.add(h.jobs, counts), late)
		}
	}
	return worker.RetryAfter(busyPause, "lake-busy", "others commit to "+d.Lake.Table+" all the time, so that nothing could be erased in it", nil)
}

// settle sees to what else holds the records, and tells what was done.
func (h *holding) settle(ctx context.Context, tbl *table.Table, replaced bool, counts []dsar.Counts, late [][]worker.Entry) error {
	places, err := h.forget(ctx, tbl, replaced)
	if err != nil {
		return err
	}
	h.name(counts, places)
	for i, entries := range late {
		for _, e := range entries {
			h.jobs[i].Keep(e.Dataset, e.Key, dsar.Retention{Ground: e.Ground, Until: e.Until})
		}
	}
	h.tell(counts)
	return nil
}

// replace replaces the files that hold what goes, in one commit. It isn't done where the
// commit was refused, or where somebody else's came between.
func (h *holding) replace(ctx context.Context, tbl *table.Table, gone map[string]bool, erased marks) (after *table.Table, done bool, err error) {
	var old []*hit
	for _, f := range h.hits {
		if f.hidden || slices.ContainsFunc(keysOf(f), func(k string) bool { return gone[k] }) {
			old = append(old, f)
		}
	}
	if len(old) == 0 {
		return tbl, true, nil
	}
	slices.SortFunc(old, func(a, b *hit) int { return strings.Compare(a.task.File.FilePath(), b.task.File.FilePath()) })
	written, err := h.rewrite(ctx, tbl, old, gone)
	if err == nil {
		err = h.s.reached("written")
	}
	if err != nil {
		return nil, false, errors.Join(err, h.remove(ctx, tbl, written))
	}
	replaced := make([]iceberg.DataFile, len(old))
	for i, f := range old {
		replaced[i] = f.task.File
	}
	dangling, err := h.dangling(ctx, tbl, replaced)
	if err != nil {
		return nil, false, errors.Join(err, h.remove(ctx, tbl, written))
	}
	tx := tbl.NewTransaction()
	if err := tx.ReplaceFiles(ctx, replaced, written, dangling, iceberg.Properties{"habeas": "erasure", marksProperty: erased.String()}); err != nil {
		return nil, false, errors.Join(err, h.remove(ctx, tbl, written))
	}
	base := tbl.CurrentSnapshot().SnapshotID
	after, err = commit(ctx, tx)
	switch {
	case refused(err):
		return nil, false, h.remove(ctx, tbl, written)
	case err != nil: // whether it was committed isn't known: nothing is removed that may be the table's
		return nil, false, err
	}
	if err := h.s.reached("committed"); err != nil {
		return nil, false, err
	}
	now := after.CurrentSnapshot()
	return after, now != nil && now.ParentSnapshotID != nil && *now.ParentSnapshotID == base, nil
}

func keysOf(f *hit) []string {
	var keys []string
	for k := range f.keys {
		keys = append(keys, k)
	}
	return keys
}

// refused reports whether a commit was refused for somebody else's. The SQL catalogue says
// so in words only.
func refused(err error) bool {
	return err != nil && (errors.Is(err, table.ErrCommitFailed) || errors.Is(err, table.ErrCommitDiverged) || errors.Is(err, table.ErrConflictingDataFiles) ||
		strings.Contains(err.Error(), "requirement failed"))
}

// remove removes files that were written for a commit that was refused.
func (h *holding) remove(ctx context.Context, tbl *table.Table, written []iceberg.DataFile) error {
	ctx = context.WithoutCancel(ctx)
	fsys, err := openFS(ctx, tbl)
	for i := 0; err == nil && i < len(written); i++ {
		err = remove(ctx, fsys, written[i].FilePath())
	}
	return err
}

// rewrite writes files anew without what goes, two at a time.
func (h *holding) rewrite(ctx context.Context, tbl *table.Table, old []*hit, gone map[string]bool) ([]iceberg.DataFile, error) {
	// Where a record goes that asking anew doesn't find, each row's key must be looked at.
	byKey := false
	for key := range gone {
		byKey = byKey || slices.ContainsFunc(h.items[key].shares, func(s share) bool { return !s.found })
	}
	parts := make([][]iceberg.DataFile, len(old))
	all, within := errgroup.WithContext(ctx)
	all.SetLimit(filesAtOnce)
	for i, f := range old {
		all.Go(func() (err error) {
			parts[i], err = h.rewriteOne(within, tbl, f, gone, byKey)
			return err
		})
	}
	err := all.Wait()
	return slices.Concat(parts...), err
}

func (h *holding) rewriteOne(ctx context.Context, tbl *table.Table, f *hit, gone map[string]bool, byKey bool) (written []iceberg.DataFile, err error) {
	schema, batches, err := read(ctx, tbl, []table.FileScanTask{f.task}, nil, 1)
	if err != nil {
		return nil, err
	}
	left := func(yield func(arrow.RecordBatch, error) bool) {
		for batch, err := range batches {
			if err == nil {
				batch, err = h.without(ctx, batch, gone, byKey)
			}
			if err != nil {
				yield(nil, err)
				return
			}
			if batch.NumRows() == 0 {
				batch.Release()
			} else if !yield(batch, nil) {
				return
			}
		}
	}
	files := table.WriteRecords(ctx, tbl, schema, left, table.WithMaxWriteWorkers(1), table.WithRecordBatchBufferSize(2), table.WithWriteUUID(ownName()))
	for file, err := range stepwise(ctx, writeTime, files, func(iceberg.DataFile) {}) {
		if err != nil {
			return written, err
		}
		written = append(written, file)
		if err := h.s.reached("file"); err != nil {
			return written, err
		}
	}
	return written, nil
}

// ownMark is in the names of all files that this worker writes.
const ownMark = "-68616265-6173-8"

// ownName returns a name for files of this worker's own: by chance, but for its beginning.
func ownName() uuid.UUID {
	id := uuid.New()
	copy(id[:], "habeas")
	id[6] = id[6]&0x0f | 0x80 // version 8: of one's own making
	return id
}

// without returns a batch without the rows that go; it takes the batch over.
func (h *holding) without(ctx context.Context, batch arrow.RecordBatch, gone map[string]bool, byKey bool) (arrow.RecordBatch, error) {
	v, err := newView(h.d, batch)
	if err != nil {
		return nil, err
	}
	var mask *array.BooleanBuilder
	var owners []int
	for i := range int(batch.NumRows()) {
		goes := false
		if owners = v.owners(owners[:0], h.people, i); byKey || len(owners) > 0 {
			key, err := v.key(i)
			if err != nil {
				return nil, err
			}
			goes = gone[key] && (len(owners) > 0 || h.goesByKey(v, i, key))
		}
		if goes && mask == nil {
			mask = array.NewBooleanBuilder(memory.DefaultAllocator)
			defer mask.Release()
			for range i {
				mask.Append(true)
			}
		}
		if mask != nil {
			mask.Append(!goes)
		}
	}
	if mask == nil {
		return batch, nil
	}
	defer batch.Release()
	keep := mask.NewBooleanArray()
	defer keep.Release()
	return compute.FilterRecordBatch(ctx, batch, keep, compute.DefaultFilterOptions())
}

// goesByKey reports whether a row of nobody in the batch goes by its key: one that asking anew
// doesn't find was planned under it, and the row isn't somebody else's.
func (h *holding) goesByKey(v *view, i int, key string) bool {
	return slices.ContainsFunc(h.items[key].shares, func(s share) bool {
		return s.planned && !s.found && !v.somebodyElses(h.people, s.job, i)
	})
}

// dangling returns the files of position deletes that are of no use once some data files
// are replaced: all that they are about are among these.
func (h *holding) dangling(ctx context.Context, tbl *table.Table, replaced []iceberg.DataFile) ([]iceberg.DataFile, error) {
	if snap := tbl.CurrentSnapshot(); snap.Summary != nil {
		if n := snap.Summary.Properties["total-delete-files"]; n == "" || n == "0" {
			return nil, nil
		}
	}
	tasks, err := files(ctx, tbl, iceberg.AlwaysTrue{})
	if err != nil {
		return nil, err
	}
	gone, needed, about := map[string]bool{}, map[string]bool{}, map[string]iceberg.DataFile{}
	for _, f := range replaced {
		gone[f.FilePath()] = true
	}
	for _, t := range tasks {
		for _, del := range t.DeleteFiles {
			if about[del.FilePath()] = del; !gone[t.File.FilePath()] {
				needed[del.FilePath()] = true
			}
		}
	}
	var out []iceberg.DataFile
	for path, del := range about {
		if !needed[path] {
			out = append(out, del)
		}
	}
	return out, nil
}
