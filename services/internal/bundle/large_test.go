package bundle_test

import (
	"bytes"
	"context"
	"flag"
	"fmt"
	"io"
	"os"
	"runtime"
	"runtime/debug"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"habeas.dev/pkg/dsar"
	"habeas.dev/pkg/manifest"
	"habeas.dev/services/internal/bundle"
	"habeas.dev/services/internal/bundle/bundletest"
	"habeas.dev/services/internal/core"
	"habeas.dev/services/internal/words"
)

// largeGB asks for TestLarge: go test ./bundle -run TestLarge -bundle.gb 5 -v.
var largeGB = flag.Float64("bundle.gb", 0, "the size of TestLarge's record stream, in GB; 0 skips it")

// activityManifest returns a system that holds a great deal.
func activityManifest() *manifest.Manifest {
	columns := []manifest.Column{{Name: "at", Type: "datetime"}, {Name: "session"}, {Name: "address"}, {Name: "action"}, {Name: "millis", Type: "integer"}, {Name: "agent"}}
	ds := manifest.Dataset{
		Name: "clicks", Title: text("Clicks", "Clics"), Category: "internet or network activity", Origin: manifest.Observed, Purpose: text("To keep the service safe", "Protéger le service"),
		LegalBasis: "legitimate-interest", Storage: text("One year", "Un an"), Columns: columns,
	}
	return &manifest.Manifest{System: "activity", Title: text("Activity", "Activité"), Datasets: []manifest.Dataset{ds}}
}

// endless is a record stream of a given length that takes no memory: rows of
// about 200 bytes, of which a fifth is random.
type endless struct {
	left  int64
	rows  int64
	seed  uint64
	buf   []byte
	rest  []byte
	ended bool
}

// newEndless starts from a stream's own first lines, so that only pkg/record
// knows its form.
func newEndless(t testing.TB, size int64) *endless {
	whole := stream(t, rows{"clicks", []string{"at", "session", "address", "action", "millis", "agent"}, nil})
	head, _, ok := strings.Cut(string(whole), `{"end"`)
	if !ok {
		t.Fatal("the form of the stream has changed")
	}
	return &endless{left: size, seed: 1, rest: []byte(head)}
}

func (e *endless) Read(p []byte) (int, error) {
	if len(e.rest) == 0 {
		switch {
		case e.left > 0:
			e.buf = e.buf[:0]
			for len(e.buf) < 64<<10 {
				e.row()
			}
			e.left -= int64(len(e.buf))
			e.rest = e.buf
		case !e.ended:
			e.ended = true
			e.rest = fmt.Appendf(nil, `{"end":%d}`+"\n", e.rows)
		default:
			return 0, io.EOF
		}
	}
	n := copy(p, e.rest)
	e.rest = e.rest[n:]
	return n, nil
}

func (e *endless) row() {
	e.seed ^= e.seed << 13
	e.seed ^= e.seed >> 7
	e.seed ^= e.seed << 17
	e.rows++
	b := append(e.buf, `["2026-01-02T03:04:0`...)
	b = strconv.AppendInt(b, e.rows%10, 10)
	b = append(b, `Z","s-`...)
	b = strconv.AppendUint(b, e.seed, 16)
	b = append(b, `","192.0.2.`...)
	b = strconv.AppendUint(b, e.seed%255, 10)
	b = append(b, `","GET /console/projects/`...)
	b = strconv.AppendUint(b, e.seed>>40, 10)
	b = append(b, `, \"x\"",`...)
	b = strconv.AppendUint(b, e.seed%100_000, 10)
	e.buf = append(b, `,"Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0 Safari/537.36"]`+"\n"...)
}

func (e *endless) Close() error { return nil }

func largeInput(t testing.TB, size int64) input {
	return input{
		RequestID: requestID, Right: dsar.Access, Locale: "en", ReceivedAt: received, Run: bundle.Run{At: packedAt},
		Systems: []part{{Manifest: activityManifest(), Ends: []core.ActionEnd{ended(dsar.Gather, dsar.Gathered)}, Sources: []bundle.Source{
			func(context.Context) (io.ReadCloser, error) { return newEndless(t, size), nil },
		}}},
	}
}

// heapPeak runs f and returns by how much the heap in use grew at most.
func heapPeak(f func()) uint64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	base := m.HeapInuse
	var peak atomic.Uint64
	stop, done := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(done)
		tick := time.NewTicker(5 * time.Millisecond)
		defer tick.Stop()
		for {
			select {
			case <-stop:
				return
			case <-tick.C:
				var m runtime.MemStats
				runtime.ReadMemStats(&m)
				if m.HeapInuse > base && m.HeapInuse-base > peak.Load() {
					peak.Store(m.HeapInuse - base)
				}
			}
		}
	}()
	f()
	close(stop)
	<-done
	return peak.Load()
}

// A bundle of 64 MB of records takes no more memory than one of 8: both a few
// MiB. It is no parallel test: what others allocate would count; and garbage is collected
// early, so that what is measured is what is held, on a busy machine too.
func TestMemoryIsFlat(t *testing.T) { //nolint:paralleltest // measures the heap
	if testing.Short() {
		t.Skip("writes 180 MB of payload")
	}
	defer debug.SetGCPercent(debug.SetGCPercent(25))
	const limit = 16 << 20
	for _, size := range []int64{8 << 20, 64 << 20} {
		var s bundle.Summary
		peak := heapPeak(func() {
			var err error
			if s, err = bundle.Write(t.Context(), io.Discard, bundled(largeInput(t, size))); err != nil {
				t.Fatal(err)
			}
		})
		t.Logf("%d MB of records: %d MB of payload, %d MB of ZIP, %.1f MiB of heap", size>>20, s.PayloadBytes>>20, s.Bytes>>20, float64(peak)/(1<<20))
		if peak > limit {
			t.Errorf("%d MB of records take %d MiB", size>>20, peak>>20)
		}
		if s.PayloadBytes < size {
			t.Errorf("%+v", s)
		}
	}
}

// A large bundle, with datasets beyond what is held in memory, is as right as a
// small one.
func TestLargeFiles(t *testing.T) {
	t.Parallel()
	var b bytes.Buffer
	s, err := bundle.Write(t.Context(), &b, bundled(largeInput(t, 3<<20)))
	if err != nil {
		t.Fatal(err)
	}
	verifies(t, b.Bytes())
	files := unpack(t, b.Bytes())
	csv, lines := files["data/activity/clicks.csv"], files["data/activity/clicks.json"]
	if n := int64(strings.Count(csv, "\r\n")); n != s.Records+1 {
		t.Errorf("%d lines for %d records", n, s.Records)
	}
	if n := int64(strings.Count(lines, "\n{")); n != s.Records || !strings.HasPrefix(lines, "[\n{") || !strings.HasSuffix(lines, "}\n]\n") {
		t.Errorf("%d objects for %d records", n, s.Records)
	}
	page := bundletest.ReadAloud(t, files["data/index.html"])
	shown := int64(strings.Count(page, "GET /console"))
	if !strings.Contains(page, "The first "+words.English().Number(shown)+" of ") || shown < 5000 || shown >= s.Records {
		t.Errorf("%d of %d records are shown", shown, s.Records)
	}
	if size := len(files["data/index.html"]); size > 6<<20 {
		t.Errorf("the page has %d bytes", size)
	}
}

// TestLarge writes a bundle as large as is asked for to a file, and verifies it.
func TestLarge(t *testing.T) { //nolint:paralleltest // measures the heap
	if *largeGB == 0 {
		t.Skip("no -bundle.gb")
	}
	size := int64(*largeGB * 1e9)
	f, err := os.CreateTemp(t.TempDir(), "large")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for _, to := range []struct {
		name string
		w    io.Writer
	}{{"nowhere", io.Discard}, {"a file", f}} {
		var s bundle.Summary
		began := time.Now()
		peak := heapPeak(func() {
			if s, err = bundle.Write(t.Context(), to.w, bundled(largeInput(t, size))); err != nil {
				t.Fatal(err)
			}
		})
		t.Logf("to %s: %d records, %.2f GB of payload, %.2f GB of ZIP in %s, %.1f MiB of heap", to.name, s.Records, float64(s.PayloadBytes)/1e9, float64(s.Bytes)/1e9, time.Since(began).Round(time.Millisecond), float64(peak)/(1<<20))
		if peak > 64<<20 {
			t.Error("more than 64 MiB")
		}
	}
	info, err := f.Stat()
	if err != nil {
		t.Fatal(err)
	}
	began := time.Now()
	peak := heapPeak(func() {
		r, err := bundle.Verify(t.Context(), f, info.Size())
		if err != nil || len(r.Problems) > 0 {
			t.Fatal(err, r.Problems)
		}
	})
	t.Logf("verified in %s, %.1f MiB of heap", time.Since(began).Round(time.Millisecond), float64(peak)/(1<<20))
}

// BenchmarkLarge is the throughput with records beyond what is held in memory.
func BenchmarkLarge(b *testing.B) {
	const size = 64 << 20
	var s bundle.Summary
	for b.Loop() {
		var err error
		if s, err = bundle.Write(b.Context(), io.Discard, bundled(largeInput(b, size))); err != nil {
			b.Fatal(err)
		}
	}
	b.SetBytes(s.PayloadBytes)
}
