package worker

import (
	"context"
	"slices"
	"strings"

	"habeas.dev/pkg/dsar"
	"habeas.dev/pkg/identifier"
	"habeas.dev/pkg/record"
)

// The codes of corrections by which somebody else's records would lead to the person, or the
// person's to somebody else.
const (
	CodeIdentifierTaken    = dsar.CodeIdentifierTaken
	CodeIdentifierUnproven = dsar.CodeIdentifierUnproven
)

// proven returns an error where a correction would have the person found by an identifier that
// leads to somebody else, or that nobody has shown to be the person's: whoever it belongs to would
// be shown the person's records, and be able to have them erased. A person may decide that the
// latter goes on; the former nobody may.
func (c corrector) proven(ctx context.Context, j *RectifyJob) error {
	m := c.w.manifest
	for _, change := range j.Changes {
		d := m.Dataset(change.Dataset)
		can, said := m.Corrigible(change.Dataset)
		if said && !slices.Contains(can, change.Column) || identifier.Trim(change.Value) == "" {
			continue
		}
		leads := m.LeadsBy(d, change.Column)
		for _, t := range distinctTypes(leads, m.MeantBy(d, change.Column)) {
			if isShown(j.Identifiers, t, change.Value) {
				continue
			}
			cause := dsar.Cause{Dataset: change.Dataset, Columns: []string{change.Column}}
			malformed := identifier.Malformed(t, change.Value) != ""
			if malformed && c.knows == nil {
				return Because(cause, Permanent("bad-correction", "what "+change.Dataset+"."+change.Column+" is to be is no "+string(t)+", and nobody can ask this system whether it is somebody else's: ask the person again, refuse the field, or correct it by hand", nil))
			}
			where, asked, err := c.elsewhere(ctx, j, Identifier{Type: t, Value: change.Value})
			if err != nil {
				return err
			}
			if where != "" {
				return Because(cause, Permanent(CodeIdentifierTaken, "what "+change.Dataset+"."+change.Column+" is to be leads to records of "+where+" that aren't known to be the person's: nothing was corrected; find out whose they are, and correct it by hand where all are one person's, or refuse the field", nil))
			}
			// Nobody asks by what is no address or number; it is asked above whether somebody else's
			// record holds it, from where it would be found.
			switch {
			case !slices.Contains(leads, t) || malformed:
			case !asked:
				return Because(cause, Permanent(dsar.CodeIdentifierUnasked, "people are found by "+change.Dataset+"."+change.Column+", nobody has shown that what it is to be is the person's, and the system can't be asked whether it leads to somebody else: nothing was corrected; have the request made anew with the new "+string(t)+" among what is verified or proven of the person, refuse the field, or look yourself and correct it by hand", nil))
			case !j.Lets(CodeIdentifierUnproven, change.Dataset, change.Column):
				return Because(cause, Permanent(CodeIdentifierUnproven, "people are found by "+change.Dataset+"."+change.Column+", and nobody has shown that what it is to be is the person's: nothing was corrected; have the request made anew with the new "+string(t)+" among what is verified or proven of the person, or look yourself and let it go on, refuse the field, or correct it by hand", nil))
			}
		}
	}
	return nil
}

// elsewhere returns a dataset in which an identifier leads to records that aren't known to be
// the person's, empty: in none; and whether the system could be asked. A system that can't say itself whose records are is asked to
// gather by that identifier alone: what is found is somebody's, and a person finds out whose.
func (c corrector) elsewhere(ctx context.Context, j *RectifyJob, id Identifier) (where string, asked bool, err error) {
	switch {
	case c.knows != nil:
		where, err = c.knows.Elsewhere(ctx, &j.Task, id)
	case c.gather != nil && slices.Contains(c.w.manifest.Needs, id.Type):
		where, err = c.gathersBy(ctx, j, id)
	default:
		return "", false, nil
	}
	if err != nil && errorOf(err).kind == permanent && ctx.Err() == nil {
		return "", false, nil
	}
	return where, err == nil, err
}

// gathersBy returns the first dataset of which an identifier, alone, leads to a record.
func (c corrector) gathersBy(ctx context.Context, j *RectifyJob, id Identifier) (where string, err error) {
	id.Assurance = dsar.AssuranceVerified
	task := j.Task
	task.Action, task.Right, task.Identifiers = dsar.Gather, dsar.Access, []Identifier{id}
	found := NewRecords(c.w.manifest, dsar.Access, task.Identifiers, func(dataset string, _ record.Record) error {
		if where == "" {
			where = dataset
		}
		return nil
	})
	found.ctx = ctx
	g := &GatherJob{Job: Job{Task: task}, Records: found}
	err = recovered(func() error { return c.gather.Gather(ctx, []*GatherJob{g}) })
	if err == nil {
		err = g.Err
	}
	if err = found.close(err); where != "" {
		return where, nil
	}
	return "", err
}

func distinctTypes(a, b []dsar.IdentifierType) []dsar.IdentifierType {
	all := slices.Concat(a, b)
	slices.Sort(all)
	return slices.Compact(all)
}

// isShown reports whether an identifier is, in any writing, one of the person's that is more
// than claimed.
func isShown(known []Identifier, t dsar.IdentifierType, value string) bool {
	var rules identifier.Rules
	return slices.ContainsFunc(known, func(id Identifier) bool {
		return id.Assurance != dsar.AssuranceClaimed && bare(id.Type) == bare(t) && rules.Normalise(id.Type, id.Value) == rules.Normalise(t, value)
	})
}

// bare returns a type of identifiers without the prefix of the system that it belongs to.
func bare(t dsar.IdentifierType) dsar.IdentifierType {
	return t[strings.LastIndexByte(string(t), '.')+1:]
}
