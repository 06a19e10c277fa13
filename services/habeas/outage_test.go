package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/google/uuid"

	"habeas.dev/pkg/dsar"
	"habeas.dev/services/habeas/node"
	"habeas.dev/services/habeas/upstream"
	"habeas.dev/services/internal/broker"
	"habeas.dev/services/internal/config"
)

// TestKafkaAway starts everything while Kafka is away. The door is open, and says what
// isn't well; each process writes of the outage once; when Kafka comes, what was taken in
// is answered.
func TestKafkaAway(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("starts six processes")
	}
	dir := filepath.Join(t.TempDir(), "kafka")
	b, err := broker.Start(t.Context(), broker.Config{Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	f := newFleet(t, []string{b.Addr()}, "", 20)
	b.Close()

	door := f.start("intake", "--listen", "127.0.0.1:0", "--monitor", "127.0.0.1:0")
	others := []*member{f.start("coordinator", "--monitor", "127.0.0.1:0"), f.start("aggregator", "--monitor", "127.0.0.1:0"), f.start("letters", "--monitor", "127.0.0.1:0")}
	for _, half := range f.halves("") {
		others = append(others, f.start(append(append([]string{"worker"}, half...), "--monitor", "127.0.0.1:0")...))
	}
	if status, said := readyz(t, door); status != http.StatusOK || said.Status != "degraded" || !strings.HasPrefix(said.cause("kafka"), "they can't be used") || said.cause("journal") != "" {
		t.Errorf("intake: %d %+v", status, said)
	}
	for _, m := range others {
		if status, said := readyz(t, m); status != http.StatusServiceUnavailable || said.cause("kafka") == "" || strings.Contains(strings.Join(said.Problems, ""), "127.0.0.1") {
			t.Errorf("%v: %d %+v", m.args, status, said)
		}
	}
	p := &pipeline{T: t, people: f.people, n: &node.Node{Config: f.cfg, Installation: f.in}}
	var ids []string
	for n := 1; n <= 10; n++ {
		r := upstream.Request{ID: uuid.NewString(), Right: dsar.Access, Jurisdiction: "EEA", Locale: "en", Source: "test", ReceivedAt: received, Email: f.people.Person(n).Email}
		if _, err := upstream.Post(t.Context(), door.url, "", r.JSON()); err != nil {
			t.Fatal(err)
		}
		ids = append(ids, r.ID)
	}

	_, port, err := net.SplitHostPort(b.Addr())
	if err != nil {
		t.Fatal(err)
	}
	at, err := strconv.Atoi(port)
	if err != nil {
		t.Fatal(err)
	}
	if b, err = broker.Start(t.Context(), broker.Config{Dir: dir, Port: at}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(b.Close)
	p.wait(ids...)
	for _, m := range append(others, door) {
		lines := 0
		for line := range strings.Lines(m.logs.String()) {
			if strings.Contains(line, "level=WARN") || strings.Contains(line, "level=ERROR") {
				lines++
			}
			if strings.Contains(line, "[redacted]") {
				t.Errorf("%v: %s", m.args, line)
			}
		}
		// Each consumer group and the relay may say so once, and the start.
		if most := 3 + len(m.args); lines > most {
			t.Errorf("%v: %d lines of one outage, want %d at most:\n%s", m.args, lines, most, m.logs.String())
		}
		m.stopGently()
	}
}

// readiness is what /readyz says.
type readiness struct {
	Status   string
	Problems []string
	Checks   []struct {
		Check, Cause string
		OK           bool
	}
}

func (r readiness) cause(check string) string {
	for _, c := range r.Checks {
		if c.Check == check {
			return c.Cause
		}
	}
	return "there is no such check"
}

var healthAt = regexp.MustCompile(`health (http://\S+)`)

// readyz asks a member how it is.
func readyz(t *testing.T, m *member) (status int, said readiness) {
	t.Helper()
	at := healthAt.FindStringSubmatch(m.said)
	if at == nil {
		t.Fatalf("%v has no monitor: %s", m.args, m.said)
	}
	res, err := http.Get(at[1] + "/readyz")
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	if err := json.NewDecoder(res.Body).Decode(&said); err != nil {
		t.Fatal(err)
	}
	return res.StatusCode, said
}

// TestLogsAreJSON: where logs are JSON, all that a service writes is, from what keeps it
// from starting to its end.
func TestLogsAreJSON(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for name, one := range map[string]struct{ config, want string }{
		"a field that nobody knows": {"log: {format: json}\nsystem: {}\n", "the service ends"},
		"no Kafka is configured":    {"log: {format: json}\nsystems: {account: {dsn: x}}\n", "the service ends"},
	} {
		file := filepath.Join(dir, strings.ReplaceAll(name, " ", "-")+".yaml")
		if err := os.WriteFile(file, []byte(one.config), 0o600); err != nil {
			t.Fatal(err)
		}
		cmd := command(t.Context(), "letters", "--config", file)
		out, err := cmd.CombinedOutput()
		if err == nil {
			t.Errorf("%s: it started", name)
		}
		last := ""
		for lines := bufio.NewScanner(bytes.NewReader(out)); lines.Scan(); {
			var line struct{ Msg, Error string }
			if err := json.Unmarshal(lines.Bytes(), &line); err != nil {
				t.Errorf("%s: %q isn't JSON", name, lines.Text())
			}
			last = line.Msg
		}
		if last != one.want {
			t.Errorf("%s: it ends with %q, want %q\n%s", name, last, one.want, out)
		}
	}

	u := newUp(t)
	if err := os.WriteFile(filepath.Join(u.dir, config.File), []byte("listen: 127.0.0.1:0\nlog: {format: json}\nsandbox: {people: 3}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := command(t.Context(), "up", "--data", u.dir)
	logs, err := cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	up := false
	for lines := bufio.NewScanner(logs); lines.Scan(); {
		var line struct{ Msg string }
		if err := json.Unmarshal(lines.Bytes(), &line); err != nil {
			t.Errorf("%q isn't JSON", lines.Text())
		}
		if line.Msg == "up" {
			up = true
			if err := cmd.Process.Signal(os.Interrupt); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := cmd.Wait(); err != nil || !up {
		t.Errorf("up %v, %v", up, err)
	}
}
