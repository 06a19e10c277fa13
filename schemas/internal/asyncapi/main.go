// Command asyncapi writes into asyncapi.yaml what follows from the schemas of the
// facts: for each a message on dsar.events. So a new fact is named in its schema only.
package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"strings"
	"text/template"

	"habeas.dev/schemas"
)

// document is the file that is written, in the module's folder, where go generate
// runs.
const document = "asyncapi.yaml"

// others are the events that are no facts: what comes in, goes to a worker, comes
// back, and is put aside. Their messages are written by hand.
var others = []string{"dsar.request.submitted.v1", "dsar.task.v1", "dsar.report.v1", "dsar.rejected.v1"}

// fact is a kind of fact, as the document tells of it.
type fact struct {
	Name  string // of the message: taskSent
	Type  string // dsar.task.sent.v1
	Title string // of the schema
}

// regions are the parts of the document that are made, by what they begin with. A
// region ends with the line [end].
var regions = map[string]*template.Template{
	"      # The facts, by go generate, from their schemas.\n": template.Must(template.New("channel").Parse(
		`{{range .}}      {{.Name}}:
        $ref: '#/components/messages/{{.Name}}'
{{end}}`)),
	"    # The facts, by go generate, from their schemas.\n": template.Must(template.New("messages").Parse(
		`{{range .}}    {{.Name}}:
      name: {{.Type}}
      title: '{{.Title}}'
      contentType: application/json
      headers:
        type: object
        allOf:
          - $ref: '#/components/schemas/binaryHeaders'
          - properties:
              ce_type:
                const: {{.Type}}
      payload:
        schemaFormat: application/schema+json;version=draft-2020-12
        schema:
          $ref: 'events/{{.Type}}.schema.json'
      correlationId:
        $ref: '#/components/correlationIds/request'
      bindings:
        kafka:
          key:
            $ref: '#/components/schemas/requestId'
          bindingVersion: 0.5.0
{{end}}`)),
}

// end is the line that ends a region, after its indentation.
const end = "# End of the facts.\n"

func main() {
	if err := generate(); err != nil {
		fmt.Fprintln(os.Stderr, "asyncapi:", err)
		os.Exit(1) //nolint:forbidigo // this is main
	}
}

func generate() error {
	text, err := os.ReadFile(document)
	if err != nil {
		return err
	}
	if text, err = write(text); err != nil {
		return err
	}
	return os.WriteFile(document, text, 0o644)
}

// write returns the document with its regions made anew.
func write(text []byte) ([]byte, error) {
	facts, err := facts()
	if err != nil {
		return nil, err
	}
	for begin, tmpl := range regions {
		before, rest, ok := bytes.Cut(text, []byte("\n"+begin))
		if !ok {
			return nil, fmt.Errorf("%s has no line %q", document, begin)
		}
		indent := begin[:strings.Index(begin, "#")]
		_, after, ok := bytes.Cut(rest, []byte(indent+end))
		if !ok {
			return nil, fmt.Errorf("%s has no line %q after %q", document, indent+end, begin)
		}
		var out bytes.Buffer
		out.Write(before)
		out.WriteString("\n" + begin)
		if err := tmpl.Execute(&out, facts); err != nil {
			return nil, err
		}
		out.WriteString(indent + end)
		out.Write(after)
		text = out.Bytes()
	}
	return text, nil
}

// facts returns every kind of fact, by type.
func facts() ([]fact, error) {
	var all []fact
	for _, typ := range schemas.EventTypes() {
		if slices.Contains(others, typ) {
			continue
		}
		text, err := schemas.Read(schemas.EventFile(typ))
		if err != nil {
			return nil, err
		}
		var schema struct{ Title string }
		if err := json.Unmarshal(text, &schema); err != nil {
			return nil, fmt.Errorf("%s: %w", schemas.EventFile(typ), err)
		}
		all = append(all, fact{Name: name(typ), Type: typ, Title: strings.ReplaceAll(schema.Title, "'", "''")})
	}
	return all, nil
}

// name returns the name of a type's message: dsar.request.attention-needed.v1 is
// requestAttentionNeeded.
func name(typ string) string {
	typ = strings.TrimSuffix(strings.TrimPrefix(typ, "dsar."), ".v1")
	words := strings.FieldsFunc(typ, func(r rune) bool { return r == '.' || r == '-' })
	for i, w := range words[1:] {
		words[i+1] = strings.ToUpper(w[:1]) + w[1:]
	}
	return strings.Join(words, "")
}
