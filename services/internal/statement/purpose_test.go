package statement_test

import (
	"testing"

	"habeas.dev/pkg/dsar"
	"habeas.dev/services/internal/core"
	"habeas.dev/services/internal/statement"
)

// TestStoppedIsAllUse: that data is no longer used is never said of a request that ends
// some uses, also where its law reaches none.
func TestStoppedIsAllUse(t *testing.T) {
	t.Parallel()
	uses := []statement.Use{{Purpose: "offers", Title: "Offers"}, {Purpose: "billing", Title: "Billing"}}
	for name, c := range map[string]struct {
		byPurpose bool
		purposes  []string
		want      statement.Kind
	}{
		"all use":          {want: statement.Stopped},
		"one use":          {byPurpose: true, purposes: []string{"offers"}, want: statement.UsesEnded},
		"none is reached":  {byPurpose: true, want: statement.NotDone},
		"by a task of 0.1": {purposes: []string{"offers"}, want: statement.UsesEnded},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			told := core.Answer{
				ByPurpose: c.byPurpose, Purposes: c.purposes,
				Facts: []core.Cited{{Seq: 1, Hash: "a"}, {Seq: 2, Hash: "b"}},
				Systems: []core.SystemAnswer{{System: "shop", Ends: []core.ActionEnd{{
					Action: dsar.Restrict, Outcome: dsar.Restricted, Fact: 2, Counts: []dsar.Counts{{Dataset: "customers", Found: 1, Restricted: 1}},
				}}}},
			}
			all := statement.Make(statement.Evidence{
				Request: statement.Request{ID: "r", Right: dsar.OptOut}, Told: told,
				Systems: []statement.System{{System: "shop", Uses: uses, Datasets: []statement.Dataset{{Dataset: "customers"}}}},
			})
			for _, s := range all {
				if s.Kind().Answers() && s.Kind() != c.want {
					t.Errorf("%s is said, want %s", s.Kind(), c.want)
				}
			}
		})
	}
}
