package pgtest_test

import (
	"context"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"habeas.dev/services/internal/pgtest"
)

func TestServer(t *testing.T) {
	t.Parallel()
	server := pgtest.Start(t, pgtest.Own())
	one, other := server.Database(t), server.Database(t)
	pgtest.Exec(t, one, "CREATE TABLE it (n int)")
	pgtest.Exec(t, other, "CREATE TABLE it (n int)") // apart from the first

	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	conn, err := pgx.Connect(ctx, one)
	if err != nil {
		t.Fatal(err)
	}
	for _, end := range []func(testing.TB){server.Stop, server.Crash} {
		pgtest.Exec(t, one, "INSERT INTO it VALUES (1)")
		end(t)
		if err := conn.Ping(ctx); err == nil {
			t.Fatal("still there")
		}
		server.StartAgain(t)
		if conn, err = pgx.Connect(ctx, one); err != nil {
			t.Fatal(err)
		}
	}
	var n int
	if err := conn.QueryRow(ctx, "SELECT count(*) FROM it").Scan(&n); err != nil || n != 2 {
		t.Errorf("%d rows: %v", n, err)
	}
	_ = conn.Close(ctx)
}
