package node

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"go.opentelemetry.io/otel/sdk/metric"

	"habeas.dev/pkg/manifest"
	"habeas.dev/pkg/worker"
)

// counts is a system that counts what is overdue there.
type counts func() ([]worker.Overdue, error)

func (c counts) Overdue(context.Context) ([]worker.Overdue, error) { return c() }

// TestOverdueGauge: the count is there from the start, anew after six hours, and the one
// before where one fails; a system without periods that are data isn't asked.
func TestOverdueGauge(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var records int64 = 3
		var fails error
		asked := 0
		system := counts(func() ([]worker.Overdue, error) {
			asked++
			return []worker.Overdue{{Dataset: "calls", Records: records}}, fails
		})
		if countsOverdue(&manifest.Manifest{System: "desk", Datasets: []manifest.Dataset{{Name: "calls"}}}, system) != nil {
			t.Error("it is counted by no period")
		}
		g := countsOverdue(&manifest.Manifest{System: "desk", Datasets: []manifest.Dataset{{Name: "calls", Stored: &manifest.Stored{Period: "P6M", From: "at"}}}}, system)
		reader := metric.NewManualReader()
		if err := g.register(metric.NewMeterProvider(metric.WithReader(reader))); err != nil {
			t.Fatal(err)
		}
		ctx, stop := context.WithCancel(t.Context())
		failed, ended := 0, make(chan struct{})
		go func() { g.run(ctx, func(error) { failed++ }); close(ended) }()
		says := func(want float64) {
			t.Helper()
			synctest.Wait()
			got := map[string]float64{}
			if err := gauges(t, reader, got); err != nil || got["habeas.data.overdue"] != want {
				t.Errorf("%v, %v, want %v", got, err, want)
			}
		}
		says(3)
		records = 5
		<-time.After(overdueEvery)
		says(5)
		records, fails = 7, errors.New("down")
		<-time.After(overdueEvery)
		says(5)
		if asked != 3 || failed != 1 {
			t.Errorf("asked %d times, failed %d", asked, failed)
		}
		stop()
		<-ended
	})
}
