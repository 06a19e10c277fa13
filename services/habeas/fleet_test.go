package main

import (
	"bufio"
	"context"
	"fmt"
	"maps"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/segmentio/kafka-go"
	"go.yaml.in/yaml/v3"

	"habeas.dev/pkg/bus"
	"habeas.dev/pkg/worker/workertest"
	"habeas.dev/services/aggregator"
	"habeas.dev/services/coordinator"
	"habeas.dev/services/intake"
	"habeas.dev/services/internal/config"
	"habeas.dev/services/internal/installation"
	"habeas.dev/services/internal/topics"
	"habeas.dev/services/internal/watch"
	"habeas.dev/services/letters"
	"habeas.dev/services/sandbox/internaldb"
	marketosandbox "habeas.dev/services/sandbox/marketo"
	paymentechsandbox "habeas.dev/services/sandbox/paymentech"
	"habeas.dev/services/sandbox/people"
	salesforcesandbox "habeas.dev/services/sandbox/salesforce"
	"habeas.dev/services/sandbox/training"
)

// fleet is what the processes share: a broker, databases, vendors, a
// configuration.
type fleet struct {
	*testing.T
	members map[string]int // by consumer group
	people  *people.Population
	file    string
	cfg     config.Config
	in      *installation.Installation
	vendors *destroyed
}

// newFleet makes a fleet on a broker, with a journal ("" is SQLite's), whose
// systems hold something of so many people.
func newFleet(t *testing.T, brokers []string, journalURL string, persons int) *fleet {
	t.Helper()
	dir := t.TempDir()
	f := &fleet{T: t, members: map[string]int{}, people: people.Generate(people.Config{Seed: 31, People: persons}), file: filepath.Join(dir, config.File), vendors: newDestroyed()}
	sandbox := filepath.Join(dir, config.RoomSandbox)
	files, err := internaldb.Create(t.Context(), sandbox, f.people)
	if err != nil {
		t.Fatal(err)
	}
	crm, err := salesforcesandbox.New(salesforcesandbox.Config{Population: f.people})
	if err != nil {
		t.Fatal(err)
	}
	mail, err := marketosandbox.New(marketosandbox.Config{Population: f.people})
	if err != nil {
		t.Fatal(err)
	}
	pay, err := paymentechsandbox.New(paymentechsandbox.Config{Population: f.people})
	if err != nil {
		t.Fatal(err)
	}
	courses, err := training.New(training.Config{Population: f.people})
	if err != nil {
		t.Fatal(err)
	}
	crmServer, mailServer, payServer := httptest.NewServer(f.vendors.watch(crm)), httptest.NewServer(f.vendors.watch(mail)), httptest.NewServer(f.vendors.watch(pay))
	coursesServer := httptest.NewServer(courses)
	t.Cleanup(coursesServer.Close)
	t.Cleanup(crmServer.Close)
	t.Cleanup(mailServer.Close)
	t.Cleanup(payServer.Close)
	signs := filepath.Join(dir, "training.secret")
	if err := os.WriteFile(signs, []byte(training.DefaultSecret), 0o600); err != nil {
		t.Fatal(err)
	}
	secret := filepath.Join(dir, "secret")
	if err := os.WriteFile(secret, []byte(salesforcesandbox.DefaultClientSecret), 0o600); err != nil {
		t.Fatal(err)
	}
	cfg := config.Config{
		Data: dir, Journal: journalURL, Vault: config.Vault{Apart: true}, Kafka: bus.Files{Brokers: brokers}, Topics: topics.Deviation{Replication: 1}, Log: config.Log{Level: "warn", Format: "text"}, Console: config.Console{Local: true}, Systems: map[string]config.System{
			people.Salesforce:  {URL: crmServer.URL, ClientID: salesforcesandbox.DefaultClientID, ClientSecretFile: secret},
			people.Marketo:     {URL: mailServer.URL, ClientID: marketosandbox.DefaultClientID, ClientSecretFile: secret, CallsPerSecond: -1},
			people.Training:    {URL: coursesServer.URL, ClientSecretFile: signs},
			people.PaymentTech: {URL: payServer.URL, ClientID: paymentechsandbox.DefaultUsername, ClientSecretFile: secret, CallsPerSecond: -1, Options: map[string]string{"merchant_id": paymentechsandbox.DefaultMerchantID}},
		}}
	for system, path := range files {
		cfg.Systems[system] = config.System{DSN: path}
	}
	f.write(f.file, cfg)
	if f.cfg, err = config.Load(f.file); err != nil {
		t.Fatal(err)
	}
	f.applyTopics()
	// The vault's key and the journal are there before many look for them.
	if f.in, err = installation.Make(t.Context(), f.cfg, installation.Parts{Journal: true, Vault: true, Outbox: true}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.in.Close() })
	return f
}

func (f *fleet) write(file string, cfg config.Config) {
	f.Helper()
	text, err := yaml.Marshal(cfg)
	if err != nil {
		f.Fatal(err)
	}
	if err := os.WriteFile(file, text, 0o600); err != nil {
		f.Fatal(err)
	}
}

// halves returns all systems but one, in two parts.
func (f *fleet) halves(but string) [][]string {
	names := slices.DeleteFunc(slices.Sorted(maps.Keys(f.cfg.Systems)), func(name string) bool { return name == but })
	return [][]string{names[:len(names)/2], names[len(names)/2:]}
}

// impatient returns the file of a configuration by which a task that nothing is
// heard of is sent again soon. The door decides on that, for each request.
func (f *fleet) impatient() string {
	cfg := f.cfg
	cfg.Lease = 3 * time.Second
	file := filepath.Join(f.cfg.Data, "impatient.yaml")
	f.write(file, cfg)
	return file
}

// applyTopics makes the topics, as a platform team does.
func (f *fleet) applyTopics() {
	f.Helper()
	if out, err := command(f.Context(), "topics", "apply", "--config", f.file).CombinedOutput(); err != nil {
		f.Fatalf("%v\n%s", err, out)
	}
}

// member is one process of the fleet.
type member struct {
	*fleet
	args []string
	cmd  *exec.Cmd
	url  string
	said string // the line that it is up
	logs *workertest.Log
}

func (f *fleet) start(args ...string) *member {
	f.Helper()
	return f.startWith(f.file, args...)
}

func (f *fleet) startWith(file string, args ...string) *member {
	f.Helper()
	m := &member{fleet: f, args: append(args, "--config", file), logs: &workertest.Log{}}
	m.begin()
	f.Cleanup(m.kill)
	switch args[0] {
	case "intake":
		f.members[intake.Group]++
	case "coordinator":
		f.members[coordinator.Group]++
		f.members[watch.Group]++
	case "aggregator":
		f.members[aggregator.Group]++
	case "letters":
		f.members[letters.Group]++
	case "worker":
		for _, system := range args[1:] {
			f.members["habeas.worker."+system]++
		}
	}
	return m
}

// settle waits until every group is stable, with as many members as processes
// serve it: none that died is left, none that lives is missing.
func (f *fleet) settle() {
	f.Helper()
	ctx, cancel := context.WithTimeout(f.Context(), patience)
	defer cancel()
	client := &kafka.Client{Addr: kafka.TCP(f.cfg.Kafka.Brokers...), Timeout: 10 * time.Second}
	beat := time.NewTicker(20 * time.Millisecond)
	defer beat.Stop()
	for {
		res, err := client.DescribeGroups(ctx, &kafka.DescribeGroupsRequest{GroupIDs: slices.Collect(maps.Keys(f.members))})
		unsettled := ""
		if err != nil {
			unsettled = err.Error()
		} else {
			for _, g := range res.Groups {
				if g.GroupState != "Stable" || len(g.Members) != f.members[g.GroupID] {
					unsettled += fmt.Sprintf("%s is %s with %d of %d; ", g.GroupID, g.GroupState, len(g.Members), f.members[g.GroupID])
				}
			}
		}
		if unsettled == "" {
			return
		}
		select {
		case <-beat.C:
		case <-ctx.Done():
			f.Fatalf("groups don't settle: %s", unsettled)
		}
	}
}

// begin starts the process and waits until it says that it is up.
func (m *member) begin() {
	m.Helper()
	m.cmd = command(context.WithoutCancel(m.Context()), m.args...)
	out, err := m.cmd.StdoutPipe()
	if err != nil {
		m.Fatal(err)
	}
	m.cmd.Stderr = m.logs
	if err := m.cmd.Start(); err != nil {
		m.Fatal(err)
	}
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil || !strings.Contains(line, "is up") {
		_ = m.cmd.Wait()
		m.Fatalf("%v: %q %v\n%s", m.args, line, err, m.logs.String())
	}
	m.said = line
	if found := upLine.FindStringSubmatch(line); found != nil {
		m.url = found[1]
	}
}

func (m *member) kill() {
	if m.cmd == nil {
		return
	}
	_ = m.cmd.Process.Kill()
	_ = m.cmd.Wait()
	m.cmd = nil
}

// restart is kill -9 and a new start.
func (m *member) restart() {
	m.Helper()
	m.kill()
	m.begin()
}

func (m *member) stopGently() {
	m.Helper()
	if err := m.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		m.Error(err)
	}
	if err := m.cmd.Wait(); err != nil {
		m.Error(fmt.Errorf("%v, told to stop: %w\n%s", m.args, err, m.logs.String()))
	}
	m.cmd = nil
}
