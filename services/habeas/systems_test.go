package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/uuid"

	"habeas.dev/pkg/dsar"
	"habeas.dev/services/internal/config"
	"habeas.dev/services/internal/core"
	"habeas.dev/services/internal/installation"
)

// TestSystemsCommands: rename and retire say first what they would do, and then do it in
// each request that may still ask the system, once, as facts with who and why; neither is
// done while the configuration has the old name.
func TestSystemsCommands(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	file := filepath.Join(dir, "habeas.yaml")
	if err := os.WriteFile(file, fmt.Appendf(nil, "data: %s\nsystems: {account: {elsewhere: true}}\n", dir), 0o600); err != nil {
		t.Fatal(err)
	}
	cfg, err := config.Load(file)
	if err != nil {
		t.Fatal(err)
	}
	in, err := installation.Make(t.Context(), cfg, installation.Parts{Journal: true, Vault: true, Outbox: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = in.Close() })
	accept := func(right dsar.Right, systems ...string) string {
		t.Helper()
		a := core.Accepted{RequestID: uuid.NewString(), Right: right, Jurisdiction: "EEA", ReceivedAt: now(), AcceptedAt: now(), Source: "test", Digest: "d",
			Identifiers: []dsar.Identifier{{Type: "email", Fingerprint: "f", Sealed: []byte{1}, Assurance: dsar.AssuranceVerified}}}
		for _, name := range systems {
			a.Systems = append(a.Systems, dsar.System{Name: name, Abilities: []dsar.Action{dsar.Gather, dsar.Erase}, Needs: []dsar.IdentifierType{"email"}})
		}
		if _, err := in.Requests.Accept(t.Context(), a); err != nil {
			t.Fatal(err)
		}
		return a.RequestID
	}
	call := func(want int, line string, parts ...string) {
		t.Helper()
		cmd := command(t.Context(), exampleWords(line+" --config "+file)...)
		cmd.Env = append(cmd.Env, "HABEAS_USER=lea")
		status, out := ran(t, cmd)
		if status != want {
			t.Errorf("%s: status %d, want %d", line, status, want)
		}
		for _, p := range parts {
			if !strings.Contains(out, p) {
				t.Errorf("%s: nothing of %q in: %s", line, p, out)
			}
		}
	}
	state := func(id string) core.State {
		t.Helper()
		s, err := in.Requests.State(t.Context(), id)
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	renamed, other, both := accept(dsar.Access, "accounts", "shop"), accept(dsar.Access, "shop"), accept(dsar.Erasure, "account", "accounts")

	call(1, `systems rename account users --reason why`, "no system users")
	call(1, `systems retire account --on 2026-11-01 --reason why`, "has a system account still")
	call(0, `systems rename accounts account --reason moved`, "in 2 open requests, and in 0 answered", "Nothing is done yet")
	if v := state(renamed).Version; v != state(other).Version+1 { // a task more
		t.Errorf("something was done: version %d", v)
	}
	call(1, `systems rename accounts account --reason moved --yes`, both, "reaches a system account already", "in 1 open requests, and in 0 answered", "1 refused")
	if s := state(renamed); len(s.Renamed) != 1 || s.Task("account", dsar.Gather).Status != core.TaskIsSent || s.Task("account", dsar.Gather).Attempt != 2 {
		t.Errorf("%+v", s.Tasks)
	}
	call(0, `systems retire shop --on 2026-11-01 --reason closed --yes`, "in 2 open requests")
	for _, id := range []string{renamed, other} {
		s := state(id)
		if len(s.Retired) != 1 || s.Retired[0].On.Format("2006-01-02") != "2026-11-01" || s.Task("shop", dsar.Gather).End.Outcome != dsar.NotApplicable {
			t.Errorf("%+v", s.Retired)
		}
	}
	call(0, `systems retire shop --on 2026-11-01 --reason closed --yes`, "No request may still ask a system shop")
	call(1, `systems retire accounts --on 2126-11-01 --reason closed --yes`, "lie behind")
	call(0, `trace `+renamed, "accounts is called account now, lea (", "out of use since 2026-11-01, lea (")
}
