// Package config is the one configuration of all of Habeas: a YAML file, over
// which environment variables go, and flags over those. The same file serves
// one process with everything in it and each service in its own.
package config

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"

	"habeas.dev/pkg/bus"
	"habeas.dev/pkg/dsar"
	"habeas.dev/pkg/identifier"
	"habeas.dev/services/internal/operator"
	"habeas.dev/services/internal/topics"
)

// Config says where everything is. A zero field has a default below Data.
type Config struct {
	// Data is the folder with the rooms broker, journal, vault, vault-keys, sandbox, outbox.
	Data string `yaml:"data"`
	// Listen is the address of the HTTP door: HOST:PORT.
	Listen string `yaml:"listen"`
	// TLS is the door's. Without callers it listens on loopback only.
	TLS     ServerTLS         `yaml:"tls"`
	Callers map[string]Caller `yaml:"callers,omitempty"`
	Issuers []Issuer          `yaml:"issuers,omitempty"`
	// Producers are those who may send requests by Kafka. With one of them every
	// record must be signed by one of them; without, whoever may write to the topic is
	// believed.
	Producers map[string]Producer `yaml:"producers,omitempty"`
	// PerPerson is how many requests of one person are taken in within a day; default 20.
	PerPerson int `yaml:"per_person"`
	// Proxies are the networks of proxies in front of the door: what they say of whom
	// they forward for (X-Forwarded-For) is believed.
	Proxies []string `yaml:"proxies,omitempty"`
	Monitor Monitor  `yaml:"monitor"`
	// Journal is sqlite:///path or postgres://…; default DATA/journal/journal.db.
	Journal string `yaml:"journal"`
	Vault   Vault  `yaml:"vault"`
	// Links is the folder of link keys, one for each worker, SYSTEM.json, which is made
	// where it is missing below Data; default DATA/links. The coordinator needs all of
	// them, a worker its own.
	Links string `yaml:"links"`
	// Outbox is a folder or a bucket URL for the bundles; default DATA/outbox.
	Outbox string `yaml:"outbox"`
	// Kafka are the brokers; none means the embedded one, in DATA/broker.
	Kafka bus.Files `yaml:"kafka"`
	// Topics is what they have otherwise than the AsyncAPI document says.
	Topics topics.Deviation `yaml:"topics"`
	// Receipts is who signs answers and receipts.
	Receipts Receipts `yaml:"receipts"`
	Keep     Keep     `yaml:"keep"`
	// Systems are those that every request must reach, by name.
	Systems map[string]System `yaml:"systems"`
	// Lease is how long a task may go unheard of before it is sent again, where
	// its system's manifest says nothing; default 10m.
	Lease time.Duration `yaml:"lease"`
	// Limits is where the processes that call vendors share what they have called:
	// postgres://… or sqlite:///path. Default: the journal's database where that
	// is PostgreSQL, else DATA/vendors.db.
	Limits string `yaml:"limits"`
	// Controller is who answers the person, as named in every bundle.
	Controller string `yaml:"controller"`
	// Proof says when proof of identity is wanted before anything is disclosed:
	// unverified, of every identifier that upstream hasn't verified, which is the
	// default; without, where upstream has verified none, and else the request goes on
	// without those that it hasn't; always; or never: whoever can send a request is
	// believed. Every start warns of never.
	Proof string `yaml:"proof"`
	// Laws are folders of laws' files beside those that are built in: a law of a folder
	// stands instead of a built-in one of the same id (habeas law check).
	Laws []string `yaml:"laws,omitempty"`
	// Languages are folders of languages beside those that are built in: each folder in
	// one of them is a language, named by its tag.
	Languages []string `yaml:"languages,omitempty"`
	// Controllers are who answers for the data under which law; where none is named,
	// Controller does. Declarations are what only the operator can say, as long as it holds.
	Controllers  []operator.Controller  `yaml:"controllers,omitempty"`
	Declarations []operator.Declaration `yaml:"declarations,omitempty"`
	// Again is what is done about erasures after they were answered.
	Again `yaml:",inline"`
	// FourEyes are the kinds of acts that a second person must agree to: refusals, large-plans,
	// reveals. Requests that are taken in from then on keep to it.
	FourEyes []string `yaml:"four_eyes,omitempty"`
	// Corrections says when they wait for a person.
	Corrections Corrections `yaml:"corrections,omitempty"`
	// Purposes are files of purposes beside those that are built in: one of a file stands
	// instead of a built-in one of the same id.
	Purposes []string `yaml:"purposes,omitempty"`
	// Retired are the manifests of systems that are out of use: files, or names of those that
	// are built in. Answers to requests that have something of theirs tell it by them.
	Retired []string `yaml:"retired,omitempty"`
	// DoorURL is the HTTP door's address as recipients of data reach it, which acknowledge
	// notices there; without it, notices name no address.
	DoorURL string `yaml:"door_url,omitempty"`
	// Recipients are files of recipients beside those that are built in: one of a file
	// stands in for a built-in one of the same id.
	Recipients []string `yaml:"recipients,omitempty"`
	// Identifiers says which writings of an identifier are one.
	Identifiers Identifiers `yaml:"identifiers"`
	// Letters is how letters to people are sent, beside the outbox.
	Letters   Letters   `yaml:"letters"`
	Console   Console   `yaml:"console"`
	Portal    Portal    `yaml:"portal"`
	Notify    Notify    `yaml:"notify"`
	Telemetry Telemetry `yaml:"telemetry"`
	Log       Log       `yaml:"log"`
	// Sandbox, where set, seeds stand-ins for all systems in DATA/sandbox.
	Sandbox *Sandbox `yaml:"sandbox"`
}

// Identifiers is what the equivalences of pkg/identifier leave to configuration.
type Identifiers struct {
	// Country is whose national telephone numbers are the same as their
	// international writing: an ISO 3166 code, as FR; none by default. A change of it
	// hides earlier requests from a search by telephone number.
	Country string `yaml:"country"`
}

// Letters is the mail server; without one, letters stay in the outbox.
type Letters struct {
	SMTP         string `yaml:"smtp"` // HOST:PORT
	From         string `yaml:"from"`
	User         string `yaml:"user"`
	PasswordFile string `yaml:"password_file"`
	// Plain lets letters go without TLS, to a relay on the same machine.
	Plain bool `yaml:"plain"`
}

// Console is the page of support agents; without an address there is none.
type Console struct {
	Listen string    `yaml:"listen"` // HOST:PORT
	TLS    ServerTLS `yaml:"tls"`
	// Local lets in everyone on this machine, with every role: for the demo.
	Local bool `yaml:"local"`
	// CookieKeyFile has the secret of sessions' cookies, the same in all consoles behind
	// one address, and nobody else's; default: made in the data folder.
	CookieKeyFile string `yaml:"cookie_key_file"`
	// PhrasesFile has what agents write to people often, by language: a list of title and
	// text each. Empty: nothing.
	PhrasesFile string `yaml:"phrases_file"`
	// URL is its own address as browsers reach it, and OIDC who they are.
	URL  string `yaml:"url"`
	OIDC OIDC   `yaml:"oidc"`
	// Traces is the address of a trace in the observability stack, with {trace}
	// for its id.
	Traces string `yaml:"traces"`
}

// OIDC is the provider of OpenID Connect that signs people in to the console.
type OIDC struct {
	Issuer           string `yaml:"issuer"`
	ClientID         string `yaml:"client_id"`
	ClientSecretFile string `yaml:"client_secret_file"`
	// DeviceClientID is the client of habeas login; default: client_id.
	DeviceClientID string   `yaml:"device_client_id"`
	Scopes         []string `yaml:"scopes"`
	NameClaim      string   `yaml:"name_claim"`  // default preferred_username
	RolesClaim     string   `yaml:"roles_claim"` // default roles
	// Roles says which values of that claim make a viewer, an agent, a
	// privacy-officer.
	Roles map[string][]string `yaml:"roles"`
}

// check tells what is wrong before anything is opened.
func (c Console) check() error {
	switch signIn := c.OIDC.Issuer != ""; {
	case c.Listen == "":
		return nil
	case c.Local == signIn:
		return errors.New("console: either local: true, for a machine of one's own, or oidc: with an issuer")
	case !c.Local && c.URL == "":
		return errors.New("console: url is missing: the console's address as browsers reach it")
	case c.Local:
		if host, _, err := net.SplitHostPort(c.Listen); err != nil || !loopback(host) {
			return fmt.Errorf("console: local and listen %q: without sign-in it listens on loopback only, as 127.0.0.1:8421", c.Listen)
		}
	}
	return nil
}

// Vault is where sealed objects and wrapped keys lie.
type Vault struct {
	Bucket string `yaml:"bucket"` // folder or bucket URL; default DATA/vault
	// Apart has each system's objects lie in its own part of a folder, objects/SYSTEM, so
	// that its worker can be given that part alone; in a bucket they do anyway. It costs a
	// file for each system and request.
	Apart bool `yaml:"apart,omitempty"`
	// Keys is where the wrapped keys lie, apart from what they open: a folder or a
	// bucket's URL; default DATA/vault-keys.
	Keys string `yaml:"keys"`
	// Key is the master key: file:///path of 32 bytes in base64 (made where it
	// is missing, if below Data), base64key://… or a URL of a key service.
	Key string `yaml:"key"`
	// OldKeys are master keys that open what they wrapped before: while one is rotated.
	OldKeys []string `yaml:"old_keys,omitempty"`
	// SealingKey is the file that an intake by itself has instead of the master key: it
	// seals, and opens nothing (habeas keys sealing). Who runs everything needs none.
	SealingKey string `yaml:"sealing_key,omitempty"`
}

// Telemetry is where traces and metrics go; nowhere by default.
type Telemetry struct {
	OTLP string `yaml:"otlp"` // http(s)://HOST:PORT of an OTLP/HTTP collector
}

// Log says how much is logged to standard error, and how.
type Log struct {
	Level  string `yaml:"level"`  // debug, info (default), warn, error
	Format string `yaml:"format"` // text (default) or json
}

// System is what one system's worker needs to know.
type System struct {
	// Manifest is the path of its manifest; default: the one built in under its name.
	Manifest string `yaml:"manifest"`
	// DSN is the database of a system that is served from its manifest alone:
	// sqlite:///path or postgres://….
	DSN string `yaml:"dsn"`
	// Files are the folders and buckets in which files lie that belong to rows of the
	// database, by the name that the manifest gives them: a path, file:///path, or the URL
	// of one of gocloud.dev's buckets.
	Files map[string]string `yaml:"files,omitempty"`
	// URL and ClientID are a vendor's. Its secret is in one of a file, an
	// environment variable, which is named here, and a cloud's secret store, by its
	// URL (gocloud.dev/runtimevar).
	URL               string `yaml:"url"`
	ClientID          string `yaml:"client_id"`
	ClientSecretFile  string `yaml:"client_secret_file"`
	ClientSecretEnv   string `yaml:"client_secret_env,omitempty"`
	ClientSecretStore string `yaml:"client_secret_store,omitempty"`
	// CallsPerSecond is how fast a vendor is called at most; 0: as its vendor
	// advises; below 0: without limit.
	CallsPerSecond float64 `yaml:"calls_per_second"`
	// CallsPerDay is how much of a vendor's daily quota is ours, over all
	// processes, and CallsAtOnce how many calls may be out; 0: as its worker
	// advises.
	CallsPerDay int64 `yaml:"calls_per_day"`
	CallsAtOnce int   `yaml:"calls_at_once"`
	// Options are what one vendor needs besides: merchant_id. Its worker's page
	// of docs/vendors.md lists them.
	Options map[string]string `yaml:"options,omitempty"`
	// Elsewhere says that its worker runs in a process of its own.
	Elsewhere bool `yaml:"elsewhere"`
}

// Sandbox is the population of the stand-ins.
type Sandbox struct {
	Seed   int64 `yaml:"seed"`
	People int   `yaml:"people"`
	// Systems are those that are there, by name; none: all that the sandbox has.
	Systems []string `yaml:"systems"`
	// ActivityRows is how many rows the lake of activity has, where the program has lakes in
	// it (-tags lake); 0: 50,000. A lake that is there stays as it is.
	ActivityRows int `yaml:"activity_rows"`
	// WithoutFiles leaves out the images and recordings beside rows of events, support and
	// community.
	WithoutFiles bool `yaml:"without_files"`
	// Faults is what goes wrong with the vendors' stand-ins, as
	// `habeas sandbox --help` explains it.
	Faults string `yaml:"faults"`
	// Canaries plants a findable string in every personal field; for tests.
	Canaries bool `yaml:"canaries"`
}

// The rooms of a data folder.
const (
	RoomBroker    = "broker"
	RoomJournal   = "journal"
	RoomVault     = "vault"
	RoomVaultKeys = "vault-keys"
	RoomLinks     = "links"
	RoomSandbox   = "sandbox"
	RoomOutbox    = "outbox"
	RoomKeys      = "keys"
	RoomMirror    = "mirror"
	RoomUploads   = "uploads"
	RoomMail      = "mail"
	RoomUsers     = "users" // how who comes from outside signs in to the embedded broker
)

// File is the name under which `habeas up` and `demo` leave their effective
// configuration in the data folder, so that other commands find everything
// with --data alone.
const File = "habeas.yaml"

// minLease is the least that a manifest may say, too.
const minLease = time.Second

// Load reads a file and the environment. The error is one line that names the
// file, the line and the cure.
func Load(path string) (Config, error) {
	f, err := os.Open(path)
	if err != nil {
		return Config{}, fmt.Errorf("configuration: %w; write one (see docs/operate.md) or name it with --config", err)
	}
	defer f.Close()
	c, err := parse(f)
	if err != nil {
		return Config{}, fmt.Errorf("configuration %s: %w", path, err)
	}
	if c.Data == "" {
		c.Data = filepath.Dir(path)
	}
	c, err = c.fromEnvironment(os.Getenv).withDefaults()
	if err != nil {
		return c, fmt.Errorf("configuration %s: %w", path, err)
	}
	return c, nil
}

// maxFile bounds a configuration file: far above any that a person writes.
const maxFile = 1 << 20

func parse(r io.Reader) (Config, error) {
	var c Config
	limited := &io.LimitedReader{R: r, N: maxFile + 1}
	d := yaml.NewDecoder(limited)
	d.KnownFields(true)
	err := d.Decode(&c)
	switch {
	case limited.N <= 0:
		return c, fmt.Errorf("it is larger than %d bytes", maxFile)
	case errors.Is(err, io.EOF): // an empty file
		return c, nil
	case err != nil:
		return c, unreadable(err)
	}
	if err := d.Decode(new(yaml.Node)); !errors.Is(err, io.EOF) {
		return c, errors.New("it has more than one document; leave one")
	}
	return c, nil
}

// ForData returns the configuration of a data folder: the one that was left in it,
// or the default one.
func ForData(dir string) (Config, error) {
	path := filepath.Join(dir, File)
	if _, err := os.Stat(path); err == nil {
		return Load(path)
	}
	c, err := Config{Data: dir}.fromEnvironment(os.Getenv).withDefaults()
	if err != nil {
		return c, fmt.Errorf("configuration: %w", err)
	}
	return c, nil
}

// LogFormat returns how a service that is configured by a file is to log what keeps it
// from starting: as the environment or the file say, though the rest of it be wrong.
func LogFormat(path string) string {
	if v := os.Getenv("HABEAS_LOG_FORMAT"); v != "" {
		return v
	}
	var c struct {
		Log struct {
			Format string `yaml:"format"`
		} `yaml:"log"`
	}
	if f, err := os.Open(path); err == nil {
		defer f.Close()
		_ = yaml.NewDecoder(io.LimitReader(f, maxFile)).Decode(&c)
	}
	return c.Log.Format
}

// fromEnvironment lets HABEAS_… variables replace what the file says.
func (c Config) fromEnvironment(getenv func(string) string) Config {
	for name, field := range map[string]*string{
		"HABEAS_LISTEN": &c.Listen, "HABEAS_MONITOR": &c.Monitor.Listen, "HABEAS_JOURNAL": &c.Journal, "HABEAS_LIMITS": &c.Limits, "HABEAS_VAULT": &c.Vault.Bucket, "HABEAS_VAULT_KEYS": &c.Vault.Keys, "HABEAS_LINKS": &c.Links, "HABEAS_VAULT_KEY": &c.Vault.Key,
		"HABEAS_OUTBOX": &c.Outbox, "HABEAS_OTLP": &c.Telemetry.OTLP, "HABEAS_LOG_LEVEL": &c.Log.Level, "HABEAS_LOG_FORMAT": &c.Log.Format,
		"HABEAS_KAFKA_USER": &c.Kafka.SASL.User, "HABEAS_KAFKA_PASSWORD_FILE": &c.Kafka.SASL.PasswordFile,
	} {
		if v := getenv(name); v != "" {
			*field = v
		}
	}
	if v := getenv("HABEAS_KAFKA_BROKERS"); v != "" {
		c.Kafka.Brokers = strings.Split(v, ",")
	}
	return c
}

func (c Config) withDefaults() (Config, error) {
	if c.Data == "" {
		return c, errors.New("no data folder; name one with --data, or by data: in the file")
	}
	dir, err := filepath.Abs(c.Data)
	if err != nil {
		return c, err
	}
	c.Data = dir
	set := func(field *string, value string) {
		if *field == "" {
			*field = value
		}
	}
	set(&c.Listen, "127.0.0.1:8420")
	set(&c.Journal, "sqlite://"+filepath.ToSlash(filepath.Join(dir, RoomJournal, "journal.db")))
	if strings.HasPrefix(c.Journal, "postgres:") || strings.HasPrefix(c.Journal, "postgresql:") {
		set(&c.Limits, c.Journal)
	}
	set(&c.Limits, "sqlite://"+filepath.ToSlash(filepath.Join(dir, "vendors.db")))
	set(&c.Vault.Bucket, c.Room(RoomVault))
	set(&c.Vault.Keys, c.Room(RoomVaultKeys))
	set(&c.Links, c.Room(RoomLinks))
	set(&c.Vault.Key, "file://"+filepath.ToSlash(filepath.Join(dir, "master.key")))
	set(&c.Outbox, c.Room(RoomOutbox))
	set(&c.Receipts.Name, defaultName)
	set(&c.Receipts.BundleKey, filepath.Join(c.Room(RoomKeys), "bundles.key"))
	set(&c.Receipts.LogKey, c.ownLogKey())
	set(&c.Receipts.Mirror, c.Room(RoomMirror))
	set(&c.Portal.Uploads, c.Room(RoomUploads))
	set(&c.Portal.UploadsKey, filepath.Join(c.Room(RoomKeys), "uploads.key"))
	if c.Portal.Identifiers == nil {
		c.Portal.Identifiers = []dsar.IdentifierType{"account_id", "phone"}
	}
	c.Keep.AnswerDays = cmp.Or(c.Keep.AnswerDays, defaultAnswerDays)
	set(&c.Prove, "P30D")
	set(&c.CameBack, "ask")
	set(&c.Log.Level, "info")
	set(&c.Log.Format, "text")
	return c, c.check()
}

func (c Config) check() error {
	switch c.Log.Level {
	case "debug", "info", "warn", "error":
	default:
		return fmt.Errorf("log.level %q is none of debug, info, warn, error", c.Log.Level)
	}
	if c.Log.Format != "text" && c.Log.Format != "json" {
		return fmt.Errorf("log.format %q is neither text nor json", c.Log.Format)
	}
	if (c.Letters.SMTP == "") != (c.Letters.From == "") {
		return errors.New("letters: smtp and from go together: the server, and who writes")
	}
	if _, err := identifier.New(c.Identifiers.Country); err != nil {
		return fmt.Errorf("identifiers.country: %w", err)
	}
	switch c.Proof {
	case "", "unverified", "without", "always", "never":
	default:
		return fmt.Errorf("proof %q is none of unverified, without, always and never; left out, it is unverified", c.Proof)
	}
	if c.Lease != 0 && (c.Lease < minLease || c.Lease > dsar.MaxLease) {
		return fmt.Errorf("lease %s is out of bounds; write a time from %s to %s, such as 10m", c.Lease, minLease, dsar.MaxLease)
	}
	if c.Sandbox != nil && c.Sandbox.People < 0 {
		return fmt.Errorf("sandbox.people is %d; at least 1", c.Sandbox.People)
	}
	if err := c.Receipts.check(); err != nil {
		return err
	}
	if err := (operator.Operator{Controllers: c.Controllers, Declarations: c.Declarations}).Check(); err != nil {
		return err
	}
	if err := c.Keep.check(); err != nil {
		return err
	}
	if err := c.checkCallers(); err != nil {
		return err
	}
	if err := c.Again.check(); err != nil {
		return err
	}
	if err := c.Corrections.check(); err != nil {
		return err
	}
	if err := c.checkFourEyes(); err != nil {
		return err
	}
	if err := c.Console.check(); err != nil {
		return err
	}
	if err := c.Portal.check(c.Letters); err != nil {
		return err
	}
	if err := c.Notify.check(c.Letters); err != nil {
		return err
	}
	if err := c.checkListeners(); err != nil {
		return err
	}
	return c.Topics.Check()
}

// checkListeners checks that each address to listen on is one, and its port is.
func (c Config) checkListeners() error {
	for _, l := range []struct{ setting, address string }{{"listen", c.Listen}, {"monitor.listen", c.Monitor.Listen}, {"console.listen", c.Console.Listen}, {"portal.listen", c.Portal.Listen}} {
		if l.address == "" {
			continue
		}
		_, port, err := net.SplitHostPort(l.address)
		if err == nil {
			_, err = strconv.ParseUint(port, 10, 16) // names of ports differ from machine to machine
		}
		if err != nil {
			return fmt.Errorf("%s %q is no address to listen on; write HOST:PORT, as 127.0.0.1:8420, the port at most 65535", l.setting, l.address)
		}
	}
	return nil
}

// Room returns the path of one of the rooms.
func (c Config) Room(name string) string { return filepath.Join(c.Data, name) }

// Save leaves the effective configuration in the data folder.
func (c Config) Save() error {
	text, err := yaml.Marshal(c)
	if err != nil {
		return err
	}
	path := filepath.Join(c.Data, File)
	head := fmt.Sprintf("# Written by habeas on %s; `habeas --data` reads it.\n", time.Now().UTC().Format(time.DateOnly))
	return os.WriteFile(path, append([]byte(head), text...), 0o600)
}
