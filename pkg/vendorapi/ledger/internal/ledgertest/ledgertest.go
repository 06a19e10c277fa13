// Package ledgertest is what every store of vendors' limits must pass.
package ledgertest

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"habeas.dev/pkg/vendorapi"
	"habeas.dev/pkg/worker"
)

// Run runs the suite. open opens the same store again, as another process would;
// accounts are named after the test, so that stores may be shared by tests.
func Run(t *testing.T, open func(t *testing.T) vendorapi.Store) {
	for name, test := range map[string]func(t *testing.T, open func(t *testing.T) vendorapi.Store){
		"keeps":      keeps,
		"alone":      alone,
		"cancelled":  cancelled,
		"clock":      clock,
		"concurrent": concurrent,
		"budget":     budget,
		"hold":       hold,
		"rate":       rateLimit,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(t, open)
		})
	}
}

func get(t *testing.T, s vendorapi.Store, account string) string {
	t.Helper()
	text, n := "", 0
	err := s.Each(t.Context(), func(_ time.Time, name string, state []byte) error {
		if name == account {
			text = string(state)
			n++
		}
		return nil
	})
	if err != nil || n > 1 {
		t.Fatalf("%d states of one account, %v", n, err)
	}
	return text
}

func set(t *testing.T, s vendorapi.Store, account, text string) (before string) {
	t.Helper()
	err := s.Update(t.Context(), account, func(_ time.Time, state []byte) []byte {
		before = string(state)
		return []byte(text)
	})
	if err != nil {
		t.Fatal(err)
	}
	return before
}

// keeps: each account has its own state, which every opener sees.
func keeps(t *testing.T, open func(t *testing.T) vendorapi.Store) {
	a, b := open(t), open(t)
	x, y := t.Name()+"/x", t.Name()+"/y"
	if got := set(t, a, x, "1"); got != "" {
		t.Fatalf("a new account has %q", got)
	}
	set(t, a, y, "2")
	if got := set(t, b, x, "3"); got != "1" {
		t.Errorf("another process sees %q", got)
	}
	if gx, gy := get(t, a, x), get(t, b, y); gx != "3" || gy != "2" {
		t.Errorf("%q, %q", gx, gy)
	}
	stop := errors.New("stop")
	if err := a.Each(t.Context(), func(time.Time, string, []byte) error { return stop }); !errors.Is(err, stop) {
		t.Errorf("the reader's error is lost: %v", err)
	}
}

// alone: no update is lost, whoever makes it.
func alone(t *testing.T, open func(t *testing.T) vendorapi.Store) {
	const openers, each = 4, 50
	var all sync.WaitGroup
	for range openers {
		s := open(t)
		for range 2 {
			all.Go(func() {
				for range each / 2 {
					err := s.Update(t.Context(), t.Name(), func(_ time.Time, state []byte) []byte {
						n, _ := strconv.Atoi(string(state))
						return []byte(strconv.Itoa(n + 1))
					})
					if err != nil {
						t.Error(err)
					}
				}
			})
		}
	}
	all.Wait()
	if got := get(t, open(t), t.Name()); got != strconv.Itoa(openers*each) {
		t.Errorf("%s of %d updates are left", got, openers*each)
	}
}

func cancelled(t *testing.T, open func(t *testing.T) vendorapi.Store) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	s := open(t)
	if err := s.Update(ctx, t.Name(), func(time.Time, []byte) []byte { return []byte("x") }); err == nil {
		t.Error("an update whose context is over succeeds")
	}
	if got := get(t, s, t.Name()); got != "" {
		t.Errorf("it left %q", got)
	}
}

// clock: time goes on, and is nearly everybody's.
func clock(t *testing.T, open func(t *testing.T) vendorapi.Store) {
	var last time.Time
	for _, s := range []vendorapi.Store{open(t), open(t), open(t)} {
		err := s.Update(t.Context(), t.Name(), func(now time.Time, state []byte) []byte {
			if now.Before(last) || now.IsZero() {
				t.Errorf("%v after %v", now, last)
			}
			last = now
			return append([]byte("x"), state...)
		})
		if err != nil {
			t.Fatal(err)
		}
	}
}

// vendor answers what it is told to, and counts.
type vendor struct {
	out, most, calls atomic.Int64
	answer           func(n int64) (int, string) // status and Retry-After
	wait             func()
}

func (v *vendor) RoundTrip(r *http.Request) (*http.Response, error) {
	n := v.calls.Add(1)
	out := v.out.Add(1)
	defer v.out.Add(-1)
	for {
		most := v.most.Load()
		if out <= most || v.most.CompareAndSwap(most, out) {
			break
		}
	}
	if v.wait != nil {
		v.wait()
	}
	status, after := http.StatusOK, ""
	if v.answer != nil {
		status, after = v.answer(n)
	}
	h := http.Header{}
	if after != "" {
		h.Set("Retry-After", after)
	}
	return &http.Response{StatusCode: status, Header: h, Body: io.NopCloser(strings.NewReader("")), Request: r}, nil
}

func parse(*vendorapi.Answer) vendorapi.Reply { return vendorapi.Reply{Own: true} }

func client(t *testing.T, s vendorapi.Store, v *vendor, change func(*vendorapi.Config)) *vendorapi.Client {
	t.Helper()
	c := vendorapi.Config{Vendor: "Acme", Account: t.Name(), Parse: parse, Access: vendorapi.Access{Host: vendorapi.Host{Store: s}, HTTPClient: &http.Client{Transport: v}}}
	change(&c)
	cl, err := vendorapi.New(c)
	if err != nil {
		t.Fatal(err)
	}
	return cl
}

var call = vendorapi.Call{Name: "test", Method: http.MethodGet, Path: "http://vendor/x", Safe: true, Expect: vendorapi.Nothing()}

func account(t *testing.T, s vendorapi.Store) vendorapi.Account {
	t.Helper()
	list, err := vendorapi.Accounts(t.Context(), s)
	if err != nil {
		t.Fatal(err)
	}
	for _, a := range list {
		if a.Name == t.Name() {
			return a
		}
	}
	t.Fatal("the account isn't there")
	return vendorapi.Account{}
}

// concurrent: the places of an account are of all clients together.
func concurrent(t *testing.T, open func(t *testing.T) vendorapi.Store) {
	const places, clients, each = 2, 4, 5
	v := &vendor{}
	// Calls overlap: each of the first ends when another has been let in, or has
	// had every chance to.
	in := make(chan struct{}, places*clients*each)
	v.wait = func() {
		in <- struct{}{}
		if v.calls.Load() < places {
			<-in
		}
	}
	var all sync.WaitGroup
	for range clients {
		cl := client(t, open(t), v, func(c *vendorapi.Config) { c.Concurrent = places })
		for range each {
			all.Go(func() {
				var e *worker.Error
				for {
					err := cl.Do(t.Context(), call)
					if errors.As(err, &e) && e.Code == "busy" && t.Context().Err() == nil { // would be parked: comes again
						continue
					}
					if err != nil {
						t.Error(err)
					}
					return
				}
			})
		}
	}
	all.Wait()
	if v.most.Load() > places || v.calls.Load() != clients*each {
		t.Errorf("%d at once, %d calls", v.most.Load(), v.calls.Load())
	}
	if a := account(t, open(t)); a.InFlight != 0 || a.Places != places || a.Used != clients*each || a.Circuit != vendorapi.Closed {
		t.Errorf("%+v", a)
	}
}

// budget: the day's calls are of all clients together, to the last one.
func budget(t *testing.T, open func(t *testing.T) vendorapi.Store) {
	const calls, clients, each = 12, 3, 7
	v := &vendor{}
	renewal := time.Now().Add(time.Hour).UTC().Truncate(time.Second)
	var done, parked atomic.Int64
	var all sync.WaitGroup
	for range clients {
		cl := client(t, open(t), v, func(c *vendorapi.Config) {
			c.Daily, c.Quota = calls, vendorapi.Quota{Renewal: func(time.Time) time.Time { return renewal }}
		})
		all.Go(func() {
			for range each {
				err := cl.Do(t.Context(), call)
				var e *worker.Error
				switch {
				case err == nil:
					done.Add(1)
				case errors.As(err, &e) && e.Code == "quota":
					if until, ok := e.Parked(time.Now()); !ok || until.Sub(renewal).Abs() > time.Minute {
						t.Errorf("parked until %v, want %v", until, renewal)
					}
					parked.Add(1)
				default:
					t.Error(err)
				}
			}
		})
	}
	all.Wait()
	if done.Load() != calls || parked.Load() != clients*each-calls || v.calls.Load() != calls {
		t.Errorf("%d done, %d parked, %d calls", done.Load(), parked.Load(), v.calls.Load())
	}
	a := account(t, open(t))
	if left, limited := a.Remaining(); left != 0 || !limited || a.Code != "quota" || !a.Until.Equal(renewal) {
		t.Errorf("%+v", a)
	}
}

// hold: what the vendor told one client, the others keep to.
func hold(t *testing.T, open func(t *testing.T) vendorapi.Store) {
	v := &vendor{answer: func(int64) (int, string) { return http.StatusTooManyRequests, "3600" }}
	for range 3 {
		err := client(t, open(t), v, func(*vendorapi.Config) {}).Do(t.Context(), call)
		var e *worker.Error
		if !errors.As(err, &e) || e.Code != "rate-limited" {
			t.Fatal(err)
		}
		if until, ok := e.Parked(time.Now()); !ok || time.Until(until) < 50*time.Minute {
			t.Fatalf("parked until %v", until)
		}
	}
	if v.calls.Load() != 1 {
		t.Errorf("%d calls in an hour in which the vendor wants none", v.calls.Load())
	}
	if a := account(t, open(t)); a.Code != "rate-limited" || time.Until(a.Until) < 50*time.Minute {
		t.Errorf("%+v", a)
	}
}

// rateLimit: a burst is everybody's, and what doesn't come soon is parked.
func rateLimit(t *testing.T, open func(t *testing.T) vendorapi.Store) {
	v := &vendor{}
	done, parked := 0, 0
	for range 4 {
		cl := client(t, open(t), v, func(c *vendorapi.Config) { c.Rate, c.Burst = 1.0/3600, 5 })
		for range 3 {
			err := cl.Do(t.Context(), call)
			var e *worker.Error
			switch {
			case err == nil:
				done++
			case errors.As(err, &e) && e.Code == "rate-limited":
				parked++
			default:
				t.Fatal(err)
			}
		}
	}
	if fmt.Sprint(done, parked) != "5 7" {
		t.Errorf("%d done, %d parked", done, parked)
	}
}
