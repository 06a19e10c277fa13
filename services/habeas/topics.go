package main

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"io"
	"os"
	"text/tabwriter"
	"time"

	"habeas.dev/pkg/bus"
	"habeas.dev/services/habeas/node"
	"habeas.dev/services/internal/terminal"
	"habeas.dev/services/internal/topics"
)

// topicsTime bounds what the brokers may take once they answer.
const topicsTime = 30 * time.Second

type topicsCommand struct {
	Apply topicsApplyCommand `cmd:"" help:"Create the topics that are missing."`
	Check topicsCheckCommand `cmd:"" help:"Compare the topics with what they should be, and change nothing."`

	Access topicsAccessCommand `cmd:"" help:"Print what each service's user may do on the cluster, as a script of kafka-acls or for Strimzi."`
	Grant  topicsGrantCommand  `cmd:"" help:"Grant each service's user on the cluster what it may do, as its administrator."`
}

// topicsFlags says which topics, of which cluster.
type topicsFlags struct {
	installationFlags
	Replication int           `help:"How many replicas each topic is to have, for a cluster with fewer than three brokers; to stay, it belongs into the configuration (topics: {replication: N})." placeholder:"N"`
	JSON        bool          `help:"Print JSON, one topic a line."`
	Wait        time.Duration `help:"How long to wait for a cluster that doesn't answer yet, as when both are just starting." placeholder:"TIME"`
}

type topicsApplyCommand struct {
	topicsFlags
	DryRun bool `help:"Only have the brokers say whether they would create them."`
}

type topicsCheckCommand struct{ topicsFlags }

// Help returns what habeas topics apply --help says beyond its flags.
func (*topicsApplyCommand) Help() string {
	return `Creates the topics of the AsyncAPI document (dsar.requests, dsar.reports,
dsar.events, dsar.rejected, and dsar.tasks.SYSTEM for each system in the
configuration) with its partitions, replicas and settings. A topic that exists is
never altered: where it differs, the setting is named with what is wanted, what it
has, and the command that cures it, and the exit status is 1.

Run it before the services start, and again when a system is added:
  habeas topics apply --config habeas.yaml --dry-run
  habeas topics apply --config habeas.yaml

On a cluster of one broker:
  habeas topics apply --config habeas.yaml --replication 1

Where a topic is meant to have more partitions, the configuration says so:
  topics: {replication: 3, partitions: {dsar.tasks.salesforce: 12}}

The user needs the ACLs Describe, DescribeConfigs and Create on these topics.`
}

// Help returns what habeas topics check --help says beyond its flags.
func (*topicsCheckCommand) Help() string {
	return `Compares the cluster's topics with the AsyncAPI document, and prints each
difference with the command that cures it. Exit status 0: all is as it should be;
1: a topic is missing or differs. Every service makes the same comparison of its
own topics when it starts.

  habeas topics check --config habeas.yaml
  habeas topics check --config habeas.yaml --json | jq 'select(.state != "ok")'`
}

// Run creates what is missing.
func (c *topicsApplyCommand) Run(ctx context.Context) error {
	return c.run(ctx, func(ctx context.Context, b bus.Config, want []bus.TopicSpec) ([]topics.Finding, error) {
		return topics.Apply(ctx, b, want, c.DryRun)
	})
}

// Run compares.
func (c *topicsCheckCommand) Run(ctx context.Context) error { return c.run(ctx, topics.Check) }

func (f topicsFlags) run(ctx context.Context, do func(context.Context, bus.Config, []bus.TopicSpec) ([]topics.Finding, error)) error {
	cfg, err := f.config()
	if err != nil {
		return err
	}
	if len(cfg.Kafka.Brokers) == 0 {
		return errors.New("no Kafka cluster is configured: name its brokers under kafka: in the configuration (the embedded broker of habeas up makes its topics itself)")
	}
	b, err := cfg.Kafka.Config()
	if err != nil {
		return err
	}
	b.ClientID = cmp.Or(b.ClientID, "habeas-topics")
	manifests, err := node.Manifests(cfg)
	if err != nil {
		return err
	}
	deviation := cfg.Topics
	deviation.Replication = cmp.Or(f.Replication, deviation.Replication)
	if err := deviation.Check(); err != nil {
		return err
	}
	want, err := node.Topics(manifests, deviation)
	if err != nil {
		return err
	}
	if err := f.awaitBrokers(ctx, b, want); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, topicsTime)
	defer cancel()
	findings, err := do(ctx, b, want)
	if err != nil {
		return err
	}
	if err := f.print(os.Stdout, findings); err != nil {
		return err
	}
	if len(topics.Problems(findings)) > 0 {
		return errSilent
	}
	return nil
}

// awaitBrokers waits until the cluster answers, for as long as asked.
func (f topicsFlags) awaitBrokers(ctx context.Context, b bus.Config, want []bus.TopicSpec) error {
	if f.Wait == 0 {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, f.Wait)
	defer cancel()
	_, err := topics.Await(ctx, b, want, topics.Any, func(error) {})
	return err
}

func (f topicsFlags) print(w io.Writer, findings []topics.Finding) error {
	if f.JSON {
		lines := json.NewEncoder(w)
		for _, f := range findings {
			if err := lines.Encode(f); err != nil {
				return err
			}
		}
		return nil
	}
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	for _, f := range findings {
		note := ""
		if f.Unseen {
			note = "its settings can't be seen: this user may not (the ACL DescribeConfigs)"
		}
		terminal.Printf(table, "%s\t%s\t%s\n", f.Topic, f.State, note)
	}
	if err := table.Flush(); err != nil {
		return err
	}
	for _, f := range findings {
		if f.State == topics.Missing {
			terminal.Printf(w, "\n%s is missing\n  cure: habeas topics apply\n", f.Topic)
		}
		for _, d := range f.Differences {
			terminal.Printf(w, "\n%s: %s is %s, should be %s\n  cure: %s\n", f.Topic, d.Setting, d.Has, d.Want, d.Cure)
		}
	}
	return nil
}
