//go:build unix

package lakesystem

import (
	"context"
	"flag"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"
	"github.com/apache/arrow-go/v18/parquet"
	pqcompress "github.com/apache/arrow-go/v18/parquet/compress"
	"github.com/apache/arrow-go/v18/parquet/file"
	"github.com/apache/arrow-go/v18/parquet/pqarrow"
	"github.com/apache/iceberg-go"
	"github.com/apache/iceberg-go/catalog"
	"github.com/apache/iceberg-go/table"

	"habeas.dev/pkg/dsar"
	"habeas.dev/pkg/record"
	"habeas.dev/pkg/worker"
)

var lakeRows = flag.Int("lake-rows", 0, "how many rows TestLakeCosts makes; 0: it is skipped")

// TestLakeCosts measures, in one run and on the same files, what reading and writing them
// costs as they are, what this worker's passes cost, and iceberg-go's own Delete. It prints a
// table, and fails where a pass is beyond what docs/benchmarks.md promises by far.
func TestLakeCosts(t *testing.T) {
	if *lakeRows == 0 {
		t.Skip("make bench-lake runs this")
	}
	l := newLake(t)
	l.create("letters", letters())
	spec := iceberg.NewPartitionSpec(iceberg.PartitionField{SourceIDs: []int{2}, FieldID: 1000, Name: "account_bucket", Transform: iceberg.BucketTransform{NumBuckets: 64}})
	l.create("clicks", clicks())
	l.create("theirs", clicks())
	l.create("bucketed", clicks(), catalog.WithPartitionSpec(&spec))
	m := webManifest(t)
	for _, name := range []string{"clicks", "theirs", "bucketed"} {
		fillClicks(l, name, *lakeRows, 10)
	}
	paths, bytes := l.paths("clicks"), int64(0)
	for i, p := range paths {
		paths[i] = strings.TrimPrefix(p, "file://")
		info, err := os.Stat(paths[i])
		if err != nil {
			t.Fatal(err)
		}
		bytes += info.Size()
	}
	t.Log("| what | time | processor | most memory |")
	t.Logf("%d rows, %d accounts, %d files, %d MiB", *lakeRows, accounts, len(paths), bytes>>20)
	report := func(what string, do func()) time.Duration {
		peak := peakMemory()
		began, cpu := time.Now(), processor()
		do()
		took, used := time.Since(began), processor()-cpu
		t.Logf("| %-53s | %7.3f s | %7.3f s | %5d MiB |", what, took.Seconds(), used.Seconds(), peak()>>20)
		return used
	}
	report("reading them raw (pqarrow)", func() { rawPass(t, paths, false) })
	both := report("reading and writing them raw (pqarrow, zstd)", func() { rawPass(t, paths, true) })

	s := l.serve(m)
	who := func(from, n int) []worker.Job {
		var out []worker.Job
		for i := range n {
			out = append(out, account("acc_"+strconv.Itoa(from+i)))
		}
		return out
	}
	gather := func(people []worker.Job) {
		var jobs []*worker.GatherJob
		for _, p := range people {
			jobs = append(jobs, &worker.GatherJob{Job: p, Records: worker.NewRecords(m, dsar.Access, p.Identifiers, func(string, record.Record) error { return nil })})
		}
		if err := s.Gather(context.Background(), jobs); err != nil {
			t.Fatal(err)
		}
	}
	for _, n := range []int{1, 100, 10_000} {
		report(fmt.Sprintf("gathering %d people", n), func() { gather(who(0, n)) })
	}
	erase := func(s *System, people []worker.Job) []*worker.EraseJob {
		var plans []*worker.PlanJob
		for _, p := range people {
			plans = append(plans, &worker.PlanJob{Job: p, Plan: worker.NewPlanWriter(m)})
		}
		if err := s.Plan(context.Background(), plans); err != nil {
			t.Fatal(err)
		}
		var jobs []*worker.EraseJob
		for i, p := range people {
			plan, err := plans[i].Plan.Plan()
			if err != nil {
				t.Fatal(err)
			}
			jobs = append(jobs, &worker.EraseJob{Job: p, Plan: plan})
		}
		return jobs
	}
	from := 0
	for _, n := range []int{1, 100, 10_000} {
		jobs := erase(s, who(from, n))
		from += n
		took := report(fmt.Sprintf("erasing %d people, with what is left looked for", n), func() {
			if err := s.Erase(context.Background(), jobs); err != nil {
				t.Fatal(err)
			}
		})
		if c := of(jobs[0].Counts, "clicks"); c.Erased == 0 || c.Uncovered != "" {
			t.Errorf("%+v", c)
		}
		if n == 100 && took > 3*both {
			t.Errorf("erasing takes %s, reading and writing the files %s", took, both)
		}
	}
	nobody := erase(s, who(50*accounts, 1)) // between the smallest and the largest of each file
	report("erasing somebody of whom nothing is held, unsorted", func() {
		if err := s.Erase(context.Background(), nobody); err != nil {
			t.Fatal(err)
		}
	})
	b := l.serve(webManifest(t, "web.clicks", "web.bucketed"))
	for _, n := range []int{1, 0} {
		jobs, what := erase(b, who(0, 1)), "erasing 1 person, in buckets of accounts (64)"
		if n == 0 {
			jobs, what = erase(b, who(50*accounts, 1)), "erasing nobody, in buckets of accounts (64)"
		}
		report(what, func() {
			if err := b.Erase(context.Background(), jobs); err != nil {
				t.Fatal(err)
			}
		})
	}
	from = 0
	for _, n := range []int{1, 100, 10_000} {
		ids := []string{"none"}
		for i := range n {
			ids = append(ids, "acc_"+strconv.Itoa(from+i))
		}
		from += n
		report(fmt.Sprintf("iceberg-go's Delete of %d people, without expiry", n), func() {
			tx := l.table("theirs").NewTransaction()
			if err := tx.Delete(context.Background(), iceberg.NewAnd(iceberg.NotNull(iceberg.Reference("account_id")), iceberg.IsIn(iceberg.Reference("account_id"), ids...)), nil); err != nil {
				t.Fatal(err)
			}
			if _, err := tx.Commit(context.Background()); err != nil {
				t.Fatal(err)
			}
		})
	}
}

// accounts is how many accounts the rows of TestLakeCosts are of.
const accounts = 100_000

// fillClicks adds rows to a table of clicks, of accounts by chance.
func fillClicks(l *lake, name string, rows, parts int) {
	l.Helper()
	r := rand.New(rand.NewPCG(1, 2))
	tbl := l.table(name)
	schema, err := table.SchemaToArrowSchema(tbl.Schema(), nil, true, false)
	if err != nil {
		l.Fatal(err)
	}
	builder := array.NewRecordBuilder(memory.DefaultAllocator, schema)
	defer builder.Release()
	for part := range parts {
		for i := range rows / parts {
			who := r.IntN(accounts)
			builder.Field(0).(*array.StringBuilder).Append(fmt.Sprintf("clk_%d_%d_%x", part, i, r.Uint32()))
			builder.Field(1).(*array.StringBuilder).Append("acc_" + strconv.Itoa(who))
			builder.Field(2).(*array.StringBuilder).Append("ck_" + strconv.Itoa(who))
			builder.Field(3).(*array.StringBuilder).Append("/page/" + strconv.Itoa(r.IntN(5000)))
			builder.Field(4).(*array.TimestampBuilder).Append(arrow.Timestamp(1_750_000_000_000_000 + r.Int64N(40_000_000_000_000)))
			builder.Field(5).(*array.Int64Builder).Append(r.Int64N(600))
		}
		batch := builder.NewRecordBatch()
		reader, err := array.NewRecordReader(schema, []arrow.RecordBatch{batch})
		if err != nil {
			l.Fatal(err)
		}
		if tbl, err = tbl.Append(l.Context(), reader, nil); err != nil {
			l.Fatal(err)
		}
		reader.Release()
		batch.Release()
	}
}

// rawPass reads files, and writes them anew where it is to, with nothing else.
func rawPass(t *testing.T, paths []string, write bool) {
	t.Helper()
	for _, path := range paths {
		f, err := file.OpenParquetFile(path, false)
		if err != nil {
			t.Fatal(err)
		}
		in, err := pqarrow.NewFileReader(f, pqarrow.ArrowReadProperties{BatchSize: 1 << 17}, memory.DefaultAllocator)
		if err != nil {
			t.Fatal(err)
		}
		rows, err := in.GetRecordReader(context.Background(), nil, nil)
		if err != nil {
			t.Fatal(err)
		}
		var out *pqarrow.FileWriter
		if write {
			out, err = pqarrow.NewFileWriter(rows.Schema(), io.Discard, parquet.NewWriterProperties(parquet.WithCompression(pqcompress.Codecs.Zstd)), pqarrow.DefaultWriterProps())
			if err != nil {
				t.Fatal(err)
			}
		}
		for rows.Next() {
			if out != nil {
				if err := out.WriteBuffered(rows.RecordBatch()); err != nil {
					t.Fatal(err)
				}
			}
		}
		rows.Release()
		if out != nil {
			if err := out.Close(); err != nil {
				t.Fatal(err)
			}
		}
		if err := f.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

// processor returns the processor time that the process has used: what other programs do on
// the machine isn't in it.
func processor() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// peakMemory begins to measure the most memory that the process has; what it returns tells
// it, in bytes: 0 where the system doesn't say.
func peakMemory() func() int64 {
	_ = os.WriteFile("/proc/self/clear_refs", []byte("5"), 0) // resets what VmHWM says
	return func() int64 {
		text, err := os.ReadFile("/proc/self/status")
		if err != nil {
			return 0
		}
		_, rest, _ := strings.Cut(string(text), "VmHWM:")
		n, _ := strconv.ParseInt(strings.Fields(rest + " 0")[0], 10, 64)
		return n << 10
	}
}
