package link

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"strconv"
	"strings"

	"habeas.dev/pkg/dsar"
	"habeas.dev/pkg/vault"
)

// Grant is what a task's worker may open and write: an object of the vault, sealed by a
// key of its own that comes of the request's subject root and travels in the task. It is
// gone with that root, and with the object.
type Grant struct {
	// Identifiers are those by which the system is asked, in the clear.
	Identifiers []Identifier `json:"identifiers,omitempty"`
	// Details are what the request says beside them, as JSON.
	Details json.RawMessage `json:"details,omitempty"`
	// Objects are the keys of the objects that the worker opens or writes, by scope.
	Objects map[string][]byte `json:"objects,omitempty"`
	// Values are the secrets of the small values that the aggregator opens and seals, by
	// the root that they are of. No other worker has any.
	Values map[string][]byte `json:"values,omitempty"`
	// Held are the people of whom holds keep records, with the tasks of an erasure: what is
	// theirs as well must stay.
	Held []HeldRef `json:"held,omitempty"`
	// Formers are the earlier erasures that keep records under a number which the person has, and
	// which may be somebody else's.
	Formers []FormerRef `json:"formers,omitempty"`
	// Plans are those of a person of whom records are held, or of such an erasure, in their own grant.
	Plans []dsar.Object `json:"plans,omitempty"`
}

// Identifier is an identifier in the clear.
type Identifier struct {
	Type      dsar.IdentifierType `json:"type"`
	Value     string              `json:"value"`
	Assurance dsar.Assurance      `json:"assurance"`
	// FoundBy is the system that found it, or [dsar.EarlierRequest]; empty where the request
	// gave it.
	FoundBy string `json:"found_by,omitempty"`
	// Print is its fingerprint in its request's facts: which of those it is.
	Print string `json:"print,omitempty"`
}

// GrantRef is how a task names its grant.
type GrantRef struct {
	Name string `json:"name"`
	Key  []byte `json:"key"`
}

// maxGrant is far above the identifiers and keys of one request.
const maxGrant = 16 << 20

// grantScope returns the scope of the grant of a task's attempt.
func grantScope(system string, a dsar.Action, attempt int) string {
	return system + "/grant-" + string(a) + "/" + strconv.Itoa(attempt)
}

// Scope returns the scope of what an attempt leaves in the vault.
func Scope(system string, a dsar.Action, attempt int) string {
	return system + "/" + string(a) + "/" + strconv.Itoa(attempt)
}

// writeGrant puts a grant into the vault. The same one again replaces it.
func writeGrant(ctx context.Context, o *vault.Objects, k vault.ObjectKey, g Grant) (GrantRef, error) {
	text, err := json.Marshal(g)
	if err != nil {
		return GrantRef{}, fmt.Errorf("link: %w", err)
	}
	ref := GrantRef{Name: k.Scope() + "-g", Key: k.Secret()}
	w, err := o.Create(ctx, k, ref.Name)
	if err != nil {
		return ref, err
	}
	defer w.Abort()
	if _, err := w.Write(text); err != nil {
		return ref, err
	}
	return ref, w.Close()
}

// writeBeside writes, under another request than a task's, what the task's worker may know of it: by
// what a system is asked for its person, and what opens plans of the system.
func (h *Hub) writeBeside(ctx context.Context, system, action, requestID string, ids []dsar.Identifier, plans []dsar.Object) (GrantRef, error) {
	keys, err := h.vault.Keys(ctx, requestID)
	if err != nil {
		return GrantRef{}, err
	}
	g := Grant{Plans: plans, Objects: map[string][]byte{}}
	if err := g.open(keys, dsar.Task{System: system, Identifiers: ids}); err != nil {
		return GrantRef{}, err
	}
	for _, plan := range plans {
		scope := vault.ScopeOf(plan.Name)
		k, err := keys.ObjectKey(scope)
		if err != nil {
			return GrantRef{}, err
		}
		g.Objects[scope] = k.Secret()
	}
	k, err := keys.ObjectKey(system + "/" + action + "/1")
	if err != nil {
		return GrantRef{}, err
	}
	return writeGrant(ctx, h.vault.Objects, k, g)
}

// ReadGrant reads a task's grant from the vault.
func (t Task) ReadGrant(ctx context.Context, o *vault.Objects) (Grant, error) {
	return readGrant(ctx, o, t.RequestID, t.Grant)
}

// readGrant reads an object that [writeGrant] wrote.
func readGrant(ctx context.Context, o *vault.Objects, requestID string, ref GrantRef) (Grant, error) {
	var g Grant
	k, err := vault.NewObjectKey(requestID, strings.TrimSuffix(ref.Name, "-g"), ref.Key)
	if err != nil {
		return g, err
	}
	r, err := o.Open(ctx, k, ref.Name)
	if err != nil {
		return g, err
	}
	defer r.Close()
	text, err := io.ReadAll(io.LimitReader(r, maxGrant))
	if err != nil {
		return g, err
	}
	if err := json.Unmarshal(text, &g); err != nil {
		return g, fmt.Errorf("link: grant of request %s: %w", requestID, vault.ErrCorrupt)
	}
	return g, nil
}

// ObjectKey returns the key of a scope's objects; vault.ErrShredded where the grant has
// none, since the root that it comes of was ended.
func (g Grant) ObjectKey(requestID, scope string) (vault.ObjectKey, error) {
	secret, ok := g.Objects[scope]
	if !ok {
		return vault.ObjectKey{}, fmt.Errorf("link: %s of request %s: %w", scope, requestID, vault.ErrShredded)
	}
	return vault.NewObjectKey(requestID, scope, secret)
}
