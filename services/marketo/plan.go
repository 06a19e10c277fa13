package marketo

import (
	"context"
	"net/url"
	"slices"
	"sync"
	"time"

	"habeas.dev/pkg/vendorapi"
)

const (
	// planFor is how long the leads that were counted for a request are
	// remembered for its erasure, which mostly follows within seconds. It saves a
	// third of an erasure's calls.
	planFor = 10 * time.Minute
	// maxPlans bounds them, at some 100 bytes each.
	maxPlans = 20_000
	// lately is how far back the list of deletions is read: the calls of one
	// erasure take minutes at most.
	lately = time.Hour
)

// plans remembers which leads were counted for a request. It is a help: where
// it has nothing, Marketo is asked again.
type plans struct {
	now func() time.Time

	mu sync.Mutex
	// Two generations: the older one is dropped as a whole.
	young, old map[string]plan
	since      time.Time
}

type plan struct {
	emails []string // for which the leads were counted
	leads  []string
	at     time.Time
}

func (p *plans) keep(s *subject, leads []string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	now := p.now()
	if p.young == nil || now.Sub(p.since) > planFor || len(p.young) >= maxPlans/2 {
		p.old, p.young, p.since = p.young, map[string]plan{}, now
	}
	p.young[s.request] = plan{s.emails, leads, now}
}

// take returns a request's leads, once, if they were counted lately and for the
// same addresses.
func (p *plans) take(s *subject) ([]string, bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, m := range []map[string]plan{p.young, p.old} {
		if plan, ok := m[s.request]; ok {
			delete(p.young, s.request)
			delete(p.old, s.request)
			return plan.leads, p.now().Sub(plan.at) <= planFor && slices.Equal(plan.emails, s.emails)
		}
	}
	return nil, false
}

// deletedLately are the ids of the leads that were deleted in the last hour, by
// whomever. The list holds names too, which are not read.
func (w *Worker) deletedLately(ctx context.Context) (map[string]bool, error) {
	since := w.config.Now().Add(-lately).UTC().Format(time.RFC3339)
	var from string
	err := w.ask(ctx, "activities/pagingtoken.json", url.Values{"sinceDatetime": {since}}, func(s *vendorapi.Scanner, key string) {
		if key == "nextPageToken" {
			from = s.String()
		} else {
			s.Skip()
		}
	})
	if err != nil {
		return nil, err
	}
	deleted := map[string]bool{}
	f := newFields([]string{"leadId"})
	err = w.rows(ctx, pathDeleted, url.Values{"nextPageToken": {from}}, func(raw []byte) error {
		if err := f.read(raw); err != nil {
			return err
		}
		id, err := f.id("leadId")
		deleted[id] = true
		return err
	})
	return deleted, err
}
