package core

import (
	"errors"
	"time"

	"habeas.dev/pkg/dsar"
)

// Command is what is asked of a request. The set is closed.
type Command interface {
	decide(d *decider) error
	now() time.Time
}

// Submit asks for a new request. The same request again, with the same digest,
// decides nothing; with another digest it fails with [ErrConflict].
type Submit struct {
	Accepted
	// Holds are those that are on for the same person already.
	Holds []HoldPlaced
	// Across are the fingerprints across requests of its identifiers, of who takes it in and
	// opens nothing; nil: whoever appends makes them.
	Across []string
	// TakeUp is what is known of a request that a restored journal takes in again; nil: it
	// is new.
	TakeUp *TakeUp
}

// TakeReport takes in what a worker says of a task.
type TakeReport struct {
	Report dsar.Report
	Now    time.Time
}

// Tick says what time it is. It sends again what was parked until now or not
// heard of in time, and records that the request is overdue.
type Tick struct{ Now time.Time }

// Retry takes failed tasks up again, and parked ones that are named. An assembly
// that lacks what was gathered is taken up by gathering again: from the systems
// that are named, or from all. An erasure that could not reach everything is begun
// anew, with its plan.
type Retry struct {
	By     string
	Reason string
	// Systems are those to retry; none means every one whose task failed.
	Systems []string
	// AcceptPlan takes a plan that the brake stopped as it is: what was planned
	// will be erased.
	AcceptPlan bool
	Now        time.Time
}

// Cancel ends a request without an answer, until the first task is sent that changes
// something ([ErrBegun]). Reports that come later are dropped.
type Cancel struct {
	By     string
	Reason string
	Now    time.Time
}

// Extend moves the due date as far as the law allows, once, and before the first
// one has passed. The person is told, with the reason.
type Extend struct {
	By     string
	Reason string
	// ToPerson is the reason as the person is told it, in their language; empty: Reason.
	ToPerson string
	Calendar Calendar
	Now      time.Time
}

// Refuse ends a request without an answer, on a ground that the law knows
// ([Terms.Refusals]).
type Refuse struct {
	By     string
	Ground string
	Reason string
	Now    time.Time
}

// Merge ends a request that asks for what another one is already answering.
type Merge struct {
	By     string
	Into   string // the other request's id
	Reason string
	Now    time.Time
}

// AskProof asks the person for proof and waits for it: until it is judged, no
// system is asked for anything more. What is asked already goes on.
type AskProof struct {
	By     string
	Reason string
	// Checks are what is to be proven; none means identity.
	Checks []dsar.Check
	Now    time.Time
}

// JudgeProof accepts or refuses the proof that was asked for. Where it is
// refused, what the law answers instead is answered ([Terms.Instead]), or the
// request is refused.
type JudgeProof struct {
	By       string
	Accepted bool
	// Identifiers are the fingerprints of those that the proof is of; nil: all that it
	// was asked for. The request goes on without the others.
	Identifiers []string
	// Failed is what isn't proven, where the proof is not accepted; none: all that was
	// asked for.
	Failed []dsar.Check
	// Without has the request go on with the identifiers that are verified or proven
	// already, instead of being refused.
	Without  bool
	Reason   string
	Calendar Calendar
	Now      time.Time
}

// AskClarification asks the person what is meant, and waits as [AskProof] does.
type AskClarification struct {
	By     string
	Reason string // for the trace; the person isn't told it
	// ToPerson is the question, in the person's language; empty: they are asked to tell more.
	ToPerson string
	Now      time.Time
}

// Clarify goes on: the person has said what is meant.
type Clarify struct {
	By       string
	Reason   string
	Calendar Calendar
	Now      time.Time
}

// Hold keeps records from being erased, whatever their retention, until it is
// lifted: those of one dataset, of one system, or all of the request. It reaches
// what is not erased yet, and what was kept by a request that was answered.
type Hold struct {
	By      string
	Reason  string
	System  string // empty: every system
	Dataset string // empty: every dataset
	Now     time.Time
}

// Lift lifts a [Hold] of the same reach. What only the hold kept is then erased.
type Lift struct {
	By      string
	Reason  string
	System  string
	Dataset string
	Now     time.Time
}

// Attest ends a task that a person did by hand: one that no worker can do, or
// that failed.
type Attest struct {
	By     string
	Reason string
	System string
	// Action is the one that was done; empty where only one waits for a person.
	Action  dsar.Action
	Outcome dsar.Outcome
	Counts  []dsar.Counts
	// Objects are the records that the person left in the vault; with gather.
	// They may be left out where a worker has gathered and a person had to look
	// ([CodeOthers]), or where the person leaves it at what the worker could reach
	// ([Incomplete]): what it gathered is then the answer. Of an incomplete gather,
	// they are added to what the worker gathered.
	Objects []dsar.Object
	// Release shows what a worker gathered as it is; else what the manifest names
	// as being about other people is redacted.
	Release bool
	// Redacted says which values the objects lack of what a worker gathered, where a person
	// has looked at each; not nil.
	Redacted []Redaction
	// Identifiers are those that the person found; with resolve.
	Identifiers []dsar.Identifier
	// Same are, of the identifiers in doubt ([State.Doubtful]), the fingerprints of
	// those that are the person's; with resolve. The others are somebody else's.
	Same []string
	Now  time.Time
}

// Reveal records that somebody looks at what identifies the person: the values
// of the request's identifiers, or what a system has gathered. It changes nothing else.
type Reveal struct {
	By       string
	Reason   string
	Gathered string // the system; empty: the identifiers
	Now      time.Time
}

// DeliverAgain has the person told once more where the answer is; or records, with ByHand,
// that somebody has told them, by post or by telephone, as the reason says.
type DeliverAgain struct {
	By     string
	Reason string
	ByHand bool
	Now    time.Time
}

// Assign says who has the request in hand; nobody, with an empty To.
type Assign struct {
	By     string
	To     string
	Reason string
	Now    time.Time
}

// Note writes something down about the request, for colleagues.
type Note struct {
	By     string
	Reason string // the note
	Now    time.Time
}

// IfUnchanged takes a command only where no person has acted on the request since
// the command's author looked at it; else it is [ErrChanged]. So nobody overwrites an
// act that they haven't seen.
type IfUnchanged struct {
	// Acts is [State.Acts] as it was when the author looked.
	Acts    int
	Command Command
}

// NoteLetter records that the person was written to. The same letter on the same
// occasion again decides nothing.
type NoteLetter struct{ LetterSent }

func (c Submit) now() time.Time           { return c.AcceptedAt }
func (c TakeReport) now() time.Time       { return c.Now }
func (c Tick) now() time.Time             { return c.Now }
func (c Retry) now() time.Time            { return c.Now }
func (c Cancel) now() time.Time           { return c.Now }
func (c Extend) now() time.Time           { return c.Now }
func (c Refuse) now() time.Time           { return c.Now }
func (c Merge) now() time.Time            { return c.Now }
func (c AskProof) now() time.Time         { return c.Now }
func (c JudgeProof) now() time.Time       { return c.Now }
func (c AskClarification) now() time.Time { return c.Now }
func (c Clarify) now() time.Time          { return c.Now }
func (c Hold) now() time.Time             { return c.Now }
func (c Lift) now() time.Time             { return c.Now }
func (c Attest) now() time.Time           { return c.Now }
func (c Reveal) now() time.Time           { return c.Now }
func (c DeliverAgain) now() time.Time     { return c.Now }
func (c Assign) now() time.Time           { return c.Now }
func (c Note) now() time.Time             { return c.Now }
func (c IfUnchanged) now() time.Time      { return c.Command.now() }
func (c NoteLetter) now() time.Time       { return c.LetterSent.At }

// What [Decide] refuses. The state is as it was.
var (
	// ErrConflict says that the request id was used before, for something else.
	ErrConflict = errors.New("another request has this request_id")
	// ErrInvalid says that a request can't be accepted: no identifier, an
	// unknown right, no system to ask.
	ErrInvalid = errors.New("invalid request")
	// ErrUnknown says that no such request exists.
	ErrUnknown = errors.New("no such request")
	// ErrEnded says that the request has ended and can't be changed.
	ErrEnded = errors.New("the request has ended")
	// ErrNothingToRetry says that no task of the named systems waits for a person.
	ErrNothingToRetry = errors.New("nothing to retry")
	// ErrStray says that a report is of a task that was never sent.
	ErrStray = errors.New("report of a task that was never sent")
	// ErrAnswered says that the request was answered, so that it can be neither
	// cancelled nor refused: it only erases what it had to keep.
	ErrAnswered = errors.New("the request was answered; it only erases what it had to keep")
	// ErrBegun says that a task which changes something was sent already, so that the
	// request can't be cancelled any more.
	ErrBegun = errors.New("something was sent to be changed or erased already: the request can't be cancelled any more")
	// ErrNotAllowed says that the law doesn't allow it; the text around it says
	// what it does allow.
	ErrNotAllowed = errors.New("not allowed")
	// ErrAwaited says that the person is awaited already.
	ErrAwaited = errors.New("the person is awaited already")
	// ErrNotAwaited says that the person was not asked for that.
	ErrNotAwaited = errors.New("the person was not asked for that")
	// ErrChanged says that somebody else has acted on the request in between.
	ErrChanged = errors.New("somebody else has acted on the request in between")
	// ErrNothingToAttest says that no task of the system waits for a person, or
	// several do and none was named.
	ErrNothingToAttest = errors.New("no such task waits for a person")
	// ErrNoSuchHold says that no hold of that reach is on.
	ErrNoSuchHold = errors.New("no such hold")
)
