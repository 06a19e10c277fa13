package salesforce

import (
	"sync"
	"time"

	"habeas.dev/pkg/worker"
)

// pending are the records of which a deletion's answer was lost, and which
// Salesforce showed as before when it was asked. It may show what it has deleted
// for a while, so that this doesn't tell whether it was done: until a minute has
// passed nothing more is done to them.
type pending struct {
	now func() time.Time

	mu sync.Mutex
	at map[string]doubt
}

type doubt struct {
	from  state // in which the record was
	until time.Time
}

// add notes that a record may be on its way out of a state.
func (p *pending) add(r *held) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for id, d := range p.at {
		if !p.now().Before(d.until) {
			delete(p.at, id)
		}
	}
	p.at[r.id] = doubt{r.state, p.now().Add(settleWait)}
}

// remove notes that Salesforce said what became of a record.
func (p *pending) remove(r *held) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.at, r.id)
}

// waits reports whether a record is still in doubt; one that has left the state is
// not.
func (p *pending) waits(r *held) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	d, ok := p.at[r.id]
	if ok && (r.state != d.from || !p.now().Before(d.until)) {
		delete(p.at, r.id)
		return false
	}
	return ok
}

func errDoubt() error {
	return worker.RetryAfter(settleWait, "answer-lost", "Salesforce's answer to a deletion was lost, and the record is still shown; in a minute it will be clear whether it is gone", nil)
}
