package upstream

import (
	"context"
	"time"

	"github.com/google/uuid"
	"github.com/segmentio/kafka-go"
)

// Writer publishes requests on dsar.requests, each as a CloudEvent in binary mode.
type Writer struct {
	kafka *kafka.Writer
	// Signer signs what is published; nil: it goes unsigned, which will do where the
	// operator names no producers.
	Signer *Signer
}

// NewWriter returns a writer to a cluster; the transport has TLS and the user, where the
// cluster asks for them, and may be nil. Each request is sent at once, and is
// acknowledged by all replicas before Publish returns.
func NewWriter(brokers []string, transport kafka.RoundTripper) *Writer {
	return &Writer{kafka: &kafka.Writer{Addr: kafka.TCP(brokers...), Transport: transport, Topic: "dsar.requests", Balancer: &kafka.Hash{}, RequiredAcks: kafka.RequireAll, BatchSize: 1}}
}

// Publish submits a request.
func (w *Writer) Publish(ctx context.Context, r Request) error {
	ctx, cancel := context.WithTimeout(ctx, Timeout)
	defer cancel()
	header := func(name, value string) kafka.Header { return kafka.Header{Key: name, Value: []byte(value)} }
	value := r.JSON()
	headers := []kafka.Header{
		header("content-type", "application/json"), header("ce_specversion", "1.0"), header("ce_id", uuid.NewString()),
		header("ce_source", "/"+r.Source), header("ce_type", "dsar.request.submitted.v1"), header("ce_subject", r.ID),
		header("ce_time", time.Now().UTC().Format(time.RFC3339)),
	}
	if w.Signer != nil {
		headers = append(headers, header("habeas-signature", w.Signer.Sign(value)))
	}
	return w.kafka.WriteMessages(ctx, kafka.Message{Key: []byte(r.ID), Value: value, Headers: headers})
}

// Close lets go of the connections. What was published is acknowledged.
func (w *Writer) Close() { _ = w.kafka.Close() }
