package main

import (
	"os"
	"path/filepath"
	"slices"
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

// loaded returns the module's public packages.
func loaded(t *testing.T, source string) public {
	t.Helper()
	p, err := load(writeModule(t, source))
	if err != nil {
		t.Fatal(err)
	}
	return p
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
	before := loaded(t, released)
	for change, want := range map[string]string{
		"const Most = 5=>const Most = 6":                 "m.Most",
		"	Name string=>	Name []byte":                     "m.Config m.Config.Name",
		"	Name string\n=>":                               "m.Config.Name",
		"Check(deep bool)=>Check(deep int)":              "m.Config.Check",
		"func (c *Config) Check=>func (c *Config) check": "m.Config.Check",
		"Get(key string) (string, error)=>Get(key string) (string, error); Put(k string)": "m.Store.Put",
		"func Open(=>func open(":                                               "m.Open",
		"more ...string) Store=>more []string) Store":                          "m.Open",
		"	Name string=>	Name string\n	Other func()":                            "m.Config",
		"type Store interface{ Get=>type Store interface{ hidden(); Get":       "m.Store.hidden",
		"	size int=>	size int64":                                               "",
		"	Name string=>	Name string\n	Other int":                               "",
		"Check(deep bool)=>Check(shallow bool)":                                "",
		"func hidden() {}=>func New() {}":                                      "",
		"func Open(c Config=>type Alias = Config\n\nfunc Open(c Alias":         "",
		"Get(key string) (string, error)=>Get(key string) (v string, e error)": "",
	} {
		t.Run(change, func(t *testing.T) {
			t.Parallel()
			old, now, _ := strings.Cut(change, "=>")
			source := strings.Replace(released, old, now, 1)
			if source == released {
				t.Fatal("it changes nothing")
			}
			var got []string
			for _, c := range broken(before, loaded(t, source)) {
				got = append(got, c.qualified())
			}
			if strings.Join(got, " ") != want {
				t.Errorf("%v, want %q", got, want)
			}
		})
	}
}

// TestWholePackage: a stable package that is gone breaks who imports it; one that
// promised nothing doesn't.
func TestWholePackage(t *testing.T) {
	t.Parallel()
	got := broken(loaded(t, released), public{})
	if len(got) != 1 || got[0].qualified() != "example.com/m" {
		t.Errorf("%v", got)
	}
	if got := broken(loaded(t, strings.Replace(released, "Stability: stable.\n", "Stability: experimental.\n", 1)), public{}); len(got) != 0 {
		t.Errorf("%v", got)
	}
}

func TestStability(t *testing.T) {
	t.Parallel()
	for source, missing := range map[string]int{released: 0, strings.Replace(released, "// Stability: stable.\n", "", 1): 1} {
		if got := unsaid(loaded(t, source)); len(got) != missing {
			t.Errorf("%v", got)
		}
	}
}

// TestSinceTheLastRelease makes a repository with a release, and changes what it
// promised: it is named, until the changelog names it.
func TestSinceTheLastRelease(t *testing.T) {
	t.Parallel()
	root := t.TempDir()
	write := func(name, text string) {
		t.Helper()
		path := filepath.Join(root, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o750); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	commit := func(subject string) {
		t.Helper()
		who := []string{"-c", "user.name=nobody", "-c", "user.email=nobody@example.com"}
		for _, do := range [][]string{{"add", "-A"}, {"commit", "-q", "--allow-empty", "-m", subject}} {
			if _, err := git(root, append(slices.Clone(who), do...)...); err != nil {
				t.Fatal(err)
			}
		}
	}
	check := func() (said, wrong string) {
		t.Helper()
		var out strings.Builder
		if err := checkAPI(root, &out); err != nil {
			wrong = err.Error()
		}
		return out.String(), wrong
	}
	const changelog = "# Changelog\n\n## Unreleased\n"
	write("go.work", "go 1.26.0\n\nuse (\n\t./pkg\n\t./schemas\n)\n")
	for _, dir := range promised {
		write(dir+"/go.mod", "module example.com/"+dir+"\n\ngo 1.26.0\n")
		write(dir+"/m.go", released)
	}
	write("CHANGELOG.md", changelog)
	if _, err := git(root, "init", "-q"); err != nil {
		t.Fatal(err)
	}
	commit("Release the locks")
	if said, wrong := check(); !strings.HasPrefix(said, "api: nothing was released") || strings.Count(said, "\n") != 1 || wrong != "" {
		t.Errorf("before the first release: %q, %q", said, wrong)
	}
	commit("Release v0.9.0")
	write("pkg/m.go", strings.Replace(released, "const Most = 5", "const Most = 7", 1))
	commit("Release v0.10.0") // the last one, though not by its letters
	write("pkg/m.go", strings.Replace(released, "const Most = 5", "const Least = 7", 1))
	commit("a commit")
	said, wrong := check()
	if said != "" || wrong != "pkg.Most: removed since v0.10.0: keep it as it was, or say so with `pkg.Most` under \"## Unreleased\" in CHANGELOG.md" {
		t.Errorf("a name is gone: %q, %q", said, wrong)
	}
	write("CHANGELOG.md", changelog+"\n- `pkg.Most` is gone.\n")
	if _, wrong := check(); wrong != "" {
		t.Errorf("the changelog says it: %q", wrong)
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
		change
		want bool
	}{
		{change{Package: "example.com/m", Symbol: "Config"}, true},
		{change{Package: "example.com/m", Symbol: "Config.Name"}, true},
		{change{Package: "example.com/gone", Symbol: "Anything"}, true},
		{change{Package: "example.com/m", Symbol: "Open"}, false},
		{change{Package: "example.com/m", Symbol: "Conf"}, false},
		{change{Package: "example.com/gone"}, true},
		{change{Package: "example.com/m"}, false},
	} {
		if got := admits(admitted, c.change); got != c.want {
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
