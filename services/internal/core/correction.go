package core

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
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

// RefuseField refuses to correct one field, on a ground that the law knows for it
// ([Terms.PartRefusals]), as long as its system hasn't corrected it. What waited for that goes
// on without. That the system has such a field is for who calls to know.
type RefuseField struct {
	By      string
	System  string
	Dataset string
	Column  string
	Ground  string
	// Reason is for the trace; the person is told the ground.
	Reason string
	Now    time.Time
}

func (c RefuseField) now() time.Time { return c.Now }

// columnName is what a manifest may call a column: nothing else comes into a fact.
var columnName = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]{0,62}$`)

func (c RefuseField) decide(d *decider) error {
	if err := d.early(); err != nil {
		return err
	}
	grounds := d.Accepted.Terms.PartRefusals
	t := d.Task(c.System, dsar.Rectify)
	switch {
	case d.Right != dsar.Rectification:
		return fmt.Errorf("%w: a field is refused of a correction only", ErrNotAllowed)
	case c.By == "" || c.Reason == "":
		return fmt.Errorf("%w: say who you are, and why", ErrNotAllowed)
	case !datasetName.MatchString(c.Dataset) || !columnName.MatchString(c.Column) || !slices.ContainsFunc(d.Accepted.Systems, func(s dsar.System) bool { return s.Name == c.System }):
		return fmt.Errorf("%w: name a field of one of the request's systems", ErrNotAllowed)
	case !slices.Contains(grounds, c.Ground):
		return fmt.Errorf("%w: the law of %s knows these grounds for a field: %v", ErrNotAllowed, d.Accepted.Jurisdiction, grounds)
	case t != nil && (t.Status != TaskIsFailed || slices.Contains(of(t.End.Counts, c.Dataset).Changed, c.Column)):
		return fmt.Errorf("%w: it comes too late, that system was asked to correct it", ErrNotAllowed)
	}
	if before := d.RefusedField(c.System, c.Dataset, c.Column); before != nil && before.Ground == c.Ground {
		return nil
	}
	d.record(FieldRefused{ReasonedAct: ReasonedAct{By: c.By, Reason: c.Reason, At: d.now}, System: c.System, Dataset: c.Dataset, Column: c.Column, Ground: c.Ground})
	if t = d.Task(c.System, dsar.Rectify); t != nil && !d.refusing() {
		d.goOnWithout(t)
	}
	return nil
}

// CodeRefusedCorrected is the code of a correction of a field that a person had refused.
const CodeRefusedCorrected = "refused-corrected"

// correctsRefused names the fields that a report says to have corrected and that are refused.
func (s State) correctsRefused(r dsar.Report) string {
	var names []string
	for _, n := range r.Counts {
		for _, column := range n.Changed {
			if s.RefusedField(r.System, n.Dataset, column) != nil {
				names = append(names, n.Dataset+"."+column)
			}
		}
	}
	return strings.Join(names, ", ")
}

// goOnWithout has a correction that has stopped go on without the fields that are refused.
func (d *decider) goOnWithout(t *TaskState) {
	switch {
	case t.Attempt == 0: // it stays with who does it by hand
	case t.End.Code == CodeFieldsUnchanged:
		counts := d.withoutRefused(t.System, t.End.Counts)
		if unchanged(counts) != "" {
			return
		}
		end := ActionEnd{Action: t.Action, Counts: counts}
		d.record(TaskEnded{System: t.System, Action: t.Action, Attempt: t.Attempt, Outcome: end.outcome(), Counts: counts, Objects: t.End.Objects, Code: dsar.CodeFieldsRefused, Reason: "a person has refused the fields that were left", Moment: Moment{At: d.now}})
	default:
		d.send(t.System, t.Action, SentRetried)
	}
}

// withoutRefused returns counts in which what is refused is called that.
func (s State) withoutRefused(system string, counts []dsar.Counts) []dsar.Counts {
	out := slices.Clone(counts)
	for i := range out {
		c := &out[i]
		refused := func(column string) bool { return s.RefusedField(system, c.Dataset, column) != nil }
		for _, column := range c.Unchanged {
			if refused(column) && !slices.Contains(c.Refused, column) {
				c.Refused = append(slices.Clip(c.Refused), column)
			}
		}
		c.Unchanged = slices.DeleteFunc(slices.Clone(c.Unchanged), refused)
	}
	return out
}

// FieldRefused says that a field is not corrected, on a ground of the law.
type FieldRefused struct {
	ReasonedAct
	System  string `json:"system"`
	Dataset string `json:"dataset"`
	Column  string `json:"column"`
	Ground  string `json:"ground"`
}

func (e FieldRefused) evolve(s State) State {
	s.Fields = slices.DeleteFunc(slices.Clone(s.Fields), func(f RefusedField) bool {
		return f.System == e.System && f.Dataset == e.Dataset && f.Column == e.Column
	})
	s.Fields = append(s.Fields, RefusedField{System: e.System, Dataset: e.Dataset, Column: e.Column, Ground: e.Ground, Fact: s.Version})
	if s.Status == StatusNeedsAttention {
		s = s.attended()
	}
	return s.refusedBy(e.By)
}

// RefusedField is a field that isn't corrected.
type RefusedField struct {
	System  string `json:"system"`
	Dataset string `json:"dataset"`
	Column  string `json:"column"`
	Ground  string `json:"ground"`
	// Fact is the version of the fact that says so.
	Fact int `json:"fact"`
}

// Name returns system/dataset.column.
func (f RefusedField) Name() string { return f.System + "/" + f.Dataset + "." + f.Column }

// RefusedField returns what is refused of a field; nil where it isn't.
func (s State) RefusedField(system, dataset, column string) *RefusedField {
	for i, f := range s.Fields {
		if f.System == system && f.Dataset == dataset && f.Column == column {
			return &s.Fields[i]
		}
	}
	return nil
}

// RefusedFields returns those of the answer.
func (s State) RefusedFields() []RefusedField {
	if s.Right != dsar.Rectification {
		return nil
	}
	return s.Fields
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
