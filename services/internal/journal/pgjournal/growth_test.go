package pgjournal_test

import (
	"flag"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"habeas.dev/services/internal/core"
	"habeas.dev/services/internal/journal"
	"habeas.dev/services/internal/journal/journaltest"
	"habeas.dev/services/internal/journal/pgjournal"
	"habeas.dev/services/internal/pgtest"
)

var grown = flag.Int("grown", 100_000, "how many requests the larger journal of TestGrown has")

// TestGrown: what is done for one request, and what a page of a list takes, costs
// no more in a large journal than in one of a thousand requests. The blocks that
// the server touches are counted, not the time: a tree that is a level or two
// deeper may double them, and each row of a page may lie in a block of its own; a
// scan makes a thousand of one.
func TestGrown(t *testing.T) {
	t.Parallel()
	server := pgtest.Start(t, pgtest.Own(), pgtest.Param("shared_preload_libraries=pg_stat_statements"), pgtest.Param("max_wal_size=8GB"))
	small, large := costs(t, server.Database(t), 1000), costs(t, server.Database(t), *grown)
	for _, name := range slices.Sorted(maps.Keys(small)) {
		t.Logf("%-32s %6.1f blocks among 1,000 requests, %6.1f among %d", name, small[name], large[name], *grown)
		if small[name] == 0 {
			t.Errorf("%s: nothing was counted", name)
		}
		most := 2*small[name] + 2
		if strings.HasPrefix(name, "list") {
			most += journal.DefaultList
		}
		if large[name] > most {
			t.Errorf("%s: %.1f blocks among 1,000 requests, %.1f among %d", name, small[name], large[name], *grown)
		}
	}
}

// costs returns the blocks that each operation touches, in a journal of so many
// requests: most ended, of which some wait for the day on which what was kept may
// go; fifty are open.
func costs(t *testing.T, url string, requests int) map[string]float64 {
	t.Helper()
	s := open(t, url)
	seed(t, url, requests)
	now := time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)
	openStatuses := []core.Status{"gathering", "planning", "erasing", "needs-attention"}
	list := func(f journal.Filter) func(int) error {
		return func(int) error {
			_, err := s.List(ctx, f)
			return err
		}
	}
	id := func(n int) string { return fmt.Sprintf("%08x-0000-4000-8000-000000000000", uint32(n+1)*2654435761) } // scattered, as UUIDs are
	conn, err := pgx.Connect(ctx, url)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(ctx)
	found := map[string]float64{}
	for _, op := range []struct {
		name string
		do   func(n int) error
	}{
		{"a new request", func(n int) error { return s.Append(ctx, journaltest.Simple(id(n), 0)) }},
		{"an append", func(n int) error { return s.Append(ctx, journaltest.Simple(id(n), 1)) }},
		{"an append that sets a timer", func(n int) error {
			a := journaltest.Simple(id(n), 2)
			a.Row.WakeAt = now.Add(time.Hour)
			return s.Append(ctx, a)
		}},
		{"a request's facts", func(n int) error { _, err := s.Facts(ctx, id(n), 1); return err }},
		{"a request's row", func(n int) error { _, err := s.Row(ctx, id(n)); return err }},
		{"a turn of the relay", func(int) error { return carrySome(s) }},
		{"timers that are due", func(int) error { _, err := s.Due(ctx, now, 500); return err }},
		{"the latest of one person", func(int) error { _, err := s.ByFingerprint(ctx, "all", core.MaxEarlierRequests); return err }},
		{"list: the newest", list(journal.Filter{})},
		{"list: a status", list(journal.Filter{Statuses: []core.Status{"completed"}})},
		{"list: open, by due date", list(journal.Filter{Statuses: openStatuses, DueFirst: true})},
		{"list: open, that wait for one", list(journal.Filter{Statuses: openStatuses, Waiting: "billing", DueFirst: true})},
		{"list: a jurisdiction", list(journal.Filter{Jurisdiction: "EEA"})},
		{"list: a right", list(journal.Filter{Right: "erasure"})},
		{"list: a person's", list(journal.Filter{Fingerprint: "f500"})},
		{"list: a page far behind", list(journal.Filter{After: journal.Cursor{ReceivedAt: time.Unix(1_700_000_500, 0), RequestID: "x"}})},
	} {
		const times = 20
		if _, err := conn.Exec(ctx, "SELECT public.pg_stat_statements_reset()"); err != nil {
			t.Fatal(err)
		}
		for n := range times {
			if err := op.do(n); err != nil {
				t.Fatalf("%s: %v", op.name, err)
			}
		}
		var blocks int64
		if err := conn.QueryRow(ctx, `SELECT coalesce(sum(shared_blks_hit + shared_blks_read), 0)::bigint FROM public.pg_stat_statements WHERE query NOT LIKE '%pg_stat_statements%'`).Scan(&blocks); err != nil {
			t.Fatal(err)
		}
		found[op.name] = float64(blocks) / times
	}
	return found
}

// seed fills a journal. The chains don't verify: nothing here looks at them.
func seed(t *testing.T, url string, requests int) {
	t.Helper()
	pgtest.Exec(t, url, fmt.Sprintf(`INSERT INTO request (id, version, hash, status, "right", jurisdiction, source, digest, received_at, due_at, wake_at, updated_at, overdue, waiting)
		SELECT md5(i::text)::uuid::text, 3, '', CASE WHEN i %% (%[1]d / 50) = 0 THEN 'gathering' ELSE 'completed' END, (ARRAY['access', 'erasure', 'portability'])[1 + i %% 3], (ARRAY['EEA', 'GB', 'US-CA'])[1 + i %% 3],
			'signup-page', 'd', to_timestamp(1700000000 + i), to_timestamp(1702600000 + i), CASE WHEN i %% 3 = 1 THEN '2035-01-01'::timestamptz + i * interval '1 second' END, now(), false,
			CASE WHEN i %% (%[1]d / 50) = 0 THEN '{billing}'::text[] ELSE '{}' END
		FROM generate_series(1, %[1]d) AS i`, requests))
	for _, statement := range []string{
		"INSERT INTO timer SELECT num, wake_at FROM request WHERE wake_at IS NOT NULL",
		"INSERT INTO fact SELECT num, v, 'task.ended', now(), decode(repeat('00', 100), 'hex'), '' FROM request, generate_series(1, 3) AS v",
		"INSERT INTO fingerprint SELECT f, num FROM request, unnest(ARRAY['f' || num, 'all']) AS f",
		"VACUUM ANALYZE",
		"CREATE EXTENSION IF NOT EXISTS pg_stat_statements SCHEMA public",
	} {
		pgtest.Exec(t, url, statement)
	}
}

// carrySome runs a turn of the relay, whether it has something to carry or not.
func carrySome(s *pgjournal.Store) error {
	pending, err := s.Pending(ctx, 3)
	if err != nil || len(pending) == 0 {
		return err
	}
	var ids []int64
	for _, p := range pending {
		ids = append(ids, p.ID)
	}
	return s.Sent(ctx, ids)
}
