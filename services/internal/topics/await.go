package topics

import (
	"context"
	"fmt"
	"strings"
	"time"

	"habeas.dev/pkg/bus"
)

// awaitInterval is how often Await looks.
const awaitInterval = 500 * time.Millisecond

// Await checks topics until the brokers answer and ready says nothing against what
// was found, or until the context is over: the error is then the last one that
// isn't the context's own. Waiting is told each error that differs from the one
// before.
func Await(ctx context.Context, c bus.Config, want []bus.TopicSpec, ready func([]Finding) error, waiting func(error)) ([]Finding, error) {
	beat := time.NewTicker(awaitInterval)
	defer beat.Stop()
	told := ""
	var last error
	for {
		findings, err := Check(ctx, c, want)
		if err == nil {
			if err = ready(findings); err == nil {
				return findings, nil
			}
		}
		if last == nil || ctx.Err() == nil {
			last = err
		}
		if text := last.Error(); text != told {
			told = text
			waiting(last)
		}
		select {
		case <-beat.C:
		case <-ctx.Done():
			return nil, last
		}
	}
}

// Any returns nil: the brokers have answered, whatever was found.
func Any([]Finding) error { return nil }

// NoneMissing returns an error that names the topics that don't exist, if any.
func NoneMissing(findings []Finding) error {
	var names []string
	for _, f := range findings {
		if f.State == Missing {
			names = append(names, f.Topic)
		}
	}
	if names == nil {
		return nil
	}
	return fmt.Errorf("topics are missing: %s; create them with: habeas topics apply --config FILE", strings.Join(names, ", "))
}
