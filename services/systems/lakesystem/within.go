package lakesystem

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"time"

	icebergio "github.com/apache/iceberg-go/io"
	"github.com/apache/iceberg-go/table"

	"habeas.dev/pkg/worker"
)

// errSlow says that a call had no answer in its time.
var errSlow = errors.New("no answer in time")

// within calls what a context can't end, and waits for limit at most. What has no answer by then
// goes on by itself, and its result is dropped.
func within[T any](ctx context.Context, limit time.Duration, call func() (T, error)) (T, error) {
	type result struct {
		value T
		err   error
	}
	ctx, cancel := context.WithTimeoutCause(ctx, limit, errSlow)
	defer cancel()
	done := make(chan result, 1)
	go func() {
		value, err := call()
		done <- result{value, err}
	}()
	select {
	case r := <-done:
		return r.value, r.err
	case <-ctx.Done():
		var none T
		return none, fmt.Errorf("after %s at most: %w", limit, context.Cause(ctx))
	}
}

// stepwise goes through what comes one by one, and waits for limit at most for each: what opens,
// reads and writes files heeds no context while a store doesn't answer. drop is called for
// what comes after that.
func stepwise[T any](ctx context.Context, limit time.Duration, all iter.Seq2[T, error], drop func(T)) iter.Seq2[T, error] {
	type step struct {
		value T
		err   error
		more  bool
	}
	return func(yield func(T, error) bool) {
		next, stop := iter.Pull2(all)
		for {
			taken := make(chan step, 1)
			got, err := within(ctx, limit, func() (step, error) {
				value, err, more := next()
				taken <- step{value, err, more}
				return step{value, err, more}, nil
			})
			if err != nil {
				go func() { // when it has come to an end
					if late := <-taken; late.more && late.err == nil {
						drop(late.value)
					}
					stop()
				}()
				var none T
				yield(none, err)
				return
			}
			if !got.more || !yield(got.value, got.err) {
				stop()
				return
			}
		}
	}
}

// table returns a table as the catalogue has it.
func (s *System) table(ctx context.Context, ident table.Identifier) (*table.Table, error) {
	return within(ctx, openTime, func() (*table.Table, error) { return s.cat.LoadTable(ctx, ident) })
}

// openFS returns the file system of a table.
func openFS(ctx context.Context, tbl *table.Table) (icebergio.IO, error) {
	return within(ctx, openTime, func() (icebergio.IO, error) { return tbl.FS(ctx) })
}

// commit commits a transaction. Whether it was isn't known where that took too long.
func commit(ctx context.Context, tx *table.Transaction) (*table.Table, error) {
	return within(ctx, commitTime, func() (*table.Table, error) { return tx.Commit(ctx) })
}

// orphansOf lists the files below a table's folder that belong to no snapshot and are older.
func orphansOf(ctx context.Context, tbl *table.Table, age time.Duration) (table.OrphanCleanupPlan, error) {
	return within(ctx, planTime, func() (table.OrphanCleanupPlan, error) {
		return tbl.PlanOrphanFiles(ctx, table.WithFilesOlderThan(age))
	})
}

// remove removes a file; one that isn't there is none to remove.
func remove(ctx context.Context, fsys icebergio.IO, path string) error {
	_, err := within(ctx, fileTime, func() (struct{}, error) { return struct{}{}, fsys.Remove(path) })
	if onlyMissing(err) {
		return nil
	}
	return err
}

// turn waits for an erasure's turn to commit, and returns what ends it. Where another's lasts
// too long its tasks are parked.
func (s *System) turn(ctx context.Context) (end func(), err error) {
	wait := time.NewTimer(s.patience)
	defer wait.Stop()
	select {
	case s.committing <- struct{}{}:
		return func() { <-s.committing }, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	case <-wait.C:
		return nil, worker.RetryAfter(busyPause, "lake-busy", "another erasure in this lake has lasted for "+s.patience.String(), nil)
	}
}
