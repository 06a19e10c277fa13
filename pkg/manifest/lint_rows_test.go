package manifest_test

import (
	"slices"
	"testing"

	"habeas.dev/pkg/manifest"
)

// TestLintRows: a way's column that unless_shared doesn't ask by fails, and so does what is set
// where another dataset of the table tells its rows by it.
func TestLintRows(t *testing.T) {
	t.Parallel()
	address := func(shared ...manifest.Shared) manifest.Dataset {
		return manifest.Dataset{Name: "addresses", SQL: &manifest.DatasetSQL{Table: "addr", Key: []string{"id"}, UnlessShared: shared, Erase: "delete",
			Ways: []manifest.Way{{Via: []manifest.Via{{Table: "ord", On: map[string]string{"id": "bill"}}}}, {Via: []manifest.Via{{Table: "ord", On: map[string]string{"user_id": "id"}}}}}}}
	}
	on := func(column string) manifest.Shared {
		return manifest.Shared{Table: "ord", On: map[string]string{column: "id"}}
	}
	notes := func(set string) []manifest.Dataset {
		return []manifest.Dataset{
			{Name: "n1", SQL: &manifest.DatasetSQL{Table: "n", Ways: []manifest.Way{{Erase: "anonymise", Anonymise: map[string]any{set: nil}}}}},
			{Name: "n2", SQL: &manifest.DatasetSQL{Table: "n", Where: manifest.Where{"kind": manifest.Condition{}}}},
		}
	}
	for name, c := range map[string]struct {
		datasets []manifest.Dataset
		rule     string
		found    bool
	}{
		"left out":  {[]manifest.Dataset{address(on("ship"))}, "unless-shared", true},
		"asked":     {[]manifest.Dataset{address(on("ship"), on("bill"))}, "unless-shared", false},
		"moved":     {notes("kind"), "set-moves", true},
		"not moved": {notes("body"), "set-moves", false},
	} {
		all := manifest.Lint([]*manifest.Manifest{{System: "s", Datasets: c.datasets}}, nil)
		if slices.ContainsFunc(all, func(f manifest.Finding) bool { return f.Rule == c.rule }) != c.found {
			t.Errorf("%s: %v", name, all)
		}
	}
}
