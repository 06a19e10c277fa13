package duplicate_test

import (
	"cmp"
	"errors"
	"testing"
	"time"

	"habeas.dev/pkg/dsar"
	"habeas.dev/pkg/vault"
	"habeas.dev/services/internal/core"
	"habeas.dev/services/internal/duplicate"
	"habeas.dev/services/internal/prints"
)

// at is when requests are received.
var at = time.Date(2026, 3, 1, 9, 0, 0, 0, time.UTC)

// house has requests, and the keys of those.
type house struct {
	*testing.T
	vault *vault.Vault
}

func newHouse(t *testing.T) house {
	t.Helper()
	v, err := vault.InMemory(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = v.Close() })
	return house{t, v}
}

// given is an identifier that a request came with.
type given struct {
	typ       dsar.IdentifierType
	value     string
	assurance dsar.Assurance
}

// request returns an open request of who gives some identifiers, or has it merged.
func (h house) request(id string, who []given, change func(*core.State)) core.State {
	h.Helper()
	keys, err := h.vault.CreateKeys(h.Context(), id)
	if err != nil {
		h.Fatal(err)
	}
	s := core.State{Accepted: core.Accepted{RequestID: id, Right: dsar.Access, Jurisdiction: "EEA", ReceivedAt: at, OwnPrints: true}, Right: dsar.Access, Status: core.StatusGathering}
	for _, g := range who {
		one := dsar.Identifier{Type: g.typ, Assurance: g.assurance}
		if one.Sealed, err = keys.Seal([]byte(g.value), vault.Identifier); err == nil {
			one.Fingerprint, err = keys.Fingerprint(g.typ, g.value)
		}
		if err != nil {
			h.Fatal(err)
		}
		s.Identifiers = append(s.Identifiers, one)
	}
	if change != nil {
		change(&s)
	}
	return s
}

func (h house) check(s core.State, into string, other core.State) error {
	return duplicate.Check(h.Context(), prints.Prints{Vault: h.vault}, s, core.Merge{By: "lea", Into: into, Now: at.Add(2 * time.Hour)}, other)
}

// anna has an address.
var anna = []given{{"email", "anna@example.com", dsar.AssuranceVerified}}

// TestCheck: a request is merged into one for the same, which is open or was answered since;
// whatever else is refused with what is wrong.
func TestCheck(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	completed := func(at time.Time) func(*core.State) {
		return func(s *core.State) { s.Status, s.AnsweredAt = core.StatusCompleted, at }
	}
	one := h.request("one", anna, nil)
	for name, c := range map[string]struct {
		other core.State
		want  error
	}{
		"open":            {h.request("open", anna, nil), nil},
		"answered since":  {h.request("since", anna, completed(at.Add(time.Hour))), nil},
		"answered before": {h.request("before", anna, completed(at.Add(-time.Hour))), duplicate.ErrBefore},
		"nobody's":        {core.State{}, duplicate.ErrUnanswered},
		"cancelled":       {h.request("cancelled", anna, func(s *core.State) { s.Status = core.StatusCancelled }), duplicate.ErrUnanswered},
		"another right":   {h.request("right", anna, func(s *core.State) { s.Right = dsar.Erasure }), duplicate.ErrRight},
		"another refusal": {h.request("refusal", anna, func(s *core.State) { s.Accepted.About = &core.About{RequestID: "third"} }), duplicate.ErrRight},
		"another law":     {h.request("law", anna, func(s *core.State) { s.Accepted.Jurisdiction = "California" }), duplicate.ErrLaw},
		"itself":          {one, core.ErrNotAllowed},
	} {
		if err := h.check(one, cmp.Or(c.other.Accepted.RequestID, "nobody"), c.other); !errors.Is(err, c.want) {
			t.Errorf("%s: %v, want %v", name, err, c.want)
		}
	}
}

// TestDetailsAreTheSame: a request isn't answered by one that has other corrections.
func TestDetailsAreTheSame(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	of := func(id, details string) core.State {
		return h.request(id, anna, func(s *core.State) {
			if details == "" {
				return
			}
			keys, err := h.vault.Keys(t.Context(), id)
			if err == nil {
				s.Accepted.Details, err = keys.Seal([]byte(details), vault.RequestDetails)
			}
			if err != nil {
				t.Fatal(err)
			}
		})
	}
	const city = `{"corrections":[{"column":"city","value":"Lyon"}]}`
	same, other, none := of("same", city), of("other", `{"corrections":[{"column":"city","value":"Nice"}]}`), of("none", "")
	for name, c := range map[string]struct {
		into core.State
		want error
	}{"the same": {same, nil}, "another city": {other, duplicate.ErrDetails}, "nothing said": {none, duplicate.ErrDetails}} {
		if err := h.check(of("one-"+c.into.Accepted.RequestID, city), c.into.Accepted.RequestID, c.into); !errors.Is(err, c.want) {
			t.Errorf("%s: %v, want %v", name, err, c.want)
		}
	}
	if err := h.check(none, "same", same); !errors.Is(err, duplicate.ErrDetails) {
		t.Error(err)
	}
}

// TestNobodyIsAnsweredByAnother: a request is merged into one that is surely of the same person,
// or of which somebody has said so; never into one of the household, of another account, or of
// who merely claims the address.
func TestNobodyIsAnsweredByAnother(t *testing.T) {
	t.Parallel()
	const phone, account = dsar.IdentifierType("phone"), dsar.IdentifierType("account_id")
	of := func(ids ...given) []given { return ids }
	sure := func(typ dsar.IdentifierType, value string) given { return given{typ, value, dsar.AssuranceVerified} }
	claim := func(typ dsar.IdentifierType, value string) given { return given{typ, value, dsar.AssuranceClaimed} }
	judged := func(same bool) func(*core.State) {
		return func(s *core.State) { s.Doubts = []core.Doubted{{RequestID: "other", Judged: true, Same: same, At: at}} }
	}
	doubted := func(s *core.State) { s.Doubts = []core.Doubted{{RequestID: "other", Why: core.DoubtRivals}} }
	for name, c := range map[string]struct {
		one, other []given
		said       func(*core.State) // of the one
		want       error
	}{
		"an address":                    {anna, anna, nil, nil},
		"another writing":               {anna, of(sure("email", "Anna@Example.com ")), nil, nil},
		"nothing":                       {anna, of(sure("email", "bob@example.com")), nil, duplicate.ErrStranger},
		"forgotten":                     {anna, nil, nil, duplicate.ErrStranger},
		"a household's telephone":       {of(anna[0], sure(phone, "+33123456789")), of(sure("email", "bob@example.com"), sure(phone, "+33123456789")), nil, duplicate.ErrDoubt},
		"two accounts":                  {of(anna[0], sure(account, "1")), of(anna[0], sure(account, "2")), nil, duplicate.ErrDoubt},
		"two accounts, judged the same": {of(anna[0], sure(account, "1")), of(anna[0], sure(account, "2")), judged(true), duplicate.ErrMore},
		"judged the same":               {of(sure(phone, "+33123456789")), of(sure(account, "2"), sure(phone, "+33123456789")), judged(true), nil},
		"an address more here":          {of(anna[0], sure("email", "ann2@example.com")), anna, nil, duplicate.ErrMore},
		"an address more there":         {anna, of(anna[0], sure("email", "ann2@example.com")), nil, nil},
		"one more, claimed":             {of(anna[0], claim("email", "ann2@example.com")), anna, nil, duplicate.ErrMore},
		"one more, claimed there":       {of(anna[0], sure("email", "ann2@example.com")), of(anna[0], claim("email", "ann2@example.com")), nil, duplicate.ErrMore},
		"one more, found there":         {of(anna[0], sure(account, "1")), of(anna[0], given{account, "1", dsar.AssuranceFound}), nil, nil},
		"an address, judged another's":  {anna, anna, judged(false), duplicate.ErrStranger},
		"an address, and in doubt":      {anna, anna, doubted, duplicate.ErrDoubt},
		"merely claimed there":          {anna, of(claim("email", "anna@example.com")), nil, duplicate.ErrStranger},
		"merely claimed here":           {of(sure("email", "eve@example.com"), claim("email", "anna@example.com")), anna, nil, duplicate.ErrStranger},
		"claimed twice":                 {of(claim("email", "anna@example.com")), of(claim("email", "anna@example.com")), nil, nil},
		"claimed, and checked there":    {of(claim("email", "anna@example.com")), anna, nil, nil},
	} {
		h := newHouse(t)
		err := h.check(h.request("one", c.one, c.said), "other", h.request("other", c.other, nil))
		if !errors.Is(err, c.want) {
			t.Errorf("%s: %v, want %v", name, err, c.want)
		}
	}
}
