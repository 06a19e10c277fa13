package links

import (
	"slices"
	"testing"

	"habeas.dev/pkg/dsar"
	"habeas.dev/services/internal/core"
	"habeas.dev/services/internal/prints"
)

// TestSharedTellsTwoPeople: what two requests have in common says nothing of whose a record is
// unless they are surely of one person, by what is compared or as somebody has said.
func TestSharedTellsTwoPeople(t *testing.T) {
	t.Parallel()
	asking := func(id string, values ...string) (h holder) {
		h.requestID = id
		for i := 0; i < len(values); i += 2 {
			h.prints = append(h.prints, prints.Print{Identifier: dsar.Identifier{Type: dsar.IdentifierType(values[i]), Fingerprint: values[i+1]}, Own: id + ":" + values[i+1]})
		}
		return h
	}
	said := func(h holder, of string, same bool) holder {
		h.doubts = []core.Doubted{{RequestID: of, Judged: true, Same: same}}
		return h
	}
	phone := asking("held", "phone", "1", "account_id", "5")
	for name, c := range map[string]struct {
		asks, held holder
		want       []string
	}{
		"nothing in common":       {asking("asks", "phone", "2"), phone, nil},
		"the same person":         {asking("asks", "phone", "1", "account_id", "5"), phone, nil},
		"a telephone":             {asking("asks", "account_id", "6", "phone", "1"), phone, []string{"asks:1", "held:1"}},
		"a telephone alone":       {asking("asks", "phone", "1"), phone, []string{"asks:1", "held:1"}},
		"an address of one":       {asking("asks", "email", "a"), asking("held", "email", "a", "account_id", "5"), nil},
		"an address of two":       {asking("asks", "email", "a", "account_id", "6"), asking("held", "email", "a", "account_id", "5"), []string{"asks:a", "held:a"}},
		"somebody says one":       {said(asking("asks", "phone", "1"), "held", true), phone, nil},
		"somebody said one there": {asking("asks", "phone", "1"), said(phone, "asks", true), nil},
		"somebody says two":       {said(asking("asks", "email", "a"), "held", false), asking("held", "email", "a"), []string{"asks:a", "held:a"}},
		"what only weak links go by": {func() holder {
			h := asking("asks", "cookie", "c")
			h.household = []dsar.IdentifierType{"cookie"}
			return h
		}(), asking("held", "cookie", "c"), []string{"asks:c", "held:c"}},
	} {
		if got := shared(c.asks, c.held); !slices.Equal(got, c.want) {
			t.Errorf("%s: %v, want %v", name, got, c.want)
		}
	}
}
