package spreadsheet_test

import (
	"testing"

	"habeas.dev/services/internal/spreadsheet"
)

// TestPlain: what could be a formula isn't one any more, and what can't is as it was.
func TestPlain(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{"=1+1": "'=1+1", "@x": "'@x", "\t=1": "'\t=1", "+A1": "'+A1", "＝1": "'＝1", "'=1": "''=1", "+33 1 23": "+33 1 23", "-12.5": "-12.5", "web-form": "web-form", "": ""} {
		if got := spreadsheet.Plain(text); got != want {
			t.Errorf("%q is %q", text, got)
		}
	}
}
