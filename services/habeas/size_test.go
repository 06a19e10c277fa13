package main

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/uuid"

	"habeas.dev/pkg/dsar"
	"habeas.dev/services/internal/config"
	"habeas.dev/services/internal/core"
	"habeas.dev/services/internal/installation"
)

// TestSize: what is there is counted where it lies, per request, and the request with most
// facts is named; nothing of the person is printed.
func TestSize(t *testing.T) {
	t.Parallel()
	cfg, err := config.ForData(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	in, err := installation.Make(t.Context(), cfg, installation.Parts{Journal: true, Vault: true, Outbox: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = in.Close() })
	var ids []string
	for range 2 {
		a := core.Accepted{RequestID: uuid.NewString(), Right: dsar.Access, Jurisdiction: "EEA", ReceivedAt: now(), AcceptedAt: now(), Source: "test", Digest: "d",
			Identifiers: []dsar.Identifier{{Type: "email", Fingerprint: "canary", Sealed: []byte{1}, Assurance: dsar.AssuranceVerified}},
			Systems:     []dsar.System{{Name: "shop", Abilities: []dsar.Action{dsar.Gather}, Needs: []dsar.IdentifierType{"email"}}}}
		if _, err := in.Requests.Accept(t.Context(), a); err != nil {
			t.Fatal(err)
		}
		if _, err := in.Vault.CreateKeys(t.Context(), a.RequestID); err != nil {
			t.Fatal(err)
		}
		ids = append(ids, a.RequestID)
	}
	if _, err := in.Requests.Do(t.Context(), ids[1], core.Note{By: "lea", Reason: "more", Now: now()}); err != nil {
		t.Fatal(err)
	}
	for name, n := range map[string]int{ids[0] + ".zip.age": 3000, "letters/" + ids[0] + ".1-confirmation.en.txt": 200, "letters/" + ids[1] + ".1-confirmation.en.txt": 300} {
		if err := in.Outbox.WriteAll(t.Context(), name, make([]byte, n), nil); err != nil {
			t.Fatal(err)
		}
	}
	all, err := measure(t.Context(), in, 1)
	if err != nil {
		t.Fatal(err)
	}
	part := func(room, name string) (out installation.Part) {
		for _, r := range all.Rooms {
			for _, p := range r.Parts {
				if r.Name == room && p.Name == name {
					out = p
				}
			}
		}
		return out
	}
	if a, l, k := part("outbox", "answer"), part("outbox", "letter"), part("keys", "keys"); a.Files != 1 || a.Bytes != 3000 || l.Files != 2 || l.Bytes != 500 || k.Files < 2 || k.Bytes == 0 {
		t.Errorf("%+v", all.Rooms)
	}
	facts := int64(0)
	for _, table := range all.Tables {
		if table.Table == "fact" {
			facts = table.Rows
		}
	}
	if all.Requests != 2 || facts < 5 || len(all.Largest) != 1 || all.Largest[0].RequestID != ids[1] || all.Largest[0].Status != core.StatusGathering {
		t.Errorf("%d requests, %d facts, largest %+v", all.Requests, facts, all.Largest)
	}
	var table, text bytes.Buffer
	if err := all.write(&table); err != nil {
		t.Fatal(err)
	}
	if err := json.NewEncoder(&text).Encode(all); err != nil {
		t.Fatal(err)
	}
	for _, out := range []string{table.String(), text.String()} {
		if strings.Contains(out, "canary") || !strings.Contains(out, "letter") || !strings.Contains(out, ids[1]) {
			t.Error(out)
		}
	}
	none, err := measure(t.Context(), in, 0)
	if err != nil {
		t.Fatal(err)
	}
	if out, err := json.Marshal(none); err != nil || !strings.Contains(string(out), `"largest":[]`) {
		t.Errorf("where none is asked for there is a list: %s, %v", out, err)
	}
}
