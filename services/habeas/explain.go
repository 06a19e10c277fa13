package main

import (
	"errors"
	"fmt"

	"habeas.dev/services/internal/core"
)

// explain turns the core's refusals into a line with a cure.
func explain(err error, requestID string) error {
	switch {
	case errors.Is(err, core.ErrUnknown):
		return fmt.Errorf("no request %s here; habeas requests lists them", requestID)
	case errors.Is(err, core.ErrEnded):
		return fmt.Errorf("request %s has ended; habeas trace %s tells how", requestID, requestID)
	case errors.Is(err, core.ErrNothingToRetry):
		return fmt.Errorf("request %s has nothing to retry: no task of it has failed; habeas trace %s tells what it waits for", requestID, requestID)
	case errors.Is(err, core.ErrAwaited):
		return fmt.Errorf("request %s waits for the person already; habeas identity and habeas clarify go on with it", requestID)
	case errors.Is(err, core.ErrNotAwaited):
		return fmt.Errorf("request %s doesn't wait for that; ask first, with --ask", requestID)
	case errors.Is(err, core.ErrNothingToAttest):
		return fmt.Errorf("request %s: no one task of that system waits for a person; habeas trace %s tells which do (name one with --action)", requestID, requestID)
	case errors.Is(err, core.ErrNoSuchHold):
		return fmt.Errorf("request %s: no such hold is on; habeas trace %s lists them", requestID, requestID)
	default:
		return err
	}
}
