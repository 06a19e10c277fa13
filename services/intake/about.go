package intake

import (
	"context"
	"fmt"

	"habeas.dev/pkg/dsar"
	"habeas.dev/pkg/event"
	"habeas.dev/services/internal/callers"
	"habeas.dev/services/internal/core"
)

// about returns the earlier request that a grievance is about; nil where the request is about none.
// It must be one of the same caller, or come by one that has people prove who they are; be
// under the same law; and share an identifier with the grievance. Whichever is missing, the refusal is the same: who calls learns nothing of
// requests that aren't theirs.
func (in *Intake) about(ctx context.Context, from callers.Caller, s event.Submitted) (*core.About, error) {
	if s.About == "" {
		return nil, nil
	}
	earlier, err := in.Requests.State(ctx, s.About)
	if err != nil {
		return nil, fmt.Errorf("intake: request %s: %w", s.About, err)
	}
	a := earlier.Accepted
	same := false
	for _, id := range s.Subject.Identifiers {
		known, err := in.prints().Among(ctx, earlier, earlier.Identifiers, id.Type, id.Value)
		if err != nil {
			return nil, fmt.Errorf("intake: request %s: %w", s.About, err)
		}
		same = same || known
	}
	if !same || a.Jurisdiction != s.Jurisdiction || from.Known() && a.Source != from.Name && !from.Proves {
		return nil, refuse(event.Invalid(event.Violation{Pointer: "/about", Rule: "must be a request of the same person, under the same law"}))
	}
	if s.Right == dsar.Appeal && (a.Right.Decided() || !earlier.Status.Ended()) {
		return nil, refuse(event.Invalid(event.Violation{Pointer: "/about", Rule: "must be a request that has ended, and no appeal or complaint"}))
	}
	return &core.About{RequestID: s.About, Right: a.Right, DecidedBy: earlier.RefusedBy}, nil
}
