package reconcile

import (
	"context"
	"errors"

	"habeas.dev/services/internal/core"
	"habeas.dev/services/internal/journal"
)

// leaves are those of the transparency log that belong to no fact of the journal: they were
// taken in from the mirror, and their facts are taken in again. By what they hold.
type leaves map[string]int64

func (l *leaves) load(ctx context.Context, t journal.Tree) error {
	*l = leaves{}
	for from := int64(0); ; {
		page, err := t.Leaves(ctx, from, journal.MaxLeaves)
		if err != nil || len(page) == 0 {
			return err
		}
		for _, leaf := range page {
			if leaf.RequestID == "" {
				(*l)[string(leaf.Data)] = leaf.Index
			}
		}
		from = page[len(page)-1].Index + 1
	}
}

// leafOf returns what a fact appended to the log; nil where that is nothing.
func leafOf(f journal.Fact) []byte {
	if f.Type != core.TypeOf(core.ReceiptIssued{}) && f.Type != core.TypeOf(core.Forgotten{}) {
		return nil
	}
	switch e, _ := core.Decode(f.Type, f.Data); e := e.(type) {
	case core.ReceiptIssued:
		return e.Leaf
	case core.Forgotten:
		return e.Leaf
	}
	return nil
}

// before appends to the log the leaves of facts that are to be taken in and that it lacks:
// they had not been mirrored yet.
func (l leaves) before(ctx context.Context, t journal.Tree, facts []journal.Fact) error {
	for _, f := range facts {
		leaf := leafOf(f)
		if leaf == nil {
			continue
		}
		for {
			if _, has := l[string(leaf)]; has {
				break
			}
			size, err := t.TreeSize(ctx)
			if err != nil {
				return err
			}
			if err = t.TakeLeaves(ctx, size, [][]byte{leaf}); err == nil {
				l[string(leaf)] = size
			} else if !errors.Is(err, journal.ErrConflict) {
				return err
			}
		}
	}
	return nil
}

// after gives the leaves to the facts that were taken in.
func (l leaves) after(ctx context.Context, t journal.Tree, facts []journal.Fact) error {
	for _, f := range facts {
		leaf := leafOf(f)
		index, has := l[string(leaf)]
		if leaf == nil || !has {
			continue
		}
		if err := t.ClaimLeaf(ctx, index, f.RequestID, f.Version); err != nil {
			return err
		}
		delete(l, string(leaf))
	}
	return nil
}

// claim gives a leaf to a fact that the journal has already: a reconciliation ended between
// the two.
func (f *facts) claim(ctx context.Context, fact journal.Fact) error {
	if f.Plan || len(f.leaves) == 0 {
		return nil
	}
	leaf := leafOf(fact)
	if _, has := f.leaves[string(leaf)]; leaf == nil || !has {
		return nil
	}
	facts, err := f.Journal.Facts(ctx, fact.RequestID, fact.Version)
	if err != nil || len(facts) == 0 || facts[0].Type != fact.Type || string(leafOf(facts[0])) != string(leaf) {
		return err
	}
	return f.leaves.after(ctx, f.Journal, facts[:1])
}
