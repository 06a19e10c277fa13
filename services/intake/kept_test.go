package intake_test

import (
	"context"
	"slices"
	"testing"
	"time"

	"habeas.dev/pkg/dsar"
	"habeas.dev/pkg/vault"
	"habeas.dev/services/intake"
	"habeas.dev/services/internal/core"
	"habeas.dev/services/internal/keeper"
	"habeas.dev/services/internal/lifecycle"
	"habeas.dev/services/internal/prints"
)

// TestAskedAgainLater is case 6: who was erased, and of whom something had to stay, is
// found again by what the earlier request knew; and what was kept is part of the answer.
// It is so as well where the earlier request is of a journal in which fingerprints weren't
// a request's own yet.
func TestAskedAgainLater(t *testing.T) {
	t.Parallel()
	for name, before := range map[string]bool{"now": false, "before fingerprints were its own": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			askedAgainLater(t, before)
		})
	}
}

// acrossBefore accepts requests as they were before fingerprints were a request's own.
type acrossBefore struct {
	intake.Requests
	prints prints.Prints
}

func (b acrossBefore) Do(ctx context.Context, id string, c core.Command) (core.State, error) {
	if s, ok := c.(core.Submit); ok {
		s.OwnPrints = false
		across, err := b.prints.Across(ctx, id, s.Identifiers)
		if err != nil {
			return core.State{}, err
		}
		for i := range s.Identifiers {
			s.Identifiers[i].Fingerprint = across[i]
		}
		c = s
	}
	return b.Requests.Do(ctx, id, c)
}

func askedAgainLater(t *testing.T, before bool) {
	w := newFixture(t)
	all := prints.Prints{Vault: w.vault}
	w.Intake.Finder = w.journal
	actions := []dsar.Action{dsar.Resolve, dsar.Gather, dsar.Erase}
	w.Intake.Catalogue = []dsar.System{
		{Name: "account", Abilities: actions, Needs: []dsar.IdentifierType{"email"}, Finds: []dsar.IdentifierType{"account_id"}},
		{Name: "billing", Abilities: actions[1:], Needs: []dsar.IdentifierType{"account_id"}},
	}
	requests := lifecycle.New(w.journal, lifecycle.WithPrints(all))
	ask := func(id string, right dsar.Right) core.State {
		t.Helper()
		_, err := w.Submit(t.Context(), text(t, request(with("request_id", id), with("right", right))))
		must(t, err)
		state, err := requests.State(t.Context(), id)
		must(t, err)
		return state
	}
	const first, later = "0192f0c1-0000-7000-8000-000000000001", "0192f0c1-0000-7000-8000-000000000002"
	asIs := w.Intake.Requests
	if before {
		w.Intake.Requests = acrossBefore{asIs, all}
	}
	state := ask(first, dsar.Erasure)
	w.Intake.Requests = asIs
	keys, err := w.vault.Keys(t.Context(), first)
	must(t, err)
	sealed, err := keys.Seal([]byte("A-17"), vault.Identifier)
	must(t, err)
	print, err := all.In(t.Context(), state, "account_id", "A-17")
	must(t, err)
	account := dsar.Identifier{Type: "account_id", Fingerprint: print, Sealed: sealed, From: state.Identifiers[0].Fingerprint}
	tax := []dsar.Retention{{Records: 3, Ground: "tax-records", Until: now.AddDate(8, 0, 0)}}
	for range 100 {
		for _, task := range state.Tasks {
			if task.Status != core.TaskIsSent {
				continue
			}
			r := dsar.Report{RequestID: first, System: task.System, Action: task.Action, Attempt: task.Attempt, Kind: dsar.ReportEnded}
			switch task.Action {
			case dsar.Resolve:
				r.Outcome, r.Identifiers = dsar.Found, []dsar.Identifier{account}
			case dsar.Plan:
				r.Outcome, r.Counts = dsar.Found, []dsar.Counts{{Dataset: "invoices", Found: 3, Retained: tax}}
				r.Objects = []dsar.Object{{Name: task.System + "/plan/1-test", SHA256: "of no object"}}
			case dsar.Erase:
				r.Outcome, r.Counts = dsar.Retained, []dsar.Counts{{Dataset: "invoices", Found: 3, Retained: tax}}
			case dsar.Prove:
				r.Outcome, r.Counts = dsar.Proven, []dsar.Counts{{Dataset: "invoices", Found: 3, Retained: tax}}
			default:
				r.Outcome = dsar.Assembled
			}
			state, err = requests.Do(t.Context(), first, core.TakeReport{Report: r, Now: now})
			must(t, err)
		}
	}
	if state.Status != core.StatusCompleted || len(state.Kept(now)) == 0 {
		t.Fatalf("%s: kept %+v; %+v", state.Status, state.Kept(now), state.Tasks)
	}
	w.Intake.LooksBack = true
	again := ask(later, dsar.Access)
	if again.Stage != "" || len(again.Identifiers) != 1 {
		t.Fatalf("intake has opened something, or somebody is asked already: %s, %d identifiers", again.Stage, len(again.Identifiers))
	}
	looks := &keeper.Keeper{Requests: requests, Journal: w.journal, Vault: w.vault, Now: func() time.Time { return now }}
	for _, duty := range again.Duties(now) {
		must(t, looks.Do(t.Context(), later, duty))
	}
	again, err = requests.State(t.Context(), later)
	must(t, err)
	if again.Stage == "" {
		t.Error("nobody is asked")
	}
	print, err = all.In(t.Context(), again, "account_id", "A-17")
	must(t, err)
	i := slices.IndexFunc(again.Usable(), func(id dsar.Identifier) bool { return id.Fingerprint == print })
	if i < 0 {
		t.Fatalf("the account isn't known any more: %+v", again.Identifiers)
	}
	id := again.Usable()[i]
	keys, err = w.vault.Keys(t.Context(), later)
	must(t, err)
	if value, err := keys.Open(id.Sealed, vault.Identifier); err != nil || string(value) != "A-17" || id.Assurance != dsar.AssuranceFound {
		t.Errorf("%q, %v, %+v", value, err, id)
	}
	answer := again.NewTask(core.TaskSent{System: dsar.Aggregator, Action: dsar.Assemble}).Answer
	if len(answer.Kept) == 0 || answer.Kept[0].RequestID != first || answer.Kept[0].Retained[0].Ground != "tax-records" {
		t.Errorf("%+v", answer.Kept)
	}
}
