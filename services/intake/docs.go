package intake

import (
	"bytes"
	_ "embed"
	"encoding/json"
	"fmt"
	"html/template"
	"net/http"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"habeas.dev/schemas"
)

//go:embed docs.gohtml
var docsPage string

// docsPolicy has a browser load nothing but the page itself, which has its style in it.
const docsPolicy = "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'; base-uri 'none'"

// documentation is schemas/openapi.yaml, as it is and as a page.
type documentation struct{ document, page []byte }

// newDocumentation renders the page once: the document is part of the program.
func newDocumentation() (documentation, error) {
	text, err := schemas.Read("openapi.yaml")
	if err != nil {
		return documentation{}, err
	}
	var doc node
	if err := yaml.Unmarshal(text, &doc.root); err != nil {
		return documentation{}, fmt.Errorf("openapi.yaml: %w", err)
	}
	page, err := template.New("docs").Funcs(template.FuncMap{"said": said}).Parse(docsPage)
	if err != nil {
		return documentation{}, err
	}
	var out bytes.Buffer
	err = page.Execute(&out, doc)
	return documentation{text, out.Bytes()}, err
}

// said returns a description without the line ends that its source has within paragraphs: the
// page is as wide as its reader's screen. The lines of a list stay.
func said(description string) string {
	var out strings.Builder
	for i, line := range strings.Split(strings.TrimSpace(description), "\n") {
		line = strings.TrimSpace(line)
		switch {
		case i == 0:
		case line == "":
			out.WriteString("\n\n")
		case strings.HasPrefix(line, "- ") && !strings.HasSuffix(out.String(), "\n"):
			out.WriteByte('\n')
		case !strings.HasSuffix(out.String(), "\n"):
			out.WriteByte(' ')
		}
		out.WriteString(line)
	}
	return out.String()
}

func (d documentation) servePage(w http.ResponseWriter, _ *http.Request) {
	serveDocument(w, "text/html; charset=utf-8", d.page)
}

func (d documentation) serveDocument(w http.ResponseWriter, _ *http.Request) {
	serveDocument(w, "application/yaml", d.document)
}

func serveDocument(w http.ResponseWriter, contentType string, body []byte) {
	h := w.Header()
	h.Set("Content-Type", contentType)
	h.Set("Content-Security-Policy", docsPolicy)
	h.Set("X-Content-Type-Options", "nosniff")
	_, _ = w.Write(body)
}

// node is a place in the document, as the page's template reads it.
type node struct{ root yaml.Node }

// operation is one call that the document has.
type operation struct {
	Method, Path, Summary, Description, Example string
	Parameters                                  []field
	Responses                                   []field
}

// field is a name and what is said of it.
type field struct{ Name, Type, Description string }

// schema is one form of the document.
type schema struct {
	Name, Description string
	Fields            []field
}

// document is what the page shows of the YAML.
type document struct {
	Info  struct{ Title, Version, Summary, Description string }
	Paths map[string]map[string]struct {
		Summary, Description string
		Parameters           []struct {
			Name, In, Description string
			Schema                form
		}
		RequestBody struct {
			Content map[string]struct {
				Examples map[string]struct{ Value map[string]any }
			}
		} `yaml:"requestBody"`
		Responses map[string]struct {
			Description string
			Ref         string `yaml:"$ref"`
		}
	}
	Components struct {
		Schemas   map[string]form
		Responses map[string]struct{ Description string }
	}
}

// form is a schema as far as the page tells of it.
type form struct {
	Type, Format, Pattern, Description string
	Ref                                string `yaml:"$ref"`
	Enum                               []string
	Required                           []string
	Properties                         yaml.Node
	Items                              *form
}

// words says what a value of the form is.
func (f form) words() string {
	switch {
	case f.Ref != "":
		return last(f.Ref)
	case f.Items != nil:
		return "list of " + f.Items.words()
	case len(f.Enum) > 0:
		return strings.Join(f.Enum, " | ")
	case f.Format != "":
		return f.Type + " (" + f.Format + ")"
	default:
		return f.Type
	}
}

// last returns the name that a reference ends with.
func last(ref string) string { return ref[strings.LastIndexByte(ref, '/')+1:] }

func (n node) read() (d document, err error) { return d, n.root.Decode(&d) }

// Info returns the document's title and what it says of itself.
func (n node) Info() (any, error) {
	d, err := n.read()
	return d.Info, err
}

// Operations returns the calls, by path and in the order of a request's life.
func (n node) Operations() (out []operation, err error) {
	d, err := n.read()
	if err != nil {
		return nil, err
	}
	for path, methods := range d.Paths {
		for method, o := range methods {
			op := operation{Method: strings.ToUpper(method), Path: path, Summary: o.Summary, Description: o.Description}
			for _, p := range o.Parameters {
				op.Parameters = append(op.Parameters, field{p.Name + " (" + p.In + ")", p.Schema.words(), p.Description})
			}
			for _, e := range o.RequestBody.Content["application/json"].Examples {
				text, err := json.MarshalIndent(e.Value, "", "  ")
				if err != nil {
					return nil, err
				}
				op.Example = string(text)
			}
			for status, r := range o.Responses {
				if r.Ref != "" {
					r.Description = d.Components.Responses[last(r.Ref)].Description
				}
				op.Responses = append(op.Responses, field{Name: status, Description: r.Description})
			}
			slices.SortFunc(op.Responses, func(a, b field) int { return strings.Compare(a.Name, b.Name) })
			out = append(out, op)
		}
	}
	order := []string{"POST", "GET", "DELETE"}
	slices.SortFunc(out, func(a, b operation) int {
		if a.Path != b.Path {
			return strings.Compare(a.Path, b.Path)
		}
		return slices.Index(order, a.Method) - slices.Index(order, b.Method)
	})
	return out, nil
}

// Schemas returns the forms that have members, by name.
func (n node) Schemas() (out []schema, err error) {
	d, err := n.read()
	if err != nil {
		return nil, err
	}
	for name, f := range d.Components.Schemas {
		s := schema{Name: name, Description: f.Description}
		for i := 0; i+1 < len(f.Properties.Content); i += 2 { // in the document's order
			var p form
			if err := f.Properties.Content[i+1].Decode(&p); err != nil {
				return nil, err
			}
			member := f.Properties.Content[i].Value
			if !slices.Contains(f.Required, member) {
				member += " (optional)"
			}
			s.Fields = append(s.Fields, field{member, p.words(), p.Description})
		}
		if len(s.Fields) == 0 {
			s.Description = strings.TrimSpace(s.Description + " " + f.words())
		}
		out = append(out, s)
	}
	slices.SortFunc(out, func(a, b schema) int { return strings.Compare(a.Name, b.Name) })
	return out, nil
}
