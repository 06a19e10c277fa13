package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/segmentio/kafka-go"

	"habeas.dev/pkg/bus"
	"habeas.dev/pkg/dsar"
	"habeas.dev/services/habeas/upstream"
	"habeas.dev/services/internal/core"
	"habeas.dev/services/internal/topics"
	"habeas.dev/services/sandbox/people"
)

// TestCompose asks, from the host, a Habeas in containers, by HTTP and by Kafka:
// each request ends, and its bundle holds what the seeds have, no more and no less.
// deploy/compose/test starts the containers.
func TestCompose(t *testing.T) {
	door := os.Getenv("HABEAS_TEST_COMPOSE")
	if door == "" {
		t.Skip("needs the containers: make test-compose")
	}
	p := &pipeline{T: t, people: people.Generate(people.Config{Seed: 1, People: 240})}
	var asked []upstream.Request
	for n := range 2 {
		asked = append(asked, upstream.Request{ID: upstream.NewID(), Right: dsar.Access, Jurisdiction: "EEA", Locale: "en", Source: "support-desk", ReceivedAt: now(),
			Email: p.people.Person(n + 1).Email})
	}
	token := string(bytes.TrimSpace(inContainer(t, "token", "create", "support-desk")))
	if _, err := upstream.Post(t.Context(), door, token, asked[0].JSON()); err != nil {
		t.Fatal(err)
	}
	sender := inCompose(t, topics.UserProducer)
	producer := upstream.NewWriter(sender.Brokers, as(t, sender).Transport)
	t.Cleanup(producer.Close)
	if err := producer.Publish(t.Context(), asked[1]); err != nil {
		t.Fatal(err)
	}
	for n, r := range asked {
		awaitCompletion(t, door, token, r.ID)
		data := inContainer(t, "bundle", "get", r.ID, "-o", "-")
		got, want := recordsIn(t, unpacked(t, r.ID, data)), p.seededIn(n+1, composedSystems(t))
		if !reflect.DeepEqual(got, want) {
			t.Errorf("person %d: %d records in the bundle, %d in the seeds: first that differs: %s", n+1, len(got), len(want), firstOther(got, want))
		}
	}
}

// inCompose returns how a user reaches the containers' Kafka from the host.
func inCompose(t *testing.T, user string) bus.Config {
	t.Helper()
	c, err := bus.Files{Brokers: []string{os.Getenv("HABEAS_TEST_COMPOSE_KAFKA")},
		SASL: bus.SASLFiles{Mechanism: bus.Plain, User: user, PasswordFile: filepath.Join(os.Getenv("HABEAS_TEST_COMPOSE_SECRETS"), "kafka_"+user)}}.Config()
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// TestComposeHostile: in the containers, on Apache Kafka and PostgreSQL, each user of Kafka
// may do what the table says and nothing else; and each component, by all that its container
// has, is refused what is another's: the journal's tables, another system's database,
// another's user of Kafka, rights that it gives itself, and answers.
func TestComposeHostile(t *testing.T) {
	if os.Getenv("HABEAS_TEST_COMPOSE") == "" {
		t.Skip("needs the containers: make test-compose")
	}
	holdToTable(t, composedSystems(t), func(user string) bus.Config { return inCompose(t, user) })
	if _, err := as(t, bus.Config{Brokers: inCompose(t, topics.UserProducer).Brokers}).Metadata(t.Context(), &kafka.MetadataRequest{}); err == nil {
		t.Error("who doesn't sign in is let in")
	}
	for component, container := range containers(t) {
		t.Run(component, func(t *testing.T) {
			t.Parallel()
			for what, c := range forbidden(component) {
				args := append([]string{"exec", "-e", c.env, container, "/habeas"}, c.call...)
				out, err := exec.CommandContext(t.Context(), "docker", args...).CombinedOutput() //nolint:gosec // the test's own
				if err == nil || !strings.Contains(strings.ToLower(string(out)), strings.ToLower(c.want)) {
					t.Errorf("%s isn't refused, or fails for another reason: %v %s", what, err, out)
				}
			}
		})
	}
}

// try is a call of habeas in a component's container, and what the refusal says.
type try struct {
	env  string
	call []string
	want string
}

// forbidden returns what no component but its owner may do, and what this one mayn't.
func forbidden(component string) map[string]try {
	other := "HABEAS_KAFKA_USER=habeas-coordinator"
	if component == "coordinator" {
		other = "HABEAS_KAFKA_USER=habeas-worker-account"
	}
	owner := "HABEAS_JOURNAL=postgres://habeas@postgres/habeas?passfile=/run/secrets/pgpass"
	tries := map[string]try{
		"the journal, as its owner": {owner, []string{"journal", "migrate"}, "journal"},
		"another's user of Kafka":   {other, []string{"topics", "check"}, "SASL"},
		"rights, granted by itself": {"X=", []string{"topics", "grant"}, "Cluster Authorization Failed"},
		"a system's database":       {"X=", []string{"try", "account", "email=nobody@example.net"}, "password"},
	}
	if component == "intake" {
		tries["what is sealed, by the master key"] = try{"X=", []string{"requests"}, "there is no master key"}
	}
	if component == "worker-marketplace" {
		tries["the journal, as itself"] = try{"HABEAS_JOURNAL=postgres://worker_marketplace@postgres/habeas?passfile=/run/secrets/pgpass", []string{"journal", "migrate"}, "journal"}
	}
	return tries
}

// containers returns the container of each component whose credentials are tried.
func containers(t *testing.T) map[string]string {
	t.Helper()
	out := map[string]string{}
	for _, pair := range strings.Fields(os.Getenv("HABEAS_TEST_COMPOSE_CONTAINERS")) {
		component, container, _ := strings.Cut(pair, "=")
		out[component] = container
	}
	if len(out) == 0 {
		t.Fatal("HABEAS_TEST_COMPOSE_CONTAINERS names no container")
	}
	return out
}

// inContainer returns what a command of habeas prints in a container.
func inContainer(t *testing.T, call ...string) []byte {
	t.Helper()
	args := strings.Fields(os.Getenv("HABEAS_TEST_COMPOSE_EXEC"))
	cmd := exec.CommandContext(t.Context(), args[0], append(args[1:], call...)...) //nolint:gosec // the test's own
	var problems bytes.Buffer
	cmd.Stderr = &problems
	data, err := cmd.Output()
	if err != nil {
		t.Fatalf("%v: %s", err, problems.String())
	}
	return data
}

// awaitCompletion asks the door where a request stands until it is completed.
func awaitCompletion(t *testing.T, door, token, id string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	beat := time.NewTicker(200 * time.Millisecond)
	defer beat.Stop()
	for {
		status, err := statusAt(ctx, door, token, id)
		switch {
		case err == nil && status == string(core.StatusCompleted):
			return
		case err == nil && core.Status(status).Ended(), err == nil && status == string(core.StatusNeedsAttention):
			t.Fatalf("request %s is %s", id, status)
		}
		select {
		case <-beat.C:
		case <-ctx.Done():
			t.Fatalf("request %s doesn't end: %s, %v", id, status, err)
		}
	}
}

func statusAt(ctx context.Context, door, token, id string) (string, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, door+"/v1/requests/"+id, nil)
	if err != nil {
		return "", err
	}
	req.Header.Set("Authorization", "Bearer "+token)
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return "", err
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusOK { // what comes by Kafka isn't known at once
		return "", fmt.Errorf("%s", res.Status)
	}
	var receipt struct{ Status string }
	err = json.NewDecoder(io.LimitReader(res.Body, 1<<20)).Decode(&receipt)
	return receipt.Status, err
}
