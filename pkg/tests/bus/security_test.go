package bus_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/pbkdf2"
	"crypto/rand"
	"crypto/sha512"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/segmentio/kafka-go"
	"github.com/twmb/franz-go/pkg/kfake"

	"habeas.dev/pkg/bus"
	"habeas.dev/pkg/bus/kafkatest"
)

func TestTLSAndSignIn(t *testing.T) {
	t.Parallel()
	serverTLS, clientTLS := certificate(t)
	for _, mechanism := range []string{bus.Plain, bus.ScramSHA256, bus.ScramSHA512} {
		for _, withTLS := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s,tls=%t", mechanism, withTLS), func(t *testing.T) {
				t.Parallel()
				opts := []kfake.Opt{kfake.EnableSASL(), kfake.Superuser(mechanism, "habeas", "open sesame")}
				config := bus.Config{SASL: bus.SASL{Mechanism: mechanism, User: "habeas", Password: "open sesame"}}
				if withTLS {
					opts = append(opts, kfake.TLS(serverTLS))
					config.TLS = clientTLS
				}
				c := fake(t, opts...)
				config.Brokers = c.ListenAddrs()
				letsInWhoMay(t, config)
			})
		}
	}
}

// TestRealTLSAndSignIn is the same on Apache Kafka, by a configuration's files.
func TestRealTLSAndSignIn(t *testing.T) {
	t.Parallel()
	b := kafkatest.Start(t, kafkatest.Secure())
	password := filepath.Join(t.TempDir(), "password")
	if err := os.WriteFile(password, []byte(kafkatest.Password+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	type way struct {
		protocol  kafkatest.Protocol
		mechanism string
	}
	ways := []way{{kafkatest.TLS, ""}}
	for _, m := range []string{bus.Plain, bus.ScramSHA256, bus.ScramSHA512} {
		ways = append(ways, way{kafkatest.SASL, m}, way{kafkatest.SASLOverTLS, m})
	}
	for _, w := range ways {
		t.Run(fmt.Sprintf("%s,%s", w.protocol, w.mechanism), func(t *testing.T) {
			t.Parallel()
			files := bus.Files{Brokers: b.Addrs(w.protocol)}
			if w.protocol != kafkatest.SASL {
				files.TLS.CAFile = b.CAFile()
			}
			if w.mechanism != "" {
				files.SASL = bus.SASLFiles{Mechanism: w.mechanism, User: kafkatest.User, PasswordFile: password}
			}
			config, err := files.Config()
			if err != nil {
				t.Fatal(err)
			}
			letsInWhoMay(t, config)
		})
	}
}

// TestRealACLs: who is known and may not is told so.
func TestRealACLs(t *testing.T) {
	t.Parallel()
	b := kafkatest.Start(t, kafkatest.Secure(),
		kafkatest.Property("authorizer.class.name", "org.apache.kafka.metadata.authorizer.StandardAuthorizer"),
		kafkatest.Property("super.users", "User:ANONYMOUS"))
	owner := newRig(t, b.Addrs(kafkatest.Plaintext), 1)
	config := bus.Config{Brokers: b.Addrs(kafkatest.SASL), SASL: bus.SASL{Mechanism: bus.ScramSHA512, User: kafkatest.User, Password: kafkatest.Password}}
	wantACLs := func(what string, err error) {
		t.Helper()
		if err == nil || !strings.Contains(err.Error(), "ACL") || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: %v, want one line that names the ACLs", what, err)
		}
	}
	wantACLs("create", bus.EnsureTopics(t.Context(), config, []bus.TopicSpec{{Name: "mine", Partitions: 1, Replicas: 1}}))
	r := &rig{t: t, config: config, topic: owner.topic, group: owner.group}
	wantACLs("publish", r.publisher().Publish(r.topic, msg("a", "1")))
	sub := r.subscriber(func(c *bus.SubscriberConfig) { c.StallLimit = time.Millisecond })
	r.subscribe(sub)
	r.until("the watchdog names the ACLs", func() bool {
		err := sub.Check(t.Context())
		return err != nil && strings.Contains(err.Error(), "ACL")
	})
}

// letsInWhoMay publishes and subscribes, and tries what must be refused.
func letsInWhoMay(t *testing.T, config bus.Config) {
	t.Helper()
	r := newRig(t, config.Brokers, 0)
	r.config = config
	r.ensure(2)
	pub, ch := r.publisher(), r.subscribe(r.subscriber())
	r.publish(pub, msg("a", "1"))
	r.next(ch).Ack()

	if config.SASL.Mechanism != "" {
		wrong := config
		wrong.SASL.Password, wrong.SASL.PasswordFile = "wrong", ""
		err := bus.Ping(t.Context(), wrong)
		if err == nil || !strings.Contains(err.Error(), "password") || strings.Contains(err.Error(), "wrong\"") {
			t.Errorf("a wrong password: %v", err)
		}
		if text := fmt.Sprintf("%v %+v %#v", wrong.SASL, wrong.SASL, wrong.SASL); strings.Contains(text, wrong.SASL.Password) {
			t.Errorf("the password is printed: %s", text)
		}
		wrong = config
		wrong.SASL = bus.SASL{}
		if err := bus.Ping(t.Context(), wrong); err == nil {
			t.Error("let in without a sign-in")
		}
	}
	if config.TLS != nil {
		wrong := config
		wrong.TLS, wrong.TLSFrom = &tls.Config{RootCAs: x509.NewCertPool()}, nil
		if err := bus.Ping(t.Context(), wrong); err == nil || !strings.Contains(err.Error(), "certificate") {
			t.Errorf("an unknown certificate: %v", err)
		}
		wrong.TLS = nil
		if err := bus.Ping(t.Context(), wrong); err == nil {
			t.Error("let in without TLS")
		}
	}
}

func TestConfigIsChecked(t *testing.T) {
	t.Parallel()
	for _, c := range []bus.Config{
		{},
		{Brokers: []string{"no-port"}},
		{Brokers: []string{"host:1"}, SASL: bus.SASL{Mechanism: "KERBEROS"}},
	} {
		if _, err := bus.NewPublisher(bus.PublisherConfig{Config: c}); err == nil {
			t.Errorf("publisher takes %+v", c)
		}
		if _, err := bus.NewSubscriber(bus.SubscriberConfig{Config: c, Group: "g"}); err == nil {
			t.Errorf("subscriber takes %+v", c)
		}
	}
	if _, err := bus.NewSubscriber(bus.SubscriberConfig{Config: bus.Config{Brokers: []string{"host:1"}}}); err == nil {
		t.Error("subscriber takes no group")
	}
}

// certificate returns one for 127.0.0.1 that signs itself.
func certificate(t *testing.T) (server, client *tls.Config) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, IsCA: true, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	pool.AddCert(cert)
	return &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}}}, &tls.Config{RootCAs: pool}
}

// TestRealRotation changes the password, and the list of authorities, of a running client's
// files on Apache Kafka. What is connected goes on; a new connection is refused while broker
// and file differ, and goes on when they don't, without a new client.
func TestRealRotation(t *testing.T) {
	t.Parallel()
	b := kafkatest.Start(t, kafkatest.Secure())
	admin := &kafka.Client{Addr: kafka.TCP(b.Addrs(kafkatest.Plaintext)...), Timeout: 10 * time.Second}
	const user = "rotating"
	dir := t.TempDir()
	files := bus.Files{Brokers: b.Addrs(kafkatest.SASLOverTLS), TLS: bus.TLSFiles{CAFile: filepath.Join(dir, "ca.pem")},
		SASL: bus.SASLFiles{User: user, PasswordFile: filepath.Join(dir, "password")}}
	write := func(file string, text []byte) {
		t.Helper()
		if err := os.WriteFile(file, text, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	atBroker := func(password string) {
		t.Helper()
		salt := []byte("0123456789abcdef")
		key, err := pbkdf2.Key(sha512.New, password, salt, 4096, sha512.Size)
		if err != nil {
			t.Fatal(err)
		}
		res, err := admin.AlterUserScramCredentials(t.Context(), &kafka.AlterUserScramCredentialsRequest{Upsertions: []kafka.UserScramCredentialsUpsertion{
			{Name: user, Mechanism: kafka.ScramMechanismSha512, Iterations: 4096, Salt: salt, SaltedPassword: key}}})
		if err != nil || res.Results[0].Error != nil {
			t.Fatal(err, res)
		}
	}
	ca, err := os.ReadFile(b.CAFile())
	if err != nil {
		t.Fatal(err)
	}
	write(files.TLS.CAFile, ca)
	write(files.SASL.PasswordFile, []byte("first\n"))
	atBroker("first")
	config, err := files.Config()
	if err != nil {
		t.Fatal(err)
	}
	transport, err := config.Transport()
	if err != nil {
		t.Fatal(err)
	}
	defer transport.CloseIdleConnections()
	client := &kafka.Client{Addr: kafka.TCP(files.Brokers...), Transport: transport}
	asks := func() error {
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
		defer cancel()
		_, err := client.ApiVersions(ctx, &kafka.ApiVersionsRequest{Addr: kafka.TCP(files.Brokers...)})
		return err
	}
	signsIn := func(what string, want bool) {
		t.Helper()
		deadline := time.Now().Add(patience)
		for {
			transport.CloseIdleConnections()
			err := asks()
			if (err == nil) == want {
				return
			}
			if time.Now().After(deadline) {
				t.Fatalf("%s: %v, want it to work: %t", what, err, want)
			}
		}
	}
	signsIn("at first", true)
	atBroker("second")
	if err := asks(); err != nil {
		t.Errorf("what is connected: %v", err)
	}
	signsIn("the file has the old password", false)
	write(files.SASL.PasswordFile, []byte("second\n"))
	signsIn("the file has the new password", true)
	other, _ := certificate(t)
	write(files.TLS.CAFile, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: other.Certificates[0].Certificate[0]}))
	signsIn("another authority", false)
	write(files.TLS.CAFile, ca)
	signsIn("the authority again", true)
}
