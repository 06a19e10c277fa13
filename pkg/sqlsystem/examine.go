package sqlsystem

import (
	"context"
	"slices"
	"time"

	"habeas.dev/pkg/dsar"
	"habeas.dev/pkg/manifest"
	"habeas.dev/pkg/worker"
)

// examination is a look at the rows that plans name, and at those that asking anew
// finds, of many people.
type examination struct {
	*System
	on       executor
	jobs     []*counted
	datasets []*dataset
	day      time.Time
	lacking  lacks
	holdings []*holding
	chunks   []*chunk
}

// examination makes a look at datasets. chunks are those by which the jobs' people are
// asked for ([System.still]): a row of what moved is somebody else's.
func (s *System) examination(on executor, jobs []*counted, chunks []*chunk, datasets []*dataset, lacking lacks) *examination {
	return &examination{System: s, on: on, jobs: jobs, chunks: chunks, datasets: datasets, day: today(s.now()), lacking: lacking}
}

// holding is what a dataset holds of the jobs' people.
type holding struct {
	d    *dataset
	rows map[string]*item
	keys []string // of rows, in the order in which they were met
	// concerned are the jobs that may have something here.
	concerned []int
	// erase and keep are the keys of rows that are there, when it is decided.
	erase, keep []string
}

// item is a row that was planned or found.
type item struct {
	key    string
	there  bool // it exists
	done   bool // it exists, and is as an erasure makes it
	is     stay // by the rules of retention, today
	lost   bool // the row is gone that had the date by which they go: it is as planned
	found  ways // by which asking anew found it
	shares []share
}

// share is one job's part in a row.
type share struct {
	job     int
	planned bool
	ways    ways   // by which it was planned
	names   string // of them, as the plan has them
	unknown bool   // the manifest has some of them no more, or the plan doesn't say them
	keep    *stay  // the plan has it stay
	due     bool   // it was planned before, and no erasure has touched it
	met     bool   // it is as the ways leave it by which it was planned
	found   bool   // by asking anew
	others  bool   // it leads to other identifiers than the job's, and to none of the job's
	several bool   // and does so only by ways that lead to several rows
	nobodys bool   // it was deleted long ago, and what stands there leads to nobody: its number may have been given anew
}

// led returns the ways that lead to the row, or that led there when it was planned for one
// whose it is still.
func (r *item) led() ways {
	out := r.found
	for _, s := range r.shares {
		if s.planned && !s.others && !s.unknown {
			out |= s.ways
		}
	}
	return out
}

// stays says why a row must stay; nil where it needn't. A rule that holds is told
// before a hold, and a hold before a plan whose reason is over by now. What the manifest
// has kept stays unless another way to the row, of somebody who is erased too, erases it;
// whether others refer to it isn't asked of the plan, but of the database ([examination.spared]).
func (r *item) stays(in interface {
	held(job int, d *dataset, key string) bool
}, d *dataset) *stay {
	if r.is.kept && !r.lost {
		return &r.is
	}
	var planned *stay
	led := r.led()
	keeps := led != 0 && d.act(led).keeps()
	if keeps {
		planned = &stay{true, manifest.GroundKept, time.Time{}}
	}
	for _, share := range r.shares {
		if in.held(share.job, d, r.key) {
			return &stay{true, dsar.LegalHold, time.Time{}}
		}
		if share.keep == nil || share.keep.ground == manifest.GroundShared && len(d.uses) > 0 {
			continue
		}
		if share.keep.ground != manifest.GroundKept || led == 0 || keeps {
			planned = share.keep
		}
	}
	return planned
}

// readPlans reads the jobs' plans.
func readPlans(ctx context.Context, jobs []*counted) error {
	for _, j := range jobs {
		j.planned = nil
		for entry, err := range j.plan.Entries(ctx) {
			if err != nil {
				return err
			}
			j.planned = append(j.planned, entry)
		}
	}
	return nil
}

// examine looks at each dataset.
func (e *examination) examine(ctx context.Context) error {
	for _, d := range e.datasets {
		h, err := e.examineOne(ctx, d)
		if e.holdings = append(e.holdings, h); err != nil {
			return err
		}
	}
	return nil
}

// examineOne looks at a dataset: first by asking anew, then by the keys of what that didn't
// find. Also where it fails, it returns which jobs may have something there.
func (e *examination) examineOne(ctx context.Context, d *dataset) (*holding, error) {
	h := &holding{d: d, rows: map[string]*item{}}
	for i, j := range e.jobs {
		for _, entry := range j.planned {
			if entry.Dataset == d.Name {
				h.plan(i, entry)
			}
		}
	}
	for _, c := range e.chunks {
		h.concerned = append(h.concerned, c.concerned(d)...)
	}
	slices.Sort(h.concerned)
	h.concerned = slices.Compact(h.concerned)
	if e.lacking[d.Name].no[reading] {
		h.rows, h.keys = map[string]*item{}, nil
		return h, nil
	}
	if err := e.filtered(d); err != nil && len(h.concerned) > 0 {
		return h, err
	}
	for _, c := range e.chunks {
		err := e.find(ctx, e.on, d, c, e.day, false, func(r *row) error {
			e.found(h, r)
			return nil
		})
		if err != nil {
			return h, err
		}
	}
	return h, e.look(ctx, h)
}

func (h *holding) item(key string) *item {
	r := h.rows[key]
	if r == nil {
		r = &item{key: key}
		h.rows[key] = r
		h.keys = append(h.keys, key)
	}
	return r
}

func (h *holding) plan(job int, entry worker.Entry) {
	s := share{job: job, planned: true, names: entry.Ways, due: entry.Due}
	if led, known := h.d.waysNamed(entry.Ways); known {
		s.ways = led
	} else {
		s.ways, s.unknown = ^ways(0), true
	}
	if entry.Keep {
		s.keep = &stay{true, entry.Ground, entry.Until}
	}
	r := h.item(entry.Key)
	r.shares = append(r.shares, s)
	if !slices.Contains(h.concerned, job) {
		h.concerned = append(h.concerned, job)
	}
}

// found takes in a row that asking anew has found. To a job that goes by its keys only,
// it says no more than that a planned row is still its person's.
func (e *examination) found(h *holding, row *row) {
	for _, o := range row.owners {
		r := h.rows[row.key]
		planned := r != nil && slices.ContainsFunc(r.shares, func(s share) bool { return s.job == o.job && s.planned })
		if e.jobs[o.job].ByKeys && !planned {
			continue
		}
		r = h.item(row.key)
		if !r.there || row.longer(r.is) { // another chunk may have found it by another law
			r.is = row.stay
		}
		r.there, r.found = true, r.found|o.ways
		if i := slices.IndexFunc(r.shares, func(s share) bool { return s.job == o.job }); i >= 0 {
			r.shares[i].found = true
		} else {
			r.shares = append(r.shares, share{job: o.job, found: true})
		}
	}
}

// look looks by their keys at the rows that were planned for somebody and not found
// anew to be theirs: what led to them may be gone, and they themselves not. Where a row
// outlives what an erasure makes of it, it looks at those that were found, too: they may be
// as they should be.
func (e *examination) look(ctx context.Context, h *holding) error {
	var keys []string
	for _, key := range h.keys {
		if h.d.outlived() || slices.ContainsFunc(h.rows[key].shares, func(s share) bool { return s.planned && !s.found }) {
			keys = append(keys, key)
		}
	}
	if len(keys) == 0 || h.d.unstable {
		return nil
	}
	var there, suspects []string
	set := map[string]ways{} // by key
	err := e.byKey(ctx, e.on, h.d, making{removes: e.removes(h.d)}, keys, e.day, func(key string) []string { return e.lawsOf(h.rows[key]) }, func(key string, is stay, lost bool, has ways) {
		r := h.rows[key]
		if r == nil { // a key that the database writes in another way than the plan
			return
		}
		r.there, r.is, r.lost = true, is, lost && r.found == 0
		there, set[key] = append(there, key), has
		open := false
		for i := range r.shares {
			s := &r.shares[i]
			s.met = s.planned && h.d.act(s.ways).met(has)
			open = open || s.planned && !s.found && !s.met
		}
		if open {
			suspects = append(suspects, key)
		}
	})
	if err != nil {
		return err
	}
	if err := e.whose(ctx, h, suspects); err != nil {
		return err
	}
	for _, key := range there {
		r := h.rows[key]
		led := r.led()
		if r.unknown(h.d) { // as all of them would make it
			led = ^ways(0)
		}
		r.done = r.done || h.d.act(led).met(set[key])
	}
	return nil
}

// unsure reports whether it isn't known what is to become of a row for one whose plan doesn't
// say all the ways by which it was found. It is known where those that find it anew do with
// it all that any would: it is to be the same for the proof, which finds it by none.
func (r *item) unsure(d *dataset, s share) bool {
	return s.unknown && !s.others && !(s.found && d.act(r.found) == d.act(^ways(0)))
}

// unknown reports whether a row is unsure for one of its people.
func (r *item) unknown(d *dataset) bool {
	return slices.ContainsFunc(r.shares, func(s share) bool { return r.unsure(d, s) })
}

// unknownWays says that a row is left, since what is to become of it isn't known. A new plan
// takes over what the earlier one has of it, so that it wouldn't be known by that either.
const unknownWays = "it isn't known any more by which way a row was planned (the manifest has changed, or the plan is of before v0.2.0), and it was left: erase it by hand"

// outlived reports whether a row keeps a number by which it is found when it is made
// anonymous, as the manifest allows of one to which nothing leads any more.
func (d *dataset) outlived() bool {
	return slices.ContainsFunc(d.subjects, func(s subject) bool {
		_, set := s.lookup.sets[s.column]
		return s.lookup.sets != nil && !set && len(s.lookup.joins) == 0 && s.element == "" && !s.held.part
	})
}

// lawsOf returns the laws under which the people asked whose row it is.
func (e *examination) lawsOf(r *item) []string {
	var laws []string
	if r == nil {
		return []string{""}
	}
	for _, s := range r.shares {
		if law := e.jobs[s.job].Jurisdiction; !slices.Contains(laws, law) {
			laws = append(laws, law)
		}
	}
	return laws
}

func tasksOf(jobs []*counted) []*worker.Task {
	tasks := make([]*worker.Task, len(jobs))
	for i, j := range jobs {
		if tasks[i] = &j.Task; j.ByKeys {
			tasks[i] = &worker.Task{Identifiers: j.Owner, Jurisdiction: j.Jurisdiction}
		}
	}
	return tasks
}
