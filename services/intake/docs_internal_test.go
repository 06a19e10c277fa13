package intake

import "testing"

// TestDocumentationFlows: a paragraph of the API's page is as wide as the screen, whatever the
// lines of its source are; paragraphs and lists stay.
func TestDocumentationFlows(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"one\ntwo\n\nthree\n":              "one two\n\nthree",
		"these:\n- one\n  and more\n- two": "these:\n- one and more\n- two",
		"":                                 "",
	} {
		if got := said(text); got != want {
			t.Errorf("%q is %q, want %q", text, got, want)
		}
	}
}
