package clients

import (
	"net/http/httptest"
	"testing"

	"habeas.dev/services/internal/thirdparty"
	"habeas.dev/services/sandbox/hubspot"
	"habeas.dev/services/sandbox/people"
)

func TestHubSpotClient(t *testing.T) {
	t.Parallel()
	p := people.Generate(people.Config{Seed: 7, People: 12})
	s, err := hubspot.New(hubspot.Config{Population: p})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	ts := httptest.NewServer(s)
	defer ts.Close()
	thirdparty.Python(t, "hubspot", "official.py", "BASE_URL="+ts.URL, "TOKEN="+hubspot.DefaultToken, "EMAIL="+p.Person(people.Camille).Email)
}
