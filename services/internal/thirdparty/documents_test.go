package thirdparty_test

import (
	"path/filepath"
	"testing"

	"habeas.dev/services/internal/thirdparty"
)

// TestDocuments has AsyncAPI's own parser and Spectral judge asyncapi.yaml and
// the OpenAPI documents: no finding of any severity is left.
func TestDocuments(t *testing.T) {
	t.Parallel()
	schemas, err := filepath.Abs("../../../schemas")
	if err != nil {
		t.Fatal(err)
	}
	thirdparty.Node(t, "documents", "check.mjs", "SCHEMAS="+schemas)
}
