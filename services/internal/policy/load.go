package policy

import (
	"bytes"
	"cmp"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"time"
	_ "time/tzdata" // due dates mustn't depend on what the machine has installed

	"github.com/santhosh-tekuri/jsonschema/v6"
	"go.yaml.in/yaml/v3"

	"habeas.dev/pkg/dsar"
	"habeas.dev/schemas"
	"habeas.dev/services/internal/core"
	"habeas.dev/services/internal/words"
)

//go:embed jurisdictions/*.yaml jurisdictions/calendars/*.yaml
var files embed.FS

// Book holds all jurisdictions. It is read-only and safe for many goroutines.
type Book struct {
	byID      map[string]Jurisdiction
	ids       []string
	named     map[string]words.Law
	calendars map[string]*Calendar
}

// Load reads the laws that are built into Habeas, and then those of folders: each
// *.yaml of a folder is a law, each of its calendars/ a calendar. A law of a folder
// stands instead of a built-in one of the same id; it may count by a built-in calendar.
// An error names the file.
func Load(folders ...string) (*Book, error) {
	builtIn, err := fs.Sub(files, "jurisdictions")
	if err != nil {
		return nil, fmt.Errorf("policy: %w", err)
	}
	b := &Book{byID: map[string]Jurisdiction{}, calendars: map[string]*Calendar{}}
	if err := b.add(builtIn, "built in"); err != nil {
		return nil, err
	}
	for _, folder := range folders {
		if err := b.add(os.DirFS(folder), folder); err != nil {
			return nil, err
		}
	}
	return b, nil
}

// Check reads one law's file as [Load] would read its folder, and returns the law. It
// counts by the calendars beside the file, and the built-in ones.
func Check(file string) (Jurisdiction, error) {
	b, err := Load()
	if err != nil {
		return Jurisdiction{}, err
	}
	if err := loadCalendars(os.DirFS(filepath.Dir(file)), b.calendars); err != nil {
		return Jurisdiction{}, err
	}
	schema, err := compile("jurisdiction.schema.json")
	if err != nil {
		return Jurisdiction{}, err
	}
	text, err := os.ReadFile(file)
	if err != nil {
		return Jurisdiction{}, fmt.Errorf("policy: %w", err)
	}
	return parse(schema, b.calendars, filepath.Base(file), text)
}

// LoadFS reads the laws of one folder, and no other.
func LoadFS(fsys fs.FS) (*Book, error) {
	b := &Book{byID: map[string]Jurisdiction{}, calendars: map[string]*Calendar{}}
	return b, b.add(fsys, "")
}

// add reads the laws of a folder. Each file is checked against its schema in schemas/,
// and each law's examples are worked out.
func (b *Book) add(fsys fs.FS, from string) error {
	schema, err := compile("jurisdiction.schema.json")
	if err != nil {
		return err
	}
	if err := loadCalendars(fsys, b.calendars); err != nil {
		return err
	}
	names, err := fs.Glob(fsys, "*.yaml")
	if err != nil {
		return fmt.Errorf("policy: %w", err)
	}
	if len(names) == 0 {
		return fmt.Errorf("policy: no law in %s: a law is a file of its own, ending in .yaml", cmp.Or(from, "the folder"))
	}
	here := map[string]bool{}
	for _, name := range names {
		text, err := fs.ReadFile(fsys, name)
		if err != nil {
			return fmt.Errorf("policy: %w", err)
		}
		j, err := parse(schema, b.calendars, name, text)
		if err != nil {
			return err
		}
		if here[j.ID] {
			return fmt.Errorf("policy: %s: another file has the id %s", name, j.ID)
		}
		here[j.ID] = true
		b.byID[j.ID] = j
	}
	b.ids = slices.Sorted(maps.Keys(b.byID))
	return b.nameRights()
}

// nameRights notes what laws call themselves and their rights. Two laws may add the same one, by the same
// words.
func (b *Book) nameRights() error {
	b.named = map[string]words.Law{}
	added := map[dsar.Right]string{} // the law that adds it
	for _, id := range b.ids {
		b.named[id] = words.Law{Title: b.byID[id].Title, Rights: map[dsar.Right]words.Right{}}
		for _, g := range b.byID[id].Rights {
			w := g.words()
			if w == nil {
				continue
			}
			named := words.Right{Name: w.Name, Asks: w.Asks, Choice: w.Choice, Says: w.Says, Title: w.Title, Lead: w.Lead}
			if first := added[g.Right]; g.Decided != nil && first != "" && !reflect.DeepEqual(b.named[first].Rights[g.Right], named) {
				return fmt.Errorf("policy: %s: right %s has other words than in %s: use the same, or another name", b.byID[id].File, g.Right, b.byID[first].File)
			}
			if b.named[id].Rights[g.Right] = named; g.Decided != nil {
				added[g.Right] = id
			}
		}
	}
	return nil
}

// Named returns what laws call themselves and their rights, by the laws' ids
// ([words.Languages.Naming]).
func (b *Book) Named() map[string]words.Law { return b.named }

// Rights returns every right that some law grants: those over data, and then those that a
// person decides, by their names.
func (b *Book) Rights() []dsar.Right {
	granted := map[dsar.Right]bool{}
	for _, j := range b.byID {
		for _, g := range j.Rights {
			granted[g.Right] = true
		}
	}
	over := slices.DeleteFunc(dsar.Rights(), func(r dsar.Right) bool { return !granted[r] })
	maps.DeleteFunc(granted, func(r dsar.Right, _ bool) bool { return !r.Decided() })
	return append(over, slices.Sorted(maps.Keys(granted))...)
}

// Jurisdiction returns a jurisdiction by its exact id.
func (b *Book) Jurisdiction(id string) (Jurisdiction, bool) {
	j, ok := b.byID[id]
	return j, ok
}

// Local returns an instant in the time zone of a jurisdiction, by whose days people are told when
// an answer is due; in UTC where nothing is known of it.
func (b *Book) Local(jurisdiction string, at time.Time) time.Time {
	if j, ok := b.byID[jurisdiction]; ok {
		return j.Local(at)
	}
	return at.UTC()
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

// decode reads a file and checks it against its schema. It returns the file's values whose
// source's text was not read, besides.
func decode[T any](schema *jsonschema.Schema, text []byte) (v T, notRead []Unread, err error) {
	var (
		node yaml.Node
		doc  any
	)
	if err := yaml.Unmarshal(text, &node); err != nil {
		return v, nil, err
	}
	notRead = markAll(&node)
	decoded := node.Decode(&v) // the schema's error goes before
	withoutTimes(&node)
	if err := node.Decode(&doc); err != nil {
		return v, nil, err
	}
	if err := refusalsNameRights(doc); err != nil {
		return v, nil, err
	}
	if err := schema.Validate(doc); err != nil {
		return v, nil, err
	}
	return v, notRead, decoded
}

// refusalsNameRights says of a law's file whose grounds of refusal name no rights, as files
// could until 2026, what is to be written.
func refusalsNameRights(doc any) error {
	law, _ := doc.(map[string]any)
	refusals, _ := law["refusals"].([]any)
	for _, one := range refusals {
		if r, ok := one.(map[string]any); ok && r["rights"] == nil {
			return fmt.Errorf("refusals: %v doesn't say which rights can be refused on it: write them beside it, as rights: [erasure, objection]", r["ground"])
		}
	}
	return nil
}

// withoutTimes has a document keep as text what YAML would read as times: a schema
// holds days and times to their text.
func withoutTimes(n *yaml.Node) {
	if n.Tag == "!!timestamp" {
		n.Tag = "!!str"
	}
	for _, child := range n.Content {
		withoutTimes(child)
	}
}

// parse reads a law's file. Its errors name the file.
func parse(schema *jsonschema.Schema, calendars map[string]*Calendar, name string, text []byte) (Jurisdiction, error) {
	j, err := read(schema, calendars, name, text)
	if err != nil {
		return Jurisdiction{}, fmt.Errorf("policy: %s: %w", name, err)
	}
	j.File = name
	return j, nil
}

func read(schema *jsonschema.Schema, calendars map[string]*Calendar, name string, text []byte) (Jurisdiction, error) {
	j, notRead, err := decode[Jurisdiction](schema, text)
	if err != nil {
		return Jurisdiction{}, err
	}
	j.Unread = in(name, notRead)
	if h := j.Holidays; h != nil {
		if j.days.calendar = calendars[h.Calendar]; j.days.calendar == nil {
			return Jurisdiction{}, fmt.Errorf("holidays: no calendars/%s.yaml", h.Calendar)
		}
		j.Unread = append(j.Unread, in("calendars/"+h.Calendar+".yaml", j.days.calendar.Unread)...)
	}
	if j.Holidays == nil && j.countsWorkingDays() {
		return Jurisdiction{}, errors.New("holidays: a period goes by working days, and no calendar says which are none")
	}
	if a := j.Accountability; a != nil && a.Unit != Month {
		return Jurisdiction{}, errors.New("accountability: it is counted in months")
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
		switch added := g.Right.Decided() && g.Right != dsar.Appeal && g.Right != dsar.Complaint; {
		case added && g.Decided == nil:
			return Jurisdiction{}, fmt.Errorf("rights: %s is none that systems carry out; one that a person decides has decided:, which says what it is called", g.Right)
		case !added && g.Decided != nil:
			return Jurisdiction{}, fmt.Errorf("rights: %s isn't one that the file adds: what it is called here stands in words", g.Right)
		case added && g.Words != nil:
			return Jurisdiction{}, fmt.Errorf("rights: %s has its words in decided", g.Right)
		}
	}
	grounds := map[string]bool{}
	for _, r := range j.Refusals {
		if grounds[r.Ground] {
			return Jurisdiction{}, fmt.Errorf("refusals: %s comes twice", r.Ground)
		}
		grounds[r.Ground] = true
		for _, right := range r.Rights {
			if !granted[string(right)] {
				return Jurisdiction{}, fmt.Errorf("refusals: %s is a ground for %s, which the law doesn't grant", r.Ground, right)
			}
		}
	}
	return j, j.workOut()
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
