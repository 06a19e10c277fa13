package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestToken: a token is made, listed without what opens the door, and revoked; each
// mistake is one line with its cure.
func TestToken(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	file := filepath.Join(dir, "habeas.yaml")
	write(t, file, "data: "+dir+"\ncallers: {signup-page: {}}\nsystems: {}\n")
	call := func(args ...string) (out, problems string, err error) {
		cmd := command(t.Context(), append([]string{"token"}, args...)...)
		cmd.Env = append(os.Environ(), asProgram+"=1", "HABEAS_CONFIG="+file, "HABEAS_USER=lea")
		var o, e bytes.Buffer
		cmd.Stdout, cmd.Stderr = &o, &e
		err = cmd.Run()
		return o.String(), e.String(), err
	}
	token, said, err := call("create", "signup-page", "--for", "24h")
	if err != nil || !strings.HasPrefix(token, "habeas_") || strings.Count(token, "\n") != 1 || !strings.Contains(said, "shown this once") {
		t.Fatalf("%v %q %q", err, token, said)
	}
	id := strings.Split(token, "_")[1]
	list, _, err := call("list")
	if err != nil || !strings.Contains(list, id) || !strings.Contains(list, "signup-page") || !strings.Contains(list, "lea") || strings.Contains(list, strings.Split(strings.TrimSpace(token), "_")[2]) {
		t.Errorf("%v %s", err, list)
	}
	for _, c := range []struct {
		args []string
		want string
	}{
		{[]string{"create", "nobody"}, "signup-page"}, {[]string{"create", "signup-page", "--for", "9000h"}, "from a minute to a year"}, {[]string{"revoke", "other"}, "habeas token list"},
	} {
		if _, problems, err := call(c.args...); err == nil || !strings.Contains(problems, c.want) || strings.Count(problems, "\n") != 1 {
			t.Errorf("%v: %v %s", c.args, err, problems)
		}
	}
	if _, problems, err := call("revoke", id); err != nil {
		t.Errorf("%v %s", err, problems)
	}
	lines, _, err := call("list", "--json")
	var one struct{ ID, Caller, By, Revoked string }
	if err != nil || json.Unmarshal([]byte(lines), &one) != nil || one.ID != id || !strings.HasPrefix(one.By, "lea <local@") || one.Revoked == "" || strings.Contains(lines, `"hash":"`) {
		t.Errorf("%v %s", err, lines)
	}
}

// TestOpenDoor: a door that strangers reach isn't opened without callers, by whichever
// way its address comes.
func TestOpenDoor(t *testing.T) {
	t.Parallel()
	for _, address := range []string{"0.0.0.0:0", ":0", "[::]:0", "192.0.2.1:8420", "habeas.example.com:8420"} {
		dir := t.TempDir()
		file := filepath.Join(dir, "habeas.yaml")
		write(t, file, fmt.Sprintf("data: %s\nlisten: %q\nsandbox: {seed: 1, people: 200}\n", dir, address))
		for _, args := range [][]string{{"up", "--config", file}, {"config", "check", file}, {"up", "--data", t.TempDir(), "--listen", address}} {
			if args[0] == "up" && args[1] == "--data" {
				write(t, filepath.Join(args[2], "habeas.yaml"), "sandbox: {seed: 1, people: 200}\n")
			}
			out, err := command(t.Context(), args...).CombinedOutput()
			if err == nil || !strings.Contains(string(out), "without callers") || bytes.Count(out, []byte("\n")) != 1 {
				t.Errorf("%v: %v %s", args, err, out)
			}
		}
	}
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}
