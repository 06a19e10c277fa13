// Package memjournal is the journal in memory, for simulations and tests: no
// goroutine, no clock of its own but Wait's, and the same calls in the same
// order always leave the same journal. A value outlives the process that is
// simulated: crash the services, keep the journal.
package memjournal

import (
	"context"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"golang.org/x/mod/sumdb/tlog"

	"habeas.dev/services/internal/core"
	"habeas.dev/services/internal/journal"
)

// Op names a call on the journal, for [Config.Fault].
type Op string

// The calls at which a fault can be put.
const (
	OpAppend  Op = "append"
	OpFacts   Op = "facts"
	OpRow     Op = "row"
	OpPending Op = "pending"
	OpSent    Op = "sent"
	OpBacklog Op = "backlog"
	OpList    Op = "list"
	OpNote    Op = "note"
	OpTree    Op = "tree"
)

// Config configures a journal in memory. The zero value is a journal without
// faults.
type Config struct {
	// Poll is the longest that Wait waits; 0: journal.DefaultPoll.
	Poll time.Duration
	// Fault, where set, is called before a call does its work, and again after it.
	// An error of before means that nothing was done; an error of after, that it
	// was, and that the caller doesn't know: a connection that broke in the middle
	// of a commit. It is called without a lock held.
	Fault func(op Op, after bool) error
}

// Store is a journal in memory. It implements journal.Store.
type Store struct {
	cfg    Config
	wake   chan struct{}
	closed chan struct{}

	mu       sync.Mutex
	requests map[string]*request
	prints   map[string][]string // fingerprint: request ids
	notes    map[string]note
	searches []journal.SearchLink
	heads    []journal.HeadsLink
	unlisted []string // requests that have changed since they were listed
	proofs   map[string]*proof
	queue    []journal.PendingMessage
	lastRow  int64
	chain    *journal.Chain
	leaves   []journal.Leaf
	tree     []tlog.Hash
}

type request struct {
	num   int // rises as requests are taken in
	row   journal.Row
	facts []journal.Fact
}

var _ journal.Store = (*Store)(nil)

// New returns an empty journal.
func New(cfg Config) *Store {
	if cfg.Poll <= 0 {
		cfg.Poll = journal.DefaultPoll
	}
	return &Store{
		cfg: cfg, wake: make(chan struct{}, 1), closed: make(chan struct{}),
		requests: map[string]*request{}, prints: map[string][]string{}, notes: map[string]note{}, chain: journal.NewChain(),
	}
}

// call runs the body of a call with the lock held, between its two faults.
func (s *Store) call(ctx context.Context, op Op, work func() error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if s.cfg.Fault != nil {
		if err := s.cfg.Fault(op, false); err != nil {
			return err
		}
	}
	if err := s.locked(work); err != nil {
		return err
	}
	if s.cfg.Fault != nil {
		return s.cfg.Fault(op, true)
	}
	return nil
}

func (s *Store) locked(work func() error) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	select {
	case <-s.closed:
		return journal.ErrClosed
	default:
		return work()
	}
}

// Append implements journal.Journal.
func (s *Store) Append(ctx context.Context, a journal.Append) error {
	if _, err := journal.Check(&a); err != nil {
		return err
	}
	return s.call(ctx, OpAppend, func() error { return s.append(&a) })
}

func (s *Store) append(a *journal.Append) error {
	r := s.requests[a.RequestID]
	if r == nil {
		r = &request{num: len(s.requests) + 1}
	}
	if r.row.Version != a.Expected {
		return journal.ErrConflict
	}
	s.requests[a.RequestID] = r
	r.facts = append(r.facts, s.chain.Seal(a, r.row.Hash)...)
	for i := a.Expected; i < len(r.facts); i++ {
		r.facts[i].Data = slices.Clone(r.facts[i].Data)
	}
	last := r.facts[len(r.facts)-1]
	if !slices.Contains(s.unlisted, a.RequestID) {
		s.unlisted = append(s.unlisted, a.RequestID)
	}
	r.row = a.Row
	r.row.RequestID, r.row.Version, r.row.Hash = a.RequestID, last.Version, last.Hash
	r.row.Waiting, r.row.Needs = slices.Clone(a.Row.Waiting), slices.Clone(a.Row.Needs)
	for _, t := range []*time.Time{&r.row.ReceivedAt, &r.row.DueAt, &r.row.WakeAt, &r.row.UpdatedAt} {
		*t = journal.Time(*t)
	}
	if a.Leaf != nil {
		if err := s.grow(a.RequestID, last.Version, [][]byte{a.Leaf}); err != nil {
			return err
		}
	}
	for _, p := range a.Fingerprints {
		if !slices.Contains(s.prints[p], a.RequestID) {
			s.prints[p] = append(s.prints[p], a.RequestID)
		}
	}
	if len(a.Messages) > 0 {
		s.lastRow++
		for i, m := range a.Messages {
			m.Headers, m.Payload = maps.Clone(m.Headers), slices.Clone(m.Payload)
			s.queue = append(s.queue, journal.PendingMessage{ID: journal.MessageID(s.lastRow, i), Message: m})
		}
		select {
		case s.wake <- struct{}{}:
		default:
		}
	}
	return nil
}

// Facts implements journal.Journal.
func (s *Store) Facts(ctx context.Context, requestID string, from int) (facts []journal.Fact, err error) {
	err = s.call(ctx, OpFacts, func() error {
		if r := s.requests[requestID]; r != nil {
			all := r.facts[min(max(from-1, 0), len(r.facts)):]
			facts = slices.Clone(all)
			for i := range facts {
				facts[i].Data = slices.Clone(facts[i].Data)
				facts[i].Hash = slices.Clone(facts[i].Hash)
			}
		}
		return nil
	})
	return facts, err
}

// Row implements journal.Journal.
func (s *Store) Row(ctx context.Context, requestID string) (row journal.Row, err error) {
	err = s.call(ctx, OpRow, func() error {
		r := s.requests[requestID]
		if r == nil {
			return journal.ErrNotFound
		}
		row = clone(r.row)
		return nil
	})
	return row, err
}

func clone(r journal.Row) journal.Row {
	r.Waiting, r.Needs, r.Hash = slices.Clone(r.Waiting), slices.Clone(r.Needs), slices.Clone(r.Hash)
	return r
}

// Close implements journal.Journal.
func (s *Store) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	select {
	case <-s.closed:
	default:
		close(s.closed)
	}
	return nil
}

// Pending implements journal.Queue.
func (s *Store) Pending(ctx context.Context, limit int) (pending []journal.PendingMessage, err error) {
	err = s.call(ctx, OpPending, func() error {
		limit = min(max(limit, 1), journal.MaxPending, len(s.queue))
		pending = slices.Clone(s.queue[:limit])
		return nil
	})
	return pending, err
}

// Sent implements journal.Queue.
func (s *Store) Sent(ctx context.Context, ids []int64) error {
	return s.call(ctx, OpSent, func() error {
		gone := make(map[int64]bool, len(ids))
		for _, id := range ids {
			gone[id] = true
		}
		s.queue = slices.DeleteFunc(s.queue, func(p journal.PendingMessage) bool { return gone[p.ID] })
		return nil
	})
}

// Backlog implements journal.Measured.
func (s *Store) Backlog(ctx context.Context) (b journal.Backlog, err error) {
	err = s.call(ctx, OpBacklog, func() error {
		rows := map[int64]bool{}
		for _, p := range s.queue {
			row, _ := journal.SplitID(p.ID)
			rows[row] = true
		}
		b.Appends = min(len(rows), journal.MaxBacklog)
		if len(s.queue) > 0 {
			b.Oldest = journal.TimeOf([]journal.Message{s.queue[0].Message})
		}
		return nil
	})
	return b, err
}

// Wait implements journal.Queue.
func (s *Store) Wait(ctx context.Context) error {
	if err := s.locked(ctx.Err); err != nil {
		return err
	}
	timer := time.NewTimer(s.cfg.Poll)
	defer timer.Stop()
	select {
	case <-s.wake:
		return nil
	case <-timer.C:
		return nil
	case <-s.closed:
		return journal.ErrClosed
	case <-ctx.Done():
		return ctx.Err()
	}
}

// List implements journal.Lister.
func (s *Store) List(ctx context.Context, f journal.Filter) (list []journal.Row, err error) {
	err = s.call(ctx, OpList, func() error {
		for _, r := range s.requests {
			if s.matches(r, f) {
				list = append(list, clone(r.row))
			}
		}
		slices.SortFunc(list, func(a, b journal.Row) int { return order(f)(a.Cursor(), b.Cursor()) })
		list = list[:min(len(list), f.ListLimit())]
		return nil
	})
	return list, err
}

// ByFingerprint implements journal.Lister.
func (s *Store) ByFingerprint(ctx context.Context, fingerprint string, limit int) (list []journal.Row, err error) {
	err = s.call(ctx, OpList, func() error {
		ids := slices.Clone(s.prints[fingerprint])
		slices.SortFunc(ids, func(a, b string) int { return s.requests[b].num - s.requests[a].num })
		for _, id := range ids[:min(len(ids), max(limit, 0), journal.MaxList)] {
			list = append(list, clone(s.requests[id].row))
		}
		return nil
	})
	return list, err
}

func (s *Store) matches(r *request, f journal.Filter) bool {
	return (len(f.Statuses) == 0 || slices.Contains(f.Statuses, r.row.Status)) &&
		(f.Right == "" || r.row.Right == f.Right) &&
		(f.Jurisdiction == "" || r.row.Jurisdiction == f.Jurisdiction) &&
		(f.Source == "" || r.row.Source == f.Source) &&
		(f.Waiting == "" || slices.Contains(r.row.Waiting, f.Waiting)) &&
		(f.Assignee == "" || r.row.Assignee == f.Assignee) &&
		(!f.Needing || len(r.row.Needs) > 0) && (f.Need == "" || slices.Contains(r.row.Needs, f.Need)) &&
		strings.HasPrefix(r.row.RequestID, f.IDPrefix) &&
		(f.DueBefore.IsZero() || !r.row.DueAt.IsZero() && r.row.DueAt.Before(journal.Time(f.DueBefore))) &&
		(f.Fingerprint == "" || slices.Contains(s.prints[f.Fingerprint], r.row.RequestID)) &&
		(f.After.IsZero() || order(f)(r.row.Cursor(), journal.Cursor{ReceivedAt: journal.Time(f.After.ReceivedAt), DueAt: journal.Time(f.After.DueAt), RequestID: f.After.RequestID}) > 0)
}

// order returns how a filter's list is ordered.
func order(f journal.Filter) func(a, b journal.Cursor) int {
	if f.DueFirst {
		return compareDue
	}
	return compareReceived
}

// compareDue puts the earliest first, and rows that are never due last.
func compareDue(a, b journal.Cursor) int {
	switch {
	case a.DueAt.IsZero() != b.DueAt.IsZero():
		if a.DueAt.IsZero() {
			return 1
		}
		return -1
	case !a.DueAt.Equal(b.DueAt):
		return a.DueAt.Compare(b.DueAt)
	}
	return strings.Compare(a.RequestID, b.RequestID)
}

// compareReceived puts the newest first, and then orders by id.
func compareReceived(a, b journal.Cursor) int {
	if c := b.ReceivedAt.Compare(a.ReceivedAt); c != 0 {
		return c
	}
	return strings.Compare(a.RequestID, b.RequestID)
}

// Due implements journal.Lister.
func (s *Store) Due(ctx context.Context, now time.Time, limit int) (ids []string, err error) {
	err = s.call(ctx, OpList, func() error {
		var due []journal.Row
		for _, r := range s.requests {
			if !r.row.WakeAt.IsZero() && !r.row.WakeAt.After(now) {
				due = append(due, r.row)
			}
		}
		slices.SortFunc(due, func(a, b journal.Row) int {
			if c := a.WakeAt.Compare(b.WakeAt); c != 0 {
				return c
			}
			return strings.Compare(a.RequestID, b.RequestID)
		})
		for _, r := range due[:min(len(due), max(limit, 0))] {
			ids = append(ids, r.RequestID)
		}
		return nil
	})
	return ids, err
}

// Counts implements journal.Lister.
func (s *Store) Counts(ctx context.Context) (map[core.Status]int, error) {
	counts := map[core.Status]int{}
	err := s.call(ctx, OpList, func() error {
		for _, r := range s.requests {
			counts[r.row.Status]++
		}
		return nil
	})
	return counts, err
}

// WaitingFor implements journal.Lister.
func (s *Store) WaitingFor(ctx context.Context, statuses []core.Status) (map[string]int, error) {
	counts := map[string]int{}
	err := s.call(ctx, OpList, func() error {
		for _, r := range s.requests {
			if !slices.Contains(statuses, r.row.Status) {
				continue
			}
			for _, system := range r.row.Waiting {
				counts[system]++
			}
		}
		return nil
	})
	return counts, err
}

// Needed implements journal.Lister.
func (s *Store) Needed(ctx context.Context) (all map[string]journal.Needed, err error) {
	err = s.call(ctx, OpList, func() error {
		var rows []journal.NeedRow
		for _, r := range s.requests {
			if len(r.row.Needs) == 0 {
				continue
			}
			n := journal.NeedRow{Needs: strings.Join(r.row.Needs, ","), Needed: journal.Needed{Requests: 1, DueFirst: r.row.DueAt}}
			if r.row.Overdue {
				n.Overdue = 1
			}
			rows = append(rows, n)
		}
		all = journal.CountNeeds(rows)
		return nil
	})
	return all, err
}

// SetNeeds implements journal.Lister.
func (s *Store) SetNeeds(ctx context.Context, requestID string, version int, needs []string) error {
	return s.call(ctx, OpNote, func() error {
		if r := s.requests[requestID]; r != nil && r.row.Version == version && slices.Equal(r.row.Needs, []string{journal.NeedUnknown}) {
			r.row.Needs = slices.Clone(needs)
		}
		return nil
	})
}

type note struct {
	data    []byte
	version int64
}

// Note implements journal.Notes.
func (s *Store) Note(ctx context.Context, name string) (data []byte, version int64, err error) {
	err = s.call(ctx, OpNote, func() error {
		n := s.notes[name]
		data, version = slices.Clone(n.data), n.version
		return nil
	})
	return data, version, err
}

// SetNote implements journal.Notes.
func (s *Store) SetNote(ctx context.Context, name string, data []byte, expected int64) error {
	if err := journal.CheckNote(name, data, expected); err != nil {
		return err
	}
	return s.call(ctx, OpNote, func() error {
		if s.notes[name].version != expected {
			return journal.ErrConflict
		}
		s.notes[name] = note{slices.Clone(data), expected + 1}
		return nil
	})
}

// ForgetFingerprints implements journal.Lister.
func (s *Store) ForgetFingerprints(ctx context.Context, requestID string) error {
	return s.call(ctx, OpList, func() error {
		for print, ids := range s.prints {
			if ids = slices.DeleteFunc(ids, func(id string) bool { return id == requestID }); len(ids) == 0 {
				delete(s.prints, print)
			} else {
				s.prints[print] = ids
			}
		}
		return nil
	})
}

// AddSearch implements journal.Searches.
func (s *Store) AddSearch(ctx context.Context, one journal.Search) error {
	if err := journal.CheckSearch(one); err != nil {
		return err
	}
	return s.call(ctx, OpNote, func() error {
		one.At = journal.Time(one.At)
		link := journal.SearchLink{Search: one, Place: int64(len(s.searches)) + 1}
		link.Chain = journal.NextSearch(s.searchHead().Chain, link.Place, one)
		s.searches = append(s.searches, link)
		return nil
	})
}

// Searches implements journal.Searches.
func (s *Store) Searches(ctx context.Context, f journal.SearchFilter) (list []journal.Search, err error) {
	err = s.call(ctx, OpList, func() error {
		for _, one := range slices.Backward(s.searches) {
			if len(list) < (journal.Filter{Limit: f.Limit}).ListLimit() && (f.By == "" || one.By == f.By) && (f.Hash == "" || one.Hash == f.Hash) && !one.At.Before(journal.Time(f.Since)) {
				list = append(list, one.Search)
			}
		}
		return nil
	})
	return list, err
}

// SearchHead implements journal.Searches.
func (s *Store) SearchHead(ctx context.Context) (h journal.SearchHead, err error) {
	err = s.call(ctx, OpList, func() error {
		h = s.searchHead()
		return nil
	})
	return h, err
}

func (s *Store) searchHead() journal.SearchHead {
	if len(s.searches) == 0 {
		return journal.SearchHead{}
	}
	return journal.SearchHead{Size: int64(len(s.searches)), Chain: s.searches[len(s.searches)-1].Chain}
}

// SearchLinks implements journal.Searches.
func (s *Store) SearchLinks(ctx context.Context, from int64, limit int) (list []journal.SearchLink, err error) {
	err = s.call(ctx, OpList, func() error {
		list = slices.Clone(s.searches[min(max(from-1, 0), int64(len(s.searches))):])
		list = list[:min(len(list), journal.Filter{Limit: limit}.ListLimit())]
		return nil
	})
	return list, err
}
