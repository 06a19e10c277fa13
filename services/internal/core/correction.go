package core

import (
	"fmt"
	"slices"
	"time"

	"habeas.dev/pkg/dsar"
)

// A correction waits for a person where it is in doubt; or, where the configuration says so,
// before anything is corrected at all. That person has it made, or refuses it: the whole of it
// ([Refuse]), or field by field (GDPR art. 16; 11 CCR 7023(f)).

// CorrectionReview says when a correction waits for a person.
type CorrectionReview string

// When a correction waits for a person. Nobody is asked by whose identifier a field is to
// become: where that is in doubt, it waits in any case.
const (
	ReviewDoubt  CorrectionReview = "doubt"  // where it is in doubt
	ReviewAlways CorrectionReview = "always" // before anything is corrected, and where it is in doubt
	ReviewNever  CorrectionReview = "never"  // not where a system only writes a value in its own way
)

// CorrectionReviews returns all of them; the first is what is meant where nothing is said.
func CorrectionReviews() []CorrectionReview {
	return []CorrectionReview{ReviewDoubt, ReviewAlways, ReviewNever}
}

// CodeCorrectionReview is of a correction of which nothing is corrected before a person has
// approved it ([ReviewAlways]).
const CodeCorrectionReview = "correction-review"

// MayLetGo reports whether a person may have a correction made that has stopped with a code.
// Onto somebody else's identifier nobody may.
func MayLetGo(code string) bool {
	return code == dsar.CodeOthersValue || code == dsar.CodeIdentifierUnproven || code == dsar.CodeWrittenOtherwise
}

// ApproveCorrection has a correction made that waits for a person: all of it where it was to be
// looked at first, or else what has stopped in doubt, in the systems that are named or in all.
type ApproveCorrection struct {
	By      string
	Systems []string
	Reason  string
	Now     time.Time
}

func (c ApproveCorrection) now() time.Time { return c.Now }

func (c ApproveCorrection) decide(d *decider) error {
	switch {
	case !d.Exists():
		return ErrUnknown
	case d.Status.Ended():
		return ErrEnded
	case d.Awaited != "":
		return ErrAwaited
	case d.refusing():
		return ErrRefusalWaits
	case d.Right != dsar.Rectification:
		return fmt.Errorf("%w: only a correction is approved", ErrNotAllowed)
	case c.By == "" || c.Reason == "":
		return fmt.Errorf("%w: say who you are, and why", ErrNotAllowed)
	}
	e := CorrectionApproved{ReasonedAct: ReasonedAct{By: c.By, Reason: c.Reason, At: d.now}}
	if d.waitsForApproval() {
		d.record(e)
		return nil
	}
	var again []string
	for _, t := range d.Tasks {
		if t.letsGo() && (len(c.Systems) == 0 || slices.Contains(c.Systems, t.System)) {
			again = append(again, t.System)
			for _, column := range t.End.Cause.Columns {
				e.Let = append(e.Let, LetGo{System: t.System, LetGo: dsar.LetGo{Code: t.End.Code, Field: dsar.Field{Dataset: t.End.Cause.Dataset, Column: column}}})
			}
		}
	}
	if len(again) == 0 || len(again) < len(c.Systems) {
		return fmt.Errorf("%w: no correction waits there that a person may let go on; what leads to somebody else's records can be refused, or corrected by hand", ErrNotAllowed)
	}
	d.record(e)
	for _, system := range again {
		d.send(system, dsar.Rectify, SentRetried)
	}
	return nil
}

// letsGo reports whether the task is a correction that has stopped, and that a person may have
// made.
func (t *TaskState) letsGo() bool {
	return t.Action == dsar.Rectify && t.Status == TaskIsFailed && MayLetGo(t.End.Code) && t.End.Cause != nil && len(t.End.Cause.Columns) > 0
}

// Stopped returns the systems in which a correction has stopped in doubt and that a person may
// have made ([ApproveCorrection]).
func (s State) Stopped() []string {
	var out []string
	for _, t := range s.Tasks {
		if t.letsGo() {
			out = append(out, t.System)
		}
	}
	return out
}

// waitsForApproval reports whether nothing is corrected before a person has approved it.
func (s State) waitsForApproval() bool {
	return s.Right == dsar.Rectification && s.Accepted.CorrectionReview == ReviewAlways && !s.Approved && !s.Status.Ended()
}

// LetGo is a doubt about a correction in one system in spite of which it is made.
type LetGo struct {
	System string `json:"system"`
	dsar.LetGo
}

// CorrectionApproved says that a person has a correction made: all of it, where Let is empty;
// else in spite of those doubts.
type CorrectionApproved struct {
	ReasonedAct
	Let []LetGo `json:"let,omitempty"`
}

func (e CorrectionApproved) evolve(s State) State {
	if len(e.Let) == 0 {
		s.Approved = true
	}
	s.Let = append(slices.Clip(s.Let), e.Let...)
	if s.Status == StatusNeedsAttention {
		s = s.attended()
	}
	return s
}

// correctionOf adds to a task what a person has decided of the correction in its system.
func (s State) correctionOf(t *dsar.Task) {
	for _, f := range s.Fields {
		if f.System == t.System {
			t.Refused = append(t.Refused, dsar.Field{Dataset: f.Dataset, Column: f.Column})
		}
	}
	for _, l := range s.Let {
		if l.System == t.System {
			t.Let = append(t.Let, l.LetGo)
		}
	}
	if s.Accepted.CorrectionReview == ReviewNever {
		t.Let = append(t.Let, dsar.LetGo{Code: dsar.CodeWrittenOtherwise})
	}
}

// correctedAlready returns the error of refusing the whole of a correction that is being made,
// or of which something is.
func (d *decider) correctedAlready() error {
	for _, t := range d.Tasks {
		if t.Action != dsar.Rectify {
			continue
		}
		end := ActionEnd{Action: t.Action, Counts: t.End.Counts}
		if t.Status == TaskIsSent || t.Status == TaskIsParked || t.End.Outcome == dsar.Rectified || end.outcome() == dsar.Rectified {
			return fmt.Errorf("%w: it comes too late, something is corrected, or being corrected: refuse what is left, field by field", ErrNotAllowed)
		}
	}
	return nil
}

// correctionFacts are the facts of what people decide about a correction.
var correctionFacts = []factType{
	fact[CorrectionApproved]("correction.approved"),
	fact[FieldRefused]("field.refused"),
}
