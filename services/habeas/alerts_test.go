package main

import (
	"bytes"
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"maps"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/segmentio/kafka-go"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"
	"go.yaml.in/yaml/v3"

	"habeas.dev/pkg/dsar"
	"habeas.dev/pkg/event"
	"habeas.dev/pkg/link"
	"habeas.dev/services/habeas/upstream"
	"habeas.dev/services/sandbox/people"
)

// pace is by how much the alerts' time is shortened: what waits for a minute waits for half
// a second.
const pace = 120

// TestAlerts has a Prometheus scrape a fleet in which one thing after the other goes wrong,
// and sees every alert of deploy/prometheus fire because of it. Only the time of its rules
// is shortened. What is well has no alert: the worker of another system, one that parks its
// tasks.
func TestAlerts(t *testing.T) {
	t.Parallel()
	if os.Getenv("HABEAS_TEST_ALERTS") != "1" {
		t.Skip("runs a fleet and a Prometheus for some minutes: make test-alerts")
	}
	program, err := exec.LookPath("prometheus")
	if err != nil {
		t.Skip("prometheus isn't installed (Debian: prometheus)")
	}
	var refuses atomic.Bool
	cluster, err := kfake.NewCluster(kfake.NumBrokers(1))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(cluster.Close)
	cluster.ControlKey(int16(kmsg.OffsetCommit), func(req kmsg.Request) (kmsg.Response, error, bool) {
		cluster.KeepControl()
		if !refuses.Load() {
			return nil, nil, false
		}
		return refusedCommit(req.(*kmsg.OffsetCommitRequest)), nil, true
	})
	f := newFleet(t, cluster.ListenAddrs(), "", 40)
	hangs, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0") // accepts, as its backlog does
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { hangs.Close() })
	a := &alerted{fleet: f, seen: map[string]map[string]bool{}}
	monitor := []string{"--monitor", "127.0.0.1:0"}
	run := func(file string, args ...string) *member {
		return a.scraped(f.startWith(file, append(args, monitor...)...))
	}
	names := slices.Sorted(maps.Keys(f.cfg.Systems))
	file := f.impatient()
	cfg := f.cfg
	door := run(file, "intake", "--listen", "127.0.0.1:0")
	coordinator := run(file, "coordinator")
	run(file, "aggregator")
	workers := run(file, append([]string{"worker"}, names...)...)
	ask := func(received time.Time, persons ...int) {
		t.Helper()
		for _, n := range persons {
			r := upstream.Request{ID: upstream.NewID(), Right: dsar.Access, Jurisdiction: "EEA", Locale: "en", Source: "test", ReceivedAt: received, Email: f.people.Person(n).Email}
			if _, err := upstream.Post(t.Context(), door.url, "", r.JSON()); err != nil {
				t.Fatal(err)
			}
		}
	}
	a.watch(program)

	// All is well: nobody is called.
	ask(time.Now(), 1, 2, 3)
	a.wait("the coordinator is scraped", func() bool {
		return a.query("habeas_requests_now") > 0 && a.look().query(`ALERTS{alertname="HabeasNoCoordinator"}`) == 0
	})
	clear(a.seen)
	a.quiet(3 * time.Second)

	// The outbox takes nothing, and so the aggregator fails.
	outbox := f.cfg.Outbox
	if err := os.RemoveAll(outbox); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(outbox, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	ask(time.Now(), 4, 5)
	a.fires("HabeasOutboxRefuses", "service", "aggregator")
	a.fires("HabeasTasksFail", "system", dsar.Aggregator)

	// A system's tables aren't what its manifest says: a person has to look.
	breakTables(t, cfg.Systems[people.Events].DSN)
	ask(time.Now(), 23, 24)
	a.fires("HabeasNeedsAttention")

	// A day that has passed; a system that is broken, one that is away, one whose database is away,
	// three vendors that are down, hang, and have few calls left.
	cfg.Lease = 3 * time.Second
	cfg.Systems = maps.Clone(cfg.Systems)
	change := func(system string, how func(url string) string, perDay int64) {
		s := cfg.Systems[system]
		s.URL, s.CallsPerDay = how(s.URL), perDay
		cfg.Systems[system] = s
	}
	change(people.Salesforce, func(string) string { return "http://" + hangs.Addr().String() }, 0)
	change(people.Marketo, func(string) string { return "http://" + nobody(t) }, 0)
	change(people.PaymentTech, func(u string) string { return u }, 2)
	support := cfg.Systems[people.Support]
	support.DSN = "postgres://nobody@" + nobody(t) + "/nothing"
	cfg.Systems[people.Support] = support
	faulty := filepath.Join(f.cfg.Data, "faulty.yaml")
	f.write(faulty, cfg)
	workers.kill()
	const away, well = "communications", "account"
	run(faulty, append([]string{"worker"}, slices.DeleteFunc(slices.Clone(names), func(n string) bool { return n == away || n == people.Events })...)...)
	ask(time.Now().Add(-400*24*time.Hour), 6)
	ask(time.Now(), 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18)
	a.fires("HabeasDown", "instance", a.gone[0])
	a.fires("HabeasOverdue")
	a.fires("HabeasNotReady", "check", "system "+people.Support)
	a.fires("HabeasVendorHangs", "vendor", "Salesforce")
	a.fires("HabeasVendorDown", "vendor", "Marketo")
	a.fires("HabeasQuotaLow", "vendor", "PaymentTech")
	a.fires("HabeasTasksFail", "system", people.Marketo)
	a.fires("HabeasWorkerSilent", "system", away)
	a.fires("HabeasBusStalled", "group", "habeas.worker."+people.Salesforce)
	for _, heard := range []string{well, people.Marketo} {
		if a.fired("HabeasWorkerSilent", "system", heard) {
			t.Errorf("%s answers, and is called silent", heard)
		}
	}

	// The configuration loses the system that is away, and requests wait for it.
	less := cfg
	less.Outbox = filepath.Join(t.TempDir(), "outbox") // that of the others takes nothing
	less.Systems = maps.Clone(cfg.Systems)
	delete(less.Systems, away)
	lost := filepath.Join(f.cfg.Data, "less.yaml")
	f.write(lost, less)
	without := run(lost, "coordinator")
	a.fires("HabeasSystemMissing", "system", away)
	without.kill()

	// Somebody writes to a topic; more comes in than gets done; commits are refused.
	stranger := a.messageOf(event.TopicTasks(well))
	var envelope link.Envelope
	if err := json.Unmarshal(stranger.Value, &envelope); err != nil {
		t.Fatal(err)
	}
	envelope.Attempt++
	if stranger.Value, err = json.Marshal(envelope); err != nil {
		t.Fatal(err)
	}
	a.publish(stranger)
	a.fires("HabeasMessagesRejected", "system", well)
	hung := a.messageOf(event.TopicTasks(people.Salesforce))
	refuses.Store(true)
	person := 19
	next := func() { // one of those whose requests of today aren't many
		ask(time.Now(), person)
		person = 19 + (person-18)%20
	}
	a.until("HabeasBusLagGrows", func() {
		many := slices.Repeat([]kafka.Message{hung}, 200)
		a.publish(many...)
		next() // what is done is to be committed
	}, "group", "habeas.worker."+people.Salesforce)
	a.until("HabeasCommitsFail", next)
	refuses.Store(false)

	// Kafka is gone altogether.
	cluster.Close()
	ask(time.Now(), 21, 22)
	a.fires("HabeasKafkaGone")
	a.fires("HabeasOutOfGroup", "group", "habeas.intake")
	a.fires("HabeasBusSilent", "group", "habeas.coordinator")
	a.fires("HabeasRelayBehind")

	coordinator.kill()
	a.fires("HabeasNoCoordinator")
	for _, name := range ruleNames(t) {
		if name == "HabeasCallerUntold" { // comes after a day of calls: services/internal/callbacks
			continue
		}
		if a.seen[name] == nil {
			t.Errorf("nothing here causes %s", name)
		}
	}
}

// breakTables renames all tables of a SQLite database.
func breakTables(t *testing.T, path string) {
	t.Helper()
	db, err := sql.Open("sqlite", path)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	rows, err := db.QueryContext(t.Context(), `SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'`)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	var tables []string
	for rows.Next() {
		var name string
		if err := rows.Scan(&name); err != nil {
			t.Fatal(err)
		}
		tables = append(tables, name)
	}
	if err := rows.Err(); err != nil || len(tables) == 0 {
		t.Fatal(err)
	}
	for _, name := range tables {
		if _, err := db.ExecContext(t.Context(), fmt.Sprintf("ALTER TABLE %q RENAME TO %q", name, name+"_gone")); err != nil {
			t.Fatal(err)
		}
	}
}

// refusedCommit returns the answer to a commit that Kafka doesn't take.
func refusedCommit(req *kmsg.OffsetCommitRequest) *kmsg.OffsetCommitResponse {
	res := req.ResponseKind().(*kmsg.OffsetCommitResponse)
	for _, t := range req.Topics {
		topic := kmsg.OffsetCommitResponseTopic{Topic: t.Topic}
		for _, p := range t.Partitions {
			topic.Partitions = append(topic.Partitions, kmsg.OffsetCommitResponseTopicPartition{Partition: p.Partition, ErrorCode: int16(kafka.GroupCoordinatorNotAvailable)})
		}
		res.Topics = append(res.Topics, topic)
	}
	return res
}

// nobody returns an address at which nobody listens.
func nobody(t *testing.T) string {
	t.Helper()
	l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

// alerted is a fleet that a Prometheus scrapes.
type alerted struct {
	*fleet
	url     string
	targets []string
	gone    []string                   // targets of processes that were killed
	seen    map[string]map[string]bool // what fired: labels as label=value, by alert
}

// scraped has a member be scraped.
func (a *alerted) scraped(m *member) *member {
	a.Helper()
	at := healthAt.FindStringSubmatch(m.said)
	if at == nil {
		a.Fatalf("no monitor: %s", m.said)
	}
	a.targets = append(a.targets, strings.TrimPrefix(at[1], "http://"))
	if m.args[0] == "worker" && a.url != "" { // those of before are gone
		a.gone = append(a.gone, a.targets[len(a.targets)-2])
	}
	if a.url != "" {
		a.writeTargets()
	}
	return m
}

func (a *alerted) writeTargets() {
	a.Helper()
	text, err := json.Marshal([]any{map[string]any{"targets": a.targets}})
	if err != nil {
		a.Fatal(err)
	}
	file := filepath.Join(a.cfg.Data, "targets.json")
	if err := os.WriteFile(file+".new", text, 0o600); err != nil {
		a.Fatal(err)
	}
	if err := os.Rename(file+".new", file); err != nil {
		a.Fatal(err)
	}
}

// watch starts Prometheus with the rules of deploy, in a shortened time.
func (a *alerted) watch(program string) {
	a.Helper()
	dir := a.cfg.Data
	rules, err := os.ReadFile(deployFolder + "/prometheus/habeas.rules.yml")
	if err != nil {
		a.Fatal(err)
	}
	write := func(name, text string) {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			a.Fatal(err)
		}
	}
	write("habeas.rules.yml", shortened(string(rules)))
	write("prometheus.yml", `
global: {scrape_interval: 250ms, evaluation_interval: 250ms, scrape_timeout: 250ms}
rule_files: [habeas.rules.yml]
scrape_configs:
  - job_name: habeas
    scrape_timeout: 250ms
    file_sd_configs: [{files: [targets.json], refresh_interval: 250ms}]
`)
	at := nobody(a.T)
	a.url = "http://" + at
	a.writeTargets()
	cmd := exec.CommandContext(a.Context(), program, "--config.file="+filepath.Join(dir, "prometheus.yml"), "--storage.tsdb.path="+filepath.Join(dir, "tsdb"), "--web.listen-address="+at, "--log.level=warn")
	var log bytes.Buffer
	cmd.Stderr = &log
	if err := cmd.Start(); err != nil {
		a.Fatal(err)
	}
	a.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
		if a.Failed() {
			a.Log(log.String())
		}
	})
	a.wait("Prometheus answers", func() bool {
		res, err := http.Get(a.url + "/-/ready")
		if err != nil {
			return false
		}
		defer res.Body.Close()
		return res.StatusCode == http.StatusOK
	})
}

// leastLimit is the shortest limit in seconds: a partition with nothing to fetch is heard of
// once a second.
const leastLimit = 2

var (
	ruleSpan  = regexp.MustCompile(`(for: |[\[:])(\d+)([mh])\b`)
	ruleLimit = regexp.MustCompile(`(_seconds\)? > )(\d+)`)
)

// shortened returns rules whose spans and limits of time are a part of what they are.
func shortened(rules string) string {
	rules = ruleSpan.ReplaceAllStringFunc(rules, func(s string) string {
		m := ruleSpan.FindStringSubmatch(s)
		n, _ := strconv.Atoi(m[2])
		d := time.Duration(n) * map[string]time.Duration{"m": time.Minute, "h": time.Hour}[m[3]] / pace
		return fmt.Sprintf("%s%dms", m[1], d.Milliseconds())
	})
	return ruleLimit.ReplaceAllStringFunc(rules, func(s string) string {
		m := ruleLimit.FindStringSubmatch(s)
		n, _ := strconv.ParseFloat(m[2], 64)
		return fmt.Sprintf("%s%g", m[1], max(n/pace, leastLimit))
	})
}

func (a *alerted) wait(what string, is func() bool) {
	a.Helper()
	const patience = time.Minute
	ctx, cancel := context.WithTimeout(a.Context(), patience)
	defer cancel()
	beat := time.NewTicker(100 * time.Millisecond)
	defer beat.Stop()
	for !is() {
		select {
		case <-beat.C:
		case <-ctx.Done():
			a.Fatalf("not within %s: %s; these fired: %v", patience, what, a.seen)
		}
	}
}

// fires waits until an alert fires, with a label where one is named.
func (a *alerted) fires(alert string, label ...string) {
	a.Helper()
	began := time.Now()
	a.wait(fmt.Sprint(alert, label), func() bool { return a.look().fired(alert, label...) })
	a.Logf("%s %v after %s", alert, label, time.Since(began).Round(time.Millisecond))
}

// until does something over and over until an alert fires.
func (a *alerted) until(alert string, do func(), label ...string) {
	a.Helper()
	a.wait(fmt.Sprint(alert, label), func() bool {
		if a.look().fired(alert, label...) {
			return true
		}
		do()
		return false
	})
}

func (a *alerted) fired(alert string, label ...string) bool {
	labels := a.seen[alert]
	return labels != nil && (len(label) == 0 || labels[label[0]+"="+label[1]])
}

// quiet holds that nothing fires for a while.
func (a *alerted) quiet(d time.Duration) {
	a.Helper()
	end := time.Now().Add(d)
	a.wait("quiet", func() bool { a.look(); return time.Now().After(end) })
	if len(a.seen) > 0 {
		a.Errorf("all is well, and there are alerts: %v", a.seen)
	}
}

// look asks Prometheus what fires.
func (a *alerted) look() *alerted {
	a.Helper()
	for _, series := range a.ask(`ALERTS{alertstate="firing"}`) {
		name := series["alertname"]
		if a.seen[name] == nil {
			a.seen[name] = map[string]bool{}
		}
		for label, value := range series {
			a.seen[name][label+"="+value] = true
		}
	}
	return a
}

// query returns how many series an expression gives.
func (a *alerted) query(expression string) int { return len(a.ask(expression)) }

// ask returns the series that an expression gives, by their labels.
func (a *alerted) ask(expression string) (series []map[string]string) {
	a.Helper()
	res, err := http.Get(a.url + "/api/v1/query?query=" + url.QueryEscape(expression))
	if err != nil {
		a.Fatal(err)
	}
	defer res.Body.Close()
	var answer struct {
		Data struct {
			Result []struct{ Metric map[string]string }
		}
	}
	if err := json.NewDecoder(res.Body).Decode(&answer); err != nil {
		a.Fatal(err)
	}
	for _, r := range answer.Data.Result {
		series = append(series, r.Metric)
	}
	return series
}

// messageOf returns a message of a topic.
func (a *alerted) messageOf(topic string) kafka.Message {
	a.Helper()
	ctx, cancel := context.WithTimeout(a.Context(), patience)
	defer cancel()
	for p := 0; ; p++ {
		conn, err := kafka.DialLeader(ctx, "tcp", a.cfg.Kafka.Brokers[0], topic, p)
		if err != nil {
			a.Fatalf("%s has no message: %v", topic, err)
		}
		first, last, err := conn.ReadOffsets()
		if err == nil && last > first {
			_, err = conn.Seek(last-1, kafka.SeekAbsolute)
			if err == nil {
				m, err := conn.ReadMessage(1 << 20)
				_ = conn.Close()
				if err != nil {
					a.Fatal(err)
				}
				return m
			}
		}
		_ = conn.Close()
	}
}

func (a *alerted) publish(messages ...kafka.Message) {
	a.Helper()
	w := &kafka.Writer{Addr: kafka.TCP(a.cfg.Kafka.Brokers...), Topic: messages[0].Topic, RequiredAcks: kafka.RequireAll, Balancer: &kafka.Hash{}, BatchTimeout: time.Millisecond}
	defer w.Close()
	out := make([]kafka.Message, len(messages))
	for i, m := range messages {
		out[i] = kafka.Message{Key: m.Key, Value: m.Value, Headers: m.Headers}
	}
	if err := w.WriteMessages(a.Context(), out...); err != nil {
		a.Fatal(err)
	}
}

// ruleNames returns the alerts of deploy.
func ruleNames(t *testing.T) (names []string) {
	t.Helper()
	text, err := os.ReadFile(deployFolder + "/prometheus/habeas.rules.yml")
	if err != nil {
		t.Fatal(err)
	}
	var rules struct {
		Groups []struct{ Rules []struct{ Alert string } }
	}
	if err := yaml.Unmarshal(text, &rules); err != nil {
		t.Fatal(err)
	}
	for _, g := range rules.Groups {
		for _, r := range g.Rules {
			names = append(names, r.Alert)
		}
	}
	return names
}

// TestAlertmanager holds what belongs together of deploy/prometheus against the rules:
// every alert that it names is there.
func TestAlertmanager(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile(deployFolder + "/prometheus/alertmanager.yml")
	if err != nil {
		t.Fatal(err)
	}
	var config struct {
		Rules []struct {
			Source []string `yaml:"source_matchers"`
			Target []string `yaml:"target_matchers"`
		} `yaml:"inhibit_rules"`
	}
	if err := yaml.Unmarshal(text, &config); err != nil || len(config.Rules) == 0 {
		t.Fatal(err)
	}
	there := ruleNames(t)
	for _, r := range config.Rules {
		for _, name := range regexp.MustCompile(`Habeas\w+`).FindAllString(fmt.Sprint(r.Source, r.Target), -1) {
			if !slices.Contains(there, name) {
				t.Errorf("there is no alert %s", name)
			}
		}
	}
}
