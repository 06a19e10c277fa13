package audit

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"

	"habeas.dev/pkg/vault"
	"habeas.dev/services/internal/core"
	"habeas.dev/services/internal/journal"
	"habeas.dev/services/internal/receipt"
)

// committed holds a request's facts against what its leaves commit to: a receipt, and the
// document of a forgetting, say how many facts there were and the hash of the last of them.
// Whoever writes facts anew, and makes every hash of them right, can't make the leaf right,
// which is in the log and its mirror.
func (a *look) committed(ctx context.Context, id string, facts []journal.Fact, events []core.Event) error {
	for i, e := range events {
		var c receipt.Commitment
		switch e := e.(type) {
		case core.Forgotten:
			c = receipt.Commitment{Document: e.Document, Salt: e.Salt, Leaf: e.Leaf}
		case core.ReceiptIssued:
			opened, err := a.openReceipt(ctx, id, e)
			if err != nil {
				return err
			}
			if opened == nil {
				continue
			}
			c = *opened
		default:
			continue
		}
		var said struct {
			Request string
			Facts   int
			Head    string
		}
		switch version := i + 1; {
		case !c.Whole() || json.Unmarshal(c.Document, &said) != nil:
			a.find("leaf", id, "The leaf of its version %d commits to something else than what stands beside it.", version)
		case said.Request != id || said.Facts < 1 || said.Facts >= version || said.Head != hex.EncodeToString(facts[said.Facts-1].Hash):
			a.find("leaf", id, "Its facts aren't those that the leaf of its version %d commits to: they were written anew, with every hash.", version)
		}
	}
	return nil
}

// openReceipt opens a receipt; nil where its keys are gone, or there is no vault to look in:
// then only its leaf can be compared.
func (a *look) openReceipt(ctx context.Context, id string, e core.ReceiptIssued) (*receipt.Commitment, error) {
	if a.Vault == nil {
		return nil, nil
	}
	keys, err := a.Vault.Keys(ctx, id)
	switch {
	case errors.Is(err, vault.ErrShredded), errors.Is(err, vault.ErrNoKeys), errors.Is(err, vault.ErrCorrupt):
		return nil, nil // what is wrong with keys is named where they are looked at
	case err != nil:
		return nil, err
	}
	c, err := receipt.OpenCommitment(keys, e)
	switch {
	case errors.Is(err, vault.ErrShredded):
		return nil, nil
	case err != nil:
		return &receipt.Commitment{Leaf: e.Leaf}, nil //nolint:nilerr // it was altered: nothing stands beside its leaf
	}
	return &c, nil
}
