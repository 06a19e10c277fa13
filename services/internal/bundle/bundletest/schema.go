package bundletest

import (
	"fmt"
	"path"
	"strings"
	"sync"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"habeas.dev/pkg/event"
	"habeas.dev/schemas"
)

var answerSchema = sync.OnceValues(func() (*jsonschema.Schema, error) {
	compiler, err := event.NewCompiler()
	if err != nil {
		return nil, err
	}
	return compiler.Compile(schemas.Base + "answer.schema.json")
})

// CheckAnswer holds the answer.json or certificate.json among a bundle's files, by their
// names, to schemas/answer.schema.json. Whatever a test takes apart is held to it, so that
// writing an answer needn't pay for it.
func CheckAnswer(files map[string]string) error {
	schema, err := answerSchema()
	if err != nil {
		return err
	}
	for name, text := range files {
		if base := path.Base(name); base != "answer.json" && base != "certificate.json" {
			continue
		}
		value, err := jsonschema.UnmarshalJSON(strings.NewReader(text))
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		if err := schema.Validate(value); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
	}
	return nil
}
