package conform

import (
	"strings"
	"testing"

	"habeas.dev/pkg/manifest"
)

// Edited returns a manifest with some of its text replaced, each once. The text must be
// there.
func Edited(t testing.TB, text []byte, oldnew ...string) *manifest.Manifest {
	t.Helper()
	edited := string(text)
	for i := 0; i < len(oldnew); i += 2 {
		if !strings.Contains(edited, oldnew[i]) {
			t.Fatalf("the manifest has no %q", oldnew[i])
		}
		edited = strings.Replace(edited, oldnew[i], oldnew[i+1], 1)
	}
	m, err := manifest.Parse("edited.yaml", []byte(edited))
	if err != nil {
		t.Fatal(err)
	}
	return m
}
