package clients

import (
	"net/http/httptest"
	"testing"

	"habeas.dev/services/internal/thirdparty"
	"habeas.dev/services/sandbox/paymentech"
	"habeas.dev/services/sandbox/people"
)

func TestChase(t *testing.T) {
	t.Parallel()
	p := people.Generate(people.Config{Seed: 7, People: 12})
	s, err := paymentech.New(paymentech.Config{Population: p})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	ts := httptest.NewServer(s)
	defer ts.Close()
	thirdparty.Python(t, "paymentech", "profile.py", "BASE_URL="+ts.URL, "CLIENT_ID="+paymentech.DefaultUsername, "CLIENT_SECRET="+paymentech.DefaultPassword,
		"MERCHANT_ID="+paymentech.DefaultMerchantID, "REF="+p.CustomerRef(people.Camille), "CARD="+p.CardNumber(people.Camille))
}
