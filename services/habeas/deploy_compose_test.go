package main

import (
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/alecthomas/kong"
	"go.yaml.in/yaml/v3"

	"habeas.dev/services/sandbox/people"
)

// TestDeployCompose: docker-compose.yml has a worker for each system of the
// configuration beside it and calls habeas as it can be called; every service is
// scraped, runs as a user that isn't root, and may do no more than it needs.
func TestDeployCompose(t *testing.T) {
	t.Parallel()
	file := deployFolder + "/compose/habeas.yaml"
	var configured struct{ Systems map[string]any }
	readYAML(t, file, &configured)
	var compose struct {
		Services map[string]struct {
			Image, User, Restart string
			Command              []string
			ReadOnly             bool     `yaml:"read_only"`
			CapDrop              []string `yaml:"cap_drop"`
			SecurityOpt          []string `yaml:"security_opt"`
			Healthcheck          struct{ Test []string }
			Profiles             []string
		}
	}
	readYAML(t, "../../docker-compose.yml", &compose)
	var scraped struct {
		ScrapeConfigs []struct {
			StaticConfigs []struct{ Targets []string } `yaml:"static_configs"`
		} `yaml:"scrape_configs"`
	}
	readYAML(t, deployFolder+"/compose/prometheus.yml", &scraped)
	var workers, want, targets []string
	for name, s := range compose.Services {
		if s.User == "" || strings.HasPrefix(s.User, "root") || strings.HasPrefix(s.User, "0") || !slices.Equal(s.CapDrop, []string{"ALL"}) || !slices.Contains(s.SecurityOpt, "no-new-privileges:true") {
			t.Errorf("%s has more rights than it needs: user %q, %v dropped, %v", name, s.User, s.CapDrop, s.SecurityOpt)
		}
		if !strings.Contains(s.Image, "HABEAS_IMAGE") {
			continue
		}
		callable(t, name, s.Command)
		if !s.ReadOnly {
			t.Errorf("%s can write its root", name)
		}
		if system, ok := strings.CutPrefix(name, "worker-"); ok {
			workers = append(workers, system)
			if s.Command[1] != system {
				t.Errorf("%s is %v", name, s.Command)
			}
		}
		once := name == "topics" || name == "keys" // done before the others start
		if !once && len(s.Healthcheck.Test) == 0 {
			t.Errorf("nobody asks %s how it is", name)
		}
		if !once && name != "sandbox" {
			targets = append(targets, name+":8429")
		}
	}
	slices.Sort(workers)
	if want = slices.Sorted(maps.Keys(configured.Systems)); !slices.Equal(workers, want) {
		t.Errorf("workers of %v; configured are %v", workers, want)
	}
	if demo := slices.Sorted(slices.Values(people.Systems())); !slices.Equal(workers, demo) {
		t.Errorf("workers of %v; the people of the sandbox are in %v", workers, demo)
	}
	slices.Sort(targets)
	got := slices.Clone(scraped.ScrapeConfigs[0].StaticConfigs[0].Targets)
	slices.Sort(got)
	if !slices.Equal(got, targets) {
		t.Errorf("Prometheus asks %v, want %v", got, targets)
	}
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
