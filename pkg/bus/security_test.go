package bus_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"math/big"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kfake"

	"habeas.dev/pkg/bus"
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
				r := &rig{t: t, config: config, topic: "topic", group: "group"}
				r.ensure(2)
				pub, ch := r.publisher(), r.subscribe(r.subscriber())
				r.publish(pub, msg("a", "1"))
				r.next(ch).Ack()

				wrong := config
				wrong.SASL.Password = "wrong"
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
				if withTLS {
					wrong = config
					wrong.TLS = &tls.Config{RootCAs: x509.NewCertPool()}
					if err := bus.Ping(t.Context(), wrong); err == nil || !strings.Contains(err.Error(), "certificate") {
						t.Errorf("an unknown certificate: %v", err)
					}
				}
			})
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

// certificate is one for 127.0.0.1 that signs itself.
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
