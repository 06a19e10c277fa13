package intake_test

import (
	"crypto/ed25519"
	"crypto/rand"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"gocloud.dev/blob/memblob"

	"habeas.dev/pkg/dsar"
	"habeas.dev/services/habeas/upstream"
	"habeas.dev/services/intake"
	"habeas.dev/services/internal/callers"
	"habeas.dev/services/internal/config"
)

// signsIn has the world's door know callers, and returns a token of each.
func (w *fixture) signsIn(all map[string]config.Caller) map[string]string {
	w.t.Helper()
	known, err := callers.New(w.t.Context(), callers.Config{Callers: all, Tokens: w.journal, Now: w.Now, Log: w.Log})
	must(w.t, err)
	w.Callers, w.Limits = known, callers.NewLimits(nil, w.Now)
	tokens := map[string]string{}
	for name := range all {
		tokens[name], _, err = callers.CreateToken(w.t.Context(), w.journal, name, "test", w.Now(), w.Now().Add(time.Hour))
		must(w.t, err)
	}
	return tokens
}

// TestWhoMayDoWhat is the table of callers and routes.
func TestWhoMayDoWhat(t *testing.T) {
	t.Parallel()
	w := newFixture(t)
	w.Outbox = memblob.OpenBucket(nil)
	tokens := w.signsIn(map[string]config.Caller{
		"signup-page":  {Believed: true, Reads: true, Cancels: true},
		"other":        {Believed: true, Reads: true, Fetches: true, Cancels: true},
		"submits":      {},
		"reads":        {Reads: true},
		"fetches":      {Fetches: true},
		"only-opt-out": {Rights: []dsar.Right{dsar.OptOut}},
	})
	tokens["a forger"] = tokens["other"][:len(tokens["other"])-1] + "a"
	if tokens["a forger"] == tokens["other"] {
		tokens["a forger"] = tokens["other"][:len(tokens["other"])-1] + "b"
	}
	tokens["nobody"] = ""
	const theirs, own, second = "9f0d6c0e-6f0f-4b43-9f0f-3a9c3c0f7a11", "9f0d6c0e-6f0f-4b43-9f0f-3a9c3c0f7b12", "9f0d6c0e-6f0f-4b43-9f0f-3a9c3c0f7a13"
	as := func(caller, method, path string, body []byte) int {
		t.Helper()
		template := "/v1/requests"
		if path != template {
			template += "/{request_id}"
		}
		for _, end := range []string{"/answer", "/receipt"} {
			if strings.HasSuffix(path, end) {
				template += end
			}
		}
		var headers []string
		if tokens[caller] != "" {
			headers = []string{"Authorization", "Bearer " + tokens[caller]}
		}
		return w.do(method, path, template, body, headers...).Code
	}
	submits := func(id, source string) []byte {
		return text(t, request(with("request_id", id), with("source", source)))
	}
	if got := as("signup-page", http.MethodPost, "/v1/requests", submits(theirs, "signup-page")); got != 202 {
		t.Fatalf("%d", got)
	}
	for i, caller := range []string{"signup-page", "other", "submits", "reads", "fetches", "only-opt-out", "a forger", "nobody"} {
		mine, extra := own[:len(own)-1]+fmt.Sprint(i), second[:len(second)-2]+fmt.Sprint("9", i)
		for _, c := range []struct {
			what, method, path string
			body               []byte
			want               map[string]int // by caller; 401 where there is none
		}{
			{"submit", "POST", "/v1/requests", submits(mine, caller), map[string]int{"signup-page": 202, "other": 202, "submits": 202, "reads": 202, "fetches": 202, "only-opt-out": 403}},
			{"submit as another", "POST", "/v1/requests", submits(extra, "somebody"), map[string]int{"signup-page": 400, "other": 400, "submits": 400, "reads": 400, "fetches": 400, "only-opt-out": 400}},
			{"submit another's again", "POST", "/v1/requests", submits(theirs, caller), map[string]int{"signup-page": 202, "other": 409, "submits": 409, "reads": 409, "fetches": 409, "only-opt-out": 403}},
			{"list", "GET", "/v1/requests", nil, map[string]int{"signup-page": 200, "other": 200, "submits": 403, "reads": 200, "fetches": 403, "only-opt-out": 403}},
			{"read own", "GET", "/v1/requests/" + mine, nil, map[string]int{"signup-page": 200, "other": 200, "submits": 403, "reads": 200, "fetches": 403, "only-opt-out": 403}},
			{"read another's", "GET", "/v1/requests/" + theirs, nil, map[string]int{"signup-page": 200, "other": 404, "submits": 403, "reads": 404, "fetches": 403, "only-opt-out": 403}},
			{"fetch own, not answered", "GET", "/v1/requests/" + mine + "/answer", nil, map[string]int{"signup-page": 403, "other": 409, "submits": 403, "reads": 403, "fetches": 409, "only-opt-out": 403}},
			{"fetch another's", "GET", "/v1/requests/" + theirs + "/answer", nil, map[string]int{"signup-page": 403, "other": 404, "submits": 403, "reads": 403, "fetches": 404, "only-opt-out": 403}},
			{"fetch own's receipt, not answered", "GET", "/v1/requests/" + mine + "/receipt", nil, map[string]int{"signup-page": 403, "other": 409, "submits": 403, "reads": 403, "fetches": 409, "only-opt-out": 403}},
			{"fetch another's receipt", "GET", "/v1/requests/" + theirs + "/receipt", nil, map[string]int{"signup-page": 403, "other": 404, "submits": 403, "reads": 403, "fetches": 404, "only-opt-out": 403}},
			{"cancel another's", "DELETE", "/v1/requests/" + theirs, nil, map[string]int{"signup-page": 200, "other": 404, "submits": 403, "reads": 403, "fetches": 403, "only-opt-out": 403}},
			{"cancel own", "DELETE", "/v1/requests/" + mine, nil, map[string]int{"signup-page": 200, "other": 200, "submits": 403, "reads": 403, "fetches": 403, "only-opt-out": 403}},
			{"cancel own twice", "DELETE", "/v1/requests/" + mine, nil, map[string]int{"signup-page": 200, "other": 200, "submits": 403, "reads": 403, "fetches": 403, "only-opt-out": 403}},
		} {
			want, known := c.want[caller]
			if !known {
				want = 401
			}
			if got := as(caller, c.method, c.path, c.body); got != want {
				t.Errorf("%s: %s: %d, want %d", caller, c.what, got, want)
			}
		}
	}
}

// TestNotBelieved: of a caller that isn't believed, nothing is verified or proven.
func TestNotBelieved(t *testing.T) {
	t.Parallel()
	for _, proof := range []intake.Proof{intake.ProofUnlessVerified, intake.ProofNever, intake.ProofOrWithout} {
		w := newFixture(t)
		w.Proof = proof
		tokens := w.signsIn(map[string]config.Caller{"signup-page": {}})
		body := request()
		body["subject"].(map[string]any)["proven"] = []string{"identity"}
		if answer := w.do("POST", "/v1/requests", "/v1/requests", text(t, body), "Authorization", "Bearer "+tokens["signup-page"]); answer.Code != 202 {
			t.Fatalf("%d %s", answer.Code, answer.Body)
		}
		a := w.accepted(requestID)
		if a.Identifiers[0].Assurance != dsar.AssuranceClaimed || len(a.Terms.Checks) == 0 {
			t.Errorf("%s: %s, to be proven: %v", proof, a.Identifiers[0].Assurance, a.Terms.Checks)
		}
	}
}

// TestList: a caller's list goes from page to page, and has its own requests alone.
func TestList(t *testing.T) {
	t.Parallel()
	w := newFixture(t)
	tokens := w.signsIn(map[string]config.Caller{"signup-page": {Reads: true, Believed: true}, "other": {Reads: true, Believed: true}})
	ask := func(who, query string) (list struct {
		Requests []struct {
			ID     string `json:"request_id"`
			Source string
		}
		Next string
	}) {
		t.Helper()
		answer := w.do("GET", "/v1/requests"+query, "/v1/requests", nil, "Authorization", "Bearer "+tokens[who])
		if answer.Code != 200 {
			t.Fatalf("%s: %d %s", query, answer.Code, answer.Body)
		}
		must(t, json.Unmarshal(answer.Body.Bytes(), &list))
		return list
	}
	const n = 7
	for i := range n {
		for k, who := range []string{"signup-page", "other"} {
			id := fmt.Sprintf("9f0d6c0e-6f0f-4b43-9f%02d-%012d", k, i)
			body := text(t, request(with("request_id", id), with("source", who), with("identifiers", []any{identifier("email", fmt.Sprintf("%s%d@example.com", canary, i))})))
			if answer := w.do("POST", "/v1/requests", "/v1/requests", body, "Authorization", "Bearer "+tokens[who]); answer.Code != 202 {
				t.Fatalf("%d %s", answer.Code, answer.Body)
			}
		}
	}
	seen, query := map[string]bool{}, "?limit=3"
	for pages := 0; ; pages++ {
		list := ask("signup-page", query)
		for _, r := range list.Requests {
			if r.Source != "signup-page" || seen[r.ID] {
				t.Errorf("%s of %s doesn't belong, or came twice", r.ID, r.Source)
			}
			seen[r.ID] = true
		}
		if list.Next == "" || pages > n {
			break
		}
		query = "?limit=3&after=" + list.Next
	}
	if len(seen) != n {
		t.Errorf("%d of %d", len(seen), n)
	}
	if list := ask("other", "?status=awaiting-proof"); len(list.Requests) != n {
		t.Errorf("by status: %d", len(list.Requests))
	}
	for _, bad := range []string{"?limit=0", "?limit=201", "?limit=x", "?after=" + canary, "?after=%00", "?status=" + strings.Repeat("x", 41), "?status=%27"} {
		if answer := w.do("GET", "/v1/requests"+bad, "/v1/requests", nil, "Authorization", "Bearer "+tokens["other"]); answer.Code != 400 {
			t.Errorf("%s: %d", bad, answer.Code)
		}
	}
}

// TestRate: who calls too often, and who fails to sign in too often, is told to wait;
// others aren't, also where a stranger is at their address.
func TestRate(t *testing.T) {
	t.Parallel()
	w := newFixture(t)
	tokens := w.signsIn(map[string]config.Caller{"signup-page": {Reads: true, PerMinute: 6}, "other": {Reads: true}})
	get := func(token string) int {
		answer := w.do("GET", "/v1/requests", "/v1/requests", nil, "Authorization", "Bearer "+token)
		return answer.Code
	}
	if one, two, other := get(tokens["signup-page"]), get(tokens["signup-page"]), get(tokens["other"]); one != 200 || two != 429 || other != 200 {
		t.Errorf("%d %d %d", one, two, other)
	}
	for range 30 {
		if got := get("habeas_x_y"); got != 401 {
			t.Fatalf("%d", got)
		}
	}
	// All of them are from one address here, as behind a balancer.
	if bad, good := get("habeas_x_y"), get(tokens["other"]); bad != 429 || good != 200 {
		t.Errorf("after thirty: %d, and of who has a good token %d", bad, good)
	}
}

// TestDocs: the page and the document are there, without a sign-in, and load nothing
// from elsewhere.
func TestDocs(t *testing.T) {
	t.Parallel()
	w := newFixture(t)
	w.signsIn(map[string]config.Caller{"signup-page": {}})
	page := w.plain("/docs")
	for _, want := range []string{"POST /v1/requests", "DELETE /v1/requests/{request_id}", "camille.o&#39;brien@example.com", "SubjectIdentifier", "not-cancellable"} {
		if !strings.Contains(page.Body.String(), want) {
			t.Errorf("the page lacks %s", want)
		}
	}
	if p := page.Header().Get("Content-Security-Policy"); !strings.Contains(p, "default-src 'none'") || strings.Contains(page.Body.String(), "<script") {
		t.Errorf("%s", p)
	}
	if doc := w.plain("/docs/openapi.yaml"); !strings.HasPrefix(doc.Body.String(), "openapi: 3.1") {
		t.Errorf("%.40s", doc.Body)
	}
}

// TestSigned: where producers are configured, a record is taken in of those who have
// signed it, and as theirs; any other is put aside with the reason.
func TestSigned(t *testing.T) {
	t.Parallel()
	w := newFixture(t)
	public, private, err := ed25519.GenerateKey(rand.Reader)
	must(t, err)
	_, stranger, err := ed25519.GenerateKey(rand.Reader)
	must(t, err)
	der, err := x509.MarshalPKIXPublicKey(public)
	must(t, err)
	file := filepath.Join(t.TempDir(), "crm.pem")
	must(t, os.WriteFile(file, pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der}), 0o600))
	w.Producers, err = callers.NewProducers(map[string]config.Producer{"crm": {Keys: []string{file}, Rights: []dsar.Right{dsar.Access}}})
	must(t, err)
	sign := func(name string, key ed25519.PrivateKey, value []byte) func(map[string]string) {
		return func(h map[string]string) { h["Habeas-Signature"] = upstream.Signer{Name: name, Key: key}.Sign(value) }
	}
	crm := with("source", "crm")
	good := text(t, request(crm))
	for name, c := range map[string]struct {
		value  []byte
		change func(map[string]string)
		code   string
	}{
		"unsigned":         {good, func(map[string]string) {}, "unsigned"},
		"a stranger":       {good, sign("crm", stranger, good), "unsigned"},
		"another's name":   {good, sign("signup-page", private, good), "unsigned"},
		"another value":    {good, sign("crm", private, text(t, request())), "unsigned"},
		"another's source": {text(t, request()), sign("crm", private, text(t, request())), "invalid"},
		"another right":    {text(t, request(crm, with("right", "erasure"))), sign("crm", private, text(t, request(crm, with("right", "erasure")))), "forbidden"},
	} {
		must(t, w.publish(requestID, c.value, c.change))
		if got := w.lastRejected(); got.Code != c.code {
			t.Errorf("%s: %s, want %s", name, got.Code, c.code)
		}
		if w.accepted(requestID).RequestID != "" {
			t.Fatalf("%s is taken in", name)
		}
	}
	must(t, w.publish(requestID, good, sign("crm", private, good)))
	if a := w.accepted(requestID); a.Source != "crm" || a.Identifiers[0].Assurance != dsar.AssuranceClaimed { // it isn't believed
		t.Errorf("%q %s", a.Source, a.Identifiers[0].Assurance)
	}
}
