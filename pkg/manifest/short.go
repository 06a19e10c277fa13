package manifest

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"
)

// maxFiles bounds the files that a manifest is of.
const maxFiles = 50

// expand writes a manifest out: what its included files say, its defaults in each
// dataset that doesn't say otherwise, and its short forms. Every node keeps its line and
// file.
func (at *positions) expand(doc *yaml.Node) *Error {
	if doc.Kind != yaml.MappingNode {
		return nil // which the check says
	}
	at.mark(doc)
	include := take(doc, "include")
	defaults, e := at.defaults(doc)
	if e != nil {
		return e
	}
	if e := at.spread(doc, defaults, value(doc, "sql") != nil); e != nil {
		return e
	}
	if include == nil {
		return nil
	}
	if include.Kind != yaml.SequenceNode || len(include.Content) > maxFiles {
		return at.fail(include, "include", "include must be a list of files, at most "+strconv.Itoa(maxFiles), "write it as [orders.yaml, messages.yaml]")
	}
	for _, n := range include.Content {
		part, e := at.included(n)
		if e != nil {
			return e
		}
		own, e := at.defaults(part)
		if e != nil {
			return e
		}
		if own == nil {
			own = defaults
		}
		if e := at.spread(part, own, value(doc, "sql") != nil); e != nil {
			return e
		}
		at.mark(part)
		if e := at.join(doc, part); e != nil {
			return e
		}
	}
	return nil
}

// defaults takes out of a document what it says of each of its datasets.
func (at *positions) defaults(doc *yaml.Node) (*yaml.Node, *Error) {
	n := take(doc, "defaults")
	if n == nil {
		return nil, nil //nolint:nilnil // there are none
	}
	if n.Kind != yaml.MappingNode {
		return nil, at.fail(n, "defaults", "defaults must be fields and values", "write fields of a dataset, such as storage:")
	}
	for i := 0; i < len(n.Content); i += 2 {
		key := n.Content[i]
		if key.Value == "name" || slices.Contains(names(n)[:i/2], key.Value) {
			return nil, at.fail(key, "defaults", fmt.Sprintf("defaults say %q, which is each dataset's own, or twice", key.Value), "leave it out")
		}
	}
	return n, nil
}

// included reads a file that a manifest includes, beside its own.
func (at *positions) included(n *yaml.Node) (*yaml.Node, *Error) {
	if n.Kind != yaml.ScalarNode || !filepath.IsLocal(n.Value) {
		return nil, at.fail(n, "include", "include names no file beside the manifest", "write its path from the manifest's folder on, such as parts/orders.yaml")
	}
	name := filepath.Join(filepath.Dir(at.file), n.Value)
	data, err := read(name)
	switch {
	case errors.Is(err, os.ErrNotExist):
		return nil, at.fail(n, "include", fmt.Sprintf("there is no file %s", name), "create it, or correct the name")
	case err != nil:
		return nil, at.fail(n, "include", "the file can't be read", "see that whoever runs this may read it")
	}
	of := positions{file: name, of: document{name: "a part of a manifest", begin: "begin with datasets:", form: at.of.form}, from: at.from}
	doc, e := of.document(data)
	if e != nil {
		return nil, e
	}
	if doc.Kind != yaml.MappingNode {
		return nil, &Error{File: name, Line: doc.Line, What: "a part of a manifest must be fields and values", Cure: "begin with datasets:"}
	}
	of.mark(doc)
	return doc, nil
}

// mark notes of which file a node is, and what is in it, unless that is known.
func (at *positions) mark(n *yaml.Node) { at.markAs(n, cmp.Or(at.from[n], at.file)) }

func (at *positions) markAs(n *yaml.Node, file string) {
	if at.from[n] == "" {
		at.from[n] = file
	}
	for _, c := range n.Content {
		at.markAs(c, at.from[n])
	}
}

// join adds a part of a manifest to it: its datasets, and the lists of its sql.
func (at *positions) join(doc, part *yaml.Node) *Error {
	for i := 0; i+1 < len(part.Content); i += 2 {
		key, v := part.Content[i], part.Content[i+1]
		switch key.Value {
		case "datasets":
			if e := at.add(doc, key, v); e != nil {
				return e
			}
		case "sql":
			for j := 0; j+1 < len(v.Content); j += 2 {
				to := value(doc, "sql")
				if k := v.Content[j]; to == nil || k.Value != "resolve" && k.Value != "technical" {
					return at.fail(k, "sql", fmt.Sprintf("a part of a manifest can't have the field %q here", k.Value), "allowed here: resolve, technical, where the manifest has sql")
				} else if e := at.add(to, k, v.Content[j+1]); e != nil {
					return e
				}
			}
		default:
			return at.fail(key, "", fmt.Sprintf("a part of a manifest can't have the field %q", key.Value), "allowed here: datasets, defaults, sql")
		}
	}
	return nil
}

// add adds the entries of a list to the one of a mapping's key.
func (at *positions) add(to, key, list *yaml.Node) *Error {
	have := value(to, key.Value)
	if have == nil {
		to.Content = append(to.Content, key, list)
		return nil
	}
	if have.Kind != yaml.SequenceNode || list.Kind != yaml.SequenceNode {
		return at.fail(list, key.Value, key.Value+" must be a list", "write one entry a line, each after a hyphen")
	}
	have.Content = append(have.Content, list.Content...)
	return nil
}

// alternatives are fields of which one says what others would.
var alternatives = [][]string{{"purposes", "purpose", "legal_basis"}, {"subject", "ways"}, {"erase", "anonymise", "set", "why"}}

// spread writes defaults into every dataset of a document, and each in its long form.
func (at *positions) spread(doc, defaults *yaml.Node, inSQL bool) *Error {
	datasets := value(doc, "datasets")
	if datasets == nil || datasets.Kind != yaml.SequenceNode {
		return nil
	}
	for _, d := range datasets.Content {
		if d.Kind != yaml.MappingNode {
			continue
		}
		if defaults != nil && defaults.Kind == yaml.MappingNode {
			fill(d, defaults)
		}
		if e := at.longForm(d, inSQL); e != nil {
			return e
		}
	}
	return nil
}

// fill adds what a mapping lacks of another; of sql, what that lacks.
func fill(to, from *yaml.Node) {
	has := names(to)
	for i := 0; i+1 < len(from.Content); i += 2 {
		key, v := from.Content[i], from.Content[i+1]
		have := value(to, key.Value)
		switch {
		case have != nil && key.Value == "sql" && have.Kind == yaml.MappingNode && v.Kind == yaml.MappingNode:
			fill(have, v)
		case have == nil && key.Value == "sql" && v.Kind == yaml.MappingNode:
			// Another dataset's is filled, too: each has its own.
			own := &yaml.Node{Kind: yaml.MappingNode, Tag: "!!map", Line: to.Line, Content: slices.Clone(v.Content)}
			to.Content = append(to.Content, key, own)
		case have == nil && !said(has, key.Value):
			to.Content = append(to.Content, key, v)
		}
	}
}

// said reports whether one of the fields says what another would.
func said(fields []string, field string) bool {
	for _, group := range alternatives {
		if slices.Contains(group, field) && slices.ContainsFunc(group, func(o string) bool { return slices.Contains(fields, o) }) {
			return !slices.Equal(group, alternatives[0]) || slices.Contains(fields, "purposes") || field == "purposes"
		}
	}
	return false
}

// longForm writes a dataset's short forms out.
func (at *positions) longForm(d *yaml.Node, inSQL bool) *Error {
	if columns := value(d, "columns"); columns != nil && columns.Kind == yaml.SequenceNode {
		for i, c := range columns.Content {
			columns.Content[i] = column(c)
		}
	}
	s := value(d, "sql")
	if s == nil || s.Kind != yaml.MappingNode || !inSQL {
		return nil
	}
	if name := value(d, "name"); value(s, "table") == nil && name != nil {
		s.Content = append(s.Content, text("table", name.Line), name)
	}
	if ways := value(s, "ways"); ways != nil && ways.Kind == yaml.SequenceNode {
		for _, w := range ways.Content {
			if e := at.setting(w); e != nil {
				return e
			}
		}
	}
	return at.setting(s)
}

// setting writes set: out, which is erase: anonymise with anonymise:.
func (at *positions) setting(n *yaml.Node) *Error {
	for i := 0; n.Kind == yaml.MappingNode && i+1 < len(n.Content); i += 2 {
		key := n.Content[i]
		if key.Value != "set" {
			continue
		}
		if value(n, "anonymise") != nil {
			return at.fail(key, "set", "set and anonymise say the same", "leave set")
		}
		n.Content[i] = &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Value: "anonymise", Line: key.Line}
		at.from[n.Content[i]] = at.from[key]
		if value(n, "erase") == nil {
			n.Content = append(n.Content, text("erase", key.Line), text(EraseAnonymise, key.Line))
		}
	}
	return nil
}

// column writes a column out: number is {name: number}, and {placed_on: date} has a type.
func column(c *yaml.Node) *yaml.Node {
	switch {
	case c.Kind == yaml.ScalarNode && c.ShortTag() == "!!str":
		return &yaml.Node{Kind: yaml.MappingNode, Tag: "!!map", Line: c.Line, Content: []*yaml.Node{text("name", c.Line), c}}
	case c.Kind == yaml.MappingNode && len(c.Content) == 2 && c.Content[0].Value != "name" && c.Content[1].Kind == yaml.ScalarNode && slices.Contains(ColumnTypes(), c.Content[1].Value):
		return &yaml.Node{Kind: yaml.MappingNode, Tag: "!!map", Line: c.Line, Content: []*yaml.Node{text("name", c.Line), c.Content[0], text("type", c.Line), c.Content[1]}}
	default:
		return c
	}
}

func text(s string, line int) *yaml.Node {
	return &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Value: s, Line: line}
}

// value returns what a mapping has under a key; nil where it has nothing.
func value(n *yaml.Node, key string) *yaml.Node {
	for i := 0; n.Kind == yaml.MappingNode && i+1 < len(n.Content); i += 2 {
		if n.Content[i].Value == key {
			return n.Content[i+1]
		}
	}
	return nil
}

func names(n *yaml.Node) []string {
	var out []string
	for i := 0; i+1 < len(n.Content); i += 2 {
		out = append(out, n.Content[i].Value)
	}
	return out
}

// take removes a key of a mapping, and returns what it had.
func take(n *yaml.Node, key string) *yaml.Node {
	for i := 0; i+1 < len(n.Content); i += 2 {
		if n.Content[i].Value == key {
			v := n.Content[i+1]
			n.Content = slices.Delete(n.Content, i, i+2)
			return v
		}
	}
	return nil
}

// document reads the one YAML document of a file.
func (at *positions) document(data []byte) (*yaml.Node, *Error) {
	if len(data) > maxBytes {
		return nil, &Error{File: at.file, What: "too large", Cure: fmt.Sprintf("%s has at most %d bytes", at.of.name, maxBytes)}
	}
	if !utf8.Valid(data) {
		return nil, &Error{File: at.file, What: "not UTF-8", Cure: "save it in UTF-8"}
	}
	var doc yaml.Node
	decoder := yaml.NewDecoder(bytes.NewReader(data))
	switch err := decoder.Decode(&doc); {
	case errors.Is(err, io.EOF):
		return nil, &Error{File: at.file, What: "empty", Cure: at.of.begin}
	case err != nil:
		line, what := yamlError(err)
		return nil, &Error{File: at.file, Line: line, What: "not YAML: " + what, Cure: "check indentation and quotes"}
	}
	if err := decoder.Decode(new(yaml.Node)); !errors.Is(err, io.EOF) {
		return nil, &Error{File: at.file, What: "more than one document", Cure: "write each into a file of its own"}
	}
	return doc.Content[0], nil
}
