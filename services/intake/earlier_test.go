package intake_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"habeas.dev/pkg/dsar"
	"habeas.dev/pkg/vault"
	"habeas.dev/services/intake"
	"habeas.dev/services/internal/callers"
	"habeas.dev/services/internal/config"
	"habeas.dev/services/internal/core"
	"habeas.dev/services/internal/journal"
	"habeas.dev/services/internal/lifecycle"
)

// TestHoldLongAgo: an erasure finds the hold in a request that many others of the
// same person came after; and a person's latest requests are counted, no more.
func TestHoldLongAgo(t *testing.T) {
	t.Parallel()
	w := newFixture(t)
	w.Intake.Finder, w.PerPerson = w.journal, 1000
	ask := func(n int, right dsar.Right) core.Accepted {
		t.Helper()
		id := fmt.Sprintf("0192f0c1-0000-7000-8000-%012d", n)
		_, err := w.Submit(context.Background(), text(t, request(with("request_id", id), with("right", right))))
		must(t, err)
		return w.accepted(id)
	}
	held := ask(0, dsar.Erasure)
	if _, err := lifecycle.New(w.journal).Do(t.Context(), held.RequestID, core.Hold{By: "lea", Reason: "a lawsuit", Now: now}); err != nil {
		t.Fatal(err)
	}
	const between = 120
	for n := range between {
		if a, want := ask(1+n, dsar.Access), min(1+n, core.MaxEarlierRequests); a.EarlierRequests != want {
			t.Fatalf("after %d others: %d earlier", 1+n, a.EarlierRequests)
		}
	}
	again := ask(1+between, dsar.Erasure)
	state, err := lifecycle.New(w.journal).State(t.Context(), again.RequestID)
	if err != nil || len(state.Holds) != 1 || again.EarlierRequests != core.MaxEarlierRequests || again.DuplicateOf != held.RequestID {
		t.Errorf("%v: holds %v, %d earlier, same as %q", err, state.Holds, again.EarlierRequests, again.DuplicateOf)
	}
}

// TestHouseholdsAreCountedApart: what a household shares makes no request another person's: it is
// none of their earlier ones, nor the same, and none of its holds is put on theirs; who can say
// more looks first.
func TestHouseholdsAreCountedApart(t *testing.T) {
	t.Parallel()
	w := newFixture(t)
	w.Intake.Finder, w.Intake.LooksBack = w.journal, true
	n := 0
	ask := func(ids ...any) core.Accepted {
		t.Helper()
		n++
		id := fmt.Sprintf("0192f0c1-0000-7000-8000-%012d", n)
		_, err := w.Submit(context.Background(), text(t, request(with("request_id", id), with("right", dsar.Erasure), with("identifiers", ids))))
		must(t, err)
		return w.accepted(id)
	}
	sure := func(typ, value string) map[string]any {
		return map[string]any{"type": typ, "value": value, "verified": true}
	}
	phone := sure("phone", "+33 6 12 34 56 78")
	anns := ask(phone, sure("account_id", "5"))
	if _, err := lifecycle.New(w.journal).Do(t.Context(), anns.RequestID, core.Hold{By: "lea", Reason: "a lawsuit", Now: now}); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		ids  []any
		same bool
	}{"another account": {[]any{phone, sure("account_id", "6")}, false}, "the telephone alone": {[]any{phone}, false}, "her account": {[]any{sure("account_id", "5")}, true}} {
		a := ask(c.ids...)
		s, err := lifecycle.New(w.journal).State(t.Context(), a.RequestID)
		must(t, err)
		hers := a.DuplicateOf == anns.RequestID && len(s.Holds) == 1 && slices.Contains(s.Erasures, anns.RequestID)
		none := a.DuplicateOf != anns.RequestID && len(s.Holds) == 0 && !slices.Contains(s.Erasures, anns.RequestID)
		if c.same && !hers || !c.same && (!none || !a.LooksFirst || s.Stage != "") {
			t.Errorf("%s: %+v; holds %v, erasures %v, stage %q", name, a, s.Holds, s.Erasures, s.Stage)
		}
	}
}

// TestOften: of one person a day's worth is taken in and no more, by whatever
// identifier, until the day is over; another person's requests are.
func TestOften(t *testing.T) {
	t.Parallel()
	w := newFixture(t)
	w.Intake.Finder, w.PerPerson = w.journal, 5
	at := now
	w.Now = func() time.Time { return at }
	n := 0
	ask := func(ids ...any) error {
		n++
		_, err := w.Submit(context.Background(), text(t, request(with("request_id", fmt.Sprintf("0192f0c1-0000-7000-8000-%012d", n)), with("received_at", "2024-01-01T00:00:00Z"), with("identifiers", ids))))
		return err
	}
	mail, phone := identifier("email", address), identifier("phone", "+33 6 12 34 56 78")
	for range 5 {
		must(t, ask(mail, phone))
	}
	for _, ids := range [][]any{{mail}, {phone}, {identifier("email", "other@example.com"), phone}} {
		if err := ask(ids...); !errors.Is(err, intake.ErrOften) {
			t.Errorf("%v: %v", ids, err)
		}
	}
	must(t, ask(identifier("email", "other@example.com")))
	at = at.Add(24*time.Hour + time.Second)
	must(t, ask(mail))
	if code := w.do("POST", "/v1/requests", "/v1/requests", text(t, request(with("request_id", requestID), with("identifiers", []any{mail})))).Code; code != 202 {
		t.Errorf("the second of the next day: %d", code)
	}
}

// TestClaimsBlockNobody: whatever anybody claims of a person, by whichever caller, they ask
// by what is sure to be theirs as often as they may; and claims are bounded, too, by caller.
func TestClaimsBlockNobody(t *testing.T) {
	t.Parallel()
	const most = 5
	mail, phone, strangers := "anna@example.com", "+33 6 12 34 56 78", "stranger@example.com"
	sure := func(typ, value string) map[string]any {
		return map[string]any{"type": typ, "value": value, "verified": true}
	}
	floods := map[string]func(n int) (caller string, ids []any){
		"a stranger claims the address": func(int) (string, []any) { return "unbelieved", []any{identifier("email", mail)} },
		"for others, at the portal":     func(int) (string, []any) { return "portal", []any{identifier("email", mail)} },
		"claims beside the strangers' own addresses": func(n int) (string, []any) {
			return "portal", []any{sure("email", fmt.Sprintf("%d.%s", n/most, strangers)), identifier("phone", phone), identifier("email", mail)}
		},
	}
	for name, flood := range floods {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newFixture(t)
			w.Intake.Finder, w.PerPerson = w.journal, most
			who := map[string]callers.Caller{
				"portal": {Name: "portal", Caller: config.Caller{Believed: true, Proves: true}}, "believed": {Name: "believed", Caller: config.Caller{Believed: true}}, "unbelieved": {Name: "unbelieved"},
			}
			n := 0
			ask := func(caller string, ids ...any) error {
				n++
				_, err := w.Intake.Submit(context.Background(), who[caller], text(t, request(with("request_id", fmt.Sprintf("0192f0c1-0000-7000-8000-%012d", n)), with("source", caller), with("identifiers", ids))))
				return err
			}
			for i := range 2 * most {
				caller, ids := flood(i)
				if err := ask(caller, ids...); err != nil && !errors.Is(err, intake.ErrOften) {
					t.Fatal(err)
				}
			}
			for i := range most {
				if err := ask([]string{"portal", "believed"}[i%2], sure("email", mail), identifier("phone", phone)); err != nil {
					t.Fatalf("the person's %dth request: %v", i+1, err)
				}
			}
			if err := ask("believed", sure("email", mail)); !errors.Is(err, intake.ErrOften) {
				t.Errorf("one more: %v", err)
			}
			must(t, ask("believed", sure("phone", phone)))
		})
	}
	w := newFixture(t)
	w.Intake.Finder, w.PerPerson = w.journal, most
	claim := func(n int, caller string) error {
		_, err := w.Intake.Submit(context.Background(), callers.Caller{Name: caller}, text(t, request(with("request_id", fmt.Sprintf("0192f0c1-0000-7000-8000-%012d", n)), with("source", caller), with("identifiers", []any{identifier("email", mail)}))))
		return err
	}
	for n := range most {
		must(t, claim(n, "one"))
	}
	if err := claim(most, "one"); !errors.Is(err, intake.ErrOften) {
		t.Errorf("a claim more: %v", err)
	}
	must(t, claim(most+1, "other"))
}

// full is a journal that finds every request too large.
type full struct{ intake.Requests }

// Do implements intake.Requests.
func (full) Do(context.Context, string, core.Command) (core.State, error) {
	return core.State{}, journal.ErrInvalid
}

// meanwhile is a journal that finds a request too large, of which another content is taken in
// while its keys are destroyed: the first look doesn't know it, the second does.
type meanwhile struct {
	intake.Requests
	looks int
	fails error // of the second look after that
}

// Do implements intake.Requests.
func (*meanwhile) Do(context.Context, string, core.Command) (core.State, error) {
	return core.State{}, journal.ErrInvalid
}

// State implements intake.Requests.
func (m *meanwhile) State(context.Context, string) (core.State, error) {
	if m.looks++; m.looks <= 2 { // whether it is a repeat, and before the keys are destroyed
		return core.State{}, nil
	}
	return core.Evolve(core.State{}, core.Accepted{RequestID: "r"}), m.fails
}

// TestTakenInMeanwhile: where another content of a request was taken in while the keys of one that
// is too large were destroyed, or nobody knows, the log names the request.
func TestTakenInMeanwhile(t *testing.T) {
	t.Parallel()
	for fails, want := range map[error]string{nil: "a request was taken in while", journal.ErrUnavailable: "isn't known"} {
		w := newFixture(t)
		w.Requests = &meanwhile{Requests: w.Requests, fails: fails}
		id := "0192f0c1-0000-7000-8000-000000000007"
		if _, err := w.Submit(t.Context(), text(t, request(with("request_id", id)))); !errors.Is(err, intake.ErrTooLarge) {
			t.Fatal(err)
		}
		if log := w.log.String(); !strings.Contains(log, "level=ERROR") || !strings.Contains(log, want) || !strings.Contains(log, id) {
			t.Errorf("%v: the log has %s", fails, log)
		}
	}
}

// TestRefusedLeavesNoKeys: a request that isn't taken in leaves no keys that open anything,
// and one that may be sent again later leaves none at all.
func TestRefusedLeavesNoKeys(t *testing.T) {
	t.Parallel()
	w := newFixture(t)
	w.Intake.Finder, w.PerPerson = w.journal, 1
	ask := func(n int) (string, error) {
		id := fmt.Sprintf("0192f0c1-0000-7000-8000-%012d", n)
		_, err := w.Submit(t.Context(), text(t, request(with("request_id", id))))
		return id, err
	}
	_, err := ask(1)
	must(t, err)
	id, err := ask(2)
	if !errors.Is(err, intake.ErrOften) {
		t.Fatal(err)
	}
	if _, err := w.vault.Keys(t.Context(), id); !errors.Is(err, vault.ErrNoKeys) {
		t.Errorf("one too many: %v", err)
	}
	w.PerPerson, w.Requests = 10, full{w.Requests}
	id, err = ask(3)
	if !errors.Is(err, intake.ErrTooLarge) {
		t.Fatal(err)
	}
	if _, err := w.vault.Keys(t.Context(), id); !errors.Is(err, vault.ErrShredded) {
		t.Errorf("too large: %v", err)
	}
	if log := w.log.String(); strings.Contains(log, "level=ERROR") {
		t.Errorf("nothing else was taken in, and the log has %s", log)
	}
}
