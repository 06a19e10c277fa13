package main

import (
	"archive/zip"
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"habeas.dev/services/internal/core"
	"habeas.dev/services/internal/signkey"
	"habeas.dev/services/internal/timeline"
)

// TestCommands goes a support agent's way at the command line, on a running
// installation.
func TestCommands(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("starts processes")
	}
	u := newUp(t)
	u.start()
	say := func(want int, args ...string) string {
		t.Helper()
		cmd := command(t.Context(), args...)
		cmd.Env = append(cmd.Env, "HABEAS_DATA="+u.dir, "HABEAS_USER=agent")
		status, out := ran(t, cmd)
		if status != want {
			t.Errorf("%v: status %d, want %d: %s", args, status, want, out)
		}
		if want != 0 && args[0] != "verify" && strings.Count(strings.TrimSpace(out), "\n") > 0 {
			t.Errorf("%v: more than one line: %s", args, out)
		}
		return out
	}
	holds := func(text string, parts ...string) {
		t.Helper()
		for _, p := range parts {
			if !strings.Contains(text, p) {
				t.Errorf("nothing of %q in:\n%s", p, text)
			}
		}
	}

	// A request that ends.
	access := killRequests()[3]
	file := filepath.Join(t.TempDir(), "request.json")
	if err := os.WriteFile(file, access.JSON(), 0o600); err != nil {
		t.Fatal(err)
	}
	var receipt struct {
		RequestID string `json:"request_id"`
		Status    string
	}
	if out := say(0, "submit", "-f", file, "--to", u.url); json.Unmarshal([]byte(out), &receipt) != nil || receipt.RequestID != access.ID || receipt.Status != "accepted" || strings.Count(out, "\n") != 1 {
		t.Errorf("submit: %s", out)
	}
	holds(say(0, "trace", access.ID, "--watch"), "accepted from test", "completed", "found by account from the email", "chain verified")
	var tr timeline.Trace
	if err := json.Unmarshal([]byte(say(0, "trace", access.ID, "--json")), &tr); err != nil || tr.Status != core.StatusCompleted || len(tr.Facts) < 10 {
		t.Errorf("trace --json: %v %+v", err, tr.Status)
	}
	holds(say(0, "requests"), access.ID[:8], "completed")
	holds(say(0, "requests", "--output", "csv"), "request_id,status,right", access.ID+",completed,access")
	holds(say(0, "trace", strings.ToUpper(access.ID[:8])), access.ID, "completed", "What may be done now: habeas deliver, deliver --passphrase, deliver --revoke, hold.")
	holds(say(0, "requests", "--email", strings.ToUpper(access.Email)), access.ID[:8])
	if searched := say(0, "searches"); strings.Count(searched, "  1  ") < 1 {
		t.Errorf("the search isn't written down: %s", searched)
	}
	holds(say(1, "requests", "--email", "-"), "nothing came by standard input: write the address there")
	if found := say(0, "requests", "--email", "nobody@example.net"); strings.Contains(found, access.ID[:8]) {
		t.Errorf("found by another's address: %s", found)
	}
	var line requestLine
	if err := json.Unmarshal([]byte(say(0, "requests", "--json")), &line); err != nil || line.RequestID != access.ID {
		t.Errorf("requests --json: %v %+v", err, line)
	}

	// Its answer.
	answer := filepath.Join(t.TempDir(), "answer.zip")
	say(0, "bundle", "get", access.ID, "-o", answer)
	holds(say(1, "bundle", "get", access.ID, "-o", answer), "exists")
	holds(say(0, "verify", answer), "is whole")
	keys := filepath.Join(t.TempDir(), "habeas.pub")
	if err := os.WriteFile(keys, []byte(say(0, "keys", "show")), 0o600); err != nil {
		t.Fatal(err)
	}
	holds(say(0, "verify", answer, "--key", keys), "signed by localhost/habeas/bundles")
	other, err := signkey.Create(filepath.Join(t.TempDir(), "k"), "localhost/habeas/bundles")
	if err != nil {
		t.Fatal(err)
	}
	holds(say(1, "verify", answer, "--key", other.Verifier), "none of the keys")
	holds(say(1, "verify", damaged(t, answer)), "index.html")

	// Its receipt, and the proof that others verify; then Habeas forgets the answer.
	slip := filepath.Join(t.TempDir(), "receipt")
	waitForReceipt(t, u.dir, access.ID)
	holds(say(0, "bundle", "get", access.ID, "-o", answer, "--force"), "READ ME FIRST", "answer.receipt.html is for the person")
	beside := strings.TrimSuffix(answer, ".zip") + ".receipt"
	holds(say(0, "verify", beside+".tlog-proof", "--document", beside+".json", "--key", keys), "stands in the log localhost/habeas/log")
	holds(say(0, "receipt", access.ID, "-o", slip), "leaf")
	if page, err := os.ReadFile(slip + ".html"); err != nil || !strings.Contains(string(page), access.ID) || !strings.Contains(string(page), "c2sp.org/tlog-proof@v1") {
		t.Errorf("the receipt's page lacks the request or the proof: %v", err)
	}
	holds(say(0, "verify", slip+".tlog-proof", "--document", slip+".json", "--key", keys), "stands in the log localhost/habeas/log")
	holds(say(1, "verify", slip+".tlog-proof", "--document", answer, "--key", keys), "doesn't prove")
	holds(say(0, "forget", access.ID, "--reason", "asked by the person"), "Forgotten")
	holds(say(1, "bundle", "get", access.ID, "-o", answer, "--force"), "destroyed")
	holds(say(0, "trace", access.ID), "records and answer are destroyed", "asked by the person")
	holds(say(0, "receipt", access.ID), access.ID, "completed")

	// The audit finds nothing; the export is written.
	holds(say(0, "audit", "--answers", "--export", filepath.Join(t.TempDir(), "journal.jsonl")), "Nothing was altered")

	// What can't be done says why.
	say(1, "retry", access.ID)
	holds(say(1, "cancel", access.ID, "--reason", "x"), "has ended", "what may be done now: habeas hold")
	holds(say(1, "trace", "9f0d6c0e-6f0f-4b43-9f0f-000000000000"), "habeas requests lists them")
	holds(say(2, "frobnicate"), "--help lists the commands")
	u.stopGently()
}

// damaged changes one byte of a bundle's page.
func damaged(t *testing.T, path string) string {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	r, err := zip.NewReader(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range r.File {
		if strings.HasSuffix(f.Name, "/data/index.html") {
			at, err := f.DataOffset()
			if err != nil {
				t.Fatal(err)
			}
			data[at+int64(f.CompressedSize64/2)] ^= 1 //nolint:gosec // sizes fit
		}
	}
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// waitForReceipt waits until an ended request has its receipt.
func waitForReceipt(t *testing.T, dir, id string) {
	t.Helper()
	in, err := installationFlags{Data: dir}.open(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	for {
		s, err := in.Requests.State(t.Context(), id)
		if err != nil {
			t.Fatal(err)
		}
		if s.Receipted {
			return
		}
		if err := in.Journal.Wait(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
}
