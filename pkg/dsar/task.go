package dsar

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// Outcome is how a task ended. There is no plain "ok": each says what it means
// for the person.
type Outcome string

// The outcomes of a task. Failed and Manual hold the request open until a
// person acts; the others end the task. Incomplete does either: see there.
const (
	Found         Outcome = "found"          // resolve and plan: there is something
	Gathered      Outcome = "gathered"       // records were copied into the vault
	Erased        Outcome = "erased"         // all that was found was deleted
	Anonymised    Outcome = "anonymised"     // all that was found was deleted or made anonymous
	Rectified     Outcome = "rectified"      // fields were changed
	Restricted    Outcome = "restricted"     // processing was stopped
	Retained      Outcome = "retained"       // something must stay; its counts say what, why, until when
	Proven        Outcome = "proven"         // asked again: nothing was found but what must stay
	Assembled     Outcome = "assembled"      // the bundle is written
	NothingFound  Outcome = "nothing-found"  // the system was asked and holds nothing
	NotApplicable Outcome = "not-applicable" // it can't be asked: none of the identifiers that it needs is known
	Manual        Outcome = "manual"         // no worker can do it; a person must
	Failed        Outcome = "failed"         // it can't go on by machine; a person must decide
	// Incomplete is what could be done in a system of which some datasets could
	// not be reached; its counts say which, and why ([Counts.Uncovered]). No
	// request is answered with it before a person has seen it
	// (TestIncompleteIsSeenByAPerson).
	Incomplete Outcome = "incomplete"
)

// Counts says what a task did to one dataset of a system, in records.
type Counts struct {
	Dataset    string `json:"dataset"`
	Found      int64  `json:"found,omitempty"`
	Gathered   int64  `json:"gathered,omitempty"`
	Erased     int64  `json:"erased,omitempty"`
	Anonymised int64  `json:"anonymised,omitempty"`
	Rectified  int64  `json:"rectified,omitempty"`
	Restricted int64  `json:"restricted,omitempty"`
	// Changed are the columns that a rectification changed; Unchanged are those
	// that the person gave a value for, that the dataset has, and that the
	// system can't change.
	Changed   []string `json:"changed,omitempty"`
	Unchanged []string `json:"unchanged,omitempty"`
	// Refused are the columns that the person gave a value for, and that a person has refused to
	// correct ([Task.Refused]).
	Refused []string `json:"refused,omitempty"`
	// Retained are the records that must stay, by ground.
	Retained []Retention `json:"retained,omitempty"`
	// Gone is, with erase, how many planned records were not there any more when they
	// were asked for by their keys: somebody else deleted them, or an earlier try
	// whose report was lost. They are never counted as erased.
	Gone int64 `json:"gone,omitempty"`
	// Reassigned is, with erase, how many planned records hold somebody else's identifiers by
	// now, and were left. A person sees it before an answer leaves.
	Reassigned int64 `json:"reassigned,omitempty"`
	// Unclaimed is, with erase and prove, how many records stand under the keys of erased ones
	// and are nobody's by what they say: they were left, and a person looks whose they are.
	Unclaimed int64 `json:"unclaimed,omitempty"`
	// Former is how many records were left out that an earlier erasure keeps of whom had the number
	// before by which they were found: they are neither shown, nor planned, nor changed.
	Former int64 `json:"former,omitempty"`
	// Late is, with erase, how many of the erased, anonymised and retained records were
	// not in the plan: they came after it, and were found by asking anew.
	Late int64 `json:"late,omitempty"`
	// Mentions is, with plan, how many records of others mention the person in free text.
	// They are none of Found, and an erasure leaves them.
	Mentions int64 `json:"mentions,omitempty"`
	// Taken are, with erase, rows of tables that no dataset is, which went with the erased
	// ones, as the manifest lets them (cascades).
	Taken []Taken `json:"taken,omitempty"`
	// Uncovered says in a sentence for a support agent why the dataset was not reached, or
	// not all of it: a permission is missing. Empty where it was. In a fact it is
	// [CodeNotCovered]: the sentence is sealed, and Cause is what stays in the open.
	Uncovered string `json:"uncovered,omitempty"`
	Cause     *Cause `json:"cause,omitempty"`
}

// Taken counts the rows of one table that went with what was erased, or were changed by it.
type Taken struct {
	Table   string `json:"table"`
	Records int64  `json:"records"`
	// Changed tells that the rows are there, and have lost their reference to what was
	// erased.
	Changed bool `json:"changed,omitempty"`
}

// Kept returns how many records must stay.
func (c Counts) Kept() int64 {
	var n int64
	for _, r := range c.Retained {
		n += r.Records
	}
	return n
}

// Accounted returns how many planned records an erasure accounts for: each is
// erased, anonymised, retained, gone or somebody else's by now.
func (c Counts) Accounted() int64 {
	return c.Erased + c.Anonymised + c.Kept() + c.Gone + c.Reassigned - c.Late
}

// Retain adds n records that must stay on a ground until a time; the zero time
// where no end is known ([KnownEnd]). Of one ground there is one entry: Until is the latest
// end, and Next the earliest where that is before.
func (c *Counts) Retain(n int64, ground string, until time.Time) {
	until = KnownEnd(until)
	for i := range c.Retained {
		r := &c.Retained[i]
		if r.Ground != ground {
			continue
		}
		first := r.Next
		if first.IsZero() {
			first = r.Until
		}
		if first.IsZero() || !until.IsZero() && until.Before(first) {
			first = until
		}
		if until.IsZero() || !r.Until.IsZero() && until.After(r.Until) {
			r.Until = until
		}
		if r.Next = first; first.Equal(r.Until) {
			r.Next = time.Time{}
		}
		r.Records += n
		return
	}
	c.Retained = append(c.Retained, Retention{Records: n, Ground: ground, Until: until})
}

// Unmet says what of a plan an erasure doesn't account for, in a sentence that
// names datasets and numbers; empty where it accounts for all of it. Erased,
// anonymised, retained and gone records, late ones apart, MUST be as many as were
// planned, in each dataset (TestUnmet). A dataset of which the erasure says that it
// was not covered has said why already.
func Unmet(planned, erased []Counts) string {
	var parts []string
	for _, p := range planned {
		var e Counts
		if i := slices.IndexFunc(erased, func(c Counts) bool { return c.Dataset == p.Dataset }); i >= 0 {
			e = erased[i]
		}
		if e.Uncovered == "" && p.Uncovered == "" && e.Accounted() != p.Found {
			parts = append(parts, unmet(p, e))
		}
	}
	for _, e := range erased {
		if e.Accounted() != 0 && e.Uncovered == "" && !slices.ContainsFunc(planned, func(p Counts) bool { return p.Dataset == e.Dataset }) {
			parts = append(parts, unmet(Counts{Dataset: e.Dataset}, e))
		}
	}
	return strings.Join(parts, "; ")
}

func unmet(planned, erased Counts) string {
	return fmt.Sprintf("%s: %d records were planned, the erasure accounts for %d (%d erased, %d anonymised, %d retained, %d gone; %d of them late)",
		planned.Dataset, planned.Found, erased.Accounted(), erased.Erased, erased.Anonymised, erased.Kept(), erased.Gone, erased.Late)
}

// Retention says that records can't be erased yet, and why (GDPR art. 17(3)).
type Retention struct {
	Records int64 `json:"records"`
	// Ground is the manifest's name for the duty or claim, e.g. tax-records.
	Ground string `json:"ground"`
	// Until is when the last of these records may go; the zero time where no
	// end is known yet (a legal hold).
	Until time.Time `json:"until,omitzero"`
	// Next is when the first of these records may go, where that is before Until.
	Next time.Time `json:"next,omitzero"`
}

// lastYear is the last that RFC 3339 can write, and the end of every database's "for ever"
// (9999-12-31).
const lastYear = 9999

// KnownEnd returns when records may go that must stay until a time: the zero time, for which
// no end is known, where the time is one that can't be written or is the usual sign of none,
// the last day of the year 9999.
func KnownEnd(until time.Time) time.Time {
	if u := until.UTC(); u.Year() < 1 || u.Year() > lastYear || u.Year() == lastYear && u.YearDay() == 365 {
		return time.Time{}
	}
	return until.UTC()
}

// LegalHold is the ground of records that must stay because of a hold.
const LegalHold = "legal-hold"

// ConcernsOthers is the ground, in what a person is told, of records that stay for the sake of
// somebody else's hold: they aren't told of a matter that isn't theirs. In counts it is [LegalHold].
const ConcernsOthers = "concerns-others"

// The grounds of records that a manifest has stay, and no law: since it says so, and while
// other people's records refer to them. Another person's erasure may take them.
const (
	GroundKept   = "kept"
	GroundShared = "shared"
)

// AllDatasets among a task's holds is a hold on the whole system, whatever datasets its
// worker's manifest has.
const AllDatasets = "*"

// The codes of a failed assembly that gathering again can mend: something that
// was gathered is not in the vault any more, or can't be read.
const (
	CodeObjectMissing = "object-missing"
	CodeObjectDamaged = "object-damaged"
)

// The codes of a gathering whose records a person must look at, since they may
// tell of other people as well, and of what that person decides: to show them
// as they are, without what the manifest names, or without single values.
const (
	CodeOthers         = "others"
	CodeOthersReleased = "others-released"
	CodeOthersRedacted = "others-redacted"
	CodeOthersReviewed = "others-reviewed"
)

// CodePlanTooLarge is the code of the brake on erasures: a plan holds far more than
// one person has.
const CodePlanTooLarge = "plan-too-large"

// The codes of an erasure that doesn't keep to its plan, of one whose plan can't be had or
// is another than the journal knows, of one that has none, and of one beside which far more has
// come than one person has. All but the first begin anew with a plan when a person retries them.
const (
	CodePlanUnmet     = "plan-unmet"
	CodePlanMissing   = "plan-missing"
	CodePlanMismatch  = "plan-mismatch"
	CodeNoPlan        = "no-plan"
	CodePlanOvertaken = "plan-overtaken"
)

// The codes of a correction that is in doubt, so that nothing was corrected before a person
// looks: what would be overwritten may be somebody else's; the new value leads to somebody
// else's records; nobody has shown that it is the person's, and it leads to nobody else's, or
// the system can't be asked whether it does; or the system holds another value than was written.
const (
	CodeOthersValue        = "others-value"
	CodeIdentifierTaken    = "identifier-taken"
	CodeIdentifierUnproven = "identifier-unproven"
	CodeIdentifierUnasked  = "identifier-unasked"
	CodeWrittenOtherwise   = "written-otherwise"
)

// CodeFieldsRefused is the code of a correction of which a person has refused the fields that
// were left.
const CodeFieldsRefused = "fields-refused"

// Field is a column of a dataset, as the manifest names them.
type Field struct {
	Dataset string `json:"dataset"`
	Column  string `json:"column"`
}

// LetGo is a doubt about a correction in spite of which it is made, by its code, since a
// person has decided so. A field of it that is empty stands for every one.
type LetGo struct {
	Code string `json:"code"`
	Field
}

// CodeNotCovered is the code of what is [Incomplete].
const CodeNotCovered = "not-covered"

// Task is what a worker is told: one action on one system for one request.
// It is the data of the CloudEvent dsar.task.v1.
type Task struct {
	RequestID string `json:"request_id"`
	System    string `json:"system"`
	Action    Action `json:"action"`
	Attempt   int    `json:"attempt"`
	// Parked is how often it was parked since it was first sent or a person
	// retried it: what a growing backoff is counted by.
	Parked       int          `json:"parked,omitempty"`
	Right        Right        `json:"right"`
	Jurisdiction string       `json:"jurisdiction"`
	Locale       string       `json:"locale,omitempty"`
	ReceivedAt   time.Time    `json:"received_at"`
	DueAt        time.Time    `json:"due_at,omitzero"`
	Identifiers  []Identifier `json:"identifiers,omitempty"`
	// Details are what some rights need beside the subject (the corrected
	// values, the purposes), as JSON sealed under the request's key.
	Details []byte `json:"details,omitempty"`
	// Purposes are the ids of those that are to end, with restrict; none: all use of the
	// data is to end.
	Purposes []string `json:"purposes,omitempty"`
	// Holds are the datasets of which nothing may be erased, or [AllDatasets]: with plan,
	// erase and prove. Their records are retained on the ground [LegalHold].
	Holds []string `json:"holds,omitempty"`
	// Lease is how long it may go unheard of before it is sent anew.
	Lease time.Duration `json:"lease,omitempty"`
	// Plan names the sealed plan, with its SHA-256: with erase always, with prove where
	// something was planned. An erasure goes by this plan and by no other; without one
	// nothing is erased ([CodeNoPlan]).
	Plan *Object `json:"plan,omitempty"`
	// Earlier are the plans that were made before this one, and what came after them and
	// had to stay. With plan, what of it is still there is planned too; with erase and prove,
	// it is looked for by its keys beside Plan.
	Earlier []Object `json:"earlier,omitempty"`
	// Done is, with plan, how many of Earlier, from the first on, were carried out when the
	// request was answered: what was to go by them has gone. With erase and prove, it is how many
	// came before Plan: the rest is what the erasure by it left besides.
	Done int `json:"done,omitempty"`
	// ByKeys tells, with plan, erase and prove, that only what stands under the plan's keys is
	// meant: the person may have become a customer anew since.
	ByKeys bool `json:"by_keys,omitempty"`
	// Formerly are the names that the system had before it was renamed: Plan and Earlier may
	// be of a time when it had one of them.
	Formerly []string `json:"formerly,omitempty"`
	// Refused are, with rectify, the fields that stay as they are, since a person has refused to
	// correct them; Let are the doubts in spite of which the others are corrected.
	Refused []Field `json:"refused,omitempty"`
	Let     []LetGo `json:"let,omitempty"`
}

// ReportKind tells the five things that a worker can say of a task.
type ReportKind string

// The kinds of report.
const (
	ReportEnded    ReportKind = "ended"    // done, with an outcome
	ReportFailed   ReportKind = "failed"   // it makes no sense to try again by machine
	ReportParked   ReportKind = "parked"   // send it again, not before Until
	ReportProgress ReportKind = "progress" // still at it; renews the lease
	ReportRefused  ReportKind = "refused"  // what came as this task wasn't believed; Code says why
)

// Report is what a worker says of a task. It is the data of the CloudEvent
// dsar.report.v1. It names exactly the objects of its own attempt, so that a
// report of another attempt can be dropped without harm.
type Report struct {
	RequestID string     `json:"request_id"`
	System    string     `json:"system"`
	Action    Action     `json:"action"`
	Attempt   int        `json:"attempt"`
	Kind      ReportKind `json:"kind"`
	Outcome   Outcome    `json:"outcome,omitempty"` // with ended; with failed, Manual or Failed
	Until     time.Time  `json:"until,omitzero"`    // with parked
	Counts    []Counts   `json:"counts,omitempty"`
	Objects   []Object   `json:"objects,omitempty"`
	// Found are the identifiers that a resolve found, as the worker says them, in the
	// clear: on its way the whole report is sealed. Who opens it makes Identifiers of them.
	Found []FoundIdentifier `json:"found,omitempty"`
	// Identifiers are those that a resolve found, sealed under the request's key. A worker's
	// own are dropped.
	Identifiers []Identifier `json:"identifiers,omitempty"`
	// Code is a short, stable, lower-case word for machines (rate-limited,
	// no-permission, plan-too-large).
	Code string `json:"code,omitempty"`
	// Cause says in fields what stood in the way.
	Cause *Cause `json:"cause,omitempty"`
	// Findings are what was noticed of the system besides, e.g. a column that its
	// manifest doesn't declare; with every kind but progress.
	Findings []Cause `json:"findings,omitempty"`
	// Reason is one sentence for a support agent, Notes says of what was noticed what fits
	// in no field, and Detail is the underlying error, in which a vendor may quote the
	// person. Who opens the report seals them, as [Words] in Detail, under the request's
	// key: words are in no fact in the open.
	Reason string   `json:"reason,omitempty"`
	Notes  []string `json:"notes,omitempty"`
	Detail []byte   `json:"detail,omitempty"`
	// Records is how many records were handled so far; with progress.
	Records int64 `json:"records,omitempty"`
}

// Words are what a worker said of a case in words of its own, as they are sealed in a
// fact: whoever may reveal whom a request is about may read them.
type Words struct {
	Reason string   `json:"reason,omitempty"`
	Notes  []string `json:"notes,omitempty"`
	// Uncovered says why a dataset was not reached, by its name.
	Uncovered map[string]string `json:"uncovered,omitempty"`
	// Error is the underlying error.
	Error string `json:"error,omitempty"`
}

// FoundIdentifier is an identifier that a resolve found, in the clear.
type FoundIdentifier struct {
	Type  IdentifierType `json:"type"`
	Value string         `json:"value"`
	// FromType and From are the identifier that it was found by; empty where the worker
	// doesn't say.
	FromType IdentifierType `json:"from_type,omitempty"`
	From     string         `json:"from,omitempty"`
}
