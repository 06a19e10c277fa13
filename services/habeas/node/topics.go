package node

import (
	"context"
	"log/slog"
	"sync/atomic"

	"habeas.dev/pkg/bus"
	"habeas.dev/pkg/dsar"
	"habeas.dev/pkg/manifest"
	"habeas.dev/pkg/telemetry"
	"habeas.dev/services/internal/topics"
)

// Topics returns the topics of an installation with these systems: those that the
// AsyncAPI document names, and one of tasks for each worker.
func Topics(manifests []*manifest.Manifest, d topics.Deviation) ([]bus.TopicSpec, error) {
	return topics.Wanted(taskTopics(manifests), d)
}

// Systems returns the names of the systems that have manifests.
func Systems(manifests []*manifest.Manifest) []string {
	names := make([]string, len(manifests))
	for i, m := range manifests {
		names[i] = m.System
	}
	return names
}

// taskTopics returns the names for which there is a topic of tasks.
func taskTopics(manifests []*manifest.Manifest) []string {
	return append([]string{dsar.Aggregator}, Systems(manifests)...)
}

// awaitTopics checks the topics where the brokers answer. Where they don't, the start
// goes on, and the check comes when they do: what is taken on meanwhile waits in the
// journal. Topics that are missing then end the process, as they do at a start.
func (n *Node) awaitTopics(ctx context.Context, c bus.Config, want []bus.TopicSpec) error {
	if len(want) == 0 { // asked for none, a cluster names them all
		return nil
	}
	waiting := func(err error) { n.log.Warn("waiting for Kafka", "error", err) }
	first, cancel := context.WithTimeout(ctx, answerTime)
	defer cancel()
	_, err := topics.Check(first, c, want)
	if err == nil {
		return checkTopics(ctx, c, want, n.log)
	}
	waiting(err)
	var away atomic.Pointer[error]
	away.Store(&err)
	n.health.watch("kafka", func(context.Context) error {
		if err := away.Load(); err != nil {
			return *err
		}
		return nil
	})
	n.run("topics", func(ctx context.Context) error {
		if _, err := topics.Await(ctx, c, want, topics.Any, waiting); err != nil {
			return err
		}
		n.log.Info("Kafka answers")
		if err := checkTopics(ctx, c, want, n.log); err != nil {
			return err
		}
		away.Store(nil)
		<-ctx.Done()
		return nil
	})
	return nil
}

// checkTopics waits until the topics are there, and names those that differ from the
// AsyncAPI document; they are left as they are.
func checkTopics(ctx context.Context, c bus.Config, want []bus.TopicSpec, log *slog.Logger) error {
	ctx, cancel := context.WithTimeout(ctx, topicTime)
	defer cancel()
	findings, err := topics.Await(ctx, c, want, topics.NoneMissing, func(err error) { log.Warn("waiting for Kafka's topics", "error", telemetry.Vouch(err)) })
	if err != nil {
		return err
	}
	warnOfTopics(findings, log)
	return nil
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
