package console_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"habeas.dev/pkg/dsar"
	"habeas.dev/pkg/vendorapi"
	"habeas.dev/services/console"
	"habeas.dev/services/internal/browsertest"
	"habeas.dev/services/internal/core"
	"habeas.dev/services/internal/watch"
)

// gallery is a fixture with a request for each thing that there is to see.
type gallery struct {
	*fixture
	running, parked, failed, incomplete, byHand, tooMuch, proof, clarify, held, extended, overdue, erased, answered, refused, cancelled, merged string
}

// camille is who most requests are of.
const camille = "camille.o'brien@example.com"

func newGallery(t *testing.T) *gallery {
	t.Helper()
	f := &gallery{fixture: newFixture(t)}
	person := func(n int) string { return fmt.Sprintf("person%d@example.com", n) }

	f.running = f.ask(dsar.Access, "EEA", camille, 0, nil)
	f.says(f.running, "account", dsar.Resolve, f.at(f.running, 400*time.Millisecond), f.answer(f.running, *f.state(f.running).Task("account", dsar.Resolve)))

	f.parked = f.ask(dsar.Erasure, "UK", person(2), 3, nil)
	f.work(f.parked, 0, "salesforce")
	f.says(f.parked, "salesforce", dsar.Plan, f.at(f.parked, 9*time.Second), dsar.Report{Kind: dsar.ReportParked, Until: f.now.Add(5 * time.Hour), Code: "rate-limited", Reason: "the daily quota of calls is spent"})

	f.failed = f.ask(dsar.Access, "EEA", person(3), 21, nil)
	f.work(f.failed, 0, "marketplace", "billing")
	f.says(f.failed, "marketplace", dsar.Gather, f.at(f.failed, 12*time.Second), dsar.Report{Kind: dsar.ReportFailed, Code: "no-permission", Reason: "the database refuses this user: table listings"})
	f.work(f.failed, time.Minute, "marketplace")

	f.incomplete = f.ask(dsar.Erasure, "EEA", person(14), 17, nil)
	f.work(f.incomplete, 0, "salesforce")
	const why = "Salesforce doesn't show object Task to the integration user: grant read access to it, or take it out of dataset tasks of the manifest"
	for i, action := range []dsar.Action{dsar.Plan, dsar.Erase, dsar.Prove} {
		if i > 0 {
			f.work(f.incomplete, time.Duration(i)*time.Minute, "salesforce")
		}
		f.says(f.incomplete, "salesforce", action, f.at(f.incomplete, time.Duration(i)*time.Minute+9*time.Second), dsar.Report{Kind: dsar.ReportEnded, Outcome: dsar.Incomplete, Code: dsar.CodeNotCovered, Reason: why,
			Counts: []dsar.Counts{{Dataset: "contacts", Found: 1, Uncovered: "what leads to dataset tasks is left, so that it can still be found"}, {Dataset: "tasks", Uncovered: why}}})
	}
	f.work(f.incomplete, 4*time.Minute, "salesforce")

	f.byHand = f.ask(dsar.Restriction, "EEA", person(4), 12, nil)
	f.work(f.byHand, 0)
	for _, system := range []string{"billing", "marketplace", "salesforce", "marketo"} {
		if task := f.state(f.byHand).Task(system, dsar.Restrict); task != nil && task.Status == core.TaskIsSent {
			f.says(f.byHand, system, dsar.Restrict, f.at(f.byHand, time.Minute), dsar.Report{Kind: dsar.ReportFailed, Outcome: dsar.Manual, Code: "no-worker", Reason: "this system has no worker for it"})
		}
	}

	f.tooMuch = f.ask(dsar.Erasure, "EEA", person(5), 27, nil)
	f.work(f.tooMuch, 0, "events")
	f.says(f.tooMuch, "events", dsar.Plan, f.at(f.tooMuch, time.Minute), dsar.Report{Kind: dsar.ReportFailed, Code: "plan-too-large", Reason: "the plan touches 18 402 records; at most 5 000 are expected of one person",
		Counts: []dsar.Counts{{Dataset: "registrations", Found: 18_402}}})

	f.proof = f.ask(dsar.Access, "California", person(6), 9, func(a *core.Accepted) {
		a.Identifiers[0].Assurance, a.Locale, a.Terms.Checks = dsar.AssuranceClaimed, "en", []dsar.Check{dsar.CheckIdentity}
	})

	f.clarify = f.ask(dsar.Erasure, "EEA", person(7), 6, nil)
	f.do(f.clarify, core.AskClarification{By: "lea", Reason: "only the forum posts, or the account too?", Now: f.at(f.clarify, 3*time.Hour)})

	f.extended = f.ask(dsar.Portability, "EEA", person(8), 25, nil)
	f.do(f.extended, core.Extend{By: "lea", Reason: "eleven years of orders", Calendar: f.book, Now: f.at(f.extended, 24*time.Hour)})

	f.overdue = f.ask(dsar.Access, "EEA", person(9), 40, nil)
	f.work(f.overdue, 0, "salesforce")
	f.says(f.overdue, "salesforce", dsar.Gather, f.at(f.overdue, time.Minute), dsar.Report{Kind: dsar.ReportFailed, Code: "no-permission", Reason: "the connected app was revoked"})
	f.do(f.overdue, core.Tick{Now: f.now})

	f.erased = f.ask(dsar.Erasure, "EEA", camille, 30, nil)
	f.work(f.erased, 0)
	f.held = f.ask(dsar.Erasure, "EEA", person(10), 2, nil)
	f.do(f.held, core.Hold{By: "paul", Reason: "a claim is before the court", System: "billing", Dataset: "invoices", Now: f.at(f.held, time.Minute)})
	f.work(f.held, time.Hour, "marketo")
	f.answered = f.ask(dsar.Access, "Brazil", person(11), 14, func(a *core.Accepted) { a.EarlierRequests = 2 })
	f.work(f.answered, 0)
	f.do(f.answered, core.NoteLetter{LetterSent: core.LetterSent{Letter: core.LetterConfirmation, Language: "fr", Cause: 1, Channel: "smtp", Moment: core.Moment{At: f.at(f.answered, 2*time.Second)}}})
	f.do(f.answered, core.NoteLetter{LetterSent: core.LetterSent{Letter: core.LetterAnswer, Language: "fr", Cause: 40, Channel: "smtp", Moment: core.Moment{At: f.at(f.answered, 5*time.Second)}}})
	f.refused = f.ask(dsar.Objection, "EEA", person(12), 20, nil)
	f.do(f.refused, core.Refuse{By: "paul", Ground: core.NotProven, Reason: "no proof in three weeks", Now: f.at(f.refused, 24*time.Hour)})
	f.cancelled = f.ask(dsar.Access, "Japan", person(13), 8, nil)
	f.do(f.cancelled, core.Cancel{By: "lea", Reason: "withdrawn by the person", Now: f.at(f.cancelled, time.Hour)})
	f.merged = f.ask(dsar.Access, "EEA", camille, 1, func(a *core.Accepted) { a.DuplicateOf = f.running })
	f.do(f.merged, core.Merge{By: "lea", Into: f.running, Reason: "asked twice", Now: f.at(f.merged, time.Hour)})
	f.watched()
	return f
}

// watched records one system in each state that it can be in.
func (f *gallery) watched() {
	f.Helper()
	at := func(ago time.Duration) time.Time { return f.now.Add(-ago) }
	failed := func(system, code, reason string, ago time.Duration) core.Event {
		return core.TaskFailed{System: system, Action: dsar.Gather, Attempt: 1, Outcome: dsar.Failed, Code: code, Reason: reason, Moment: core.Moment{At: at(ago)}}
	}
	ended := func(system string, ago time.Duration, notes ...string) core.Event {
		return core.TaskEnded{System: system, Action: dsar.Gather, Attempt: 1, Outcome: dsar.Gathered, Notes: notes, Moment: core.Moment{At: at(ago)}}
	}
	facts := []core.Event{
		ended("account", time.Minute), ended("billing", 2*time.Minute, "the table invoices has a column that its manifest doesn't declare: iban"),
		core.TaskSent{System: "events", Action: dsar.Gather, Attempt: 2, Reason: core.SentUnheard, Moment: core.Moment{At: at(2 * time.Hour)}}, ended("events", 3*time.Hour),
		ended("marketo", time.Hour), core.TaskParked{System: "marketo", Action: dsar.Gather, Attempt: 1, Code: "rate-limited", Reason: "Marketo asks for fewer calls", Until: f.now.Add(time.Hour), Moment: core.Moment{At: at(time.Minute)}},
		failed("marketplace", "no-permission", "the database refuses this user: table listings", 3*time.Minute), failed("marketplace", "no-permission", "the database refuses this user: table listings", 2*time.Minute),
		failed("marketplace", "no-permission", "the database refuses this user: table listings", time.Minute), ended("salesforce", time.Minute),
	}
	if err := watch.Save(f.Context(), f.in.Journal, facts); err != nil {
		f.Fatal(err)
	}
	f.accounts = []vendorapi.Account{
		{Name: "marketo/123-ABC", Vendor: "Marketo", Used: 12_400, Budget: 40_000, Circuit: vendorapi.Closed},
		{Name: "salesforce/acme.my.salesforce.com", Vendor: "Salesforce", Used: 300, Budget: 90_000, Circuit: vendorapi.Open, Until: f.now.Add(4 * time.Minute), Code: "vendor-down", Reason: "Salesforce failed many times in a row and is left alone for a while"},
	}
}

// scene is one page, as it is to be looked at.
type scene struct {
	name, path string
	script     string // done before it is looked at
	until      string // and what is waited for then
}

func (f *gallery) scenes() []scene {
	request := func(name, id, script string) scene { return scene{"request-" + name, "/requests/" + id, script, ""} }
	openAll := `document.querySelectorAll("details").forEach(d => d.open = true)`
	return []scene{
		{"list", "/", "", ""}, {"list-selected", "/", `document.querySelectorAll("input[name=id]")[0].click()`, ""}, {"list-open", "/?view=open", "", ""}, {"list-all", "/?view=all", "", ""},
		{"list-none", "/?view=open&law=Japan", "", ""}, {"request-preview", "/requests/" + f.running, `const e = document.querySelector("#acts form[action$='/extend']"); e.closest("details").open = true; e.elements.to_person.value = "Nous interrogeons six systèmes."; e.elements.reason.value = "many systems"; e.querySelector("button[formaction]").click()`, `document.querySelector("section.letter")`},
		{"overview", "/overview", "", ""}, {"systems", "/systems", "", ""}, {"new", "/new", "", ""},
		{"new-known", "/new", fmt.Sprintf(`const e = document.querySelector("input[name=email]"); e.value = %q; e.dispatchEvent(new Event("change", {bubbles: true}))`, camille), `document.querySelector("#known .known")`}, {"failed", "/requests/no", "", ""}, {"signed-out", "/signed-out", "", ""},
		{"list-found", "/", fmt.Sprintf(`document.querySelector("#for").value = %q; document.querySelector(".find").submit()`, camille), `location.pathname === "/find"`},
		{"request-revealed", "/requests/" + f.answered, `const r = document.querySelector("form[action$='/reveal']"); r.querySelector("textarea").value = "on the phone"; r.submit()`, `document.querySelector("[data-revealed]")`},
		request("running", f.running, ""), request("parked", f.parked, ""), request("failed", f.failed, ""), request("incomplete", f.incomplete, ""), request("by-hand", f.byHand, ""),
		request("too-much", f.tooMuch, ""), request("proof", f.proof, ""), request("clarify", f.clarify, ""), request("held", f.held, ""),
		request("extended", f.extended, ""), request("overdue", f.overdue, ""), request("erased", f.erased, ""), request("answered", f.answered, ""),
		request("refused", f.refused, ""), request("merged", f.merged, ""),
		request("forms", f.failed, openAll), request("by-hand-forms", f.byHand, openAll), request("incomplete-forms", f.incomplete, openAll),
	}
}

// TestBrowserGallery looks at every page, at every width, in light and dark and
// in both languages: nothing is cut off or sticks out, axe finds nothing that
// somebody couldn't use, and the browser has nothing to complain of.
func TestBrowserGallery(t *testing.T) {
	browsertest.Skip(t)
	f := newGallery(t)
	url := f.open(somebody{"lea@example.com", console.Officer})
	b := browsertest.Start(t)
	for _, s := range f.scenes() {
		t.Run(s.name, func(t *testing.T) {
			p := b.Page(t)
			for _, lang := range []string{"en", "fr"} {
				p.Speak(url, lang)
				p.Open(url + s.path)
				for _, width := range []int{360, 768, 1280, 2560} {
					for _, dark := range []bool{false, true} {
						if lang == "fr" && (dark || width == 768 || width == 2560) || width == 768 && dark {
							continue
						}
						look := browsertest.Look{Width: width, Dark: dark}
						p.As(look)
						if s.script != "" && width == 360 && !dark {
							p.Script(s.script)
							if s.until != "" {
								p.True(s.until)
							}
						}
						p.Shoot(strings.Join([]string{s.name, lang, look.Name()}, "-"))
						p.Fits()
						if lang == "en" && (width == 1280 || width == 360 && !dark) {
							p.Usable()
						}
					}
				}
			}
			if s.name == "request-erased" {
				p.As(browsertest.Look{Width: 794, Print: true})
				p.Shoot(s.name + "-print")
				p.Fits()
			}
			p.Expect("404")
		})
	}
}
