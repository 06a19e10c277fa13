package standin

import (
	"testing"

	"go.yaml.in/yaml/v3"

	"habeas.dev/pkg/manifest"
)

// TestOwnDatasetsAreCalledByWords: what a vendor's stand-in holds of companies' own is called
// by words in both languages, since answers show it.
func TestOwnDatasetsAreCalledByWords(t *testing.T) {
	t.Parallel()
	own := 0
	for _, vendor := range Vendors() {
		var datasets []manifest.Dataset
		if err := yaml.Unmarshal(Datasets(vendor), &datasets); err != nil {
			t.Fatal(err)
		}
		for _, d := range datasets {
			for _, c := range d.Columns {
				own++
				if c.Title["en"] == "" || c.Title["fr"] == "" {
					t.Errorf("%s, %s, %s: no title", vendor, d.Name, c.Name)
				}
			}
		}
	}
	if own == 0 {
		t.Error("nothing is looked at")
	}
}
