package vendorapi_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"testing"

	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"

	"habeas.dev/pkg/vendorapi"
)

// wire answers calls as a vendor does.
type wire func(*http.Request) (*http.Response, error)

func (w wire) RoundTrip(r *http.Request) (*http.Response, error) { return w(r) }

func answer(status int, body, id, name string) *http.Response {
	h := http.Header{}
	h.Set("X-Request-Id", id)
	h.Set("X-Name", name)
	return &http.Response{StatusCode: status, Header: h, Body: io.NopCloser(strings.NewReader(body)), ContentLength: int64(len(body))}
}

// TestTelemetryShowsNothing: a call is traced by its name and the vendor's own
// id, and measured by its result; nothing of its address, header or body, and
// nothing of the answer's.
func TestTelemetryShowsNothing(t *testing.T) {
	t.Parallel()
	const canary = "camille"
	spans := tracetest.NewInMemoryExporter()
	reader := sdkmetric.NewManualReader()
	calls := 0
	cl, err := vendorapi.New(vendorapi.Config{
		Vendor: "Acme",
		Parse: func(a *vendorapi.Answer) vendorapi.Reply {
			if a.Status == http.StatusOK {
				return vendorapi.Reply{Own: true}
			}
			return vendorapi.Reply{Own: true, Code: strconv.Itoa(a.Status)}
		},
		Codes: vendorapi.Codes{"403": vendorapi.Final("no-permission", "the vendor refuses it")},
		Access: vendorapi.Access{Daily: 10, HTTPClient: &http.Client{Transport: wire(func(*http.Request) (*http.Response, error) {
			switch calls++; calls {
			case 1:
				return answer(http.StatusOK, canary, "abc-1", canary), nil
			case 2:
				return answer(http.StatusForbidden, canary, "of "+canary, canary), nil
			}
			return nil, errors.New(canary)
		})}, Host: vendorapi.Host{
			Traces: sdktrace.NewTracerProvider(sdktrace.WithSyncer(spans)),
			Meters: sdkmetric.NewMeterProvider(sdkmetric.WithReader(reader)),
		}},
	})
	if err != nil {
		t.Fatal(err)
	}
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
