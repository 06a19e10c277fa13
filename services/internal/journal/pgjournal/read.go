package pgjournal

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"
	"habeas.dev/services/internal/core"
	"habeas.dev/services/internal/journal"
)

const (
	selectFacts = `SELECT version, type, at, data, hash FROM fact
		WHERE request = (SELECT num FROM request WHERE id = $1) AND version >= $2 ORDER BY version`
	selectRows = `SELECT id, version, hash, status, "right", jurisdiction, source, digest,
		received_at, due_at, wake_at, updated_at, overdue, waiting, assignee, needs FROM request`
)

// dueOrder is the order of the index request_due: rows that are never due come
// last.
const dueOrder = "coalesce(due_at, 'infinity'::timestamptz)"

// query reads rows, once more on a new connection where one broke: reading twice
// does no harm.
func query[T any](ctx context.Context, s *Store, row pgx.RowToFunc[T], sql string, args ...any) (list []T, err error) {
	if err := s.usable(ctx); err != nil {
		return nil, err
	}
	bounded, cancel := context.WithTimeout(ctx, readTimeout)
	defer cancel()
	for range 2 {
		var rows pgx.Rows
		if rows, err = s.pool.Query(bounded, sql, args...); err == nil {
			list, err = pgx.CollectRows(rows, row)
		}
		if err == nil || bounded.Err() != nil || !lost(err) {
			break
		}
		s.pool.Reset() // what cuts one connection cuts them all, most times
	}
	return list, s.explain(ctx, err)
}

// Facts implements journal.Journal.
func (s *Store) Facts(ctx context.Context, requestID string, from int) ([]journal.Fact, error) {
	return query(ctx, s, func(row pgx.CollectableRow) (journal.Fact, error) {
		f := journal.Fact{RequestID: requestID}
		err := row.Scan(&f.Version, &f.Type, &f.At, &f.Data, &f.Hash)
		f.At = f.At.UTC()
		return f, ofRow("fact", fmt.Sprintf("%s version %d", requestID, f.Version), err)
	}, selectFacts, requestID, from)
}

// Row implements journal.Journal.
func (s *Store) Row(ctx context.Context, requestID string) (journal.Row, error) {
	list, err := query(ctx, s, scanRow, selectRows+" WHERE id = $1", requestID)
	switch {
	case err != nil:
		return journal.Row{}, err
	case len(list) == 0:
		return journal.Row{}, journal.ErrNotFound
	}
	return list[0], nil
}

func scanRow(from pgx.CollectableRow) (journal.Row, error) {
	var r journal.Row
	var due, wake pgtype.Timestamptz
	var needs string
	err := from.Scan(&r.RequestID, &r.Version, &r.Hash, &r.Status, &r.Right, &r.Jurisdiction, &r.Source, &r.Digest,
		&r.ReceivedAt, &due, &wake, &r.UpdatedAt, &r.Overdue, &r.Waiting, &r.Assignee, &needs)
	r.ReceivedAt, r.UpdatedAt = r.ReceivedAt.UTC(), r.UpdatedAt.UTC()
	if due.Valid {
		r.DueAt = due.Time.UTC()
	}
	if wake.Valid {
		r.WakeAt = wake.Time.UTC()
	}
	if len(r.Waiting) == 0 {
		r.Waiting = nil
	}
	if needs != "" {
		r.Needs = strings.Split(needs, ",")
	}
	return r, ofRow("request", r.RequestID, err)
}

// List implements journal.Lister.
func (s *Store) List(ctx context.Context, f journal.Filter) ([]journal.Row, error) {
	sql, args := listQuery(f)
	// Planned for its own statuses, each time: a plan for any would not use the
	// indexes that hold some of the rows only.
	return query(ctx, s, scanRow, sql, append([]any{pgx.QueryExecModeCacheDescribe}, args...)...)
}

// selectByFingerprint reads the fingerprint's index backwards; in it, requests are
// numbered in the order in which they were accepted.
const selectByFingerprint = selectRows + ` WHERE num = ANY (ARRAY(SELECT request FROM fingerprint WHERE fingerprint = $1 ORDER BY request DESC LIMIT $2))
		ORDER BY num DESC`

// ByFingerprint implements journal.Lister.
func (s *Store) ByFingerprint(ctx context.Context, fingerprint string, limit int) ([]journal.Row, error) {
	return query(ctx, s, scanRow, selectByFingerprint, fingerprint, min(max(limit, 0), journal.MaxList))
}

// listQuery makes one SELECT for each status, each with the list's order and
// limit, so that each reads no more of its index than a page.
func listQuery(f journal.Filter) (sql string, args []any) {
	arg := func(v any) string {
		args = append(args, v)
		return fmt.Sprintf("$%d", len(args))
	}
	order := " ORDER BY received_at DESC, id LIMIT " + arg(f.ListLimit())
	if f.DueFirst {
		order = " ORDER BY " + dueOrder + ", id LIMIT $1"
	}
	var where []string
	if f.Right != "" {
		where = append(where, `"right" = `+arg(string(f.Right)))
	}
	if f.Jurisdiction != "" {
		where = append(where, "jurisdiction = "+arg(f.Jurisdiction))
	}
	if f.Source != "" {
		where = append(where, "source = "+arg(f.Source))
	}
	if f.Waiting != "" {
		where = append(where, arg(f.Waiting)+" = ANY (waiting)")
	}
	if f.Needing || f.Need != "" {
		where = append(where, "needs <> ''") // as the index has it
	}
	if f.Need != "" {
		where = append(where, arg(f.Need)+" = ANY (string_to_array(needs, ','))")
	}
	if f.IDPrefix != "" { // by the index, whose order may be a language's
		where = append(where, "id >= "+arg(f.IDPrefix), "id < "+arg(f.IDPrefix+"g"), "starts_with(id, "+arg(f.IDPrefix)+")")
	}
	if f.Assignee != "" {
		where = append(where, "assignee <> '' AND assignee = "+arg(f.Assignee)) // as the index has it
	}
	if !f.DueBefore.IsZero() {
		where = append(where, dueOrder+" < "+arg(journal.Time(f.DueBefore)))
	}
	if f.Fingerprint != "" {
		where = append(where, "num IN (SELECT request FROM fingerprint WHERE fingerprint = "+arg(f.Fingerprint)+")")
	}
	switch c := f.After; {
	case c.IsZero():
	case f.DueFirst:
		due := pgtype.Timestamptz{Time: journal.Time(c.DueAt), Valid: true}
		if c.DueAt.IsZero() {
			due = pgtype.Timestamptz{InfinityModifier: pgtype.Infinity, Valid: true}
		}
		at := arg(due)
		where = append(where, fmt.Sprintf("%s >= %s AND (%s > %s OR id > %s)", dueOrder, at, dueOrder, at, arg(c.RequestID)))
	default:
		at := arg(journal.Time(c.ReceivedAt))
		where = append(where, fmt.Sprintf("received_at <= %s AND (received_at < %s OR id > %s)", at, at, arg(c.RequestID)))
	}
	one := func(where []string) string {
		if len(where) == 0 {
			return selectRows + order
		}
		return selectRows + " WHERE " + strings.Join(where, " AND ") + order
	}
	if len(f.Statuses) == 0 {
		return one(where), args
	}
	var all []string
	for _, status := range slices.Compact(slices.Sorted(slices.Values(f.Statuses))) {
		all = append(all, "("+one(append(slices.Clip(where), "status = "+arg(string(status))))+")")
	}
	if len(all) == 1 {
		return all[0], args
	}
	return "SELECT * FROM (" + strings.Join(all, " UNION ALL ") + ") AS every" + order, args
}

// Due implements journal.Lister.
func (s *Store) Due(ctx context.Context, now time.Time, limit int) ([]string, error) {
	return query(ctx, s, pgx.RowTo[string], "SELECT r.id FROM timer t JOIN request r ON r.num = t.request WHERE t.wake_at <= $1 ORDER BY t.wake_at, r.id LIMIT $2",
		journal.Time(now), max(limit, 0))
}

// Counts implements journal.Lister.
func (s *Store) Counts(ctx context.Context) (map[core.Status]int, error) {
	return count[core.Status](ctx, s, "SELECT status, count(*) FROM request GROUP BY status")
}

// WaitingFor implements journal.Lister.
func (s *Store) WaitingFor(ctx context.Context, statuses []core.Status) (map[string]int, error) {
	names := make([]string, len(statuses)) // an array of none, not NULL
	for i, status := range statuses {
		names[i] = string(status)
	}
	return count[string](ctx, s, "SELECT name, count(*) FROM request, unnest(waiting) AS name WHERE status = ANY ($1) GROUP BY name", names)
}

// Needed implements journal.Lister.
func (s *Store) Needed(ctx context.Context) (map[string]journal.Needed, error) {
	rows, err := query(ctx, s, func(row pgx.CollectableRow) (journal.NeedRow, error) {
		var r journal.NeedRow
		var due pgtype.Timestamptz
		err := row.Scan(&r.Needs, &r.Requests, &r.Overdue, &due)
		if due.InfinityModifier == pgtype.Finite {
			r.DueFirst = due.Time.UTC()
		}
		return r, err
	}, "SELECT needs, count(*), count(*) FILTER (WHERE overdue), min("+dueOrder+") FROM request WHERE needs <> '' GROUP BY needs")
	if err != nil {
		return nil, err
	}
	return journal.CountNeeds(rows), nil
}

// count reads rows of a name and a number.
func count[Name ~string](ctx context.Context, s *Store, sql string, args ...any) (map[Name]int, error) {
	type row struct {
		Name Name
		N    int
	}
	list, err := query(ctx, s, pgx.RowToStructByPos[row], sql, args...)
	if err != nil {
		return nil, err
	}
	counts := make(map[Name]int, len(list))
	for _, c := range list {
		counts[c.Name] = c.N
	}
	return counts, nil
}
