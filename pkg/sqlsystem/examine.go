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

func (s *System) examination(on executor, jobs []*counted, datasets []*dataset, lacking lacks) *examination {
	return &examination{System: s, on: on, jobs: jobs, datasets: datasets, day: today(s.now()), lacking: lacking}
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
	ways   ways // by which asking anew found it
	shares []share
}

// share is one job's part in a row.
type share struct {
	job     int
	planned bool
	keep    *stay // the plan has it stay
	found   bool  // by asking anew
	others  bool  // it holds other identifiers than the job's, and none of the job's
}

// stays says why a row must stay; nil where it needn't. A rule that holds is told
// before a hold, and a hold before a plan whose reason is over by now. What the manifest
// has kept stays unless another way to the row, of somebody who is erased too, erases it.
func (r *item) stays(in interface {
	held(job int, d *dataset, key string) bool
}, d *dataset) *stay {
	if r.is.kept && !r.lost {
		return &r.is
	}
	var planned *stay
	keeps := r.ways != 0 && d.act(r.ways).keeps()
	if keeps {
		planned = &stay{true, manifest.GroundKept, time.Time{}}
	}
	for _, share := range r.shares {
		if in.held(share.job, d, r.key) {
			return &stay{true, dsar.LegalHold, time.Time{}}
		}
		if share.keep != nil && (share.keep.ground != manifest.GroundKept || r.ways == 0 || keeps) {
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

// examine looks at each dataset: first by asking anew, then by the keys of what that
// didn't find.
func (e *examination) examine(ctx context.Context) error {
	tasks := tasksOf(e.jobs)
	chunks := e.System.chunks(tasks)
	e.chunks = chunks
	for _, d := range e.datasets {
		h := &holding{d: d, rows: map[string]*item{}}
		e.holdings = append(e.holdings, h)
		for i, j := range e.jobs {
			for _, entry := range j.planned {
				if entry.Dataset == d.Name {
					h.plan(i, entry)
				}
			}
		}
		for _, c := range chunks {
			h.concerned = append(h.concerned, c.concerned(d)...)
		}
		if e.lacking[d.Name].no[reading] {
			h.rows, h.keys = map[string]*item{}, nil
			continue
		}
		for _, c := range chunks {
			err := e.find(ctx, e.on, d, c, e.day, false, func(r *row) error {
				e.found(h, r)
				return nil
			})
			if err != nil {
				return err
			}
		}
		if err := e.look(ctx, h, chunks); err != nil {
			return err
		}
	}
	return nil
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
	s := share{job: job, planned: true}
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
		r.there, r.ways = true, r.ways|o.ways
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
func (e *examination) look(ctx context.Context, h *holding, chunks []*chunk) error {
	var keys []string
	for _, key := range h.keys {
		if h.d.outlived() || slices.ContainsFunc(h.rows[key].shares, func(s share) bool { return s.planned && !s.found }) {
			keys = append(keys, key)
		}
	}
	if len(keys) == 0 || h.d.unstable {
		return nil
	}
	return e.byKey(ctx, e.on, h.d, h.d.anyAct(), making{removes: e.removes(h.d)}, keys, e.day, func(key string) []string { return e.lawsOf(h.rows[key]) }, func(key string, held []any, is stay, lost, done bool) {
		r := h.rows[key]
		if r == nil { // a key that the database writes in another way than the plan
			return
		}
		r.there, r.is, r.lost, r.done = true, is, lost && r.ways == 0, r.done || done
		for i := range r.shares {
			s := &r.shares[i]
			s.others = s.planned && !s.found && !done && e.somebodyElses(h.d, s.job, held, chunks)
		}
	})
}

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

// somebodyElses reports whether a row holds, where the job's own identifiers would
// stand, others, and none of the job's. One that holds nothing there is whose it
// was planned to be: what led to it is gone.
func (e *examination) somebodyElses(d *dataset, job int, held []any, chunks []*chunk) bool {
	others := false
	for _, c := range chunks {
		if !slices.Contains(c.jobs, job) {
			continue
		}
		for i, sub := range d.subjects {
			value, ok := textOf(held[i])
			if !ok || !slices.ContainsFunc(e.jobs[job].known(), func(id worker.Identifier) bool { return id.Type == sub.typ && len(e.forms(sub.match, id.Value)) > 0 }) {
				continue
			}
			if slices.ContainsFunc(c.owners(nil, d.subjects[i:i+1], []any{value}), func(o hit) bool { return o.job == job }) {
				return false
			}
			others = true
		}
	}
	return others
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
