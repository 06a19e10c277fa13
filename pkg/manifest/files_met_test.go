package manifest_test

import (
	"slices"
	"strings"
	"testing"

	"habeas.dev/pkg/dsar"
	"habeas.dev/pkg/manifest"
)

// TestHeldBy: whatever columns hold, what they make is told back, and no name is theirs that
// they don't make.
func TestHeldBy(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ path, name, want string }{
		{"{path}", "a/b.jpg", "path=/a/b.jpg,a/b.jpg"},
		{"a/{image}", "a/b.jpg", "image=b.jpg"},
		{"a/{image}", "b/b.jpg", "none"},
		{"calls/{id 6 1-3}/{id 6}.wav", "calls/001/001234.wav", "id=001234,01234,1234"},
		{"{id 3}", "1234", "id=/1234,1234"},
		{"{id 3}", "12", "id=/12"},
		{"{a}-{b}", "x-y-z", "a=/x,/x-y,x,x-y b=y-z,z"},
		{"{key 1-2}.jpg", "ab.jpg", ""},
	} {
		held, ok := manifest.HeldBy(c.path, c.name)
		var got []string
		for column, values := range held {
			got = append(got, column+"="+strings.Join(values, ","))
		}
		slices.Sort(got)
		if text := strings.Join(got, " "); !ok && c.want != "none" || ok && text != c.want {
			t.Errorf("%s of %s: %v %s", c.path, c.name, ok, text)
		}
	}
}

// TestFilesMet: two systems whose files may be one are found, and those whose names can't meet aren't.
func TestFilesMet(t *testing.T) {
	t.Parallel()
	of := func(system, in, path string) *manifest.Manifest {
		return &manifest.Manifest{System: system, Abilities: []dsar.Action{dsar.Gather, dsar.Erase}, Datasets: []manifest.Dataset{{Name: "d", SQL: &manifest.DatasetSQL{Files: &manifest.SQLFiles{In: in, Path: path}}}}}
	}
	for _, c := range []struct {
		one, two, path, other string
		want                  int
	}{
		{"/srv/up", "/srv/up", "{path}", "calls/{id}", 1},
		{"/srv/up", "/srv/up", "photos/{id}", "calls/{id}", 0},
		{"/srv/up", "/srv/up/calls", "{path}", "{id}", 1},
		{"/srv/up", "/srv/up2", "{path}", "{id}", 0},
		{"s3://a/x", "s3://b/x", "{path}", "{path}", 0},
		{"", "", "{path}", "{path}", 0},
	} {
		at := map[string]string{"a": c.one, "b": c.two}
		found := manifest.FilesMet([]*manifest.Manifest{of("a", "m", c.path), of("b", "n", c.other)}, func(m *manifest.Manifest, _ string) string { return at[m.System] })
		if len(found) != c.want {
			t.Errorf("%+v: %v", c, found)
		}
	}
}
