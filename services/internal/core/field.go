package core

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"habeas.dev/pkg/dsar"
)

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
