package paymentech

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"habeas.dev/services/sandbox/people"
)

// gateway is a stand-in, called as merchants' programs do.
type gateway struct {
	*testing.T
	server *Server
	url    string
	people *people.Population
	now    time.Time
}

func newGateway(t *testing.T, c Config) *gateway {
	t.Helper()
	g := &gateway{T: t, people: people.Generate(people.Config{Seed: 3, People: 12}), now: time.Date(2026, 11, 20, 9, 30, 0, 0, time.UTC)}
	c.Population, c.Clock = g.people, func() time.Time { return g.now }
	var err error
	if g.server, err = New(c); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { g.server.Close() })
	ts := httptest.NewServer(g.server)
	t.Cleanup(ts.Close)
	g.url = ts.URL
	return g
}

// call makes one call and returns status and text of the answer.
func (g *gateway) call(method, path, body, trace string) (int, string) {
	g.Helper()
	req, err := http.NewRequestWithContext(g.Context(), method, g.url+path, strings.NewReader(body))
	if err != nil {
		g.Fatal(err)
	}
	req.Header.Set("orbitalConnectionUsername", strings.ToLower(DefaultUsername)) // its case doesn't matter
	req.Header.Set("orbitalConnectionPassword", DefaultPassword)
	req.Header.Set("merchantID", DefaultMerchantID)
	if path == pathXML {
		req.Header.Set("Content-Type", "application/PTI95")
	}
	if trace != "" {
		req.Header.Set("Trace-number", trace)
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		g.Fatal(err)
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	if err != nil {
		g.Fatal(err)
	}
	return res.StatusCode, string(b)
}

func (g *gateway) read(ref string) (int, string) {
	g.Helper()
	return g.call(http.MethodGet, pathProfile+"/version/4.5/bin/"+Bin+"/customerrefnum/"+ref, "", "")
}

func profileBody(ref, more string) string {
	return fmt.Sprintf(`{"version":"4.5","merchant":{"bin":%q},"profile":{"customerRefNum":%q}%s}`, Bin, ref, more)
}

func (g *gateway) says(what string, code int, text string, wantCode int, parts ...string) {
	g.Helper()
	if code != wantCode {
		g.Errorf("%s: HTTP %d, want %d: %s", what, code, wantCode, text)
	}
	for _, p := range parts {
		if !strings.Contains(text, p) {
			g.Errorf("%s: nothing of %s in %s", what, p, text)
		}
	}
}

// TestLife makes, reads, updates and deletes a profile, and finds it changed
// after a restart.
func TestLife(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	g := newGateway(t, Config{Dir: dir})
	card := `,"paymentInstrument":{"customerAccountType":"CC","card":{"ccAccountNum":"4111111111111111","ccExp":"203012"}}`
	code, text := g.call(http.MethodPost, pathProfile+"/", profileBody("NEW1", card), "")
	g.says("making", code, text, 200, `"procStatus":"0"`, `"status":"A"`)
	code, text = g.call(http.MethodPost, pathProfile, profileBody("new1", card), "")
	g.says("making again", code, text, 400, statusExists)
	code, text = g.call(http.MethodPost, pathProfile, profileBody("NEW2", ""), "")
	g.says("making without a card", code, text, 400, statusIncomplete)
	code, text = g.read("new1") // without regard to case
	g.says("reading", code, text, 200, `"ccAccountNum":"4111111111111111"`, `"customerRefNum":"NEW1"`)
	code, text = g.call(http.MethodPut, pathProfile, profileBody("NEW1", `,"order":{"orderDefaultDescription":"x"}`), "")
	g.says("updating", code, text, 200, `"orderDefaultDescription":"x"`, `"ccExp":"203012"`)
	code, text = g.call(http.MethodDelete, pathProfile, profileBody(g.people.CustomerRef(people.Leaver), ""), "")
	g.says("deleting", code, text, 200, `"procStatus":"0"`)
	if err := g.server.Close(); err != nil {
		t.Fatal(err)
	}

	again := newGateway(t, Config{Dir: dir})
	code, text = again.read("NEW1")
	again.says("reading after a restart", code, text, 200, `"orderDefaultDescription":"x"`)
	code, text = again.read(g.people.CustomerRef(people.Leaver))
	again.says("reading what is gone", code, text, 400, statusNoProfile)
	if again.server.Holds(g.people.CustomerRef(people.Leaver)) {
		t.Error("it is there again")
	}
}

// TestTrace: the same change with the same number gets the same answer, and is
// carried out once; for two days.
func TestTrace(t *testing.T) {
	t.Parallel()
	g := newGateway(t, Config{})
	ref := g.people.CustomerRef(people.Leaver)
	first, text := g.call(http.MethodDelete, pathProfile, profileBody(ref, ""), "77")
	second, again := g.call(http.MethodDelete, pathProfile, profileBody(ref, ""), "77")
	if first != 200 || second != first || again != text || g.server.Repeated() != 0 {
		t.Errorf("%s\n%s; %d repeated", text, again, g.server.Repeated())
	}
	code, text := g.call(http.MethodDelete, pathProfile, profileBody(ref, ""), "78")
	g.says("another number", code, text, 400, statusNoProfile)
	g.now = g.now.Add(traceLife)
	code, text = g.call(http.MethodDelete, pathProfile, profileBody(ref, ""), "77")
	g.says("after two days", code, text, 400, statusNoProfile)
	if g.server.Repeated() != 2 {
		t.Errorf("%d repeated", g.server.Repeated())
	}
}

// TestRefusals: refusals have the gateway's own forms.
func TestRefusals(t *testing.T) {
	t.Parallel()
	g := newGateway(t, Config{NestedErrors: true, Billed: []string{"x"}})
	code, text := g.read("nobody")
	g.says("nested", code, text, 200, `"procStatus":"9581"`, "[nobody]")
	var shape struct {
		Order struct{ Status map[string]string }
	}
	if err := json.Unmarshal([]byte(text), &shape); err != nil || shape.Order.Status["procStatus"] != statusNoProfile {
		t.Errorf("%s (%v)", text, err)
	}
	g.server.Rotate("another")
	code, text = g.read("nobody")
	g.says("credentials", code, text, 412, statusSecurity)
	code, text = g.call(http.MethodGet, "/elsewhere", "", "")
	g.says("before credentials are looked at", code, text, 412, statusSecurity)
	g.server.Rotate(DefaultPassword)
	code, text = g.call(http.MethodGet, "/elsewhere", "", "")
	g.says("another path", code, text, 404)
	code, text = g.call(http.MethodDelete, pathProfile, "{", "")
	g.says("half a body", code, text, 400, "20400")
}

// TestXML reads, updates and deletes by the older interface.
func TestXML(t *testing.T) {
	t.Parallel()
	g := newGateway(t, Config{})
	ref := g.people.CustomerRef(people.Leaver)
	ask := func(action, ref, more, password string) string {
		t.Helper()
		_, text := g.call(http.MethodPost, pathXML, `<Request><Profile><OrbitalConnectionUsername>`+DefaultUsername+`</OrbitalConnectionUsername><OrbitalConnectionPassword>`+password+
			`</OrbitalConnectionPassword><CustomerBin>`+Bin+`</CustomerBin><CustomerMerchantID>`+DefaultMerchantID+`</CustomerMerchantID>`+more+
			`<CustomerRefNum>`+ref+`</CustomerRefNum><CustomerProfileAction>`+action+`</CustomerProfileAction></Profile></Request>`, "")
		return text
	}
	g.says("read", 0, ask("R", ref, "", DefaultPassword), 0, "<Response><ProfileResp>", "<ProfileProcStatus>0<", "<CustomerProfileAction>READ<", "<CCAccountNum>"+g.people.CardNumber(people.Leaver)+"<")
	g.says("update", 0, ask("U", ref, "<CustomerCity>Lyon</CustomerCity>", DefaultPassword), 0, "<CustomerCity>Lyon<", "<CustomerProfileAction>UPDATE<")
	g.says("delete", 0, ask("D", ref, "", DefaultPassword), 0, "<ProfileProcStatus>0<")
	g.says("read what is gone", 0, ask("R", ref, "", DefaultPassword), 0, "<ProfileProcStatus>9581<")
	g.says("wrong password", 0, ask("R", ref, "", "x"), 0, "<QuickResp><ProcStatus>20412<")
	g.says("no such action", 0, ask("Z", ref, "", DefaultPassword), 0, "<QuickResp>")
}
