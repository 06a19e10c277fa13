package worker_test

import (
	"context"
	"reflect"
	"strings"
	"testing"

	"habeas.dev/pkg/dsar"
	"habeas.dev/pkg/event"
	"habeas.dev/pkg/manifest"
	"habeas.dev/pkg/record"
	"habeas.dev/pkg/worker"
)

const forbidden = "the shop's user may not read scores: grant it"

// TestUncovered: what could be reached is kept, what couldn't is named, and the
// outcome is neither that all was gathered nor that nothing was found.
func TestUncovered(t *testing.T) {
	t.Parallel()
	v := newVault(t)
	w := newWorker(t, shopThatGathersAndErases(), impl{
		gather: func(_ context.Context, tk worker.Task, out *worker.Records) error {
			out.Uncovered("scores", forbidden, dsar.Cause{})
			out.Uncovered("scores", "said twice", dsar.Cause{})
			return out.Write("profile", record.Record{"email": email(tk)})
		},
		plan: func(context.Context, worker.Task) ([]dsar.Counts, error) {
			return []dsar.Counts{{Dataset: "scores", Uncovered: forbidden}}, nil
		},
	})
	check, err := event.NewValidator()
	if err != nil {
		t.Fatal(err)
	}
	for _, action := range []dsar.Action{dsar.Gather, dsar.Plan, dsar.Prove} {
		e := v.Handle(t.Context(), w, []event.Event{task(t, v, anna, action)})[0]
		if err := check.ValidateData(e.Type, e.Data); err != nil {
			t.Error(err)
		}
		r := parse(t, e)
		if r.Kind != dsar.ReportEnded || r.Outcome != dsar.Incomplete || r.Code != dsar.CodeNotCovered || r.Reason != forbidden {
			t.Errorf("%s: %+v", action, r)
		}
		want := []dsar.Counts{{Dataset: "scores", Uncovered: forbidden}}
		if action == dsar.Gather {
			want = append([]dsar.Counts{{Dataset: "profile", Found: 1, Gathered: 1}}, want...)
			if err := contains(object(t, v, r), address(anna)); err != nil {
				t.Error(err)
			}
		}
		if !reflect.DeepEqual(r.Counts, want) {
			t.Errorf("%s: %+v", action, r.Counts)
		}
	}
}

// TestUncoveredSaysNothingOfThePerson: the reason travels in the open.
func TestUncoveredSaysNothingOfThePerson(t *testing.T) {
	t.Parallel()
	v := newVault(t)
	w := newWorker(t, gatherOnly(), impl{gather: func(_ context.Context, tk worker.Task, out *worker.Records) error {
		out.Uncovered("scores", "no access to "+email(tk), dsar.Cause{})
		return nil
	}})
	r := handle(t, w, v, task(t, v, anna, dsar.Gather))[0]
	if strings.Contains(r.Reason, address(anna)) || strings.Contains(r.Counts[0].Uncovered, address(anna)) || r.Outcome != dsar.Incomplete {
		t.Errorf("%+v", r)
	}
}

// TestUncoveredIsOfWhatIsWanted: portability doesn't reach derived data, so that
// nothing lacks without it; and a dataset that isn't declared is a mistake.
func TestUncoveredIsOfWhatIsWanted(t *testing.T) {
	t.Parallel()
	v := newVault(t)
	for dataset, want := range map[string]dsar.Outcome{"scores": dsar.NothingFound, "no-such": dsar.Failed} {
		w := newWorker(t, gatherOnly(), impl{gather: func(_ context.Context, _ worker.Task, out *worker.Records) error {
			out.Uncovered(dataset, forbidden, dsar.Cause{})
			return nil
		}})
		r := handle(t, w, v, task(t, v, anna, dsar.Gather, func(tk *dsar.Task) { tk.Right = dsar.Portability }))[0]
		if r.Outcome != want {
			t.Errorf("%s: %+v", dataset, r)
		}
	}
}

// TestUncoveredAndAboutOthers: a person hears of both at once.
func TestUncoveredAndAboutOthers(t *testing.T) {
	t.Parallel()
	v := newVault(t)
	m := gatherOnly()
	m.Datasets[0].Others = []manifest.Others{{Columns: []string{"city"}, Then: manifest.OthersPerson}}
	w := newWorker(t, m, impl{gather: func(_ context.Context, _ worker.Task, out *worker.Records) error {
		out.Uncovered("scores", forbidden, dsar.Cause{})
		return out.Write("profile", record.Record{"city": "Lyon"})
	}})
	r := handle(t, w, v, task(t, v, anna, dsar.Gather))[0]
	if r.Code != dsar.CodeOthers || !strings.Contains(r.Reason, "profile") || !strings.Contains(r.Reason, forbidden) || r.Counts[1].Uncovered == "" {
		t.Errorf("%+v", r)
	}
}

func shopThatGathersAndErases() *manifest.Manifest {
	m := shop()
	m.Abilities = []dsar.Action{dsar.Gather, dsar.Erase}
	return m
}
