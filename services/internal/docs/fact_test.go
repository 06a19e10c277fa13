package docs

import (
	"regexp"
	"slices"
	"strings"
	"testing"

	"habeas.dev/services/internal/core"
)

// generated matches what go generate writes into asyncapi.yaml.
var generated = regexp.MustCompile(`(?s)# The facts, by go generate.*?# End of the facts\.`)

// TestAFactTouchesFourFiles: what somebody writes who adds a fact, beside the command
// that makes it, is in four files. The example is one that nothing else asks for. What
// follows from the schemas in asyncapi.yaml is written by go generate.
func TestAFactTouchesFourFiles(t *testing.T) {
	t.Parallel()
	name := core.TypeOf(core.IdentifiersRevealed{})
	named := regexp.MustCompile(`\bIdentifiersRevealed\b|\b` + regexp.QuoteMeta(name) + `\b|%s looked at the identifiers`)
	var files []string
	walk(t, func(path string) {
		if strings.HasSuffix(path, "_test.go") || !slices.ContainsFunc([]string{".go", ".json", ".yaml", ".tmpl", ".html", ".md"}, func(ext string) bool { return strings.HasSuffix(path, ext) }) {
			return
		}
		if named.MatchString(generated.ReplaceAllString(read(t, path), "")) {
			files = append(files, path)
		}
	}, "pkg", "schemas", "services", "deploy", "docs")
	command := "services/internal/core/act.go"
	want := []string{
		"schemas/events/dsar." + name + ".v1.schema.json",
		command,
		"services/internal/core/facts_person.go",
		"services/internal/timeline/words.go",
		"services/internal/words/fr/sentences.yaml",
	}
	if !slices.Equal(files, want) {
		t.Errorf("%s is named in %v; a fact touches its type, schema, sentence and French, and its command: %v", name, files, want)
	}
}

// TestFactsAreListedOnce: no list of the facts is written by hand, beside those where
// their types are.
func TestFactsAreListedOnce(t *testing.T) {
	t.Parallel()
	text := read(t, "services/internal/core/event.go")
	for name, typ := range core.FactTypes() {
		if regexp.MustCompile(`\b` + typ.Name() + `\b`).MatchString(text) {
			t.Errorf("event.go names %s", name)
		}
	}
	asyncapi := generated.ReplaceAllString(read(t, "schemas/asyncapi.yaml"), "")
	for name := range core.FactTypes() {
		if strings.Contains(asyncapi, "dsar."+name+".v1") {
			t.Errorf("asyncapi.yaml names %s where go generate doesn't write it", name)
		}
	}
}
