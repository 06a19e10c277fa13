package core

import (
	"slices"
	"time"

	"habeas.dev/pkg/dsar"
)

// Status is where a request stands, in the word that lists and pages show.
type Status string

// The statuses. The drawing in DESIGN.md is checked against them
// (TestLifecycleIsDrawn).
const (
	StatusAccepted              Status = "accepted"
	StatusAwaitingProof         Status = "awaiting-proof"
	StatusAwaitingClarification Status = "awaiting-clarification"
	StatusGathering             Status = "gathering"
	StatusPlanning              Status = "planning"
	StatusErasing               Status = "erasing"
	StatusProving               Status = "proving"
	StatusRectifying            Status = "rectifying"
	StatusRestricting           Status = "restricting"
	StatusAssembling            Status = "assembling"
	StatusDelivering            Status = "delivering" // the answer is there, and the person isn't told yet
	StatusReviewing             Status = "reviewing"  // an appeal or a complaint, by a person
	StatusNeedsAttention        Status = "needs-attention"
	StatusCompleted             Status = "completed"
	StatusCancelled             Status = "cancelled"
	StatusRefused               Status = "refused"
	StatusMerged                Status = "merged"
)

// OpenStatuses lists those of requests that haven't ended, in the order of a
// request's life.
func OpenStatuses() []Status { return slices.DeleteFunc(Statuses(), Status.Ended) }

// Statuses lists all of them, in the order of a request's life.
func Statuses() []Status {
	return []Status{StatusAccepted, StatusAwaitingProof, StatusAwaitingClarification, StatusGathering, StatusPlanning, StatusErasing, StatusProving, StatusRectifying,
		StatusRestricting, StatusAssembling, StatusDelivering, StatusReviewing, StatusNeedsAttention, StatusCompleted, StatusCancelled, StatusRefused, StatusMerged}
}

// Ended reports whether nothing more is to be done for the request. A completed
// erasure is taken up again when something may go that it had to keep
// ([RetentionEnded]).
func (s Status) Ended() bool {
	return s == StatusCompleted || s == StatusCancelled || s == StatusRefused || s == StatusMerged
}

var statusOf = map[dsar.Action]Status{
	dsar.Gather: StatusGathering, dsar.Plan: StatusPlanning, dsar.Erase: StatusErasing, dsar.Prove: StatusProving,
	dsar.Rectify: StatusRectifying, dsar.Restrict: StatusRestricting, dsar.Assemble: StatusAssembling,
}

// State is all that is known of a request: the fold of its facts. The zero
// State is a request that doesn't exist yet.
type State struct {
	// Version is how many facts it is the fold of.
	Version int
	// Accepted is the first fact, with systems under the names that they have now.
	Accepted Accepted
	// Identifiers are the given ones and then those that were found, each once.
	Identifiers []dsar.Identifier
	// LookedUp are the fingerprints by which it was looked for other requests of the person.
	LookedUp []string
	// Carried says which identifiers earlier requests have, too, of which something is left,
	// and whose they are nobody has said.
	Carried []Carried
	Status  Status
	// Right is the one that is answered: that of Accepted, or a lesser one.
	Right dsar.Right
	// DueAt is when the answer is due, as things stand.
	DueAt time.Time
	// StartedAt is when the answer's period began, where that was with the proof.
	StartedAt time.Time
	// Extensions is how often that period was extended.
	Extensions int
	// Awaited is what the person is awaited for; empty: nothing.
	Awaited ReminderOf // [RemindProof] or [RemindClarification]
	// Proof is what the person was last asked to prove, and Disproven what they were
	// found not to have proven.
	Proof     ProofAsked
	Disproven []dsar.Check
	// Judged is the version of the last fact that judged a proof.
	Judged       int
	AwaitedSince time.Time
	// Paused tells that the clock stands; Pauses are the times for which it did.
	Paused bool
	Pauses []Pause
	// Holds are the holds that are on; Lifted tells that one was lifted since
	// the erasure was last begun: what only it kept may go. Untold are those that were
	// lifted and of which other requests are to be told.
	Holds  []Held
	Placed []Held // those of them that a person put on this request
	// CameOver are those that were put on other requests of the person, also where they are
	// over by now.
	CameOver []CameOver
	Over     []Held // those that were on, and are lifted
	Lifted   bool
	Untold   []LiftedHold
	// Occasions are what the person is written about, and Letters what they were
	// written.
	Occasions []Occasion
	Letters   []LetterSent
	// After are the requests of the person that an erasure waits for, and RecourseAt is when it
	// was last looked whether they have ended.
	After      []string
	RecourseAt time.Time
	// RemindedAt is when who is awaited was last reminded; RemindedDue tells that
	// the request shows as due soon.
	RemindedAt  time.Time
	RemindedDue bool
	// Refusal and MergedInto say how it ended, with those statuses.
	Refusal    Refused
	MergedInto string
	// Parts are the datasets that a copy is refused of.
	Parts []RefusedPart
	// Fields are those that aren't corrected, Let are the doubts in spite of which others are,
	// and Approved tells that a person has looked at a correction before anything was
	// corrected.
	Fields   []RefusedField
	Let      []LetGo
	Approved bool
	// Seconds are the acts that a second person was asked to agree to.
	Seconds []Second
	// RefusedBy are who refused the request or a part of it, judged its proof insufficient or
	// decided it: none of them decides an appeal or a complaint about it.
	RefusedBy []string
	// Decision is how a grievance ended; ReopenedBy are the grievances that had a refused
	// request, or the refused part of a copy, taken up again.
	Decision   GrievanceDecided
	ReopenedBy []string
	// Stage is the stage that was last started; it stays while the request
	// needs attention.
	Stage dsar.Action
	// Tasks are in the order in which they were first sent or ended.
	Tasks     []*TaskState
	Attention AttentionNeeded // with StatusNeedsAttention
	Overdue   bool
	// Rejections counts the messages that weren't believed ([MessageRejected]).
	Rejections int
	// Assignee is who has it in hand; empty: nobody.
	Assignee string
	// Acts counts what people did to the request ([IfUnchanged]).
	Acts   int
	Bundle dsar.Object // with StatusDelivering and StatusCompleted
	// ToTell is the version of the last fact that the person is to be told of, where that is
	// recorded: that the answer is there, a later certificate, a refusal, a decision; and
	// ToTellAt its time. 0: there is none.
	ToTell   int
	ToTellAt time.Time
	// ToldByHand is when somebody said that they have told the person of it themselves, and
	// TellLate that nobody was known to have after [TellWithin].
	ToldByHand time.Time
	TellLate   bool
	EndedAt    time.Time
	// AnsweredAt is when it was first completed. It stays when it is taken up
	// again.
	AnsweredAt time.Time
	// KeptThen is what an erasure had to keep when it was last answered.
	KeptThen []KeptEarlier
	// Erasures are those of the same person that have erased or are to; KeptElsewhere is
	// what they had left when somebody last looked, and KeptFact the fact that has all of
	// that, once it was looked at after the request was accepted.
	Erasures      []string
	KeptElsewhere []KeptEarlier
	KeptFact      int
	// Doubts are the other requests of which nobody knew whether they are of the same person.
	Doubts []Doubted
	// Again is set while an answered erasure is proven anew; Addenda are what that led
	// to, and AgainAt is when it is next done by itself.
	Again   *Again
	Addenda []Addendum
	AgainAt time.Time
	// Notices are what is owed to the recipients of what it changed.
	Notices []Notice
	// Receipted tells that there is a receipt of how it ended.
	Receipted bool
	// ReceiptLeft says where it lies for who opens the answer; nil: not yet.
	ReceiptLeft *ReceiptLeft
	// AnswerUntold tells that it ended with an answer of which a restored journal has no
	// facts, and that nobody has noted since that they looked at it ([Noted]).
	AnswerUntold bool
	// FactsLost is how many later facts a restored journal is known to lack, where nobody has
	// noted since that they looked what they may have been ([Noted]).
	FactsLost int
	// RecordsForgotten and SubjectForgotten are when Habeas forgot what it held itself;
	// zero: it holds it.
	RecordsForgotten, SubjectForgotten time.Time
	// RecordsEnded tells that they were forgotten once, and so that the keys of records are
	// destroyed; a later answer has others.
	RecordsEnded bool
	// Question is what the person was last asked, in an agent's words to them.
	Question string
	// Sent is what the person has sent, Opened when the answer was given out by the
	// passphrase that there is, and KeyRevoked tells that there is none any more. KeyMade
	// tells that an agent has made one.
	Sent       []PersonSent
	Opened     []time.Time
	KeyRevoked bool
	KeyMade    bool
	// Fetched are the times at which an upstream system was given the answer.
	Fetched []AnswerFetched
	// Changes are those of its status that the caller hasn't heard of; CallUntil is when it is
	// called again after CallsFailed failures, and after CallsRested times at which it wasn't
	// called; zero: at once. CallsGivenUp is the fact up to which it never heard of them, since
	// CallsGivenUpAt, and CallerHeard that up to which it has; 0: there is none.
	Changes        []Change
	CallUntil      time.Time
	CallsFailed    int
	CallsRested    int
	CallsGivenUp   int
	CallsGivenUpAt time.Time
	CallerHeard    int
	// Missing are the systems that the configuration no longer has, Renamed the names that
	// systems had before, in order, and Retired those that are out of use.
	Missing []string
	Renamed []Renamed
	Retired []Retired
	// OwnCopies says what the erasure destroyed of Habeas' own earlier copies; nil: it
	// hasn't reached them yet.
	OwnCopies *OwnCopies
}

// TaskStatus is where one task stands.
type TaskStatus string

// The statuses of a task.
const (
	TaskIsSent   TaskStatus = "sent"
	TaskIsParked TaskStatus = "parked"
	TaskIsEnded  TaskStatus = "ended"
	TaskIsFailed TaskStatus = "failed"
	// TaskIsDue is one that was over and whose turn comes again, since something
	// may go that had to stay, or can be reached that could not.
	TaskIsDue TaskStatus = "due"
)

// TaskState is one action of one system.
type TaskState struct {
	System  string
	Action  dsar.Action
	Status  TaskStatus
	Attempt int
	// Deadline is when it is sent again; with TaskIsSent.
	Deadline time.Time
	// Until is when it is sent again; with TaskIsParked.
	Until time.Time
	// Unheard counts the attempts in a row of which nothing was heard.
	Unheard int
	// Parked counts how often it was parked since it was first sent or a person
	// retried it.
	Parked int
	// Rounds is, with Resolve, for how many sets of identifiers it was asked: what
	// was sent again because nothing was heard of it doesn't count.
	Rounds int
	// Asked are, with Resolve, the fingerprints of the identifiers that could be used
	// when it was sent.
	Asked []string
	// Candidates are, with Resolve, what was found and waits for a person; Rejected
	// are the fingerprints of those that a person said are somebody else's.
	Candidates []dsar.Identifier
	Rejected   []string
	// After is, with Prove, the attempt of the erasure that it asks about; with
	// Assemble, how often systems had been told to gather.
	After int
	// StaleThrough is the last attempt that was made before the erasure was taken up
	// anew: a report of it, or of an earlier one, changes nothing any more.
	StaleThrough int
	// Earlier are, with Plan and Erase, the ends before the erasure was begun anew: the
	// answer tells them with the last one.
	Earlier []ActionEnd
	// Before are, with Plan, the plans that were made before, and what came after them and
	// had to stay.
	Before []dsar.Object
	// Done is how many of Before were carried out when the request was answered.
	Done int
	// Late are, with Plan, what erasures by it have left: what came after it and had to stay.
	Late []dsar.Object
	// Answered is the last attempt that an answer has told of.
	Answered int
	// Unread are, with Assemble, the systems of which a person has it made without what stood
	// in corrected fields, since that couldn't be read.
	Unread []Unread
	// End is how it ended or failed, and Notes what was noted then.
	End   ActionEnd
	Notes []string
	// Words are what its worker said then in its own words, sealed: a [dsar.Words].
	Words []byte
}

// Exists reports whether the request was accepted.
func (s State) Exists() bool { return s.Accepted.RequestID != "" }

// Task finds a task; nil where it was not sent yet. It MUST NOT be changed.
func (s State) Task(system string, action dsar.Action) *TaskState {
	for _, t := range s.Tasks {
		if t.System == system && t.Action == action {
			return t
		}
	}
	return nil
}

// Wake returns when the request next wants a [Tick]; the zero time where it never
// does.
func Wake(s State) time.Time {
	var wake time.Time
	wakeBy := func(t time.Time) {
		if !t.IsZero() && (wake.IsZero() || t.Before(wake)) {
			wake = t
		}
	}
	if !s.Exists() {
		return wake
	}
	if s.Status.Ended() {
		if s.Status == StatusCompleted && s.Right == dsar.Erasure {
			for _, sys := range s.Accepted.Systems {
				wakeBy(s.retentionDue(sys))
			}
			if s.SubjectForgotten.IsZero() {
				wakeBy(s.AgainAt)
			}
		}
		for _, d := range s.duties() {
			wakeBy(d.at)
		}
		wakeBy(s.tellDue())
		return wake
	}
	if !s.Overdue && s.running() {
		wakeBy(s.DueAt)
	}
	wakeBy(s.remindDue())
	_, remind := s.reminder()
	wakeBy(remind)
	if s.stands() {
		wakeBy(s.callDue())
		wakeBy(s.releaseDue()) // others don't wait for this person
		return wake            // nothing else is sent until the person, or a second one, has acted
	}
	for _, d := range s.duties() {
		wakeBy(d.at)
	}
	for _, t := range s.Tasks {
		switch t.Status {
		case TaskIsSent:
			wakeBy(t.Deadline)
		case TaskIsParked:
			wakeBy(t.Until)
		}
	}
	return wake
}

// Waiting names the systems that the request waits for, sorted: those that were
// asked and have not answered, and those whose task failed. While the person is awaited, or a
// second one is to agree to a refusal, it is nobody's turn but theirs.
func Waiting(s State) []string {
	if s.Status.Ended() || s.stands() {
		return nil
	}
	var names []string
	for _, t := range s.Tasks {
		if t.Status != TaskIsEnded && t.Status != TaskIsDue && !slices.Contains(names, t.System) {
			names = append(names, t.System)
		}
	}
	slices.Sort(names)
	return names
}

// NewTask returns what the worker is told with a [TaskSent] of this state.
func (s State) NewTask(sent TaskSent) AssembleTask {
	a := s.Accepted
	t := AssembleTask{Task: dsar.Task{
		RequestID: a.RequestID, System: sent.System, Action: sent.Action, Attempt: sent.Attempt,
		Right: s.Right, Jurisdiction: a.Jurisdiction, Locale: a.Locale, ReceivedAt: a.ReceivedAt, DueAt: s.DueAt,
		Details: a.Details, Lease: sent.Deadline.Sub(sent.At),
	}}
	if state := s.Task(sent.System, sent.Action); state != nil {
		t.Parked = state.Parked
	}
	if sent.System == dsar.Aggregator {
		t.Answer = s.answer()
		return t
	}
	sys := s.system(sent.System)
	t.Formerly = s.namesOf(sys.Name)[1:]
	types := sys.Needs
	if sent.Action == dsar.Resolve {
		types = slices.Concat(types, sys.ResolvesBy())
	}
	t.Identifiers = known(s.usableFor(sent.Action), types)
	if sent.Action.Ability() == dsar.Erase {
		t.Holds = s.heldDatasets(sys)
	}
	switch {
	case s.restrictsHeld(sent.Action): // all use of it, and what the person asked for otherwise is no matter
		t.Right, t.Details = dsar.Restriction, nil
	case sent.Action == dsar.Restrict:
		t.Purposes = s.ends(sys)
	}
	switch sent.Action {
	case dsar.Rectify:
		s.correctionOf(&t.Task)
	case dsar.Erase, dsar.Prove:
		t.Plan, t.ByKeys = s.plan(sys), s.byKeys(sys)
		if s.Again != nil || t.ByKeys && t.Plan == nil && sent.Action == dsar.Prove { // of all that was ever planned
			t.Earlier = s.otherPlans(sys)
			t.Done = len(s.earlierPlans(sys))
		}
	case dsar.Plan:
		t.Earlier, t.ByKeys = s.earlierPlans(sys), s.byKeys(sys)
		if state := s.Task(sys.Name, dsar.Plan); state != nil {
			t.Done = state.Done
		}
	}
	return t
}

// gatherings returns how often systems were told to gather.
func (s State) gatherings() (n int) {
	for _, t := range s.Tasks {
		if t.Action == dsar.Gather {
			n += t.Attempt
		}
	}
	return n
}

// Told returns everything that an answer can tell, as things stand; nil where there is
// no request.
func (s State) Told() *Answer {
	if !s.Exists() {
		return nil
	}
	return s.answer()
}

func (s State) answer() *Answer {
	answer := &Answer{
		Source: s.Accepted.Source, Identifiers: s.usableFor(s.first()), Without: s.without(), WithoutFormer: s.withoutFormer(), Unproven: s.Disproven, Judged: s.Judged,
		Recipient: s.Accepted.Recipient,
		ByPurpose: s.Accepted.Terms.ByPurpose, Purposes: s.Accepted.Terms.Purposes,
	}
	if len(s.Disproven) == 0 {
		answer.Kept, answer.KeptFact = s.keptEarlier(), s.KeptFact
	}
	if s.Right != s.Accepted.Right {
		answer.Asked = s.Accepted.Right
	}
	answer.Again, answer.Keep, answer.Copies = s.again(), s.Accepted.Keep, s.OwnCopies
	answer.Parts, answer.Fields = s.RefusedParts(), s.RefusedFields()
	for _, n := range s.Notices {
		answer.Notices = append(answer.Notices, NoticeAnswer{Recipient: n.Recipient, By: n.By, Status: n.Status, Fact: n.Fact})
	}
	for _, sys := range s.Accepted.Systems {
		part := SystemAnswer{System: sys.Name, Needs: sys.Needs, Retired: s.retirement(sys.Name)}
		for _, t := range s.Tasks {
			switch {
			case t.System != sys.Name || !s.tells(t.Action) || s.restrictedBefore(t):
			case t.Status == TaskIsEnded:
				part.Ends = append(append(part.Ends, s.toldEnds(sys.Name, t.Earlier)...), s.toldEnds(sys.Name, []ActionEnd{t.end()})...)
			default:
				part.Open = append(part.Open, t.Action)
			}
		}
		if t := s.Task(dsar.Aggregator, dsar.Assemble); t != nil {
			for _, u := range t.Unread {
				if u.System == sys.Name {
					part.Unread = u.Fact
				}
			}
		}
		answer.Systems = append(answer.Systems, part)
	}
	return answer
}

// first returns what systems are first asked for the right; empty where there is no such
// right.
func (s State) first() dsar.Action {
	if stages := s.Right.Stages(); len(stages) > 0 {
		return stages[0]
	}
	return ""
}

// tells reports whether the answer tells of an action. Where another right is
// answered, since something wasn't proven, what was found for the right that was
// asked for is told to nobody (TestImpostorLearnsNothing).
func (s State) tells(a dsar.Action) bool {
	return len(s.Disproven) == 0 || slices.Contains(s.Right.Stages(), a)
}

func (s State) system(name string) dsar.System {
	for _, sys := range s.Accepted.Systems {
		if sys.Name == name {
			return sys
		}
	}
	return dsar.System{Name: name}
}

// known returns the identifiers of the given types.
func known(ids []dsar.Identifier, types []dsar.IdentifierType) []dsar.Identifier {
	var out []dsar.Identifier
	for _, id := range ids {
		if slices.Contains(types, id.Type) {
			out = append(out, id)
		}
	}
	return out
}
