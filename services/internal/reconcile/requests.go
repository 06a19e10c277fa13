package reconcile

import (
	"context"
	"maps"
	"slices"

	"habeas.dev/pkg/bus"
	"habeas.dev/pkg/dsar"
	"habeas.dev/pkg/event"
	"habeas.dev/pkg/vault"
	"habeas.dev/services/internal/core"
	"habeas.dev/services/internal/journal"

	"errors"
)

// takeInRequests takes in again what still lies on dsar.requests and the journal doesn't
// know.
func (r *run) takeInRequests(ctx context.Context) error {
	if r.Topics == nil || r.Door == nil {
		return nil
	}
	n := 0
	if err := r.Topics.Scan(ctx, event.TopicRequests, r.Since, func(s bus.Scanned) error {
		n++
		r.progress("records on dsar.requests", n)
		if !dsar.ValidRequestID(s.Key) || s.Value == nil || r.said[s.Key] {
			return nil
		}
		if _, known, err := r.known(ctx, s.Key); err != nil || known {
			return err
		}
		return r.takeIn(ctx, s)
	}); err != nil {
		return err
	}
	return nil
}

// takeIn takes one record in again.
func (r *run) takeIn(ctx context.Context, s bus.Scanned) error {
	i := Item{Request: s.Key, Caller: callerOf(s.Value), What: TakenIn, Letters: len(r.outbox[s.Key].letters)}
	if r.Plan {
		switch _, err := r.Vault.Keys(ctx, s.Key); {
		case errors.Is(err, vault.ErrShredded):
			return r.lost(ctx, s.Key, "") // it was forgotten
		case err != nil && !errors.Is(err, vault.ErrNoKeys):
			return err
		}
		if left := r.outbox[s.Key]; left.answer != nil || left.refused() {
			i.What = Answered
			if left.answer != nil {
				i.Answer = left.answer.Name
			}
		}
		r.say(i)
		return nil
	}
	code, err := r.Door.TakeIn(ctx, s, *r.command(core.TakenFromRequests, s.Key, 0))
	if err != nil {
		return err
	}
	after, err := r.Requests.State(ctx, s.Key)
	if err != nil {
		return err
	}
	if !after.Exists() {
		_, err := r.Vault.Keys(ctx, s.Key)
		switch {
		case errors.Is(err, vault.ErrNoKeys):
			return nil // it was refused when it came, as now
		case err != nil && !errors.Is(err, vault.ErrShredded):
			return err
		}
		r.callers[s.Key] = i.Caller
		return r.lost(ctx, s.Key, "what lies on dsar.requests is refused ("+code+"): its caller sends it again")
	}
	i.Caller, i.Status = after.Accepted.Source, after.Status
	r.say(endedWith(i, core.State{}, after, r.outbox[s.Key]))
	return nil
}

// lookAtKeys names requests whose keys the vault has lost, where they are open or have left
// something: it was restored from an older copy than the journal. And those of which only the
// topic knows.
func (r *run) lookAtKeys(ctx context.Context) error {
	for _, id := range slices.Sorted(maps.Keys(r.callers)) {
		if r.said[id] {
			continue
		}
		if _, known, err := r.known(ctx, id); err != nil {
			return err
		} else if !known {
			if err := r.lost(ctx, id, "its facts on dsar.events aren't vouched for by this vault: its caller sends it again"); err != nil {
				return err
			}
		}
	}
	f := journal.Filter{Limit: journal.MaxList}
	for n := 0; ; {
		rows, err := r.Journal.List(ctx, f)
		if err != nil {
			return err
		}
		for _, row := range rows {
			n++
			r.progress("keys of requests", n)
			_, err := r.Vault.Keys(ctx, row.RequestID)
			if err == nil || errors.Is(err, vault.ErrShredded) {
				continue
			}
			if !errors.Is(err, vault.ErrNoKeys) {
				return err
			}
			if err := r.noKeys(ctx, row); err != nil {
				return err
			}
		}
		if len(rows) < f.Limit {
			return nil
		}
		f.After = rows[len(rows)-1].Cursor()
	}
}

// noKeys names a request whose keys are lost, unless it has ended and has left nothing.
func (r *run) noKeys(ctx context.Context, row journal.Row) error {
	i := Item{Request: row.RequestID, Caller: row.Source, What: NoKeys, Status: row.Status,
		Why: "the vault is older than the journal: restore a newer copy of vault.keys, or cancel it and have its caller send it again under a new id"}
	if row.Status.Ended() {
		s, err := r.Requests.State(ctx, row.RequestID)
		if err != nil {
			return err
		}
		if len(s.Holds) == 0 && len(s.Kept(r.Now())) == 0 {
			return nil
		}
		i.Why = "something of it is left, and by what it was found nobody can open: restore a newer copy of vault.keys; without, later requests of the person wait for somebody to say whose it is (earlier-no-keys), and what had to stay isn't erased in its time"
	}
	r.say(i)
	return nil
}
