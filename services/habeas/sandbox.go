package main

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"strings"
	"time"

	_ "github.com/jackc/pgx/v5/stdlib" // the driver "pgx"

	"habeas.dev/services/internal/config"
	"habeas.dev/services/internal/terminal"
	"habeas.dev/services/sandbox/fault"
	"habeas.dev/services/sandbox/internaldb"
	"habeas.dev/services/sandbox/people"
	"habeas.dev/services/sandbox/standin"
)

type sandboxCommand struct {
	Listen string `help:"Where the vendors' stand-ins are." default:"127.0.0.1:8430" placeholder:"HOST:PORT"`
	Seed   int64  `help:"The seed of the population." default:"1"`
	People int    `help:"How many people are seeded; at least 200." default:"240"`
	Faults string `help:"What goes wrong: see above." name:"sandbox-faults" placeholder:"FAULTS"`
	Data   string `help:"Keep what becomes of the vendors' records in this folder; without it they are as seeded after every start." placeholder:"DIR" type:"path"`
	Config string `help:"Fill the PostgreSQL databases that this configuration names under systems:, where they are empty." placeholder:"FILE" type:"path"`
	JSON   bool   `help:"Print as JSON where each vendor is, how to sign in, and addresses of people who are there."`
}

// Help returns what habeas sandbox --help says beyond its flags.
func (*sandboxCommand) Help() string {
	return `Runs the stand-ins for the vendors alone: for whoever develops a worker against
them, or tries Habeas with its services in containers. All are at one address: their
paths don't overlap. Everybody in them is invented.

  habeas sandbox --json
  habeas sandbox --listen 0.0.0.0:8430 --config habeas.yaml
  habeas sandbox --seed 7 --people 5000 --sandbox-faults 'marketo:5xx=0.2,latency=50ms'

--json prints one line once they answer: of each vendor its base URL, credentials,
further options of a configuration, the identifier that it is asked by, a few people
whom it holds, and datasets, as YAML to add to a manifest, for what Salesforce and
Marketo hold of a company's own: a custom object each, and members of programs.

Faults: ` + fault.Grammar
}

// headerTime bounds how long a caller may take for the headers of a request.
const headerTime = 10 * time.Second

// sandboxTimeout bounds the filling of one database.
const sandboxTimeout = 2 * time.Minute

// Run serves until it is told to stop.
func (c *sandboxCommand) Run(ctx context.Context) (err error) {
	if c.People < 200 {
		return fmt.Errorf("--people %d: at least 200", c.People)
	}
	plan, err := fault.Parse(c.Faults, standin.Vendors())
	if err != nil {
		return err
	}
	population := people.Generate(people.Config{Seed: c.Seed, People: c.People, Own: true})
	if c.Data != "" {
		if err := os.MkdirAll(c.Data, 0o700); err != nil {
			return fmt.Errorf("--data: %w", err)
		}
	}
	if err := c.fillDatabases(ctx, population); err != nil {
		return err
	}
	vendors, err := standin.Open(standin.Config{Population: population, Dir: c.Data, Faults: plan})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, standin.Close(vendors)) }()
	l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", c.Listen)
	if err != nil {
		return fmt.Errorf("can't listen on %s: %w; choose another address with --listen", c.Listen, err)
	}
	server := &http.Server{Handler: routes(vendors), ReadHeaderTimeout: headerTime}
	defer context.AfterFunc(ctx, func() { _ = server.Close() })()
	if err := c.tell(l.Addr(), vendors, population); err != nil {
		return errors.Join(err, l.Close())
	}
	if err := server.Serve(l); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

// routes returns all stand-ins behind one address, and /healthz.
func routes(vendors []standin.Standin) http.Handler {
	mux := http.NewServeMux()
	for _, v := range vendors {
		for _, path := range v.Paths {
			mux.Handle(path, v.Handler)
		}
	}
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusOK) })
	return mux
}

// fillDatabases seeds the databases of the configuration that are empty.
func (c *sandboxCommand) fillDatabases(ctx context.Context, population *people.Population) error {
	if c.Config == "" {
		return nil
	}
	cfg, err := config.Load(c.Config)
	if err != nil {
		return err
	}
	for _, system := range internaldb.Systems() {
		dsn := cfg.Systems[system].DSN
		if !strings.HasPrefix(dsn, "postgres") {
			continue
		}
		if err := fillDatabase(ctx, system, dsn, population); err != nil {
			return fmt.Errorf("systems.%s: %w", system, err)
		}
	}
	return nil
}

func fillDatabase(ctx context.Context, system, dsn string, population *people.Population) error {
	ctx, cancel := context.WithTimeout(ctx, sandboxTimeout)
	defer cancel()
	db, err := sql.Open("pgx", dsn)
	if err != nil {
		return err
	}
	defer db.Close()
	var tables int
	if err := db.QueryRowContext(ctx, "SELECT count(*) FROM pg_tables WHERE schemaname = current_schema()").Scan(&tables); err != nil {
		return err
	}
	if tables > 0 {
		return nil // of an earlier start, or somebody's own
	}
	return internaldb.SeedPostgres(ctx, db, system, population)
}

// shown is how many people of each vendor are told.
const shown = 5

// toldVendor is a vendor as --json prints it.
type toldVendor struct {
	URL          string            `json:"url"`
	ClientID     string            `json:"client_id,omitempty"`
	ClientSecret string            `json:"client_secret"`
	Options      map[string]string `json:"options,omitempty"`
	Asks         string            `json:"asks"`
	People       []string          `json:"people"` // by what it asks for
	// Datasets declare what it holds of a company's own, as YAML to add to a
	// manifest.
	Datasets string `json:"datasets,omitempty"`
}

// toldSandbox is what --json prints.
type toldSandbox struct {
	Seed    int64                 `json:"seed"`
	People  int                   `json:"people"`
	Vendors map[string]toldVendor `json:"vendors"`
	Emails  []string              `json:"emails"`
}

// tell says where the vendors are.
func (c *sandboxCommand) tell(at net.Addr, vendors []standin.Standin, population *people.Population) error {
	out := toldSandbox{Seed: c.Seed, People: c.People, Vendors: map[string]toldVendor{}}
	for _, v := range vendors {
		out.Vendors[v.Vendor] = toldVendor{"http://" + at.String(), v.ClientID, v.Secret, v.Options, v.Asks, heldBy(v, population), string(v.Datasets)}
	}
	for n := 1; n <= shown; n++ {
		out.Emails = append(out.Emails, population.Person(n).Email)
	}
	if c.JSON {
		return json.NewEncoder(os.Stdout).Encode(out)
	}
	terminal.Printf(os.Stdout, "The sandbox is up: %d people, at http://%s\n\n", c.People, at)
	for _, v := range vendors {
		terminal.Printf(os.Stdout, "%-12s client id %s, secret %s; ask for %s %s\n", v.Vendor, orNone(v.ClientID), v.Secret, v.Asks, out.Vendors[v.Vendor].People[0])
	}
	_, err := terminal.Printf(os.Stdout, "\nPeople: %s, …\n", strings.Join(out.Emails, ", "))
	return err
}

func orNone(s string) string {
	if s == "" {
		return "(none)"
	}
	return s
}

// heldBy returns a few people whom a vendor holds, by what it asks for.
func heldBy(v standin.Standin, population *people.Population) (some []string) {
	for _, who := range population.People {
		if len(some) == shown {
			break
		}
		if len(population.RowsIn(who.Number, v.Vendor)) == 0 {
			continue
		}
		if v.Asks == "customer_ref" {
			some = append(some, population.CustomerRef(who.Number))
		} else {
			some = append(some, who.Email)
		}
	}
	return some
}
