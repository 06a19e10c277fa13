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
	"reflect"
	"strings"
	"testing"
	"time"

	"habeas.dev/pkg/dsar"
	"habeas.dev/services/habeas/upstream"
	"habeas.dev/services/internal/core"
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
	kafka := upstream.NewWriter([]string{os.Getenv("HABEAS_TEST_COMPOSE_KAFKA")}, nil)
	t.Cleanup(kafka.Close)
	if err := kafka.Publish(t.Context(), asked[1]); err != nil {
		t.Fatal(err)
	}
	for n, r := range asked {
		awaitCompletion(t, door, token, r.ID)
		data := inContainer(t, "bundle", "get", r.ID, "-o", "-")
		got, want := recordsIn(t, unpacked(t, r.ID, data)), p.seeded(n+1)
		if !reflect.DeepEqual(got, want) {
			t.Errorf("person %d: %d records in the bundle, %d in the seeds: first that differs: %s", n+1, len(got), len(want), firstOther(got, want))
		}
	}
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
