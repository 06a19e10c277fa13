package pgjournal_test

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/cenkalti/backoff/v4"
	"habeas.dev/services/internal/journal/journaltest"
	"habeas.dev/services/internal/journal/pgjournal"
	"habeas.dev/services/internal/pgtest"
)

// TestSilent: a relay that says nothing any more, as that of a process that is
// paused, loses its part of the queue to another; when it speaks again, it
// finds out, and takes part again.
func TestSilent(t *testing.T) {
	t.Parallel()
	url := pgtest.Start(t).Database(t)
	silent, other := open(t, url), open(t, url)
	pgjournal.SetSilence(silent, 500*time.Millisecond)
	if _, err := silent.Pending(ctx, 1); err != nil { // takes every shard
		t.Fatal(err)
	}
	const requests = 20
	for r := range requests {
		if err := other.Append(ctx, journaltest.Simple(fmt.Sprint("r", r), 0)); err != nil {
			t.Fatal(err)
		}
	}
	carried := map[string]bool{}
	retry := backoff.NewExponentialBackOff(backoff.WithInitialInterval(10*time.Millisecond), backoff.WithMaxInterval(100*time.Millisecond), backoff.WithMaxElapsedTime(time.Minute))
	if err := backoff.Retry(func() error {
		pending, err := other.Pending(ctx, 100)
		if err != nil {
			return err
		}
		var ids []int64
		for _, p := range pending {
			carried[p.Key] = true
			ids = append(ids, p.ID)
		}
		if err := other.Sent(ctx, ids); err != nil {
			return err
		}
		if len(carried) < requests {
			return errors.New("shards are held by who is silent")
		}
		return nil
	}, retry); err != nil {
		t.Fatal(err, len(carried))
	}
	if _, err := silent.Pending(ctx, 1); err != nil {
		oneLine(t, err) // its session is gone
	}
	if _, err := silent.Pending(ctx, 1); err != nil {
		t.Error(err)
	}
}
