package worker

import (
	"context"

	"habeas.dev/pkg/dsar"
)

// Identifier is one identifier of the subject, in the clear. It MUST NOT be
// logged or put in an error.
type Identifier struct {
	Type     dsar.IdentifierType
	Value    string
	Verified bool
}

// Task is one action for one request, opened for the worker.
type Task struct {
	RequestID    string
	Action       dsar.Action
	Right        dsar.Right
	Jurisdiction string
	Attempt      int
	// Identifiers are those of the types that the manifest needs; never none.
	Identifiers []Identifier
	// Purposes are those that the person objects to or withdraws consent from,
	// with restrict; none means all that the right reaches.
	Purposes []string
	// Holds are the datasets of which nothing may be erased, with count and
	// erase. Only a worker whose manifest says holds is told of them.
	Holds []string
	// Lift tells that what a restrict did is to be undone: [Lifter] is asked.
	Lift bool
}

// Found is an identifier that a resolve found, and the one it was found by.
type Found struct {
	Type  dsar.IdentifierType
	Value string
	From  Identifier
}

// Resolver finds more identifiers of the same person.
type Resolver interface {
	Resolve(ctx context.Context, t Task) ([]Found, error)
}

// Gatherer copies the person's records, dataset by dataset, into out. What it may
// not read it names ([Records.Uncovered]) and goes on.
type Gatherer interface {
	Gather(ctx context.Context, t Task, out *Records) error
}

// Eraser counts and erases. Count is the plan before and the proof after:
// it MUST count every record that Erase would touch and every one that must
// stay. Erase MUST succeed on records that are already gone. A dataset that they
// may not reach is named in the counts ([dsar.Counts.Uncovered]), and the rest done.
type Eraser interface {
	Count(ctx context.Context, t Task) ([]dsar.Counts, error)
	Erase(ctx context.Context, t Task) ([]dsar.Counts, error)
}

// Rectifier changes the fields that the person corrected.
type Rectifier interface {
	Rectify(ctx context.Context, t Task, changes []Change) ([]dsar.Counts, error)
}

// Change is one corrected field.
type Change struct{ Dataset, Column, Value string }

// Restricter stops processing and keeps the records.
type Restricter interface {
	Restrict(ctx context.Context, t Task) ([]dsar.Counts, error)
}

// Lifter undoes what Restrict did, for a person who asks for it. Where a worker
// can't, a person must.
type Lifter interface {
	Lift(ctx context.Context, t Task) ([]dsar.Counts, error)
}

// Noter says what a person should know of the system besides, such as a column
// that the manifest doesn't declare: it stands in the trace of every request that
// the worker touches, whether its task ends, fails or is parked
// (TestNotesWhateverBecomesOfATask), until it is mended. Notes hold no personal
// data. It is asked with every report, so it MUST be quick.
type Noter interface {
	Notes() []string
}

// The batch forms, for systems that can ask for many subjects in one call. A
// worker that has the batch form of an ability is always called by it. A
// returned error fails every job that has none of its own in Err.

// ResolveJob is one task of a batch and its result.
type ResolveJob struct {
	Task
	Found []Found
	Err   error
}

// BatchResolver resolves many subjects at once.
type BatchResolver interface {
	ResolveBatch(ctx context.Context, jobs []*ResolveJob) error
}

// GatherJob is one task of a batch, and where its records go.
type GatherJob struct {
	Task
	Out *Records
	Err error
}

// BatchGatherer gathers many subjects at once.
type BatchGatherer interface {
	GatherBatch(ctx context.Context, jobs []*GatherJob) error
}

// CountsJob is one task of a batch and its counts.
type CountsJob struct {
	Task
	Changes []Change // with rectify
	Counts  []dsar.Counts
	// Notes are what a person should know of this task besides, as with [Noter]:
	// something that is left and can't be counted, say. They hold no personal
	// data.
	Notes []string
	Err   error
}

// BatchEraser counts and erases many subjects at once.
type BatchEraser interface {
	CountBatch(ctx context.Context, jobs []*CountsJob) error
	EraseBatch(ctx context.Context, jobs []*CountsJob) error
}

// BatchRectifier rectifies many subjects at once.
type BatchRectifier interface {
	RectifyBatch(ctx context.Context, jobs []*CountsJob) error
}

// BatchRestricter restricts many subjects at once.
type BatchRestricter interface {
	RestrictBatch(ctx context.Context, jobs []*CountsJob) error
}

// BatchLifter lifts many restrictions at once.
type BatchLifter interface {
	LiftBatch(ctx context.Context, jobs []*CountsJob) error
}
