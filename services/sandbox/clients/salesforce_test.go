package clients

import (
	"encoding/pem"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"

	"habeas.dev/services/internal/thirdparty"
	"habeas.dev/services/sandbox/people"
	"habeas.dev/services/sandbox/salesforce"
)

// standIn returns a fresh Salesforce with pages small enough to need many.
func standIn(t *testing.T) *salesforce.Server {
	t.Helper()
	s, err := salesforce.New(salesforce.Config{Population: people.Generate(people.Config{Seed: 7, People: 60}), PageSize: 17})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

func credentials(url string) []string {
	return []string{"BASE_URL=" + url, "CLIENT_ID=" + salesforce.DefaultClientID, "CLIENT_SECRET=" + salesforce.DefaultClientSecret}
}

func TestJSforce(t *testing.T) {
	t.Parallel()
	ts := httptest.NewServer(standIn(t))
	defer ts.Close()
	thirdparty.Node(t, "salesforce", "jsforce.mjs", credentials(ts.URL)...)
}

func TestSimpleSalesforce(t *testing.T) {
	t.Parallel()
	ts := httptest.NewTLSServer(standIn(t))
	defer ts.Close()
	certificate := filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(certificate, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: ts.Certificate().Raw}), 0o600); err != nil {
		t.Fatal(err)
	}
	thirdparty.Python(t, "salesforce", "simple.py", append(credentials(ts.URL), "REQUESTS_CA_BUNDLE="+certificate)...)
}
