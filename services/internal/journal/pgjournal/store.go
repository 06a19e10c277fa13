// Package pgjournal is the journal in PostgreSQL, for many processes.
//
// In every process one goroutine writes: it takes whatever appends have come up
// and commits them as one transaction of two round trips (see package group).
// The rows of the requests concerned are locked for that long, so that of two
// processes that append to the same request one comes first.
//
// The relays of several processes share the queue by shards of the request id.
// A shard's messages are read by the one session that holds its advisory lock;
// should the session break, or say nothing for [journal.Silence], the server gives
// the lock to another. Hence PostgreSQL 14 is the oldest that will do, and the URL
// MUST lead to the server itself, or to a pooler in session mode.
package pgjournal

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"habeas.dev/services/internal/journal"
	"habeas.dev/services/internal/journal/group"
)

const (
	// commitTimeout bounds a group's transaction, waiting for other processes'
	// locks included. Those take milliseconds; longer is an outage.
	commitTimeout = 15 * time.Second
	// connectTimeout bounds a connection's start.
	connectTimeout = 5 * time.Second
	// readTimeout bounds a query of a page: the largest reads 1,000 rows.
	readTimeout = 30 * time.Second
	// closeTimeout bounds the end of the relay's session.
	closeTimeout = 5 * time.Second
)

// Config configures a journal in PostgreSQL.
type Config struct {
	// URL as libpq has it (https://www.postgresql.org/docs/current/libpq-connect.html),
	// with pool_max_conns and its like of pgxpool; search_path chooses a schema.
	URL string
	// Poll is how often a relay looks for appends even if PostgreSQL notified it of
	// none; 0: journal.DefaultPoll.
	Poll time.Duration
}

// Store is a journal in PostgreSQL. It implements journal.Store.
type Store struct {
	where   string // host and database, for errors
	poll    time.Duration
	pool    *pgxpool.Pool
	writer  *group.Writer
	tx      *transaction
	relay   relay
	commits atomic.Int64

	closeOnce sync.Once
	closing   context.Context // ends with Close
	close     context.CancelFunc
}

var _ journal.Store = (*Store)(nil)

// Open connects, and brings the schema up to date. An error is one line that
// names host, database and cure, and no password.
func Open(ctx context.Context, cfg Config) (*Store, error) {
	s, err := connect(ctx, cfg)
	if err != nil {
		return nil, err
	}
	if err := s.migrate(ctx); err != nil {
		s.pool.Close()
		return nil, s.explain(ctx, err)
	}
	s.tx = newTransaction(s.pool)
	s.writer = group.New(s.commit)
	return s, nil
}

// connect returns a store that can't be appended to yet: its tables may not be there.
func connect(ctx context.Context, cfg Config) (*Store, error) {
	pc, err := pgxpool.ParseConfig(cfg.URL)
	if err != nil {
		return nil, errors.New("journal: the PostgreSQL URL can't be read; write postgres://user@host:port/database")
	}
	cc := pc.ConnConfig
	if cc.ConnectTimeout == 0 {
		cc.ConnectTimeout = connectTimeout
	}
	if cc.RuntimeParams["application_name"] == "" {
		cc.RuntimeParams["application_name"] = "habeas"
	}
	pc.AfterConnect, pc.BeforeConnect = setUp, renew(cfg.URL)
	s := &Store{
		where: fmt.Sprintf("postgres://%s/%s", net.JoinHostPort(cc.Host, strconv.Itoa(int(cc.Port))), cc.Database),
		poll:  cfg.Poll,
	}
	if s.poll <= 0 {
		s.poll = journal.DefaultPoll
	}
	s.closing, s.close = context.WithCancel(context.Background())
	if s.pool, err = pgxpool.NewWithConfig(ctx, pc); err != nil {
		return nil, s.explain(ctx, err)
	}
	s.relay.config, s.relay.renew, s.relay.silence = cc.Copy(), renew(cfg.URL), journal.Silence
	return s, nil
}

// renew returns what reads a URL's files anew before each connection: its passfile, its
// authorities, its client certificate (TestPasswordIsRotated). What can't be read now leaves
// the connection with what was read before.
func renew(url string) func(ctx context.Context, c *pgx.ConnConfig) error {
	return func(_ context.Context, c *pgx.ConnConfig) error {
		now, err := pgx.ParseConfig(url)
		if err != nil {
			return nil //nolint:nilerr // a file is being exchanged
		}
		c.Password, c.TLSConfig, c.Fallbacks = now.Password, now.TLSConfig, now.Fallbacks
		return nil
	}
}

// setUp configures a connection so that every statement uses an index. Each is made
// for one, and the planner's statistics lag behind a table that grows: a plan for
// an empty table that is kept (prepared statements are) would read all of it for
// every append. A transaction whose process falls silent is rolled back by the
// server, so that its locks hold up nobody (TestSilent).
func setUp(ctx context.Context, conn *pgx.Conn) error {
	_, err := conn.Exec(ctx, fmt.Sprintf("SET enable_seqscan = off; SET enable_hashjoin = off; SET enable_mergejoin = off; SET idle_in_transaction_session_timeout = %d",
		journal.Silence.Milliseconds()), pgx.QueryExecModeSimpleProtocol)
	return err
}

// Append implements journal.Journal.
func (s *Store) Append(ctx context.Context, a journal.Append) error {
	return s.writer.Append(ctx, &a)
}

// Commits returns how many transactions of appends were committed so far.
func (s *Store) Commits() int64 { return s.commits.Load() }

// Close implements journal.Journal.
func (s *Store) Close() error {
	s.closeOnce.Do(func() {
		s.writer.Close()
		s.close()
		s.relay.end()
		s.pool.Close()
	})
	return nil
}

func (s *Store) isClosed() bool { return s.closing.Err() != nil }

// usable reports whether a call may begin.
func (s *Store) usable(ctx context.Context) error {
	if s.isClosed() {
		return journal.ErrClosed
	}
	return ctx.Err()
}
