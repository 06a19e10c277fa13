package console_test

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"testing"
	"time"

	"github.com/google/uuid"

	"habeas.dev/pkg/dsar"
	"habeas.dev/pkg/manifest"
	"habeas.dev/pkg/vault"
	"habeas.dev/pkg/vendorapi"
	"habeas.dev/services/console"
	"habeas.dev/services/internal/config"
	"habeas.dev/services/internal/core"
	"habeas.dev/services/internal/installation"
	"habeas.dev/services/internal/letter"
	"habeas.dev/services/internal/operator"
	"habeas.dev/services/internal/policy"
	"habeas.dev/services/systems"
)

// fixture is a journal and a vault with requests in every state that there is, and
// consoles over them. Its workers are played: they say what the test has them say.
type fixture struct {
	*testing.T
	in        *installation.Installation
	book      *policy.Book
	manifests []*manifest.Manifest
	catalogue []dsar.System
	now       time.Time
	accounts  []vendorapi.Account
}

// today is what the fixture's clock says when it is built.
var today = time.Date(2026, 11, 20, 9, 30, 0, 0, time.UTC)

// minute is between two things that happen.
const minute = time.Minute

func newFixture(t *testing.T) *fixture {
	t.Helper()
	cfg, err := config.ForData(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	h := &fixture{T: t, now: today}
	if h.in, err = installation.Make(t.Context(), cfg, installation.Parts{Journal: true, Vault: true}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { h.in.Close() })
	if h.book, err = policy.Load(); err != nil {
		t.Fatal(err)
	}
	builtIn := systems.BuiltIn()
	for _, system := range []string{"account", "billing", "events", "marketo", "marketplace", "salesforce"} {
		m, err := builtIn[system]()
		if err != nil {
			t.Fatal(err)
		}
		h.manifests = append(h.manifests, m)
	}
	if h.catalogue, err = manifest.Catalogue(h.manifests); err != nil {
		t.Fatal(err)
	}
	return h
}

// open serves a console, to whoever a sign-in lets in.
func (h *fixture) open(signIn console.SignIn) string {
	h.Helper()
	s := httptest.NewUnstartedServer(nil)
	h.serve(s, signIn, func() time.Time { return h.now })
	return s.URL
}

// serve serves a console on a server that hasn't started yet.
func (h *fixture) serve(s *httptest.Server, signIn console.SignIn, now func() time.Time) {
	h.Helper()
	c, err := console.New(console.Config{Requests: h.in.Requests, Journal: h.in.Journal, Vault: h.in.Vault, Manifests: h.manifests, Policy: h.book, SignIn: signIn, Answers: answers{}, TakeIn: func(context.Context, []byte) error { return nil }, Writer: letter.NewWriter(h.book, operator.Operator{}),
		Phrases: console.Phrases{"fr": {{Title: "Dossier volumineux", Text: "Votre dossier est volumineux : nous interrogeons six systèmes."}}},
		Traces:  "https://tempo.internal/trace/{trace}", Now: now,
		Tasks: func(context.Context, string) (int64, error) { return 3, nil }, Accounts: func(context.Context) ([]vendorapi.Account, error) { return h.accounts, nil }, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		h.Fatal(err)
	}
	s.Config = c.Server()
	s.Start()
	h.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		_ = s.Config.Shutdown(ctx) // a page left open holds a stream, which this ends
		s.Close()
	})
}

// somebody is a sign-in that lets everyone in as one person.
type somebody struct {
	name string
	role console.Role
}

func (s somebody) User(http.ResponseWriter, *http.Request) (console.User, bool) {
	return console.User{Name: s.name, Role: s.role}, true
}
func (somebody) Begin(w http.ResponseWriter, r *http.Request, _ string) { http.NotFound(w, r) }

// Routes returns the page that is shown after signing out at some provider.
func (somebody) Routes() map[string]http.Handler {
	key := make([]byte, 32)
	o, err := console.NewOIDC(console.OIDCConfig{Issuer: "https://login.example.com", ClientID: "console", URL: "https://habeas.example.com", Roles: map[string][]string{"viewer": {"v"}},
		Signs: key, Encrypts: key, Now: time.Now, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		panic(err) // nothing of it comes from a test
	}
	return map[string]http.Handler{"GET /signed-out": o.Routes()["GET /signed-out"]}
}

func (somebody) CanSignOut() bool { return true }

// ask returns a request of somebody, made some days ago.
func (h *fixture) ask(right dsar.Right, law, email string, ago int, change func(*core.Accepted)) string {
	h.Helper()
	j, ok := h.book.Jurisdiction(law)
	if !ok {
		h.Fatalf("no jurisdiction %s", law)
	}
	id := uuid.NewSHA1(uuid.NameSpaceURL, fmt.Append(nil, right, law, email, ago)).String()
	keys, err := h.in.Vault.CreateKeys(h.Context(), id)
	if err != nil {
		h.Fatal(err)
	}
	sealed, err := keys.Seal([]byte(email), vault.Identifier)
	if err != nil {
		h.Fatal(err)
	}
	at := h.now.AddDate(0, 0, -ago)
	a := core.Accepted{RequestID: id, Right: right, Jurisdiction: law, ReceivedAt: at.Add(-2 * minute), AcceptedAt: at, DueAt: j.Due(right, at), Source: "support-desk", Locale: "fr",
		Digest: id, Systems: h.catalogue, Terms: j.Terms(right, at, nil),
		Identifiers: []dsar.Identifier{{Type: "email", Fingerprint: h.in.Vault.Fingerprint("email", email), Sealed: sealed, Assurance: dsar.AssuranceVerified}}}
	if change != nil {
		change(&a)
	}
	if _, err := h.in.Requests.Accept(h.Context(), a); err != nil {
		h.Fatal(err)
	}
	return id
}

func (h *fixture) state(id string) core.State {
	h.Helper()
	s, err := h.in.Requests.State(h.Context(), id)
	if err != nil {
		h.Fatal(err)
	}
	return s
}

func (h *fixture) do(id string, c core.Command) {
	h.Helper()
	if _, err := h.in.Requests.Do(h.Context(), id, c); err != nil {
		h.Fatalf("%T: %v", c, err)
	}
}

// at returns a time in a request's life, after it was accepted.
func (h *fixture) at(id string, after time.Duration) time.Time {
	return h.state(id).Accepted.AcceptedAt.Add(after)
}

// says is what a system reports of the attempt that runs.
func (h *fixture) says(id, system string, action dsar.Action, at time.Time, r dsar.Report) {
	h.Helper()
	task := h.state(id).Task(system, action)
	if task == nil {
		h.Fatalf("%s wasn't asked to %s", system, action)
	}
	r.RequestID, r.System, r.Action, r.Attempt = id, system, action, task.Attempt
	h.do(id, core.TakeReport{Report: r, Now: at})
}

// work has every system that was asked answer, until nothing is asked any more,
// but for those that are left out.
func (h *fixture) work(id string, after time.Duration, without ...string) {
	h.Helper()
	for step := time.Duration(0); ; {
		tasks := slices.DeleteFunc(slices.Clone(h.state(id).Tasks), func(t *core.TaskState) bool {
			return t.Status != core.TaskIsSent || slices.Contains(without, t.System)
		})
		if len(tasks) == 0 {
			return
		}
		for i, t := range tasks {
			step += time.Duration(300+170*i) * time.Millisecond
			h.says(id, t.System, t.Action, h.at(id, after+step), h.answer(id, *t))
		}
	}
}

// answer returns what a system says that has something of the person.
func (h *fixture) answer(id string, t core.TaskState) dsar.Report {
	h.Helper()
	r := dsar.Report{Kind: dsar.ReportEnded}
	count := func(n *dsar.Counts, records int64) {
		switch t.Action {
		case dsar.Gather:
			n.Found, n.Gathered = records, records
		case dsar.Erase:
			n.Found, n.Erased = records, records
		default:
			n.Found = records
		}
	}
	switch t.Action {
	case dsar.Resolve:
		r.Outcome, r.Identifiers = dsar.Found, h.finds(id, t.System)
		return r
	case dsar.Gather:
		r.Outcome, r.Objects = dsar.Gathered, []dsar.Object{{Name: fmt.Sprintf("%s/gather/%d/0", t.System, t.Attempt), Bytes: 2048, Records: 3}}
	case dsar.Plan:
		r.Outcome, r.Objects = dsar.Found, []dsar.Object{{Name: fmt.Sprintf("%s/plan/%d-test", t.System, t.Attempt), Bytes: 512, Records: 3, SHA256: "of no object"}}
	case dsar.Erase:
		r.Outcome = dsar.Erased
	case dsar.Prove:
		r.Outcome = dsar.Proven
		return r
	case dsar.Rectify:
		r.Outcome = dsar.Rectified
	case dsar.Restrict:
		r.Outcome = dsar.Restricted
	case dsar.Assemble:
		r.Outcome, r.Objects = dsar.Assembled, []dsar.Object{{Name: "bundles/" + id + ".zip.age", Bytes: 48_213, Records: 57}}
		return r
	}
	for _, m := range h.manifests {
		if m.System != t.System {
			continue
		}
		for i, d := range m.Datasets {
			n := dsar.Counts{Dataset: d.Name}
			count(&n, int64(1+i*i*3%17))
			if d.Name == "invoices" && t.Action != dsar.Gather {
				n.Erased, n.Retained = 0, []dsar.Retention{{Records: n.Found, Ground: "tax-records", Until: time.Date(2035, 5, 31, 0, 0, 0, 0, time.UTC)}}
				if t.Action == dsar.Erase {
					r.Outcome = dsar.Retained
				}
			}
			r.Counts = append(r.Counts, n)
		}
	}
	return r
}

// finds returns the identifiers that a system finds, sealed.
func (h *fixture) finds(id, system string) (found []dsar.Identifier) {
	h.Helper()
	keys, err := h.in.Vault.Keys(h.Context(), id)
	if err != nil {
		h.Fatal(err)
	}
	from := h.state(id).Identifiers[0].Fingerprint
	for _, m := range h.manifests {
		if m.System != system {
			continue
		}
		for i, typ := range m.Finds {
			value := fmt.Sprintf("%s-%s-%d", typ, id[:6], i)
			sealed, err := keys.Seal([]byte(value), vault.Identifier)
			if err != nil {
				h.Fatal(err)
			}
			found = append(found, dsar.Identifier{Type: typ, Fingerprint: h.in.Vault.Fingerprint(typ, value), Sealed: sealed, FoundBy: system, From: from, Assurance: dsar.AssuranceVerified})
		}
	}
	return found
}

// answers makes the same passphrase for every answer.
type answers struct{}

func (answers) Passphrase(context.Context, string) (string, error) { return "abcd-efgh-jkmn-pqrs", nil }
func (answers) Revoke(context.Context, string) error               { return nil }
