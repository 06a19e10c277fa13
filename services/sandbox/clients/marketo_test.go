package clients

import (
	"net/http/httptest"
	"testing"

	"habeas.dev/services/internal/thirdparty"
	"habeas.dev/services/sandbox/marketo"
	"habeas.dev/services/sandbox/people"
)

// marketoStandIn returns a fresh Marketo with pages small enough to need many, an
// object of its own, and Marketo's own limits.
func marketoStandIn(t *testing.T) []string {
	t.Helper()
	s, err := marketo.New(marketo.Config{
		Population: people.Generate(people.Config{Seed: 7, People: 60, Own: true}), PageSize: 17, ShortPages: true, Limits: marketo.RealLimits(),
		Objects: []marketo.Object{{Name: "subscription_c", Link: "emailAddress", Lead: "email", Each: 20}},
	})
	if err != nil {
		t.Fatal(err)
	}
	ts := httptest.NewServer(s)
	t.Cleanup(func() { ts.Close(); _ = s.Close() })
	return []string{"BASE_URL=" + ts.URL, "CLIENT_ID=" + marketo.DefaultClientID, "CLIENT_SECRET=" + marketo.DefaultClientSecret}
}

func TestNodeMarketo(t *testing.T) {
	t.Parallel()
	thirdparty.Node(t, "marketo", "node-marketo.cjs", marketoStandIn(t)...)
}

func TestMarketoRestPython(t *testing.T) {
	t.Parallel()
	thirdparty.Python(t, "marketo", "restpython.py", marketoStandIn(t)...)
}
