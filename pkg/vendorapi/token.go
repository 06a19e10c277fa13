package vendorapi

import (
	"context"
	"sync"
	"time"
)

// tokens holds the one access token that all callers share.
type tokens struct {
	fetch func(context.Context) (Token, error)
	now   func() time.Time

	mu sync.Mutex // held while a token is fetched: the others wait for it
	at Token
}

// get returns the token, fetching one where there is none that is good. A
// token that equals refused is not.
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
	t.at = fresh
	return fresh, nil
}
