package salesforce

import (
	"context"
	"time"

	"habeas.dev/pkg/dsar"
	"habeas.dev/pkg/worker"
)

// CountBatch counts what is held of many subjects, recycle bin included: the
// plan of an erasure, and its proof.
func (w *Worker) CountBatch(ctx context.Context, jobs []*worker.CountsJob) error {
	subjects := make([]*subject, len(jobs))
	for i, j := range jobs {
		subjects[i] = subjectOf(j.Task)
	}
	counts := w.tallyOf(subjects)
	settling := map[*subject]bool{}
	w.eachGroup(groupsOf(subjects), func(g *group) error {
		return w.find(ctx, g, linksOf, func(n int, id string, _ *fields, of []*subject) error {
			gone := w.purged.Has(id)
			for _, s := range of {
				counts[s][n].Found++
				settling[s] = settling[s] || gone
			}
			return ctx.Err()
		})
	})
	for i, j := range jobs {
		s := subjects[i]
		j.Counts, j.Err = counts.of(s), s.err
		if s.err == nil && j.Action == dsar.Prove && settling[s] {
			j.Counts, j.Err = nil, errSettling()
		}
	}
	return nil
}

// linksOf are the fields by which a record is known and found, without content.
func linksOf(o *object) []string { return withLinks([]string{"Id", "IsDeleted"}, *o) }

// settleWait is when to look again at what is deleted and still shown.
const settleWait = time.Minute

func errSettling() error {
	return worker.RetryAfter(settleWait, "settling", "Salesforce has deleted the records and still shows them; it is asked again in a minute", nil)
}
