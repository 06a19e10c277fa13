package vendorapi_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"

	"habeas.dev/pkg/vendorapi"
)

// TestTelemetryShowsNothing: a call is traced by its name and the vendor's own
// id, and measured by its result; nothing of its address, header or body, and
// nothing of the answer's.
func TestTelemetryShowsNothing(t *testing.T) {
	t.Parallel()
	const canary = "camille"
	spans := tracetest.NewInMemoryExporter()
	reader := sdkmetric.NewManualReader()
	cl, _ := client(t, func(n int, _ *http.Request) (*http.Response, error) {
		switch n {
		case 1:
			return answer(http.StatusOK, canary, "X-Request-Id", "abc-1", "X-Name", canary), nil
		case 2:
			return answer(http.StatusForbidden, canary, "X-Request-Id", "of "+canary), nil
		}
		return nil, errors.New(canary)
	}, func(c *vendorapi.Config) {
		c.Daily = 10
		c.Host = vendorapi.Host{
			Traces: sdktrace.NewTracerProvider(sdktrace.WithSyncer(spans)),
			Meters: sdkmetric.NewMeterProvider(sdkmetric.WithReader(reader)),
		}
	})
	for range 3 {
		_ = cl.Do(t.Context(), vendorapi.Call{Name: "things.delete", Method: http.MethodPost, Path: "http://vendor/" + canary, Header: http.Header{"X-Name": {canary}}, Body: []byte(canary), Expect: vendorapi.Nothing()})
	}
	var metrics metricdata.ResourceMetrics
	if err := reader.Collect(t.Context(), &metrics); err != nil {
		t.Fatal(err)
	}
	seen, err := json.Marshal(metrics)
	if err != nil {
		t.Fatal(err)
	}
	traced := fmt.Sprintf("%+v", spans.GetSpans())
	if strings.Contains(traced, canary) || strings.Contains(string(seen), canary) {
		t.Error("telemetry shows what was sent or answered")
	}
	for _, want := range []string{"things.delete", "abc-1", "no-permission", "connection-lost"} {
		if !strings.Contains(traced, want) {
			t.Errorf("the spans lack %s", want)
		}
	}
	for name, want := range map[string]int64{"habeas.vendor.quota.left": 7, "habeas.vendor.quota.budget": 10, "habeas.vendor.circuit": 0, "habeas.vendor.in_flight": 0} {
		if got, ok := gauge(metrics, name); !ok || got != want {
			t.Errorf("%s is %d (%t), want %d", name, got, ok, want)
		}
	}
}

func gauge(m metricdata.ResourceMetrics, name string) (int64, bool) {
	for _, s := range m.ScopeMetrics {
		for _, x := range s.Metrics {
			if g, ok := x.Data.(metricdata.Gauge[int64]); ok && x.Name == name && len(g.DataPoints) == 1 {
				return g.DataPoints[0].Value, true
			}
		}
	}
	return 0, false
}

// TestStoreIsDown: without the store that holds the limits, nothing is called.
func TestStoreIsDown(t *testing.T) {
	t.Parallel()
	cl, calls := client(t, func(int, *http.Request) (*http.Response, error) { return answer(http.StatusOK, ""), nil },
		func(c *vendorapi.Config) { c.Host.Store = down{} })
	err := cl.Do(t.Context(), get)
	steers(t, err, "no-limits", false, 0)
	if calls.n.Load() != 0 || strings.Contains(err.Error(), "secret") {
		t.Errorf("%d calls; %v", calls.n.Load(), err)
	}
}

type down struct{}

func (down) Update(context.Context, string, func(time.Time, []byte) []byte) error {
	return errors.New("secret host is down")
}

func (down) Each(context.Context, func(time.Time, string, []byte) error) error { return nil }
