package intake_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"mime"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"go.yaml.in/yaml/v3"

	"habeas.dev/pkg/event"
	"habeas.dev/schemas"
)

// contract holds what the door answers and sends against schemas/: openapi.yaml,
// asyncapi.yaml and the JSON Schemas of the events.
type contract struct {
	openapi, asyncapi any
	validator         *event.Validator

	mu       sync.Mutex
	compiler *jsonschema.Compiler
}

const documents = "https://habeas.dev/schemas/"

func newContract(t testing.TB) *contract {
	t.Helper()
	compiler, err := event.NewCompiler()
	must(t, err)
	validator, err := event.NewValidator()
	must(t, err)
	c := &contract{compiler: compiler, validator: validator}
	for name, doc := range map[string]*any{"openapi.yaml": &c.openapi, "asyncapi.yaml": &c.asyncapi} {
		text, err := schemas.Read(name)
		must(t, err)
		var parsed any
		must(t, yaml.Unmarshal(text, &parsed))
		// Through JSON, so that numbers and texts are JSON's.
		again, err := json.Marshal(parsed)
		must(t, err)
		*doc, err = jsonschema.UnmarshalJSON(bytes.NewReader(again))
		must(t, err)
		must(t, compiler.AddResource(documents+name, *doc))
	}
	return c
}

// pointer builds a fragment of a document's address.
func pointer(names ...string) string {
	var b strings.Builder
	for _, n := range names {
		b.WriteByte('/')
		b.WriteString(strings.NewReplacer("~", "~0", "/", "~1", "{", "%7B", "}", "%7D").Replace(n))
	}
	return b.String()
}

func (c *contract) validate(address string, value any) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	schema, err := c.compiler.Compile(address)
	if err != nil {
		return err
	}
	return schema.Validate(value)
}

// at follows names into a document, and its references.
func at(doc any, names ...string) any {
	here := doc
	for _, n := range names {
		m, _ := here.(map[string]any)
		if ref, ok := m["$ref"].(string); ok {
			m, _ = at(doc, strings.Split(strings.TrimPrefix(ref, "#/"), "/")...).(map[string]any)
		}
		here = m[n]
	}
	if m, ok := here.(map[string]any); ok {
		if ref, ok := m["$ref"].(string); ok {
			return at(doc, strings.Split(strings.TrimPrefix(ref, "#/"), "/")...)
		}
	}
	return here
}

// answer checks an answer over HTTP: its status, headers and body are those of
// the document.
func (c *contract) answer(method, path string, r *httptest.ResponseRecorder) error {
	response, ok := at(c.openapi, "paths", path, strings.ToLower(method), "responses", strconv.Itoa(r.Code)).(map[string]any)
	if !ok {
		return fmt.Errorf("%s %s: the status %d is not in openapi.yaml", method, path, r.Code)
	}
	headers, _ := response["headers"].(map[string]any)
	for name := range headers {
		if r.Header().Get(name) == "" {
			return fmt.Errorf("%s %s, %d: the header %s is missing", method, path, r.Code, name)
		}
	}
	media, _, err := mime.ParseMediaType(r.Header().Get("Content-Type"))
	if err != nil {
		return err
	}
	content, _ := response["content"].(map[string]any)
	if content[media] == nil {
		return fmt.Errorf("%s %s, %d: the content type %s is not in openapi.yaml", method, path, r.Code, media)
	}
	schema, _ := content[media].(map[string]any)["schema"].(map[string]any)
	if schema["format"] == "binary" {
		return nil
	}
	ref, _ := schema["$ref"].(string)
	body, err := jsonschema.UnmarshalJSON(bytes.NewReader(r.Body.Bytes()))
	if err != nil {
		return fmt.Errorf("%s %s, %d: %w", method, path, r.Code, err)
	}
	return c.validate(documents+"openapi.yaml"+ref, body)
}

// event checks an event: its data by the schema of its type, its headers by
// asyncapi.yaml.
func (c *contract) event(headers map[string]string, data []byte) error {
	typ := headers[event.HeaderType]
	if err := c.validator.ValidateData(typ, data); err != nil {
		return fmt.Errorf("%s: %w", typ, err)
	}
	plain := map[string]any{}
	for name, value := range headers {
		plain[name] = value
	}
	messages, _ := at(c.asyncapi, "components", "messages").(map[string]any)
	for name, m := range messages {
		if at(m, "name") == typ && !strings.HasSuffix(name, "Structured") {
			return c.validate(documents+"asyncapi.yaml#"+pointer("components", "messages", name, "headers"), plain)
		}
	}
	return fmt.Errorf("the type %s is not in asyncapi.yaml", typ)
}
