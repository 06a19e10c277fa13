package simulation

import (
	"context"
	"errors"
	"fmt"
	"maps"
	mathrand "math/rand/v2"
	"slices"
	"strings"
	"time"

	"habeas.dev/pkg/dsar"
	"habeas.dev/pkg/event"
	"habeas.dev/pkg/record"
	"habeas.dev/pkg/worker"
)

// row is one record of a simulated system.
type row struct {
	id         int
	dataset    string
	owner      string // the identifier's value
	note       string // personal, too
	retained   bool
	restricted bool
}

// system is a store of rows behind the worker's interfaces, which fails in all
// the ways that the SDK promises to cope with. Its errors quote the person, as
// vendors' do.
type system struct {
	manifest *manifestOf
	w        *simulation
	rng      *mathrand.Rand
	batches  bool // it takes many subjects in one call
	rows     []row
	seeded   map[int]row       // as it was at first
	finds    map[string]string // identifier value: what it resolves to
	lag      int               // proofs that still see what was erased
	down     time.Time         // until when nothing answers
	ghosts   []row
	hidden   map[string]time.Time // until when a dataset may not be looked at
	// unplanned are the datasets that a request's plan could not look at. They stay
	// hidden from its erasure: of what comes into reach in between and is erased, and
	// whose report is lost, nobody could say how much it was.
	// By request and dataset, the attempt of that plan; 0 where a later one could.
	unplanned map[[2]string]int
	erasures  map[string]*erasures // by request

	// Mutants: it says erased, and nothing is; it erases what must stay; it doesn't
	// say what it may not look at; these records are everybody's.
	stubborn bool
	silent   bool
	greedy   bool
	reach    func(dsar.Action, row) bool
}

// erasures is how often a system was told to erase for one request, and why it
// may have been told more than once.
type erasures struct {
	calls    int // of the implementation
	handedIn int // tasks
	attempts map[int]bool
	broken   int // calls that ended with an error, and may be tried again in place
}

// vendorError returns what a vendor's client library returns.
func (s *system) vendorError(what string, t worker.Task) error {
	return fmt.Errorf("%w: GET /people?q=%s: %s", errVendor, t.Identifiers[0].Value, what)
}

var errVendor = errors.New("vendor")

// trouble returns the error that a call of the system ends with: mostly none.
func (s *system) trouble(ctx context.Context, t worker.Task) error {
	if err := s.w.point(); err != nil {
		return err
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	switch {
	case !s.w.calm && s.w.clock.now().Before(s.down):
		return s.vendorError("503", t)
	case !s.w.hits(s.w.rates.vendor):
		return nil
	}
	switch s.rng.IntN(7) {
	case 0, 1:
		return s.vendorError("the line broke", t)
	case 6:
		s.down = s.w.clock.now().Add(time.Duration(s.rng.IntN(10)) * time.Hour)
		return s.vendorError("down for maintenance", t)
	case 2:
		return worker.RetryAfter(time.Duration(s.rng.IntN(7200))*time.Second, "rate-limited", "the vendor asks to wait", s.vendorError("429", t))
	case 3:
		// Longer than the core waits, or in the past.
		return worker.RetryAt(s.w.clock.now().Add(time.Duration(s.rng.IntN(12)-2)*24*time.Hour), "quota", "the vendor's quota is used up", nil)
	case 4:
		return worker.Permanent("no-permission", "the login may not do that", s.vendorError("403", t))
	default:
		panic("a worker's bug with " + t.Identifiers[0].Value)
	}
}

// hides tells why a dataset may not be looked at; empty where it may.
func (s *system) hides(t worker.Task, dataset string) string {
	plan := [2]string{t.RequestID, dataset}
	why := s.hidesNow(dataset)
	switch {
	case t.Action == dsar.Plan:
		if why != "" {
			s.unplanned[plan] = max(s.unplanned[plan], t.Attempt)
		} else if t.Attempt > s.unplanned[plan] {
			delete(s.unplanned, plan)
		}
	case t.Action == dsar.Erase && !t.ByKeys && s.unplanned[plan] > 0: // what is asked for by keys was planned
		return "the plan had no look at " + dataset
	}
	return why
}

func (s *system) hidesNow(dataset string) string {
	if s.w.calm {
		return ""
	}
	if s.w.hits(s.w.rates.vendor) && s.rng.IntN(4) == 0 {
		s.hidden[dataset] = s.w.clock.now().Add(time.Duration(s.rng.IntN(10)) * time.Hour)
	}
	if s.w.clock.now().Before(s.hidden[dataset]) {
		return "the login may not look at " + dataset
	}
	return ""
}

func (s *system) resolve(ctx context.Context, t worker.Task) ([]worker.Found, error) {
	if err := s.trouble(ctx, t); err != nil {
		return nil, err
	}
	var found []worker.Found
	for _, id := range t.Identifiers {
		if v, ok := s.finds[strings.ToLower(id.Value)]; ok {
			found = append(found, worker.Found{Type: s.manifest.Finds[0], Value: v, From: id})
		}
	}
	return found, nil
}

func (s *system) of(t worker.Task, dataset string) []row {
	var out []row
	for _, r := range s.rows {
		if r.dataset == dataset && (isOf(t, r) || s.reach != nil && s.reach(t.Action, r)) {
			out = append(out, r)
		}
	}
	return out
}

func isOf(t worker.Task, r row) bool {
	return slices.ContainsFunc(t.Identifiers, func(id worker.Identifier) bool { return strings.EqualFold(id.Value, r.owner) })
}

func (s *system) gather(ctx context.Context, t worker.Task, out *worker.Records) error {
	for _, dataset := range datasets() {
		if why := s.hides(t, dataset); why != "" {
			if !s.silent {
				out.Uncovered(dataset, why, dsar.Cause{})
			}
			continue
		}
		for _, r := range s.of(t, dataset) {
			if err := s.trouble(ctx, t); err != nil {
				return err
			}
			if err := out.Write(dataset, record.Record{"id": r.id, "owner": r.owner, "note": r.note}); err != nil {
				return err
			}
		}
	}
	return s.trouble(ctx, t)
}

// plan writes the key of every row.
func (s *system) plan(ctx context.Context, t worker.Task, p *worker.PlanWriter) error {
	if err := s.trouble(ctx, t); err != nil {
		return err
	}
	for _, dataset := range datasets() {
		if why := s.hides(t, dataset); why != "" {
			if !s.silent {
				p.Uncovered(dataset, why, dsar.Cause{})
			}
			continue
		}
		for _, r := range s.of(t, dataset) {
			var err error
			if r.retained {
				err = p.Keep(dataset, fmt.Sprint(r.id), retention(1)[0])
			} else {
				err = p.Erase(dataset, fmt.Sprint(r.id))
			}
			if err != nil {
				return err
			}
		}
	}
	return nil
}

// prove counts what is still there.
func (s *system) prove(ctx context.Context, t worker.Task, p *worker.Plan) ([]dsar.Counts, error) {
	if err := s.trouble(ctx, t); err != nil {
		return nil, err
	}
	late := s.lag > 0 && !s.w.calm // a deletion that is seen late
	if late {
		s.lag--
	}
	var counts []dsar.Counts
	for _, dataset := range datasets() {
		c := dsar.Counts{Dataset: dataset}
		if why := s.hides(t, dataset); why != "" {
			counts = s.uncovered(counts, dataset, why)
			continue
		}
		var kept int64
		rows, err := s.toErase(ctx, t, p, &dsar.Counts{Dataset: dataset}) // what is there by the plan's keys, and has come since
		if err != nil {
			return nil, err
		}
		for _, r := range rows {
			c.Found++
			if r.retained {
				kept++
			}
		}
		for _, g := range s.ghosts {
			if late && g.dataset == dataset && isOf(t, g) {
				c.Found++
			}
		}
		c.Retained = retention(kept)
		counts = append(counts, c)
	}
	return counts, nil
}

func (s *system) uncovered(counts []dsar.Counts, dataset, why string) []dsar.Counts {
	if s.silent {
		return counts
	}
	return append(counts, dsar.Counts{Dataset: dataset, Uncovered: why})
}

func retention(kept int64) []dsar.Retention {
	if kept == 0 {
		return nil
	}
	return []dsar.Retention{{Records: kept, Ground: "tax-records", Until: start.AddDate(10, 0, 0)}}
}

// erase goes by the plan's keys, and by asking anew.
func (s *system) erase(ctx context.Context, t worker.Task, p *worker.Plan) (counts []dsar.Counts, err error) {
	e := s.erasuresOf(t.RequestID)
	e.calls++
	e.broken++
	for _, dataset := range datasets() {
		c := dsar.Counts{Dataset: dataset}
		if why := s.hides(t, dataset); why != "" {
			counts = s.uncovered(counts, dataset, why)
			continue
		}
		rows, err := s.toErase(ctx, t, p, &c)
		if err != nil {
			return nil, err
		}
		var kept int64
		for _, r := range rows {
			c.Found++
			if r.retained && !s.greedy {
				kept++
				continue
			}
			if err := s.trouble(ctx, t); err != nil {
				return nil, err // by halves: what is gone is gone
			}
			s.rows = slices.DeleteFunc(s.rows, func(x row) bool { return x.id == r.id && !s.stubborn })
			s.ghosts = append(s.ghosts, r)
			c.Erased++
		}
		c.Retained = retention(kept)
		counts = append(counts, c)
	}
	if err := s.trouble(ctx, t); err != nil {
		return nil, err
	}
	e.broken-- // it wasn't
	return counts, nil
}

// toErase returns the rows of a dataset that are there by the plan's keys, and
// those that came since; it counts what is gone and what is late.
func (s *system) toErase(ctx context.Context, t worker.Task, p *worker.Plan, c *dsar.Counts) ([]row, error) {
	planned := map[string]bool{}
	var rows []row
	for e, err := range p.Entries(ctx) {
		if err != nil {
			return nil, err
		}
		if e.Dataset != c.Dataset {
			continue
		}
		planned[e.Key] = true
		i := slices.IndexFunc(s.rows, func(r row) bool { return r.dataset == e.Dataset && fmt.Sprint(r.id) == e.Key })
		if i < 0 {
			c.Gone++
			continue
		}
		rows = append(rows, s.rows[i])
	}
	for _, r := range s.of(t, c.Dataset) {
		if !planned[fmt.Sprint(r.id)] {
			rows = append(rows, r)
			c.Late++
		}
	}
	return rows, nil
}

func (s *system) erasuresOf(requestID string) *erasures {
	if s.erasures[requestID] == nil {
		s.erasures[requestID] = &erasures{attempts: map[int]bool{}}
	}
	return s.erasures[requestID]
}

// handed records the tasks that the worker is given.
func (s *system) handed(events []event.Event) {
	for _, e := range events {
		if t := decodeTask(s.w, e); t.Action == dsar.Erase {
			n := s.erasuresOf(t.RequestID)
			n.handedIn++
			n.attempts[t.Attempt] = true
		}
	}
}

func (s *system) rectify(ctx context.Context, t worker.Task, changes []worker.Change) ([]dsar.Counts, error) {
	return s.change(ctx, t, func(r *row, c *dsar.Counts) {
		for _, ch := range changes {
			if ch.Dataset == r.dataset && ch.Column == "note" {
				r.note = ch.Value
				c.Rectified++
			}
		}
	})
}

func (s *system) restrict(ctx context.Context, t worker.Task) ([]dsar.Counts, error) {
	return s.change(ctx, t, func(r *row, c *dsar.Counts) {
		r.restricted = true
		c.Restricted++
	})
}

func (s *system) change(ctx context.Context, t worker.Task, f func(*row, *dsar.Counts)) ([]dsar.Counts, error) {
	var counts []dsar.Counts
	for _, dataset := range datasets() {
		c := dsar.Counts{Dataset: dataset}
		if why := s.hides(t, dataset); why != "" {
			counts = s.uncovered(counts, dataset, why)
			continue
		}
		for i := range s.rows {
			r := &s.rows[i]
			if r.dataset != dataset || !isOf(t, *r) {
				continue
			}
			if err := s.trouble(ctx, t); err != nil {
				return nil, err
			}
			c.Found++
			f(r, &c)
		}
		counts = append(counts, c)
	}
	return counts, s.trouble(ctx, t)
}

// implementation returns the system in its form: one subject a call, or many.
func (s *system) implementation() any {
	if s.batches {
		return &batchSystem{oneByOne{s}}
	}
	return oneByOne{s}
}

// oneByOne is a system that is asked for one subject at a time.
type oneByOne struct{ *system }

func (s oneByOne) Resolve(ctx context.Context, jobs []*worker.ResolveJob) error {
	return worker.Each(ctx, jobs, func(ctx context.Context, j *worker.ResolveJob) (err error) {
		j.Found, err = s.resolve(ctx, j.Task)
		return err
	})
}

func (s oneByOne) Gather(ctx context.Context, jobs []*worker.GatherJob) error {
	return worker.Each(ctx, jobs, func(ctx context.Context, j *worker.GatherJob) error { return s.gather(ctx, j.Task, j.Records) })
}

func (s oneByOne) Plan(ctx context.Context, jobs []*worker.PlanJob) error {
	return worker.Each(ctx, jobs, func(ctx context.Context, j *worker.PlanJob) error { return s.plan(ctx, j.Task, j.Plan) })
}

func (s oneByOne) Erase(ctx context.Context, jobs []*worker.EraseJob) error {
	return worker.Each(ctx, jobs, func(ctx context.Context, j *worker.EraseJob) (err error) {
		j.Counts, err = s.erase(ctx, j.Task, j.Plan)
		return err
	})
}

func (s oneByOne) Prove(ctx context.Context, jobs []*worker.EraseJob) error {
	return worker.Each(ctx, jobs, func(ctx context.Context, j *worker.EraseJob) (err error) {
		j.Counts, err = s.prove(ctx, j.Task, j.Plan)
		return err
	})
}

func (s oneByOne) Rectify(ctx context.Context, jobs []*worker.RectifyJob) error {
	return worker.Each(ctx, jobs, func(ctx context.Context, j *worker.RectifyJob) (err error) {
		j.Counts, err = s.rectify(ctx, j.Task, j.Changes)
		return err
	})
}

func (s oneByOne) Restrict(ctx context.Context, jobs []*worker.RestrictJob) error {
	return worker.Each(ctx, jobs, func(ctx context.Context, j *worker.RestrictJob) (err error) {
		j.Counts, err = s.restrict(ctx, j.Task)
		return err
	})
}

// batchSystem is the same system for many subjects at once: some of them fail, or
// all.
type batchSystem struct{ oneByOne }

func (b *batchSystem) Gather(ctx context.Context, jobs []*worker.GatherJob) error {
	for _, j := range jobs {
		j.Err = b.gather(ctx, j.Task, j.Records)
	}
	return b.trouble(ctx, jobs[0].Task)
}

func (b *batchSystem) Plan(ctx context.Context, jobs []*worker.PlanJob) error {
	for _, j := range jobs {
		j.Err = b.plan(ctx, j.Task, j.Plan)
	}
	return b.trouble(ctx, jobs[0].Task)
}

func (b *batchSystem) Prove(ctx context.Context, jobs []*worker.EraseJob) error {
	for _, j := range jobs {
		j.Counts, j.Err = b.prove(ctx, j.Task, j.Plan)
	}
	return b.trouble(ctx, jobs[0].Task)
}

func (b *batchSystem) Erase(ctx context.Context, jobs []*worker.EraseJob) error {
	broken := true // also where it panics
	defer func() {
		for _, j := range jobs {
			if broken {
				b.erasuresOf(j.RequestID).broken++
			}
		}
	}()
	for _, j := range jobs {
		j.Counts, j.Err = b.erase(ctx, j.Task, j.Plan)
	}
	err := b.trouble(ctx, jobs[0].Task)
	broken = err != nil
	return err
}

// addSystems makes the systems of the simulation: a chain of identifiers from the
// address over the account to the customer's number, and an order of erasing.
func (w *simulation) addSystems() {
	next := 0
	for _, m := range w.newManifests() {
		s := &system{manifest: m, w: w, rng: w.rng, finds: map[string]string{}, hidden: map[string]time.Time{}, unplanned: map[[2]string]int{}, erasures: map[string]*erasures{}, seeded: map[int]row{}, lag: w.rng.IntN(8)}
		s.batches = m.System == "events"
		for p := range people {
			s.populate(p, &next)
		}
		w.systems = append(w.systems, s)
	}
}

func (s *system) populate(p int, next *int) {
	maps.Copy(s.finds, knows(s.manifest.System, p))
	for range s.rng.IntN(5) {
		*next++
		r := row{id: *next, dataset: datasets()[s.rng.IntN(2)], owner: ownerIn(s.manifest.System, p), retained: s.rng.IntN(4) == 0}
		if p == 0 && s.rng.IntN(2) == 0 {
			switch s.manifest.System {
			case "events", "account":
				r.owner = formerEmail(p)
			case "billing":
				r.owner = formerAccount(p)
			}
		}
		r.note = fmt.Sprintf("%s %d's note no. %d", canary, p, r.id)
		s.rows = append(s.rows, r)
		s.seeded[r.id] = r
	}
}

func decodeTask(w *simulation, e event.Event) dsar.Task {
	var t dsar.Task
	w.must(unmarshal(e.Data, &t))
	return t
}

// quotes reports whether a text has another person's canary than p's.
func quotes(text string, p int) bool {
	for q := range people {
		if q != p && (strings.Contains(text, fmt.Sprintf("%s%d", canary, q)) || strings.Contains(text, fmt.Sprintf("%s %d's", canary, q))) {
			return true
		}
	}
	return false
}
