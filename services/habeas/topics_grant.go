package main

import (
	"context"
	"errors"
	"os"
	"time"

	"github.com/segmentio/kafka-go"

	"habeas.dev/services/habeas/node"
	"habeas.dev/services/internal/terminal"
	"habeas.dev/services/internal/topics"
)

type topicsGrantCommand struct {
	installationFlags
	Wait time.Duration `help:"How long to wait for a cluster that doesn't answer yet, as when both are just starting." placeholder:"TIME"`
}

// Help implements kong.HelpProvider.
func (topicsGrantCommand) Help() string {
	return `Does what the script of habeas topics access says: each user is granted what it may. The
configuration's kafka.sasl is an administrator of the cluster here, as no service is. The
users themselves, and their passwords, are yours to make. It takes no right away, and can
be run again.

  HABEAS_KAFKA_USER=admin HABEAS_KAFKA_PASSWORD_FILE=admin.password habeas topics grant --config habeas.yaml`
}

// Run grants.
func (c *topicsGrantCommand) Run(ctx context.Context) error {
	cfg, err := c.config()
	if err != nil {
		return err
	}
	if len(cfg.Kafka.Brokers) == 0 {
		return errors.New("no Kafka cluster is configured: name its brokers under kafka: in the configuration (the embedded broker of habeas up grants rights itself)")
	}
	b, err := cfg.Kafka.Config()
	if err != nil {
		return err
	}
	manifests, err := node.Manifests(node.WithSandbox(cfg))
	if err != nil {
		return err
	}
	specs, err := node.Topics(manifests, cfg.Topics)
	if err != nil {
		return err
	}
	if err := (topicsFlags{Wait: c.Wait}).awaitBrokers(ctx, b, specs); err != nil {
		return err
	}
	transport, err := b.Transport()
	if err != nil {
		return err
	}
	defer transport.CloseIdleConnections()
	all := topics.Accesses(node.Systems(manifests))
	client := &kafka.Client{Addr: kafka.TCP(b.Brokers...), Transport: transport, Timeout: topicsTime}
	if err := topics.Grant(ctx, client, topics.Grantees(all)); err != nil {
		return err
	}
	_, err = terminal.Printf(os.Stdout, "%d users may do what they need.\n", len(all))
	return err
}
