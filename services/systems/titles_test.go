package systems

import (
	"maps"
	"slices"
	"testing"
)

// TestNoNameOfAnAPIIsShown: every column of the manifests that are built in is called by words,
// in both languages, and what is counted in an answer's story is too.
func TestNoNameOfAnAPIIsShown(t *testing.T) {
	t.Parallel()
	for _, name := range slices.Sorted(maps.Keys(BuiltIn())) {
		m, err := BuiltIn()[name]()
		if err != nil {
			t.Fatal(err)
		}
		for i := range m.Datasets {
			ds := &m.Datasets[i]
			for _, lang := range []string{"en", "fr"} {
				if ds.Counted != nil && len(ds.Counted[lang]) != 2 {
					t.Errorf("%s, %s: counted has no %s", name, ds.Name, lang)
				}
				for _, c := range ds.Columns {
					if title := c.Title[lang]; title == "" {
						t.Errorf("%s, %s, %s: no title in %s", name, ds.Name, c.Name, lang)
					}
				}
			}
		}
	}
}
