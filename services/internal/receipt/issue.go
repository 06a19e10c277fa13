package receipt

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"time"

	"habeas.dev/pkg/telemetry"
	"habeas.dev/pkg/vault"
	"habeas.dev/services/internal/core"
	"habeas.dev/services/internal/journal"
)

// Requests loads requests and applies commands to them; lifecycle.Lifecycle does.
type Requests interface {
	State(ctx context.Context, requestID string) (core.State, error)
	Do(ctx context.Context, requestID string, c core.Command) (core.State, error)
}

// Issuer makes receipts.
type Issuer struct {
	Requests Requests
	Rows     interface {
		Row(ctx context.Context, requestID string) (journal.Row, error)
	}
	Vault *vault.Vault
	Now   func() time.Time
}

// Issue makes the receipt of an ended request and journals it, with its leaf. Where
// there is one already, nothing is journalled.
func (i *Issuer) Issue(ctx context.Context, requestID string) error {
	s, row, err := i.standing(ctx, requestID)
	if err != nil {
		return err
	}
	c, err := commit(document(s, row))
	if err != nil {
		return err
	}
	keys, err := i.Vault.Keys(ctx, requestID)
	if err != nil {
		return fmt.Errorf("receipt: %w", err)
	}
	text, err := json.Marshal(c)
	if err != nil {
		return fmt.Errorf("receipt: %w", err)
	}
	sealed, err := keys.Seal(text, vault.Receipt)
	if err != nil {
		return fmt.Errorf("receipt: %w", err)
	}
	_, err = i.Requests.Do(ctx, requestID, core.IssueReceipt{Sealed: sealed, Leaf: c.Leaf, Now: i.Now()})
	return err
}

// standing returns a request's state and its row, of one version.
func (i *Issuer) standing(ctx context.Context, requestID string) (core.State, journal.Row, error) {
	for range maxPublishes {
		row, err := i.Rows.Row(ctx, requestID)
		if err != nil {
			return core.State{}, row, err
		}
		s, err := i.Requests.State(ctx, requestID)
		if err != nil || s.Version == row.Version {
			return s, row, err
		}
	}
	return core.State{}, journal.Row{}, fmt.Errorf("receipt: request %s: %w", requestID, journal.ErrConflict)
}

// CommitForgotten returns what a forgetting commits to.
func (i *Issuer) CommitForgotten(ctx context.Context, requestID string, part core.Part, tried int) (Commitment, error) {
	_, row, err := i.standing(ctx, requestID)
	if err != nil {
		return Commitment{}, err
	}
	return commit(Forgot{Form: formForgot, Request: requestID, Part: part, At: i.Now().UTC().Truncate(time.Second), Tried: tried, Facts: row.Version, Head: fmt.Sprintf("%x", row.Hash)})
}

// ErrNone says that a request has no receipt.
var ErrNone = telemetry.Constant("the request has no receipt yet: it is made when the request has ended")

// Receipt is what is handed out of an ended request.
type Receipt struct {
	// Document is the receipt, exactly as it was committed to, and Proof the proof that it
	// stands in the log, with the salt.
	Document, Proof []byte
	Index           int64
}

// Open returns a request's newest receipt with its proof.
func Open(ctx context.Context, j Journal, facts []journal.Fact, v *vault.Vault, l *Log) (Receipt, error) {
	if len(facts) == 0 {
		return Receipt{}, core.ErrUnknown
	}
	id := facts[0].RequestID
	issued, version := core.ReceiptIssued{}, 0
	for _, f := range facts {
		e, err := core.Decode(f.Type, f.Data)
		if err != nil {
			return Receipt{}, err
		}
		if r, ok := e.(core.ReceiptIssued); ok {
			issued, version = r, f.Version
		}
	}
	if version == 0 {
		return Receipt{}, ErrNone
	}
	keys, err := v.Keys(ctx, id)
	if err != nil {
		return Receipt{}, fmt.Errorf("receipt: %w", err)
	}
	c, err := OpenCommitment(keys, issued)
	if err != nil {
		return Receipt{}, fmt.Errorf("receipt of request %s: %w", id, err)
	}
	index, err := indexOf(ctx, j, id, version, issued.Leaf)
	if err != nil {
		return Receipt{}, err
	}
	proof, err := l.Proof(ctx, index, c.Salt)
	if err != nil {
		return Receipt{}, err
	}
	return Receipt{Document: c.Document, Proof: proof, Index: index}, nil
}

// ErrOtherLeaf says that a receipt isn't what its leaf commits to.
var ErrOtherLeaf = telemetry.Constant("its leaf is of something else")

// OpenCommitment opens a receipt with its request's keys, and holds it against its leaf:
// [ErrOtherLeaf] where that commits to something else.
func OpenCommitment(keys *vault.Keys, issued core.ReceiptIssued) (Commitment, error) {
	text, err := keys.Open(issued.Sealed, vault.Receipt)
	if err != nil {
		return Commitment{}, err
	}
	c := Commitment{Leaf: issued.Leaf}
	if err := json.Unmarshal(text, &c); err != nil || !c.Whole() {
		return Commitment{}, ErrOtherLeaf
	}
	return c, nil
}

// Whole reports whether the leaf commits to the document.
func (c Commitment) Whole() bool { return bytes.Equal(Leaf(c.Document, c.Salt), c.Leaf) }

// indexOf returns the index of the leaf that was appended with a fact.
func indexOf(ctx context.Context, j Journal, requestID string, version int, leaf []byte) (int64, error) {
	leaves, err := j.LeavesOf(ctx, requestID)
	if err != nil {
		return 0, err
	}
	for _, l := range leaves {
		if l.Version == version && bytes.Equal(l.Data, leaf) {
			return l.Index, nil
		}
	}
	return 0, fmt.Errorf("receipt of request %s: its leaf isn't in the log: see what habeas audit names", requestID)
}
