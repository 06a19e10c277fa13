package bus_test

import (
	"fmt"
	"testing"

	"github.com/segmentio/kafka-go"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"

	"habeas.dev/pkg/bus"
)

// TestLag counts what a group has yet to do: all of it before it has committed
// anything, what came since afterwards, nothing of a group that is up to date.
func TestLag(t *testing.T) {
	t.Parallel()
	r := newRig(t, brokers(t), 3)
	p := r.publisher()
	publish := func(n int) {
		t.Helper()
		for i := range n {
			if err := p.Publish(r.topic, msg(fmt.Sprint("k", i), fmt.Sprint(i))); err != nil {
				t.Fatal(err)
			}
		}
	}
	lag := func(what string, want int64) {
		t.Helper()
		if got, err := bus.Lag(t.Context(), r.config, r.group, r.topic); err != nil || got != want {
			t.Errorf("%s: %d, %v, want %d", what, got, err, want)
		}
	}
	lag("nothing was sent", 0)
	publish(7)
	lag("nothing was committed", 7)
	ends, err := r.client().ListOffsets(t.Context(), &kafka.ListOffsetsRequest{Topics: map[string][]kafka.OffsetRequest{r.topic: {kafka.LastOffsetOf(0), kafka.LastOffsetOf(1), kafka.LastOffsetOf(2)}}})
	if err != nil {
		t.Fatal(err)
	}
	var commits []kafka.OffsetCommit
	for _, end := range ends.Topics[r.topic] {
		if end.Error != nil {
			t.Fatal(end.Error)
		}
		commits = append(commits, kafka.OffsetCommit{Partition: end.Partition, Offset: end.LastOffset})
	}
	r.commit(commits...)
	lag("all was committed", 0)
	publish(4)
	lag("four came since", 4)
	if _, err := bus.Lag(t.Context(), r.config, r.group, "no-such-topic"); err == nil {
		t.Error("a topic that isn't there has a lag")
	}
}

// TestLagIsAskedAgain: right after a topic was made, and while the group's
// coordinator is elected, a broker answers that it doesn't lead.
func TestLagIsAskedAgain(t *testing.T) {
	t.Parallel()
	c := fake(t)
	r := newRig(t, c.ListenAddrs(), 2)
	r.publish(r.publisher(), msg("a", "1"))
	c.Fault(
		kfake.Fault{Keys: []kmsg.Key{kmsg.ListOffsets}, Err: kerr.NotLeaderForPartition, Count: 2},
		kfake.Fault{Keys: []kmsg.Key{kmsg.ListOffsets}, Err: kerr.BrokerNotAvailable, Count: 1},
		kfake.Fault{Keys: []kmsg.Key{kmsg.OffsetFetch}, Err: kerr.NotCoordinator, Count: 1},
	)
	if got, err := bus.Lag(t.Context(), r.config, r.group, r.topic); err != nil || got != 1 {
		t.Errorf("%d, %v, want 1", got, err)
	}
}
