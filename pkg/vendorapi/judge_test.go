package vendorapi_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"

	"habeas.dev/pkg/vendorapi"
	"habeas.dev/pkg/worker"
)

// TestNeverFinal: whatever a vendor's table says, an answer with 5xx, one in
// another form than the vendor's, and one whose code isn't known call for no
// person.
func TestNeverFinal(t *testing.T) {
	t.Parallel()
	cl, _ := client(t, nil, func(c *vendorapi.Config) {
		c.Codes = vendorapi.Codes{"NO": vendorapi.Final("refused", "the vendor refuses it")}
	})
	permanent := func(err error) bool {
		var e *worker.Error
		return errors.As(err, &e) && e.Permanent()
	}
	rapid.Check(t, func(t *rapid.T) {
		r := vendorapi.Reply{
			Status: rapid.SampledFrom([]int{200, 204, 207, 301, 302, 400, 401, 403, 404, 407, 409, 412, 429, 500, 502, 503, 504, 522}).Draw(t, "status"),
			Own:    rapid.Bool().Draw(t, "own"), Code: rapid.SampledFrom([]string{"", "NO", "NEW_CODE"}).Draw(t, "code"),
		}
		err := cl.Judge(r)
		if known := r.Own && r.Code == "NO" && r.Status < 500; permanent(err) != known {
			t.Fatalf("%+v: %v", r, err)
		}
		if good := r.Own && r.Code == "" && r.Status < 300; (err == nil) != good {
			t.Fatalf("%+v: %v", r, err)
		}
	})
}

// TestRefusalByAProxy: a 401 of something else than the vendor renews the token,
// and ends in no error that calls a person.
func TestRefusalByAProxy(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var i issuer
		cl, calls := client(t, func(n int, _ *http.Request) (*http.Response, error) {
			if n < 4 {
				return answer(http.StatusUnauthorized, "log in here", "Via", "proxy"), nil
			}
			return answer(http.StatusOK, ""), nil
		}, func(c *vendorapi.Config) { c.Token = i.token })
		if err := cl.Do(t.Context(), get); err != nil {
			t.Error(err)
		}
		calls.n.Store(0)
		if err := cl.Do(t.Context(), post); !vendorapi.IsUnsure(err) || calls.n.Load() != 1 {
			t.Errorf("%v after %d calls", err, calls.n.Load())
		}
	})
}

// TestUnknownCodesAreNoOutage: a vendor whose words aren't known is well.
func TestUnknownCodesAreNoOutage(t *testing.T) {
	t.Parallel()
	cl, calls := client(t, func(int, *http.Request) (*http.Response, error) { return answer(http.StatusTeapot, ""), nil })
	for range 30 {
		if err := cl.Do(t.Context(), post); !vendorapi.IsUnsure(err) {
			t.Fatal(err)
		}
	}
	if calls.n.Load() != 30 {
		t.Errorf("%d calls", calls.n.Load())
	}
}

// TestUnaccounted: a call that doesn't say what its answer must account for isn't
// made.
func TestUnaccounted(t *testing.T) {
	t.Parallel()
	cl, calls := client(t, func(int, *http.Request) (*http.Response, error) { return answer(http.StatusOK, ""), nil })
	steers(t, cl.Do(t.Context(), vendorapi.Call{Name: "things", Method: http.MethodGet, Path: "http://vendor/x"}), "unaccounted", true, 0)
	if calls.n.Load() != 0 {
		t.Error("it was made")
	}
}

// TestParts: an answer counts only with exactly one part for each question.
func TestParts(t *testing.T) {
	t.Parallel()
	asked := []string{"a", "b", "c"}
	for parts, whole := range map[string]bool{
		"a b c": true, "c a b": true, "a b": false, "": false, "a b b": false, "a b c c": false, "a b d": false, "a b c d": false,
	} {
		for _, ordered := range []bool{false, true} {
			cl, _ := client(t, func(int, *http.Request) (*http.Response, error) { return answer(http.StatusOK, parts), nil })
			call := post
			call.Expect = vendorapi.Parts(asked, func(a *vendorapi.Answer, tally *vendorapi.Tally) error {
				for _, part := range strings.Fields(string(a.Body)) {
					if !ordered {
						tally.Part(part)
					} else if i, ok := tally.Next(); ok && i >= len(asked) {
						t.Errorf("part %d of %d", i, len(asked))
					}
				}
				return nil
			})
			err := cl.Do(t.Context(), call)
			if want := whole || ordered && len(strings.Fields(parts)) == len(asked); (err == nil) != want || err != nil && !vendorapi.IsUnsure(err) {
				t.Errorf("%q, in order %t: %v", parts, ordered, err)
			}
		}
	}
}

// TestUnansweredAreNamed: who could be answered is, and the others are known.
func TestUnansweredAreNamed(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		cl, calls := client(t, func(int, *http.Request) (*http.Response, error) { return answer(http.StatusOK, ""), nil })
		call := get
		call.Expect = vendorapi.Parts([]string{"a@x", "b@x", "c@x"}, func(_ *vendorapi.Answer, tally *vendorapi.Tally) error {
			tally.Found("a@x", "c@x") // one record of two addresses, which may come twice
			tally.Found("a@x", "c@x")
			return nil
		})
		err := cl.Do(t.Context(), call)
		var left *vendorapi.Unanswered
		if !errors.As(err, &left) || !slices.Equal(left.Keys, []string{"b@x"}) || calls.n.Load() != vendorapi.DefaultTries {
			t.Errorf("%v after %d calls: %+v", err, calls.n.Load(), left)
		}
		if strings.Contains(err.Error(), "b@x") {
			t.Error(err)
		}
	})
}

// pages returns a vendor's list of numbered rows, three to a page, that can go
// wrong.
func pages(t *testing.T, total int64, change func(n int, p *vendorapi.Page)) (rows []string, err error) {
	t.Helper()
	cl, _ := client(t, func(int, *http.Request) (*http.Response, error) { return answer(http.StatusOK, ""), nil })
	list := vendorapi.NewList()
	for n := 0; ; n++ {
		call := post // so that it is made once
		call.Expect = vendorapi.PageOf(list, func(*vendorapi.Answer) (vendorapi.Page, error) {
			p := vendorapi.Page{Listed: true, Next: fmt.Sprint("page", n+1), Total: total}
			for i := 3 * n; i < 3*n+3; i++ {
				p.Rows = append(p.Rows, fmt.Append(nil, "row", i))
			}
			if n == 3 {
				p.Next, p.Last = "", true
			}
			change(n, &p)
			return p, nil
		})
		if err := cl.Do(t.Context(), call); err != nil {
			return rows, err
		}
		for _, row := range list.Rows() {
			rows = append(rows, string(row))
		}
		if list.Next() == "" {
			return rows, nil
		}
	}
}

// TestPages: a list counts only where its end is the vendor's own, no page or row
// comes twice, and there are as many rows as were counted.
func TestPages(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(n int, p *vendorapi.Page){
		"no end is told":         func(n int, p *vendorapi.Page) { p.Last = false },
		"no next one is named":   func(n int, p *vendorapi.Page) { p.Next = "" },
		"both":                   func(n int, p *vendorapi.Page) { p.Last = true },
		"there is no list":       func(n int, p *vendorapi.Page) { p.Listed = n != 2 },
		"a row is missing":       func(n int, p *vendorapi.Page) { p.Rows = p.Rows[min(1, n):] },
		"half of a page":         func(n int, p *vendorapi.Page) { p.Rows = p.Rows[:len(p.Rows)-n/3] },
		"it ends too early":      func(n int, p *vendorapi.Page) { p.Next, p.Last = p.Next[:5*(1-n%2)], n == 1 },
		"a row is doubled":       func(n int, p *vendorapi.Page) { p.Rows[2] = p.Rows[0] },
		"a page is doubled":      func(n int, p *vendorapi.Page) { p.Rows[0] = fmt.Append(nil, "row", max(3*n-3, 0)) },
		"it is its own next one": func(n int, p *vendorapi.Page) { p.Next = map[bool]string{true: "page1"}[n < 3] },
	} {
		if rows, err := pages(t, 12, change); err == nil {
			t.Errorf("%s, and %d rows count", name, len(rows))
		} else if e := (*worker.Error)(nil); errors.As(err, &e) && e.Permanent() {
			t.Errorf("%s: %v", name, err)
		}
	}
	for _, total := range []int64{12, -1} {
		if rows, err := pages(t, total, func(int, *vendorapi.Page) {}); err != nil || len(rows) != 12 {
			t.Errorf("%d rows: %v", len(rows), err)
		}
	}
}

// TestFurtherPageIsNeverRefused: what may have expired is asked for anew, from the
// beginning.
func TestFurtherPageIsNeverRefused(t *testing.T) {
	t.Parallel()
	var i issuer
	cl, _ := client(t, func(n int, r *http.Request) (*http.Response, error) {
		switch {
		case n == 2:
			return answer(http.StatusUnauthorized, ""), nil // and a token later:
		case n > 2:
			return answer(http.StatusForbidden, ""), nil
		}
		return answer(http.StatusOK, ""), nil
	}, func(c *vendorapi.Config) { c.Token = i.token })
	list := vendorapi.NewList()
	call := get
	call.Expect = vendorapi.PageOf(list, func(*vendorapi.Answer) (vendorapi.Page, error) {
		return vendorapi.Page{Listed: true, Next: "more", Total: -1}, nil
	})
	if err := cl.Do(t.Context(), call); err != nil {
		t.Fatal(err)
	}
	steers(t, cl.Do(t.Context(), call), "page-refused", false, 0)
	steers(t, cl.Do(t.Context(), get), "no-permission", true, 0)
}

// TestTokenAtItsEnd: a vendor that gives the same token until its end is waited
// for.
func TestTokenAtItsEnd(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		left   time.Duration
		parked time.Duration
	}{
		"a moment": {left: 3 * time.Second}, "none": {}, "longer than is waited here": {left: 20 * time.Second, parked: 21 * time.Second},
	} {
		synctest.Test(t, func(t *testing.T) {
			ends := time.Now().Add(c.left)
			cl, _ := client(t, func(_ int, r *http.Request) (*http.Response, error) {
				if bearer(r) == "old" {
					return answer(http.StatusUnauthorized, ""), nil
				}
				return answer(http.StatusOK, ""), nil
			}, func(cfg *vendorapi.Config) {
				cfg.Token = func(context.Context) (vendorapi.Token, error) {
					if time.Now().After(ends) {
						return vendorapi.Token{Value: "new", Until: time.Now().Add(time.Hour)}, nil
					}
					return vendorapi.Token{Value: "old", Until: ends}, nil
				}
			})
			err := cl.Do(t.Context(), post)
			if c.parked > 0 {
				steers(t, err, "token-ending", false, c.parked)
			} else if err != nil {
				t.Errorf("%s: %v", name, err)
			}
		})
	}
}

// TestHalve: each is asked for, and only who stands in the way isn't answered.
func TestHalve(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(0, 60).Draw(t, "n")
		bad := rapid.SliceOfNDistinct(rapid.IntRange(0, 59), 0, 3, rapid.ID[int]).Draw(t, "bad")
		items := make([]int, n)
		for i := range items {
			items[i] = i
		}
		answered, refused := map[int]bool{}, map[int]bool{}
		failed := func(some []int, _ error) {
			for _, i := range some {
				refused[i] = true
			}
		}
		err := vendorapi.Halve(items, func(some []int) error {
			if slices.ContainsFunc(some, func(i int) bool { return slices.Contains(bad, i) }) {
				return worker.Permanent("bad-value", "one of them isn't taken", nil)
			}
			for _, i := range some {
				if answered[i] {
					t.Fatalf("%d was answered twice", i)
				}
				answered[i] = true
			}
			return nil
		}, func(err error) bool { return vendorapi.MayBeOne(err, "bad-value") }, failed)
		if err != nil {
			failed(items, err)
		}
		for i := range items {
			if refused[i] != slices.Contains(bad, i) || answered[i] == refused[i] {
				t.Fatalf("%d of %d: answered %t, refused %t; %v stand in the way", i, n, answered[i], refused[i], bad)
			}
		}
	})
}

// TestAuthorize: a token is refused for good in OAuth's own words only.
func TestAuthorize(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		status int
		body   string
		code   string
		final  bool
	}{
		{200, `{"access_token":"t","expires_in":60,"instance_url":"https://eu1"}`, "", false},
		{200, `{"access_token":"t"}x`, "unavailable", false},
		{200, `<html>log in</html>`, "unavailable", false},
		{400, `{"error":"invalid_grant","error_description":"camille"}`, "credentials", true},
		{401, `{"error":"invalid_client"}`, "credentials", true},
		{503, `{"error":"invalid_client"}`, "unavailable", false},
		{400, `{"error":"unknown_error"}`, "unavailable", false},
		{403, `<html>no</html>`, "unavailable", false},
		{302, ``, "unavailable", false},
	} {
		synctest.Test(t, func(t *testing.T) {
			var cl *vendorapi.Client
			var g vendorapi.OAuthToken
			cl, _ = client(t, func(_ int, r *http.Request) (*http.Response, error) {
				if strings.HasSuffix(r.URL.Path, "/token") {
					return answer(c.status, c.body), nil
				}
				return answer(http.StatusOK, ""), nil
			}, func(cfg *vendorapi.Config) {
				cfg.Token = func(ctx context.Context) (vendorapi.Token, error) {
					var err error
					g, err = cl.Authorize(ctx, "http://vendor/token", nil)
					return vendorapi.Token{Value: g.Token, Until: g.Until}, err
				}
			})
			err := cl.Do(t.Context(), get)
			if c.code == "" {
				if err != nil || g.Token != "t" || g.Instance != "https://eu1" || time.Until(g.Until) != time.Minute {
					t.Errorf("%+v (%v)", g, err)
				}
				return
			}
			steers(t, err, c.code, c.final, 0)
			if strings.Contains(fmt.Sprintf("%v %+v", err, errors.Unwrap(err)), "camille") {
				t.Error(err)
			}
		})
	}
}
