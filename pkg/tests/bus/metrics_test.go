package bus_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"go.opentelemetry.io/otel/attribute"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"

	"habeas.dev/pkg/bus"
)

// collect reads all metrics: name{partition} and value.
func collect(t *testing.T, r *sdkmetric.ManualReader) map[string]float64 {
	t.Helper()
	var all metricdata.ResourceMetrics
	if err := r.Collect(t.Context(), &all); err != nil {
		t.Fatal(err)
	}
	got := make(map[string]float64)
	add := func(name string, set attribute.Set, v float64) {
		if p, ok := set.Value("partition"); ok {
			name = fmt.Sprintf("%s{%d}", name, p.AsInt64())
		}
		for _, want := range []attribute.Key{"topic", "group"} {
			if _, ok := set.Value(want); !ok {
				t.Errorf("%s has no %s", name, want)
			}
		}
		got[strings.TrimPrefix(name, "habeas.bus.")] += v
	}
	for _, scope := range all.ScopeMetrics {
		for _, m := range scope.Metrics {
			switch data := m.Data.(type) {
			case metricdata.Sum[int64]:
				for _, p := range data.DataPoints {
					add(m.Name, p.Attributes, float64(p.Value))
				}
			case metricdata.Gauge[int64]:
				for _, p := range data.DataPoints {
					add(m.Name, p.Attributes, float64(p.Value))
				}
			case metricdata.Gauge[float64]:
				for _, p := range data.DataPoints {
					add(m.Name, p.Attributes, p.Value)
				}
			default:
				t.Errorf("%s is a %T", m.Name, data)
			}
		}
	}
	return got
}

// TestMetrics has one key stuck, another nacked once, and reads what is told.
func TestMetrics(t *testing.T) {
	t.Parallel()
	reader := sdkmetric.NewManualReader()
	r := newRig(t, brokers(t), 1)
	pub := r.publisher()
	sub := r.subscriber(func(c *bus.SubscriberConfig) { c.Meters = sdkmetric.NewMeterProvider(sdkmetric.WithReader(reader)) })
	ch := r.subscribe(sub)
	r.publish(pub, msg("stuck", "1"), msg("stuck", "2"), msg("b", "3"))
	stuck, b := r.next(ch), r.next(ch)
	if string(stuck.Payload) != "1" {
		stuck, b = b, stuck
	}
	b.Nack()
	r.next(ch).Ack()
	r.until("one is done, two are not", func() bool {
		st := sub.Stats()
		return st.Held == 2 && st.InFlight == 1 && st.Partitions[0].Waiting > 0
	})
	got := collect(t, reader)
	for name, want := range map[string]float64{"lag{0}": 3, "in_flight": 1, "parked": 1, "fetched": 3, "handled": 1, "failed": 1, "abandoned": 0, "rebalances": 1, "commits": 0} {
		if v, ok := got[name]; !ok || v != want {
			t.Errorf("%s is %v (%t), want %v", name, v, ok, want)
		}
	}
	if got["stalled{0}"] <= 0 || got["held"] <= 0 {
		t.Errorf("%v", got)
	}
	stuck.Ack()
	r.next(ch).Ack()
	r.until("all is committed", func() bool { return r.committed(0) == 3 })
	r.until("it is told", func() bool {
		got = collect(t, reader)
		return got["lag{0}"] == 0 && got["stalled{0}"] == 0 && got["handled"] == 3 && got["commits"] >= 1
	})
	if err := sub.Close(); err != nil {
		t.Fatal(err)
	}
	if got := collect(t, reader); len(got) != 0 {
		t.Errorf("a closed subscriber tells %v", got)
	}
}

// TestWatchdogNamesThePartition: its error says what stalls, since when and how,
// and its summary no address.
func TestWatchdogNamesThePartition(t *testing.T) {
	t.Parallel()
	r := newRig(t, brokers(t), 3)
	pub := r.publisher()
	sub := r.subscriber(func(c *bus.SubscriberConfig) { c.HandleLimit = 50 * time.Millisecond })
	ch := r.subscribe(sub)
	r.until("it has its partitions", func() bool { return len(sub.Stats().Partitions) == 3 })
	if err := sub.Check(t.Context()); err != nil {
		t.Fatal(err)
	}
	r.publish(pub, msg("a", "1"))
	m := r.next(ch)
	partition := partitionOf(t, m, r)
	r.until("the watchdog barks", func() bool { return sub.Check(t.Context()) != nil })
	var stalled *bus.StalledError
	if err := sub.Check(t.Context()); !errors.As(err, &stalled) || stalled.Partition != partition || stalled.Topic != r.topic || stalled.Group != r.group ||
		stalled.How != bus.Unhandled || stalled.Offset != 0 || stalled.For < 50*time.Millisecond {
		t.Fatalf("%+v", err)
	}
	if s := stalled.Summary(); !strings.Contains(s, fmt.Sprintf("partition %d", partition)) || strings.Contains(s, r.config.Brokers[0]) {
		t.Errorf("%s", s)
	}
	m.Ack()
	r.until("the watchdog is quiet", func() bool { return sub.Check(t.Context()) == nil })
}

// TestWatchdogOutOfTheGroup: where no broker is, it says so, and why.
func TestWatchdogOutOfTheGroup(t *testing.T) {
	t.Parallel()
	c := fake(t)
	r := newRig(t, c.ListenAddrs(), 1)
	c.Close()
	sub := r.subscriber(func(c *bus.SubscriberConfig) { c.StallLimit = 50 * time.Millisecond })
	r.subscribe(sub)
	var stalled *bus.StalledError
	r.until("the watchdog barks, with the cause", func() bool {
		return errors.As(sub.Check(t.Context()), &stalled) && stalled.Cause != nil
	})
	if stalled.How != bus.OutOfGroup || stalled.Partition != -1 || !strings.Contains(stalled.Error(), r.config.Brokers[0]) || strings.Contains(stalled.Summary(), r.config.Brokers[0]) {
		t.Errorf("%v; %s", stalled, stalled.Summary())
	}
}
