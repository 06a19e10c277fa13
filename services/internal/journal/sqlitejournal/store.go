// Package sqlitejournal is the journal in one SQLite file, for everything in
// one process on one machine. Other processes on that machine (the command
// line) may open the same file at the same time, and append to it.
//
// One goroutine writes. It takes whatever appends have come up and commits them
// as one transaction (see package group), which is synced to disk before any of
// them returns. Readers have connections of their own and see whole
// transactions; they never wait for the writer.
//
// Messages that this process appended go to the relay from memory, without
// being read back; the queue's rows are for after a crash, and for the appends
// of other processes.
package sqlitejournal

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"habeas.dev/pkg/telemetry"
	"habeas.dev/services/internal/journal"
	"habeas.dev/services/internal/journal/group"
	"modernc.org/sqlite"
)

const (
	// busyTimeout is how long a writer waits for another process' transaction.
	// Those take milliseconds; a process that was stopped inside of one is to
	// be noticed within a person's patience.
	busyTimeout = 10 * time.Second
	// readers bounds the connections that read: each has a page cache of its own.
	readers = 4
	// pageSize is twice SQLite's own, in bytes: a group writes whole runs of
	// facts and messages, in half as many calls (measured, docs/adr/0005).
	pageSize = 8192
	// walPages is after how many pages the write-ahead log is copied into the
	// file. Pages that are written again and again in the meantime are copied
	// once; reading stays quick up to some ten thousand.
	walPages = 4000
	// walKept is what the log's file is cut to after a copy, in bytes.
	walKept = 64 << 20
	// cacheKiB is the writer's page cache: the index by request id of a million
	// requests is not all in it, the pages of the last few thousand are.
	cacheKiB = 32 << 10
)

// Config configures a journal in a file.
type Config struct {
	// Path of the file. It is made where there is none, and its folder too.
	Path string
	// Poll is how often a relay looks for appends of other processes;
	// 0: journal.DefaultPoll.
	Poll time.Duration
}

// Store is a journal in a file. It implements journal.Store.
type Store struct {
	path    string
	poll    time.Duration
	write   *sql.DB // one connection
	read    *sql.DB
	notes   *sql.DB // one connection, opened when it is first needed
	writer  *group.Writer
	tx      *transaction
	queue   queue
	commits atomic.Int64

	factsFrom, rowOf, byFingerprint *sql.Stmt

	closeOnce sync.Once
	closeErr  error
	closed    chan struct{}
}

var _ journal.Store = (*Store)(nil)

// Open opens a journal, makes it where there is none, and brings its schema up
// to date. An error is one line that names the file and the cure.
func Open(ctx context.Context, cfg Config) (*Store, error) {
	path, err := filepath.Abs(cfg.Path)
	if err != nil {
		return nil, fmt.Errorf("journal %s: %w", cfg.Path, err)
	}
	if err := prepare(path); err != nil {
		return nil, err
	}
	s := &Store{path: path, poll: cfg.Poll, closed: make(chan struct{})}
	if s.poll <= 0 {
		s.poll = journal.DefaultPoll
	}
	s.queue.init()
	if err := s.open(ctx); err != nil {
		return nil, errors.Join(explain(path, err), s.closeDBs())
	}
	s.writer = group.New(s.commit)
	return s, nil
}

func (s *Store) open(ctx context.Context) (err error) {
	// fdatasync leaves out the file's times only: a commit takes half the time
	// and is as durable. It holds for the process; where a system lacks it, fsync
	// stays.
	_, _ = sqlite.Fdatasync(true)
	// synchronous=FULL syncs the log at every commit: what Append has
	// acknowledged survives a power cut, not only a crash of the process.
	if s.write, err = sql.Open("sqlite", dsn(s.path, "synchronous(FULL)",
		fmt.Sprintf("cache_size(-%d)", cacheKiB), fmt.Sprintf("wal_autocheckpoint(%d)", walPages),
		fmt.Sprintf("journal_size_limit(%d)", walKept))); err != nil {
		return err
	}
	s.write.SetMaxOpenConns(1)
	if err := migrate(ctx, s.path, s.write); err != nil {
		return err
	}
	if s.read, err = sql.Open("sqlite", dsn(s.path, "query_only(1)")); err != nil {
		return err
	}
	if s.notes, err = sql.Open("sqlite", dsn(s.path, "synchronous(FULL)")); err != nil {
		return err
	}
	s.notes.SetMaxOpenConns(1)
	s.read.SetMaxOpenConns(readers)
	s.read.SetMaxIdleConns(readers)
	if s.factsFrom, err = s.read.PrepareContext(ctx, selectFacts); err != nil {
		return err
	}
	if s.rowOf, err = s.read.PrepareContext(ctx, selectRows+"request WHERE id = ?"); err != nil {
		return err
	}
	if s.byFingerprint, err = s.read.PrepareContext(ctx, selectByFingerprint); err != nil {
		return err
	}
	s.tx = newTransaction(s.write)
	return s.tx.connect()
}

// dsn makes the driver's name of a file, safe against any character in a path.
func dsn(path string, pragmas ...string) string {
	q := url.Values{"_dqs": {"0"}, "_defensive": {"1"}, "_error_rc": {"1"}}
	q.Add("_pragma", fmt.Sprintf("busy_timeout(%d)", busyTimeout.Milliseconds()))
	q.Add("_pragma", fmt.Sprintf("page_size(%d)", pageSize)) // of a new file
	q.Add("_pragma", "journal_mode(WAL)")
	for _, p := range pragmas {
		q.Add("_pragma", p)
	}
	return (&url.URL{Scheme: "file", Path: filepath.ToSlash(path), RawQuery: q.Encode()}).String()
}

// prepare makes folder and file, readable only by their owner, and refuses a file
// that SQLite would take for a new journal and overwrite.
func prepare(path string) error {
	fail := func(what, cure string, err error) error {
		return &journal.StorageError{Where: path, What: what, Cure: cure, Err: err}
	}
	info, err := os.Stat(path)
	switch {
	case err == nil && !info.Mode().IsRegular():
		return fail("it is not a file", "name a file", fs.ErrInvalid)
	case err == nil && info.Size() == 0:
		// An empty file beside a log was cut off: SQLite would drop the log.
		if wal, err := os.Stat(path + "-wal"); err == nil && wal.Size() > 0 {
			return &journal.StorageError{Where: path, What: "the file is empty, but has a log", Damaged: true,
				Cure: "restore it from a backup, together with its -wal file; it was left as it is", Err: errEmpty}
		}
		return nil
	case err == nil:
		return nil
	case !errors.Is(err, fs.ErrNotExist):
		return fail("it can't be looked at: "+err.Error(), "make its folder readable for the user that runs this", err)
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return fail("its folder can't be made: "+err.Error(), "make the folder, or name another", err)
	}
	// O_EXCL: closing any other descriptor of a file that SQLite has open in this
	// process would drop SQLite's locks (https://sqlite.org/howtocorrupt.html, 2.2).
	f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_RDWR, 0o600)
	if errors.Is(err, fs.ErrExist) {
		return nil
	}
	if err != nil {
		return fail("it can't be made: "+err.Error(), "make its folder writable for the user that runs this", err)
	}
	return f.Close()
}

var errEmpty = telemetry.Constant("empty file")

// Append implements journal.Journal.
func (s *Store) Append(ctx context.Context, a journal.Append) error {
	return s.writer.Append(ctx, &a)
}

// Commits returns how many transactions were committed so far: fewer than appends.
func (s *Store) Commits() int64 { return s.commits.Load() }

// Close implements journal.Journal.
func (s *Store) Close() error {
	s.closeOnce.Do(func() {
		s.writer.Close()
		close(s.closed)
		s.closeErr = s.closeDBs()
	})
	return s.closeErr
}

func (s *Store) closeDBs() error {
	var errs []error
	if s.tx != nil {
		s.tx.disconnect()
	}
	if s.read != nil {
		errs = append(errs, s.read.Close())
	}
	if s.notes != nil {
		errs = append(errs, s.notes.Close())
	}
	if s.write != nil { // last: it copies the log into the file
		errs = append(errs, s.write.Close())
	}
	if err := errors.Join(errs...); err != nil {
		return explain(s.path, err)
	}
	return nil
}
