package intake

import (
	"context"
	"fmt"

	"habeas.dev/pkg/dsar"
)

// Match returns how sure it is that an identifier is of the person of a request; empty
// where it didn't come with the request. For the portal, which can't compare them.
func (in *Intake) Match(ctx context.Context, requestID string, typ dsar.IdentifierType, value string) (dsar.Assurance, error) {
	fingerprint := in.Vault.Fingerprint(typ, value) // also where there is no such request: it takes as long
	s, err := in.Requests.State(ctx, requestID)
	if err != nil {
		return "", fmt.Errorf("intake: request %s: %w", requestID, err)
	}
	for _, id := range s.Identifiers {
		if id.Fingerprint == fingerprint && id.FoundBy == "" {
			return id.Assurance, nil
		}
	}
	return "", nil
}
