package console

import (
	"context"

	"habeas.dev/services/internal/core"
)

// waits counts the requests that wait for each system, by their status.
type waits map[core.Status]map[string]int

// countWaits reads these counts from the journal.
func (c *Console) countWaits(ctx context.Context) (waits, error) {
	all := waits{}
	for _, status := range core.OpenStatuses() {
		systems, err := c.Journal.WaitingFor(ctx, []core.Status{status})
		if err != nil {
			return nil, err
		}
		all[status] = systems
	}
	return all, nil
}

// of returns how many requests wait for a system.
func (w waits) of(system string) (n int) {
	for _, systems := range w {
		n += systems[system]
	}
	return n
}

// where returns those of the statuses in which a request waits for a system. Where
// nobody waits for it, a list would read all of a status to find that out: a
// hundred thousand rows and more. Who begins to wait is there cachedFor later.
func (w waits) where(statuses []core.Status, system string) []core.Status {
	var some []core.Status
	for _, status := range statuses {
		if w[status][system] > 0 {
			some = append(some, status)
		}
	}
	return some
}
