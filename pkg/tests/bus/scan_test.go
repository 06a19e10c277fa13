package bus_test

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"habeas.dev/pkg/bus"
)

// TestScan reads a topic as it is: all of it, what came from a time on, each key in its
// order, and nothing of a topic that isn't there.
func TestScan(t *testing.T) {
	t.Parallel()
	r := newRig(t, brokers(t), 3)
	p := r.publisher()
	publish := func(from, to int) {
		t.Helper()
		for i := from; i < to; i++ {
			if err := p.Publish(r.topic, msg(fmt.Sprint("k", i%5), fmt.Sprint(i))); err != nil {
				t.Fatal(err)
			}
		}
	}
	scan := func(topic string, since time.Time) map[string][]string {
		t.Helper()
		got := map[string][]string{}
		if err := bus.Scan(t.Context(), r.config, topic, since, func(s bus.Scanned) error {
			got[s.Key] = append(got[s.Key], string(s.Value))
			return nil
		}); err != nil {
			t.Fatal(err)
		}
		return got
	}
	if got := scan(r.topic, time.Time{}); len(got) != 0 {
		t.Errorf("of an empty topic: %v", got)
	}
	publish(0, 20)
	between := time.Now().Add(time.Millisecond)
	for !time.Now().After(between.Add(time.Millisecond)) { // Kafka's times are in milliseconds
	}
	publish(20, 40)
	all, since := scan(r.topic, time.Time{}), scan(r.topic, between)
	for k := range 5 {
		key := fmt.Sprint("k", k)
		want := fmt.Sprint([]int{k, k + 5, k + 10, k + 15, k + 20, k + 25, k + 30, k + 35})
		if got := fmt.Sprint(all[key]); got != want {
			t.Errorf("%s: %s, want %s", key, got, want)
		}
		if got, want := fmt.Sprint(since[key]), fmt.Sprint([]int{k + 20, k + 25, k + 30, k + 35}); got != want {
			t.Errorf("%s since: %s, want %s", key, got, want)
		}
	}
	if got := scan(r.topic, time.Now().Add(time.Hour)); len(got) != 0 {
		t.Errorf("since what is to come: %v", got)
	}
	if got := scan("no-such-topic", time.Time{}); len(got) != 0 {
		t.Errorf("of no topic: %v", got)
	}
	stop := errors.New("stop")
	if err := bus.Scan(t.Context(), r.config, r.topic, time.Time{}, func(bus.Scanned) error { return stop }); !errors.Is(err, stop) {
		t.Error(err)
	}
}
