package console

import (
	"context"
	"net/http"
	"time"

	"habeas.dev/pkg/worker"
	"habeas.dev/services/internal/core"
)

// maxKeys bounds the keys of one system's plan that a page shows: more than anybody reads;
// habeas plan --keys lists all.
const maxKeys = 500

// planKeys are the keys of one system's plan, in the clear.
type planKeys struct {
	System  string
	Entries []worker.Entry
	// More is how many are left out, and Unreadable says that none can be read any more.
	More       int64
	Unreadable bool
}

// openPlan shows the keys of an erasure's plans, and records that somebody looked. They
// are in this answer only: a reload shows the page without them.
func (c *Console) openPlan(w http.ResponseWriter, r *http.Request, u User) {
	id, form, ok := c.form(w, r, u)
	if !ok {
		return
	}
	s, err := c.do(r.Context(), id, core.OpenPlan{By: u.By(), Reason: form.Get("reason"), Now: c.now()})
	if err != nil {
		c.again(w, r, u, id, form, err)
		return
	}
	c.show(w, r, u, id, func(b *requestBody) {
		for _, p := range s.Plans() {
			if p.Object != nil {
				b.Keys = append(b.Keys, c.keysOf(r.Context(), id, p))
			}
		}
	})
}

// keysOf opens a plan. One that can't be opened is said to be so: its keys may be
// destroyed.
func (c *Console) keysOf(ctx context.Context, id string, p core.SystemPlan) planKeys {
	out := planKeys{System: p.System}
	sealed, err := c.Vault.OpenObject(ctx, id, p.Object.Name)
	if err != nil {
		out.Unreadable = true
		return out
	}
	defer func() { _ = sealed.Close() }() // it was read
	for e, err := range worker.ReadPlan(sealed) {
		if err != nil {
			out.Unreadable = true
			return out
		}
		if len(out.Entries) == maxKeys {
			out.More = p.Object.Records - maxKeys
			return out
		}
		out.Entries = append(out.Entries, e)
	}
	return out
}

// proveAgain asks again whether anything of an answered erasure has come back.
func proveAgain(_ *Console, u User, f values, now time.Time) (core.Command, error) {
	return core.ProveAgain{By: u.By(), Reason: f.Get("reason"), Systems: f.Values["system"], Erase: f.Get("erase") == "yes", Now: now}, nil
}
