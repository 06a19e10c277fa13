package browsertest

import (
	"bufio"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// ClientID and Secret are the console's at the provider.
const (
	ClientID = "habeas-console"
	Secret   = "a secret of the test"
)

// Provider starts a provider of OpenID Connect for a console at an address, and
// returns its issuer. It ends with the test. See provider.mjs for who is known.
func Provider(t *testing.T, home string) (issuer string) {
	t.Helper()
	Skip(t)
	cmd := exec.CommandContext(t.Context(), "node", filepath.Join(filepath.Dir(tools()), "provider.mjs"), home)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	var complaints strings.Builder
	cmd.Stderr = &complaints
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Wait() }) // it is killed with the test's context
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		if issuer = strings.TrimSpace(lines.Text()); strings.HasPrefix(issuer, "http://127.0.0.1:") {
			return issuer
		}
	}
	_ = cmd.Wait() // what it complained of is whole then
	t.Fatalf("the provider doesn't start: %s", complaints.String())
	return ""
}
