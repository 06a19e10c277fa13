package link

import (
	"context"

	"habeas.dev/pkg/dsar"
	"habeas.dev/pkg/vault"
)

// Before tells of requests that were accepted before fingerprints were a request's own.
type Before interface {
	// PrintsAcross reports whether a request's facts hold fingerprints that are the same in
	// every request ([vault.Vault.Fingerprint]).
	PrintsAcross(ctx context.Context, requestID string) (bool, error)
}

// WithBefore has a hub make what a worker has found comparable with what the facts of such
// requests hold. Without it every request's fingerprints are its own.
func WithBefore(b Before) HubOption { return func(h *Hub) { h.before = b } }

// printer returns what makes a request's fingerprints.
func (h *Hub) printer(ctx context.Context, requestID string, keys *vault.Keys) (func(dsar.IdentifierType, string) (string, error), error) {
	if h.before == nil {
		return keys.Fingerprint, nil
	}
	across, err := h.before.PrintsAcross(ctx, requestID)
	if err != nil || !across {
		return keys.Fingerprint, err
	}
	return func(typ dsar.IdentifierType, value string) (string, error) {
		return h.vault.Fingerprint(typ, value), nil
	}, nil
}
