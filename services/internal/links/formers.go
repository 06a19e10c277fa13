package links

import (
	"context"
	"fmt"
	"slices"
	"time"

	"habeas.dev/pkg/dsar"
	"habeas.dev/pkg/link"
	"habeas.dev/services/internal/core"
	"habeas.dev/services/internal/journal"
	"habeas.dev/services/internal/prints"
)

// Formers finds the earlier erasures that keep records under a number which a task's person has,
// and which isn't known to be the same person's, in the journal as it is when the task leaves; it
// implements link.Formers. It is safe for many goroutines.
type Formers struct {
	Requests Requests
	Journal  Journal
	Prints   prints.Prints
	Now      func() time.Time
}

// maxFormers bounds the erasures whose plans a task is told: more people than one number is given
// to. Beyond, nobody knows whose the number's records are, and nothing is sent.
const maxFormers = 100

// Former implements link.Formers. What goes by the keys of a plan is found by no number.
func (f Formers) Former(ctx context.Context, t dsar.Task) (out []link.Former, err error) {
	finds := t.Action == dsar.Gather || t.Action == dsar.Rectify || t.Action == dsar.Restrict || t.Action.Ability() == dsar.Erase
	numbers := slices.DeleteFunc(slices.Clone(t.Identifiers), func(id dsar.Identifier) bool { return !core.NamesAccount(id.Type) })
	if !finds || t.ByKeys || len(numbers) == 0 {
		return nil, nil
	}
	s, err := f.Requests.State(ctx, t.RequestID)
	if err != nil {
		return nil, fmt.Errorf("request %s: %w", t.RequestID, err)
	}
	mine, err := f.Prints.Values(ctx, t.RequestID, s.Usable())
	if err != nil {
		return nil, err
	}
	all, err := f.others(ctx, s, mine, numbers)
	if err != nil {
		return nil, err
	}
	var compared []core.Compared
	for _, o := range all {
		compared = append(compared, o.Compared)
	}
	for _, o := range all {
		if o.same(s, compared) || !o.keeps(t.System, f.Now()) {
			continue
		}
		if out = append(out, link.Former{RequestID: o.Accepted.RequestID, Plans: o.PlansOf(t.System), Numbers: o.numbers}); len(out) > maxFormers {
			return nil, fmt.Errorf("request %s: more than %d erasures keep records under one number", t.RequestID, maxFormers)
		}
	}
	return out, nil
}

// numbered is another request that has numbers of a task's person.
type numbered struct {
	core.Compared
	numbers []dsar.Identifier
}

// others returns the other requests that have numbers of a task's person, each once.
func (f Formers) others(ctx context.Context, s core.State, mine []prints.Value, numbers []dsar.Identifier) (out []numbered, err error) {
	for _, v := range mine {
		i := slices.IndexFunc(numbers, func(id dsar.Identifier) bool { return id.Type == v.Type && id.Fingerprint == v.Fingerprint })
		if i < 0 {
			continue
		}
		err := each(ctx, f.Journal, f.Prints.Vault.Fingerprint(v.Type, v.Value), func(row journal.Row) error {
			if row.RequestID == s.Accepted.RequestID {
				return nil
			}
			at := slices.IndexFunc(out, func(o numbered) bool { return o.Accepted.RequestID == row.RequestID })
			if at < 0 {
				other, err := f.Requests.State(ctx, row.RequestID)
				if err != nil {
					return fmt.Errorf("request %s: %w", row.RequestID, err)
				}
				c, err := f.Prints.Compare(ctx, s, mine, other, other.Usable())
				if err != nil {
					return fmt.Errorf("request %s: %w", row.RequestID, err)
				}
				at, out = len(out), append(out, numbered{Compared: core.Compared{State: other, Comparison: c}})
			}
			out[at].numbers = append(out[at].numbers, numbers[i])
			return nil
		})
		if err != nil {
			return nil, fmt.Errorf("earlier requests: %w", err)
		}
	}
	return out, nil
}

// same reports whether it is of the same person as a request: as somebody has said, or as they
// compare.
func (o numbered) same(s core.State, all []core.Compared) bool {
	if same, judged := core.JudgedAmong(s, o.State, all); judged {
		return same
	}
	return o.Sameness == core.SamePerson
}

// keeps reports whether it is an erasure that keeps something in a system, and has plans of it.
func (o numbered) keeps(system string, at time.Time) bool {
	return len(o.PlansOf(system)) > 0 && slices.ContainsFunc(o.Kept(at), func(k core.KeptEarlier) bool {
		return k.System == system && len(k.Retained)+len(k.Then) > 0
	})
}
