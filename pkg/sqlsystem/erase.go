package sqlsystem

import (
	"cmp"
	"context"
	"database/sql"
	"fmt"
	"maps"
	"slices"

	"habeas.dev/pkg/dsar"
	"habeas.dev/pkg/manifest"
	"habeas.dev/pkg/worker"
)

// Erase deletes or makes anonymous what was planned of many people, by the plan's
// keys, and what came since, by asking anew, in one transaction: those rows first
// that refer to others'. What must stay, stays, though it was planned otherwise.
// Before the first row is touched it is known what else would go ([System.reach]);
// before all is committed, what did ([System.settle]). Where the database refuses a
// row, each person is erased in a transaction of their own, so that only whose row it
// is fails. A dataset that the database doesn't let be read or erased is named, and
// what leads to its rows is left and named too (TestForbiddenErase).
func (s *System) Erase(ctx context.Context, all []*worker.EraseJob) error {
	jobs := eraseJobs(all)
	err := s.eraseByPlan(ctx, jobs)
	s.tellErased(all, jobs, err)
	return err
}

// tellErased hands the counts of an erasure on, and what went with it.
func (s *System) tellErased(all []*worker.EraseJob, jobs []*counted, err error) {
	for i, j := range jobs {
		for _, e := range j.late {
			all[i].KeepEntry(e)
		}
		if all[i].Counts = s.withTaken(j.Counts, j.taken); err == nil && j.Err == nil {
			noteTaken(j.Job, j.taken, "went with what was erased", "lost their reference to what was erased")
		}
	}
}

func (s *System) eraseByPlan(ctx context.Context, jobs []*counted) error {
	if err := readPlans(ctx, jobs); err != nil {
		return err
	}
	return s.transact(ctx, jobs, s.eraseWithFiles)
}

// eraseIn erases by the jobs' plans, which were read, in a transaction.
func (s *System) eraseIn(ctx context.Context, tx *sql.Tx, jobs []*counted, lacking lacks) (*erasure, error) {
	before, err := s.dialect.tallies(ctx, tx, s.m.SQL.Schema)
	if err != nil {
		return nil, err
	}
	chunks, all, err := s.still(ctx, tx, tasksOf(jobs))
	if err != nil {
		return nil, err
	}
	e := &erasure{bound: s.examination(tx, jobs, chunks, s.erasing, lacking).bound(tx)}
	if err := e.examine(ctx); err != nil {
		return nil, err
	}
	e.findHeld()
	e.findGaps()
	if err := e.judgeAll(ctx); err != nil {
		return nil, err
	}
	if err := s.notOvertaken(jobs); err != nil {
		return nil, err
	}
	for _, d := range e.datasets {
		uncoverMoved(all, d, jobs)
	}
	if err := e.overreaches(ctx); err != nil {
		return nil, err
	}
	if e.sizes, err = e.letSizes(ctx); err != nil {
		return nil, err
	}
	for _, h := range e.holdings {
		if err := e.erase(ctx, h); err != nil {
			return nil, err
		}
	}
	return e, e.close(ctx, before)
}

// erasure is an erasure of many people in one transaction.
type erasure struct {
	*bound
	holds []map[string]bool     // by job, the datasets of which a hold keeps something
	gaps  []map[*dataset]string // by job, the datasets that are left, and why
}

// findHeld makes out of which datasets a hold keeps something from each job.
func (e *erasure) findHeld() {
	e.holds = make([]map[string]bool, len(e.jobs))
	for i, j := range e.jobs {
		e.holds[i] = setOf(j.Holds)
	}
	for _, h := range e.holdings {
		for key, r := range h.rows {
			for _, share := range r.shares {
				if r.there && !e.holds[share.job][h.d.Name] && e.held(share.job, h.d, key) {
					e.holds[share.job][h.d.Name] = true
				}
			}
		}
	}
}

// findGaps makes out what is left of each job: what the database doesn't let be
// read or erased, what leads there, and what would take with it what is held.
func (e *erasure) findGaps() {
	e.gaps = make([]map[*dataset]string, len(e.jobs))
	for _, h := range e.holdings {
		lack := e.lacking[h.d.Name]
		for i := range e.jobs {
			for _, p := range h.d.takes {
				if e.holds[i][h.d.Name] && !slices.Contains(e.jobs[i].Holds, p.Name) {
					e.leave(i, p, "left, since the database would delete what is held of "+h.d.Name+" with it")
				}
			}
		}
		switch {
		case lack.no[reading]:
			for _, i := range h.concerned {
				e.leave(i, h.d, lack.reason)
			}
		case lack.no[deleting] || lack.no[changing]:
			for _, r := range h.rows {
				if !r.there || r.done || r.stays(e, h.d) != nil {
					continue
				}
				for _, share := range r.shares {
					e.leave(share.job, h.d, lack.reason)
				}
			}
		}
	}
}

// leave leaves a dataset of a job, and what leads to it.
func (e *erasure) leave(job int, d *dataset, reason string) {
	if e.gaps[job] == nil {
		e.gaps[job] = map[*dataset]string{}
	}
	if e.gaps[job][d] != "" {
		return
	}
	e.gaps[job][d] = reason
	for _, p := range d.leads {
		e.leave(job, p, "left, since what is in "+d.Name+" could not be found without it")
	}
}

// judgeAll decides on each row: on those that go with others', or stay while others refer to
// them, after those.
func (e *erasure) judgeAll(ctx context.Context) error {
	for _, h := range slices.SortedStableFunc(slices.Values(e.holdings), func(a, b *holding) int {
		return slices.Index(e.deciding, a.d) - slices.Index(e.deciding, b.d)
	}) {
		for _, other := range e.holdings {
			if len(h.d.with) > 0 && other.d == h.d.with[0].dataset {
				if err := e.keepWith(ctx, h, other); err != nil {
					return err
				}
			}
		}
		if err := e.spare(ctx, h); err != nil {
			return err
		}
		e.judge(h)
	}
	return nil
}

// judge decides on each row of a dataset, and counts. What one of several people's
// row is to stay for, it stays for.
func (e *erasure) judge(h *holding) {
	lack := e.lacking[h.d.Name]
	counts := make([]dsar.Counts, len(e.jobs))
	for _, key := range h.keys {
		r := h.rows[key]
		if !r.there || r.done {
			for _, share := range r.shares {
				if share.planned {
					counts[share.job].Gone++
				}
			}
			continue
		}
		stays, gap := r.stays(e, h.d), ""
		if r.unknown(h.d) {
			gap = unknownWays
		}
		for _, share := range r.shares {
			gap = cmp.Or(gap, e.gaps[share.job][h.d])
		}
		mine := false
		for _, share := range r.shares {
			n := &counts[share.job]
			if share.nobodys { // a person must look whose it is
				n.Uncovered = worker.Unclaimed
				n.Unclaimed++
				continue
			}
			others := e.isOthers(share, stays)
			if others && e.jobs[share.job].ByKeys { // long ago: the person's own is gone
				n.Gone++
				continue
			}
			if others { // it is planned, and somebody else's by now
				n.Uncovered = worker.Overtaken
				n.Reassigned++
				continue
			}
			mine = true
			n.Found++
			switch {
			case stays != nil:
				n.Retain(1, stays.ground, stays.until)
			case gap != "":
				n.Uncovered = gap
				continue
			case !h.d.act(r.led()).deletes:
				n.Anonymised++
			default:
				n.Erased++
			}
			if !share.planned {
				n.Late++
			}
			if stays != nil && share.keep == nil { // the plan doesn't say so
				ways := cmp.Or(share.names, h.d.wayNames(r.found))
				e.jobs[share.job].late = append(e.jobs[share.job].late, worker.Entry{Dataset: h.d.Name, Key: key, Keep: true, Ground: stays.ground, Until: stays.until, Ways: ways})
			}
		}
		switch {
		case mine && stays == nil && gap == "":
			h.erase = append(h.erase, key)
		case mine:
			h.keep = append(h.keep, key)
		}
	}
	for i := range counts {
		n := &counts[i]
		n.Dataset = h.d.Name
		if lack.no[reading] && slices.Contains(h.concerned, i) {
			n.Uncovered = lack.reason
		}
		if len(n.Retained) > 0 && lack.no[restricting] {
			n.Uncovered = cmp.Or(n.Uncovered, lack.reason)
		}
		if n.Uncovered != "" {
			n.Cause = lack.cause
		}
		if n.Found+n.Gone > 0 || n.Uncovered != "" {
			e.jobs[i].Counts = append(e.jobs[i].Counts, *n)
		}
	}
}

// overreaches fails where more would go than is to go.
func (e *erasure) overreaches(ctx context.Context) error {
	reach, err := e.reach(ctx, e.tx)
	if err != nil {
		return err
	}
	for _, h := range e.holdings {
		for _, key := range h.erase {
			reach.erases(h.d, h.rows[key].shares[0].job, key, h.d.act(h.rows[key].led()))
		}
	}
	for i, j := range e.jobs {
		taken, err := reach.check(ctx, e.tx, i, e.holds[i])
		if err != nil {
			return err
		}
		j.taken = taken
		for _, n := range taken {
			e.taken += n
		}
	}
	e.detached, e.bounded = reach.detached, reach.bounded()
	for d, keys := range reach.loses {
		e.means(d, slices.Collect(maps.Keys(keys)))
	}
	return nil
}

// erase erases the rows of a dataset that are to go, and locks those away that stay.
func (e *erasure) erase(ctx context.Context, h *holding) error {
	byAct := map[act][]string{}
	for _, key := range h.erase {
		how := h.d.act(h.rows[key].led())
		byAct[how] = append(byAct[how], key)
	}
	for _, how := range slices.SortedFunc(maps.Keys(byAct), act.compare) {
		if err := e.eraseBy(ctx, h, how, byAct[how]); err != nil {
			return err
		}
	}
	// What had to stay is kept for the duty or claim, and for nothing else (GDPR
	// art. 18). A dataset without a flag relies on what else its system does.
	flags := manifest.Locks(h.d.SQL.Restrict)
	if len(h.keep) == 0 || len(flags) == 0 || e.lacking[h.d.Name].no[restricting] {
		return nil
	}
	n, err := e.write(ctx, e.tx, h.d, restricting, h.keep, func(q *statement) { h.d.flagging(q, flags, false) })
	e.changed += n
	e.wrote[h.d] += n
	e.means(h.d, h.keep)
	if err != nil || n != int64(len(h.keep)) { // a trigger has left some as they were
		return err
	}
	other, err := e.notWritten(ctx, e.tx, h.d, h.keep, e.flagged(h.d, flags, false))
	if err == nil && other == 0 {
		e.countLocked(h.d)
	}
	return err
}

// eraseBy erases rows of a dataset in one manner.
func (e *erasure) eraseBy(ctx context.Context, h *holding, how act, keys []string) error {
	what := changing
	if how.deletes {
		what = deleting
	}
	if !how.deletes {
		if err := e.followers(ctx, h.d, columnsOf(h.d.values(how)), keys); err != nil {
			return err
		}
	}
	making, err := e.making(ctx, h.d, how, keys)
	if err != nil {
		return err
	}
	n, err := e.write(ctx, e.tx, h.d, what, keys, func(q *statement) {
		q.making = making
		h.d.erasing(q, how)
	})
	if err != nil {
		return err
	}
	if n != int64(len(keys)) || !how.deletes { // some went with others of them, or are left, or aren't as written
		if left, err := e.left(ctx, h.d, how, keys); err != nil || left > 0 {
			return cmp.Or[error](err, &shortfall{h.d, what, left, n == int64(len(keys))})
		}
	}
	if how.deletes {
		e.done[h.d] += int64(len(keys))
		e.removed += n
	} else {
		e.done[h.d] += 0
		e.changed += n
		e.wrote[h.d] += n
		e.means(h.d, keys)
	}
	return nil
}

// columnsOf returns the columns that values are set in.
func columnsOf(values map[string]any) (columns []string) {
	for source := range values {
		columns = append(columns, manifest.ParseSource(source).Column)
	}
	return columns
}

// countLocked counts what stays of a dataset as restricted, since all of it was
// flagged: the person is told so (TestKeptIsFlaggedAndSaidToBe).
func (e *erasure) countLocked(d *dataset) {
	for _, j := range e.jobs {
		for i := range j.Counts {
			if c := &j.Counts[i]; c.Dataset == d.Name {
				c.Restricted = c.Kept()
			}
		}
	}
}

// left counts the rows that were to be erased and are as they were.
func (e *erasure) left(ctx context.Context, d *dataset, how act, keys []string) (left int64, err error) {
	err = e.byKey(ctx, e.tx, d, making{removes: e.removes(d)}, keys, e.day, noLaw, func(_ string, _ stay, _ bool, set ways) {
		if !how.met(set) {
			left++
		}
	})
	return left, err
}

// close checks, before all is committed, that nothing went which had to stay, and
// nothing beyond what was to go: also by triggers and foreign keys that are deferred
// (TestCase07TriggersAndRules).
func (e *erasure) close(ctx context.Context, before tallies) error {
	if len(e.done) > 0 {
		if err := e.dialect.beforeCommit(ctx, e.tx); err != nil {
			return err
		}
	}
	var lets []string
	for _, h := range e.holdings {
		lets = append(append(lets, h.d.SQL.Cascades...), h.d.SQL.Unlinks...)
		if len(h.keep) == 0 || len(e.done) == 0 {
			continue
		}
		left, err := e.remaining(ctx, e.tx, h.d, h.keep)
		if err != nil {
			return err
		}
		if gone := int64(len(h.keep)) - left; gone > 0 {
			return &overreach{fmt.Sprintf("%d rows of %s that must stay went with what was erased, by a foreign key, trigger or rule, and all of it was undone", gone, h.d.Name), dsar.Cause{Dataset: h.d.Name}}
		}
	}
	if len(e.done) == 0 {
		return nil
	}
	if err := e.settleSizes(ctx); err != nil {
		return err
	}
	return e.settle(ctx, before, lets)
}

// held reports whether a hold keeps a row from a job.
func (e *examination) held(job int, d *dataset, key string) bool {
	return e.jobs[job].IsHeld(d.Name, key)
}
