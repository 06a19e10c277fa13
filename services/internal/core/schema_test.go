package core_test

import (
	"encoding/json"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"habeas.dev/pkg/dsar"
	"habeas.dev/pkg/event"
	"habeas.dev/schemas"
	"habeas.dev/services/internal/core"
)

// goTypes returns the Go types of the data of every event type.
func goTypes() map[string]reflect.Type {
	types := map[string]reflect.Type{
		event.TypeSubmitted: reflect.TypeFor[event.Submitted](),
		event.TypeTask:      reflect.TypeFor[core.AssembleTask](),
		event.TypeReport:    reflect.TypeFor[dsar.Report](),
		event.TypeRejected:  reflect.TypeFor[event.Rejected](),
	}
	for name, typ := range core.FactTypes() {
		types[event.FactType(name)] = typ
	}
	return types
}

// Every field of a Go type is a property of its schema and the other way round,
// down to the leaves; what Go always writes is required.
func TestSchemasSayWhatTheTypesHold(t *testing.T) {
	t.Parallel()
	types := goTypes()
	if got, want := schemas.EventTypes(), len(types); len(got) != want {
		t.Errorf("%d schemas for %d types: %v", len(got), want, got)
	}
	compiler, err := event.NewCompiler()
	if err != nil {
		t.Fatal(err)
	}
	for typ, goType := range types {
		sch, err := compiler.Compile(schemas.Base + schemas.EventFile(typ))
		if err != nil {
			t.Errorf("%s: %v", typ, err)
			continue
		}
		compare(t, typ, sch, goType)
	}
}

func compare(t *testing.T, where string, sch *jsonschema.Schema, typ reflect.Type) {
	t.Helper()
	for sch.Ref != nil {
		sch = sch.Ref
	}
	for typ.Kind() == reflect.Pointer {
		typ = typ.Elem()
	}
	switch {
	case typ == reflect.TypeFor[time.Time]() || typ == reflect.TypeFor[[]byte]():
	case typ.Kind() == reflect.Slice:
		if items, ok := sch.Items2020, sch.Items2020 != nil; ok {
			compare(t, where+"[]", items, typ.Elem())
		} else {
			t.Errorf("%s: the schema has no items", where)
		}
		if sch.MaxItems == nil {
			t.Errorf("%s: no bound", where)
		}
	case typ.Kind() == reflect.Struct:
		if sch.AdditionalProperties != false {
			t.Errorf("%s: unknown members are allowed", where)
		}
		var names []string
		for _, field := range reflect.VisibleFields(typ) {
			if field.Anonymous { // its own fields follow
				continue
			}
			name, options, _ := strings.Cut(field.Tag.Get("json"), ",")
			names = append(names, name)
			property, ok := sch.Properties[name]
			if !ok {
				t.Errorf("%s: the schema lacks %s", where, name)
				continue
			}
			if always := options == ""; always != slices.Contains(sch.Required, name) {
				t.Errorf("%s.%s: Go always writes it: %v; required: %v", where, name, always, !always)
			}
			compare(t, where+"."+name, property, field.Type)
		}
		for name := range sch.Properties {
			if !slices.Contains(names, name) {
				t.Errorf("%s: the type lacks %s", where, name)
			}
		}
	}
}

// What Go writes of full values is what the schemas allow, and it is read back
// the same.
func TestGoWritesWhatTheSchemasAllow(t *testing.T) {
	t.Parallel()
	v, err := event.NewValidator()
	if err != nil {
		t.Fatal(err)
	}
	for typ, goType := range goTypes() {
		for i, good := range examples(t, typ) {
			p := reflect.New(goType)
			if err := json.Unmarshal(good, p.Interface()); err != nil {
				t.Errorf("%s, example %d: %v", typ, i, err)
				continue
			}
			again, err := json.Marshal(p.Interface())
			if err != nil {
				t.Fatal(err)
			}
			if err := v.ValidateData(typ, again); err != nil {
				t.Errorf("%s, example %d, as Go writes it: %v\n%s", typ, i, err, again)
			}
			var a, b any
			if json.Unmarshal(good, &a) != nil || json.Unmarshal(again, &b) != nil || !reflect.DeepEqual(a, b) {
				t.Errorf("%s, example %d:\n got %s\nwant %s", typ, i, again, good)
			}
		}
	}
}

// examples returns what a type's schema has as examples, or its vectors as good data;
// at least one.
func examples(t *testing.T, typ string) []json.RawMessage {
	t.Helper()
	var schema struct{ Examples []json.RawMessage }
	text, err := schemas.Read(schemas.EventFile(typ))
	if err != nil || json.Unmarshal(text, &schema) != nil {
		t.Fatalf("the schema of %s: %v", typ, err)
	}
	if text, err := schemas.Read("vectors/" + typ + ".json"); err == nil {
		var vectors struct {
			Good []struct{ Data json.RawMessage }
		}
		if err := json.Unmarshal(text, &vectors); err != nil {
			t.Fatalf("the vectors of %s: %v", typ, err)
		}
		for _, good := range vectors.Good {
			schema.Examples = append(schema.Examples, good.Data)
		}
	}
	if len(schema.Examples) == 0 {
		t.Fatalf("%s has neither examples nor vectors", typ)
	}
	return schema.Examples
}

// TestExamplesSayWhoActed: where the examples of the facts say that somebody was a user of a
// machine, they do so as facts do, so that who reads them can tell.
func TestExamplesSayWhoActed(t *testing.T) {
	t.Parallel()
	locals := 0
	for typ := range goTypes() {
		for i, good := range examples(t, typ) {
			var fact struct {
				By string `json:"by"`
			}
			if json.Unmarshal(good, &fact) != nil || !strings.Contains(fact.By, "local") {
				continue
			}
			locals++
			host, local := core.LocalActor(fact.By)
			if want := core.Actor(core.ActorName(fact.By), core.LocalUser(host)); !local || fact.By != want {
				t.Errorf("%s, example %d: by is %q", typ, i, fact.By)
			}
		}
	}
	if locals == 0 {
		t.Error("no example is of a user of a machine")
	}
}

// The words of the core are those of the schemas.
func TestEnumsAreTheCores(t *testing.T) {
	t.Parallel()
	compiler, err := event.NewCompiler()
	if err != nil {
		t.Fatal(err)
	}
	for def, want := range map[string][]string{
		"action":  words([]dsar.Action{dsar.Resolve, dsar.Gather, dsar.Plan, dsar.Erase, dsar.Prove, dsar.Rectify, dsar.Restrict, dsar.Assemble}),
		"ability": words([]dsar.Action{dsar.Resolve, dsar.Gather, dsar.Erase, dsar.Rectify, dsar.Restrict}),
		"outcome": words([]dsar.Outcome{
			dsar.Found, dsar.Gathered, dsar.Erased, dsar.Anonymised, dsar.Rectified, dsar.Restricted, dsar.Retained, dsar.Proven,
			dsar.Assembled, dsar.NothingFound, dsar.NotApplicable, dsar.Manual, dsar.Failed, dsar.Incomplete,
		}),
	} {
		sch, err := compiler.Compile(schemas.Base + "common.schema.json#/$defs/" + def)
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, word := range sch.Enum.Values {
			got = append(got, word.(string))
		}
		if !slices.Equal(got, want) {
			t.Errorf("%s: %v, want %v", def, got, want)
		}
	}
}

func words[W ~string](in []W) []string {
	out := make([]string, len(in))
	for i, w := range in {
		out[i] = string(w)
	}
	return out
}
