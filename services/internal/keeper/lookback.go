package keeper

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"habeas.dev/pkg/dsar"
	"habeas.dev/pkg/vault"
	"habeas.dev/services/internal/core"
	"habeas.dev/services/internal/journal"
)

// maxCarried bounds the identifiers that a request takes over from earlier ones of the
// same person: more than anybody leaves behind.
const maxCarried = 100

// lookBack looks for other requests of the person: the holds that are on in them hold for
// an erasure as well, and the identifiers by which an earlier erasure found what it had to
// keep lead there again. Those that are being answered hear of an erasure before it begins.
// Where nobody knows whether one is the person's, and it makes a difference, a person says
// first (docs/adr/0051).
func (k *Keeper) lookBack(ctx context.Context, requestID string) error {
	s, err := k.Requests.State(ctx, requestID)
	if err != nil {
		return err
	}
	if s.LooksForKept() {
		return k.lookForKept(ctx, s)
	}
	others, doubted, err := k.others(ctx, s)
	if err != nil || doubted {
		return err
	}
	c := core.LookBack{Now: k.Now()}
	for _, id := range s.Unlooked() {
		c.LookedUp = append(c.LookedUp, id.Fingerprint)
	}
	for _, o := range others {
		if s.Right == dsar.Erasure {
			if err := k.tellOfErasure(ctx, s, o.State); err != nil {
				return err
			}
			c.Holds = append(c.Holds, o.HoldsFor(c.Now)...)
			if o.FactsLost > 0 {
				c.After = append(c.After, o.Accepted.RequestID)
			}
		}
		if err := k.carry(ctx, &c, s, o); err != nil {
			return err
		}
		if err := k.carryReplaced(ctx, &c, s, o); err != nil {
			return err
		}
	}
	_, err = k.Requests.Do(ctx, requestID, c)
	return err
}

// other is another request that has something in common with one that looks, and the
// fingerprint, in that one, of an identifier that both have.
type other struct {
	core.Compared
	by     string
	judged bool // a person has said whether it is of the same person
	same   bool // it is: by what was compared, or as a person said
}

// others returns the other requests of a request's person: those that are by [core.Compare],
// and those of which somebody has said so. Where somebody must say so first, it has them asked,
// and doubted is true.
func (k *Keeper) others(ctx context.Context, s core.State) (same []other, doubted bool, err error) {
	all, err := k.common(ctx, s)
	if err != nil {
		return nil, false, err
	}
	compared := make([]core.Compared, len(all))
	for i := range all {
		compared[i] = all[i].Compared
	}
	for i := range all {
		o := &all[i]
		if o.same, o.judged = core.JudgedAmong(s, o.State, compared); !o.judged {
			o.same = o.Sameness == core.SamePerson
		}
	}
	ask := core.DoubtEarlier{Now: k.Now()}
	for _, o := range all {
		switch {
		case o.same:
			same = append(same, o)
		case !o.judged && s.Unsettled(o.State, o.Comparison, ask.Now):
			ask.Doubts = append(ask.Doubts, core.EarlierDoubted{Request: o.Accepted.RequestID, Why: o.Doubt})
		}
	}
	rivals, err := k.rivals(ctx, s, same)
	if err != nil {
		return nil, false, err
	}
	if ask.Doubts = append(ask.Doubts, rivals...); len(ask.Doubts) == 0 || s.Status.Ended() {
		return same, false, nil
	}
	_, err = k.Requests.Do(ctx, s.Accepted.RequestID, ask)
	return nil, true, err
}

// common returns the other requests that have something in common with a request that may be
// used in both.
func (k *Keeper) common(ctx context.Context, s core.State) (out []other, err error) {
	mine, err := k.prints().Values(ctx, s.Accepted.RequestID, s.Usable())
	if err != nil {
		return nil, err
	}
	seen := map[string]bool{s.Accepted.RequestID: true}
	for _, v := range mine {
		rows, err := k.Journal.ByFingerprint(ctx, k.Vault.Fingerprint(v.Type, v.Value), journal.MaxList)
		if err != nil {
			return nil, fmt.Errorf("earlier requests: %w", err)
		}
		for _, row := range rows {
			if seen[row.RequestID] {
				continue
			}
			seen[row.RequestID] = true
			there, err := k.Requests.State(ctx, row.RequestID)
			if err != nil {
				return nil, fmt.Errorf("request %s: %w", row.RequestID, err)
			}
			c, err := k.prints().Compare(ctx, s, mine, there, there.Usable())
			if err != nil {
				return nil, fmt.Errorf("request %s: %w", row.RequestID, err)
			}
			if c.By >= 0 { // else it is merely claimed there
				out = append(out, other{Compared: core.Compared{State: there, Comparison: c}, by: mine[c.By].Fingerprint})
			}
		}
	}
	return out, nil
}

// rivals returns the doubts about requests that are each of a request's person by what they
// have in common with it, where another such one knows a different account: not both can be.
func (k *Keeper) rivals(ctx context.Context, s core.State, all []other) (out []core.EarlierDoubted, err error) {
	for _, one := range all {
		if one.judged || !s.Concerns(one.State, k.Now()) {
			continue
		}
		theirs, err := k.prints().Values(ctx, one.Accepted.RequestID, one.Usable())
		if err != nil {
			return nil, err
		}
		for _, o := range all {
			c, err := k.prints().Compare(ctx, one.State, theirs, o.State, o.Usable())
			if err != nil {
				return nil, err
			}
			if same, _ := core.Judged(one.State, o.State); c.Doubt == core.DoubtAccounts && !same {
				out = append(out, core.EarlierDoubted{Request: one.Accepted.RequestID, Why: core.DoubtRivals})
				break
			}
		}
	}
	return out, nil
}

// tellOfErasure tells another request of the person, which is being answered, that an
// erasure is about to begin: it looks again at what that has left before it is answered.
func (k *Keeper) tellOfErasure(ctx context.Context, s, other core.State) error {
	if other.Status.Ended() {
		return nil
	}
	_, err := k.Requests.Do(ctx, other.Accepted.RequestID, core.TakeKept{Of: []string{s.Accepted.RequestID}, Now: k.Now()})
	if err != nil {
		return fmt.Errorf("request %s: %w", other.Accepted.RequestID, err)
	}
	return nil
}

// lookForKept looks what the erasures of a person that a request knows of have left by now.
func (k *Keeper) lookForKept(ctx context.Context, s core.State) error {
	c := core.TakeKept{Of: s.Erasures, Now: k.Now()}
	for _, id := range s.Erasures {
		other, err := k.Requests.State(ctx, id)
		if err != nil {
			return fmt.Errorf("request %s: %w", id, err)
		}
		from, err := k.inCommon(ctx, s, other)
		if err != nil {
			return err
		}
		if from == "" {
			continue
		}
		if s.Right == dsar.Erasure { // by now it has erased what it found itself
			if other, err = k.Requests.Do(ctx, id, core.EraseShared{Of: s.Accepted.RequestID, Now: k.Now()}); err != nil {
				return fmt.Errorf("request %s: %w", id, err)
			}
		}
		for _, kept := range other.Kept(c.Now) {
			kept.From = from
			c.Kept = append(c.Kept, kept)
		}
	}
	_, err := k.Requests.Do(ctx, s.Accepted.RequestID, c)
	return err
}

// inCommon returns the fingerprint of an identifier that both requests have and that may be
// used in both; empty where there is none, or where a person has said that they are of two
// people. What was compared before counts: by now the other one may be forgotten.
func (k *Keeper) inCommon(ctx context.Context, s, other core.State) (string, error) {
	if same, judged := core.Judged(s, other); judged && !same {
		return "", nil
	}
	for _, kept := range s.KeptElsewhere {
		if kept.RequestID == other.Accepted.RequestID {
			return kept.From, nil
		}
	}
	mine, err := k.prints().Values(ctx, s.Accepted.RequestID, s.Usable())
	if err != nil {
		return "", err
	}
	c, err := k.prints().Compare(ctx, s, mine, other, other.Usable())
	if err != nil || c.By < 0 {
		return "", err
	}
	return mine[c.By].Fingerprint, nil
}

// carry takes over the identifiers by which an earlier erasure of the same person found
// what it had to keep, sealed anew: the ones that the person gives now may lead nowhere any
// more. They are worth what the identifier is worth by which the person is found again, and
// nothing where that was merely claimed then.
func (k *Keeper) carry(ctx context.Context, c *core.LookBack, s core.State, other other) error {
	if !other.Reaches() || s.Stage != "" && !other.judged {
		return nil
	}
	left := other.Kept(c.Now)
	if !slices.Contains(s.Erasures, other.Accepted.RequestID) {
		c.Of = append(c.Of, other.Accepted.RequestID)
		for _, kept := range left {
			kept.From = other.by
			c.Kept = append(c.Kept, kept)
		}
	}
	if len(left) == 0 || s.Stage != "" { // what was planned goes by what was known then
		return nil
	}
	as := core.Carried{Request: other.Accepted.RequestID}
	if other.judged { // somebody has said, and isn't asked again
		as.Request = ""
	}
	return k.carryOver(ctx, c, s, other, other.Usable(), as)
}

// carryOver takes over identifiers of another request of the same person, sealed anew, and notes
// as what; where as names no request, nothing is noted.
func (k *Keeper) carryOver(ctx context.Context, c *core.LookBack, s core.State, other other, ids []dsar.Identifier, as core.Carried) error {
	before, err := k.Vault.Keys(ctx, other.Accepted.RequestID)
	if errors.Is(err, vault.ErrShredded) || errors.Is(err, vault.ErrNoKeys) {
		return nil // what was kept is told; by what it was found nobody knows any more
	}
	if err != nil {
		return fmt.Errorf("request %s: %w", other.Accepted.RequestID, err)
	}
	now, err := k.Vault.Keys(ctx, s.Accepted.RequestID)
	if err != nil {
		return err
	}
	for _, id := range ids {
		if len(s.Identifiers)+len(c.Identifiers) >= maxCarried {
			return nil
		}
		value, err := before.Open(id.Sealed, vault.Identifier)
		if errors.Is(err, vault.ErrShredded) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("request %s: an identifier can't be opened: %w", other.Accepted.RequestID, err)
		}
		print, err := k.prints().In(ctx, s, id.Type, string(value))
		if err != nil {
			return err
		}
		if print == "" {
			return nil // it is being forgotten
		}
		if as.Fingerprint = print; as.Request != "" {
			c.Carried = append(c.Carried, as)
		}
		same := func(known dsar.Identifier) bool { return known.Fingerprint == print }
		if slices.ContainsFunc(s.Identifiers, same) || slices.ContainsFunc(c.Identifiers, same) {
			continue
		}
		sealed, err := now.Seal(value, vault.Identifier)
		if err != nil {
			return err
		}
		c.Identifiers = append(c.Identifiers, dsar.Identifier{Type: id.Type, Fingerprint: print, Sealed: sealed,
			Assurance: dsar.AssuranceFound, FoundBy: dsar.EarlierRequest, From: other.by})
	}
	return nil
}
