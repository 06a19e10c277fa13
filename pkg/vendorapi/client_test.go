package vendorapi_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"habeas.dev/pkg/vendorapi"
	"habeas.dev/pkg/worker"
)

// wire is a vendor without a network, so that time can be virtual: it answers
// by the number of the call, beginning with 1.
type wire func(n int, r *http.Request) (*http.Response, error)

type counted struct {
	wire wire
	n    atomic.Int64
}

func (c *counted) RoundTrip(r *http.Request) (*http.Response, error) {
	if err := r.Context().Err(); err != nil {
		return nil, err
	}
	return c.wire(int(c.n.Add(1)), r)
}

func answer(status int, body string, header ...string) *http.Response {
	h := http.Header{}
	for i := 0; i+1 < len(header); i += 2 {
		h.Set(header[i], header[i+1])
	}
	return &http.Response{StatusCode: status, Header: h, Body: io.NopCloser(strings.NewReader(body)), ContentLength: int64(len(body))}
}

// parse reads answers of a vendor whose codes are HTTP's.
func parse(a *vendorapi.Answer) vendorapi.Reply {
	r := vendorapi.Reply{Own: a.Header.Get("Via") == ""}
	if a.Status != http.StatusOK {
		r.Code = strconv.Itoa(a.Status)
	}
	return r
}

// codes returns the meanings of the tests' codes: 401 is a stale token, 429 and 503
// do nothing, 403 needs a person.
func codes() vendorapi.Codes {
	return vendorapi.Codes{
		"401": vendorapi.Renewing, "403": vendorapi.Final("no-permission", "the vendor refuses it"),
	}.With(vendorapi.Passing(0, "busy", "the vendor is busy"), "429", "503")
}

func client(t *testing.T, w wire, change ...func(*vendorapi.Config)) (*vendorapi.Client, *counted) {
	t.Helper()
	c := &counted{wire: w}
	cfg := vendorapi.Config{Vendor: "Acme", Parse: parse, Codes: codes(), Access: vendorapi.Access{HTTPClient: &http.Client{Transport: c}}}
	for _, f := range change {
		f(&cfg)
	}
	cl, err := vendorapi.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return cl, c
}

var (
	get  = vendorapi.Call{Method: http.MethodGet, Path: "http://vendor/x", Safe: true, Expect: vendorapi.Nothing()}
	post = vendorapi.Call{Method: http.MethodPost, Path: "http://vendor/x", Body: []byte("b"), Expect: vendorapi.Nothing()}
)

// steers holds what an error tells the SDK to do.
func steers(t *testing.T, err error, code string, permanent bool, after time.Duration) {
	t.Helper()
	var e *worker.Error
	if !errors.As(err, &e) {
		t.Fatalf("%v is no error of package worker", err)
	}
	now := time.Now()
	until, parked := e.Parked(now)
	if e.Code != code || e.Permanent() != permanent || parked != (after > 0) || parked && until.Sub(now) != after {
		t.Errorf("%v: permanent %t, parked %t for %v", e, e.Permanent(), parked, until.Sub(now))
	}
}

func TestTriedAgainInPlace(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		cl, calls := client(t, func(n int, _ *http.Request) (*http.Response, error) {
			if n < 4 {
				return answer(http.StatusServiceUnavailable, ""), nil
			}
			return answer(http.StatusOK, "done"), nil
		})
		var body string
		call := post // the vendor said that it did nothing
		call.Expect = vendorapi.One(func(a *vendorapi.Answer) error { body = string(a.Body); return nil })
		if err := cl.Do(t.Context(), call); err != nil || body != "done" || calls.n.Load() != 4 {
			t.Errorf("%q after %d calls", body, calls.n.Load())
		}
	})
}

// TestTriesEnd: what doesn't pass is left to the SDK, which parks it.
func TestTriesEnd(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		begun := time.Now()
		cl, calls := client(t, func(int, *http.Request) (*http.Response, error) {
			return answer(http.StatusServiceUnavailable, ""), nil
		})
		err := cl.Do(t.Context(), get)
		steers(t, err, "busy", false, 0)
		if calls.n.Load() != vendorapi.DefaultTries {
			t.Errorf("%d calls", calls.n.Load())
		}
		// 200, 400 and 800 ms, each between half and all of it.
		if took := time.Since(begun); took < 700*time.Millisecond || took > 1400*time.Millisecond {
			t.Errorf("it waited %v", took)
		}
	})
}

// TestRetryAfterIsKept: short waits are waited here, long ones by nobody.
func TestRetryAfterIsKept(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		begun := time.Now()
		cl, _ := client(t, func(n int, _ *http.Request) (*http.Response, error) {
			if n == 1 {
				return answer(http.StatusTooManyRequests, "", "Retry-After", "10"), nil
			}
			return answer(http.StatusOK, ""), nil
		})
		if err := cl.Do(t.Context(), get); err != nil || time.Since(begun) != 10*time.Second {
			t.Errorf("%v after %v", err, time.Since(begun))
		}
		begun = time.Now()
		cl, calls := client(t, func(int, *http.Request) (*http.Response, error) {
			return answer(http.StatusTooManyRequests, "", "Retry-After", "3600"), nil
		})
		err := cl.Do(t.Context(), get)
		steers(t, err, "busy", false, time.Hour)
		if calls.n.Load() != 1 || time.Since(begun) != 0 {
			t.Errorf("%d calls in %v", calls.n.Load(), time.Since(begun))
		}
	})
}

// TestUnsafeIsSentOnce: where it isn't known whether the vendor did it, only a
// call that may be repeated is.
func TestUnsafeIsSentOnce(t *testing.T) {
	t.Parallel()
	lost := &net.OpError{Op: "read", Err: errors.New("connection reset")}
	for name, w := range map[string]wire{
		"the vendor breaks off": func(int, *http.Request) (*http.Response, error) {
			return answer(http.StatusInternalServerError, ""), nil
		},
		"the connection is lost": func(int, *http.Request) (*http.Response, error) { return nil, lost },
		"the answer is cut": func(int, *http.Request) (*http.Response, error) {
			return &http.Response{StatusCode: http.StatusOK, Header: http.Header{}, ContentLength: 10, Body: io.NopCloser(io.MultiReader(strings.NewReader("abc"), failing{}))}, nil
		},
		"the answer can't be read": func(int, *http.Request) (*http.Response, error) { return answer(http.StatusOK, "{"), nil },
	} {
		synctest.Test(t, func(t *testing.T) {
			call := post
			call.Expect = vendorapi.One(func(a *vendorapi.Answer) error { return vendorapi.CheckJSON(a.Body) })
			cl, calls := client(t, w)
			if err := cl.Do(t.Context(), call); !vendorapi.IsUnsure(err) || calls.n.Load() != 1 {
				t.Errorf("%s: %v after %d calls", name, err, calls.n.Load())
			}
			call.Safe = true
			cl, calls = client(t, w)
			if err := cl.Do(t.Context(), call); vendorapi.IsUnsure(err) || calls.n.Load() != vendorapi.DefaultTries {
				t.Errorf("%s, and it may be repeated: %v after %d calls", name, err, calls.n.Load())
			}
		})
	}
}

type failing struct{}

func (failing) Read([]byte) (int, error) { return 0, io.ErrUnexpectedEOF }

// TestNeverLeft: a call that found nobody was not carried out, and may be made
// again even where it isn't safe.
func TestNeverLeft(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		cl, calls := client(t, func(int, *http.Request) (*http.Response, error) {
			return nil, &net.OpError{Op: "dial", Err: errors.New("connection refused")}
		})
		err := cl.Do(t.Context(), post)
		steers(t, err, "unreachable", false, 0)
		if calls.n.Load() != vendorapi.DefaultTries {
			t.Errorf("%d calls", calls.n.Load())
		}
	})
}

// issuer gives tokens t1, t2, …, each good for an hour.
type issuer struct{ n atomic.Int64 }

func (i *issuer) token(context.Context) (vendorapi.Token, error) {
	return vendorapi.Token{Value: fmt.Sprint("t", i.n.Add(1)), Until: time.Now().Add(time.Hour)}, nil
}

func bearer(r *http.Request) string {
	return strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer ")
}

// TestOneRefresh: of many callers whose token is refused, one gets a new one for
// all, and each makes its call again once.
func TestOneRefresh(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var i issuer
		cl, calls := client(t, func(_ int, r *http.Request) (*http.Response, error) {
			if bearer(r) == "t1" {
				return answer(http.StatusUnauthorized, ""), nil
			}
			return answer(http.StatusOK, ""), nil
		}, func(c *vendorapi.Config) { c.Token, c.Concurrent = i.token, 50 })
		var all sync.WaitGroup
		for range 50 {
			all.Go(func() {
				if err := cl.Do(t.Context(), post); err != nil {
					t.Error(err)
				}
			})
		}
		all.Wait()
		if i.n.Load() != 2 || calls.n.Load() > 100 {
			t.Errorf("%d tokens, %d calls", i.n.Load(), calls.n.Load())
		}
	})
}

// TestRefusedForGood: a vendor that refuses what it has just issued isn't asked
// for ever.
func TestRefusedForGood(t *testing.T) {
	t.Parallel()
	var i issuer
	cl, calls := client(t, func(int, *http.Request) (*http.Response, error) {
		return answer(http.StatusUnauthorized, "secret words"), nil
	}, func(c *vendorapi.Config) { c.Token = i.token })
	err := cl.Do(t.Context(), get)
	steers(t, err, "token-refused", true, 0)
	if i.n.Load() != 2 || calls.n.Load() != 2 {
		t.Errorf("%d tokens, %d calls", i.n.Load(), calls.n.Load())
	}
}

// TestTokenIsRenewedBeforeItEnds: a call on its way keeps a good one.
func TestTokenIsRenewedBeforeItEnds(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var i issuer
		var used []string
		cl, _ := client(t, func(_ int, r *http.Request) (*http.Response, error) {
			used = append(used, bearer(r))
			return answer(http.StatusOK, ""), nil
		}, func(c *vendorapi.Config) { c.Token = i.token })
		for _, wait := range []time.Duration{0, 59 * time.Minute, 31 * time.Second} {
			time.Sleep(wait) //nolint:forbidigo // in a bubble of synctest
			if err := cl.Do(t.Context(), get); err != nil {
				t.Fatal(err)
			}
		}
		if got := fmt.Sprint(used); got != "[t1 t1 t2]" {
			t.Error(got)
		}
	})
}

// TestBadToken: a token that can't be got ends the call as what it is.
func TestBadToken(t *testing.T) {
	t.Parallel()
	cl, calls := client(t, nil, func(c *vendorapi.Config) {
		c.Token = func(context.Context) (vendorapi.Token, error) {
			return vendorapi.Token{}, worker.Permanent("bad-client", "the client's secret is wrong", nil)
		}
	})
	err := cl.Do(t.Context(), get)
	steers(t, err, "bad-client", true, 0)
	if calls.n.Load() != 0 {
		t.Error("it called without a token")
	}
}

// TestTokenIsTriedAgain: to ask for a token again does no harm, whatever became
// of the first try.
func TestTokenIsTriedAgain(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		tries := 0
		cl, _ := client(t, func(int, *http.Request) (*http.Response, error) { return answer(http.StatusOK, ""), nil }, func(c *vendorapi.Config) {
			c.Token = func(context.Context) (vendorapi.Token, error) {
				if tries++; tries < 3 {
					return vendorapi.Token{}, vendorapi.Unsure("lost", "the connection broke", nil)
				}
				return vendorapi.Token{Value: "t"}, nil
			}
		})
		if err := cl.Do(t.Context(), post); err != nil || tries != 3 {
			t.Errorf("%v after %d tries", err, tries)
		}
	})
}

// TestBase: where calls go is told with the token.
func TestBase(t *testing.T) {
	t.Parallel()
	var at string
	cl, _ := client(t, func(_ int, r *http.Request) (*http.Response, error) {
		body, _ := io.ReadAll(r.Body)
		at = r.URL.String() + " " + string(body) + " " + r.Header.Get("X-Mine")
		return answer(http.StatusOK, ""), nil
	}, func(c *vendorapi.Config) {
		c.Token = func(context.Context) (vendorapi.Token, error) {
			return vendorapi.Token{Value: "secret", Base: "http://eu1.vendor"}, nil
		}
	})
	header := http.Header{"X-Mine": {"1"}}
	err := cl.Do(t.Context(), vendorapi.Call{Method: http.MethodPost, Path: "/soap", Header: header, Expect: vendorapi.Nothing(), Make: func(token string) []byte { return []byte("<" + token + ">") }})
	if err != nil || at != "http://eu1.vendor/soap <secret> 1" {
		t.Errorf("%v: %s", err, at)
	}
	if header.Get("Authorization") != "" {
		t.Error("the token stays in the caller's header")
	}
}

// TestBreaker: a vendor that is down is left alone, and then asked by one.
func TestBreaker(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		down := true
		cl, calls := client(t, func(int, *http.Request) (*http.Response, error) {
			if down {
				return answer(http.StatusInternalServerError, ""), nil
			}
			return answer(http.StatusOK, ""), nil
		})
		for calls.n.Load() < 12 {
			if err := cl.Do(t.Context(), post); !vendorapi.IsUnsure(err) {
				t.Fatal(err)
			}
		}
		for range 5 {
			err := cl.Do(t.Context(), get)
			steers(t, err, "vendor-down", false, 30*time.Second)
		}
		if calls.n.Load() != 12 {
			t.Errorf("it was called %d times", calls.n.Load())
		}
		down = false
		time.Sleep(31 * time.Second) //nolint:forbidigo // in a bubble of synctest
		for range 3 {
			if err := cl.Do(t.Context(), get); err != nil {
				t.Error(err)
			}
		}
	})
}

// TestRefusalsAreNoOutage: a vendor that answers is not down.
func TestRefusalsAreNoOutage(t *testing.T) {
	t.Parallel()
	cl, calls := client(t, func(int, *http.Request) (*http.Response, error) { return answer(http.StatusForbidden, ""), nil })
	for range 30 {
		err := cl.Do(t.Context(), get)
		steers(t, err, "no-permission", true, 0)
	}
	if calls.n.Load() != 30 {
		t.Errorf("%d calls", calls.n.Load())
	}
}

func TestRate(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		begun := time.Now()
		cl, _ := client(t, func(int, *http.Request) (*http.Response, error) { return answer(http.StatusOK, ""), nil },
			func(c *vendorapi.Config) { c.Rate, c.Burst, c.Concurrent = 2, 4, 100 })
		for range 10 {
			if err := cl.Do(t.Context(), get); err != nil {
				t.Fatal(err)
			}
		}
		if took := time.Since(begun); took != 3*time.Second {
			t.Errorf("ten calls took %v, want 3 s: a burst of four, and two a second", took)
		}
		// 30 come at once within 15 s; the rest are parked rather than held.
		var all sync.WaitGroup
		var done, parked atomic.Int64
		for range 60 {
			all.Go(func() {
				err := cl.Do(t.Context(), get)
				if err == nil {
					done.Add(1)
					return
				}
				var e *worker.Error
				if !errors.As(err, &e) || e.Code != "rate-limited" {
					t.Error(err)
				}
				parked.Add(1)
			})
		}
		all.Wait()
		if done.Load() != 30 || parked.Load() != 30 {
			t.Errorf("%d done, %d parked", done.Load(), parked.Load())
		}
	})
}

func TestConcurrent(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var out, most atomic.Int64
		cl, _ := client(t, func(int, *http.Request) (*http.Response, error) {
			if n := out.Add(1); n > most.Load() {
				most.Store(n)
			}
			time.Sleep(time.Second) //nolint:forbidigo // in a bubble of synctest
			out.Add(-1)
			return answer(http.StatusOK, ""), nil
		}, func(c *vendorapi.Config) { c.Concurrent = 3 })
		begun := time.Now()
		var all sync.WaitGroup
		for range 9 {
			all.Go(func() {
				if err := cl.Do(t.Context(), get); err != nil {
					t.Error(err)
				}
			})
		}
		all.Wait()
		if most.Load() != 3 || time.Since(begun) != 3*time.Second {
			t.Errorf("%d at once, %v", most.Load(), time.Since(begun))
		}
	})
}

// TestCancelled: the context's end is told as such, wherever it falls.
func TestCancelled(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		hang := func(_ int, r *http.Request) (*http.Response, error) {
			<-r.Context().Done()
			return nil, r.Context().Err()
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		cl, _ := client(t, hang)
		if err := cl.Do(ctx, post); !errors.Is(err, context.DeadlineExceeded) || vendorapi.IsUnsure(err) {
			t.Errorf("during a call: %v", err)
		}
		// The call's own timeout is the vendor's fault.
		cl, _ = client(t, hang, func(c *vendorapi.Config) { c.Timeout = time.Second })
		if err := cl.Do(t.Context(), post); !vendorapi.IsUnsure(err) {
			t.Errorf("the vendor takes too long: %v", err)
		}
		ctx, cancel = context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		cl, _ = client(t, func(int, *http.Request) (*http.Response, error) {
			return answer(http.StatusTooManyRequests, "", "Retry-After", "10"), nil
		})
		if err := cl.Do(ctx, post); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("between tries: %v", err)
		}
	})
}

// TestAnswerTooLarge: whether it says so or not.
func TestAnswerTooLarge(t *testing.T) {
	t.Parallel()
	for _, says := range []int64{1001, -1} {
		cl, _ := client(t, func(int, *http.Request) (*http.Response, error) {
			a := answer(http.StatusOK, strings.Repeat("x", 1001))
			a.ContentLength = says
			return a, nil
		}, func(c *vendorapi.Config) { c.MaxAnswer = 1000 })
		err := cl.Do(t.Context(), get)
		steers(t, err, "answer-too-large", true, 0)
	}
}

// TestErrorsShowNothing: what stands in the open names neither address nor
// token nor what the vendor said.
func TestErrorsShowNothing(t *testing.T) {
	t.Parallel()
	const canary = "camille"
	for name, w := range map[string]wire{
		"refused": func(int, *http.Request) (*http.Response, error) { return answer(http.StatusForbidden, canary), nil },
		"broken": func(int, *http.Request) (*http.Response, error) {
			return answer(http.StatusInternalServerError, canary), nil
		},
		"busy": func(int, *http.Request) (*http.Response, error) {
			return answer(http.StatusServiceUnavailable, canary), nil
		},
		"unreachable": func(int, *http.Request) (*http.Response, error) {
			return nil, &net.OpError{Op: "dial", Err: errors.New(canary)}
		},
		"lost": func(int, *http.Request) (*http.Response, error) { return nil, errors.New(canary) },
	} {
		synctest.Test(t, func(t *testing.T) {
			cl, _ := client(t, w, func(c *vendorapi.Config) {
				c.Token = func(context.Context) (vendorapi.Token, error) { return vendorapi.Token{Value: canary}, nil }
			})
			for _, safe := range []bool{true, false} {
				err := cl.Do(t.Context(), vendorapi.Call{Method: http.MethodPost, Path: "http://vendor/" + canary, Body: []byte(canary), Safe: safe, Expect: vendorapi.Nothing()})
				if err == nil || strings.Contains(err.Error(), canary) {
					t.Errorf("%s: %v", name, err)
				}
			}
		})
	}
	cl, _ := client(t, nil)
	err := cl.Do(t.Context(), vendorapi.Call{Method: http.MethodGet, Path: "http://%zz" + canary, Expect: vendorapi.Nothing()})
	steers(t, err, "bad-address", true, 0)
	if strings.Contains(err.Error(), canary) {
		t.Error(err)
	}
}

// TestRedirectsAreNotFollowed: a token would go along.
func TestRedirectsAreNotFollowed(t *testing.T) {
	t.Parallel()
	srv := httptest.NewServer(http.RedirectHandler("http://elsewhere.invalid/", http.StatusFound))
	defer srv.Close()
	var got int
	cl, err := vendorapi.New(vendorapi.Config{Vendor: "Acme", Parse: func(a *vendorapi.Answer) vendorapi.Reply { got = a.Status; return vendorapi.Reply{} }})
	if err != nil {
		t.Fatal(err)
	}
	err = cl.Do(t.Context(), vendorapi.Call{Method: http.MethodGet, Path: srv.URL, Expect: vendorapi.Nothing()})
	if !vendorapi.IsUnsure(err) || got != http.StatusFound {
		t.Errorf("%v, %d", err, got)
	}
}

func TestConfigIsNeeded(t *testing.T) {
	t.Parallel()
	for _, c := range []vendorapi.Config{{Vendor: "Acme"}, {Parse: parse}} {
		if _, err := vendorapi.New(c); err == nil {
			t.Errorf("%+v", c)
		}
	}
}

func TestRetryAfterForms(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 20, 9, 30, 0, 0, time.UTC)
	for header, want := range map[string]time.Duration{
		"": 0, "0": 0, "120": 2 * time.Minute, "-5": 0, "soon": 0, "99999999999999999999": 0,
		"Fri, 20 Nov 2026 09:31:00 GMT": time.Minute, "Fri, 20 Nov 2026 09:29:00 GMT": 0,
	} {
		a := &vendorapi.Answer{Header: http.Header{"Retry-After": {header}}}
		if got := a.RetryAfter(now); got != want {
			t.Errorf("%q: %v, want %v", header, got, want)
		}
	}
}

func TestCode(t *testing.T) {
	t.Parallel()
	for code, want := range map[string]string{
		"INVALID_FIELD": "INVALID_FIELD", "606": "606", "": "unknown", "Camille": "unknown", "A B": "unknown", strings.Repeat("A", 61): "unknown",
	} {
		if got := vendorapi.Code(code); got != want {
			t.Errorf("%q: %q, want %q", code, got, want)
		}
	}
}

// TestBreakerCountsHungTokens: a vendor that takes the call for a token and never answers it
// is left alone after three, by calls too, and tried again when its time has come.
func TestBreakerCountsHungTokens(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		asked, hangs := 0, true
		c, n := client(t, func(int, *http.Request) (*http.Response, error) { return answer(http.StatusOK, `{}`), nil }, func(cfg *vendorapi.Config) {
			cfg.Tries = 1
			cfg.Token = func(ctx context.Context) (vendorapi.Token, error) {
				asked++
				if !hangs {
					return vendorapi.Token{Value: "good"}, nil
				}
				ctx, cancel := context.WithTimeout(ctx, time.Minute)
				defer cancel()
				<-ctx.Done()
				return vendorapi.Token{}, vendorapi.Unsure("connection-lost", "it broke", ctx.Err())
			}
		})
		for range 10 {
			if err := c.Do(t.Context(), get); err == nil {
				t.Fatal("a call went without a token")
			}
		}
		if asked != 3 || n.n.Load() != 0 {
			t.Errorf("%d tokens were asked for, %d calls made", asked, n.n.Load())
		}
		hangs = false
		time.Sleep(time.Minute) //nolint:forbidigo // in a bubble of synctest
		if err := c.Do(t.Context(), get); err != nil {
			t.Error(err)
		}
	})
}
