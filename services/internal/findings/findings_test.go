package findings

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func sample(t *testing.T) *Report {
	t.Helper()
	dir, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	return &Report{Manifests: 2, Findings: []Finding{
		At(Note, "overdue", "shop.yaml", "3 records are old", ""),
		At(Failure, "secret", filepath.Join(dir, "a, b: 100%.yaml")+":7", "the column pan is a secret", "add secret: payment-card"),
		At(Warning, "index", "/etc/habeas/shop.yaml:9", "no index serves it", "CREATE INDEX x"),
	}}
}

// TestFormats: every form has each finding with its level, rule, file and line, and what a
// form gives a meaning is escaped.
func TestFormats(t *testing.T) {
	t.Parallel()
	dir, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for format, want := range map[string]string{
		"text": "fail " + filepath.Join(dir, "a, b: 100%.yaml") + ":7: the column pan is a secret; add secret: payment-card\n" +
			"warn /etc/habeas/shop.yaml:9: no index serves it; CREATE INDEX x\nnote shop.yaml: 3 records are old\n2 manifests: 1 failures, 1 warnings\n",
		"github": "::error file=a%2C b%3A 100%25.yaml,line=7,title=habeas lint%3A secret::the column pan is a secret; add secret: payment-card\n" +
			"::warning file=/etc/habeas/shop.yaml,line=9,title=habeas lint%3A index::no index serves it; CREATE INDEX x\n" +
			"::notice file=shop.yaml,title=habeas lint%3A overdue::3 records are old\n2 manifests: 1 failures, 1 warnings\n",
	} {
		var b bytes.Buffer
		if err := sample(t).Write(&b, format); err != nil || b.String() != want {
			t.Errorf("%s, %v:\n%s", format, err, b.String())
		}
	}
	var b bytes.Buffer
	if err := sample(t).Write(&b, "json"); err != nil {
		t.Fatal(err)
	}
	var got struct {
		Failures, Warnings int
		Findings           []Finding
	}
	if err := json.Unmarshal(b.Bytes(), &got); err != nil || got.Failures != 1 || got.Warnings != 1 || len(got.Findings) != 3 || got.Findings[0].File != "a, b: 100%.yaml" || got.Findings[0].Line != 7 || got.Findings[0].Rule != "secret" {
		t.Errorf("%v: %s", err, b.String())
	}
	b.Reset()
	if err := sample(t).Write(&b, "sarif"); err != nil || !strings.Contains(b.String(), `"uri": "a,%20b:%20100%25.yaml"`) || !strings.Contains(b.String(), `"uri": "file:///etc/habeas/shop.yaml"`) {
		t.Errorf("%v: %s", err, b.String())
	}
}
