package main

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"os"
	"strings"
	"time"

	_ "github.com/jackc/pgx/v5/stdlib" // the driver "pgx"

	"habeas.dev/services/internal/config"
	"habeas.dev/services/sandbox/internaldb"
	marketosandbox "habeas.dev/services/sandbox/marketo"
	"habeas.dev/services/sandbox/people"
	salesforcesandbox "habeas.dev/services/sandbox/salesforce"
)

type sandboxCommand struct {
	Listen string `help:"Where the vendors' stand-ins are." default:"127.0.0.1:8430" placeholder:"HOST:PORT"`
	Seed   int64  `help:"The seed of the population." default:"1"`
	People int    `help:"How many people are seeded; at least 200." default:"240"`
	Data   string `help:"Keep what becomes of the vendors' records in this folder; without it they are as seeded after every start." placeholder:"DIR" type:"path"`
	Config string `help:"Fill the PostgreSQL databases that this configuration names under systems:, where they are empty." placeholder:"FILE" type:"path"`
	JSON   bool   `help:"Print as JSON where each vendor is, how to sign in, and addresses of people who are there."`
}

// Help is what habeas sandbox --help says beyond its flags.
func (*sandboxCommand) Help() string {
	return `Runs the stand-ins for the vendors alone: for whoever develops a worker against
them, or tries Habeas with its services in containers. All are at one address: their
paths don't overlap. Everybody in them is invented.

  habeas sandbox --json
  habeas sandbox --listen 0.0.0.0:8430 --config habeas.yaml`
}

// sandboxTimeout bounds the filling of one database.
const sandboxTimeout = 2 * time.Minute

// standIn is one vendor of the sandbox.
type standIn struct {
	name, client, secret string
	paths                []string // of its wire: what it answers is below these
	handler              http.Handler
}

// Run serves until it is told to stop.
func (c *sandboxCommand) Run(ctx context.Context) error {
	if c.People < 200 {
		return fmt.Errorf("--people %d: at least 200", c.People)
	}
	population := people.Generate(people.Config{Seed: c.Seed, People: c.People})
	if c.Data != "" {
		if err := os.MkdirAll(c.Data, 0o700); err != nil {
			return fmt.Errorf("--data: %w", err)
		}
	}
	if err := c.fillDatabases(ctx, population); err != nil {
		return err
	}
	p, err := newProcess(ctx, config.Config{Log: config.Log{Level: "info", Format: "text"}}, outlets{logs: os.Stderr})
	if err != nil {
		return err
	}
	defer p.stop()
	vendors, err := c.vendors(p, population)
	if err != nil {
		return err
	}
	l, err := p.listen(ctx, c.Listen)
	if err != nil {
		return err
	}
	p.serve("sandbox", &http.Server{Handler: routes(vendors), ReadHeaderTimeout: headerTime}, l)
	if err := c.tell(l.Addr(), vendors, population); err != nil {
		return err
	}
	return p.wait(ctx)
}

// vendors are the stand-ins, on a population.
func (c *sandboxCommand) vendors(p *process, population *people.Population) ([]standIn, error) {
	crm, err := salesforcesandbox.New(salesforcesandbox.Config{Population: population, Dir: c.Data})
	if err != nil {
		return nil, err
	}
	p.onStop(crm.Close)
	mail, err := marketosandbox.New(marketosandbox.Config{Population: population, Dir: c.Data, CRM: crm})
	if err != nil {
		return nil, err
	}
	p.onStop(mail.Close)
	return []standIn{
		{people.Salesforce, salesforcesandbox.DefaultClientID, salesforcesandbox.DefaultClientSecret, []string{"/services/"}, crm},
		{people.Marketo, marketosandbox.DefaultClientID, marketosandbox.DefaultClientSecret, []string{"/identity/", "/rest/", "/bulk/"}, mail},
	}, nil
}

// routes is all stand-ins behind one address, and /healthz.
func routes(vendors []standIn) http.Handler {
	mux := http.NewServeMux()
	for _, v := range vendors {
		for _, path := range v.paths {
			mux.Handle(path, v.handler)
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

// shown is how many people's addresses are told.
const shown = 5

// tell says where the vendors are.
func (c *sandboxCommand) tell(at net.Addr, vendors []standIn, population *people.Population) error {
	type vendor struct {
		URL          string `json:"url"`
		ClientID     string `json:"client_id"`
		ClientSecret string `json:"client_secret"`
	}
	out := struct {
		Vendors map[string]vendor `json:"vendors"`
		Emails  []string          `json:"emails"`
	}{Vendors: map[string]vendor{}}
	for _, v := range vendors {
		out.Vendors[v.name] = vendor{"http://" + at.String(), v.client, v.secret}
	}
	for n := 1; n <= shown; n++ {
		out.Emails = append(out.Emails, population.Person(n).Email)
	}
	if c.JSON {
		return json.NewEncoder(os.Stdout).Encode(out)
	}
	fmt.Printf("The sandbox is up: %d people, at http://%s\n\n", c.People, at)
	for _, v := range vendors {
		fmt.Printf("%-12s client id %s, secret %s\n", v.name, v.client, v.secret)
	}
	_, err := fmt.Printf("\nPeople: %s, …\n", strings.Join(out.Emails, ", "))
	return err
}
