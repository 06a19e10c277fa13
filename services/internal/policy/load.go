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
	"go.yaml.in/yaml/v3"

	"habeas.dev/schemas"
	"habeas.dev/services/internal/core"
)

//go:embed jurisdictions/*.yaml jurisdictions/calendars/*.yaml
var files embed.FS

// Book holds all jurisdictions. It is read-only and safe for many goroutines.
type Book struct {
	byID map[string]Jurisdiction
	ids  []string
}

// Load reads the jurisdictions that are built into Habeas. An error is a mistake in
// the files.
func Load() (*Book, error) {
	sub, err := fs.Sub(files, "jurisdictions")
	if err != nil {
		return nil, fmt.Errorf("policy: %w", err)
	}
	return LoadFS(sub)
}

// LoadFS reads every *.yaml at the root of fsys as a jurisdiction, and those in
// calendars/ as calendars. Each is checked against its schema in schemas/; errors
// name the file.
func LoadFS(fsys fs.FS) (*Book, error) {
	schema, err := compile("jurisdiction.schema.json")
	if err != nil {
		return nil, err
	}
	calendars, err := loadCalendars(fsys)
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
		j, err := parse(schema, calendars, text)
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

// Jurisdiction returns a jurisdiction by its exact id.
func (b *Book) Jurisdiction(id string) (Jurisdiction, bool) {
	j, ok := b.byID[id]
	return j, ok
}

// Due implements [core.Calendar]: it returns when the answer is due by the law of
// the clock's jurisdiction.
func (b *Book) Due(c core.Clock) (time.Time, bool) {
	j, ok := b.byID[c.Jurisdiction]
	if !ok {
		return time.Time{}, false
	}
	return j.due(c)
}

// IDs returns the jurisdictions' ids, sorted.
func (b *Book) IDs() []string { return slices.Clone(b.ids) }

// decode reads a file and checks it against its schema.
func decode[T any](schema *jsonschema.Schema, text []byte) (v T, err error) {
	var doc any
	if err := yaml.Unmarshal(text, &doc); err != nil {
		return v, err
	}
	if err := schema.Validate(withoutTimes(doc)); err != nil {
		return v, err
	}
	dec := yaml.NewDecoder(bytes.NewReader(text))
	dec.KnownFields(true)
	return v, dec.Decode(&v)
}

// withoutTimes writes the days of a document, which YAML reads as times, as the text that
// a schema holds them to.
func withoutTimes(v any) any {
	switch v := v.(type) {
	case time.Time:
		return v.Format(time.DateOnly)
	case []any:
		for i := range v {
			v[i] = withoutTimes(v[i])
		}
	case map[string]any:
		for key := range v {
			v[key] = withoutTimes(v[key])
		}
	}
	return v
}

func parse(schema *jsonschema.Schema, calendars map[string]*Calendar, text []byte) (Jurisdiction, error) {
	j, err := decode[Jurisdiction](schema, text)
	if err != nil {
		return Jurisdiction{}, err
	}
	if h := j.Holidays; h != nil {
		if j.days.calendar = calendars[h.Calendar]; j.days.calendar == nil {
			return Jurisdiction{}, fmt.Errorf("holidays: no calendars/%s.yaml", h.Calendar)
		}
	}
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
	grounds := map[string]bool{}
	for _, r := range j.Refusals {
		if grounds[r.Ground] {
			return Jurisdiction{}, fmt.Errorf("refusals: %s comes twice", r.Ground)
		}
		grounds[r.Ground] = true
	}
	return j, nil
}

func compile(schema string) (*jsonschema.Schema, error) {
	c := jsonschema.NewCompiler()
	c.AssertFormat()
	c.UseLoader(jsonschema.SchemeURLLoader{}) // nothing is fetched
	for _, name := range []string{"common.schema.json", "jurisdiction.schema.json", "calendar.schema.json"} {
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
	s, err := c.Compile(schemas.Base + schema)
	if err != nil {
		return nil, fmt.Errorf("policy: %w", err)
	}
	return s, nil
}
