package truth

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"encoding/json"
	"errors"
	"math/rand/v2"
	"net/url"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"
	"modernc.org/sqlite"

	"habeas.dev/pkg/dsar"
	"habeas.dev/pkg/event"
	"habeas.dev/pkg/sqlsystem"
)

// life is a worker's process, as its database sees it: it may end between any two
// calls. What was not committed then is rolled back, as when a connection breaks off;
// what the worker still says is heard by nobody.
type life struct {
	rng  *rand.Rand
	left int // how many calls are left; negative: it doesn't end
}

// most is after how many calls a life may end: more than a task takes.
const most = 40

var errDead = errors.New("the process is gone")

// mayDie has the process end somewhere in what it does next, or nowhere.
func (l *life) mayDie(it bool) {
	if l == nil {
		return
	}
	l.left = -1
	if it {
		l.left = 1 + l.rng.IntN(most)
	}
}

func (l *life) dead() bool { return l != nil && l.left == 0 }

// call is one call of the database: an error where the process is gone before it.
func (l *life) call() error {
	if l.left > 0 {
		l.left--
	}
	if l.left == 0 {
		return errDead
	}
	return nil
}

func dialectOf(source string) sqlsystem.Dialect {
	if strings.HasPrefix(source, "postgres://") {
		return sqlsystem.PostgreSQL
	}
	return sqlsystem.SQLite
}

// open opens a database as sqlsystem.Open does, and counts its calls.
func (l *life) open(p *pipeline, source string) *sql.DB {
	l.left = -1
	m := mortal{life: l}
	if dialectOf(source) == sqlsystem.PostgreSQL {
		config, err := pgx.ParseConfig(source)
		p.must(err)
		config.DefaultQueryExecMode = pgx.QueryExecModeCacheDescribe
		m.connect = stdlib.GetConnector(*config).Connect
	} else {
		u := url.URL{Scheme: "file", OmitHost: true, Path: source, RawQuery: url.Values{"mode": {"rw"}, "_txlock": {"immediate"}, "_pragma": {"busy_timeout(10000)", "foreign_keys(1)", "secure_delete(1)", "synchronous(0)"}}.Encode()}
		dsn := u.String()
		m.connect = func(context.Context) (driver.Conn, error) { return (&sqlite.Driver{}).Open(dsn) }
	}
	db := sql.OpenDB(m)
	db.SetMaxOpenConns(2)
	p.Cleanup(func() { db.Close() })
	return db
}

// mortal makes connections of a life.
type mortal struct {
	*life
	connect func(context.Context) (driver.Conn, error)
}

func (m mortal) Driver() driver.Driver { return nil }

func (m mortal) Connect(ctx context.Context) (driver.Conn, error) {
	if err := m.call(); err != nil {
		return nil, err
	}
	c, err := m.connect(ctx)
	if err != nil {
		return nil, err
	}
	return &mortalConn{c.(everything), m.life}, nil
}

// everything is what both drivers' connections can do.
type everything interface {
	driver.Conn
	driver.ConnBeginTx
	driver.ConnPrepareContext
	driver.ExecerContext
	driver.QueryerContext
	driver.Pinger
}

type mortalConn struct {
	everything
	*life
}

// Raw returns the driver's own connection, whose hooks sqlsystem uses.
func (c *mortalConn) Raw() driver.Conn { return c.everything }

func (c *mortalConn) CheckNamedValue(v *driver.NamedValue) error {
	if checker, ok := c.everything.(driver.NamedValueChecker); ok {
		return checker.CheckNamedValue(v)
	}
	return driver.ErrSkip
}

func (c *mortalConn) PrepareContext(ctx context.Context, query string) (driver.Stmt, error) {
	if err := c.call(); err != nil {
		return nil, err
	}
	stmt, err := c.everything.PrepareContext(ctx, query)
	if err != nil {
		return nil, err
	}
	return &mortalStmt{stmt.(bothWays), c.life}, nil
}

func (c *mortalConn) ExecContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Result, error) {
	if err := c.call(); err != nil {
		return nil, err
	}
	return c.everything.ExecContext(ctx, query, args)
}

func (c *mortalConn) QueryContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Rows, error) {
	if err := c.call(); err != nil {
		return nil, err
	}
	return c.everything.QueryContext(ctx, query, args)
}

func (c *mortalConn) BeginTx(ctx context.Context, opts driver.TxOptions) (driver.Tx, error) {
	if err := c.call(); err != nil {
		return nil, err
	}
	tx, err := c.everything.BeginTx(ctx, opts)
	if err != nil {
		return nil, err
	}
	return &mortalTx{tx, c.life}, nil
}

// bothWays is what both drivers' statements can do.
type bothWays interface {
	driver.Stmt
	driver.StmtExecContext
	driver.StmtQueryContext
}

type mortalStmt struct {
	bothWays
	*life
}

func (s *mortalStmt) ExecContext(ctx context.Context, args []driver.NamedValue) (driver.Result, error) {
	if err := s.call(); err != nil {
		return nil, err
	}
	return s.bothWays.ExecContext(ctx, args)
}

func (s *mortalStmt) QueryContext(ctx context.Context, args []driver.NamedValue) (driver.Rows, error) {
	if err := s.call(); err != nil {
		return nil, err
	}
	return s.bothWays.QueryContext(ctx, args)
}

type mortalTx struct {
	driver.Tx
	*life
}

// Commit may be the last that the process does: what it committed is there, and it
// never learns.
func (t *mortalTx) Commit() error {
	if err := t.call(); err != nil {
		_ = t.Rollback()
		return err
	}
	if err := t.Tx.Commit(); err != nil {
		return err
	}
	return t.call()
}

// actionOf returns what a task wants.
func actionOf(e event.Event) dsar.Action {
	var t dsar.Task
	_ = json.Unmarshal(e.Data, &t)
	return t.Action
}
