package words

import (
	"text/template"

	"habeas.dev/pkg/dsar"
)

// Letters are the letters to a person, and what their templates can't say by
// themselves.
type Letters struct {
	// Rights completes "your request for".
	Rights map[dsar.Right]string `yaml:"rights"`
	// Lesser completes "instead you receive": what is told to whom isn't proven.
	Lesser string `yaml:"lesser"`
	// Checks are what is to be proven.
	Checks map[dsar.Check]string `yaml:"checks"`
	// NotProven is why a request is refused, or answered less, that failed a check.
	NotProven map[dsar.Check]string `yaml:"not_proven"`
	// Periods are lengths of time by their unit, of a number of them: "%d days".
	Periods map[string]string `yaml:"periods"`
	// Templates has the letters by their kind, "refusal".
	Templates *template.Template `yaml:"-"`
}
