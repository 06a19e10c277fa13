package worker

import (
	"context"
	"slices"
	"strings"

	"habeas.dev/pkg/dsar"
	"habeas.dev/pkg/identifier"
)

// The codes of corrections by which somebody else's records would lead to the person, or the
// person's to somebody else.
const (
	CodeIdentifierTaken    = "identifier-taken"
	CodeIdentifierUnproven = "identifier-unproven"
)

// proven returns an error where a correction would have the person found by an identifier that
// leads to somebody else, or that nobody has shown to be the person's: whoever it belongs to would
// be shown the person's records, and be able to have them erased.
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
			if c.knows != nil {
				where, err := c.knows.Elsewhere(ctx, &j.Task, Identifier{Type: t, Value: change.Value})
				if err != nil && errorOf(err).kind != permanent {
					return err
				}
				if where != "" {
					return Because(cause, Permanent(CodeIdentifierTaken, "what "+change.Dataset+"."+change.Column+" is to be leads to records of "+where+" that aren't known to be the person's: nothing was corrected; find out whose they are, and correct it by hand where all are one person's", nil))
				}
			}
			// Nobody asks by what is no address or number; it is asked above whether somebody else's
			// record holds it, from where it would be found.
			if slices.Contains(leads, t) && identifier.Malformed(t, change.Value) == "" {
				return Because(cause, Permanent(CodeIdentifierUnproven, "people are found by "+change.Dataset+"."+change.Column+", and nobody has shown that what it is to be is the person's: nothing was corrected; have the request made anew with the new "+string(t)+" among what is verified or proven of the person, or look yourself and correct it by hand", nil))
			}
		}
	}
	return nil
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
