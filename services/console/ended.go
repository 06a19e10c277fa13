package console

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"sync"
	"time"

	"habeas.dev/services/internal/journal"
)

const (
	// endedFresh is how long what was read of ended sessions is good: a session that was
	// ended, here or at another console, opens nothing after it.
	endedFresh = 5 * time.Second
	// maxEnded bounds how many people's are kept in memory.
	maxEnded = 10_000
	// everybody is who stands for all sessions.
	everybody = "everybody"
	// endedTries bounds how often a change is tried that others were faster with.
	endedTries = 5
)

// ended remembers when the sessions of somebody were ended: those that began before it
// are over, at every console, since it is in the journal's notes.
type ended struct {
	notes journal.Notes
	now   func() time.Time

	mu    sync.Mutex
	known map[string]endedAt
}

type endedAt struct{ at, read time.Time }

// EndSessions ends all sessions of whoever an identity is, as facts have it in pointed
// brackets; of everybody where it is empty.
func EndSessions(ctx context.Context, notes journal.Notes, id string, now time.Time) error {
	name := endedNote(id)
	for range endedTries {
		_, version, err := notes.Note(ctx, name)
		if err != nil {
			return err
		}
		text, err := now.MarshalText()
		if err != nil {
			return err
		}
		if err := notes.SetNote(ctx, name, text, version); !errors.Is(err, journal.ErrConflict) {
			return err
		}
	}
	return journal.ErrConflict
}

// endedNote returns the note about somebody: a hash, since an identity may be an address.
func endedNote(id string) string {
	if id == "" {
		id = everybody
	}
	sum := sha256.Sum256([]byte(id))
	return "console/sessions-ended/" + hex.EncodeToString(sum[:])
}

// over reports whether a session that began at a time was ended since. A journal that
// doesn't answer ends none and begins none: its pages can't be made either.
func (e *ended) over(ctx context.Context, id string, began time.Time) (bool, error) {
	for _, who := range []string{id, ""} {
		at, err := e.when(ctx, endedNote(who))
		if err != nil || !began.After(at) {
			return true, err
		}
	}
	return false, nil
}

// when returns when sessions were ended; zero: never.
func (e *ended) when(ctx context.Context, name string) (time.Time, error) {
	now := e.now()
	e.mu.Lock()
	known, ok := e.known[name]
	e.mu.Unlock()
	if ok && now.Sub(known.read) < endedFresh {
		return known.at, nil
	}
	text, version, err := e.notes.Note(ctx, name)
	if err != nil {
		return time.Time{}, err
	}
	var at time.Time
	if version > 0 {
		if err := at.UnmarshalText(text); err != nil {
			return time.Time{}, err
		}
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	if len(e.known) >= maxEnded {
		clear(e.known)
	}
	e.known[name] = endedAt{at, now}
	return at, nil
}

// forget drops what was read of somebody, so that this console knows at once.
func (e *ended) forget(id string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	delete(e.known, endedNote(id))
}
