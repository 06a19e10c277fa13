package bench

import (
	"context"
	"database/sql"
	"fmt"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
)

// written are the rows that a journal was given: each fact; for each append the
// request's row, and one in the queue that is deleted later.
type written struct {
	facts, appends int64
	factBytes      int // of one, on average
}

func (w written) all() int64 { return w.facts + 3*w.appends }

func (w written) since(before written) written {
	w.facts -= before.facts
	w.appends -= before.appends
	return w
}

// rowsOf returns what was written to a journal so far, of this version or an earlier
// one. Every append takes a number of the queue.
func rowsOf(ctx context.Context, url string) (w written, err error) {
	driver, dsn, last := "pgx", url, []string{"SELECT last_value FROM queue_num_seq", "SELECT last_value FROM outbox_num_seq"}
	if path, ok := strings.CutPrefix(url, "sqlite://"); ok {
		driver, dsn, last = "sqlite", "file:"+path+"?mode=ro", []string{"SELECT queue FROM counter", "SELECT outbox FROM counter"}
	}
	db, err := sql.Open(driver, dsn)
	if err != nil {
		return w, err
	}
	defer db.Close()
	for _, appends := range last { // the queue was called outbox before v0.1.0
		err = db.QueryRowContext(ctx, "SELECT count(*), CAST(coalesce(avg(octet_length(data)), 0) AS integer), ("+appends+") FROM fact").Scan(&w.facts, &w.factBytes, &w.appends)
		if err == nil {
			return w, nil
		}
	}
	return w, fmt.Errorf("the journal's rows: %w", err)
}

func isPostgres(url string) bool { return strings.HasPrefix(url, "postgres") }

// rawPostgres returns how long PostgreSQL takes for the same rows, in transactions of
// 500 facts and what belongs to them, on one connection, in tables like the
// journal's.
func rawPostgres(ctx context.Context, url string, requests int, w written, t traffic) (time.Duration, error) {
	conn, err := pgx.Connect(ctx, url)
	if err != nil {
		return 0, err
	}
	defer conn.Close(ctx) //nolint:errcheck // what was written goes with its schema
	for _, table := range []string{"fact", "request", "queue"} {
		if _, err := conn.Exec(ctx, fmt.Sprintf("CREATE TABLE raw_%[1]s (LIKE %[1]s INCLUDING ALL)", table)); err != nil {
			return 0, err
		}
	}
	queueBytes := int(t.count) * t.size / int(w.appends)
	batches := max(1, int(w.facts)/500)
	began := time.Now()
	for b := range batches {
		var batch pgx.Batch
		part := func(of int64) int { return (b+1)*int(of)/batches - b*int(of)/batches }
		batch.Queue("BEGIN")
		batch.Queue(`INSERT INTO raw_request (id, version, hash, status, "right", jurisdiction, source, digest, received_at, updated_at, overdue, waiting)
			SELECT (n % $3)::text, n, sha256(n::text::bytea), 'gathering', 'access', 'EEA', 'bench', n::text, now(), now(), false, '{a,b,c}' FROM generate_series($1::integer, $2::integer - 1) AS n
			ON CONFLICT (id) DO UPDATE SET version = excluded.version, hash = excluded.hash, updated_at = excluded.updated_at`, b*int(w.appends)/batches, (b+1)*int(w.appends)/batches, max(requests, part(w.appends)))
		data := make([][]byte, part(w.facts))
		for i := range data {
			data[i] = make([]byte, w.factBytes)
		}
		batch.Queue(`INSERT INTO raw_fact (request, version, type, at, data, hash) SELECT $1, n, 'bench', now(), d, sha256(d) FROM unnest($2::bytea[]) WITH ORDINALITY AS t (d, n)`, b, data)
		out := make([][]byte, part(w.appends))
		for i := range out {
			out[i] = make([]byte, queueBytes)
		}
		batch.Queue(`INSERT INTO raw_queue (shard, messages) SELECT 1, d FROM unnest($1::bytea[]) AS d`, out)
		batch.Queue("DELETE FROM raw_queue")
		batch.Queue("COMMIT")
		if err := conn.SendBatch(ctx, &batch).Close(); err != nil {
			return 0, fmt.Errorf("PostgreSQL alone: %w", err)
		}
	}
	return time.Since(began), nil
}
