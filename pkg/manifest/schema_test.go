package manifest

import (
	"encoding/json"
	"strings"
	"testing"

	"habeas.dev/schemas"
)

// TestSchemaDescribes: an editor can say of every field what it is for.
func TestSchemaDescribes(t *testing.T) {
	t.Parallel()
	text, err := schemas.Read("manifest.schema.json")
	if err != nil {
		t.Fatal(err)
	}
	var doc map[string]any
	if err := json.Unmarshal(text, &doc); err != nil {
		t.Fatal(err)
	}
	described := func(field any) bool {
		for {
			f, object := field.(map[string]any)
			if !object || f["description"] != nil { // false forbids a field
				return true
			}
			ref, there := f["$ref"].(string)
			if !there {
				return false
			}
			field = doc["$defs"].(map[string]any)[ref[strings.LastIndexByte(ref, '/')+1:]]
		}
	}
	fields := 0
	var walk func(path string, v any)
	walk = func(path string, v any) {
		switch v := v.(type) {
		case map[string]any:
			names, _ := v["properties"].(map[string]any)
			for name, field := range names {
				if fields++; !described(field) {
					t.Errorf("%s.%s has no description", path, name)
				}
			}
			for key, part := range v {
				// What conditions repeat of a field was described where it stands.
				if key != "if" && key != "then" && key != "else" && key != "anyOf" && key != "complete" {
					walk(path+"/"+key, part)
				}
			}
		case []any:
			for _, part := range v {
				walk(path, part)
			}
		}
	}
	walk("", doc)
	if fields < 100 {
		t.Errorf("only %d fields were looked at", fields)
	}
}
