package worker

import (
	"context"
	"slices"

	"habeas.dev/pkg/dsar"
)

// Identifier is one identifier of the subject, in the clear. It MUST NOT be
// logged or put in an error.
type Identifier struct {
	Type  dsar.IdentifierType
	Value string
	// Assurance is why it is believed to be the person's. A worker is handed what is
	// merely claimed with restrict only, and only where the law asks no proof.
	Assurance dsar.Assurance
	// FoundHere tells that this system's own resolve found it, for this request or for an
	// earlier one: where what it was found in is gone, it may be somebody else's by now.
	FoundHere bool
}

// Task is one action for one request, opened for the worker.
type Task struct {
	RequestID    string
	Action       dsar.Action
	Right        dsar.Right
	Jurisdiction string
	Attempt      int
	// Identifiers are those of the types that the manifest needs; none only where ByKeys
	// says so.
	Identifiers []Identifier
	// ByKeys tells, with erase and prove, that only what stands under the plan's keys is
	// meant: an erasure of long ago is proven anew, and the person may have become a
	// customer anew meanwhile. A worker that goes by the plan and by Identifiers, of which
	// there are none, does right. Owner are those by which the plan was made: they only
	// tell a record that came back from somebody else's that was given its key.
	ByKeys bool
	Owner  []Identifier
	// Purposes are the ids of those that are to end, with restrict; none means that all
	// use of the data is to end. Nothing else may be stopped.
	Purposes []string
	// Holds are the datasets of which nothing may be erased, with plan, erase and
	// prove. Only a worker whose manifest says holds is told of them. [Task.IsHeld] knows
	// them too, and what holds keep of others.
	Holds []string
	// Lift tells that what a restrict did is to be undone. A worker whose manifest
	// says restricts_for_good is never asked to.
	Lift bool

	let     []dsar.LetGo // doubts in spite of which it is corrected
	others  *others      // of whom something is held; nil: nobody
	formers *formers     // who had a number before, as far as anybody knows; nil: nobody
}

// Found is an identifier that a resolve found, and the one it was found by.
type Found struct {
	Type  dsar.IdentifierType
	Value string
	From  Identifier
}

// Change is one corrected field.
type Change struct{ Dataset, Column, Value string }

// Resolver finds more identifiers of the same person.
type Resolver interface {
	Resolve(ctx context.Context, jobs []*ResolveJob) error
}

// Gatherer copies the person's records, dataset by dataset, into the job's
// Records. What it may not read it names ([Records.Uncovered]) and goes on.
type Gatherer interface {
	Gather(ctx context.Context, jobs []*GatherJob) error
}

// Eraser plans, erases and proves.
//
// Plan MUST write the key of every record that Erase would touch and of every one
// that must stay, each once, into the job's Plan. It changes nothing.
//
// Erase goes by the plan's keys, and then asks anew by the identifiers for what came
// since. It MUST account for every planned record in the job's Counts: erased,
// anonymised, retained or gone; late ones are told apart ([dsar.Counts]). A record
// that is gone already is a success. A dataset that it may not reach is named
// ([dsar.Counts].Uncovered), and the rest done.
//
// Prove asks for what is still there, by the plan's keys and by the identifiers:
// Found is all of it, Retained the part that must stay. Where the task is by keys
// only ([Task].ByKeys), neither touches or counts anything else.
type Eraser interface {
	Plan(ctx context.Context, jobs []*PlanJob) error
	Erase(ctx context.Context, jobs []*EraseJob) error
	Prove(ctx context.Context, jobs []*EraseJob) error
}

// Rectifier changes the fields that the person corrected. Where the worker is a [Gatherer]
// too and its manifest says gather, it is asked to gather the datasets that the correction
// concerns ([Records.Skips]) before: what stood there is told to the person, from a sealed
// object of the vault. Such a task's right is [dsar.Rectification]; a record in which a field
// isn't to be corrected MUST say so ([Records.WriteStaying]), else it is told as if it had been.
//
// Afterwards it is asked to gather again, unless it says itself what stands ([RectifyJob.Stands]):
// what the system holds then is told to the person, and a field that holds what it held before is
// no corrected one.
//
// It isn't asked where a person must look before anything is written: where a field holds
// what may be somebody else's, and where people are found by it, and nobody has proven that what
// it is to be is the person's.
type Rectifier interface {
	Rectify(ctx context.Context, jobs []*RectifyJob) error
}

// Knower tells whether an identifier leads to records that aren't those of a task's person, and
// in which dataset; empty: it leads to nobody else. Before an address by which people are found
// is corrected, a [Rectifier] that is one is asked.
type Knower interface {
	Elsewhere(ctx context.Context, t *Task, id Identifier) (dataset string, err error)
}

// Restricter stops processing and keeps the records; it goes on with processing
// where a job's Lift says so.
type Restricter interface {
	Restrict(ctx context.Context, jobs []*RestrictJob) error
}

// Noter says what a person should know of the system besides, such as a column
// that the manifest doesn't declare: it stands in the trace of every request that
// the worker touches, whether its task ends, fails or is parked
// (TestNotesWhateverBecomesOfATask), until it is mended. Notes hold no personal
// data. It is asked with every report, so it MUST be quick. What concerns one task
// only is that job's [Job.Note].
type Noter interface {
	Notes() []Note
}

// Note is one thing that was noticed of a system.
type Note struct {
	// Cause says it in fields, and MUST have a code: this stays in the open. The zero
	// value where it fits in none.
	dsar.Cause
	// Text says it in a sentence for a support agent, which is sealed on its way.
	Text string
}

// Job is one task of a call: what every job has. A job that has an Err when the
// call returns has failed; one that has none has failed where the call returned an
// error, and is called again by itself where that is permanent. The others are done,
// whatever became of these.
type Job struct {
	Task
	// Err says why this task failed, and what is to happen with it (see "Errors
	// steer" in the package's documentation).
	Err error

	notes []Note
	way   *job // through the worker; nil where a job was made by hand
}

// Note says what a person should know of this task besides: something that is left
// and can't be counted, say. It holds no personal data.
func (j *Job) Note(n Note) { j.notes = append(j.notes, n) }

// Notes returns the sentences of what was noted so far.
func (j *Job) Notes() []string {
	var texts []string
	for _, n := range j.notes {
		texts = append(texts, n.Text)
	}
	return texts
}

// job lets a generic function have the Job of any kind of job.
func (j *Job) job() *Job { return j }

// ResolveJob is a task to find more identifiers, and those that were found.
type ResolveJob struct {
	Job
	Found []Found
}

// GatherJob is a task to copy records, and where they go.
type GatherJob struct {
	Job
	Records *Records
}

// PlanJob is a task to plan an erasure, and where the plan is written. For the
// right to know the categories only the counts are wanted: the same keys are written, and
// not kept.
type PlanJob struct {
	Job
	Plan *PlanWriter

	earlier []*Plan // those before this one
	done    int     // how many of them were carried out, from the first on
}

// EraseJob is a task to erase by a plan, or to prove that it was done, and its
// counts.
type EraseJob struct {
	Job
	Plan   *Plan
	Counts []dsar.Counts

	late *PlanWriter // of what came after the plan and must stay; nil: nobody keeps it
}

// RectifyJob is a task to correct fields, and its counts.
type RectifyJob struct {
	Job
	Changes []Change
	Counts  []dsar.Counts

	stands []standing
}

// standing is what stands in a field that was corrected.
type standing struct {
	dataset, column string
	is              any
}

// Stands tells what stands in a field that was corrected, as a gather would read it: a system may
// hold a value in a writing of its own. What isn't told stands as the person gave it.
func (j *RectifyJob) Stands(dataset, column string, is any) {
	j.stands = slices.DeleteFunc(j.stands, func(s standing) bool { return s.dataset == dataset && s.column == column })
	j.stands = append(j.stands, standing{dataset, column, is})
}

// RestrictJob is a task to stop processing, or to go on with it, and its counts.
type RestrictJob struct {
	Job
	Counts []dsar.Counts
}
