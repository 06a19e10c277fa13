package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/chromedp/chromedp/kb"

	"habeas.dev/pkg/bus"
	"habeas.dev/pkg/dsar"
	"habeas.dev/pkg/manifest"
	"habeas.dev/pkg/record"
	"habeas.dev/pkg/worker"
	"habeas.dev/pkg/worker/workertest"
	"habeas.dev/services/habeas/node"
	"habeas.dev/services/internal/browsertest"
	"habeas.dev/services/internal/config"
	"habeas.dev/services/internal/core"
	"habeas.dev/services/internal/timeline"
	"habeas.dev/services/internal/topics"
	"habeas.dev/services/sandbox/people"
)

// wiki is a system whose worker does as the test says.
type wiki struct {
	begun chan struct{} // a message for every gathering that has begun
	goOn  chan error    // how it goes on
}

func (w *wiki) Gather(ctx context.Context, jobs []*worker.GatherJob) error {
	return worker.Each(ctx, jobs, func(ctx context.Context, j *worker.GatherJob) error { return w.gather(ctx, j.Records) })
}

func (w *wiki) gather(ctx context.Context, out *worker.Records) error {
	w.begun <- struct{}{}
	select {
	case err := <-w.goOn:
		if err != nil {
			return err
		}
		return out.Write("pages", record.Record{"title": "How we bill"})
	case <-ctx.Done():
		return ctx.Err()
	}
}

// The two systems of the test, beside the sandbox's.
const (
	wikiManifest = `
system: wiki
title: {en: Wiki, fr: Wiki}
abilities: [gather]
needs: [email]
datasets:
  - {name: pages, title: {en: Pages, fr: Pages}, category: customer records, origin: provided, purpose: {en: To document, fr: Documenter}, legal_basis: contract,
     storage: {en: As long as the account exists, fr: Tant que le compte existe}, columns: [{name: title}]}
`
	// paper has no worker: whatever is to be done there, a person does.
	paperManifest = `
system: paper
title: {en: Paper archive, fr: Archives papier}
abilities: [restrict]
needs: [email]
datasets:
  - {name: letters, title: {en: Letters, fr: Lettres}, category: customer records, origin: provided, purpose: {en: To answer, fr: Répondre}, legal_basis: contract,
     storage: {en: Five years, fr: Cinq ans}, columns: [{name: written_on, type: date}, {name: subject}]}
`
)

// counter is a whole node with its console, and an agent before a browser.
type counter struct {
	*pipeline
	wiki *wiki
	url  string
}

func newCounter(t *testing.T) *counter {
	t.Helper()
	dir := t.TempDir()
	cfg, err := config.ForData(dir)
	if err != nil {
		t.Fatal(err)
	}
	cfg.Listen, cfg.Log.Level = "127.0.0.1:0", "debug"
	cfg.Console = config.Console{Listen: "127.0.0.1:0", Local: true, Traces: "https://tempo.internal/trace/{trace}"}
	cfg.Sandbox = &config.Sandbox{Seed: 7, People: 200, Canaries: true}
	cfg.Systems = map[string]config.System{}
	for name, text := range map[string]string{"wiki": wikiManifest, "paper": paperManifest} {
		file := filepath.Join(dir, name+".yaml")
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		cfg.Systems[name] = config.System{Manifest: file, Elsewhere: true}
	}
	c := &counter{pipeline: &pipeline{T: t, people: people.Canaries(7, 200), logs: &workertest.Log{}}, wiki: &wiki{make(chan struct{}, 1), make(chan error)}}
	if c.n, err = node.Start(t.Context(), cfg, node.Options{Logs: c.logs}, node.Everything()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.n.Stop)
	c.url = "http://" + c.n.ConsoleAddress
	c.serveWiki(cfg.Systems["wiki"].Manifest)
	return c
}

// serveWiki runs the wiki's worker, as its own team would.
func (c *counter) serveWiki(file string) {
	c.Helper()
	m, err := manifest.Load(file)
	if err != nil {
		c.Fatal(err)
	}
	w, err := worker.New(m, c.wiki)
	if err != nil {
		c.Fatal(err)
	}
	key, err := c.n.Installation.Links.Key(m.System)
	if err != nil {
		c.Fatal(err)
	}
	publisher, err := bus.NewPublisher(bus.PublisherConfig{Config: c.n.As(topics.WorkerUser("wiki"))})
	if err != nil {
		c.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() {
		ended <- w.Run(ctx, worker.Config{Connection: worker.Share(c.n.As(topics.WorkerUser("wiki")), publisher, slog.New(slog.NewTextHandler(c.logs, nil))), Access: worker.Access{Link: key, Objects: c.n.Installation.Objects}})
	}()
	c.Cleanup(func() {
		stop()
		if err := <-ended; err != nil {
			c.Errorf("the wiki's worker: %v", err)
		}
		_ = publisher.Close()
	})
}

// TestBrowserAgent is an agent's day, in a browser, on a whole node: they find a
// person by address, watch a request change while nobody touches the page, have
// a system that failed tried again, hand over what lies in no machine, and see
// what another agent did in between.
func TestBrowserAgent(t *testing.T) {
	browsertest.Skip(t)
	c := newCounter(t)
	b := browsertest.Start(t)
	p := b.Page(t)
	p.As(browsertest.Look{Width: 1280})
	who := c.people.Person(people.Camille)
	id := c.submit(people.Camille, dsar.Access)
	<-c.wiki.begun

	// Find, by address; it is in no URL.
	p.Open(c.url)
	p.Type("#for", who.Email)
	p.Script(`window.before = true`)
	p.Press(kb.Enter)
	p.True(`window.before === undefined && document.readyState === "complete"`)
	p.Says(".requests", id[:8])
	p.Shoot("agent-1-found")
	if at := browsertest.Eval[string](p, `location.href`); strings.Contains(at, "@") || !strings.HasSuffix(at, "/find") {
		t.Errorf("the search is at %s", at)
	}
	p.Submit(".requests .id a")

	// Watch: the wiki runs, and fails, and nobody loads the page again.
	track := func(title string) string {
		return fmt.Sprintf(`[...document.querySelectorAll(".track")].find(l => l.querySelector("h3").textContent === %q).innerText`, title)
	}
	p.Script(`window.same = true`)
	p.Says("[data-live]", "updates by itself")
	p.True(track("Wiki") + `.includes("running")`)
	p.Shoot("agent-2-running")
	c.wiki.goOn <- worker.Permanent("no-permission", "the wiki refuses this user", nil)
	p.True(track("Wiki") + `.toLowerCase().includes("failed")`)
	p.Says("#acts", "have it granted the permission")
	p.Says(".title", "needs attention")
	p.True(`document.querySelector("form[action$='/retry']") !== null`) // the forms that are possible now
	if !browsertest.Eval[bool](p, `window.same === true`) {
		t.Error("the page was loaded again")
	}
	p.Shoot("agent-3-failed")

	// What the page shows is what the fold of the journal says.
	c.agrees(p, id)

	// Another agent comes in between.
	other := b.Page(t)
	other.As(browsertest.Look{Width: 1280})
	other.Open(c.url + "/requests/" + id)
	open := func(p *browsertest.Page, act string) string {
		form := fmt.Sprintf(`form[action$="/%s"]`, act)
		p.True(fmt.Sprintf(`document.querySelector(%q)`, form))
		p.Script(fmt.Sprintf(`{ const d = document.querySelector(%q).closest("details"); if (d) d.open = true; }`, form))
		return form
	}
	mine := open(p, "retry")
	p.Script(fmt.Sprintf(`document.querySelector(%q).value = ""`, mine+" textarea")) // a usual reason stands there
	p.Type(mine+" textarea", "the wiki is mended")
	theirs := open(other, "extend")
	other.Type(theirs+" [name=to_person]", "We have many systems to ask.")
	other.Type(theirs+" [name=reason]", "many systems")
	other.Submit(theirs + " button")
	other.Says("[role=status]", "the due date is extended")
	p.Says("[data-stale]", "has changed since")
	p.Says(".timeline", "many systems")
	p.Submit(mine + " button")
	p.Says("[role=alert]", "somebody else has acted")
	p.Expect("409")
	p.Shoot("agent-4-in-between")
	if written := browsertest.Eval[string](p, fmt.Sprintf(`document.querySelector(%q).value`, mine+" textarea")); written != "the wiki is mended" {
		t.Errorf("what was written is gone: %q", written)
	}
	// They have looked, and decide again: only the wiki.
	p.Script(fmt.Sprintf(`document.querySelector(%q).checked = false`, mine+` input[value="paper"]`))
	p.Submit(mine + " button")
	p.Says("[role=status]", "taken up again")
	<-c.wiki.begun
	c.wiki.goOn <- nil
	p.True(track("Wiki") + `.includes("gathered")`)
	p.True(track("Wiki") + `.includes("2 attempts")`)

	// The archive has no worker: its letters are handed over as a file.
	letters := filepath.Join(t.TempDir(), "letters.csv")
	if err := os.WriteFile(letters, []byte("written_on,subject\n2024-02-01,An invoice\n2025-03-02,A complaint\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	p.Says("#acts", "Paper archive is to be done by hand")
	hand := open(p, "answer")
	p.Shoot("agent-5-by-hand")
	p.Type(hand+" textarea", "copied from the archive")
	p.Files(hand+` input[type=file]`, letters)
	p.Submit(hand + " button")
	p.Says("[role=status]", "noted as done by hand")
	p.Says(".title", "completed")
	p.True(track("Paper archive") + `.includes("2 records")`)
	c.wait(id)
	if rows := string(payload(t, c.n, id)["paper/letters.json"]); !strings.Contains(rows, "A complaint") {
		t.Errorf("the letters aren't in the answer: %s", rows)
	}

	// Who it is, is shown on being asked, and that it was shown is a fact.
	if strings.Contains(browsertest.Eval[string](p, `document.documentElement.outerHTML`), who.Email) {
		t.Error("the address is on the page before anybody asked for it")
	}
	reveal := open(p, "reveal")
	p.Type(reveal+" textarea", "the person is on the phone")
	p.Submit(reveal + " button")
	p.Says(".ids", who.Email)
	p.Says(".timeline", "looked at the identifiers: the person is on the phone")
	p.Open(c.url + "/requests/" + id)
	p.Says(".ids", "given, verified")
	c.agrees(p, id)
	c.exports(id)
	p.Open(c.url + "/systems")
	p.Says(".system", "answers")
	p.Shoot("agent-7-systems")
	p.Usable()
	if log := c.logs.String(); strings.Contains(log, who.Email) {
		t.Error("the address is in the log")
	}
}

// TestBrowserErasure attests an erasure in a system that has no worker.
func TestBrowserErasure(t *testing.T) {
	browsertest.Skip(t)
	c := newCounter(t)
	p := browsertest.Start(t).Page(t)
	p.As(browsertest.Look{Width: 1280})
	id := c.submit(people.Leaver, dsar.Erasure)
	p.Open(c.url + "/requests/" + id)
	for _, step := range []struct{ action, outcome string }{{"plan", "found"}, {"erase", "erased"}} {
		for _, system := range []string{"paper", "wiki"} { // the wiki's worker only gathers
			form := fmt.Sprintf(`form:has(input[name="system"][value=%q] + input[name="action"][value=%q])`, system, step.action)
			c.byHandOnly(p, id, "paper", "wiki")
			p.True(fmt.Sprintf(`document.querySelector(%q)`, form))
			p.Script(fmt.Sprintf(`{ const d = document.querySelector(%q).closest("details"); if (d) d.open = true; }`, form))
			p.Set(form+" select", step.outcome)
			p.Type(form+" textarea", "done in the archive's cellar")
			p.Type(form+` input[type=number]`, "3")
			p.Submit(form + " button")
			p.Says("[role=status]", "noted as done by hand")
		}
	}
	p.Says(".title", "completed")
	c.wait(id)
	p.Shoot("agent-6-erased")
	p.True(`[...document.querySelectorAll(".track")].find(l => l.querySelector("h3").textContent === "Paper archive").innerText.includes("erased")`)
	p.True(`[...document.querySelectorAll(".track")].find(l => l.querySelector("h3").textContent === "Paper archive").innerText.includes("3 records")`)
	c.agrees(p, id)
}

// agrees holds what a request's page shows against the fold of its facts: the
// state, the due date, every system's last word with its counts, and each fact
// with its hash.
func (c *counter) agrees(p *browsertest.Page, id string) {
	c.Helper()
	t, s, shown, hashes := c.atRest(p, id)
	if t.Status != s.Status {
		c.Errorf("the trace says %s, the fold %s", t.Status, s.Status)
	}
	p.Says(".title", strings.ReplaceAll(string(s.Status), "-", " "))
	p.True(fmt.Sprintf(`document.querySelector(".about time, .about .due") && [...document.querySelectorAll(".about time")].some(e => Date.parse(e.dateTime) === %d) || %t`, s.DueAt.UnixMilli(), s.Status.Ended()))
	if len(shown) != len(t.Systems) {
		c.Fatalf("%d systems are shown of %d", len(shown), len(t.Systems))
	}
	for _, sys := range t.Systems {
		i := slices.IndexFunc(shown, func(one track) bool { return one.Title == c.title(sys.System) }) // those that failed come first
		if i < 0 {
			c.Errorf("%s isn't shown", sys.System)
			continue
		}
		for _, task := range s.Tasks {
			if task.System != sys.System {
				continue
			}
			word := string(task.End.Outcome)
			if task.Status == core.TaskIsSent {
				word = "running"
			}
			word = strings.NewReplacer("manual", "by hand", "-", " ").Replace(word)
			if !strings.Contains(shown[i].Steps, word) || !strings.Contains(shown[i].Steps, string(task.Action)) {
				c.Errorf("%s %s is %s; the page shows %q", task.System, task.Action, word, shown[i].Steps)
			}
			for _, n := range task.End.Counts {
				if kept := n.Kept(); kept > 0 && !strings.Contains(shown[i].Steps, fmt.Sprintf("kept %d", kept)) {
					c.Errorf("%s keeps %d of %s; the page shows %q", task.System, kept, n.Dataset, shown[i].Steps)
				}
			}
		}
	}
	var facts []string
	for _, f := range t.Facts {
		facts = append(facts, fmt.Sprintf("%d %s %s %s", f.Version, f.At.UTC().Format("2006-01-02T15:04:05.000Z"), f.Type, f.Hash))
	}
	if !reflect.DeepEqual(hashes, facts) {
		c.Errorf("the raw facts on the page:\n%s\nin the journal:\n%s", strings.Join(hashes, "\n"), strings.Join(facts, "\n"))
	}
}

// title returns what a system is called on a page in English.
func (c *counter) title(system string) string {
	i := slices.IndexFunc(c.n.Manifests, func(m *manifest.Manifest) bool { return m.System == system })
	switch {
	case system == dsar.Aggregator:
		return "Answer"
	case i < 0:
		return system
	}
	return c.n.Manifests[i].Title.In("en")
}

// byHandOnly waits until a request waits for nobody but those who have no worker, and
// returns the page as it is then.
func (c *counter) byHandOnly(p *browsertest.Page, id string, by ...string) {
	c.Helper()
	for {
		t := c.trace(id)
		if len(t.Waiting) > 0 && !slices.ContainsFunc(t.Waiting, func(s string) bool { return !slices.Contains(by, s) }) {
			p.Open(c.url + "/requests/" + id)
			return
		}
		if err := c.Context().Err(); err != nil {
			c.Fatal(err)
		}
	}
}

// track is a system's lane on a request's page.
type track struct{ Title, Steps string }

// atRest returns a request's trace and state, and what its page shows of both, as they
// are at one time: the page is loaded anew where a fact came meanwhile, a letter's or the
// receipt's.
func (c *counter) atRest(p *browsertest.Page, id string) (t timeline.Trace, s core.State, shown []track, hashes []string) {
	c.Helper()
	for {
		t = c.trace(id)
		var err error
		if s, err = c.n.Installation.Requests.State(c.Context(), id); err != nil {
			c.Fatal(err)
		}
		p.Open(c.url + "/requests/" + id)
		shown = browsertest.Eval[[]track](p, `[...document.querySelectorAll(".track")].map(l => ({Title: l.querySelector("h3").textContent, Steps: [...l.querySelectorAll(".step")].map(s => s.textContent).join(" ")}))`)
		hashes = browsertest.Eval[[]string](p, `[...document.querySelectorAll(".raw tbody tr")].map(r => [...r.querySelectorAll("td")].map((d, i) => i === 1 ? d.querySelector("time").dateTime : d.textContent).join(" "))`)
		if len(c.trace(id).Facts) == len(t.Facts) {
			return t, s, shown, hashes
		}
	}
}

func (c *counter) trace(id string) timeline.Trace {
	c.Helper()
	t, err := loadTrace(c.Context(), c.n.Installation, id)
	if err != nil {
		c.Fatal(err)
	}
	return t
}

// exports holds the page's JSON against what `habeas trace --json` prints.
func (c *counter) exports(id string) {
	c.Helper()
	if err := c.n.Config.Save(); err != nil {
		c.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(c.Context(), patience)
	defer cancel()
	printed, err := command(ctx, "trace", id, "--json", "--data", c.n.Config.Data).Output()
	if err != nil {
		c.Fatal(err)
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, c.url+"/requests/"+id+"/trace.json", nil)
	if err != nil {
		c.Fatal(err)
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		c.Fatal(err)
	}
	defer res.Body.Close()
	exported, err := io.ReadAll(res.Body)
	if err != nil {
		c.Fatal(err)
	}
	if string(exported) != string(printed) || !json.Valid(exported) {
		c.Errorf("the export differs from habeas trace --json:\n%s\n%s", exported, printed)
	}
}
