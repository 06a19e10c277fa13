package ledger

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"github.com/cenkalti/backoff/v4"
	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"
)

// busyTimeout is how long an update waits for those of other processes, each of
// which takes well under a millisecond.
const busyTimeout = 10 * time.Second

// sqlite is a store in a file. Its updates begin with the write lock, so that
// none reads what another is about to change. The file isn't synchronised at
// each: a power cut may cost the last counts, and nothing but counts.
type file struct {
	db           *sql.DB
	read, update *sql.Stmt
}

func openSQLite(ctx context.Context, path string) (Store, error) {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return nil, fmt.Errorf("vendors' limits: %w", err)
	}
	pragmas := url.Values{"_pragma": {"busy_timeout(" + strconv.FormatInt(busyTimeout.Milliseconds(), 10) + ")", "journal_mode(WAL)", "synchronous(OFF)"}, "_txlock": {"immediate"}}
	db, err := sql.Open("sqlite", (&url.URL{Scheme: "file", OmitHost: true, Path: path, RawQuery: pragmas.Encode()}).String())
	if err != nil {
		return nil, fmt.Errorf("vendors' limits in %s: %w", path, err)
	}
	db.SetMaxOpenConns(1) // updates come one after another anyway
	s := &file{db: db}
	err = s.create(ctx)
	if err == nil {
		s.read, err = db.PrepareContext(ctx, `SELECT state FROM vendor_accounts WHERE account = ?`)
	}
	if err == nil {
		s.update, err = db.PrepareContext(ctx, `INSERT INTO vendor_accounts (account, state) VALUES (?, ?) ON CONFLICT (account) DO UPDATE SET state = excluded.state`)
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("vendors' limits in %s: %w", path, err), db.Close())
	}
	return s, nil
}

// create makes the table where there is none. Of several processes that meet a
// new file, one makes it a WAL; the others are told at once that it is busy,
// whatever the timeout, since waiting with a lock in hand might never end
// (https://sqlite.org/c3ref/busy_handler.html). They ask again.
func (s *file) create(ctx context.Context) error {
	again := backoff.NewExponentialBackOff(backoff.WithInitialInterval(time.Millisecond),
		backoff.WithMaxInterval(100*time.Millisecond), backoff.WithMaxElapsedTime(busyTimeout))
	return backoff.Retry(func() error {
		_, err := s.db.ExecContext(ctx, `CREATE TABLE IF NOT EXISTS vendor_accounts (account TEXT PRIMARY KEY, state BLOB NOT NULL) STRICT`)
		var e *sqlite.Error
		if err != nil && !(errors.As(err, &e) && e.Code()&0xff == sqlite3.SQLITE_BUSY) {
			return backoff.Permanent(err)
		}
		return err
	}, backoff.WithContext(again, ctx))
}

func (s *file) Update(ctx context.Context, account string, f func(time.Time, []byte) []byte) error {
	tx, err := s.db.BeginTx(ctx, nil)
	if err != nil {
		return fmt.Errorf("vendors' limits: %w", err)
	}
	defer tx.Rollback() //nolint:errcheck // after a commit it does nothing
	// With the lock held nothing waits any more; a context that can end would cost
	// a goroutine for each statement.
	held := context.WithoutCancel(ctx)
	var state []byte
	err = tx.StmtContext(held, s.read).QueryRowContext(held, account).Scan(&state)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return fmt.Errorf("vendors' limits: %w", err)
	}
	_, err = tx.StmtContext(held, s.update).ExecContext(held, account, f(time.Now(), state))
	if err == nil {
		err = tx.Commit()
	}
	if err != nil {
		return fmt.Errorf("vendors' limits: %w", err)
	}
	return nil
}

func (s *file) Each(ctx context.Context, f func(time.Time, string, []byte) error) error {
	rows, err := s.db.QueryContext(ctx, `SELECT account, state FROM vendor_accounts`)
	if err != nil {
		return fmt.Errorf("vendors' limits: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		var account string
		var state []byte
		if err := rows.Scan(&account, &state); err != nil {
			return fmt.Errorf("vendors' limits: %w", err)
		}
		if err := f(time.Now(), account, state); err != nil {
			return err
		}
	}
	return rows.Err()
}

func (s *file) Close() error { return s.db.Close() }
