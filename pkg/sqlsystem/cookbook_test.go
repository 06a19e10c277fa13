package sqlsystem

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"

	"habeas.dev/pkg/dsar"
	"habeas.dev/pkg/manifest"
)

// recipe is one of the cookbook's: the blocks below a heading.
type recipe struct {
	title      string
	sql        map[string]string // by database; "" is for both
	yaml, text string
}

var blockForm = regexp.MustCompile("(?s)```(\\w+)(?: (\\w+))?\n(.*?)```")

// cookbook reads docs/cookbook.md: what its manifests begin with, and its recipes.
func cookbook(t *testing.T) (begin string, recipes []recipe) {
	t.Helper()
	page, err := os.ReadFile("../../docs/cookbook.md")
	if err != nil {
		t.Fatal(err)
	}
	for i, part := range strings.Split(string(page), "\n## ") {
		title, _, _ := strings.Cut(part, "\n")
		r := recipe{title: title, sql: map[string]string{}}
		for _, b := range blockForm.FindAllStringSubmatch(part, -1) {
			switch b[1] {
			case "sql":
				r.sql[b[2]] = b[3]
			case "yaml":
				r.yaml = b[3]
			case "text":
				r.text = b[3]
			default:
				t.Fatalf("%s: a block of %s", title, b[1])
			}
		}
		if i == 0 {
			begin = r.yaml
			continue
		}
		if len(r.sql) == 0 || r.yaml == "" || r.text == "" {
			t.Fatalf("%s lacks its table, its manifest, or what becomes of it", title)
		}
		recipes = append(recipes, r)
	}
	return begin, recipes
}

// TestCookbook runs every recipe as it stands on the page.
func TestCookbook(t *testing.T) {
	t.Parallel()
	begin, recipes := cookbook(t)
	if len(recipes) < 20 {
		t.Fatalf("%d recipes", len(recipes))
	}
	for _, r := range recipes {
		t.Run(r.title, func(t *testing.T) {
			t.Parallel()
			for _, dialect := range []Dialect{SQLite, PostgreSQL, MariaDB} {
				schema, there := r.sql[dialect.String()]
				if both, ok := r.sql[""]; ok {
					schema, there = both, true
				}
				if there {
					t.Run(dialect.String(), func(t *testing.T) {
						t.Parallel()
						r.cook(t, dialect, begin, schema)
					})
				}
			}
		})
	}
}

func (r recipe) cook(t *testing.T, dialect Dialect, begin, schema string) {
	text, yamlText := r.text, r.yaml
	if name := "billing_" + strings.ToLower(rand.Text()); strings.Contains(schema, "CREATE SCHEMA") {
		other := strings.NewReplacer("billing.", name+".", "SCHEMA IF NOT EXISTS billing", "SCHEMA "+name)
		schema, text, yamlText = other.Replace(schema), other.Replace(text), other.Replace(yamlText)
		t.Cleanup(func() {
			if !t.Skipped() {
				drop(t, name)
			}
		})
	}
	var d database
	switch dialect {
	case SQLite:
		d = sqliteDB(t, schema)
	case MariaDB:
		d = mariaDB(t, schema)
	default:
		d = postgresDB(t, schema)
	}
	var asked []string
	var shown, lie string
	var laid []string
	type left struct{ query, want string }
	var after []left
	for line := range strings.Lines(strings.TrimSpace(text)) {
		word, rest, _ := strings.Cut(strings.TrimSpace(line), " ")
		switch rest = strings.TrimSpace(rest); word {
		case "asked":
			asked = append(asked, rest)
		case "shown":
			shown = rest
		case "left":
			query, want, _ := strings.Cut(rest, " → ")
			after = append(after, left{query, want})
		case "files":
			before, want, _ := strings.Cut(rest, " → ")
			laid, lie = strings.Split(before, ", "), want
		default:
			t.Fatalf("what is %q", line)
		}
	}
	files, list, _ := lying(t, laid...)
	s := open(t, d, cooked(t, begin, yamlText), WithFiles("media", files))
	for _, look := range []func(context.Context) ([]Advice, error){s.Joint, s.Rest} {
		if advice, err := look(t.Context()); err != nil || len(advice) > 0 {
			t.Errorf("lint says %v, %v", advice, err)
		}
	}
	person := ids(asked...)
	if s.m.Can(dsar.Resolve) {
		jobs := resolveJobs(person)
		if err := s.Resolve(t.Context(), jobs); err != nil {
			t.Fatal(err)
		}
		for _, f := range jobs[0].Found {
			person = append(person, ids(string(f.Type)+" "+f.Value)...)
		}
	}
	var got []string
	for _, line := range gatherAll(t, s, person)[0] {
		name, record, _ := strings.Cut(line, " ")
		var values map[string]any
		if err := json.Unmarshal([]byte(record), &values); err != nil {
			t.Fatalf("%s: %v", line, err)
		}
		got = append(got, fmt.Sprintf("%s %v", name, values[s.m.Dataset(name).Columns[0].Name]))
	}
	if strings.Join(got, ", ") != shown {
		t.Errorf("shown %s, the page says %s", strings.Join(got, ", "), shown)
	}
	jobs := jobsOf(dsar.Erasure, person)
	if err := s.eraseAll(t.Context(), jobs); err != nil || jobs[0].Err != nil {
		t.Fatal(err, jobs[0].Err)
	}
	for _, l := range after {
		rows := d.column(t, l.query)
		slices.Sort(rows)
		if strings.Join(rows, ", ") != l.want {
			t.Errorf("%s: left %s, the page says %s", l.query, strings.Join(rows, ", "), l.want)
		}
	}
	if got := strings.ReplaceAll(list(), " ", ", "); got != lie {
		t.Errorf("files %s, the page says %s", got, lie)
	}
	jobs[0].Counts = nil
	if err := s.countAll(t.Context(), jobs); err != nil {
		t.Fatal(err)
	}
	for _, c := range jobs[0].Counts {
		if c.Found != c.Kept() {
			t.Errorf("found after the erasure: %s", outcomes(jobs[0].Counts))
		}
	}
}

// cooked makes the manifest of a recipe: what it says goes before what all begin with.
func cooked(t *testing.T, begin, own string) *manifest.Manifest {
	t.Helper()
	all := map[string]any{}
	for _, text := range []string{begin, own} {
		var part map[string]any
		if err := yaml.Unmarshal([]byte(text), &part); err != nil {
			t.Fatal(err)
		}
		maps.Copy(all, part)
	}
	if _, said := all["scope"]; said {
	} else if _, finds := all["finds"]; finds {
		all["scope"] = map[string]any{"user_id": "shared"}
	} else {
		all["scope"] = map[string]any{"user_id": "given"}
	}
	text, err := yaml.Marshal(all)
	if err != nil {
		t.Fatal(err)
	}
	m, err := manifest.Parse("cookbook.yaml", text)
	if err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	return m
}
