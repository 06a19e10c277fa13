package marketo

import (
	"context"
	"net/url"
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

	mu     sync.Mutex
	leads  map[string][]string
	since  time.Time
	before map[string][]string // those of the time before
}

func (p *plans) keep(request string, leads []string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if now := p.now(); p.leads == nil || now.Sub(p.since) > planFor || len(p.leads) >= maxPlans/2 {
		p.before, p.leads, p.since = p.leads, map[string][]string{}, now
	}
	p.leads[request] = leads
}

// take returns a request's leads, once.
func (p *plans) take(request string) ([]string, bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.now().Sub(p.since) > planFor {
		return nil, false
	}
	for _, m := range []map[string][]string{p.leads, p.before} {
		if leads, ok := m[request]; ok {
			delete(m, request)
			return leads, true
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
