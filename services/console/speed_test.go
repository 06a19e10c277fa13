package console_test

import (
	"context"
	"flag"
	"html"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"habeas.dev/services/console"
	"habeas.dev/services/internal/core"
	"habeas.dev/services/internal/journal/pgjournal"
	"habeas.dev/services/internal/lifecycle"
	"habeas.dev/services/internal/pgtest"
)

var benchRequests = flag.Int("console-requests", 2000, "how many requests BenchmarkConsole has in its journal")

// BenchmarkConsole measures pages over HTTP, on a journal in PostgreSQL that has
// many requests: the time in which half, and 95 of 100, were answered. Run it by
// `make bench-console`.
func BenchmarkConsole(b *testing.B) {
	d := newDesk(b)
	url := pgtest.Start(b, pgtest.Param("shared_buffers=512MB")).Database(b)
	store, err := pgjournal.Open(b.Context(), pgjournal.Config{URL: url})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = store.Close() })
	begun := time.Now()
	facts := seed(b, url, *benchRequests, func(text string) string { return d.vault.Fingerprint("email", text) })
	b.Logf("%d requests, %d facts, seeded in %v", *benchRequests, facts, time.Since(begun).Round(time.Second))
	d.journal, d.requests = store, lifecycle.New(store)
	d.systems = benchSystems
	d.now = start
	d.open()
	server := httptest.NewServer(d.handler)
	b.Cleanup(server.Close)

	pages := map[string]func(i int) *http.Request{}
	get := func(path string) func(int) *http.Request {
		return func(int) *http.Request { return page(b, http.MethodGet, server.URL+path, nil) }
	}
	for name, path := range map[string]string{
		"needs a person": "/", "open": "/?view=open", "ended": "/?view=ended", "all": "/?view=all", "mine": "/?view=mine", "due within a week": "/?view=open&due=7", "overdue": "/?view=open&due=0",
		"by right": "/?view=all&right=erasure", "by law": "/?view=open&law=UK", "by law, all": "/?view=all&law=Brazil", "by status": "/?view=open&status=gathering",
		"waits for many": "/?view=open&system=billing", "waits for few": "/?view=open&system=archive", "waits for nobody": "/?view=open&system=account", "law and right, few": "/?view=all&law=Brazil&right=erasure",
		"systems": "/systems",
	} {
		pages["list, "+name] = get(path)
	}
	pages["list, hundredth page"] = get(deep(b, d, 100))
	pages["find, by id"] = func(i int) *http.Request {
		return page(b, http.MethodPost, server.URL+"/find", map[string][]string{"for": {seededID(i * 7919 % *benchRequests)}})
	}
	pages["find, by address"] = func(i int) *http.Request {
		return page(b, http.MethodPost, server.URL+"/find", map[string][]string{"for": {seededAddress(i * 7919 % *benchRequests)}})
	}
	pages["trace"] = func(i int) *http.Request {
		return page(b, http.MethodGet, server.URL+"/requests/"+seededID(i*7919%*benchRequests), nil)
	}
	pages["trace, JSON"] = func(i int) *http.Request {
		return page(b, http.MethodGet, server.URL+"/requests/"+seededID(i*7919%*benchRequests)+"/trace.json", nil)
	}
	for _, name := range slices.Sorted(maps.Keys(pages)) {
		b.Run(name, func(b *testing.B) { answered(b, d, pages[name]) })
	}
	b.Run("append", func(b *testing.B) { appended(b, d, url) })
}

// page returns a call for a page, as a viewer's browser makes it.
func page(b *testing.B, method, address string, form url.Values) *http.Request {
	b.Helper()
	var body io.Reader
	if form != nil {
		body = strings.NewReader(form.Encode())
	}
	r, err := http.NewRequestWithContext(b.Context(), method, address, body)
	if err != nil {
		b.Fatal(err)
	}
	r.Header.Set("Sec-Fetch-Site", "same-origin")
	if form != nil {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	return r
}

// next is the link to a list's next page.
var next = regexp.MustCompile(`rel="next" href="([^"]+)"`)

// deep turns so many pages of the list of all requests.
func deep(b *testing.B, d *desk, pages int) string {
	b.Helper()
	path := "/?view=all"
	for range pages {
		link := next.FindStringSubmatch(d.call(d.as(console.Viewer), http.MethodGet, path, nil).Body.String())
		if link == nil {
			break // a small journal has fewer
		}
		path = html.UnescapeString(link[1])
	}
	return path
}

// answered makes calls from two people at a time, and reports how long they took.
func answered(b *testing.B, d *desk, call func(i int) *http.Request) {
	session := d.as(console.Viewer)
	took := make([]time.Duration, b.N)
	var all sync.WaitGroup
	b.ResetTimer()
	for worker := range 2 {
		all.Go(func() {
			for i := worker; i < b.N; i += 2 {
				r := call(i)
				for _, c := range session {
					r.AddCookie(c)
				}
				begun := time.Now()
				answer, err := http.DefaultTransport.RoundTrip(r)
				if err != nil {
					b.Error(err)
					return
				}
				_, err = io.Copy(io.Discard, answer.Body)
				_ = answer.Body.Close()
				if took[i] = time.Since(begun); err != nil || answer.StatusCode >= 400 {
					b.Errorf("%d %v", answer.StatusCode, err)
					return
				}
			}
		})
	}
	all.Wait()
	b.StopTimer()
	slices.Sort(took)
	b.ReportMetric(ms(took[len(took)/2]), "ms/p50")
	b.ReportMetric(ms(took[len(took)*95/100]), "ms/p95")
	b.ReportMetric(0, "ns/op")
}

func ms(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }

// appended acts on requests, fifty at a time: what lists are fast by must not make
// an append dear. Where a row's new version lies beside the old one, no index was
// touched.
func appended(b *testing.B, d *desk, url string) {
	conn, err := pgx.Connect(b.Context(), url)
	if err != nil {
		b.Fatal(err)
	}
	defer func() { _ = conn.Close(context.Background()) }()
	act := func(i int) {
		id := seededID(i * 7919 % *benchRequests)
		if _, err := d.requests.Do(b.Context(), id, core.Reveal{By: "lea", Reason: "to measure", Now: start}); err != nil {
			b.Error(err)
		}
	}
	first, _ := updates(b, conn, 0)
	for i := range b.N { // a seeded row has other times than its facts; it is as they are from now on
		act(i)
	}
	before, besideBefore := updates(b, conn, first+float64(b.N))
	var turn atomic.Int64
	b.SetParallelism(25)
	b.ResetTimer()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			act(int(turn.Add(1) - 1))
		}
	})
	b.StopTimer()
	all, beside := updates(b, conn, before+float64(b.N))
	b.ReportMetric((beside-besideBefore)/(all-before), "beside/updates")
}

// updates returns how often rows of requests were replaced, and how often beside
// the old ones. The server is told once sessions are idle for a while: it is waited
// until there are as many as there must be.
func updates(b *testing.B, conn *pgx.Conn, atLeast float64) (all, beside float64) {
	b.Helper()
	beat, limit := time.NewTicker(time.Second), time.After(30*time.Second)
	defer beat.Stop()
	for {
		if err := conn.QueryRow(b.Context(), "SELECT n_tup_upd, n_tup_hot_upd FROM pg_stat_user_tables WHERE relid = 'request'::regclass").Scan(&all, &beside); err != nil {
			b.Fatal(err)
		}
		if all >= atLeast {
			return all, beside
		}
		select {
		case <-beat.C:
		case <-limit:
			b.Fatalf("%v of %v updates", all, atLeast)
		}
	}
}
