package manifest

import (
	"errors"
	"fmt"
	"io"
	"os"
	"reflect"
	"strings"

	"go.yaml.in/yaml/v3"
)

// maxBytes is the size of the largest manifest. The largest that makes sense has a
// few thousand lines.
const maxBytes = 1 << 20

// Load reads and checks the manifest in a file.
func Load(file string) (*Manifest, error) {
	data, err := read(file)
	if err != nil {
		return nil, err
	}
	return Parse(file, data)
}

// read reads a file, and of one that is too large so much that it shows.
func read(file string) ([]byte, error) {
	f, err := os.Open(file)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, maxBytes+1))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	return data, nil
}

// Parse reads and checks a manifest in YAML: one document, no field that isn't
// known, none twice, no aliases. Name is what errors call it, its file's name, beside
// which the files are that it includes. The error is an [Error].
func Parse(name string, data []byte) (*Manifest, error) {
	m := &Manifest{at: positions{file: name, long: true, from: map[*yaml.Node]string{}, of: document{name: "a manifest", begin: "begin with system: and the system's name", form: "see schemas/manifest.schema.json"}}}
	if err := m.at.decode(data, m); err != nil {
		return nil, err
	}
	for i := range m.Datasets {
		m.Datasets[i].stored()
		for j := range m.Datasets[i].Retention {
			if r := &m.Datasets[i].Retention[j]; r.Column == "" {
				r.Column, r.From = r.From, ""
			}
		}
	}
	if err := m.Validate(); err != nil {
		return nil, err
	}
	m.qualify()
	return m, nil
}

// stored takes the storage period as data from beside its texts.
func (d *Dataset) stored() {
	var s Stored
	for field, to := range map[string]*string{"period": &s.Period, "from": &s.From, "to_end_of": &s.ToEndOf} {
		*to = d.Storage[field]
		delete(d.Storage, field)
	}
	if s != (Stored{}) {
		d.Stored = &s
	}
}

// decode reads one YAML document into what into points to, after it was checked against
// its type.
func (at *positions) decode(data []byte, into any) *Error {
	doc, e := at.document(data)
	if e != nil {
		return e
	}
	if at.long {
		if e := at.expand(doc); e != nil {
			return e
		}
	}
	at.lines, at.files = map[string]int{}, map[string]string{}
	if e := at.check(doc, reflect.TypeOf(into), ""); e != nil {
		return e
	}
	if err := doc.Decode(into); err != nil {
		line, what := yamlError(err)
		return &Error{File: at.file, Line: line, What: what, Cure: at.of.form}
	}
	return nil
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
