package vendorapi

import (
	"context"
	"sync"
	"time"
)

// tokens holds the one access token that all callers share.
type tokens struct {
	vendor string
	fetch  func(context.Context) (Token, error)
	now    func() time.Time

	mu sync.Mutex // held while a token is fetched: the others wait for it
	at Token
}

// get returns the token, fetching one where there is none that is good. A token
// that equals refused is not. Some vendors give the same token again until its end:
// one that was refused and is near its end, or has no life left, is to be waited
// for, as the error says.
func (t *tokens) get(ctx context.Context, refused string) (Token, error) {
	if t.fetch == nil {
		return Token{}, nil
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	good := t.at.Value != "" && t.at.Value != refused && (t.at.Until.IsZero() || t.now().Add(tokenMargin).Before(t.at.Until))
	if good {
		return t.at, nil
	}
	if err := ctx.Err(); err != nil {
		return Token{}, err
	}
	fresh, err := t.fetch(ctx)
	if err != nil {
		return Token{}, err
	}
	if left := fresh.Until.Sub(t.now()); !fresh.Until.IsZero() && (left <= 0 || fresh.Value == refused && left <= tokenMargin) {
		return Token{}, Again(max(left, 0)+tokenPause, "token-ending", t.vendor+"'s access token is at its end, and no other one is given before that", nil)
	}
	t.at = fresh
	return fresh, nil
}

// tokenPause is how long after a token's end the next one is asked for: the
// vendor's clock isn't ours, and it counts in seconds.
const tokenPause = time.Second
