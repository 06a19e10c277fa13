package coordinator_test

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"time"

	"go.opentelemetry.io/otel/attribute"
	sdk "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"

	"habeas.dev/services/coordinator"
	"habeas.dev/services/internal/core"
)

// TestMissingSystems: open requests that wait for a system which isn't configured need a
// person, by a cause of their own; the log says so once, with how many; the gauge has them;
// and once the system is there they go on, and are waited for by nobody.
func TestMissingSystems(t *testing.T) {
	t.Parallel()
	const people = 1200 // more than a page
	o := crowd(t, people, 1)
	reader := sdk.NewManualReader()
	var said bytes.Buffer
	counted := &countedRequests{Requests: o.requests}
	start := func(reader sdk.Reader, configured ...string) *coordinator.Missing {
		t.Helper()
		m, err := coordinator.NewMissing(coordinator.MissingConfig{Requests: counted, Open: o.journal, Configured: configured, Now: func() time.Time { return o.now },
			Log: slog.New(slog.NewTextHandler(&said, nil)), Meters: sdk.NewMeterProvider(sdk.WithReader(reader))})
		if err != nil {
			t.Fatal(err)
		}
		return m
	}
	compare := func(m *coordinator.Missing, wantMissing, wantDone int) {
		t.Helper()
		counted.done = 0
		if err := m.Compare(t.Context()); err != nil {
			t.Fatal(err)
		}
		needed, err := o.journal.Needed(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if n := needed["task/account/system-missing"].Requests; n != wantMissing || counted.done != wantDone {
			t.Errorf("%d need a person, want %d; %d were looked at, want %d", n, wantMissing, counted.done, wantDone)
		}
	}
	without := start(reader, "billing")
	compare(without, people, people)
	compare(without, people, 0) // nothing has changed
	if text := said.String(); strings.Count(text, "doesn't have") != 1 || !strings.Contains(text, fmt.Sprintf("system=account requests=%d", people)) {
		t.Error(text)
	}
	if got := gauge(t, reader, "habeas.system.missing"); got["account"] != people || got["billing"] != 0 || len(got) != 2 {
		t.Errorf("%v", got)
	}
	o.now = o.now.Add(48 * time.Hour)
	if n, err := o.Tick(t.Context()); err != nil || n != 0 {
		t.Errorf("%d timers: %v", n, err)
	}
	said.Reset()
	with := start(sdk.NewManualReader(), "account", "billing")
	compare(with, 0, people)
	compare(with, 0, 0)
	compare(without, people, people) // a coordinator that was started before, with another configuration
	if state, err := o.requests.State(t.Context(), crowdID(7)); err != nil || !slices.Equal(state.Missing, []string{"account"}) || state.Status != core.StatusNeedsAttention {
		t.Errorf("%s, missing %v, %v", state.Status, state.Missing, err)
	}
}

// countedRequests counts commands.
type countedRequests struct {
	coordinator.Requests
	done int
}

func (c *countedRequests) Do(ctx context.Context, id string, cmd core.Command) (core.State, error) {
	c.done++
	return c.Requests.Do(ctx, id, cmd)
}

// gauge returns what a gauge says by system.
func gauge(t *testing.T, r *sdk.ManualReader, name string) map[string]int64 {
	t.Helper()
	var all metricdata.ResourceMetrics
	if err := r.Collect(t.Context(), &all); err != nil {
		t.Fatal(err)
	}
	out := map[string]int64{}
	for _, scope := range all.ScopeMetrics {
		for _, m := range scope.Metrics {
			g, ok := m.Data.(metricdata.Gauge[int64])
			if m.Name != name || !ok {
				continue
			}
			for _, p := range g.DataPoints {
				v, _ := p.Attributes.Value(attribute.Key("system"))
				out[v.AsString()] = p.Value
			}
		}
	}
	return out
}
