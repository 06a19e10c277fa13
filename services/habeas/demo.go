package main

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"text/tabwriter"
	"time"

	"habeas.dev/pkg/dsar"
	"habeas.dev/services/habeas/node"
	"habeas.dev/services/habeas/upstream"
	"habeas.dev/services/internal/callers"
	"habeas.dev/services/internal/config"
	"habeas.dev/services/internal/core"
	"habeas.dev/services/internal/terminal"
	"habeas.dev/services/internal/timeline"
	"habeas.dev/services/internal/topics"
	"habeas.dev/services/sandbox/people"
)

type demoCommand struct {
	Data    string `help:"Keep everything in this folder; else a fresh one among the system's temporary files." placeholder:"DIR" type:"path"`
	Listen  string `help:"Where the HTTP door listens; else 127.0.0.1:8480, or another port where that is taken." placeholder:"HOST:PORT"`
	Console string `help:"Where the console is, on this machine; else 127.0.0.1:8481, or another port." placeholder:"HOST:PORT"`
	Portal  string `help:"Where the portal is, on this machine; else 127.0.0.1:8482, or another port." placeholder:"HOST:PORT"`
	Exit    bool   `help:"End after the first five requests, with status 0 where all ended as they should."`
	People  int    `help:"How many people are seeded; at least 200." default:"240"`
	Seed    int64  `help:"The seed of the population." default:"1"`
	Rows    int    `help:"How many rows the lake of activity has, in a program that is built for lakes." name:"activity-rows" default:"50000"`
	Faults  string `help:"What goes wrong with the vendors' stand-ins; habeas sandbox --help explains it." name:"sandbox-faults" placeholder:"FAULTS"`
	Log     string `help:"How much is logged: debug, info, warn, error." default:"error" enum:"debug,info,warn,error"`

	signer upstream.Signer // of the demo's producer
}

// demoTime bounds how long the demo's requests may take before the demo says
// that they don't end.
const demoTime = 2 * time.Minute

// Help implements kong.HelpProvider.
func (demoCommand) Help() string {
	return fmt.Sprint(len(people.Systems())) + ` systems with invented people, databases of the company's own and stand-ins for
others; five requests, each shown as it goes. Then a day at the desk: a table has lost
a column, 35 more requests come in, some late, some without proof; it says what to try,
and serves until Ctrl-C. Nothing leaves this machine.

  habeas demo
  habeas demo --data ./demo      again on the same folder: it goes on where it was
  habeas demo --exit --sandbox-faults 'marketo:5xx=0.2'      what retries are for`
}

func (c *demoCommand) Run(ctx context.Context) error {
	dir, err := c.folder()
	if err != nil {
		return err
	}
	cfg, err := c.config(ctx, dir)
	if err != nil {
		return err
	}
	out := terminal.Of(os.Stdout, os.Getenv)
	terminal.Printf(os.Stdout, "Habeas demo in %s\n", dir)
	table := marketplaceTable(cfg)
	if err := table.mend(ctx); err != nil { // a demo before may have ended without
		return err
	}
	began := time.Now()
	n, err := node.Start(ctx, cfg, nodeOptions(), node.Everything())
	if err != nil {
		return err
	}
	defer n.Stop()
	cfg.Listen, cfg.Console.Listen, cfg.Portal.Listen = n.Address, n.ConsoleAddress, n.PortalAddress // for who opens them from elsewhere
	if err := cfg.Save(); err != nil {
		return err
	}
	terminal.Printf(os.Stdout, "Started in %s: %d people in %d systems, broker %s\n", time.Since(began).Round(time.Millisecond), c.People, len(n.Manifests), n.Brokers[0])
	terminal.Printf(os.Stdout, "  console, for support agents          %s\n  portal, where people ask and receive %s\n  door, for other systems              %s/docs\n\n",
		terminal.Written(out.Paint(terminal.Strong, n.ConsoleURL())), terminal.Written(out.Paint(terminal.Strong, n.PortalURL())), terminal.Written(out.Paint(terminal.Strong, n.URL())))

	population := people.Generate(people.Config{Seed: c.Seed, People: c.People})
	asked := demoRequests(population)
	tokens, err := demoTokens(ctx, n)
	if err != nil {
		return err
	}
	if err := c.submitAll(ctx, n, tokens, asked); err != nil {
		return err
	}
	traces, err := follow(ctx, n, asked, out)
	if err != nil {
		return err
	}
	good := c.tell(dir, asked, traces)
	if c.Exit {
		if !good {
			return errSilent
		}
		return nil
	}
	if err := c.desk(ctx, n, tokens, population, dir, out); err != nil {
		return err
	}
	defer func() { _ = table.mend(context.WithoutCancel(ctx)) }() // the next demo mends it otherwise
	terminal.Printf(os.Stdout, "  submit a request of your own, as the sign-up page does\n%s\n\nServing until Ctrl-C.\n", terminal.Written(curl(n.URL(), tokens["signup-page"], asked[0].Request)))
	go c.hear(ctx, n, os.Stdin, os.Stdout)
	return n.Wait(ctx)
}

func (c *demoCommand) folder() (string, error) {
	if c.People < 200 {
		return "", fmt.Errorf("--people %d: at least 200", c.People)
	}
	if c.Data != "" {
		return c.Data, nil
	}
	dir, err := os.MkdirTemp("", "habeas-demo-")
	if err != nil {
		return "", fmt.Errorf("a folder for the demo: %w; name one with --data", err)
	}
	return dir, nil
}

// place returns where something listens: where it was told to, else at its usual place, or
// at any, where that is taken or nobody comes to look.
func (c *demoCommand) place(ctx context.Context, told, usual string) string {
	if told != "" {
		return told
	}
	l, err := new(net.ListenConfig).Listen(ctx, "tcp", usual)
	if c.Exit || err != nil {
		usual = "127.0.0.1:0"
	}
	if err == nil {
		_ = l.Close()
	}
	return usual
}

func (c *demoCommand) config(ctx context.Context, dir string) (config.Config, error) {
	cfg, err := config.ForData(dir)
	if err != nil {
		return cfg, err
	}
	cfg.Listen, cfg.Log.Level = c.place(ctx, c.Listen, "127.0.0.1:8480"), c.Log
	cfg.Console = config.Console{Listen: c.place(ctx, c.Console, "127.0.0.1:8481"), Local: true}
	cfg.Portal.Listen, cfg.Portal.Local = c.place(ctx, c.Portal, "127.0.0.1:8482"), true
	cfg.Controller = "Example Cloud SAS"
	cfg.Controllers, cfg.Declarations = demoControllers(), demoDeclarations(now())
	cfg.Callers = demoCallers()
	if cfg.Producers, err = c.producers(dir); err != nil {
		return cfg, err
	}
	if cfg.Sandbox == nil {
		cfg.Sandbox = &config.Sandbox{Seed: c.Seed, People: c.People}
	}
	cfg.Sandbox.Faults, cfg.Sandbox.ActivityRows = c.Faults, c.Rows
	return cfg, nil
}

// demoRequest is one request of the demo.
type demoRequest struct {
	upstream.Request
	title   string
	onKafka bool // it goes through Kafka's door
}

// demoRequests returns the demo's five. Their ids are fresh, so that the demo can
// be run again on the same folder.
func demoRequests(p *people.Population) []demoRequest {
	at := now()
	ask := func(right dsar.Right, jurisdiction, locale, source, email string) upstream.Request {
		return upstream.Request{ID: upstream.NewID(), Right: right, Jurisdiction: jurisdiction, Locale: locale, Source: source, Email: email, ReceivedAt: at}
	}
	address := func(number int) string { return p.People[number-1].Email }
	return []demoRequest{
		{ask(dsar.Access, "EEA", "fr", "signup-page", address(people.Camille)), "access, EEA, in French", false},
		{ask(dsar.Access, "California", "en", "signup-page", address(people.Californian)), "access, California", false},
		{ask(dsar.Erasure, "EEA", "fr", "support-desk", address(people.Leaver)), "erasure, EEA", false},
		{ask(dsar.Portability, "EEA", "en", "partner-portal", address(people.NonLatin)), "portability, by Kafka", true},
		{ask(dsar.Access, "EEA", "en", "signup-page", people.NobodyEmail), "access, nobody we know", false},
	}
}

// submitAll submits the demo's requests by the door that each goes through.
func (c *demoCommand) submitAll(ctx context.Context, n *node.Node, tokens map[string]string, asked []demoRequest) error {
	transport, err := n.As(topics.UserProducer).Transport()
	if err != nil {
		return err
	}
	defer transport.CloseIdleConnections()
	kafka := upstream.NewWriter(n.Brokers, transport)
	defer kafka.Close()
	kafka.Signer = &c.signer
	for _, r := range asked {
		var err error
		if r.onKafka {
			err = kafka.Publish(ctx, r.Request)
		} else {
			_, err = upstream.Post(ctx, n.URL(), tokens[r.Source], r.JSON())
		}
		if err != nil {
			return fmt.Errorf("submit %s: %w", r.title, err)
		}
	}
	return nil
}

// demoCallers returns the upstream systems that the demo plays, by their names.
func demoCallers() map[string]config.Caller {
	return map[string]config.Caller{
		"signup-page":  {Believed: true, Reads: true, Cancels: true},
		"support-desk": {Believed: true, Reads: true, Cancels: true},
		webForm:        {},
	}
}

// demoProducer is the upstream system that sends its requests by Kafka, signed.
const demoProducer = "partner-portal"

// producers makes a fresh key of the demo's producer, and writes its public half where
// the configuration names it.
func (c *demoCommand) producers(dir string) (map[string]config.Producer, error) {
	public, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		return nil, err
	}
	der, err := x509.MarshalPKIXPublicKey(public)
	if err != nil {
		return nil, err
	}
	c.signer = upstream.Signer{Name: demoProducer, Key: private}
	path := filepath.Join(dir, "producers", demoProducer+".pem")
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return nil, fmt.Errorf("data folder: %w; name another one with --data", err)
	}
	err = os.WriteFile(path, pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der}), 0o600)
	return map[string]config.Producer{demoProducer: {Keys: []string{path}, Believed: true}}, err
}

// demoTokenLife is how long the demo's tokens are good: nobody needs them longer.
const demoTokenLife = 24 * time.Hour

// demoTokens makes a token for each of the demo's callers.
func demoTokens(ctx context.Context, n *node.Node) (map[string]string, error) {
	tokens := map[string]string{}
	for name := range demoCallers() {
		token, _, err := callers.CreateToken(ctx, n.Installation.Journal, name, "demo", now(), now().Add(demoTokenLife))
		if err != nil {
			return nil, err
		}
		tokens[name] = token
	}
	return tokens, nil
}

// curl returns the command that submits a request like another, of a new id.
func curl(door, token string, like upstream.Request) string {
	like.ID = upstream.NewID()
	return fmt.Sprintf(`  curl -i %s/v1/requests \
    -H 'Authorization: Bearer %s' \
    -H 'Content-Type: application/json' -d '%s'`, door, token, strings.ReplaceAll(string(like.JSON()), "'", `'\''`))
}

// tell prints how each request ended and how to look at its answer.
func (c *demoCommand) tell(dir string, asked []demoRequest, traces []timeline.Trace) bool {
	good := true
	out := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', 0)
	terminal.Printf(out, "\nREQUEST\tID\tENDED\tIN\n")
	for i, a := range asked {
		t := traces[i]
		if t.Status == core.StatusCompleted {
			terminal.Printf(out, "%s\t%s\t%s\t%s\n", a.title, a.ID, t.Status, t.EndedAt.Sub(t.AcceptedAt).Round(time.Millisecond))
			continue
		}
		good = false
		terminal.Printf(out, "%s\t%s\t%s\t%s\n", a.title, a.ID, t.Status, t.Attention)
	}
	_ = out.Flush()
	if !good {
		terminal.Printf(os.Stdout, "\nNot all requests ended as they should; `%s trace ID --data %s` tells why.\n", program(), quoted(dir))
	}
	terminal.Printf(os.Stdout, `
The answers are in %[2]s, each encrypted for its person (age).
Look into the first:
  %[1]s bundle get %[5]s --data %[3]s -o answer.zip
  %[1]s verify answer.zip
  unzip answer.zip, and open READ ME FIRST.html
Follow what was done for the erasure, and list all requests:
  %[1]s trace %[4]s --data %[3]s
  %[1]s requests --data %[3]s
`, program(), filepath.Join(dir, config.RoomOutbox), quoted(dir), asked[2].ID[:shortID], asked[0].ID[:shortID])
	return good
}

// program returns this program's name as it was called.
func program() string { return os.Args[0] }

// shellWords are words that a shell takes as they are.
var shellWords = regexp.MustCompile(`^[\pL\pN_./:@%+,=-]+$`)

// quoted returns a word as a shell takes it.
func quoted(word string) string {
	if shellWords.MatchString(word) {
		return word
	}
	return "'" + strings.ReplaceAll(word, "'", `'\''`) + "'"
}
