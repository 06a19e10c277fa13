package policy

import (
	"bytes"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"time"
	_ "time/tzdata" // due dates mustn't depend on what the machine has installed

	"github.com/santhosh-tekuri/jsonschema/v6"
	"gopkg.in/yaml.v3"

	"habeas.dev/schemas"
)

//go:embed jurisdictions/*.yaml
var files embed.FS

// Book is all jurisdictions. It is read-only and safe for many goroutines.
type Book struct {
	byID map[string]Jurisdiction
	ids  []string
}

// Load reads the jurisdictions that come with Habeas. An error is a mistake in
// the files.
func Load() (*Book, error) {
	sub, err := fs.Sub(files, "jurisdictions")
	if err != nil {
		return nil, fmt.Errorf("policy: %w", err)
	}
	return LoadFS(sub)
}

// LoadFS reads every *.yaml at the root of fsys as a jurisdiction. Each is
// checked against schemas/jurisdiction.schema.json; errors name the file.
func LoadFS(fsys fs.FS) (*Book, error) {
	schema, err := compile()
	if err != nil {
		return nil, err
	}
	names, err := fs.Glob(fsys, "*.yaml")
	if err != nil {
		return nil, fmt.Errorf("policy: %w", err)
	}
	b := &Book{byID: make(map[string]Jurisdiction, len(names))}
	for _, name := range names {
		text, err := fs.ReadFile(fsys, name)
		if err != nil {
			return nil, fmt.Errorf("policy: %w", err)
		}
		j, err := parse(schema, text)
		if err != nil {
			return nil, fmt.Errorf("policy: %s: %w", name, err)
		}
		if _, taken := b.byID[j.ID]; taken {
			return nil, fmt.Errorf("policy: %s: another file has the id %s", name, j.ID)
		}
		b.byID[j.ID] = j
		b.ids = append(b.ids, j.ID)
	}
	if len(b.ids) == 0 {
		return nil, errors.New("policy: no jurisdiction")
	}
	slices.Sort(b.ids)
	return b, nil
}

// Jurisdiction finds a jurisdiction by its id, to the letter.
func (b *Book) Jurisdiction(id string) (Jurisdiction, bool) {
	j, ok := b.byID[id]
	return j, ok
}

// IDs lists the ids, sorted.
func (b *Book) IDs() []string { return slices.Clone(b.ids) }

func parse(schema *jsonschema.Schema, text []byte) (Jurisdiction, error) {
	var doc any
	if err := yaml.Unmarshal(text, &doc); err != nil {
		return Jurisdiction{}, err
	}
	if err := schema.Validate(doc); err != nil {
		return Jurisdiction{}, err
	}
	var j Jurisdiction
	dec := yaml.NewDecoder(bytes.NewReader(text))
	dec.KnownFields(true)
	if err := dec.Decode(&j); err != nil {
		return Jurisdiction{}, err
	}
	var err error
	if j.zone, err = time.LoadLocation(j.TimeZone.Name); err != nil {
		return Jurisdiction{}, fmt.Errorf("time_zone: %w", err)
	}
	granted := map[string]bool{}
	for _, g := range j.Rights {
		if granted[string(g.Right)] {
			return Jurisdiction{}, fmt.Errorf("rights: %s comes twice", g.Right)
		}
		granted[string(g.Right)] = true
	}
	return j, nil
}

func compile() (*jsonschema.Schema, error) {
	c := jsonschema.NewCompiler()
	c.AssertFormat()
	c.UseLoader(jsonschema.SchemeURLLoader{}) // nothing is fetched
	for _, name := range []string{"common.schema.json", "jurisdiction.schema.json"} {
		text, err := schemas.Read(name)
		if err != nil {
			return nil, fmt.Errorf("policy: %w", err)
		}
		doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
		if err != nil {
			return nil, fmt.Errorf("policy: %s: %w", name, err)
		}
		if err := c.AddResource(schemas.Base+name, doc); err != nil {
			return nil, fmt.Errorf("policy: %s: %w", name, err)
		}
	}
	s, err := c.Compile(schemas.Base + "jurisdiction.schema.json")
	if err != nil {
		return nil, fmt.Errorf("policy: %w", err)
	}
	return s, nil
}
