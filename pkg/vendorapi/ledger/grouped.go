package ledger

import (
	"context"
	"sync"
	"time"
)

const (
	// maxGroup bounds how many updates go together: more than a process has calls
	// of one account at once.
	maxGroup = 64
	// groupTime bounds one group's update, whoever still waits for it.
	groupTime = 10 * time.Second
)

// grouped joins updates: those of one account that come while another is being
// made are made together, one after the other, in one transaction. Each still
// sees what the one before has left (ledgertest, TestGrouped), and returns when all
// are there.
type grouped struct {
	Store
	mu       sync.Mutex
	accounts map[string]*line
}

// line is what waits for an account.
type line struct {
	waiting []*update
	busy    bool
}

// update is one that waits. It is settled when done is closed.
type update struct {
	f    func(time.Time, []byte) []byte
	done chan struct{}
	err  error
}

// group joins the updates of a store that was opened, if it was.
func group(s Store, err error) (Store, error) {
	if err != nil {
		return nil, err
	}
	return &grouped{Store: s, accounts: map[string]*line{}}, nil
}

// Update implements vendorapi.Store. Where ctx ends before the update's turn, it
// isn't made; once it is being made, its end is waited for.
func (g *grouped) Update(ctx context.Context, account string, f func(time.Time, []byte) []byte) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	u := &update{f: f, done: make(chan struct{})}
	l := g.join(ctx, account, u)
	select {
	case <-u.done:
		return u.err
	case <-ctx.Done():
	}
	if g.left(l, u) {
		return ctx.Err()
	}
	<-u.done
	return u.err
}

// join puts an update in line, and sees to it that somebody works it off.
func (g *grouped) join(ctx context.Context, account string, u *update) *line {
	g.mu.Lock()
	defer g.mu.Unlock()
	l := g.accounts[account]
	if l == nil {
		l = &line{}
		g.accounts[account] = l
	}
	l.waiting = append(l.waiting, u)
	if !l.busy {
		l.busy = true
		go g.work(context.WithoutCancel(ctx), account, l)
	}
	return l
}

// left takes an update out of the line, unless its turn has come.
func (g *grouped) left(l *line, u *update) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	for i, other := range l.waiting {
		if other == u {
			l.waiting = append(l.waiting[:i:i], l.waiting[i+1:]...)
			return true
		}
	}
	return false
}

// work makes what is in line until nothing is. Each has somebody who waits, so
// that it never outlasts them.
func (g *grouped) work(ctx context.Context, account string, l *line) {
	for {
		now := g.next(l)
		if len(now) == 0 {
			return
		}
		timed, cancel := context.WithTimeout(ctx, groupTime)
		err := g.Store.Update(timed, account, func(at time.Time, state []byte) []byte {
			for _, u := range now {
				state = u.f(at, state)
			}
			return state
		})
		cancel()
		for _, u := range now {
			u.err = err
			close(u.done)
		}
	}
}

func (g *grouped) next(l *line) []*update {
	g.mu.Lock()
	defer g.mu.Unlock()
	n := min(len(l.waiting), maxGroup)
	now := l.waiting[:n:n]
	l.waiting = l.waiting[n:]
	l.busy = n > 0
	return now
}
