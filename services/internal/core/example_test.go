package core_test

import (
	"fmt"
	"time"

	"habeas.dev/pkg/dsar"
	"habeas.dev/services/internal/core"
)

// What happens to a request that is overdue: the fact is recorded once, and the
// request goes on as before.
func ExampleOverdue() {
	received := time.Date(2026, 11, 20, 9, 30, 0, 0, time.UTC)
	due := received.AddDate(0, 1, 0)
	facts, _ := core.Decide(core.State{}, core.Submit{Accepted: core.Accepted{
		RequestID: "9f0d6c0e-6f0f-4b43-9f0f-3a9c3c0f7a11", Right: dsar.Access, ReceivedAt: received, AcceptedAt: received, DueAt: due,
		Identifiers: []dsar.Identifier{{Type: "email", Fingerprint: "f1", Assurance: dsar.AssuranceVerified}},
		Systems:     []dsar.System{{Name: "events", Abilities: []dsar.Action{dsar.Gather}, Needs: []dsar.IdentifierType{"email"}, Lease: 100 * 24 * time.Hour}},
	}})
	request := core.Fold(facts)

	facts, _ = core.Decide(request, core.Tick{Now: due})
	for _, fact := range facts {
		request = core.Evolve(request, fact)
		fmt.Println(core.TypeOf(fact))
	}
	facts, _ = core.Decide(request, core.Tick{Now: due.Add(time.Hour)})
	fmt.Println(len(facts), "further facts;", request.Status, request.Overdue)
	// Output:
	// request.overdue
	// 0 further facts; gathering true
}
