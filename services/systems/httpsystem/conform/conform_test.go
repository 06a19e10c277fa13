package conform

import (
	"context"
	"database/sql"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"go.yaml.in/yaml/v3"
	_ "modernc.org/sqlite" // the Python service's store

	"habeas.dev/pkg/manifest"
	"habeas.dev/pkg/worker"
	"habeas.dev/schemas"
	"habeas.dev/services/internal/thirdparty"
)

const (
	examples = "../../../../docs/examples"
	secret   = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSwMfKQ9r8GKYqrTwjU"
)

// start starts a service on a free port, and returns its address once it listens.
func start(t *testing.T, dir, program string, args ...string) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := l.Addr().String()
	l.Close()
	_, port, _ := net.SplitHostPort(address)
	c := exec.CommandContext(t.Context(), program, args...)
	c.Dir = dir
	c.Env = append(os.Environ(), "HABEAS_SECRET="+secret, "PORT="+port)
	c.Stderr = os.Stderr
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = c.Process.Kill()
		_ = c.Wait()
	})
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	var d net.Dialer
	for {
		conn, err := d.DialContext(ctx, "tcp", address)
		if err == nil {
			conn.Close()
			return "http://" + address
		}
		if ctx.Err() != nil {
			t.Fatal("the service doesn't listen")
		}
		select {
		case <-ctx.Done():
		case <-time.After(20 * time.Millisecond): // until it listens
		}
	}
}

// results asks a service, and returns what came of each check.
func results(t *testing.T, folder, url string) map[string]error {
	t.Helper()
	m, err := manifest.Load(filepath.Join(examples, folder, "manifest.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	of := func(email string) Subject { return Subject{worker.Identifier{Type: "email", Value: email}} }
	out := map[string]error{}
	err = Run(t.Context(), Config{URL: url, Secret: secret, Manifest: m, Subjects: []Subject{of("anna@example.com"), of("bob@example.com")}, Erase: true}, func(r Result) {
		if r.Skipped != "" {
			t.Errorf("%s: skipped: %s", r.Check, r.Skipped)
		}
		out[r.Check] = r.Err
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// python starts the service of docs/examples/python, with its text changed.
func python(t *testing.T, change func(string) string) string {
	t.Helper()
	if _, err := exec.LookPath("python3"); err != nil {
		t.Skip("python3 is missing")
	}
	dir := t.TempDir()
	if err := os.CopyFS(dir, os.DirFS(filepath.Join(examples, "python"))); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(dir, "service.py")
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, []byte(change(string(text))), 0o600); err != nil {
		t.Fatal(err)
	}
	schema, err := os.ReadFile(filepath.Join(dir, "schema.sql"))
	if err != nil {
		t.Fatal(err)
	}
	db, err := sql.Open("sqlite", filepath.Join(dir, "desk.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if _, err := db.ExecContext(t.Context(), string(schema)); err != nil {
		t.Fatal(err)
	}
	return start(t, dir, "python3", "service.py", "desk.db")
}

// TestPython: the example in Python's standard library keeps the contract.
func TestPython(t *testing.T) {
	t.Parallel()
	url := python(t, func(s string) string { return s })
	thirdparty.Run(t, filepath.Join(examples, "python"), "python3", "-B", "test_service.py")
	for check, err := range results(t, "python", url) {
		if err != nil {
			t.Errorf("%s: %v", check, err)
		}
	}
}

// TestTypeScript: the example in TypeScript does, built as its readers build it.
func TestTypeScript(t *testing.T) {
	t.Parallel()
	dir := thirdparty.Installed(t, filepath.Join(examples, "typescript"))
	thirdparty.Run(t, dir, "npm", "test")
	for check, err := range results(t, "typescript", start(t, dir, "node", "service.js", "courses.json")) {
		if err != nil {
			t.Errorf("%s: %v", check, err)
		}
	}
}

// TestStatusesAreTheContracts: what the kit takes for a refusal is what the contract has for it.
func TestStatusesAreTheContracts(t *testing.T) {
	t.Parallel()
	text, err := schemas.Read("worker.openapi.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var contract struct {
		Paths map[string]struct {
			Post struct{ Responses map[string]any }
		}
	}
	if err := yaml.Unmarshal(text, &contract); err != nil {
		t.Fatal(err)
	}
	responses := contract.Paths["/v1/{action}"].Post.Responses
	for _, status := range slices.Concat(unsigned, contrary, unknownAction) {
		if responses[strconv.Itoa(status)] == nil {
			t.Errorf("the contract has no answer %d", status)
		}
	}
}

// TestExamplesAreShort: what a team must write is 150 lines at most, blank ones included.
func TestExamplesAreShort(t *testing.T) {
	t.Parallel()
	for _, file := range []string{"python/service.py", "typescript/service.ts"} {
		text, err := os.ReadFile(filepath.Join(examples, file))
		if err != nil {
			t.Fatal(err)
		}
		if n := strings.Count(string(text), "\n"); n > 150 {
			t.Errorf("%s has %d lines", file, n)
		}
	}
}

// TestMutants: a service that is wrong in one thing is told so by the check that is about
// it.
func TestMutants(t *testing.T) {
	t.Parallel()
	for _, m := range []struct{ name, was, is, check string }{
		{"takes any signature", "if not ours or", "if", "refuses a signature that isn't ours"},
		{"doesn't sign the body", "            mac.update(piece)\n", "", "gathers what it holds, the same again|takes one of two signatures, while the secret is changed"},
		{"takes any time", "> 300", "> 300000", "refuses a signature of long ago"},
		{"reads the first signature only", `.split()])`, `.split()[:1]])`, "takes one of two signatures, while the secret is changed"},
		{"reads cut bodies", `if last["end"]["lines"] != len(lines):`, "if False:", "refuses a body that was cut"},
		{"erases without a plan", "if action is erase and", "if False and", "erases nothing without a plan"},
		{"takes any action", `ACTIONS.get(self.path.removeprefix("/v1/"))`, `ACTIONS.get(self.path.removeprefix("/v1/"), gather)`, "knows no other action"},
		{"is another system", `"system": "desk"`, `"system": "till"`, "says what it is, as the manifest has it"},
		{"doesn't prove", `"prove": prove}`, `"proof": prove}`, "says what it is, as the manifest has it"},
		{"gathers by pattern", `where = f"lower(email) IN ({','.join('?' * len(emails))})"`, `where = "(" + " OR ".join(["lower(email) LIKE ?"] * len(emails)) + ")"`, "takes an identifier for what it is"},
		{"gathers everybody's", `where = f"lower(email) IN ({','.join('?' * len(emails))})"`, `where = f"1 OR lower(email) IN ({','.join('?' * len(emails))})"`, "gathers nothing of nobody"},
		{"gives something else again", `yield {"dataset": dataset, "record": record}`, `yield {"dataset": dataset, "record": record | {"email": str(time.time_ns())}}`, "gathers what it holds, the same again"},
		{"quotes in an error", `return self.begin(400)`, `return self.begin(400, body.seek(0) or body.read(200).decode().replace("\n", " "))`, "quotes nobody in an error"},
		{"plans twice", "        yield planned(dataset, record)\n\n\ndef erase", "        yield planned(dataset, record)\n        yield planned(dataset, record)\n\n\ndef erase", "plans each record once, the same again"},
		{"plans what may go only", "        yield planned(dataset, record)\n\n\ndef erase", "        if dataset == \"tickets\":\n            yield planned(dataset, record)\n\n\ndef erase", "plans as many records as it gathers"},
		{"finds by the key alone", ` if not anothers(task, r))`, `)`, "finds nothing of somebody else's under a planned key"},
		{"says it erased, and didn't", `        db.execute(f"DELETE FROM {dataset} WHERE number = ?", [key])` + "\n", "", "erases what was planned, and nobody else's"},
		{"erases more", `db.execute(f"DELETE FROM {dataset} WHERE number = ?", [key])`, `db.execute(f"DELETE FROM {dataset}")`, "erases what was planned, and nobody else's"},
		{"erases in no order", `for dataset, key in keys:` + "\n        yield erase_one", `for dataset, key in reversed(list(keys)):` + "\n        yield erase_one", "erases what was planned, and nobody else's"},
		{"fails on what is gone", `"did": "gone"}`, `"did": "missing"}`, "erases what is gone already"},
	} {
		t.Run(m.name, func(t *testing.T) {
			t.Parallel()
			url := python(t, func(text string) string {
				if strings.Count(text, m.was) != 1 {
					t.Fatalf("%q stands %d times in service.py", m.was, strings.Count(text, m.was))
				}
				return strings.Replace(text, m.was, m.is, 1)
			})
			got := results(t, "python", url)
			for check := range strings.SplitSeq(m.check, "|") {
				if got[check] == nil {
					t.Errorf("it passes %q: %s", check, fmt.Sprint(got))
				}
			}
		})
	}
}
