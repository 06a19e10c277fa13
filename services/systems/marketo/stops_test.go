package marketo

import (
	"bytes"
	"strings"
	"testing"

	"habeas.dev/pkg/manifest"
)

// TestStopsAreLookedUp: a purpose that a flag stops and that the catalogue doesn't have is
// refused where the worker is made.
func TestStopsAreLookedUp(t *testing.T) {
	t.Parallel()
	text := bytes.Replace(manifestYAML, []byte("stops: [marketing"), []byte("stops: [telemarketing"), 1)
	m, err := manifest.Parse("marketo.yaml", text)
	if err != nil {
		t.Fatal(err)
	}
	all := manifest.Purposes{}
	for _, d := range m.Datasets {
		for _, id := range d.Purposes {
			all[id] = manifest.Purpose{Basis: "consent"}
		}
	}
	if err := m.Resolve(all); err != nil {
		t.Fatal(err)
	}
	if _, _, err := datasetsOf(m); err == nil || !strings.HasPrefix(err.Error(), "marketo.yaml:") || !strings.Contains(err.Error(), `unknown purpose "telemarketing"; name one of the catalogue: `) {
		t.Error(err)
	}
}
