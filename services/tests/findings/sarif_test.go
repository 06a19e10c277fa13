// Package findings holds what habeas lint writes against other people's schemas.
package findings

import (
	"bytes"
	"encoding/json"
	"testing"

	"github.com/owenrumney/go-sarif/v3/pkg/report/v210/sarif"

	"habeas.dev/services/internal/findings"
)

// TestSARIF: what is written as SARIF is valid by OASIS's schema, with findings and without,
// and is read back as what it was.
func TestSARIF(t *testing.T) {
	t.Parallel()
	for _, found := range [][]findings.Finding{nil, {
		findings.At(findings.Failure, "secret", "shop.yaml:7", "the column pan is a secret", "add secret: payment-card"),
		findings.At(findings.Warning, "index", "/etc/habeas/a b.yaml", "no index serves it", "CREATE INDEX x"),
		findings.At(findings.Note, "overdue", "", "3 records are old", ""),
	}} {
		var b bytes.Buffer
		report := findings.Report{Manifests: 1, Findings: found}
		if err := report.Write(&b, "sarif"); err != nil {
			t.Fatal(err)
		}
		strict := json.NewDecoder(bytes.NewReader(b.Bytes()))
		strict.DisallowUnknownFields() // the library's check is of what it has read
		if err := strict.Decode(new(sarif.Report)); err != nil {
			t.Errorf("%v\n%s", err, b.String())
		}
		read, err := sarif.FromBytes(b.Bytes())
		if err != nil {
			t.Fatalf("%v\n%s", err, b.String())
		}
		if err := read.Validate(); err != nil {
			t.Errorf("%v\n%s", err, b.String())
		}
		if got := read.Runs[0].Results; len(got) != len(found) {
			t.Errorf("%d results of %d", len(got), len(found))
		}
	}
	bad, err := sarif.FromBytes([]byte(`{"version": "2.1.0", "runs": [{"results": [{"level": "grave"}]}]}`))
	if err == nil && bad.Validate() == nil {
		t.Error("the schema takes anything")
	}
}
