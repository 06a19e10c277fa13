package bench

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"

	"go.yaml.in/yaml/v3"

	"habeas.dev/pkg/bus"
	"habeas.dev/services/internal/config"
	"habeas.dev/services/internal/topics"
)

// upLine is how `habeas up` says where its broker and its door are.
var upLine = regexp.MustCompile(`broker ([^\s,]+).* HTTP (http://[^\s,]+)`)

// there starts a program of any version as `habeas up` on a configuration, in a
// process of its own, and returns when it serves. One that doesn't know all that a
// load needs of a configuration gets what the oldest knew.
func there(ctx context.Context, program string, cfg config.Config) (t *target, err error) {
	perPerson := fmt.Sprintf("per_person: %d\n", cfg.PerPerson)
	var chosen string // those that know more systems are told which; the others have no more
	if s := cfg.Sandbox; s != nil && len(s.Systems) > 0 {
		chosen = ", systems: [" + strings.Join(s.Systems, ", ") + "], without_files: true"
	}
	for _, text := range [][]byte{append(known(cfg, chosen), perPerson...), append(known(cfg, ""), perPerson...), known(cfg, "")} {
		if t, err = up(ctx, program, cfg, text); err == nil {
			break
		}
	}
	return t, err
}

func up(ctx context.Context, program string, cfg config.Config, text []byte) (*target, error) {
	file := filepath.Join(cfg.Data, config.File)
	if err := os.WriteFile(file, text, 0o600); err != nil {
		return nil, err
	}
	cmd := exec.CommandContext(ctx, program, "up", "--config", file)
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	stop := func() {
		_ = cmd.Process.Signal(os.Interrupt)
		_ = cmd.Wait()
	}
	line, err := bufio.NewReader(out).ReadString('\n')
	found := upLine.FindStringSubmatch(line)
	if err != nil || found == nil {
		stop()
		return nil, fmt.Errorf("%s up: it said %q: %w", program, line, errors.Join(err, errors.New("not that it is up")))
	}
	pid := cmd.Process.Pid
	t := &target{url: found[2], as: operatorOf(cfg, found[1]), config: cfg, cpu: processorTimeOf(pid), memory: residentMemoryOf(pid), stop: stop}
	t.submit = t.post
	t.bundle = func(ctx context.Context, id string) (io.ReadCloser, error) {
		path := filepath.Join(cfg.Data, "measured.zip")
		if text, err := exec.CommandContext(ctx, program, "bundle", "get", id, "--config", file, "--force", "-o", path).CombinedOutput(); err != nil {
			return nil, fmt.Errorf("%s bundle get: %w: %s", program, err, text)
		}
		return os.Open(path)
	}
	return t, nil
}

// operatorOf returns how a program's broker is reached: as the operator, who sees how many
// messages there are, or as nobody, where it has no users yet.
func operatorOf(cfg config.Config, broker string) func(string) bus.Config {
	c := bus.Config{Brokers: []string{broker}}
	text, err := os.ReadFile(filepath.Join(cfg.Room(config.RoomUsers), topics.UserOperator+".yaml"))
	var way struct{ Kafka bus.Files }
	if err == nil && yaml.Unmarshal(text, &way) == nil {
		if signedIn, err := way.Kafka.Config(); err == nil {
			c = signedIn
		}
	}
	return func(string) bus.Config { return c }
}

// known writes what every version knows of what a load needs of a configuration, and more of
// the sandbox.
func known(cfg config.Config, more string) []byte {
	var b bytes.Buffer
	fmt.Fprintf(&b, "data: %q\nlisten: %q\nlog: {level: %s}\n", cfg.Data, cfg.Listen, cfg.Log.Level)
	if s := cfg.Sandbox; s != nil {
		fmt.Fprintf(&b, "sandbox: {seed: %d, people: %d%s}\n", s.Seed, s.People, more)
	}
	if len(cfg.Systems) > 0 {
		b.WriteString("systems:\n")
	}
	for name, s := range cfg.Systems {
		fmt.Fprintf(&b, "  %s: {manifest: %q, dsn: %q}\n", name, s.Manifest, s.DSN)
	}
	return b.Bytes()
}
