package bus

import (
	"cmp"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"os"
)

// Files is a [Config] as a configuration file holds it: names of files instead of
// keys and passwords. Everything but Brokers may be empty.
type Files struct {
	// Brokers are host:port addresses to begin with; at least one.
	Brokers []string `yaml:"brokers"`
	// ClientID names this program in the brokers' logs.
	ClientID string    `yaml:"client_id"`
	TLS      TLSFiles  `yaml:"tls"`
	SASL     SASLFiles `yaml:"sasl"`
}

// TLSFiles says how connections are encrypted, and whom they trust. The zero value
// is plain text.
type TLSFiles struct {
	// Enabled asks for TLS also where nothing else here is set.
	Enabled bool `yaml:"enabled"`
	// CAFile are the authorities in PEM that are trusted; empty: the system's.
	CAFile string `yaml:"ca_file"`
	// CertFile and KeyFile are the client's certificate in PEM, where the
	// brokers ask for one.
	CertFile string `yaml:"cert_file"`
	KeyFile  string `yaml:"key_file"`
	// ServerName is the name that the brokers' certificates are checked
	// against; empty: the host of the address.
	ServerName string `yaml:"server_name"`
}

// SASLFiles is a [SASL] whose password is in a file. The zero value is none.
type SASLFiles struct {
	// Mechanism is PLAIN, SCRAM-SHA-256 or SCRAM-SHA-512; where it is empty, a user is
	// signed in by the last.
	Mechanism string `yaml:"mechanism"`
	User      string `yaml:"user"`
	// PasswordFile holds the password; white space around it is cut off.
	PasswordFile string `yaml:"password_file"`
}

// Config reads the files and returns the configuration that they make, by which each
// connection reads them anew. The error names the file.
func (f Files) Config() (Config, error) {
	c := Config{Brokers: f.Brokers, ClientID: f.ClientID}
	var err error
	if c.TLS, err = f.TLS.config(); err != nil {
		return c, err
	}
	if c.TLS != nil {
		c.TLSFrom = f.TLS.fresh(c.TLS)
	}
	if f.SASL.Mechanism != "" || f.SASL.User != "" {
		password, err := readPassword(f.SASL.PasswordFile)
		if err != nil {
			return c, err
		}
		c.SASL = SASL{Mechanism: cmp.Or(f.SASL.Mechanism, ScramSHA512), User: f.SASL.User, Password: password, PasswordFile: f.SASL.PasswordFile}
	}
	return c, nil
}

func (t TLSFiles) config() (*tls.Config, error) {
	if t == (TLSFiles{}) {
		return nil, nil
	}
	c := &tls.Config{MinVersion: tls.VersionTLS12, ServerName: t.ServerName}
	if t.CAFile != "" {
		pem, err := os.ReadFile(t.CAFile)
		if err != nil {
			return nil, fmt.Errorf("bus: TLS authorities: %w", err)
		}
		c.RootCAs = x509.NewCertPool()
		if !c.RootCAs.AppendCertsFromPEM(pem) {
			return nil, fmt.Errorf("bus: TLS authorities: %s holds no certificate in PEM", t.CAFile)
		}
	}
	if (t.CertFile == "") != (t.KeyFile == "") {
		return nil, errors.New("bus: TLS: the certificate's file and the key's belong together")
	}
	if t.CertFile != "" {
		pair, err := tls.LoadX509KeyPair(t.CertFile, t.KeyFile)
		if err != nil {
			return nil, fmt.Errorf("bus: TLS certificate: %w", err)
		}
		c.Certificates = []tls.Certificate{pair}
	}
	return c, nil
}
