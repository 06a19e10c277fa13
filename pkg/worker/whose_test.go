package worker_test

import (
	"testing"

	"habeas.dev/pkg/worker"
)

// TestMatches: of what a record holds, what says most decides whose it is.
func TestMatches(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		found    worker.Matches
		anothers bool
	}{
		"nothing":                           {worker.Matches{}, false},
		"a telephone":                       {worker.Matches{"phone": true}, false},
		"a telephone, another's address":    {worker.Matches{"phone": true, "email": false}, true},
		"an address, another's telephone":   {worker.Matches{"phone": false, "email": true}, false},
		"an address, another's number":      {worker.Matches{"phone": true, "email": true, "account_id": false}, true},
		"the number, another's address":     {worker.Matches{"email": false, "account_id": true}, false},
		"one of two numbers, another's too": {worker.Matches{"account_id": true, "card_id": false}, false},
	} {
		if c.found.IsAnothers() != c.anothers {
			t.Errorf("%s: another's is %t", name, !c.anothers)
		}
	}
}
