package main

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"os"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"habeas.dev/pkg/manifest"
	"habeas.dev/services/habeas/node"
	"habeas.dev/services/internal/config"
	"habeas.dev/services/internal/operator"
	"habeas.dev/services/internal/policy"
	"habeas.dev/services/internal/terminal"
)

type configCommand struct {
	Check configCheckCommand `cmd:"" help:"Read the configuration and all that it names, connect to nothing, and say what is in force."`
}

type configCheckCommand struct {
	Strict bool   `help:"Find also what is wider than it must be: open listeners, plain text, keys in the file, one secret for several."`
	JSON   bool   `help:"With --strict, print JSON, one finding a line."`
	Config string `arg:"" optional:"" help:"The configuration file." env:"HABEAS_CONFIG" default:"habeas.yaml" type:"path" placeholder:"FILE"`
}

// Help returns what habeas config check --help says beyond its flags.
func (*configCheckCommand) Help() string {
	return `Reads the file and the environment's HABEAS_… variables, every manifest, and the
files of keys, certificates and secrets that are named, as the services do at their
start; variables that are to hold a secret must be set here too. Nothing is
connected to or written, and no secret is shown. Exit status 0: services can start with
it, as far as a file can tell; 1: one line says what is wrong, and where.

  habeas config check habeas.yaml
  habeas config check --strict habeas.yaml`
}

// Validate refuses a form of what isn't asked for.
func (c *configCheckCommand) Validate() error {
	if c.JSON && !c.Strict {
		return errors.New("--json is how --strict tells what it finds: give both, or neither")
	}
	return nil
}

// Run checks, and prints what is in force.
func (c *configCheckCommand) Run(ctx context.Context) error {
	cfg, err := config.Load(c.Config)
	if err != nil {
		return err
	}
	manifests, err := node.Check(ctx, cfg)
	if err != nil {
		return err
	}
	if c.Strict {
		return c.printWide(cfg.Strict())
	}
	if err := printConfig(c.Config, cfg, manifests); err != nil {
		return err
	}
	return printUndeclared(cfg)
}

// lapsesSoon is how long before a declaration lapses it is told.
const lapsesSoon = 31 * 24 * time.Hour

// printUndeclared names what laws would have answers say and nobody has declared, what
// lapses soon, and controllers of laws that there aren't.
func printUndeclared(cfg config.Config) error {
	all, err := undeclared(cfg, now())
	for _, one := range all {
		terminal.Printf(os.Stdout, "%s: %s\n", one.Where, one.What)
	}
	return err
}

// unsaid is something that answers don't say, or soon won't; Lapses tells that it was declared.
type unsaid struct {
	config.Wide
	Lapses bool
}

func undeclared(cfg config.Config, now time.Time) (all []unsaid, err error) {
	book, err := policy.Load(cfg.Laws...)
	if err != nil {
		return nil, err
	}
	if err := cfg.CallersAsk(book.Rights()); err != nil {
		return nil, err
	}
	said := operator.Operator{Declarations: cfg.Declarations}
	for _, id := range book.IDs() {
		j, _ := book.Jurisdiction(id)
		for _, c := range j.AnswerSays {
			missing, until := said.Lapse(c.Declared, now)
			switch {
			case missing && until != "":
				all = append(all, unsaid{config.Wide{Where: "declarations", What: c.Declared + " has lapsed after " + string(until) + ", or isn't begun: answers under the law of " + id + " say less", Cure: "look whether it is still so, and declare it anew"}, true})
			case missing:
				all = append(all, unsaid{config.Wide{Where: "declarations", What: c.Declared + " isn't declared: answers under the law of " + id + " say less", Cure: "declare it, where it is so, with the day until which that holds"}, false})
			case until != "" && !said.Declares(c.Declared, now.Add(lapsesSoon)):
				all = append(all, unsaid{config.Wide{Where: "declarations", What: c.Declared + " lapses after " + string(until) + ": answers under the law of " + id + " then say less", Cure: "look whether it is still so, and declare it anew"}, true})
			}
		}
	}
	for i, c := range cfg.Controllers {
		for _, law := range c.Laws {
			if _, ok := book.Jurisdiction(law); !ok {
				all = append(all, unsaid{config.Wide{Where: fmt.Sprintf("controllers[%d]", i), What: "there is no law " + law + ": it answers nobody there", Cure: "add the law's file by laws:, or leave it out"}, true})
			}
		}
	}
	return all, nil
}

// printWide prints what is wider than it must be; where there is any, the exit status
// is 1.
func (c *configCheckCommand) printWide(all []config.Wide) error {
	if c.JSON {
		lines := json.NewEncoder(os.Stdout)
		for _, w := range all {
			if err := lines.Encode(w); err != nil {
				return err
			}
		}
	} else {
		w := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', 0)
		for _, one := range all {
			terminal.Printf(w, "%s\t%s\tcure: %s\n", one.Where, one.What, one.Cure)
		}
		if err := w.Flush(); err != nil {
			return err
		}
	}
	if len(all) > 0 {
		return errSilent
	}
	if !c.JSON {
		_, err := terminal.Printf(os.Stdout, "%s leaves nothing wider than it must be.\n", c.Config)
		return err
	}
	return nil
}

// printConfig prints where everything is. A password in an address isn't shown.
func printConfig(path string, cfg config.Config, manifests []*manifest.Manifest) error {
	w := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', 0)
	brokers := "embedded, in " + cfg.Room(config.RoomBroker) + " (for habeas up alone)"
	if len(cfg.Kafka.Brokers) > 0 {
		brokers = strings.Join(cfg.Kafka.Brokers, ", ")
	}
	for _, line := range [][2]string{
		{"data", cfg.Data}, {"listen", cfg.Listen}, {"kafka", brokers}, {"journal", withoutPassword(cfg.Journal)},
		{"vault", withoutPassword(cfg.Vault.Bucket)}, {"vault keys", withoutPassword(cfg.Vault.Keys)}, {"outbox", withoutPassword(cfg.Outbox)}, {"signs as", cfg.Receipts.Name}, {"controller", cmp.Or(cfg.Controller, "as the law’s file calls it")},
		{"console", cmp.Or(cfg.Console.Listen, "none")}, {"notify", notified(cfg.Notify)},
		{"letters", cmp.Or(cfg.Letters.SMTP, "stay in the outbox")}, {"telemetry", cmp.Or(withoutPassword(cfg.Telemetry.OTLP), "nowhere; /metrics")},
	} {
		terminal.Printf(w, "%s\t%s\n", line[0], line[1])
	}
	sorted := slices.SortedFunc(slices.Values(manifests), func(a, b *manifest.Manifest) int { return strings.Compare(a.System, b.System) })
	for _, m := range sorted {
		terminal.Printf(w, "system %s\t%d datasets\n", m.System, len(m.Datasets))
	}
	terminal.Printf(w, "\n%s is fine.\n", path)
	return w.Flush()
}

// notified returns who hears of what waits: a webhook's path may be a secret.
func notified(n config.Notify) string {
	var all []string
	for _, h := range n.Webhooks {
		if u, err := url.Parse(h.URL); err == nil {
			all = append(all, u.Scheme+"://"+u.Host)
		}
	}
	for _, r := range n.Mail {
		all = append(all, r.To)
	}
	return cmp.Or(strings.Join(all, ", "), "nobody")
}

// withoutPassword returns an address without user, password and parameters, any of
// which may be a secret.
func withoutPassword(address string) string {
	if !strings.Contains(address, "://") {
		return address
	}
	u, err := url.Parse(address)
	if err != nil {
		return "an address that can't be read"
	}
	return (&url.URL{Scheme: u.Scheme, Host: u.Host, Path: u.Path}).String()
}
