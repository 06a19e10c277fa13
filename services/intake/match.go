package intake

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"unicode/utf8"

	"habeas.dev/pkg/dsar"
	"habeas.dev/pkg/identifier"
	"habeas.dev/services/intake/api"
)

// maxCompared bounds an identifier that is compared, in characters, as the schema has it
// (TestSchemathesis).
const maxCompared = 1024

// Match returns how sure it is that an identifier is of the person of a request; empty
// where it didn't come with the request. For the portal, which can't compare them.
func (in *Intake) Match(ctx context.Context, requestID string, typ dsar.IdentifierType, value string) (dsar.Assurance, error) {
	s, err := in.Requests.State(ctx, requestID)
	if err != nil {
		return "", fmt.Errorf("intake: request %s: %w", requestID, err)
	}
	print, err := in.prints().In(ctx, s, typ, value)
	if err != nil {
		return "", fmt.Errorf("intake: request %s: %w", requestID, err)
	}
	for _, id := range s.Identifiers {
		if id.Fingerprint == print && id.FoundBy == "" {
			return id.Assurance, nil
		}
	}
	return "", nil
}

// MatchIdentifier is POST /v1/requests/{request_id}/match.
func (d door) MatchIdentifier(w http.ResponseWriter, r *http.Request, requestID string) {
	caller, ok := d.signedIn(w, r)
	if !ok {
		return
	}
	if !caller.Proves {
		problemForbidden.write(w, "only a caller to whom people prove their identifiers may compare them")
		return
	}
	body, ok := d.readBody(w, r)
	if !ok {
		return
	}
	var asked api.Compared
	fields := json.NewDecoder(bytes.NewReader(body))
	fields.DisallowUnknownFields()
	if !dsar.ValidRequestID(requestID) || fields.Decode(&asked) != nil || fields.More() || !d.in.types[dsar.IdentifierType(asked.Type)] || identifier.Trim(asked.Value) == "" || utf8.RuneCountInString(asked.Value) > maxCompared {
		problemInvalid.write(w, "want a request_id, and an identifier with type and value")
		return
	}
	ctx, cancel := context.WithTimeout(r.Context(), submitTimeout)
	defer cancel()
	assurance, err := d.in.Match(ctx, requestID, dsar.IdentifierType(asked.Type), asked.Value)
	if err != nil {
		d.unavailable(ctx, w, err)
		return
	}
	writeJSON(w, http.StatusOK, "application/json", api.Match{Assurance: api.MatchAssurance(assurance)})
}
