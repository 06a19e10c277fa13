package node

import (
	"context"
	"errors"
	"testing"
	"time"

	"go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"

	"habeas.dev/services/internal/journal"
)

// TestRelayGauges: what waits is counted and its age told, zero where nothing does or
// where another machine's clock is ahead; a journal that can't be asked is silent.
func TestRelayGauges(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 11, 20, 9, 30, 0, 0, time.UTC)
	var found journal.Backlog
	var fails error
	reader := metric.NewManualReader()
	g := &relayGauges{journal: queueOf(func() (journal.Backlog, error) { return found, fails }), now: func() time.Time { return at }}
	if err := g.register(metric.NewMeterProvider(metric.WithReader(reader))); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		found   journal.Backlog
		appends int64
		age     float64
	}{
		{journal.Backlog{}, 0, 0},
		{journal.Backlog{Appends: 7, Oldest: at.Add(-90 * time.Second)}, 7, 90},
		{journal.Backlog{Appends: 1, Oldest: at.Add(time.Second)}, 1, 0},
	} {
		found = c.found
		got := map[string]float64{}
		if err := gauges(t, reader, got); err != nil || got["habeas.relay.backlog"] != float64(c.appends) || got["habeas.relay.age"] != c.age {
			t.Errorf("of %+v: %v, %v", c.found, got, err)
		}
	}
	fails = errors.New("down")
	got := map[string]float64{}
	if err := gauges(t, reader, got); !errors.Is(err, fails) || len(got) != 0 {
		t.Errorf("of a journal that is down: %v, %v", got, err)
	}
}

// queueOf answers with what is there at the time.
type queueOf func() (journal.Backlog, error)

func (a queueOf) Backlog(context.Context) (journal.Backlog, error) { return a() }

func gauges(t *testing.T, r metric.Reader, into map[string]float64) error {
	t.Helper()
	var all metricdata.ResourceMetrics
	err := r.Collect(t.Context(), &all)
	for _, s := range all.ScopeMetrics {
		for _, m := range s.Metrics {
			switch data := m.Data.(type) {
			case metricdata.Gauge[int64]:
				into[m.Name] = float64(data.DataPoints[0].Value)
			case metricdata.Gauge[float64]:
				into[m.Name] = data.DataPoints[0].Value
			}
		}
	}
	return err
}
