package worker

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"go.yaml.in/yaml/v3"

	"habeas.dev/pkg/bus"
	"habeas.dev/pkg/link"
	"habeas.dev/pkg/vault"
)

// Settings is what Habeas' configuration says to a worker: the same file serves both,
// with the same defaults, and what isn't a worker's is passed over. HABEAS_VAULT,
// HABEAS_LINKS, HABEAS_KAFKA_BROKERS, HABEAS_KAFKA_USER, HABEAS_KAFKA_PASSWORD_FILE,
// HABEAS_LOG_LEVEL and HABEAS_LOG_FORMAT go over what the file says. Where no brokers are
// named, the embedded one of habeas up is taken, as the user that it has made for the
// worker: DATA/users/habeas-worker-SYSTEM.yaml.
type Settings struct {
	Kafka bus.Files `yaml:"kafka"`
	Vault struct {
		// Bucket is a folder or a bucket's URL; DATA/vault where empty.
		Bucket string `yaml:"bucket"`
		// Apart has each system's objects lie in its own part of a folder, objects/SYSTEM.
		Apart bool `yaml:"apart"`
	} `yaml:"vault"`
	// Links is the folder of link keys, in which the worker's own is SYSTEM.json;
	// DATA/links where empty.
	Links string `yaml:"links"`
	// Data is the folder of all that isn't elsewhere; that of the file where empty.
	Data string `yaml:"data"`
	Log  struct {
		Level  string `yaml:"level"`  // debug, info (default), warn, error
		Format string `yaml:"format"` // text (default) or json
	} `yaml:"log"`
	// System is the worker's own part, under its system's name.
	System `yaml:"-"`

	Systems map[string]System `yaml:"systems"`
}

// System is what the configuration says of one system. Which of it a worker needs is
// its own affair.
type System struct {
	DSN              string            `yaml:"dsn"`
	URL              string            `yaml:"url"`
	ClientID         string            `yaml:"client_id"`
	ClientSecretFile string            `yaml:"client_secret_file"`
	ClientSecretEnv  string            `yaml:"client_secret_env"`
	CallsPerSecond   float64           `yaml:"calls_per_second"`
	CallsPerDay      int64             `yaml:"calls_per_day"`
	CallsAtOnce      int               `yaml:"calls_at_once"`
	Options          map[string]string `yaml:"options"`
}

// Secret returns the system's secret, from the file or the variable that is named;
// empty where neither is. White space around it is cut off. It MUST NOT be logged.
func (s System) Secret() (string, error) {
	if s.ClientSecretFile == "" {
		return strings.TrimSpace(os.Getenv(s.ClientSecretEnv)), nil
	}
	b, err := os.ReadFile(s.ClientSecretFile)
	if err != nil {
		return "", fmt.Errorf("worker: the secret: %w", err)
	}
	return strings.TrimSpace(string(b)), nil
}

// maxSettings bounds the file: far above any that a person writes.
const maxSettings = 1 << 20

// ReadSettings reads the configuration for the worker of a system, which MUST be among
// its systems.
func ReadSettings(file, system string) (Settings, error) {
	var s Settings
	in, err := os.Open(file)
	if err != nil {
		return s, fmt.Errorf("worker: configuration: %w", err)
	}
	defer in.Close()
	limited := &io.LimitedReader{R: in, N: maxSettings + 1}
	err = yaml.NewDecoder(limited).Decode(&s)
	switch {
	case limited.N <= 0:
		return s, fmt.Errorf("worker: configuration %s: it is larger than %d bytes", file, maxSettings)
	case err != nil && !errors.Is(err, io.EOF):
		return s, fmt.Errorf("worker: configuration %s: %s", file, strings.Join(strings.Fields(err.Error()), " "))
	}
	own, ok := s.Systems[system]
	if !ok {
		return s, fmt.Errorf("worker: configuration %s: no system %s under systems: add it, with its manifest and elsewhere: true", file, system)
	}
	s.System = own
	if s.Data, err = filepath.Abs(cmp.Or(s.Data, filepath.Dir(file))); err != nil {
		return s, fmt.Errorf("worker: configuration %s: %w", file, err)
	}
	s.Vault.Bucket = cmp.Or(os.Getenv("HABEAS_VAULT"), s.Vault.Bucket, filepath.Join(s.Data, "vault"))
	s.Links = cmp.Or(os.Getenv("HABEAS_LINKS"), s.Links, filepath.Join(s.Data, "links"))
	s.Log.Level = cmp.Or(os.Getenv("HABEAS_LOG_LEVEL"), s.Log.Level, "info")
	s.Log.Format = cmp.Or(os.Getenv("HABEAS_LOG_FORMAT"), s.Log.Format, "text")
	s.Kafka.SASL.User = cmp.Or(os.Getenv("HABEAS_KAFKA_USER"), s.Kafka.SASL.User)
	s.Kafka.SASL.PasswordFile = cmp.Or(os.Getenv("HABEAS_KAFKA_PASSWORD_FILE"), s.Kafka.SASL.PasswordFile)
	if v := os.Getenv("HABEAS_KAFKA_BROKERS"); v != "" {
		s.Kafka.Brokers = strings.Split(v, ",")
	}
	if len(s.Kafka.Brokers) == 0 {
		return s, s.readEmbedded(system)
	}
	return s, nil
}

// readEmbedded reads how the embedded broker is reached, where it runs.
func (s *Settings) readEmbedded(system string) error {
	path := filepath.Join(s.Data, "users", "habeas-worker-"+system+".yaml")
	text, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	var way struct {
		Kafka *bus.Files `yaml:"kafka"`
	}
	way.Kafka = &s.Kafka
	if err == nil {
		err = yaml.Unmarshal(text, &way)
	}
	if err != nil {
		return fmt.Errorf("worker: the embedded broker's user: %s: %w", path, err)
	}
	return nil
}

// access opens what the worker opens its tasks by. closing closes it.
func (s Settings) access(ctx context.Context, system string) (a Access, closing func() error, err error) {
	if a.Link, err = link.Open(filepath.Join(s.Links, system+".json")); err != nil {
		return a, nil, fmt.Errorf("worker: %w", err)
	}
	if a.Objects, err = vault.OpenObjects(ctx, vault.Config{Bucket: s.Vault.Bucket, Apart: s.Vault.Apart}); err != nil {
		return a, nil, fmt.Errorf("worker: %w", err)
	}
	return a, a.Objects.Close, nil
}
