package ledger_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"habeas.dev/pkg/vendorapi"
	"habeas.dev/pkg/vendorapi/ledger"
	"habeas.dev/pkg/worker"
)

// What a child process is told, as its environment.
const (
	envStore, envAccount, envVendor = "LEDGER_STORE", "LEDGER_ACCOUNT", "LEDGER_VENDOR"
	envCalls, envBudget             = "LEDGER_CALLS", "LEDGER_BUDGET"
)

// inChild is how many calls a child has out at once at most, by the account's
// terms.
const inChild = 2

// child reports whether this is a process of the test's; it then calls a vendor,
// and prints how many calls were made and how many were parked for the quota.
func child() bool {
	where := os.Getenv(envStore)
	if where == "" {
		return false
	}
	s, err := ledger.Open(context.Background(), where)
	if err != nil {
		panic(err)
	}
	budget, _ := strconv.ParseInt(os.Getenv(envBudget), 10, 64)
	cl, err := vendorapi.New(vendorapi.Config{
		Vendor: "Acme", Account: os.Getenv(envAccount), Parse: func(*vendorapi.Answer) vendorapi.Reply { return vendorapi.Reply{Own: true} },
		Access: vendorapi.Access{Host: vendorapi.Host{Store: s}, Concurrent: inChild, Daily: budget}, Timeout: 2 * time.Second,
	})
	if err != nil {
		panic(err)
	}
	calls, _ := strconv.Atoi(os.Getenv(envCalls))
	var done, parked atomic.Int64
	var all sync.WaitGroup
	for range calls {
		all.Go(func() {
			for {
				err := cl.Do(context.Background(), vendorapi.Call{Method: http.MethodGet, Path: os.Getenv(envVendor), Expect: vendorapi.Nothing()})
				var e *worker.Error
				switch {
				case err == nil:
					done.Add(1)
				case errors.As(err, &e) && e.Code == "busy": // would be parked: come again
					continue
				case errors.As(err, &e) && e.Code == "quota":
					parked.Add(1)
				default:
					panic(err)
				}
				return
			}
		})
	}
	all.Wait()
	fmt.Println(done.Load(), parked.Load())
	return true
}

func start(t *testing.T, out *strings.Builder, where, vendor string, calls, budget int) *exec.Cmd {
	t.Helper()
	c := exec.CommandContext(t.Context(), os.Args[0])
	c.Env = append(os.Environ(), envStore+"="+where, envAccount+"="+t.Name(), envVendor+"="+vendor,
		envCalls+"="+strconv.Itoa(calls), envBudget+"="+strconv.Itoa(budget))
	c.Stdout, c.Stderr = out, os.Stderr
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	return c
}

// TestProcesses: three processes share an account's places and its budget, to
// the last call.
func TestProcesses(t *testing.T) {
	t.Parallel()
	for name, where := range places(t) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			const processes, each, budget = 3, 20, 45
			var out, most, calls atomic.Int64
			srv := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
				calls.Add(1)
				if n := out.Add(1); n > most.Load() {
					most.Store(n)
				}
				out.Add(-1)
			}))
			t.Cleanup(srv.Close)
			var said [processes]strings.Builder
			var all []*exec.Cmd
			for i := range processes {
				all = append(all, start(t, &said[i], where, srv.URL, each, budget))
			}
			done, parked := 0, 0
			for i, c := range all {
				if err := c.Wait(); err != nil {
					t.Fatal(err)
				}
				var d, p int
				if _, err := fmt.Sscan(said[i].String(), &d, &p); err != nil {
					t.Fatal(err)
				}
				done, parked = done+d, parked+p
			}
			if done != budget || parked != processes*each-budget || calls.Load() != budget || most.Load() > inChild {
				t.Errorf("%d done, %d parked, %d calls, %d at once", done, parked, calls.Load(), most.Load())
			}
		})
	}
}

// TestKilled: a process that dies in mid-call keeps its places for as long as
// its lease lasts, and not for ever.
func TestKilled(t *testing.T) {
	t.Parallel()
	for name, where := range places(t) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			arrived, ends := make(chan struct{}, 10), make(chan struct{})
			srv := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
				arrived <- struct{}{}
				select {
				case <-ends:
				case <-r.Context().Done():
				}
			}))
			t.Cleanup(srv.Close)
			store := open(t, where)
			var none, said strings.Builder
			first := start(t, &none, where, srv.URL, inChild, 0)
			for range inChild {
				<-arrived
			}
			if err := first.Process.Kill(); err != nil {
				t.Fatal(err)
			}
			_ = first.Wait() // killed
			if n := inFlight(t, store); n != inChild {
				t.Fatalf("%d places are taken, want those %d of the dead", n, inChild)
			}
			second := start(t, &said, where, srv.URL, 1, 0)
			<-arrived
			// The dead one's leases have ended, or there would be three.
			if n := inFlight(t, store); n > inChild {
				t.Errorf("%d places are taken of %d", n, inChild)
			}
			close(ends)
			if err := second.Wait(); err != nil || strings.TrimSpace(said.String()) != "1 0" {
				t.Errorf("%v: %s", err, said.String())
			}
		})
	}
}

func inFlight(t *testing.T, s vendorapi.Store) int {
	t.Helper()
	list, err := vendorapi.Accounts(t.Context(), s)
	if err != nil {
		t.Fatal(err)
	}
	for _, a := range list {
		if a.Name == t.Name() {
			return a.InFlight
		}
	}
	return 0
}
