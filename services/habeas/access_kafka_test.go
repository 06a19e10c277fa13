package main

import (
	"bufio"
	"crypto/pbkdf2"
	"crypto/rand"
	"crypto/sha512"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/segmentio/kafka-go"

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

// TestACLs: on Apache Kafka, each service works as its own user; and of all users and
// topics each may write, and read, what the table says, and nothing else.
func TestACLs(t *testing.T) {
	t.Parallel()
	g := newGuarded(t)
	f := newFleet(t, g.broker.Addrs(kafkatest.Plaintext), "", 12)
	g.serves(f)
	holdToTable(t, people.Systems(), func(user string) bus.Config {
		c, err := g.as(user).Config()
		if err != nil {
			t.Fatal(err)
		}
		return c
	})
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
	sender, err := g.as(topics.UserProducer).Config()
	if err != nil {
		g.Fatal(err)
	}
	producer := upstream.NewWriter(sender.Brokers, as(g.T, sender).Transport)
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
