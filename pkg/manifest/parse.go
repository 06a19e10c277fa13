package manifest

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"
)

// maxBytes is the size of the largest manifest. The largest that makes sense has a
// few thousand lines.
const maxBytes = 1 << 20

// Load reads and checks the manifest in a file.
func Load(file string) (*Manifest, error) {
	f, err := os.Open(file)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, maxBytes+1))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	return Parse(file, data)
}

// Parse reads and checks a manifest in YAML: one document, no field that isn't
// known, none twice, no aliases. Name is what errors call it, its file's name.
// The error is an [Error].
func Parse(name string, data []byte) (*Manifest, error) {
	fail := func(line int, what, cure string) (*Manifest, error) {
		return nil, &Error{File: name, Line: line, What: what, Cure: cure}
	}
	if len(data) > maxBytes {
		return fail(0, "too large", fmt.Sprintf("a manifest has at most %d bytes", maxBytes))
	}
	if !utf8.Valid(data) {
		return fail(0, "not UTF-8", "save it in UTF-8")
	}
	var doc yaml.Node
	decoder := yaml.NewDecoder(bytes.NewReader(data))
	switch err := decoder.Decode(&doc); {
	case errors.Is(err, io.EOF):
		return fail(0, "empty", "begin with system: and the system's name")
	case err != nil:
		line, what := yamlError(err)
		return fail(line, "not YAML: "+what, "check indentation and quotes")
	}
	if err := decoder.Decode(new(yaml.Node)); !errors.Is(err, io.EOF) {
		return fail(0, "more than one document", "write one file a system")
	}
	m := &Manifest{at: positions{file: name, lines: map[string]int{}}}
	if e := m.at.check(doc.Content[0], manifestShape, ""); e != nil {
		return nil, e
	}
	if err := doc.Decode(m); err != nil {
		line, what := yamlError(err)
		return fail(line, what, "see schemas/manifest.schema.json")
	}
	if err := m.Validate(); err != nil {
		return nil, err
	}
	m.qualify()
	return m, nil
}

// yamlError separates the line from an error of the YAML package, which writes
// "yaml: line 3: …" or, in a list, "line 3: …".
func yamlError(err error) (line int, what string) {
	what = err.Error()
	var list *yaml.TypeError
	if errors.As(err, &list) && len(list.Errors) > 0 {
		what = list.Errors[0]
	}
	what = strings.TrimPrefix(what, "yaml: ")
	if n, scanErr := fmt.Sscanf(what, "line %d:", &line); n == 1 && scanErr == nil {
		_, what, _ = strings.Cut(what, ": ")
	}
	return line, strings.ReplaceAll(what, "\n", " ")
}
