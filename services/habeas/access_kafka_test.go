package main

import (
	"bufio"
	"crypto/pbkdf2"
	"crypto/rand"
	"crypto/sha512"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/segmentio/kafka-go"
	"github.com/segmentio/kafka-go/sasl/scram"

	"habeas.dev/pkg/bus"
	"habeas.dev/pkg/bus/kafkatest"
	"habeas.dev/pkg/dsar"
	"habeas.dev/services/habeas/upstream"
	"habeas.dev/services/internal/topics"
	"habeas.dev/services/sandbox/people"
)

// guarded is a cluster of Apache Kafka with a user for each service, whose rights are
// those of deploy/kafka/acls.sh.
type guarded struct {
	*testing.T
	broker *kafkatest.Broker
	admin  *kafka.Client
	dir    string // each user's password, in a file of its name
	all    []topics.Access
}

func newGuarded(t *testing.T) *guarded {
	t.Helper()
	b := kafkatest.Start(t, kafkatest.Secure(),
		kafkatest.Property("authorizer.class.name", "org.apache.kafka.metadata.authorizer.StandardAuthorizer"),
		kafkatest.Property("super.users", "User:ANONYMOUS"))
	g := &guarded{T: t, broker: b, dir: t.TempDir(), all: topics.Accesses(people.Systems())}
	g.admin = &kafka.Client{Addr: kafka.TCP(b.Addrs(kafkatest.Plaintext)...), Timeout: 30 * time.Second}
	g.addUsers()
	g.runScript()
	return g
}

// password is what every user of the test signs in with.
const password = "open sesame, each"

func (g *guarded) addUsers() {
	g.Helper()
	req := &kafka.AlterUserScramCredentialsRequest{}
	for _, a := range g.all {
		salt := make([]byte, 24)
		_, _ = rand.Read(salt)
		salted, err := pbkdf2.Key(sha512.New, password, salt, 4096, sha512.Size)
		if err != nil {
			g.Fatal(err)
		}
		req.Upsertions = append(req.Upsertions, kafka.UserScramCredentialsUpsertion{Name: a.User, Mechanism: kafka.ScramMechanismSha512, Iterations: 4096, Salt: salt, SaltedPassword: salted})
		write(g.T, filepath.Join(g.dir, a.User), password+"\n")
	}
	res, err := g.admin.AlterUserScramCredentials(g.Context(), req)
	if err != nil {
		g.Fatal(err)
	}
	for _, r := range res.Results {
		if r.Error != nil {
			g.Fatalf("%s: %v", r.User, r.Error)
		}
	}
}

// runScript runs deploy/kafka/acls.sh with a kafka-acls that writes its arguments down,
// and grants what they say.
func (g *guarded) runScript() {
	g.Helper()
	calls, recorder := filepath.Join(g.dir, "calls"), filepath.Join(g.dir, "kafka-acls")
	write(g.T, recorder, `echo "$@" >>"`+calls+`"`)
	script := exec.CommandContext(g.Context(), "sh", filepath.Join(deployFolder, "kafka", "acls.sh"))
	script.Env = append(os.Environ(), "KAFKA_ACLS=sh "+recorder)
	if out, err := script.CombinedOutput(); err != nil {
		g.Fatalf("%v: %s", err, out)
	}
	f, err := os.Open(calls)
	if err != nil {
		g.Fatal(err)
	}
	defer f.Close()
	req := &kafka.CreateACLsRequest{}
	for lines := bufio.NewScanner(f); lines.Scan(); {
		req.ACLs = append(req.ACLs, g.readACL(strings.Fields(lines.Text())))
	}
	res, err := g.admin.CreateACLs(g.Context(), req)
	if err != nil {
		g.Fatal(err)
	}
	if err := errors.Join(res.Errors...); err != nil {
		g.Fatal(err)
	}
}

// readACL reads the arguments of kafka-acls.
func (g *guarded) readACL(args []string) kafka.ACLEntry {
	g.Helper()
	acl := kafka.ACLEntry{PermissionType: kafka.ACLPermissionTypeAllow, Host: "*", ResourcePatternType: kafka.PatternTypeLiteral}
	if args[0] != "--add" {
		g.Fatalf("%v", args)
	}
	for i := 1; i < len(args); i += 2 {
		value := args[i+1]
		switch args[i] {
		case "--allow-principal":
			acl.Principal = value
		case "--operation":
			acl.Operation = map[string]kafka.ACLOperationType{"Read": kafka.ACLOperationTypeRead, "Write": kafka.ACLOperationTypeWrite, "Create": kafka.ACLOperationTypeCreate,
				"Describe": kafka.ACLOperationTypeDescribe, "DescribeConfigs": kafka.ACLOperationTypeDescribeConfigs}[value]
		case "--topic":
			acl.ResourceType, acl.ResourceName = kafka.ResourceTypeTopic, value
		case "--group":
			acl.ResourceType, acl.ResourceName = kafka.ResourceTypeGroup, value
		case "--resource-pattern-type":
			acl.ResourcePatternType = kafka.PatternTypePrefixed
		default:
			g.Fatalf("%v", args)
		}
	}
	return acl
}

// as returns how a user reaches the cluster.
func (g *guarded) as(user string) bus.Files {
	return bus.Files{Brokers: g.broker.Addrs(kafkatest.SASL), SASL: bus.SASLFiles{Mechanism: bus.ScramSHA512, User: user, PasswordFile: filepath.Join(g.dir, user)}}
}

// transport signs a user in.
func (g *guarded) transport(user string) *kafka.Transport {
	g.Helper()
	mechanism, err := scram.Mechanism(scram.SHA512, user, password)
	if err != nil {
		g.Fatal(err)
	}
	return &kafka.Transport{SASL: mechanism}
}

// TestACLs: on Apache Kafka, each service works as its own user; and of all users and
// topics each may write, and read, what the table says, and nothing else.
func TestACLs(t *testing.T) {
	t.Parallel()
	g := newGuarded(t)
	f := newFleet(t, g.broker.Addrs(kafkatest.Plaintext), "", 12)
	g.serves(f)
	specs, err := topics.Wanted(append(people.Systems(), dsar.Aggregator), topics.Deviation{})
	if err != nil {
		t.Fatal(err)
	}
	for _, a := range g.all {
		t.Run(a.User, func(t *testing.T) {
			t.Parallel()
			transport := g.transport(a.User)
			defer transport.CloseIdleConnections()
			client := &kafka.Client{Addr: kafka.TCP(g.broker.Addrs(kafkatest.SASL)...), Transport: transport, Timeout: 20 * time.Second}
			for _, s := range specs {
				if got, want := mayWrite(t, client, s.Name), slices.Contains(a.Writes, s.Name); got != want {
					t.Errorf("writes %s: %v, want %v", s.Name, got, want)
				}
				if got, want := mayRead(t, client, s.Name), slices.Contains(a.Reads, s.Name); got != want {
					t.Errorf("reads %s: %v, want %v", s.Name, got, want)
				}
			}
			for _, other := range g.all {
				for _, group := range other.Groups {
					if got, want := mayJoin(t, client, group), slices.Contains(a.Groups, group); got != want {
						t.Errorf("reads as the group %s: %v, want %v", group, got, want)
					}
				}
			}
		})
	}
}

// serves starts every service as its own user, and has them fulfil a request of each
// door.
func (g *guarded) serves(f *fleet) {
	g.Helper()
	file := func(user string) string {
		cfg := f.cfg
		cfg.Kafka = g.as(user)
		path := filepath.Join(g.dir, user+".yaml")
		f.write(path, cfg)
		return path
	}
	if out, err := command(g.Context(), "topics", "check", "--config", file(topics.UserTopics)).CombinedOutput(); err != nil {
		g.Fatalf("%v\n%s", err, out)
	}
	door := f.startWith(file(topics.UserIntake), "intake", "--listen", "127.0.0.1:0")
	f.startWith(file(topics.UserCoordinator), "coordinator")
	f.startWith(file(topics.UserAggregator), "aggregator")
	f.startWith(file(topics.UserLetters), "letters")
	for _, system := range people.Systems() {
		f.startWith(file(topics.WorkerUser(system)), "worker", system)
	}
	asked := make([]upstream.Request, 2)
	for i := range asked {
		asked[i] = upstream.Request{ID: upstream.NewID(), Right: dsar.Access, Jurisdiction: "EEA", Locale: "en", Source: "signup-page", ReceivedAt: now(), Email: f.people.Person(i + 1).Email}
	}
	if _, err := upstream.Post(g.Context(), door.url, "", asked[0].JSON()); err != nil {
		g.Fatal(err)
	}
	producer := upstream.NewWriter(g.broker.Addrs(kafkatest.SASL), g.transport(topics.UserProducer))
	defer producer.Close()
	if err := producer.Publish(g.Context(), asked[1]); err != nil {
		g.Fatal(err)
	}
	for _, r := range asked {
		awaitCompletion(g.T, door.url, "", r.ID)
	}
	console, err := g.as(topics.UserConsole).Config()
	if err != nil {
		g.Fatal(err)
	}
	if waits, err := bus.Lag(g.Context(), console, topics.WorkerGroup("billing"), "dsar.tasks.billing"); err != nil || waits != 0 {
		g.Errorf("the console sees %d tasks waiting: %v", waits, err)
	}
}

// mayWrite reports whether a record can be written to a topic. It is no event, and
// whoever reads it puts it aside.
func mayWrite(t *testing.T, c *kafka.Client, topic string) bool {
	t.Helper()
	res, err := c.Produce(t.Context(), &kafka.ProduceRequest{Topic: topic, Partition: 0, RequiredAcks: kafka.RequireAll, Records: kafka.NewRecordReader(kafka.Record{Key: kafka.NewBytes([]byte("x")), Value: kafka.NewBytes([]byte("x"))})})
	if err == nil {
		err = res.Error
	}
	return permitted(t, "write "+topic, err)
}

func mayRead(t *testing.T, c *kafka.Client, topic string) bool {
	t.Helper()
	res, err := c.Fetch(t.Context(), &kafka.FetchRequest{Topic: topic, Partition: 0, Offset: 0, MinBytes: 0, MaxBytes: 1, MaxWait: time.Millisecond})
	if err == nil {
		err = res.Error
	}
	return permitted(t, "read "+topic, err)
}

// mayJoin reports whether a group's offsets can be committed. The topic is one that not
// everybody may read: that is asked after the group.
func mayJoin(t *testing.T, c *kafka.Client, group string) bool {
	t.Helper()
	const topic = "dsar.events"
	res, err := c.OffsetCommit(t.Context(), &kafka.OffsetCommitRequest{GroupID: group, GenerationID: -1, Topics: map[string][]kafka.OffsetCommit{topic: {{Partition: 0, Offset: 0}}}})
	if err != nil {
		t.Errorf("join %s: %v", group, err)
		return false
	}
	return !errors.Is(res.Topics[topic][0].Error, kafka.GroupAuthorizationFailed)
}

// permitted reports whether the cluster has let somebody do something. Who may neither
// read nor write a topic nor see it is told that there is none.
func permitted(t *testing.T, what string, err error) bool {
	t.Helper()
	switch {
	case errors.Is(err, kafka.TopicAuthorizationFailed), err != nil && strings.Contains(err.Error(), "topic not found"):
		return false
	case err == nil, errors.Is(err, kafka.OffsetOutOfRange):
		return true
	default:
		t.Errorf("%s: %v", what, fmt.Errorf("neither yes nor no: %w", err))
		return false
	}
}
