package console_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"habeas.dev/pkg/dsar"
	"habeas.dev/pkg/record"
	"habeas.dev/pkg/vendorapi"
	"habeas.dev/services/console"
	"habeas.dev/services/internal/browsertest"
	"habeas.dev/services/internal/core"
	"habeas.dev/services/internal/watch"
)

// gallery is a fixture with a request for each thing that there is to see.
type gallery struct {
	*fixture
	running, parked, failed, incomplete, byHand, tooMuch, proof, clarify, held, extended, overdue, erased, answered, refused, cancelled, merged, others, second, correction, doubted string
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
	plans := map[dsar.Action][]dsar.Object{dsar.Plan: {{Name: "salesforce/plan/1-test", Bytes: 512, Records: 1, SHA256: strings.Repeat("0", 64)}}}
	for i, action := range []dsar.Action{dsar.Plan, dsar.Erase, dsar.Prove} {
		if i > 0 {
			f.work(f.incomplete, time.Duration(i)*time.Minute, "salesforce")
		}
		f.says(f.incomplete, "salesforce", action, f.at(f.incomplete, time.Duration(i)*time.Minute+9*time.Second), dsar.Report{Kind: dsar.ReportEnded, Outcome: dsar.Incomplete, Code: dsar.CodeNotCovered, Reason: why,
			Counts: []dsar.Counts{{Dataset: "contacts", Found: 1, Uncovered: "what leads to dataset tasks is left, so that it can still be found"}, {Dataset: "tasks", Uncovered: why}}, Objects: plans[action]})
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
	f.second = f.ask(dsar.Access, "EEA", person(16), 5, func(a *core.Accepted) { a.FourEyes = core.FourEyesKinds() })
	f.work(f.second, 0, "billing")
	const paul = "paul <https://id.example.com#9>"
	f.do(f.second, core.AskSecond{Act: core.Refuse{By: paul, Ground: "excessive", Reason: "the sixth in a month", Now: f.at(f.second, time.Hour)}})
	f.do(f.second, core.AskSecond{Act: core.Reveal{By: paul, Gathered: "marketplace", Reason: "to see whether these are one person", Now: f.at(f.second, 2*time.Hour)}})
	f.cancelled = f.ask(dsar.Access, "Japan", person(13), 8, nil)
	f.do(f.cancelled, core.Cancel{By: "lea", Reason: "withdrawn by the person", Now: f.at(f.cancelled, time.Hour)})
	f.merged = f.ask(dsar.Access, "EEA", camille, 1, func(a *core.Accepted) { a.DuplicateOf = f.running })
	f.do(f.merged, core.Merge{By: "lea", Into: f.running, Reason: "asked twice", Now: f.at(f.merged, time.Hour)})
	f.others = f.ask(dsar.Access, "EEA", person(15), 4, nil)
	f.work(f.others, 0, "marketplace")
	ticket := dsar.Object{Name: "marketplace/gather/1-test", Records: 2}
	ticket.Bytes = f.seal(f.others, ticket.Name, record.Section{Dataset: "reviews", Columns: []string{"review_id", "product", "author", "stars", "body", "written_at"}},
		record.Record{"review_id": int64(1), "product": "Object storage", "author": "Anna", "stars": int64(4), "body": "It does what it says.\nThe invoice of March was wrong, though: I was charged twice.", "written_at": "2026-03-02T10:15:00Z"},
		record.Record{"review_id": int64(2), "product": "Object storage", "author": "Anna", "stars": int64(2), "body": "Bob Martin of your support in Lyon was ill for weeks, and nobody took over.", "written_at": "2026-05-11T11:40:00Z"})
	seller := dsar.Object{Name: "marketplace/gather/1-test2", Records: 1}
	seller.Bytes = f.seal(f.others, seller.Name, record.Section{Dataset: "sellers", Columns: []string{"seller_id", "legal_name", "bank_account"}},
		record.Record{"seller_id": int64(7), "legal_name": "Anna Weber and Bob Martin", "bank_account": "LU280019400644750000"})
	f.says(f.others, "marketplace", dsar.Gather, f.at(f.others, time.Minute), dsar.Report{Kind: dsar.ReportFailed, Outcome: dsar.Manual, Code: dsar.CodeOthers, Reason: "records may tell of other people",
		Objects: []dsar.Object{ticket, seller}, Counts: []dsar.Counts{{Dataset: "reviews", Found: 2, Gathered: 2}, {Dataset: "sellers", Found: 1, Gathered: 1}}})
	f.correction = f.ask(dsar.Rectification, "EEA", person(17), 6, func(a *core.Accepted) { a.CorrectionReview = core.ReviewAlways })
	f.work(f.correction, 0)
	f.doubted = f.ask(dsar.Rectification, "California", person(18), 7, nil)
	f.work(f.doubted, 0, "salesforce")
	f.says(f.doubted, "salesforce", dsar.Rectify, f.at(f.doubted, time.Minute), dsar.Report{Kind: dsar.ReportFailed, Outcome: dsar.Failed, Code: dsar.CodeIdentifierUnproven, Reason: "nobody has shown that it is the person's", Cause: &dsar.Cause{Dataset: "contacts", Columns: []string{"Email"}}})
	f.watched()
	return f
}

// seal writes records into the vault, as a worker does, and returns how many bytes they are.
func (f *gallery) seal(id, name string, s record.Section, records ...record.Record) int64 {
	f.Helper()
	out, err := f.in.Vault.Create(f.Context(), id, name)
	if err != nil {
		f.Fatal(err)
	}
	w := record.NewWriter(out)
	if err := w.Begin(s); err != nil {
		f.Fatal(err)
	}
	for _, r := range records {
		if err := w.Write(r); err != nil {
			f.Fatal(err)
		}
	}
	if err := errors.Join(w.Close(), out.Close()); err != nil {
		f.Fatal(err)
	}
	return out.Bytes()
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
		{"request-review", "/requests/" + f.others, `const r = document.querySelector("form[action$='/look']"); r.querySelector("textarea").value = "the ticket has two authors"; r.submit()`, `document.querySelector("form.review")`},
		{"request-revealed", "/requests/" + f.answered, `const r = document.querySelector("form[action$='/reveal']"); r.querySelector("textarea").value = "on the phone"; r.submit()`, `document.querySelector("[data-revealed]")`},
		request("running", f.running, ""), request("parked", f.parked, ""), request("failed", f.failed, ""), request("incomplete", f.incomplete, ""), request("by-hand", f.byHand, ""),
		request("too-much", f.tooMuch, ""), request("proof", f.proof, ""), request("clarify", f.clarify, ""), request("held", f.held, ""),
		request("extended", f.extended, ""), request("overdue", f.overdue, ""), request("erased", f.erased, ""), request("answered", f.answered, ""),
		request("refused", f.refused, ""), request("second", f.second, openAll), request("merged", f.merged, ""), request("correction", f.correction, openAll), request("doubted", f.doubted, openAll), request("others", f.others, openAll),
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
