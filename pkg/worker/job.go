package worker

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/ThreeDotsLabs/watermill/message"
	"go.opentelemetry.io/otel/trace"

	"habeas.dev/pkg/bus"
	"habeas.dev/pkg/dsar"
	"habeas.dev/pkg/event"
	"habeas.dev/pkg/link"
	"habeas.dev/pkg/vault"
)

// job is one task on its way through a worker.
type job struct {
	event event.Event // as it came
	task  dsar.Task
	// sealed is the task as it was sealed, and grant what it may open.
	sealed  link.Task
	grant   link.Grant
	lost    error // why there is no grant, with assemble
	link    *link.Key
	objects *vault.Objects
	open    Task // what the implementation sees
	// refused are the fields of a correction that a person has refused.
	refused []dsar.Field
	// changes are the corrections that concern this system, with rectify.
	changes []Change
	began   time.Time
	span    trace.Span // nil where nothing is traced

	// plan is what an erasure or its proof goes by, and earlier are the plans before this one.
	plan    *Plan
	earlier []*Plan
	// former is what was held in the fields that are corrected; nil until it was looked at.
	former *formerObject

	// The last try: what the implementation was given, and what it gave.
	given   any
	pub     *Job // given's
	taken   bool
	out     *Records
	planned *PlanWriter
	// assembled is the answer.
	assembled dsar.Object
	found     []Found
	counts    []dsar.Counts
	notes     []Note
	err       error
	ofCall    bool // err is the call's, and not the job's own

	// ability is the action's, early settles a job before its call is over, and
	// settled tells that it did.
	ability *ability
	early   func(*job)
	longer  bool // something follows the method
	done    atomic.Bool
	most    int // calls at once

	// end is set where the task ends without a call.
	end dsar.Outcome
	// code and reason explain end.
	code, reason string

	answer event.Event // zero until settled, and where there is none to give
	// refusal tells the coordinator of what wasn't believed; zero where there is nothing to
	// tell.
	refusal event.Event

	// With Kafka.
	msg     *message.Message
	settled atomic.Bool             // progress is no longer reported
	live    atomic.Pointer[Records] // out, for whoever reports progress
}

// errRejected says that a message is no task of this worker's. Its text names
// no content.
type errRejected struct{ code, reason string }

func (e *errRejected) Error() string { return e.reason }

// decode opens the task of an event. Its error is an errRejected; where what came could be
// read so far, about is what it says to be about.
func (w *Worker) decode(e event.Event, key *link.Key) (t dsar.Task, sealed link.Task, about link.Envelope, err error) {
	if e.Type != event.TypeTask {
		return t, sealed, about, &errRejected{code: "unknown-type", reason: "not a " + event.TypeTask}
	}
	about, err = link.Parse(e.Data)
	switch {
	case err != nil:
		return t, sealed, about, &errRejected{code: "not-sealed", reason: err.Error()}
	case about.RequestID != e.Subject && e.Subject != "":
		return t, sealed, about, &errRejected{code: "invalid", reason: "the task's request_id is not the event's subject"}
	case about.System != w.system:
		return t, sealed, about, &errRejected{code: "wrong-system", reason: "the task is for another system than " + w.system}
	}
	sealed, err = key.OpenTask(about, w.now())
	switch {
	case errors.Is(err, link.ErrExpired):
		return t, sealed, about, &errRejected{code: CodeExpired, reason: "the task was good until before now; by then it is sent anew"}
	case errors.Is(err, link.ErrNotSealed):
		return t, sealed, about, &errRejected{code: CodeNotSealed, reason: "the task is not sealed by this system's link key for what it says to be: somebody else wrote it, or the keys differ"}
	case err == nil:
		err = json.Unmarshal(sealed.Data, &t)
	}
	switch {
	case err != nil: // the decoder's words may quote the data
		return t, sealed, about, &errRejected{code: "not-json", reason: "what the task has sealed can't be read"}
	case t.RequestID != about.RequestID || t.System != about.System || t.Action != about.Action || t.Attempt != about.Attempt:
		return t, sealed, about, &errRejected{code: "invalid", reason: "what the task has sealed is of another task"}
	case !slices.Contains(actions[:], t.Action):
		return t, sealed, about, &errRejected{code: "invalid", reason: "the task's action is not one that a system can take"}
	}
	return t, sealed, about, nil
}

// The codes of tasks that aren't believed. An expired one is nothing to worry about: its
// worker was away, and it was sent anew.
const (
	CodeNotSealed = "not-sealed"
	CodeExpired   = "expired"
)

// takeIn makes a job of an event, or its rejection. at is where its record lies; nil where
// that isn't known.
func (w *Worker) takeIn(e event.Event, key *link.Key, at *bus.Position, err error) *job {
	j := &job{event: e, link: key}
	var about link.Envelope
	if err == nil {
		j.task, j.sealed, about, err = w.decode(e, key)
	}
	if err != nil {
		j.answer = w.rejected(e, at, err)
		j.refusal = w.refused(about, key, err)
	}
	return j
}

// goesAlone notes that the job's method goes through [Each].
func (j *job) goesAlone() {
	if j != nil {
		j.ability.alone.Store(true)
	}
}

// bind has what the implementation writes to end with the call.
func (j *job) bind(ctx context.Context) {
	if j.out != nil {
		j.out.ctx = ctx
	}
	if j.planned != nil {
		j.planned.ctx = ctx
	}
}

// atOnce returns how many jobs of one call may run at once.
func (j *job) atOnce() int { return j.most }

// goesOn notes that something follows the job's method, so that it isn't settled early.
func (j *job) goesOn() {
	if j != nil {
		j.longer = true
	}
}

// settleEarly settles a job while its call goes on for others.
func (j *job) settleEarly() {
	if j != nil && !j.longer {
		j.early(j)
	}
}

// ability returns the ability that an action takes; nil where there is none.
func (w *Worker) ability(a dsar.Action) *ability {
	if i := slices.Index(actions[:], a); i >= 0 {
		return w.can[i]
	}
	return nil
}

// prepareTimeout bounds what is read and written of the vault before a task's call: a
// grant, a plan and a mark, all small. A vault that takes longer is down.
const prepareTimeout = time.Minute

// prepare opens what the task's worker may open. It leaves in the job an error, or the
// end of a task that needs no call.
func (w *Worker) prepare(ctx context.Context, at Access, j *job) {
	ctx, cancel := context.WithTimeout(ctx, prepareTimeout)
	defer cancel()
	j.objects = at.Objects
	if j.ability = w.ability(j.task.Action); j.ability == nil {
		j.err = Permanent("no-ability", "this system's worker has no ability to "+string(j.task.Action), nil)
		return
	}
	j.open = w.opened(j.task)
	if j.task.Action == dsar.Assemble && j.sealed.Lost != "" {
		return // what is wrong with the keys is for the assembler to say
	}
	switch j.sealed.Lost {
	case "":
	case link.LostShredded:
		j.err = Permanent("shredded", "the request's keys are destroyed: nothing of it can be read any more", nil)
	case link.LostUnreadable:
		j.err = Permanent("unreadable-identifier", "an identifier can't be opened with the request's key", nil)
	case link.LostFormer:
		j.err = Permanent(CodeEarlierUnreadable, earlierUnreadable, nil)
	case link.LostHeld:
		j.err = Permanent(CodeHoldUnreadable, "a legal hold is on, and whom it concerns can't be read any more, so that nobody knows what must stay: restore the keys of the vault, or lift the hold, and retry", nil)
	default: // link.LostNoKeys
		j.err = Permanent("no-keys", "the vault has no keys of the request, so it is older than the journal: restore a newer copy of its keys, then retry; or cancel the request, and have it sent again under a new id", nil)
	}
	if j.err == nil {
		var err error
		j.grant, err = j.sealed.ReadGrant(ctx, at.Objects)
		if j.task.Action == dsar.Assemble {
			j.lost = err
			return
		}
		if err != nil {
			j.err = Transient("vault", "what the task may open could not be read from the vault", err)
		}
	}
	if j.err != nil {
		return
	}
	j.open.Identifiers = w.asked(j.task.Action, j.grant.Identifiers)
	if j.task.Action == dsar.Restrict && j.task.Right != dsar.Restriction && len(j.task.Purposes) == 0 {
		// Without them all use of the data would end, which only a restriction asks for.
		j.err = Permanent("no-purpose", "the task names no purpose that is to end", nil)
		return
	}
	if len(j.grant.Held) > 0 {
		people, err := j.grant.ReadHeld(ctx, at.Objects)
		if err != nil {
			j.err = Transient("vault", "whom a legal hold concerns could not be read from the vault", err)
			return
		}
		j.open.others = &others{request: j.task.RequestID, people: people, objects: j.objects}
	}
	if j.open.formers, j.err = w.readFormers(ctx, j); j.err != nil {
		return
	}
	if len(j.open.Identifiers) == 0 {
		j.end, j.code, j.reason = dsar.NotApplicable, "no-identifier", "none of the identifiers that it can be asked by is known"
		return
	}
	if j.task.ByKeys && (j.task.Action == dsar.Plan || j.task.Action == dsar.Erase || j.task.Action == dsar.Prove) {
		j.open.ByKeys, j.open.Owner, j.open.Identifiers = true, j.open.Identifiers, nil
	}
	w.prepareDetails(j)
	if j.err == nil && (j.task.Action == dsar.Erase || j.task.Action == dsar.Prove) {
		j.plan, j.err = w.openPlans(ctx, j)
	}
	if j.err == nil && j.task.Action == dsar.Plan {
		j.earlier, j.err = w.openEarlier(ctx, j)
	}
	if j.err == nil && j.end == "" && j.task.Action.Destructive() {
		j.err = w.mark(ctx, j)
	}
}

// asked returns the identifiers of a grant by which the system is asked.
func (w *Worker) asked(a dsar.Action, granted []link.Identifier) []Identifier {
	var out []Identifier
	for _, id := range granted {
		// A resolve goes on from what the system itself found.
		if !slices.Contains(w.needs, id.Type) && (a != dsar.Resolve || !slices.Contains(w.finds, id.Type)) {
			continue
		}
		out = append(out, Identifier{Type: id.Type, Value: id.Value, Assurance: id.Assurance, FoundHere: w.foundHere(id)})
	}
	return out
}

// foundHere reports whether an identifier was found by this system. Of one that is known
// of an earlier request it is so where its type is this system's own: no other has it.
func (w *Worker) foundHere(id link.Identifier) bool {
	return id.FoundBy == w.system || id.FoundBy == dsar.EarlierRequest && strings.HasPrefix(string(id.Type), w.system+".")
}

// CodeHoldUnreadable is the code of an erasure that can't know what a hold keeps.
const CodeHoldUnreadable = "hold-unreadable"

// CodeBegunBefore is the code of a task that changes something and that was begun before:
// its bytes came twice, by chance or because somebody sent them again. It does nothing,
// and is sent anew where nobody has heard how it ended.
const CodeBegunBefore = "begun-before"

// mark leaves the mark, once, that an attempt which changes something has begun. Where it
// was there, the attempt MUST NOT be begun again (TestOldBytesDoNothing).
func (w *Worker) mark(ctx context.Context, j *job) error {
	first, err := j.objects.Mark(ctx, j.task.RequestID, w.system+"/begun/"+string(j.task.Action)+"."+strconv.Itoa(j.task.Attempt))
	switch {
	case err != nil:
		return Transient("vault", "the mark that the task has begun could not be left in the vault", err)
	case !first:
		return RetryAfter(0, CodeBegunBefore, "this attempt was begun before, and it isn't known here how it ended", nil)
	}
	return nil
}

// key returns the key of the objects of a scope; its error is one of this package's.
func (j *job) key(scope string) (vault.ObjectKey, error) {
	k, err := j.grant.ObjectKey(j.task.RequestID, scope)
	if errors.Is(err, vault.ErrShredded) {
		return k, Permanent("shredded", "the request's keys are destroyed: nothing of it can be read or written any more", err)
	}
	if err != nil {
		return k, Transient("vault", "the key that came with the task can't be used", err)
	}
	return k, nil
}

// create begins an object of the job's own.
func (w *Worker) create(ctx context.Context, j *job, name string) (*vault.ObjectWriter, error) {
	k, err := j.key(link.Scope(w.system, j.task.Action, j.task.Attempt))
	if err != nil {
		return nil, err
	}
	return j.objects.Create(ctx, k, name)
}

// openObject opens an object of which the task has the key.
func (j *job) openObject(ctx context.Context, name string) (io.ReadCloser, error) {
	k, err := j.grant.ObjectKey(j.task.RequestID, vault.ScopeOf(name))
	if err != nil {
		return nil, err
	}
	return j.objects.Open(ctx, k, name)
}

// opened returns what the implementation sees of a task beside what is sealed.
func (w *Worker) opened(t dsar.Task) Task {
	return Task{RequestID: t.RequestID, Action: t.Action, Right: t.Right, Jurisdiction: t.Jurisdiction, Attempt: t.Attempt, Holds: w.held(t.Holds), Purposes: t.Purposes, let: t.Let}
}

// held returns the datasets that a task's holds are on, each by name: of the manifest as it
// is here, which may have more than there were when the hold was put on.
func (w *Worker) held(holds []string) []string {
	if !slices.Contains(holds, dsar.AllDatasets) {
		return holds
	}
	return slices.Sorted(maps.Keys(w.datasets))
}

func (w *Worker) prepareDetails(j *job) {
	if len(j.grant.Details) == 0 {
		if j.task.Action == dsar.Rectify {
			j.err = Permanent("nothing-to-correct", "the request names no field to correct", nil)
		}
		return
	}
	var d event.Details
	if err := json.Unmarshal(j.grant.Details, &d); err != nil {
		j.err = Permanent("unreadable-details", "the request's details are not what they should be", err)
		return
	}
	j.open.Lift = d.Lift && j.task.Action == dsar.Restrict
	if j.open.Lift && !w.lifts {
		j.err = Permanent("no-lift", "this system's worker can't undo what it restricted; a person must", nil)
		return
	}
	if j.task.Action != dsar.Rectify {
		return
	}
	j.changes = w.changes(d.Corrections)
	j.changes, j.refused = withoutRefused(j.changes, j.task.Refused)
	switch {
	case len(j.changes) > 0:
	case len(j.refused) > 0:
		j.end, j.code, j.reason = dsar.NotApplicable, dsar.CodeFieldsRefused, "a person has refused to correct the fields that are held here"
	default:
		j.end, j.code, j.reason = dsar.NotApplicable, "no-correction", "none of the corrected fields is held here"
	}
}

// changes returns the corrections that concern this system: a correction without a
// dataset is meant for every dataset that has the column, by its name or by what it means.
func (w *Worker) changes(corrections []event.Correction) (all []Change) {
	for _, c := range corrections {
		if c.System != "" && c.System != w.system {
			continue
		}
		for _, d := range w.order {
			if c.Dataset != "" && c.Dataset != d.section.Dataset {
				continue
			}
			for _, column := range d.section.Columns {
				if column != c.Column && d.columns[column] != c.Column {
					continue
				}
				all = append(all, Change{Dataset: d.section.Dataset, Column: column, Value: c.Value})
			}
		}
	}
	return all
}

// foundBy returns the identifier that another was found by: the subject's only one where
// the worker didn't say.
func (j *job) foundBy(id Identifier) Identifier {
	if id.Value == "" && len(j.open.Identifiers) == 1 {
		return j.open.Identifiers[0]
	}
	return id
}

// reportFound returns what a resolve found, as a report says it.
func (j *job) reportFound() []dsar.FoundIdentifier {
	out := make([]dsar.FoundIdentifier, 0, len(j.found))
	for _, f := range j.found {
		from := j.foundBy(f.From)
		out = append(out, dsar.FoundIdentifier{Type: f.Type, Value: f.Value, FromType: from.Type, From: from.Value})
	}
	return out
}
