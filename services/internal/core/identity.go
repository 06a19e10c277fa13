package core

import (
	"fmt"
	"slices"

	"habeas.dev/pkg/dsar"
)

// The codes of a resolve that a person must look at, since it may lead to somebody
// else.
const (
	// CodeWeakLink is of identifiers that were found by what several people may share.
	CodeWeakLink = "weak-link"
	// CodeSeveral is of identifiers of several people, where one was to be found.
	CodeSeveral = "leads-to-several"
	// CodeLinksGoOn is of a system that still finds more after [MaxResolves] rounds.
	CodeLinksGoOn = "links-go-on"
)

// CodeNotProven is of a system that could be asked only by identifiers which nobody
// has proven.
const CodeNotProven = "identifier-not-proven"

// usable reports whether an identifier opens anything: it is more than claimed, and
// so is what it was found by, and what that was found by.
func (s State) usable(id dsar.Identifier) bool {
	for range len(s.Identifiers) + 1 {
		if id.Assurance == dsar.AssuranceClaimed || id.Assurance == "" {
			return false
		}
		if s.ledAway(id) {
			return false
		}
		if id.From == "" {
			return true
		}
		from := id.From
		i := slices.IndexFunc(s.Identifiers, func(known dsar.Identifier) bool { return known.Fingerprint == from })
		if i < 0 {
			return false
		}
		id = s.Identifiers[i]
	}
	return false
}

// Usable returns the identifiers that systems may be asked by: all but those that are
// merely claimed, and what was found by such a one.
func (s State) Usable() []dsar.Identifier {
	return slices.DeleteFunc(slices.Clone(s.Identifiers), func(id dsar.Identifier) bool { return !s.usable(id) })
}

// usableFor returns the identifiers that systems may be asked by for an action. Where
// the law asks no proof, claimed ones stop processing, and do nothing else.
func (s State) usableFor(a dsar.Action) []dsar.Identifier {
	if s.Accepted.Terms.NoProof && a == dsar.Restrict && !s.restrictsHeld(a) {
		return s.Identifiers
	}
	return s.Usable()
}

// unproven returns the fingerprints of the identifiers that the request came with and
// that are not proven yet.
func (s State) unproven() []string {
	var out []string
	for _, id := range s.Identifiers {
		if id.Assurance == dsar.AssuranceClaimed || id.Assurance == dsar.AssuranceVerified {
			out = append(out, id.Fingerprint)
		}
	}
	return out
}

// without returns the types of the identifiers that the request goes on without, since
// they are merely claimed.
func (s State) without() []dsar.IdentifierType {
	var out []dsar.IdentifierType
	used := s.usableFor(s.first())
	for _, id := range s.Identifiers {
		if !isOwn(s.Identifiers, id) && s.byFormer(id) {
			continue // see [State.withoutFormer]
		}
		same := func(o dsar.Identifier) bool { return o.Fingerprint == id.Fingerprint }
		if !slices.ContainsFunc(used, same) && !slices.Contains(out, id.Type) {
			out = append(out, id.Type)
		}
	}
	return out
}

// prove returns the state with some identifiers proven.
func (s State) prove(fingerprints []string) State {
	s.Identifiers = slices.Clone(s.Identifiers)
	for i := range s.Identifiers {
		if id := &s.Identifiers[i]; slices.Contains(fingerprints, id.Fingerprint) {
			id.Assurance = dsar.AssuranceProven
		}
	}
	return s
}

// disown returns the state without anything that was found, and with what was given
// merely claimed: who asks isn't who they say.
func (s State) disown() State {
	var given []dsar.Identifier
	for _, id := range s.Identifiers {
		if id.Assurance != dsar.AssuranceFound {
			id.Assurance = dsar.AssuranceClaimed
			given = append(given, id)
		}
	}
	s.Identifiers = given
	return s
}

// found judges what a resolve found: each is found from one that may be used, or left
// out. doubtful are those of which a person must say whether they are the person's.
type found struct {
	all      []dsar.Identifier
	doubtful []dsar.Identifier
	leftOut  int
	Code     string
	reason   string
}

func (d *decider) judgeFound(sys dsar.System, ids []dsar.Identifier) found {
	var f found
	t := d.Task(sys.Name, dsar.Resolve)
	usable := d.Usable()
	asked := known(usable, slices.Concat(sys.Needs, sys.ResolvesBy()))
	for _, id := range ids {
		if slices.ContainsFunc(asked, func(k dsar.Identifier) bool {
			return k.Fingerprint == id.Fingerprint && k.FoundBy != dsar.EarlierRequest
		}) {
			continue // its worker was told of it
		}
		id.FoundBy, id.Assurance = sys.Name, dsar.AssuranceFound
		from := slices.IndexFunc(usable, func(k dsar.Identifier) bool { return k.Fingerprint == id.From })
		switch {
		case slices.Contains(t.Rejected, id.Fingerprint): // a person has said that it is somebody else's
		case id.From != "" && from < 0, !slices.Contains(sys.Finds, id.Type) && len(sys.Finds) > 0:
			f.leftOut++
		default:
			f.all = append(f.all, id)
		}
	}
	fresh := func(id dsar.Identifier) bool {
		return !slices.ContainsFunc(usable, func(k dsar.Identifier) bool { return k.Fingerprint == id.Fingerprint })
	}
	surely := func(id dsar.Identifier) bool { // it was found by another link as well
		return slices.ContainsFunc(f.all, func(other dsar.Identifier) bool {
			return other.Fingerprint == id.Fingerprint && !d.link(sys, other).Weak
		})
	}
	for _, id := range f.all {
		link := d.link(sys, id)
		n := 0
		for _, other := range f.all {
			if other.Type == id.Type && other.From == id.From {
				n++
			}
		}
		switch {
		case !fresh(id):
		case link.One && n > 1:
			f.doubtful = append(f.doubtful, id)
			f.Code, f.reason = CodeSeveral, fmt.Sprintf("%d people have this %s, and it may be one's only: say which %s is the person's", n, link.By, id.Type)
		case link.One && d.strays(id, slices.Concat(usable, f.all)):
			f.doubtful = append(f.doubtful, id)
			f.Code, f.reason = CodeSeveral, fmt.Sprintf("a %s that was found itself leads to another %s than what else is known, and it may lead to one person only: say which is the person's", link.By, id.Type)
		case link.Weak && !surely(id):
			f.doubtful = append(f.doubtful, id)
			if f.Code == "" {
				f.Code, f.reason = CodeWeakLink, fmt.Sprintf("a %s was found by a %s, which several people may share: say whether it is the person's", id.Type, link.By)
			}
		}
	}
	if f.Code == "" && t.Rounds >= MaxResolves && slices.ContainsFunc(f.all, func(id dsar.Identifier) bool {
		return fresh(id) && slices.Contains(sys.ResolvesBy(), id.Type)
	}) {
		f.Code, f.reason = CodeLinksGoOn, fmt.Sprintf("it still finds identifiers by those that it found, %d times in a row: its links go on, or go round in a circle", MaxResolves)
	}
	return f
}

// strays reports whether an identifier was found by one that was only found itself, and is
// another than what is known of its type from elsewhere: an address that somebody wrote into
// their own profile leads to whoever has it (TestWhatWasFoundLeadsAstray).
func (d *decider) strays(id dsar.Identifier, all []dsar.Identifier) bool {
	found := slices.ContainsFunc(d.Identifiers, func(k dsar.Identifier) bool {
		return k.Fingerprint == id.From && k.Assurance == dsar.AssuranceFound
	})
	return found && slices.ContainsFunc(all, func(k dsar.Identifier) bool {
		return k.Type == id.Type && k.Fingerprint != id.Fingerprint && k.From != id.From
	})
}

// link returns the link by which a system found an identifier: the weakest of those
// that it may have been, where the worker doesn't say by what.
func (d *decider) link(sys dsar.System, id dsar.Identifier) dsar.Link {
	var out dsar.Link
	for _, l := range sys.Links {
		by := id.From == "" || slices.ContainsFunc(d.Identifiers, func(k dsar.Identifier) bool { return k.Fingerprint == id.From && k.Type == l.By })
		if l.Find == id.Type && by {
			out = dsar.Link{Find: l.Find, By: l.By, Weak: out.Weak || l.Weak, One: out.One || l.One}
		}
	}
	return out
}

// accepted returns what of the found identifiers is the person's, as a person says:
// what is beyond doubt, and of the others those that were named.
func (d *decider) accepted(t *TaskState, named []string) ([]dsar.Identifier, error) {
	f := d.judgeFound(d.system(t.System), t.Candidates)
	doubtful := func(fingerprint string) bool {
		return slices.ContainsFunc(f.doubtful, func(id dsar.Identifier) bool { return id.Fingerprint == fingerprint })
	}
	for _, n := range named {
		if !doubtful(n) {
			return nil, fmt.Errorf("%w: an identifier was accepted that isn't in question", ErrNotAllowed)
		}
	}
	return slices.DeleteFunc(f.all, func(id dsar.Identifier) bool {
		return doubtful(id.Fingerprint) && !slices.Contains(named, id.Fingerprint)
	}), nil
}

// Doubtful returns the identifiers that a resolve has found and of which a person must
// say whether they are the person's.
func (s State) Doubtful(system string) []dsar.Identifier {
	t := s.Task(system, dsar.Resolve)
	if t == nil || t.Status != TaskIsFailed {
		return nil
	}
	d := &decider{State: s}
	return d.judgeFound(s.system(system), t.Candidates).doubtful
}
