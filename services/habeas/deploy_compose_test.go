package main

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/alecthomas/kong"
	"go.yaml.in/yaml/v3"

	"habeas.dev/services/internal/topics"
	"habeas.dev/services/sandbox/people"
)

// composedSystems returns the systems that have a container each, sorted.
func composedSystems(t *testing.T) []string {
	t.Helper()
	var configured struct{ Systems map[string]any }
	readYAML(t, deployFolder+"/compose/habeas.yaml", &configured)
	return slices.Sorted(maps.Keys(configured.Systems))
}

// TestDeployCompose: docker-compose.yml has a worker for each system of the
// configuration beside it and calls habeas as it can be called; every service is
// scraped, runs as a user that isn't root, and may do no more than it needs; a secret that
// several have is one of those that are meant for several.
func TestDeployCompose(t *testing.T) {
	t.Parallel()
	configured := composedSystems(t)
	var compose struct {
		Services map[string]struct {
			Image, User, Restart string
			Command              []string
			ReadOnly             bool     `yaml:"read_only"`
			CapDrop              []string `yaml:"cap_drop"`
			SecurityOpt          []string `yaml:"security_opt"`
			Healthcheck          struct{ Test []string }
			Profiles             []string
			Environment          map[string]string
			Volumes              []string
			Secrets              []composeSecret
		}
	}
	readYAML(t, "../../docker-compose.yml", &compose)
	var scraped struct {
		ScrapeConfigs []struct {
			StaticConfigs []struct{ Targets []string } `yaml:"static_configs"`
		} `yaml:"scrape_configs"`
	}
	readYAML(t, deployFolder+"/compose/prometheus.yml", &scraped)
	users := []string{"admin"}
	for _, a := range topics.Accesses(configured) {
		users = append(users, a.User)
	}
	var workers, want, targets []string
	holders := map[string][]string{}
	for name, s := range compose.Services {
		if s.User == "" || strings.HasPrefix(s.User, "root") || strings.HasPrefix(s.User, "0") || !slices.Equal(s.CapDrop, []string{"ALL"}) || !slices.Contains(s.SecurityOpt, "no-new-privileges:true") {
			t.Errorf("%s has more rights than it needs: user %q, %v dropped, %v", name, s.User, s.CapDrop, s.SecurityOpt)
		}
		if !strings.Contains(s.Image, "HABEAS_IMAGE") {
			continue
		}
		callable(t, name, s.Command)
		for _, secret := range s.Secrets {
			holders[secret.Source] = append(holders[secret.Source], name)
		}
		if name != "sandbox" && name != "tables" && name != "sealing" && !slices.Contains(users, s.Environment["HABEAS_KAFKA_USER"]) {
			t.Errorf("%s signs in to Kafka as %q", name, s.Environment["HABEAS_KAFKA_USER"])
		}
		if !s.ReadOnly {
			t.Errorf("%s can write its root", name)
		}
		if system, ok := strings.CutPrefix(name, "worker-"); ok {
			workers = append(workers, system)
			if s.Command[1] != system {
				t.Errorf("%s is %v", name, s.Command)
			}
			if s.Environment["HABEAS_KAFKA_USER"] != topics.WorkerUser(system) || s.Environment["HABEAS_JOURNAL"] != "" {
				t.Errorf("%s is %v", name, s.Environment)
			}
			if want := []string{"./deploy/compose/habeas.yaml:/etc/habeas/habeas.yaml:ro", fmt.Sprintf("objects-%s:/var/lib/habeas/vault/objects/%[1]s", system)}; !slices.Equal(s.Volumes, want) {
				t.Errorf("%s has the folders %v", name, s.Volumes)
			}
		}
		once := name == "rights" || name == "topics" || name == "tables" || name == "sealing" // done before the others start
		if !once && len(s.Healthcheck.Test) == 0 {
			t.Errorf("nobody asks %s how it is", name)
		}
		if !once && name != "sandbox" {
			targets = append(targets, name+":8429")
		}
	}
	shared := map[string][]string{ // by how many, and why: who opens; and the stand-ins, which are one program
		"master_key": {"sealing", "coordinator", "letters", "console"}, "pgpass_coordinator": {"sealing", "coordinator"}, "vendor_secret": {"sandbox", "worker-salesforce", "worker-marketo", "worker-paymentech"}}
	for secret, names := range holders {
		if slices.Sort(names); len(names) > 1 && !slices.Equal(names, slices.Sorted(slices.Values(shared[secret]))) {
			t.Errorf("the secret %s is in %v", secret, names)
		}
	}
	slices.Sort(workers)
	if want = configured; !slices.Equal(workers, want) {
		t.Errorf("workers of %v; configured are %v", workers, want)
	}
	for _, w := range workers {
		if !slices.Contains(people.Systems(), w) {
			t.Errorf("a worker of %s, where the sandbox has nobody", w)
		}
	}
	slices.Sort(targets)
	got := slices.Clone(scraped.ScrapeConfigs[0].StaticConfigs[0].Targets)
	slices.Sort(got)
	if !slices.Equal(got, targets) {
		t.Errorf("Prometheus asks %v, want %v", got, targets)
	}
}

// composeSecret is a secret of a service, by its name alone or with where it lies.
type composeSecret struct{ Source, Target string }

func (s *composeSecret) UnmarshalYAML(n *yaml.Node) error {
	if n.Kind == yaml.ScalarNode {
		return n.Decode(&s.Source)
	}
	type plain composeSecret
	return n.Decode((*plain)(s))
}

// callable fails where habeas can't be called so.
func callable(t *testing.T, name string, args []string) {
	t.Helper()
	var c commands
	parser, err := kong.New(&c, kong.Resolvers(kong.ResolverFunc(func(_ *kong.Context, _ *kong.Path, f *kong.Flag) (any, error) {
		if f.Name == "config" { // HABEAS_CONFIG in the image
			return "/etc/habeas/habeas.yaml", nil
		}
		return nil, nil
	})))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := parser.Parse(args); err != nil {
		t.Errorf("%s: habeas %s: %v", name, strings.Join(args, " "), err)
	}
}

func readYAML(t *testing.T, path string, into any) {
	t.Helper()
	text, err := os.ReadFile(filepath.FromSlash(path))
	if err != nil {
		t.Fatal(err)
	}
	if err := yaml.Unmarshal(text, into); err != nil {
		t.Fatalf("%s: %v", path, err)
	}
}
