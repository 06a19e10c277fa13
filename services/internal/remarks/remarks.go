// Package remarks seals what people write in their own words into a request's facts: reasons,
// notes, and questions to the person. They may hold personal data, whatever is asked of who
// writes them, and a fact is for ever and goes out on dsar.events: it holds them sealed by the
// request's key, so that they are gone when whom the request is about is forgotten.
//
// What facts of before v0.2.0 hold in the clear is read as it is.
package remarks

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"

	"habeas.dev/pkg/vault"
	"habeas.dev/services/internal/core"
)

// Prefix begins a remark that is sealed; base64 follows. Alone it is one that was never
// readable: the request's keys were destroyed before it was written.
const Prefix = "sealed:"

// Gone stands for a remark whose key was destroyed, where it is read.
const Gone = "…"

// Vault has the keys; vault.Vault does.
type Vault interface {
	Keys(ctx context.Context, requestID string) (*vault.Keys, error)
}

// Remarks seals and opens remarks. It is safe for use by many goroutines.
type Remarks struct{ Vault Vault }

// Seal returns a fact as the journal is to hold it: its remarks without what isn't to be
// seen in them, and sealed. Where the vault has no keys of the request, and never destroyed
// any, they stay as they are.
func (r Remarks) Seal(ctx context.Context, requestID string, e core.Event) (core.Event, error) {
	k := opened{Remarks: r, requestID: requestID}
	return core.MapRemarks(e, func(text string) (string, error) {
		keys, err := k.get(ctx)
		switch {
		case errors.Is(err, vault.ErrNoKeys):
			return core.Plain(text), nil
		case errors.Is(err, vault.ErrShredded):
			return Prefix, nil
		case err != nil:
			return "", fmt.Errorf("request %s: a reason can't be sealed: %w", requestID, err)
		}
		if _, err := open(keys, text); err == nil {
			return text, nil // it comes from the journal
		}
		sealed, err := keys.Seal([]byte(core.Plain(text)), vault.Remark)
		if errors.Is(err, vault.ErrShredded) {
			return Prefix, nil
		}
		if err != nil {
			return "", fmt.Errorf("request %s: a reason can't be sealed: %w", requestID, err)
		}
		return Prefix + base64.RawStdEncoding.EncodeToString(sealed), nil
	})
}

// Opens returns what returns facts of a request as a person reads them. A remark whose key was
// destroyed is [Gone]. The keys are asked for once, however many facts there are, and not where
// none has a remark. It is for one goroutine.
func (r Remarks) Opens(ctx context.Context, requestID string) func(core.Event) (core.Event, error) {
	k := opened{Remarks: r, requestID: requestID}
	return func(e core.Event) (core.Event, error) {
		return core.MapRemarks(e, func(text string) (string, error) { return k.open(ctx, text) })
	}
}

// Sealing seals remarks, and opens none: for who has keys that open nothing.
type Sealing struct{ Vault Vault }

// Seal returns what [Remarks.Seal] does.
func (s Sealing) Seal(ctx context.Context, requestID string, e core.Event) (core.Event, error) {
	return Remarks(s).Seal(ctx, requestID, e)
}

// Opens returns what returns facts as who reads them who has no keys.
func (Sealing) Opens(context.Context, string) func(core.Event) (core.Event, error) {
	return func(e core.Event) (core.Event, error) { return Closed(e), nil }
}

// Closed returns a fact as who reads it who has no keys.
func Closed(e core.Event) core.Event {
	closed, _ := core.MapRemarks(e, func(text string) (string, error) { // never fails
		if strings.HasPrefix(text, Prefix) {
			return Gone, nil
		}
		return core.Plain(text), nil
	})
	return closed
}

// opened asks for a request's keys once.
type opened struct {
	Remarks
	requestID string
	keys      *vault.Keys
	err       error
	asked     bool
}

func (o *opened) get(ctx context.Context) (*vault.Keys, error) {
	if !o.asked {
		o.asked = true
		o.keys, o.err = o.Vault.Keys(ctx, o.requestID)
	}
	return o.keys, o.err
}

// open returns a remark as a person reads it.
func (o *opened) open(ctx context.Context, text string) (string, error) {
	if !strings.HasPrefix(text, Prefix) {
		return core.Plain(text), nil
	}
	keys, err := o.get(ctx)
	if err == nil {
		var plain string
		if plain, err = open(keys, text); err == nil {
			return core.Plain(plain), nil
		}
	}
	if errors.Is(err, vault.ErrShredded) || errors.Is(err, vault.ErrNoKeys) || errors.Is(err, errNotSealed) || errors.Is(err, vault.ErrCorrupt) {
		return Gone, nil
	}
	return "", fmt.Errorf("request %s: a reason can't be opened: %w", o.requestID, err)
}

var errNotSealed = errors.New("remarks: not sealed")

func open(keys *vault.Keys, text string) (string, error) {
	encoded, is := strings.CutPrefix(text, Prefix)
	sealed, err := base64.RawStdEncoding.DecodeString(encoded)
	if !is || err != nil || len(sealed) == 0 {
		return "", errNotSealed
	}
	plain, err := keys.Open(sealed, vault.Remark)
	return string(plain), err
}
