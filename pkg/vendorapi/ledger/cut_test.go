package ledger_test

import (
	"context"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
)

// TestCutConnections: a PostgreSQL that ends every session, as a failover does, is
// nothing that a caller hears of.
func TestCutConnections(t *testing.T) {
	t.Parallel()
	const name, rounds, accounts = "ledger_cut_connections", 10, 8
	where := places(t)["PostgreSQL"]
	if where == "" {
		t.Skip("needs PostgreSQL: make test-postgres")
	}
	conn, err := pgx.Connect(t.Context(), where)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close(context.Background()) })
	s := open(t, where+"&application_name="+name)
	left := map[string]int{}
	for range rounds {
		var all sync.WaitGroup
		for i := range accounts { // of one account they would share a connection
			all.Go(func() {
				if err := s.Update(t.Context(), strconv.Itoa(i), more); err != nil {
					t.Error(err)
				}
			})
		}
		all.Wait()
		if _, err := conn.Exec(t.Context(), "SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity WHERE application_name = $1", name); err != nil {
			t.Fatal(err)
		}
		clear(left)
		if err := s.Each(t.Context(), func(_ time.Time, account string, state []byte) error {
			left[account] = len(state)
			return nil
		}); err != nil {
			t.Error(err)
		}
	}
	for i := range accounts {
		if n := left[strconv.Itoa(i)]; n != rounds {
			t.Errorf("%d of %d updates are there", n, rounds)
		}
	}
}
