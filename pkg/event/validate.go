package event

import (
	"bytes"
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"habeas.dev/schemas"
)

// Validator checks the data of events against the schemas of the module
// habeas.dev/schemas. It is made once and safe for many goroutines.
type Validator struct {
	byType map[string]*jsonschema.Schema
	// versions are the known versions by the name of the type, for the text of
	// an error: "v1, v2".
	versions map[string][]string
}

// NewValidator compiles the schemas of every event type. An error is a mistake
// in the schemas, not in the input.
func NewValidator() (*Validator, error) {
	compiler, err := NewCompiler()
	if err != nil {
		return nil, err
	}
	types := schemas.EventTypes()
	v := &Validator{
		byType:   make(map[string]*jsonschema.Schema, len(types)),
		versions: make(map[string][]string, len(types)),
	}
	for _, typ := range types {
		sch, err := compiler.Compile(schemas.Base + schemas.EventFile(typ))
		if err != nil {
			return nil, fmt.Errorf("event: schema of %s: %w", typ, err)
		}
		name, version, ok := splitType(typ)
		if !ok {
			return nil, fmt.Errorf("event: schema of %s: the name has no version", typ)
		}
		v.byType[typ] = sch
		v.versions[name] = append(v.versions[name], "v"+strconv.Itoa(version))
	}
	return v, nil
}

// NewCompiler returns a compiler that knows every schema of the module
// habeas.dev/schemas by its $id, asserts formats, and fetches nothing.
func NewCompiler() (*jsonschema.Compiler, error) {
	compiler := jsonschema.NewCompiler()
	compiler.DefaultDraft(jsonschema.Draft2020)
	compiler.AssertFormat()
	compiler.UseLoader(jsonschema.SchemeURLLoader{}) // no scheme: nothing is loaded
	for _, name := range schemas.Files() {
		text, err := schemas.Read(name)
		if err != nil {
			return nil, fmt.Errorf("event: %w", err)
		}
		doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
		if err != nil {
			return nil, fmt.Errorf("event: schema %s: %w", name, err)
		}
		if err := compiler.AddResource(schemas.Base+name, doc); err != nil {
			return nil, fmt.Errorf("event: schema %s: %w", name, err)
		}
	}
	return compiler, nil
}

// ValidateData checks the data of an event of a type. Its errors are
// errUnknownType, errUnknownVersion, or a [DataError]: one line each, which
// names the place and the rule and never quotes the data.
func (v *Validator) ValidateData(typ string, data []byte) error {
	sch, ok := v.byType[typ]
	if !ok {
		return v.unknown(typ)
	}
	if len(data) > maxPayload {
		return dataError(codeLimit, fmt.Sprintf("%d bytes, at most %d are read", len(data), maxPayload))
	}
	if !utf8.Valid(data) {
		return dataError(codeNotUTF8, "the text is not UTF-8")
	}
	if err := checkShape(data); err != nil {
		return err
	}
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(data))
	if err != nil {
		// The decoder's own text quotes what it met.
		return dataError(codeNotJSON, "the text is not JSON")
	}
	if err := sch.Validate(doc); err != nil {
		return violations(err)
	}
	return nil
}

// unknown says what is unknown about a type, without quoting it: it is a
// stranger's text.
func (v *Validator) unknown(typ string) error {
	name, _, ok := splitType(typ)
	if known := v.versions[name]; ok && known != nil {
		return fmt.Errorf("%w of %s: known is %s", errUnknownVersion, name, strings.Join(known, ", "))
	}
	return fmt.Errorf("%w: known on %s is %s", errUnknownType, TopicRequests, TypeSubmitted)
}

// splitType splits an event type into its name and its version:
// dsar.task.v1 is dsar.task in version 1. It is false for anything else.
func splitType(typ string) (name string, version int, ok bool) {
	i := strings.LastIndex(typ, ".v")
	if i <= 0 {
		return "", 0, false
	}
	version, err := strconv.Atoi(typ[i+2:])
	if err != nil || version < 1 || typ[i+2] == '0' || typ[i+2] == '+' {
		return "", 0, false
	}
	return typ[:i], version, true
}
