package worker

import (
	"context"
	"log/slog"

	"github.com/ThreeDotsLabs/watermill/message"

	"habeas.dev/pkg/bus"
	"habeas.dev/pkg/event"
	"habeas.dev/pkg/telemetry"
)

// reporter publishes answers, then acknowledges their tasks. It is one goroutine:
// while it publishes, what is answered meanwhile gathers, and goes out together.
type reporter struct {
	w   *Worker
	pub message.Publisher
	in  chan parcel
}

// parcel is what is to be published together: answered jobs, or progress.
type parcel struct {
	jobs     []*job
	progress []event.Event
}

const (
	// reporterDepth is how many parcels wait without holding up who brings them.
	reporterDepth = 64
	// reporterMost bounds what one publish carries, in messages.
	reporterMost = 1000
)

func newReporter(w *Worker, pub message.Publisher) *reporter {
	return &reporter{w: w, pub: pub, in: make(chan parcel, reporterDepth)}
}

func (r *reporter) put(p parcel) { r.in <- p }

// offer is put for what may be left out where there is no room.
func (r *reporter) offer(p parcel) {
	select {
	case r.in <- p:
	default:
	}
}

func (r *reporter) close() { close(r.in) }

func (r *reporter) run() {
	for p := range r.in {
		n := len(p.jobs) + len(p.progress)
		for more := true; more && n < reporterMost; {
			select {
			case next, ok := <-r.in:
				if more = ok; ok {
					p.jobs, p.progress = append(p.jobs, next.jobs...), append(p.progress, next.progress...)
					n += len(next.jobs) + len(next.progress)
				}
			default:
				more = false
			}
		}
		r.publish(p)
	}
}

func (r *reporter) publish(p parcel) {
	var reports, rejected []*message.Message
	for _, e := range p.progress {
		reports = append(reports, envelope(e))
	}
	for _, j := range p.jobs {
		switch j.answer.Type {
		case event.TypeReport:
			reports = append(reports, envelope(j.answer))
		case event.TypeRejected:
			rejected = append(rejected, envelope(j.answer))
			if j.refusal.Type != "" {
				reports = append(reports, envelope(j.refusal))
			}
		}
	}
	reported := r.send(event.TopicReports, reports)
	turnedAway := r.send(event.TopicRejected, rejected)
	for _, j := range p.jobs {
		if j.answer.Type == event.TypeReport && reported || j.answer.Type == event.TypeRejected && turnedAway {
			j.msg.Ack()
		} else {
			j.msg.Nack() // it comes again
		}
	}
	r.w.metrics.inFlight(context.Background(), -len(p.jobs))
}

// send reports whether all messages are in Kafka. The publisher has its own
// retries; what it gives up on comes again with the tasks.
func (r *reporter) send(topic string, msgs []*message.Message) bool {
	if len(msgs) == 0 {
		return true
	}
	if err := r.pub.Publish(topic, msgs...); err != nil {
		r.w.log.LogAttrs(context.Background(), slog.LevelWarn, "reports were not published; their tasks come again", slog.String("system", r.w.system),
			slog.String("topic", topic), slog.Int("messages", len(msgs)), slog.Any("error", telemetry.Vouch(err)))
		return false
	}
	return true
}

// envelope returns an event as a message, under its request's key.
func envelope(e event.Event) *message.Message {
	return bus.NewMessage(e.Subject, e.Headers(), e.Data)
}
