package lakesystem

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"slices"
	"strings"

	"github.com/apache/iceberg-go"
	"github.com/apache/iceberg-go/table"

	"habeas.dev/pkg/dsar"
	"habeas.dev/pkg/manifest"
)

// place is where records still lie that should be gone: in a file that the table as it is
// now doesn't have, or hides.
type place struct {
	ref  string // the tag or branch
	path string // of a file that belongs to no snapshot
	// unread tells that the file can't be read, so that what it holds isn't known.
	unread bool
	code   string
	why    string
	who    map[int]bool
}

// forget expires earlier snapshots, removes what may be removed, and returns what still
// holds records that should be gone. Where files were replaced just now, the snapshot before
// has them: it needn't be read to be known.
func (h *holding) forget(ctx context.Context, tbl *table.Table, replaced bool) ([]place, error) {
	if tbl.CurrentSnapshot() == nil {
		return nil, nil
	}
	if replaced {
		var err error
		if tbl, err = h.expire(ctx); err != nil {
			return nil, err
		}
		if err := h.s.reached("expired"); err != nil {
			return nil, err
		}
	}
	places, err := h.left(ctx, tbl)
	if err != nil || len(places) == 0 {
		return places, err
	}
	if h.s.m.Lake.Refs == manifest.RefsRemove {
		if err := h.removeRefs(ctx, tbl, places); err != nil {
			return nil, err
		}
	}
	if tbl, err = h.expire(ctx); err != nil {
		return nil, err
	}
	if err := h.removeOrphans(ctx, tbl, places); err != nil {
		return nil, err
	}
	return h.left(ctx, tbl)
}

// expire expires all snapshots but the last, as far as refs, and the table's own settings,
// let it. A commit that is refused is for who comes next: what is left is named.
func (h *holding) expire(ctx context.Context) (*table.Table, error) {
	tbl, err := h.s.load(ctx, h.d)
	if err != nil {
		return nil, err
	}
	if tbl.Properties().Get("gc.enabled", "true") == "false" {
		return tbl, nil
	}
	tx := tbl.NewTransaction()
	if err := tx.ExpireSnapshots(table.WithRetainLast(1), table.WithOlderThan(0)); err != nil {
		return nil, err
	}
	// On a local file system the commit stands, and files that an earlier expiry removed
	// are told as missing.
	if _, err := commit(ctx, tx); err != nil && !onlyMissing(err) && !refused(err) {
		return nil, err
	}
	return h.s.load(ctx, h.d)
}

// removeRefs removes the tags and branches that still hold records.
func (h *holding) removeRefs(ctx context.Context, tbl *table.Table, places []place) error {
	refs := maps.Collect(tbl.Metadata().Refs())
	for _, p := range places {
		ref, there := refs[p.ref]
		if p.ref == "" || !there {
			continue
		}
		delete(refs, p.ref)
		_, err := within(ctx, commitTime, func() (struct{}, error) {
			_, _, err := h.s.cat.CommitTable(ctx, h.d.ident,
				[]table.Requirement{table.AssertTableUUID(tbl.Metadata().TableUUID()), table.AssertRefSnapshotID(p.ref, &ref.SnapshotID)},
				[]table.Update{table.NewRemoveSnapshotRefUpdate(p.ref)})
			return struct{}{}, err
		})
		if err != nil && !refused(err) {
			return err
		}
	}
	return nil
}

// removeOrphans removes the files that belong to no snapshot, hold records, and are too old
// to be of a writer that hasn't committed yet. What can't be read stays, as it may be
// anything, unless this worker has written it itself and was broken off.
func (h *holding) removeOrphans(ctx context.Context, tbl *table.Table, places []place) error {
	if !slices.ContainsFunc(places, func(p place) bool { return p.path != "" }) {
		return nil
	}
	old, err := orphansOf(ctx, tbl, orphanAge)
	if err != nil {
		return err
	}
	own, err := orphansOf(ctx, tbl, ownAge)
	if err != nil {
		return err
	}
	removable := old.Files()
	for _, path := range own.Files() {
		if strings.Contains(path, ownMark) {
			removable = append(removable, path)
		}
	}
	fsys, err := openFS(ctx, tbl)
	if err != nil {
		return err
	}
	for _, p := range places {
		if p.path == "" || !slices.Contains(removable, p.path) || p.unread && !strings.Contains(p.path, ownMark) {
			continue
		}
		if err := remove(ctx, fsys, p.path); err != nil {
			return err
		}
	}
	return nil
}

// left reads the files that the table as it is now doesn't have, and returns where records
// lie that should be gone: those of other snapshots, those that belong to none, and rows
// that were deleted by merge-on-read only.
func (h *holding) left(ctx context.Context, tbl *table.Table) ([]place, error) {
	if tbl.CurrentSnapshot() == nil || h.nothing() {
		return nil, nil
	}
	filter := h.filter(tbl.Schema())
	now, err := files(ctx, tbl, filter)
	if err != nil {
		return nil, err
	}
	looked := map[string]bool{}
	for _, t := range now {
		looked[t.File.FilePath()] = true
	}
	var places []place
	for _, t := range now {
		if len(t.DeleteFiles)+len(t.DeletionVectorFiles)+len(t.EqualityDeleteFiles) == 0 {
			continue
		}
		who, err := h.whose(ctx, tbl, t, true)
		if err != nil {
			return nil, err
		}
		if len(who) > 0 {
			places = append(places, place{code: "lake-merge-on-read", why: "rows that were deleted by merge-on-read lie in data files of " + h.d.Lake.Table + " still: erase again, or have its engine rewrite them", who: who})
		}
	}
	for _, snap := range tbl.Metadata().Snapshots() {
		if snap.SnapshotID == tbl.CurrentSnapshot().SnapshotID {
			continue
		}
		tasks, err := files(ctx, tbl, filter, table.WithSnapshotID(snap.SnapshotID))
		if err != nil { // a column that it didn't have yet
			tasks, err = files(ctx, tbl, iceberg.AlwaysTrue{}, table.WithSnapshotID(snap.SnapshotID))
		}
		if err != nil {
			return nil, err
		}
		who := map[int]bool{}
		for _, t := range tasks {
			if looked[t.File.FilePath()] {
				continue
			}
			some, err := h.whose(ctx, tbl, t, false)
			if err != nil {
				return nil, err
			}
			looked[t.File.FilePath()] = len(some) == 0
			maps.Copy(who, some)
		}
		if len(who) > 0 {
			places = append(places, h.snapshot(tbl, snap.SnapshotID, who))
		}
	}
	orphans, err := h.orphans(ctx, tbl)
	return append(places, orphans...), err
}

// snapshot names a snapshot by the tag or branch that keeps it.
func (h *holding) snapshot(tbl *table.Table, id int64, who map[int]bool) place {
	of := map[int64]string{}
	for name, ref := range tbl.Metadata().Refs() {
		if name == table.MainBranch {
			continue
		}
		of[ref.SnapshotID] = name
		for _, s := range table.AncestorsOf(ref.SnapshotID, tbl.Metadata().SnapshotByID) {
			if of[s.SnapshotID] == "" && ref.SnapshotRefType == table.BranchRef {
				of[s.SnapshotID] = name
			}
		}
	}
	if ref := of[id]; ref != "" {
		return place{ref: ref, code: "lake-ref", who: who, why: fmt.Sprintf("the tag or branch %s of %s still holds the records: remove it and retry, or write refs: remove under lake", ref, h.d.Lake.Table)}
	}
	return place{code: "lake-snapshot", who: who, why: "earlier snapshots of " + h.d.Lake.Table + " still hold the records, and weren't expired: let them be (gc.enabled, the settings of branch main), and retry"}
}

// orphans returns the files that belong to no snapshot and hold records.
func (h *holding) orphans(ctx context.Context, tbl *table.Table) ([]place, error) {
	plan, err := orphansOf(ctx, tbl, 0)
	if err != nil {
		return nil, err
	}
	var places []place
	for _, f := range plan.OrphanFiles() {
		if !strings.HasSuffix(f.Path, ".parquet") {
			continue
		}
		b, err := iceberg.NewDataFileBuilder(*iceberg.UnpartitionedSpec, iceberg.EntryContentData, f.Path, iceberg.ParquetFile, nil, nil, nil, 1, max(f.SizeBytes, 1))
		if err != nil {
			return nil, err
		}
		task := table.FileScanTask{File: b.Build(), Length: f.SizeBytes}
		who, err := h.whose(ctx, tbl, task, false)
		if errors.Is(err, fs.ErrNotExist) { // its writer has taken it back, or committed it
			continue
		}
		p := place{path: f.Path, code: "lake-orphan", who: who, why: "files of " + h.d.Lake.Table + " that belong to no snapshot hold the records" +
			": they are removed by a retry, this worker's own when they are an hour old, others when they are three days old; or remove them by hand (Spark: CALL system.remove_orphan_files)"}
		switch own := strings.Contains(f.Path, ownMark); {
		case err != nil && ctx.Err() != nil:
			return nil, err
		case err != nil && own: // it was broken off while it wrote
			p.unread, p.who, p.why = true, h.everybody(), "a file of "+h.d.Lake.Table+" that this worker has begun to write can't be read: it is removed by a retry when it is an hour old"
		case err != nil: // its writer was broken off, or hasn't finished, or it is none of this table's
			p = place{path: f.Path, unread: true, code: "lake-orphan-unread", who: h.everybody(), why: "files of " + h.d.Lake.Table + " that belong to no snapshot can't be read, so that it isn't known whether they hold the records: see what they are, remove them by hand, and retry"}
		}
		if len(p.who) > 0 {
			places = append(places, p)
		}
	}
	return places, nil
}

// everybody returns those of whom something was planned or found.
func (h *holding) everybody() map[int]bool {
	all := map[int]bool{}
	for _, it := range h.items {
		for _, sh := range it.shares {
			all[sh.job] = true
		}
	}
	return all
}

// whose reads a file as it lies there, and returns of whom it holds records that should be
// gone; of the rows that deletes hide only, where it says so.
func (h *holding) whose(ctx context.Context, tbl *table.Table, t table.FileScanTask, hiddenOnly bool) (map[int]bool, error) {
	count := func(tasks []table.FileScanTask) (map[int]int, error) {
		_, batches, err := read(ctx, tbl, tasks, h.d.judged, 1)
		if err != nil {
			return nil, err
		}
		rows := map[int]int{}
		return rows, each(batches, h.d, func(v *view, i int) error {
			who, err := h.concerns(v, i)
			for _, job := range who {
				rows[job]++
			}
			return err
		})
	}
	lies, err := count(raw([]table.FileScanTask{t}))
	if err != nil {
		return nil, err
	}
	if hiddenOnly {
		shown, err := count([]table.FileScanTask{t})
		if err != nil {
			return nil, err
		}
		for who, n := range shown {
			if lies[who] -= n; lies[who] == 0 {
				delete(lies, who)
			}
		}
	}
	who := map[int]bool{}
	for i := range lies {
		who[i] = true
	}
	return who, nil
}

// name says in the counts where records still lie.
func (h *holding) name(counts []dsar.Counts, places []place) {
	for i := range counts {
		var why []string
		n := &counts[i]
		for _, p := range places {
			if !p.who[i] || slices.Contains(why, p.why) || len(why) == maxPlaces {
				continue
			}
			if why = append(why, p.why); n.Cause == nil {
				n.Cause = &dsar.Cause{Code: p.code, Dataset: h.d.Name, Table: h.d.Lake.Table}
			}
		}
		if len(why) > 0 && n.Uncovered == "" {
			n.Uncovered = strings.Join(why, "; ")
		}
	}
}
