package main

import (
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/uuid"

	"habeas.dev/pkg/dsar"
	"habeas.dev/services/habeas/node"
	"habeas.dev/services/habeas/upstream"
	"habeas.dev/services/internal/broker"
)

// TestProcesses runs each service in processes of its own, several of most, and
// kills one after the other while requests come in. Every request ends, and the
// bundles hold what the seeds have.
func TestProcesses(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("starts a dozen processes")
	}
	b, err := broker.Start(t.Context(), broker.Config{Dir: filepath.Join(t.TempDir(), "kafka")})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(b.Close)
	f := newFleet(t, []string{b.Addr()}, "", 200)
	door := f.start("intake", "--listen", "127.0.0.1:0")
	others := []*member{f.start("coordinator"), f.start("coordinator"), f.start("aggregator"), f.start("aggregator"), f.start("letters")}
	halves := f.halves("")
	for _, some := range append(halves, halves[0]) { // one half twice
		others = append(others, f.start(append([]string{"worker"}, some...)...))
	}
	f.settle()
	random := rand.New(rand.NewPCG(uint64(os.Getpid()), 1)) //nolint:gosec // any will do
	p := &pipeline{T: t, people: f.people, n: &node.Node{Config: f.cfg, Installation: f.in}}
	var ids []string
	for n := 1; n <= 40; n++ {
		r := upstream.Request{ID: uuid.NewString(), Right: dsar.Access, Jurisdiction: "EEA", Locale: "en", Source: "test", ReceivedAt: received, Email: f.people.Person(n).Email}
		if _, err := upstream.Post(t.Context(), door.url, "", r.JSON()); err != nil {
			t.Fatal(err)
		}
		ids = append(ids, r.ID)
		if n%10 == 0 {
			// The broker here, which is not Kafka, never gives up a member that was
			// killed while its group was at joining: one death at a time.
			f.settle()
			others[random.IntN(len(others))].restart()
		}
	}
	p.wait(ids...)
	for i, id := range ids {
		p.holds(id, i+1)
	}
	for _, m := range append(others, door) {
		m.stopGently()
	}
}
