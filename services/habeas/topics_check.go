package main

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"time"

	"habeas.dev/pkg/bus"
	"habeas.dev/pkg/dsar"
	"habeas.dev/pkg/event"
	"habeas.dev/pkg/manifest"
	"habeas.dev/services/internal/topics"
)

// topicInterval is how often topics that are missing at the start are looked for.
const topicInterval = 500 * time.Millisecond

// taskTopics are the names for which there is a topic of tasks.
func taskTopics(manifests []*manifest.Manifest) []string {
	names := []string{dsar.Aggregator}
	for _, m := range manifests {
		names = append(names, m.System)
	}
	return names
}

// reaches are those among all topics that services of these roles read or write:
// by its ACLs, a service may see no others.
func (r roles) reaches(all []bus.TopicSpec) []bus.TopicSpec {
	return slices.DeleteFunc(slices.Clone(all), func(s bus.TopicSpec) bool {
		switch system, task := strings.CutPrefix(s.Name, event.TopicTasks("")); {
		case r.coordinator: // its relay carries to all of them
			return false
		case task && system == dsar.Aggregator:
			return !r.aggregator
		case task:
			return r.worker == nil || !r.worker(system)
		case s.Name == event.TopicRequests:
			return !r.intake
		case s.Name == event.TopicReports:
			return !r.aggregator && r.worker == nil
		case s.Name == event.TopicEvents:
			return !r.letters
		default: // what can't be read is put aside by all of them
			return false
		}
	})
}

// checkTopics waits until the brokers and the topics are there, and names those
// that differ from the AsyncAPI document; they are left as they are.
func checkTopics(ctx context.Context, c bus.Config, want []bus.TopicSpec, log *slog.Logger) error {
	beat := time.NewTicker(topicInterval)
	defer beat.Stop()
	said := ""
	var last error
	for {
		findings, err := topics.Check(ctx, c, want)
		if err == nil {
			if err = missingTopics(findings); err == nil {
				warnOfTopics(findings, log)
				return nil
			}
		}
		if last == nil || ctx.Err() == nil { // the end of ctx is no news
			last = err
		}
		if text := last.Error(); text != said {
			said = text
			log.Warn("waiting for Kafka", "error", last)
		}
		select {
		case <-beat.C:
		case <-ctx.Done():
			return last
		}
	}
}

func missingTopics(findings []topics.Finding) error {
	var names []string
	for _, f := range findings {
		if f.State == topics.Missing {
			names = append(names, f.Topic)
		}
	}
	if names == nil {
		return nil
	}
	return fmt.Errorf("topics are missing: %s; create them with: habeas topics apply --config FILE", strings.Join(names, ", "))
}

func warnOfTopics(findings []topics.Finding, log *slog.Logger) {
	for _, f := range findings {
		for _, d := range f.Differences {
			log.Warn("a topic isn't as the AsyncAPI document has it; it is left as it is", "topic", f.Topic, "setting", d.Setting, "want", d.Want, "has", d.Has, "cure", d.Cure)
		}
		if f.Unseen {
			log.Info("a topic's settings can't be seen: this user may not (the ACL DescribeConfigs)", "topic", f.Topic)
		}
	}
}
