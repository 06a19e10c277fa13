package node

import (
	"context"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
)

// outboxRefused returns what counts that the outbox took nothing, because its disk is full or
// its store away: the counter habeas.outbox.refused, from 0 on, so that the first is an
// increase.
func outboxRefused(p metric.MeterProvider, service string) (func(), error) {
	c, err := p.Meter(meterScope).Int64Counter("habeas.outbox.refused", metric.WithUnit("{object}"),
		metric.WithDescription("Answers and letters that the outbox didn't take; each is tried again."))
	if err != nil {
		return nil, err
	}
	of := metric.WithAttributes(attribute.String("service", service))
	c.Add(context.Background(), 0, of)
	return func() { c.Add(context.Background(), 1, of) }, nil
}
