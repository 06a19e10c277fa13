package main

import (
	"encoding/json"
	"os"

	"habeas.dev/services/habeas/node"
	"habeas.dev/services/internal/topics"
)

type topicsAccessCommand struct {
	installationFlags
	Format  string `help:"kafka-acls: a script; strimzi: KafkaTopic and KafkaUser; json: one user a line." enum:"kafka-acls,strimzi,json" default:"kafka-acls"`
	Cluster string `help:"The cluster's name, for Strimzi." default:"kafka" placeholder:"NAME"`
}

// Help implements kong.HelpProvider.
func (topicsAccessCommand) Help() string {
	return `Each service and each worker has a user of its own, which may read and write what its
work needs, and no more: a worker can't read another's tasks, and nobody but the
coordinator sends any. Users are named habeas-intake, habeas-worker-billing and so on;
habeas-producer is who sends requests by Kafka, habeas-follower who follows the facts,
habeas-operator who looks at what was rejected, and how far all are, and
habeas-reconciler who runs habeas reconcile.
Nothing is connected to.

  habeas topics access --config habeas.yaml > acls.sh
  KAFKA_ACLS='kafka-acls.sh --bootstrap-server kafka:9093 --command-config admin.properties' sh acls.sh
  habeas topics access --config habeas.yaml --format strimzi --cluster my-cluster | kubectl apply -f -`
}

// Run prints.
func (c *topicsAccessCommand) Run() error {
	cfg, err := c.config()
	if err != nil {
		return err
	}
	manifests, err := node.Manifests(node.WithSandbox(cfg))
	if err != nil {
		return err
	}
	all := topics.Accesses(node.Systems(manifests))
	switch c.Format {
	case "strimzi":
		specs, err := node.Topics(manifests, cfg.Topics)
		if err != nil {
			return err
		}
		return topics.WriteStrimzi(os.Stdout, c.Cluster, specs, all)
	case "json":
		lines := json.NewEncoder(os.Stdout)
		for _, a := range all {
			if err := lines.Encode(struct {
				User string       `json:"user"`
				ACLs []topics.ACL `json:"acls"`
			}{a.User, a.ACLs()}); err != nil {
				return err
			}
		}
		return nil
	default:
		return topics.WriteScript(os.Stdout, all)
	}
}
