//go:build unix
package pgjournal_test
import ("testing";"fmt";"github.com/jackc/pgx/v5";"habeas.dev/services/internal/journal/journaltest";"habeas.dev/services/internal/pgtest")
func BenchmarkTmp(b *testing.B) {
	server := pgtest.Start(b, pgtest.Own(), pgtest.Param("fsync=on"), pgtest.Param("full_page_writes=on"), pgtest.Param("shared_preload_libraries='pg_stat_statements'"))
	url := server.Database(b)
	pgtest.Exec(b, url, "CREATE EXTENSION pg_stat_statements")
	s := open(b, url)
	journaltest.Bench(b, s, s.Commits, 200, cpu)
	c,_ := pgx.Connect(ctx, url)
	rows,_ := c.Query(ctx, "select calls, round(total_exec_time::numeric,1)::text, rows, shared_blks_hit, left(regexp_replace(query,'\\s+',' ','g'),70) from pg_stat_statements order by total_exec_time desc limit 14")
	for rows.Next() { v,_ := rows.Values(); fmt.Println(v...) }
	fmt.Println(b.N, b.Elapsed())
}
