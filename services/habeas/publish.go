package main

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/segmentio/kafka-go"
)

func newRequestID() string { return uuid.NewString() }

// data is the data of dsar.request.submitted.v1.
func (r demoRequest) data() []byte {
	data, _ := json.Marshal(map[string]any{ //nolint:errchkjson // strings and a bool
		"request_id": r.id, "right": r.right, "jurisdiction": r.jurisdiction, "source": r.source,
		"received_at": r.receivedAt.UTC().Format(time.RFC3339),
		"subject": map[string]any{
			"identifiers": []map[string]any{{"type": "email", "value": r.email, "verified": true}},
			"locale":      r.locale,
		},
	})
	return data
}

// submitAll submits the demo's requests by the door that each goes through.
func submitAll(ctx context.Context, n *node, asked []demoRequest) error {
	for _, r := range asked {
		var err error
		if r.onKafka {
			err = publish(ctx, n.brokers, r)
		} else {
			_, err = post(ctx, n.url(), r.data())
		}
		if err != nil {
			return fmt.Errorf("submit %s: %w", r.title, err)
		}
	}
	return nil
}

// upstreamWriter writes to dsar.requests, each message at once.
func upstreamWriter(brokers []string) *kafka.Writer {
	return &kafka.Writer{Addr: kafka.TCP(brokers...), Topic: "dsar.requests", Balancer: &kafka.Hash{}, RequiredAcks: kafka.RequireAll, BatchSize: 1}
}

// publish sends one request to dsar.requests.
func publish(ctx context.Context, brokers []string, r demoRequest) error {
	w := upstreamWriter(brokers)
	defer func() { _ = w.Close() }() // what was written is acknowledged
	return publishBy(ctx, w, r)
}

// publishBy sends a request as a CloudEvent in binary mode.
func publishBy(ctx context.Context, w *kafka.Writer, r demoRequest) error {
	ctx, cancel := context.WithTimeout(ctx, upstreamTimeout)
	defer cancel()
	header := func(name, value string) kafka.Header { return kafka.Header{Key: name, Value: []byte(value)} }
	return w.WriteMessages(ctx, kafka.Message{Key: []byte(r.id), Value: r.data(), Headers: []kafka.Header{
		header("content-type", "application/json"), header("ce_specversion", "1.0"), header("ce_id", uuid.NewString()),
		header("ce_source", "/"+r.source), header("ce_type", "dsar.request.submitted.v1"), header("ce_subject", r.id),
		header("ce_time", time.Now().UTC().Format(time.RFC3339)),
	}})
}
