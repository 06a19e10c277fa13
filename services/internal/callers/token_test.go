package callers_test

import (
	"context"
	"encoding/base64"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"

	"habeas.dev/services/internal/callers"
	"habeas.dev/services/internal/config"
	"habeas.dev/services/internal/journal/memjournal"
)

// clock is a time that can be moved.
type clock struct{ at time.Time }

func (c *clock) now() time.Time { return c.at }

func withTokens(t *testing.T) (*callers.Callers, callers.Notes, *clock) {
	t.Helper()
	notes, c := memjournal.New(memjournal.Config{}), &clock{now}
	all, err := callers.New(t.Context(), callers.Config{Callers: map[string]config.Caller{"signup-page": {}, "support-desk": {}}, Tokens: notes, Now: c.now, Log: slog.New(slog.DiscardHandler)})
	must(t, err)
	return all, notes, c
}

// TestTokens: a token is its caller's until it ends or is revoked, and its secret is
// kept nowhere.
func TestTokens(t *testing.T) {
	t.Parallel()
	all, notes, c := withTokens(t)
	first, made, err := callers.CreateToken(t.Context(), notes, "signup-page", "lea", c.at, c.at.Add(time.Hour))
	must(t, err)
	c.at = c.at.Add(2 * time.Second) // what was read before may be a second old
	second, other, err := callers.CreateToken(t.Context(), notes, "support-desk", "lea", c.at, c.at.Add(24*time.Hour))
	must(t, err)
	for token, want := range map[string]string{first: "signup-page", second: "support-desk"} {
		if got, err := ask(all, token); err != nil || got.Name != want {
			t.Errorf("%q %v, want %s", got.Name, err, want)
		}
	}
	kept, _, err := notes.Note(t.Context(), "callers/tokens")
	must(t, err)
	if secret := first[strings.LastIndexByte(first, '_')+1:]; strings.Contains(string(kept), secret) || strings.Contains(string(kept), base64.StdEncoding.EncodeToString([]byte(secret))) {
		t.Error("the journal has the secret")
	}
	c.at = c.at.Add(time.Hour)
	if _, err := ask(all, first); !errors.Is(err, callers.ErrUnknown) {
		t.Errorf("after its end: %v", err)
	}
	_, err = callers.RevokeToken(t.Context(), notes, other.ID, c.at)
	must(t, err)
	c.at = c.at.Add(5 * time.Second)
	if _, err := ask(all, second); !errors.Is(err, callers.ErrUnknown) {
		t.Errorf("after it was revoked: %v", err)
	}
	if _, err := callers.RevokeToken(t.Context(), notes, "nobody's", c.at); !errors.Is(err, callers.ErrNoToken) {
		t.Errorf("%v", err)
	}
	listed, err := callers.ListTokens(t.Context(), notes)
	if err != nil || len(listed) != 2 || listed[0].ID != made.ID || !listed[0].Revoked.IsZero() || listed[1].Revoked.IsZero() {
		t.Errorf("%+v %v", listed, err)
	}
}

// TestForgedTokens: nothing but the token itself opens the door.
func TestForgedTokens(t *testing.T) {
	t.Parallel()
	all, notes, c := withTokens(t)
	token, _, err := callers.CreateToken(t.Context(), notes, "signup-page", "lea", c.at, c.at.Add(time.Hour))
	must(t, err)
	other, _, err := callers.CreateToken(t.Context(), notes, "support-desk", "lea", c.at, c.at.Add(time.Hour))
	must(t, err)
	cut := strings.LastIndexByte(token, '_') + 1
	rapid.Check(t, func(t *rapid.T) {
		forged := rapid.OneOf(
			rapid.Just(token[:cut]+other[strings.LastIndexByte(other, '_')+1:]),
			rapid.Map(rapid.StringMatching(`[a-z2-7]{52}`), func(s string) string { return token[:cut] + s }),
			rapid.Map(rapid.IntRange(0, len(token)-1), func(n int) string { return token[:n] }),
			rapid.Map(rapid.StringMatching(`[a-z0-9_]{0,80}`), func(s string) string { return "habeas_" + s }),
			rapid.Map(rapid.String(), func(s string) string { return token + "x" + s }),
		).Draw(t, "token")
		if got, err := ask(all, forged); !errors.Is(err, callers.ErrUnknown) {
			t.Fatalf("%q opens the door as %q: %v", forged, got.Name, err)
		}
	})
	if len(token) < 60 {
		t.Errorf("a token of %d characters", len(token))
	}
}

// TestMany: ended tokens make room, and others never do.
func TestMany(t *testing.T) {
	t.Parallel()
	_, notes, c := withTokens(t)
	for i := range callers.MaxTokens {
		life := time.Hour
		if i == 0 {
			life = time.Minute
		}
		_, _, err := callers.CreateToken(t.Context(), notes, "signup-page", "lea", c.at, c.at.Add(life))
		must(t, err)
	}
	if _, _, err := callers.CreateToken(t.Context(), notes, "signup-page", "lea", c.at, c.at.Add(time.Hour)); !errors.Is(err, callers.ErrManyTokens) {
		t.Errorf("one more: %v", err)
	}
	c.at = c.at.Add(2 * time.Minute)
	_, _, err := callers.CreateToken(t.Context(), notes, "signup-page", "lea", c.at, c.at.Add(time.Hour))
	must(t, err)
	if all, err := callers.ListTokens(t.Context(), notes); err != nil || len(all) != callers.MaxTokens {
		t.Errorf("%d %v", len(all), err)
	}
}

// TestLimits: a caller's rate is its own, and an address that fails to sign in again
// and again isn't looked at for a while.
func TestLimits(t *testing.T) {
	t.Parallel()
	c := &clock{now}
	l := callers.NewLimits(nil, c.now)
	page, desk := callers.Caller{Name: "signup-page", Caller: config.Caller{PerMinute: 60}}, callers.Caller{Name: "support-desk"}
	taken := 0
	for range 100 {
		if l.Call(page) {
			taken++
		}
	}
	if taken != 10 || !l.Call(desk) {
		t.Errorf("%d calls at once of 60 a minute", taken)
	}
	if c.at = c.at.Add(time.Second); !l.Call(page) {
		t.Error("a second later it still may not")
	}
	bad, neighbour, away := netip.MustParseAddr("2001:db8::1"), netip.MustParseAddr("2001:db8::2"), netip.MustParseAddr("2001:db8:0:1::1")
	for range 30 {
		l.Failed(bad)
	}
	if !l.Failing(bad) || !l.Failing(neighbour) || l.Failing(away) {
		t.Error("it isn't the customer that is refused")
	}
	if c.at = c.at.Add(2 * time.Second); l.Failing(bad) {
		t.Error("it is never looked at again")
	}
}

// TestOrigin: what a proxy says is believed where it is one of ours, and of nobody else.
func TestOrigin(t *testing.T) {
	t.Parallel()
	l := callers.NewLimits([]netip.Prefix{netip.MustParsePrefix("10.1.0.0/16")}, time.Now)
	for _, c := range []struct{ from, says, want string }{
		{"192.0.2.1:5", "", "192.0.2.1"},
		{"192.0.2.1:5", "198.51.100.7", "192.0.2.1"},
		{"10.1.0.9:5", "198.51.100.7", "198.51.100.7"},
		{"10.1.0.9:5", "203.0.113.1, 198.51.100.7, 10.1.0.8", "198.51.100.7"},
		{"10.1.0.9:5", "nonsense", "10.1.0.9"},
		{"10.1.0.9:5", "", "10.1.0.9"},
		{"[2001:db8::1]:5", "", "2001:db8::1"},
	} {
		r := httptest.NewRequest(http.MethodGet, "/", nil)
		r.RemoteAddr = c.from
		r.Header.Set("X-Forwarded-For", c.says)
		if got := l.Origin(r).String(); got != c.want {
			t.Errorf("%s says %q: %s, want %s", c.from, c.says, got, c.want)
		}
	}
}

// hangs is a journal that doesn't answer.
type hangs struct{ callers.Notes }

// Note waits until nobody does.
func (hangs) Note(ctx context.Context, _ string) ([]byte, int64, error) {
	<-ctx.Done()
	return nil, 0, ctx.Err()
}

// TestTokensOfAJournalThatHangs: a call learns within seconds that nobody can be known,
// however many wait before it.
func TestTokensOfAJournalThatHangs(t *testing.T) {
	t.Parallel()
	_, notes, _ := withTokens(t)
	token, _, err := callers.CreateToken(t.Context(), notes, "signup-page", "lea", now, now.Add(time.Hour))
	must(t, err)
	synctest.Test(t, func(t *testing.T) {
		all, err := callers.New(t.Context(), callers.Config{Callers: map[string]config.Caller{"signup-page": {}}, Tokens: hangs{}, Now: time.Now, Log: slog.New(slog.DiscardHandler)})
		must(t, err)
		began := time.Now()
		const many = 20
		results := make(chan error, many)
		for range many {
			go func() {
				_, err := ask(all, token)
				results <- err
			}()
		}
		for range many {
			if err := <-results; !errors.Is(err, context.DeadlineExceeded) || errors.Is(err, callers.ErrUnknown) {
				t.Errorf("a journal that hangs: %v", err)
			}
		}
		if took := time.Since(began); took > 5*time.Second {
			t.Errorf("the last one waited %s", took)
		}
	})
}
