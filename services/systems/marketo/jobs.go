package marketo

import (
	"habeas.dev/pkg/dsar"
	"habeas.dev/pkg/worker"
)

// counted is a job whose result is counts, whatever its action.
type counted struct {
	*worker.Job
	Changes []worker.Change
	Counts  []dsar.Counts
}
