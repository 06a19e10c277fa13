package ledger

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

const (
	// maxConns is how many connections a process opens at most: its calls at
	// once are few, and an update takes a millisecond.
	maxConns = 4
	// openTimeout bounds the first connection and the making of the table.
	openTimeout = 30 * time.Second
	// tableLock keeps two processes from making the table at once, which
	// PostgreSQL's IF NOT EXISTS doesn't. The number is this package's alone.
	tableLock = 7_305_113_002
)

// postgres is a store in a database. An update locks its account's row, and
// time is the server's. It doesn't wait for the disk: a power cut may cost the
// last counts, and nothing but counts.
type postgres struct{ pool *pgxpool.Pool }

func openPostgres(ctx context.Context, where string) (Store, error) {
	ctx, cancel := context.WithTimeout(ctx, openTimeout)
	defer cancel()
	pc, err := pgxpool.ParseConfig(where)
	if err != nil {
		return nil, errors.New("vendors' limits: the PostgreSQL URL can't be read; write postgres://user@host:port/database") // the error would quote it
	}
	pc.MaxConns = maxConns
	pool, err := pgxpool.NewWithConfig(ctx, pc)
	if err != nil {
		return nil, fmt.Errorf("vendors' limits in PostgreSQL at %s: %w", hostOf(where), err)
	}
	err = pgx.BeginFunc(ctx, pool, func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, `SELECT pg_advisory_xact_lock($1)`, int64(tableLock)); err != nil {
			return err
		}
		_, err := tx.Exec(ctx, `CREATE TABLE IF NOT EXISTS vendor_accounts (account text PRIMARY KEY, state bytea NOT NULL)`)
		return err
	})
	if err != nil {
		pool.Close()
		return nil, fmt.Errorf("vendors' limits in PostgreSQL at %s: %s", hostOf(where), strings.Join(strings.Fields(err.Error()), " "))
	}
	return &postgres{pool}, nil
}

// hostOf names a database without its password.
func hostOf(where string) string {
	u, err := url.Parse(where)
	if err != nil {
		return "an unreadable address"
	}
	return u.Host + u.Path
}

func (p *postgres) Update(ctx context.Context, account string, f func(time.Time, []byte) []byte) error {
	err := pgx.BeginFunc(ctx, p.pool, func(tx pgx.Tx) error {
		var state []byte
		var now time.Time
		b := &pgx.Batch{} // one way to the server and back
		b.Queue(`SET LOCAL synchronous_commit = off`)
		b.Queue(`INSERT INTO vendor_accounts (account, state) VALUES ($1, '') ON CONFLICT DO NOTHING`, account)
		b.Queue(`SELECT state FROM vendor_accounts WHERE account = $1 FOR UPDATE`, account).QueryRow(func(r pgx.Row) error { return r.Scan(&state) })
		b.Queue(`SELECT clock_timestamp()`).QueryRow(func(r pgx.Row) error { return r.Scan(&now) }) // after the lock was got
		if err := tx.SendBatch(ctx, b).Close(); err != nil {
			return err
		}
		if len(state) == 0 {
			state = nil
		}
		_, err := tx.Exec(ctx, `UPDATE vendor_accounts SET state = $2 WHERE account = $1`, account, f(now, state))
		return err
	})
	if err != nil {
		return fmt.Errorf("vendors' limits: %w", err)
	}
	return nil
}

func (p *postgres) Each(ctx context.Context, f func(time.Time, string, []byte) error) error {
	rows, err := p.pool.Query(ctx, `SELECT account, state, clock_timestamp() FROM vendor_accounts`)
	if err != nil {
		return fmt.Errorf("vendors' limits: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		var account string
		var state []byte
		var now time.Time
		if err := rows.Scan(&account, &state, &now); err != nil {
			return fmt.Errorf("vendors' limits: %w", err)
		}
		if err := f(now, account, state); err != nil {
			return err
		}
	}
	return rows.Err()
}

func (p *postgres) Close() error {
	p.pool.Close()
	return nil
}
