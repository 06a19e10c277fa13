package pgjournal

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"habeas.dev/services/internal/journal"
	"habeas.dev/services/internal/journal/window"
)

const (
	// balanceEvery is how often a relay looks whether others have come or gone.
	// A shard whose relay died waits that long, after the server noticed.
	balanceEvery = time.Second
	// readRows is how many rows of the queue are read at once.
	readRows = 256
	// relayTimeout bounds a relay's query.
	relayTimeout = 15 * time.Second
	// memberKey is the second half of the lock that every relay holds shared, so
	// that they can be counted. The shards' locks are 0 to shards-1; the first
	// half of all is the queue table's own number, so that journals in one
	// database don't meet.
	memberKey = 1_000_000
)

// relay is a Store's side of the queue: a session of its own, the shards that it
// has locked, and a window on their oldest rows.
type relay struct {
	config  *pgx.ConnConfig
	renew   func(context.Context, *pgx.ConnConfig) error // of its password, as of the pool's
	silence time.Duration                                // journal.Silence, but in tests

	mu       sync.Mutex
	conn     *pgx.Conn // nil: to be connected
	told     bool      // of new rows
	table    uint32    // the queue table's number
	held     []int16   // shards, sorted
	balanced time.Time
	window   window.Window
}

// Pending implements journal.Queue. What it returns was read by the session
// that holds the locks of the messages' shards.
func (s *Store) Pending(ctx context.Context, limit int) ([]journal.PendingMessage, error) {
	if err := s.usable(ctx); err != nil {
		return nil, err
	}
	r := &s.relay
	r.mu.Lock()
	defer r.mu.Unlock()
	bounded, cancel := s.bound(ctx, relayTimeout)
	defer cancel()
	if err := r.prepare(bounded); err != nil {
		r.drop()
		return nil, s.explain(ctx, err)
	}
	if r.window.Empty() {
		if err := r.fill(bounded); err != nil {
			r.drop()
			return nil, s.explain(ctx, err)
		}
	}
	return r.window.Pending(limit), nil
}

// bound returns a context that also ends with Close.
func (s *Store) bound(ctx context.Context, timeout time.Duration) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	stop := context.AfterFunc(s.closing, cancel)
	return ctx, func() { stop(); cancel() }
}

// prepare connects where there is no session, and takes its share of the shards.
func (r *relay) prepare(ctx context.Context) error {
	if r.conn == nil {
		if err := r.connect(ctx); err != nil {
			return err
		}
	}
	// Shards are given up only when nothing of them is on its way.
	if now := time.Now(); now.Sub(r.balanced) >= balanceEvery && r.window.Empty() {
		if err := r.balance(ctx); err != nil {
			return err
		}
		r.balanced = now
	}
	return nil
}

func (r *relay) connect(ctx context.Context) error {
	cfg := r.config.Copy()
	if err := r.renew(ctx, cfg); err != nil {
		return err
	}
	cfg.OnNotification = func(*pgconn.PgConn, *pgconn.Notification) { r.told = true }
	conn, err := pgx.ConnectConfig(ctx, cfg)
	if err != nil {
		return err
	}
	r.conn, r.held, r.balanced, r.told = conn, nil, time.Time{}, true
	r.window.Reset()
	// Rows are always read in the order of the primary key, whatever the
	// statistics of a table that is empty at one time and huge at another say.
	// Removing a row needn't be durable: at worst it is sent twice.
	// A session says something at least every poll, but while it publishes.
	if _, err := conn.Exec(ctx, fmt.Sprintf(`SET enable_seqscan = off; SET enable_bitmapscan = off; SET enable_sort = off;
		SET synchronous_commit = off; SET idle_session_timeout = %d`, r.silence.Milliseconds()), pgx.QueryExecModeSimpleProtocol); err != nil {
		return err
	}
	if err := conn.QueryRow(ctx, "SELECT 'queue'::regclass::oid").Scan(&r.table); err != nil {
		return err
	}
	if _, err := conn.Exec(ctx, fmt.Sprintf("LISTEN habeas_queue_%d", r.table)); err != nil {
		return err
	}
	_, err = conn.Exec(ctx, "SELECT pg_advisory_lock_shared($1::integer, $2)", int32(r.table), memberKey)
	return err
}

// balance counts the relays and takes or gives up shards, until each has about
// the same. No relay waits for another.
func (r *relay) balance(ctx context.Context) error {
	var members int
	if err := r.conn.QueryRow(ctx, `SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND classid = $1 AND objid = $2
		AND database = (SELECT oid FROM pg_database WHERE datname = current_database())`, r.table, memberKey).Scan(&members); err != nil {
		return err
	}
	share := (shards + members - 1) / max(members, 1)
	if surplus := len(r.held) - share; surplus > 0 {
		if _, err := r.conn.Exec(ctx, "SELECT pg_advisory_unlock($1::integer, shard) FROM unnest($2::integer[]) AS shard",
			int32(r.table), wide(r.held[share:])); err != nil {
			return err
		}
		r.held = r.held[:share]
		return nil
	}
	return r.take(ctx, share-len(r.held))
}

// take locks up to that many free shards. It starts at a place of its own, so that
// relays that start together don't all try the same ones. It starts at a place of
// its own, so that relays that start together don't all try the same ones.
func (r *relay) take(ctx context.Context, missing int) error {
	if missing <= 0 {
		return nil
	}
	from := int(r.conn.PgConn().PID()) * 7 % shards
	var free []int32
	for i := range shards {
		if shard := int16((from + i) % shards); !slices.Contains(r.held, shard) {
			free = append(free, int32(shard))
		}
	}
	// A LIMIT over a volatile function stops at the first that suffice: locks
	// are tried one after the other, no more than are missing are taken.
	rows, err := r.conn.Query(ctx, `SELECT shard FROM unnest($2::integer[]) AS shard
		WHERE pg_try_advisory_lock($1::integer, shard) LIMIT $3`, int32(r.table), free, missing)
	if err != nil {
		return err
	}
	taken, err := pgx.CollectRows(rows, pgx.RowTo[int32])
	if err != nil {
		return err
	}
	for _, shard := range taken {
		r.held = append(r.held, int16(shard))
	}
	slices.Sort(r.held)
	return nil
}

func wide(shards []int16) []int32 {
	w := make([]int32, len(shards))
	for i, s := range shards {
		w[i] = int32(s)
	}
	return w
}

// fill reads the oldest rows of the shards that are locked.
func (r *relay) fill(ctx context.Context) error {
	r.told = false
	if len(r.held) == 0 {
		return nil
	}
	query, args := "SELECT num, messages FROM queue WHERE shard = ANY ($2) ORDER BY num LIMIT $1", []any{readRows, r.held}
	if len(r.held) == shards {
		query, args = "SELECT num, messages FROM queue ORDER BY num LIMIT $1", args[:1]
	}
	rows, err := r.conn.Query(ctx, query, args...)
	if err != nil {
		return err
	}
	var num int64
	var b []byte
	n := 0
	_, err = pgx.ForEachRow(rows, []any{&num, &b}, func() error {
		n++
		r.window.Push(num, journal.ReadMessages(b), len(b))
		b = nil // the messages are parts of it
		return nil
	})
	if n == readRows {
		r.told = true // there may be more
	}
	return err
}

// Sent implements journal.Queue.
func (s *Store) Sent(ctx context.Context, ids []int64) error {
	if err := s.usable(ctx); err != nil {
		return err
	}
	r := &s.relay
	r.mu.Lock()
	defer r.mu.Unlock()
	done := r.window.Sent(ids)
	if len(done) == 0 || r.conn == nil {
		return nil // without its session they are read and sent again
	}
	bounded, cancel := s.bound(ctx, relayTimeout)
	defer cancel()
	if _, err := r.conn.Exec(bounded, "DELETE FROM queue WHERE num = ANY ($1)", done); err != nil {
		r.drop()
		return s.explain(ctx, err)
	}
	return nil
}

// Backlog implements journal.Measured. It reads the primary key from its beginning,
// as the relay does.
func (s *Store) Backlog(ctx context.Context) (journal.Backlog, error) {
	var b journal.Backlog
	if err := s.usable(ctx); err != nil {
		return b, err
	}
	bounded, cancel := s.bound(ctx, relayTimeout)
	defer cancel()
	var row []byte
	err := pgx.BeginFunc(bounded, s.pool, func(tx pgx.Tx) error {
		if _, err := tx.Exec(bounded, "SET LOCAL enable_seqscan = off; SET LOCAL enable_bitmapscan = off; SET LOCAL enable_sort = off", pgx.QueryExecModeSimpleProtocol); err != nil {
			return err
		}
		return tx.QueryRow(bounded, `SELECT (SELECT count(*) FROM (SELECT num FROM queue ORDER BY num LIMIT $1) AS waiting),
			(SELECT messages FROM queue ORDER BY num LIMIT 1)`, journal.MaxBacklog).Scan(&b.Appends, &row)
	})
	if err != nil {
		return b, s.explain(ctx, err)
	}
	b.Oldest = journal.TimeOf(journal.ReadMessages(row))
	return b, nil
}

// Wait implements journal.Queue: PostgreSQL tells of every append.
func (s *Store) Wait(ctx context.Context) error {
	if err := s.usable(ctx); err != nil {
		return err
	}
	r := &s.relay
	r.mu.Lock()
	defer r.mu.Unlock()
	bounded, cancel := s.bound(ctx, s.poll)
	defer cancel()
	if r.conn == nil {
		<-bounded.Done()
	} else if !r.told {
		if err := r.conn.PgConn().WaitForNotification(bounded); err != nil && bounded.Err() == nil {
			r.drop() // Pending will say what is wrong
		}
	}
	r.told = false
	return s.usable(ctx)
}

// drop ends the session; the server then frees its locks.
func (r *relay) drop() {
	if r.conn != nil {
		ctx, cancel := context.WithTimeout(context.Background(), closeTimeout)
		defer cancel()
		_ = r.conn.Close(ctx)
	}
	r.conn, r.held = nil, nil
	r.window.Reset()
}

// end closes the session for Close; the context ends calls that are under way.
func (r *relay) end() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.drop()
}
