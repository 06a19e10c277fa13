package ledger

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"

	renewal "habeas.dev/pkg/internal/postgres"
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
	pc.MaxConns, pc.BeforeConnect = maxConns, renewal.Renew(where)
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

// Update begins once more on a new connection where one broke before the commit:
// a worker that isn't told its limits calls nothing, and parks its task.
func (p *postgres) Update(ctx context.Context, account string, f func(time.Time, []byte) []byte) error {
	tx, err := p.begun(ctx, account, f)
	if err != nil && p.cut(ctx, err) {
		tx, err = p.begun(ctx, account, f)
	}
	if err == nil {
		err = tx.Commit(ctx)
	}
	if err != nil {
		return fmt.Errorf("vendors' limits: %w", err)
	}
	return nil
}

// begun makes an update, and doesn't commit it yet.
func (p *postgres) begun(ctx context.Context, account string, f func(time.Time, []byte) []byte) (pgx.Tx, error) {
	tx, err := p.pool.Begin(ctx)
	if err != nil {
		return nil, err
	}
	var state []byte
	var now time.Time
	b := &pgx.Batch{} // one way to the server and back
	b.Queue(`SET LOCAL synchronous_commit = off`)
	b.Queue(`INSERT INTO vendor_accounts (account, state) VALUES ($1, '') ON CONFLICT DO NOTHING`, account)
	b.Queue(`SELECT state FROM vendor_accounts WHERE account = $1 FOR UPDATE`, account).QueryRow(func(r pgx.Row) error { return r.Scan(&state) })
	b.Queue(`SELECT clock_timestamp()`).QueryRow(func(r pgx.Row) error { return r.Scan(&now) }) // after the lock was got
	if err = tx.SendBatch(ctx, b).Close(); err == nil {
		if len(state) == 0 {
			state = nil
		}
		_, err = tx.Exec(ctx, `UPDATE vendor_accounts SET state = $2 WHERE account = $1`, account, f(now, state))
	}
	if err != nil {
		_ = tx.Rollback(context.WithoutCancel(ctx)) // where it fails, the pool drops the connection
		return nil, err
	}
	return tx, nil
}

// The classes of a server's errors that end a connection
// (https://www.postgresql.org/docs/current/errcodes-appendix.html).
const (
	classConnection = "08"
	classOperator   = "57" // shut down, terminated
)

// cut reports whether an error is that of a connection that broke. What cuts one
// cuts them all, most times: the pool has none but new ones then.
func (p *postgres) cut(ctx context.Context, err error) bool {
	if ctx.Err() != nil {
		return false
	}
	var pg *pgconn.PgError
	if errors.As(err, &pg) && !strings.HasPrefix(pg.Code, classConnection) && !strings.HasPrefix(pg.Code, classOperator) {
		return false
	}
	p.pool.Reset()
	return true
}

// Each reads all before f hears of any: they are few, and where a connection breaks
// they are read once more.
func (p *postgres) Each(ctx context.Context, f func(time.Time, string, []byte) error) error {
	list, err := p.list(ctx)
	if err != nil && p.cut(ctx, err) {
		list, err = p.list(ctx)
	}
	if err != nil {
		return fmt.Errorf("vendors' limits: %w", err)
	}
	for _, a := range list {
		if err := f(a.Now, a.Account, a.State); err != nil {
			return err
		}
	}
	return nil
}

// account is a row, and when it was read.
type account struct {
	Account string
	State   []byte
	Now     time.Time
}

func (p *postgres) list(ctx context.Context) ([]account, error) {
	rows, err := p.pool.Query(ctx, `SELECT account, state, clock_timestamp() FROM vendor_accounts`)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, pgx.RowToStructByPos[account])
}

func (p *postgres) Close() error {
	p.pool.Close()
	return nil
}
