package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// writeModule writes a module with one package and returns its folder.
func writeModule(t *testing.T, source string) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range map[string]string{"go.mod": "module example.com/m\n\ngo 1.26.0\n", "m.go": source} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func list(t *testing.T, source string) []name {
	t.Helper()
	names, _, err := listAPI(writeModule(t, source))
	if err != nil {
		t.Fatal(err)
	}
	return names
}

const released = `// Package m is one. Stability: stable isn't said so.
//
// Stability: stable.
package m

const Most = 5

type Config struct {
	Name string
	size int
}

func (c *Config) Check(deep bool) error { return nil }

type Store interface{ Get(key string) (string, error) }

func Open(c Config, more ...string) Store { return nil }

func hidden() {}
`

// TestBroken: each change that can break others is found, and none that can't.
func TestBroken(t *testing.T) {
	t.Parallel()
	before := list(t, released)
	for change, want := range map[string]string{
		"const Most = 5=>const Most = 6":                 "m.Most",
		"	Name string=>	Name []byte":                     "m.Config.Name",
		"	Name string\n=>":                               "m.Config.Name",
		"Check(deep bool)=>Check(deep int)":              "m.Config.Check",
		"func (c *Config) Check=>func (c *Config) check": "m.Config.Check",
		"Get(key string) (string, error)=>Get(key string) (string, error); Put(k string)": "m.Store",
		"func Open(=>func open(":                      "m.Open",
		"more ...string) Store=>more []string) Store": "m.Open",
		"	size int=>	size int64":                      "",
		"	Name string=>	Name string\n	Other int":      "",
		"Check(deep bool)=>Check(shallow bool)":       "",
		"func hidden() {}=>func New() {}":             "",
	} {
		t.Run(change, func(t *testing.T) {
			t.Parallel()
			old, now, _ := strings.Cut(change, "=>")
			source := strings.Replace(released, old, now, 1)
			if source == released {
				t.Fatal("it changes nothing")
			}
			var got []string
			for _, n := range broken(before, list(t, source)) {
				got = append(got, n.qualified())
			}
			if strings.Join(got, " ") != want {
				t.Errorf("%v, want %q", got, want)
			}
		})
	}
}

func TestListingRoundTrip(t *testing.T) {
	t.Parallel()
	names := list(t, released)
	var b strings.Builder
	b.WriteString("# what it is\n")
	for _, n := range names {
		fmt.Fprintln(&b, n)
	}
	again, err := parseAPI(b.String())
	if err != nil || len(again) != len(names) {
		t.Fatal(len(again), err)
	}
	if lost := append(broken(names, again), broken(again, names)...); len(lost) > 0 {
		t.Error(lost)
	}
}

func TestStability(t *testing.T) {
	t.Parallel()
	for source, missing := range map[string]int{released: 0, strings.Replace(released, "// Stability: stable.\n", "", 1): 1} {
		_, got, err := listAPI(writeModule(t, source))
		if err != nil || len(got) != missing {
			t.Errorf("%v, %v", got, err)
		}
	}
}

func TestChangelog(t *testing.T) {
	t.Parallel()
	const text = "# Changelog\n\n## Unreleased\n\n- `m.Config` has no name.\n- `example.com/gone` is gone.\n\n## v0.1.0 (2026-11-29)\n\n- `m.Open`\n"
	admitted, ok := section(text, unreleased)
	if !ok || strings.Contains(admitted, "m.Open") {
		t.Fatalf("%q", admitted)
	}
	for _, c := range []struct {
		name
		want bool
	}{
		{name{Package: "example.com/m", Symbol: "Config"}, true},
		{name{Package: "example.com/m", Symbol: "Config.Name"}, true},
		{name{Package: "example.com/gone", Symbol: "Anything"}, true},
		{name{Package: "example.com/m", Symbol: "Open"}, false},
		{name{Package: "example.com/m", Symbol: "Conf"}, false},
	} {
		if got := admits(admitted, c.name); got != c.want {
			t.Errorf("%s: %v", c.qualified(), got)
		}
	}
	next, err := release(text, "v0.2.0", "2026-12-01")
	if err != nil {
		t.Fatal(err)
	}
	if said, ok := section(next, "v0.2.0"); !ok || !strings.Contains(said, "`m.Config`") {
		t.Errorf("%q", next)
	}
	if said, ok := section(next, unreleased); !ok || strings.TrimSpace(said) != "" {
		t.Errorf("%q", next)
	}
	if _, err := release(next, "v0.3.0", "2026-12-02"); err == nil {
		t.Error("a release of which nothing is said")
	}
	if _, err := release(text, "v0.1.0", "2026-12-02"); err == nil {
		t.Error("a version twice")
	}
}
