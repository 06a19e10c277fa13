package pgjournal

import (
	"context"
	"errors"
	"strings"

	"habeas.dev/services/internal/journal"
	"habeas.dev/services/internal/journal/group"
)

// tries is how often a group is written before its callers get an error: again on
// new connections, as after a restart of the server, or after a deadlock.
const tries = 3

// commit writes one group in one transaction.
func (s *Store) commit(calls []*group.Call) {
	if len(calls) == 0 {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), commitTimeout)
	defer cancel()
	var err error
	for range tries {
		var uncertain bool
		if uncertain, err = s.tx.run(ctx, calls); err == nil {
			s.commits.Add(1)
			return
		}
		code := state(err)
		if uncertain || ctx.Err() != nil || !(lost(err) || code == stateDeadlock || code == stateSerialization) {
			break
		}
		if lost(err) {
			s.pool.Reset() // what cuts one connection cuts them all, most times
		}
	}
	// An error that lies with one append must not fail the others.
	if code := state(err); len(calls) > 1 && (errors.Is(err, journal.ErrTree) || strings.HasPrefix(code, classData) || strings.HasPrefix(code, classIntegrity) || strings.HasPrefix(code, classLimits)) {
		for _, c := range calls {
			s.commit([]*group.Call{c})
		}
		return
	}
	err = s.explain(context.Background(), err)
	for _, c := range calls {
		c.Err = err
	}
}
