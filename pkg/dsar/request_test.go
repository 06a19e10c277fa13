package dsar_test

import (
	"strings"
	"testing"

	"github.com/google/uuid"
	"pgregory.net/rapid"

	"habeas.dev/pkg/dsar"
)

// TestRequestID: what google/uuid writes is a request id, and nothing is that it
// doesn't read, and write again, as it was.
func TestRequestID(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		id := uuid.UUID(rapid.SliceOfN(rapid.Byte(), 16, 16).Draw(t, "id"))
		if valid := dsar.ValidRequestID(id.String()); valid != (id != uuid.Nil) {
			t.Errorf("%s: %t", id, valid)
		}
		written := rapid.SampledFrom([]string{id.String(), strings.ToUpper(id.String()), " " + id.String() + "\n"}).Draw(t, "written")
		if got, ok := dsar.ReadRequestID(written); id != uuid.Nil && (!ok || got != id.String()) {
			t.Errorf("%q is read as %q", written, got)
		}
	})
	rapid.Check(t, func(t *rapid.T) {
		s := rapid.StringMatching(`[0-9a-fA-F-]{0,8}-?[0-9a-gé-]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{11,13}`).Draw(t, "s")
		id, err := uuid.Parse(s)
		if want := err == nil && id != uuid.Nil && id.String() == s; dsar.ValidRequestID(s) != want {
			t.Errorf("%q: want %t", s, want)
		}
	})
	for _, s := range []string{"", "00000000-0000-0000-0000-000000000000", "urn:uuid:9f0d6c0e-6f0f-4b43-9f0f-3a9c3c0f7a11", "{9f0d6c0e-6f0f-4b43-9f0f-3a9c3c0f7a11}", "9f0d6c0e6f0f4b439f0f3a9c3c0f7a11", "anna@example.com"} {
		if id, ok := dsar.ReadRequestID(s); ok || id != "" {
			t.Errorf("%q is a request id", s)
		}
	}
}
