package bundle

import (
	"encoding/json"
	"go/parser"
	"go/token"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"

	"habeas.dev/schemas"
	"habeas.dev/services/internal/statement"
)

// TestEveryKindHasAPlace: what may be stated is on the page or in a letter, and is in the
// schema; nothing else is.
func TestEveryKindHasAPlace(t *testing.T) {
	t.Parallel()
	kinds := statement.Kinds()
	for _, k := range kinds {
		if places[k] == nil {
			t.Errorf("%s has no place", k)
		}
	}
	if len(places) != len(kinds) {
		t.Errorf("%d places for %d kinds", len(places), len(kinds))
	}
	text, err := schemas.Read("answer.schema.json")
	if err != nil {
		t.Fatal(err)
	}
	var schema struct {
		Defs struct {
			Statement struct {
				Properties struct {
					Kind struct{ Enum []statement.Kind }
				}
			}
		} `json:"$defs"`
	}
	if err := json.Unmarshal(text, &schema); err != nil {
		t.Fatal(err)
	}
	known := schema.Defs.Statement.Properties.Kind.Enum
	slices.Sort(kinds)
	slices.Sort(known)
	if !slices.Equal(kinds, known) {
		t.Errorf("the schema has %v,\nthe conditions %v", known, kinds)
	}
}

// TestRenderersSeeNoState: page, certificate and letters are rendered by packages that can't
// see what the journal says of a request, but for the names of letters.
func TestRenderersSeeNoState(t *testing.T) {
	t.Parallel()
	for _, dir := range []string{".", "../letter", "../words"} {
		files, err := os.ReadDir(dir)
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range files {
			if !strings.HasSuffix(f.Name(), ".go") || strings.HasSuffix(f.Name(), "_test.go") {
				continue
			}
			path := dir + "/" + f.Name()
			parsed, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.ImportsOnly)
			if err != nil {
				t.Fatal(err)
			}
			text, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			for _, i := range parsed.Imports {
				imported, err := strconv.Unquote(i.Path.Value)
				if err != nil {
					t.Fatal(err)
				}
				name, internal := strings.CutPrefix(imported, "habeas.dev/services/internal/")
				if internal && (name == "lifecycle" || name == "timeline") {
					t.Errorf("%s imports %s", path, imported)
				}
				if !internal || name != "core" && name != "journal" {
					continue
				}
				for _, part := range strings.Split(string(text), name+".")[1:] {
					if !strings.HasPrefix(part, "Letter") && !strings.HasPrefix(part, "Err") && !strings.HasPrefix(part, "Status") {
						t.Errorf("%s uses %s.%.20s", path, name, part)
					}
				}
			}
		}
	}
}
