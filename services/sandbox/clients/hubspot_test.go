package clients

import (
	"net/http/httptest"
	"testing"

	"habeas.dev/services/sandbox/hubspot"
	"habeas.dev/services/sandbox/people"
)

func TestHubSpotClient(t *testing.T) {
	t.Parallel()
	wanted(t, "python3")
	p := people.Generate(people.Config{Seed: 7, People: 12})
	s, err := hubspot.New(hubspot.Config{Population: p})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	ts := httptest.NewServer(s)
	defer ts.Close()
	python(t, "hubspot", "official.py", "BASE_URL="+ts.URL, "TOKEN="+hubspot.DefaultToken, "EMAIL="+p.Person(people.Camille).Email)
}
