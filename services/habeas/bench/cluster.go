package bench

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/segmentio/kafka-go"

	"habeas.dev/services/habeas/node"
	"habeas.dev/services/habeas/upstream"
	"habeas.dev/services/internal/config"
	"habeas.dev/services/internal/topics"
	"habeas.dev/services/sandbox/people"
)

// benchKills is how often a worker is killed, and killLoad how many requests it
// has work of then.
const (
	benchKills = 3
	killLoad   = 60
)

// onKafka measures on Apache Kafka and PostgreSQL. All but one system's workers
// are in this process; those two are processes of their own, so that one can be
// killed.
func (c Config) onKafka(ctx context.Context, dir string, found *results) (err error) {
	nine, err := c.nineSystems(dir)
	if err != nil {
		return err
	}
	cfg := nine.config
	var dropSchema func() error
	if cfg.Journal, dropSchema, err = benchSchema(ctx, c.Postgres); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, dropSchema()) }()
	cfg.Kafka.Brokers, cfg.Topics = c.Brokers, topics.Deviation{Replication: 1}
	if err := makeBenchTopics(ctx, cfg); err != nil {
		return err
	}
	roles := node.Everything()
	roles.Worker = func(system string) bool { return system != people.Events }
	t, n, err := here(ctx, cfg, c.options(), roles)
	if err != nil {
		return err
	}
	defer t.stop()
	if err := n.Config.Save(); err != nil {
		return err
	}
	var pair [2]*workerProcess
	for i := range pair {
		if pair[i], err = startWorker(ctx, cfg.Room(config.File), people.Events); err != nil {
			return err
		}
		defer func() { pair[i].kill() }()
	}
	if err := settled(ctx, n.Brokers, people.Events, len(pair)); err != nil {
		return err
	}
	w := upstream.NewWriter(n.Brokers, nil) // a cluster without users
	defer w.Close()
	t.submit = w.Publish
	if err := t.carry(ctx, c.accesses(c.Warm)); err != nil {
		return err
	}
	if err := c.measure(ctx, t, nine, found); err != nil {
		return err
	}
	var took []time.Duration
	for range benchKills {
		d, err := c.measureKill(ctx, t, pair[0])
		if err != nil {
			return err
		}
		took = append(took, d)
		if pair[0], err = startWorker(ctx, cfg.Room(config.File), people.Events); err != nil {
			return err
		}
		if err := settled(ctx, n.Brokers, people.Events, len(pair)); err != nil {
			return err
		}
	}
	found.section("One of two workers killed").add(line{what: fmt.Sprintf("until all of %d requests have ended", killLoad), value: slices.Max(took).Seconds(), unit: "s", aim: "10 s", note: fmt.Sprintf("the longest of %d times", len(took))})
	return nil
}

// benchSchema makes a schema of the measurement's own.
func benchSchema(ctx context.Context, database string) (journal string, drop func() error, err error) {
	u, err := url.Parse(database)
	if err != nil {
		return "", nil, errors.New("--postgres is not a URL: write postgres://user@host:port/database")
	}
	name := "habeas_bench_" + strings.ReplaceAll(uuid.NewString(), "-", "")
	exec := func(statement string) error {
		ctx := context.WithoutCancel(ctx) // it is removed after an interrupt, too
		conn, err := pgx.Connect(ctx, database)
		if err != nil {
			return fmt.Errorf("PostgreSQL: %w", err)
		}
		defer conn.Close(ctx) //nolint:errcheck // the statement is done
		_, err = conn.Exec(ctx, statement)
		return err
	}
	q := u.Query()
	q.Set("search_path", name)
	u.RawQuery = q.Encode()
	return u.String(), func() error { return exec("DROP SCHEMA " + name + " CASCADE") }, exec("CREATE SCHEMA " + name)
}

func makeBenchTopics(ctx context.Context, cfg config.Config) error {
	b, err := cfg.Kafka.Config()
	if err != nil {
		return err
	}
	manifests, err := node.Manifests(node.WithSandbox(cfg))
	if err != nil {
		return err
	}
	want, err := node.Topics(manifests, cfg.Topics)
	if err != nil {
		return err
	}
	_, err = topics.Apply(ctx, b, want, false)
	return err
}

// workerProcess is `habeas worker NAME`.
type workerProcess struct{ cmd *exec.Cmd }

// startWorker starts one, and returns when it is up.
func startWorker(ctx context.Context, file, system string) (*workerProcess, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	cmd := exec.CommandContext(ctx, self, "worker", system, "--config", file)
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	if _, err := bufio.NewReader(out).ReadString('\n'); err != nil {
		return nil, fmt.Errorf("worker %s: %w", system, errors.Join(err, cmd.Wait()))
	}
	return &workerProcess{cmd}, nil
}

// kill ends the process as kill -9 does.
func (w *workerProcess) kill() {
	_ = w.cmd.Process.Kill() // it may have ended
	_ = w.cmd.Wait()
}

// settled waits until a system's workers share its partitions.
func settled(ctx context.Context, brokers []string, system string, members int) error {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	client := &kafka.Client{Addr: kafka.TCP(brokers...), Timeout: upstream.Timeout}
	beat := time.NewTicker(50 * time.Millisecond)
	defer beat.Stop()
	for {
		res, err := client.DescribeGroups(ctx, &kafka.DescribeGroupsRequest{GroupIDs: []string{"habeas.worker." + system}})
		if err == nil && len(res.Groups) == 1 && res.Groups[0].GroupState == "Stable" && len(res.Groups[0].Members) == members {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("the workers of %s don't share their partitions: %w", system, errors.Join(err, ctx.Err()))
		case <-beat.C:
		}
	}
}

// measureKill has requests begin, kills a worker, and returns how long it takes
// from there until all of them have ended.
func (c Config) measureKill(ctx context.Context, t *target, victim *workerProcess) (time.Duration, error) {
	ctx, cancel := context.WithTimeout(ctx, benchTime)
	defer cancel()
	asked := c.accesses(killLoad)
	for _, r := range asked {
		if err := t.submit(ctx, r); err != nil {
			return 0, err
		}
	}
	began := time.Now()
	victim.kill()
	for _, r := range asked {
		if err := t.ended(ctx, r.ID); err != nil {
			return 0, err
		}
	}
	return time.Since(began), nil
}
