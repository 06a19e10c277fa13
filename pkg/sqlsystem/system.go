package sqlsystem

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"habeas.dev/pkg/identifier"
	"habeas.dev/pkg/manifest"
	"habeas.dev/pkg/worker"
)

// System serves one system from its manifest. It implements every
// interface of pkg/worker; [worker.New] uses those that the manifest declares.
// It is safe for many goroutines.
type System struct {
	m       *manifest.Manifest
	db      *sql.DB
	own     bool // Open made db
	dialect Dialect
	now     func() time.Time
	timeout time.Duration

	identifiers identifier.Rules

	found      map[string]string // the tables that the manifest names, by that name, in statements
	datasets   []*dataset        // as in the manifest
	erasing    []*dataset        // in the order of erasing
	deciding   []*dataset        // in the order in which it is decided on their rows
	finders    []*finder
	likenesses []*likeness
	unlikes    []Advice

	files   map[string]Files // by the name that manifests give
	noFiles bool             // it doesn't matter where they lie

	// byLaw tells that a rule of retention has periods by law.
	byLaw bool

	known   atomic.Pointer[catalogue]
	filters atomic.Pointer[filters]
	drift   drift

	prepared   sync.Mutex
	statements map[string]*sql.Stmt // where the driver doesn't keep its own
}

var (
	_ worker.Resolver   = (*System)(nil)
	_ worker.Gatherer   = (*System)(nil)
	_ worker.Eraser     = (*System)(nil)
	_ worker.Rectifier  = (*System)(nil)
	_ worker.Knower     = (*System)(nil)
	_ worker.Restricter = (*System)(nil)
	_ worker.Noter      = (*System)(nil)
	_ worker.Bounded    = (*System)(nil)
)

// Option changes a [System].
type Option func(*System)

// WithClock sets the clock that says which periods of retention are over; only
// its day counts, in UTC. The default is time.Now.
func WithClock(now func() time.Time) Option { return func(s *System) { s.now = now } }

// WithTimeout bounds a call for one batch, and what [New] asks the database; the default
// is [DefaultTimeout].
func WithTimeout(d time.Duration) Option { return func(s *System) { s.timeout = d } }

// CallTimeout returns what bounds a call for one batch: [worker.New] sees to it, by its
// own middleware.
func (s *System) CallTimeout() time.Duration { return s.timeout }

// WithIdentifiers sets the rules by which two writings of an identifier are one; the
// default has no default country.
func WithIdentifiers(rules identifier.Rules) Option {
	return func(s *System) { s.identifiers = rules }
}

// Open connects to a database and calls [New]. A source that begins with
// postgres:// or postgresql:// is PostgreSQL's, one with mariadb:// or mysql:// MariaDB's
// or MySQL's (mariadb://user:password@host:port/database, with ?socket=PATH, ?passfile=PATH, and ?tls=true,
// preferred, which is the default, skip-verify or false), one with sqlite:// or without a scheme
// the path of a SQLite file, which must exist. Close closes the connections. The error
// names no part of the source, which may hold a password, but for its scheme.
func Open(ctx context.Context, m *manifest.Manifest, source string, opts ...Option) (*System, error) {
	db, dialect, err := dial(ctx, source)
	if err != nil {
		return nil, fmt.Errorf("sqlsystem: %s: %w", m.System, err)
	}
	s, err := New(ctx, m, db, dialect, opts...)
	if err != nil {
		return nil, errors.Join(err, db.Close())
	}
	s.own = true
	return s, nil
}

// dial opens the database of a data source, whose kind its scheme tells.
func dial(ctx context.Context, source string) (*sql.DB, Dialect, error) {
	scheme, rest, there := strings.Cut(source, "://")
	if !there {
		scheme, rest = "sqlite", source
	}
	all := dialects()
	i := slices.IndexFunc(all, func(d Dialect) bool { return slices.Contains(d.schemes(), scheme) })
	if i < 0 {
		return nil, nil, fmt.Errorf("a data source of the kind %.20q isn't known; write postgres://user@host:port/database, mariadb://user@host:port/database, or the path of a SQLite file", scheme)
	}
	dialect := all[i]
	db, err := dialect.connect(ctx, source, rest)
	if err != nil {
		if told := (*sourceError)(nil); errors.As(err, &told) {
			return nil, nil, fmt.Errorf("the %s data source can't be read: %w", dialect, told)
		}
		cure := scheme + "://user@host:port/database, the port a number"
		if !there || scheme == "sqlite" {
			cure = "the path of the file"
		}
		return nil, nil, fmt.Errorf("the %s data source can't be read; write %s", dialect, cure)
	}
	db.SetMaxOpenConns(maxConnections)
	db.SetMaxIdleConns(maxConnections)
	return db, dialect, nil
}

// New serves a system from its manifest, on a database that the caller opened
// and closes. It checks that the database has what the manifest names; its
// errors are [ErrUnreachable], or one line: file:line: what; cure. A SQLite database MUST have been
// opened by modernc.org/sqlite, or a driver around it whose connections have a method
// Raw() driver.Conn, and with _txlock=immediate, else erasing can meet a lock halfway (which
// fails the batch, and harms nothing).
func New(ctx context.Context, m *manifest.Manifest, db *sql.DB, dialect Dialect, opts ...Option) (*System, error) {
	if m.SQL == nil {
		return nil, fmt.Errorf("%s: the manifest has no sql; add it, or serve the system by a worker of its own", m.At("system"))
	}
	if dialect == nil {
		return nil, errors.New("sqlsystem: no dialect is given: of what kind the database is")
	}
	s := &System{m: m, found: map[string]string{}, db: db, dialect: dialect, now: time.Now, timeout: DefaultTimeout, statements: map[string]*sql.Stmt{}}
	for _, opt := range opts {
		opt(s)
	}
	ctx, cancel := context.WithTimeout(ctx, s.timeout)
	defer cancel()
	if err := db.PingContext(ctx); reasonOf(err) == pooler {
		return nil, fmt.Errorf("sqlsystem: %s: %w", m.System, s.explain(err))
	} else if err != nil {
		return nil, fmt.Errorf("sqlsystem: %s: %w: %w", m.System, ErrUnreachable, err)
	}
	if err := s.watchable(ctx); err != nil {
		return nil, err
	}
	if err := s.compile(ctx); err != nil {
		return nil, err
	}
	return s, nil
}

// Close lets go of what [New] and [Open] made. No call may be under way.
func (s *System) Close() error {
	s.prepared.Lock()
	defer s.prepared.Unlock()
	var errs []error
	for _, stmt := range s.statements {
		errs = append(errs, stmt.Close())
	}
	clear(s.statements)
	if s.own {
		errs = append(errs, s.db.Close())
	}
	return errors.Join(errs...)
}

// executor is a database or a transaction of it.
type executor interface {
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
	ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error)
}

// query runs a statement that returns rows, prepared once where the dialect has it so.
func (s *System) query(ctx context.Context, on executor, q *statement) (*sql.Rows, error) {
	if !s.dialect.prepares() {
		return on.QueryContext(ctx, q.String(), q.args...)
	}
	stmt, err := s.prepare(ctx, q.String())
	if err != nil {
		return nil, err
	}
	if stmt == nil {
		return on.QueryContext(ctx, q.String(), q.args...)
	}
	if tx, ok := on.(*sql.Tx); ok {
		stmt = tx.StmtContext(ctx, stmt)
	}
	return stmt.QueryContext(ctx, q.args...)
}

// exec runs a statement that returns no rows, prepared as query's are.
func (s *System) exec(ctx context.Context, tx *sql.Tx, q *statement) (sql.Result, error) {
	if !s.dialect.prepares() {
		return tx.ExecContext(ctx, q.String(), q.args...)
	}
	stmt, err := s.prepare(ctx, q.String())
	if err != nil {
		return nil, err
	}
	if stmt == nil {
		return tx.ExecContext(ctx, q.String(), q.args...)
	}
	return tx.StmtContext(ctx, stmt).ExecContext(ctx, q.args...)
}

// prepare returns the prepared statement of a text, or nil where there are too
// many already.
func (s *System) prepare(ctx context.Context, text string) (*sql.Stmt, error) {
	s.prepared.Lock()
	defer s.prepared.Unlock()
	if stmt := s.statements[text]; stmt != nil {
		return stmt, nil
	}
	if len(s.statements) >= maxStatements {
		return nil, nil
	}
	stmt, err := s.db.PrepareContext(ctx, text)
	if err != nil {
		return nil, err
	}
	s.statements[text] = stmt
	return stmt, nil
}
