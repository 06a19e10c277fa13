package sqlitejournal

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"habeas.dev/services/internal/core"
	"habeas.dev/services/internal/journal"
)

const (
	selectFacts = `SELECT version, type, at, data, hash FROM fact
		WHERE request = (SELECT num FROM request WHERE id = ?) AND version >= ? ORDER BY version`
	selectRows = `SELECT id, version, hash, status, "right", jurisdiction, source, digest,
		received_at, due_at, wake_at, updated_at, overdue, waiting, assignee, needs FROM `
)

// dueOrder is what the index request_due is of: rows that are never due come last.
const dueOrder = "coalesce(due_at, 9223372036854775807)"

// Facts implements journal.Journal.
func (s *Store) Facts(ctx context.Context, requestID string, from int) ([]journal.Fact, error) {
	if err := s.usable(ctx); err != nil {
		return nil, err
	}
	// One request's facts are read in microseconds; a context that can end would
	// cost two goroutines for every query.
	rows, err := s.factsFrom.QueryContext(context.WithoutCancel(ctx), requestID, from)
	if err != nil {
		return nil, explain(s.path, err)
	}
	defer rows.Close()
	var facts []journal.Fact
	for rows.Next() {
		f := journal.Fact{RequestID: requestID}
		var at int64
		if err := rows.Scan(&f.Version, &f.Type, &at, &f.Data, &f.Hash); err != nil {
			return nil, explain(s.path, ofRow("fact", fmt.Sprintf("%s version %d", requestID, f.Version), err))
		}
		f.At = time.UnixMicro(at).UTC()
		facts = append(facts, f)
	}
	return facts, explain(s.path, rows.Err())
}

// Row implements journal.Journal.
func (s *Store) Row(ctx context.Context, requestID string) (journal.Row, error) {
	if err := s.usable(ctx); err != nil {
		return journal.Row{}, err
	}
	row, err := scanRow(s.rowOf.QueryRowContext(context.WithoutCancel(ctx), requestID))
	if errors.Is(err, sql.ErrNoRows) {
		return journal.Row{}, journal.ErrNotFound
	}
	return row, explain(s.path, err)
}

func scanRow(from interface{ Scan(...any) error }) (journal.Row, error) {
	var r journal.Row
	var received, updated int64
	var due, wake sql.NullInt64
	var waiting, needs string
	err := from.Scan(&r.RequestID, &r.Version, &r.Hash, &r.Status, &r.Right, &r.Jurisdiction, &r.Source, &r.Digest,
		&received, &due, &wake, &updated, &r.Overdue, &waiting, &r.Assignee, &needs)
	if err != nil {
		return journal.Row{}, ofRow("request", r.RequestID, err)
	}
	r.ReceivedAt, r.UpdatedAt = time.UnixMicro(received).UTC(), time.UnixMicro(updated).UTC()
	if due.Valid {
		r.DueAt = time.UnixMicro(due.Int64).UTC()
	}
	if wake.Valid {
		r.WakeAt = time.UnixMicro(wake.Int64).UTC()
	}
	if waiting != "" {
		r.Waiting = strings.Split(waiting, ",")
	}
	if needs != "" {
		r.Needs = strings.Split(needs, ",")
	}
	return r, nil
}

// List implements journal.Lister.
func (s *Store) List(ctx context.Context, f journal.Filter) ([]journal.Row, error) {
	if err := s.usable(ctx); err != nil {
		return nil, err
	}
	query, args := listQuery(f)
	rows, err := s.read.QueryContext(ctx, query, args...)
	if err != nil {
		return nil, explain(s.path, err)
	}
	return s.scanRows(rows)
}

// selectByFingerprint goes backwards through the fingerprint's index, in which the
// requests' numbers rise as they were taken in.
const selectByFingerprint = selectRows + `request WHERE num IN (SELECT request FROM fingerprint WHERE fingerprint = ? ORDER BY request DESC LIMIT ?)
		ORDER BY num DESC`

// ByFingerprint implements journal.Lister.
func (s *Store) ByFingerprint(ctx context.Context, fingerprint string, limit int) ([]journal.Row, error) {
	if err := s.usable(ctx); err != nil {
		return nil, err
	}
	rows, err := s.byFingerprint.QueryContext(context.WithoutCancel(ctx), fingerprint, min(max(limit, 0), journal.MaxList))
	if err != nil {
		return nil, explain(s.path, err)
	}
	return s.scanRows(rows)
}

// scanRows reads and closes rows.
func (s *Store) scanRows(rows *sql.Rows) (list []journal.Row, err error) {
	defer rows.Close()
	for rows.Next() {
		row, err := scanRow(rows)
		if err != nil {
			return nil, explain(s.path, err)
		}
		list = append(list, row)
	}
	return list, explain(s.path, rows.Err())
}

// listQuery makes one SELECT for each status, each with the list's order and
// limit, so that each reads no more of its index than a page.
func listQuery(f journal.Filter) (query string, args []any) {
	order := " ORDER BY received_at DESC, id LIMIT ?"
	if f.DueFirst {
		order = " ORDER BY " + dueOrder + ", id LIMIT ?"
	}
	statuses := slices.Compact(slices.Sorted(slices.Values(f.Statuses)))
	one := make([]string, 0, max(1, len(statuses)))
	for i := range max(1, len(statuses)) {
		var where []string
		add := func(condition string, values ...any) {
			where = append(where, condition)
			args = append(args, values...)
		}
		if len(statuses) > 0 {
			add("status = ?", string(statuses[i]))
		}
		if f.Right != "" {
			add(`"right" = ?`, string(f.Right))
		}
		if f.Jurisdiction != "" {
			add("jurisdiction = ?", f.Jurisdiction)
		}
		if f.Source != "" {
			add("source = ?", f.Source)
		}
		if f.Waiting != "" {
			add("instr(',' || waiting || ',', ',' || ? || ',') > 0", f.Waiting)
		}
		if f.Needing || f.Need != "" {
			add("needs <> ''") // as the index has it
		}
		if f.Need != "" {
			add("instr(',' || needs || ',', ',' || ? || ',') > 0", f.Need)
		}
		if f.IDPrefix != "" {
			add("id >= ?", f.IDPrefix)
			add("id < ?", f.IDPrefix+"g") // behind every digit of a UUID
		}
		if f.Assignee != "" {
			add("assignee <> '' AND assignee = ?", f.Assignee) // as the index has it
		}
		if !f.DueBefore.IsZero() {
			add(dueOrder+" < ?", f.DueBefore.UnixMicro())
		}
		q := selectRows
		if f.Fingerprint != "" {
			// CROSS keeps the order: the few of one person first.
			q += "fingerprint CROSS JOIN "
			add("fingerprint = ? AND num = fingerprint.request", f.Fingerprint)
		}
		q += "request"
		switch c := f.After; {
		case c.IsZero():
		case f.DueFirst:
			at := int64(math.MaxInt64)
			if !c.DueAt.IsZero() {
				at = c.DueAt.UnixMicro()
			}
			add(dueOrder+" >= ? AND ("+dueOrder+" > ? OR id > ?)", at, at, c.RequestID)
		default:
			at := c.ReceivedAt.UnixMicro()
			add("received_at <= ? AND (received_at < ? OR id > ?)", at, at, c.RequestID)
		}
		if len(where) > 0 {
			q += " WHERE " + strings.Join(where, " AND ")
		}
		one = append(one, q+order)
		args = append(args, f.ListLimit())
	}
	if len(one) == 1 {
		return one[0], args
	}
	return "SELECT * FROM (SELECT * FROM (" + strings.Join(one, ") UNION ALL SELECT * FROM (") + "))" + order, append(args, f.ListLimit())
}

// Due implements journal.Lister.
func (s *Store) Due(ctx context.Context, now time.Time, limit int) ([]string, error) {
	if err := s.usable(ctx); err != nil {
		return nil, err
	}
	rows, err := s.read.QueryContext(ctx, "SELECT id FROM request WHERE wake_at <= ? ORDER BY wake_at, id LIMIT ?", now.UnixMicro(), max(limit, 0))
	if err != nil {
		return nil, explain(s.path, err)
	}
	defer rows.Close()
	var ids []string
	for rows.Next() {
		var id string
		if err := rows.Scan(&id); err != nil {
			return nil, explain(s.path, err)
		}
		ids = append(ids, id)
	}
	return ids, explain(s.path, rows.Err())
}

// Counts implements journal.Lister.
func (s *Store) Counts(ctx context.Context) (map[core.Status]int, error) {
	return count[core.Status](ctx, s, "SELECT status, count(*) FROM request GROUP BY status")
}

// WaitingFor implements journal.Lister. SQLite has no arrays: the names of one
// row are taken apart here.
func (s *Store) WaitingFor(ctx context.Context, statuses []core.Status) (map[string]int, error) {
	counts := map[string]int{}
	if len(statuses) == 0 {
		return counts, s.usable(ctx)
	}
	args := make([]any, len(statuses))
	for i, status := range statuses {
		args[i] = string(status)
	}
	rows, err := count[string](ctx, s, "SELECT waiting, count(*) FROM request WHERE status IN (?"+strings.Repeat(", ?", len(statuses)-1)+") AND waiting <> '' GROUP BY waiting", args...)
	for names, n := range rows {
		for name := range strings.SplitSeq(names, ",") {
			counts[name] += n
		}
	}
	return counts, err
}

// Needed implements journal.Lister.
func (s *Store) Needed(ctx context.Context) (map[string]journal.Needed, error) {
	if err := s.usable(ctx); err != nil {
		return nil, err
	}
	rows, err := s.read.QueryContext(ctx, "SELECT needs, count(*), sum(overdue), min("+dueOrder+") FROM request WHERE needs <> '' GROUP BY needs")
	if err != nil {
		return nil, explain(s.path, err)
	}
	defer rows.Close()
	var list []journal.NeedRow
	for rows.Next() {
		var r journal.NeedRow
		var due int64
		if err := rows.Scan(&r.Needs, &r.Requests, &r.Overdue, &due); err != nil {
			return nil, explain(s.path, err)
		}
		if due < math.MaxInt64 {
			r.DueFirst = time.UnixMicro(due).UTC()
		}
		list = append(list, r)
	}
	return journal.CountNeeds(list), explain(s.path, rows.Err())
}

// count reads rows of a name and a number.
func count[Name ~string](ctx context.Context, s *Store, query string, args ...any) (map[Name]int, error) {
	if err := s.usable(ctx); err != nil {
		return nil, err
	}
	rows, err := s.read.QueryContext(ctx, query, args...)
	if err != nil {
		return nil, explain(s.path, err)
	}
	defer rows.Close()
	counts := map[Name]int{}
	for rows.Next() {
		var name Name
		var n int
		if err := rows.Scan(&name, &n); err != nil {
			return nil, explain(s.path, err)
		}
		counts[name] = n
	}
	return counts, explain(s.path, rows.Err())
}
