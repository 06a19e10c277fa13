package salesforce

import (
	"context"
	"errors"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"habeas.dev/pkg/dsar"
	"habeas.dev/pkg/manifest"
	"habeas.dev/pkg/worker"
	"habeas.dev/services/sandbox/conform"
	"habeas.dev/services/sandbox/fault"
	"habeas.dev/services/sandbox/people"
	sandbox "habeas.dev/services/sandbox/salesforce"
)

// values returns one field of the records that a query finds.
func (w *fixture) values(query, field string) []string {
	w.T.Helper()
	var out []string
	f := fieldsOf([]string{"Id", field})
	err := w.worker.each(context.Background(), []string{query}, func(_ int, raw []byte) error {
		err := f.read(raw)
		out = append(out, strings.Trim(string(f.get(field)), `"`))
		return err
	}, func(_ int, r *refusal) error { return errors.New(r.code + r.message) })
	if err != nil {
		w.T.Fatal(err)
	}
	return out
}

func (w *fixture) act(call func(context.Context, []*counted) error, jobs ...*counted) {
	w.T.Helper()
	if err := call(context.Background(), jobs); err != nil {
		w.T.Fatal(err)
	}
}

func tallied(counts []dsar.Counts, n func(dsar.Counts) int64) map[string]int {
	out := map[string]int{}
	for _, c := range counts {
		if n(c) > 0 {
			out[c.Dataset] = int(n(c))
		}
	}
	return out
}

func rectified(c dsar.Counts) int64  { return c.Rectified }
func restricted(c dsar.Counts) int64 { return c.Restricted }
func anonymous(c dsar.Counts) int64  { return c.Anonymised }

func codeOf(err error) string {
	var e *worker.Error
	if errors.As(err, &e) {
		return e.Code
	}
	return ""
}

// What a person corrects is changed in all of the records that have it, and in
// nobody else's; what can't be corrected is named.
func TestRectify(t *testing.T) {
	t.Parallel()
	w := newFixture(t, 30, nil)
	e := w.Emails()
	fix := &counted{Job: &worker.Job{Task: conform.Task(dsar.Rectify, e[0])}, Changes: []worker.Change{
		{Dataset: "contacts", Column: "LastName", Value: `O'Brien "Ltd"`},
		{Dataset: "contacts", Column: "Email", Value: "camille.new@example.com"},
		{Dataset: "leads", Column: "Email", Value: "camille.new@example.com"},
		{Dataset: "contact_points", Column: "EmailAddress", Value: "camille.new@example.com"},
		{Dataset: "cases", Column: "Description", Value: "never said that"},
	}}
	other := &counted{Job: &worker.Job{Task: conform.Task(dsar.Rectify, e[1])}, Changes: []worker.Change{{Dataset: "tasks", Column: "Subject", Value: "x"}}}
	nobody := &counted{Job: &worker.Job{Task: conform.Task(dsar.Rectify, people.NobodyEmail)}, Changes: []worker.Change{{Dataset: "leads", Column: "City", Value: "x"}}}
	w.act(w.worker.rectify, fix, other, nobody)
	if fix.Err != nil || !maps.Equal(tallied(fix.Counts, rectified), map[string]int{"contacts": 2, "leads": 1, "contact_points": 1}) {
		t.Fatalf("%v, %v", fix.Counts, fix.Err)
	}
	for _, c := range fix.Counts {
		if c.Dataset == "cases" && !slices.Equal(c.Unchanged, []string{"Description"}) || c.Dataset == "contacts" && !slices.Equal(c.Changed, []string{"LastName", "Email"}) {
			t.Errorf("%+v", c)
		}
	}
	if codeOf(other.Err) != "not-rectifiable" || nobody.Err != nil || len(nobody.Counts) != 0 {
		t.Errorf("%v; %v, %v", other.Err, nobody.Counts, nobody.Err)
	}
	if got := w.values("SELECT Id, LastName FROM Contact WHERE Email = 'camille.new@example.com'", "LastName"); len(got) != 2 || got[0] != `O'Brien \"Ltd\` && got[0] != `O'Brien \"Ltd\"` {
		t.Errorf("corrected to %q", got)
	}
	out, errs := w.Gather(e[1:]...)
	for i := range out {
		if errs[i] != nil || !conform.SameRows(out[i].Rows, w.Seeded(i+2)) {
			t.Errorf("person %d was changed, or isn't found: %v", i+2, errs[i])
		}
	}
	bad := &counted{Job: &worker.Job{Task: conform.Task(dsar.Rectify, e[2])}, Changes: []worker.Change{{Dataset: "leads", Column: "City", Value: "a\x00b"}}}
	w.act(w.worker.rectify, bad)
	if codeOf(bad.Err) != "bad-correction" {
		t.Errorf("%v", bad.Err)
	}
}

// Restricting sets the flags of the right and the purposes, and lifting sets
// them back.
func TestRestrictAndLift(t *testing.T) {
	t.Parallel()
	w := newFixture(t, 30, nil)
	e := w.Emails()
	job := func(right dsar.Right, purposes ...string) *counted {
		j := &counted{Job: &worker.Job{Task: conform.Task(dsar.Restrict, e[0])}}
		j.Right, j.Purposes = right, purposes
		return j
	}
	lift := func(j *counted) *counted {
		j.Lift = true
		return j
	}
	flag := func(object, field string) []string {
		return w.values("SELECT Id, "+field+" FROM "+object+" WHERE "+map[string]string{"Contact": "Email = 'camille.o\\'brien@example.com'", "Individual": "Id IN (SELECT IndividualId FROM Contact WHERE Email = 'camille.o\\'brien@example.com')"}[object], field)
	}
	all := job(dsar.Restriction)
	w.act(w.worker.restrict, all)
	if all.Err != nil || !maps.Equal(tallied(all.Counts, restricted), map[string]int{"contacts": 2, "leads": 1, "individuals": 1}) {
		t.Fatalf("%v, %v", all.Counts, all.Err)
	}
	for object, fields := range map[string][]string{"Contact": {"HasOptedOutOfEmail", "DoNotCall"}, "Individual": {"HasOptedOutProcessing"}} {
		for _, f := range fields {
			if got := flag(object, f); len(got) == 0 || slices.Contains(got, "false") {
				t.Errorf("%s.%s: %v", object, f, got)
			}
		}
	}
	w.act(w.worker.restrict, lift(job(dsar.Restriction)))
	if got := flag("Individual", "HasOptedOutProcessing"); !slices.Equal(got, []string{"false"}) {
		t.Errorf("lifted: %v", got)
	}
	w.act(w.worker.restrict, lift(job(dsar.ConsentWithdrawal, "marketing")))
	w.act(w.worker.restrict, job(dsar.ConsentWithdrawal, "marketing"))
	for object, f := range map[string]string{"Individual": "HasOptedOutSolicit", "Contact": "HasOptedOutOfEmail"} {
		if got := flag(object, f); len(got) == 0 || slices.Contains(got, "false") {
			t.Errorf("%s.%s after marketing was withdrawn: %v", object, f, got)
		}
	}
	if got := flag("Individual", "HasOptedOutProcessing"); !slices.Equal(got, []string{"false"}) {
		t.Errorf("all use was stopped for marketing: %v", got)
	}
	offers := job(dsar.Objection, "offers")
	if w.act(w.worker.restrict, offers); codeOf(offers.Err) != "not-restrictable" {
		t.Errorf("offers, which no flag stops: %v", offers.Err)
	}
}

// TestRestrictWithoutIndividual: the flag that stops all use is of the Individual. A contact
// without one is used on for what no flag of a contact stops, and a person must see to it; a
// lead's flag stops all that a lead is used for.
func TestRestrictWithoutIndividual(t *testing.T) {
	t.Parallel()
	w := newFixture(t, 30, func(s *sandbox.Config, _ *Config) {
		s.Custom = []sandbox.Custom{
			{Name: "Contact", Rows: []map[string]any{{"Id": "0030000000000ZZAAA", "Email": "contact.only@example.com", "LastName": "Only"}}},
			{Name: "Lead", Rows: []map[string]any{{"Id": "00Q0000000000ZZAAA", "Email": "lead.only@example.com", "LastName": "Only"}}},
		}
	})
	for _, c := range []struct {
		email, code string
		counts      map[string]int
	}{
		{"contact.only@example.com", "not-restrictable", map[string]int{"contacts": 1}},
		{"lead.only@example.com", "", map[string]int{"leads": 1}},
		{"nobody.at.all@example.com", "", map[string]int{}},
	} {
		j := &counted{Job: &worker.Job{Task: worker.Task{Identifiers: []worker.Identifier{{Type: "email", Value: c.email}}}}}
		j.Action, j.Right = dsar.Restrict, dsar.Restriction
		w.act(w.worker.restrict, j)
		if code := codeOf(j.Err); code != c.code || !maps.Equal(tallied(j.Counts, restricted), c.counts) {
			t.Errorf("%s: %v, %v", c.email, j.Counts, j.Err)
		}
	}
}

// By a number, by a contact's id with or without its last three characters, and
// by a field of the company's own, everything is found that an address finds.
func TestOtherIdentifiers(t *testing.T) {
	t.Parallel()
	m := conform.Edited(t, manifestYAML, "needs: [email, phone, salesforce_contact_id]", "needs: [email, phone, salesforce_contact_id, customer_ref]",
		"        salesforce_contact_id: [Id]\n      of:", "        salesforce_contact_id: [Id]\n        customer_ref: [Customer_Ref__c]\n      of:")
	w := newFixture(t, 12, nil)
	var contact string
	for _, r := range w.people.RowsIn(people.Leaver, people.Salesforce) {
		if r.Dataset == "contacts" {
			contact = r.Key
		}
	}
	w = newFixture(t, 12, func(s *sandbox.Config, c *Config) {
		s.Custom = []sandbox.Custom{{Name: "Contact", Fields: []sandbox.CustomField{{Name: "Customer_Ref__c", Type: "string"}},
			Rows: []map[string]any{{"Id": contact, "Customer_Ref__c": "K-77 'x'", "Phone": "(415) 555-0142"}}}}
		c.Manifest = m
	})
	whole := w.Seeded(people.Leaver)
	for _, id := range []worker.Identifier{
		{Type: "salesforce_contact_id", Value: contact}, {Type: "salesforce_contact_id", Value: contact[:15]},
		{Type: "customer_ref", Value: "k-77 'x'"}, {Type: "phone", Value: "+14155550142"}, {Type: "phone", Value: "415-555-0142"},
	} {
		out := &conform.Copy{}
		err := w.GatherInto([]worker.Task{{Identifiers: []worker.Identifier{id}}}, []*conform.Copy{out})[0]
		for _, dataset := range []string{"contacts", "cases", "case_comments", "tasks", "files", "email_messages", "individuals", "contact_points"} {
			if err != nil || len(out.Rows[dataset]) != len(whole[dataset]) {
				t.Errorf("by %s: %d %s of %d (%v)", id.Type, len(out.Rows[dataset]), dataset, len(whole[dataset]), err)
			}
		}
	}
	stranger := worker.Task{Identifiers: []worker.Identifier{{Type: "salesforce_contact_id", Value: "no id"}, {Type: "phone", Value: "+0"}}}
	out := &conform.Copy{}
	if errs := w.GatherInto([]worker.Task{stranger}, []*conform.Copy{out}); errs[0] != nil || len(out.Rows) > 0 {
		t.Errorf("%v, %v", out.Rows, errs)
	}
}

const warranties = `  - name: warranties
    title: {en: Warranties}
    category: customer records
    origin: provided
    purpose: {en: Repairs}
    legal_basis: contract
    storage: {en: Five years}
    worker:
      object: Warranty__c
      of: {Holder__c: [contacts]}
      by: {email: [Email__c]}
    columns:
      - {name: Id}
      - {name: Serial__c}
  - name: repairs
    title: {en: Repairs}
    category: customer records
    origin: provided
    purpose: {en: Repairs}
    legal_basis: contract
    storage: {en: Five years}
    worker:
      object: Repair__c
      of: {Warranty__c: [warranties]}
    columns:
      - {name: Id}
      - {name: Notes__c}
`

// A custom object that the manifest declares, and one below it, are found,
// copied and erased, with no line of code for either.
func TestCustomObjects(t *testing.T) {
	t.Parallel()
	w := newFixture(t, 12, nil)
	var contact string
	for _, r := range w.people.RowsIn(1, people.Salesforce) {
		if r.Dataset == "contacts" {
			contact = r.Key
		}
	}
	m, err := manifest.Parse("own.yaml", append(slices.Clone(manifestYAML), warranties...))
	if err != nil {
		t.Fatal(err)
	}
	w = newFixture(t, 12, func(s *sandbox.Config, c *Config) {
		c.Manifest = m
		s.Custom = []sandbox.Custom{
			{Name: "Warranty__c", Fields: []sandbox.CustomField{{Name: "Holder__c", Type: "reference", ReferenceTo: "Contact"}, {Name: "Email__c", Type: "email"}, {Name: "Serial__c", Type: "string"}},
				Rows: []map[string]any{{"Id": "a005g0000000001", "Holder__c": contact, "Serial__c": "S1"}, {"Id": "a005g0000000002", "Email__c": w.Emails()[0], "Serial__c": "S2"}, {"Id": "a005g0000000003", "Email__c": w.Emails()[1], "Serial__c": "S3"}}},
			{Name: "Repair__c", Fields: []sandbox.CustomField{{Name: "Warranty__c", Type: "reference", ReferenceTo: "Warranty__c"}, {Name: "Notes__c", Type: "textarea"}},
				Rows: []map[string]any{{"Id": "a015g0000000001", "Warranty__c": "a005g0000000002", "Notes__c": "broken"}}},
		}
	})
	out, errs := w.Gather(w.Emails()[:2]...)
	if errs[0] != nil || len(out[0].Rows["warranties"]) != 2 || len(out[0].Rows["repairs"]) != 1 || len(out[1].Rows["warranties"]) != 1 {
		t.Fatalf("%v, %v: %v", conform.Sizes(out[0].Rows), conform.Sizes(out[1].Rows), errs)
	}
	j := w.Do(dsar.Erase, w.Emails()[0])[0]
	if j.Err != nil || conform.Erased(j.Counts)["warranties"] != 2 || conform.Erased(j.Counts)["repairs"] != 1 {
		t.Fatalf("%v, %v", j.Counts, j.Err)
	}
	if j := w.Do(dsar.Prove, w.Emails()[0])[0]; j.Err != nil || len(j.Counts) > 0 {
		t.Fatalf("%v, %v", j.Counts, j.Err)
	}
	if got := w.values("SELECT Id, Serial__c FROM Warranty__c", "Serial__c"); !slices.Equal(got, []string{"S3"}) {
		t.Errorf("left are %v", got)
	}
}

// A manifest that leaves the files' bytes out has their names, sizes and dates, for
// no call of their own; they are erased as ever.
func TestFilesWithoutBytes(t *testing.T) {
	t.Parallel()
	w := newFixture(t, 12, func(_ *sandbox.Config, c *Config) {
		c.Manifest = conform.Edited(t, manifestYAML, "    file: {content: VersionData, name: PathOnClient}\n", "", "    file: {content: Body, name: Name}\n", "", "      content: VersionData\n", "", "      - {name: VersionData, title: {en: Content, fr: Contenu}}\n", "", "      content: Body\n", "", "      - {name: Body, title: {en: Content, fr: Contenu}}\n", "")
	})
	out, errs := w.Gather(w.Emails()[0])
	rows := out[0].Rows
	if errs[0] != nil || len(rows["files"]) != 1 || len(rows["attachments"]) != 1 || !strings.Contains(rows["files"][0], "contract.txt") || !strings.Contains(rows["attachments"][0], "BodyLength") {
		t.Fatalf("%v, %v", rows["files"], errs[0])
	}
	if n := w.server.Calls()["sobjects"]; n > 0 {
		t.Errorf("%d files were fetched", n)
	}
	if j := w.Do(dsar.Erase, w.Emails()[0])[0]; j.Err != nil || conform.Erased(j.Counts)["files"] != 1 || conform.Erased(j.Counts)["attachments"] != 1 {
		t.Errorf("%v, %v", j.Counts, j.Err)
	}
}

// Where the manifest says so, records are overwritten field by field; what is
// overwritten isn't anybody's any more, and is not written again.
func TestAnonymise(t *testing.T) {
	t.Parallel()
	w := newFixture(t, 12, func(_ *sandbox.Config, c *Config) {
		c.Manifest = conform.Edited(t, manifestYAML, "      object: Lead\n", "      object: Lead\n      erase: anonymise\n      overwrite: {FirstName: null, LastName: Erased, Company: Erased, Email: null, Phone: null, MobilePhone: null, City: null, Description: null}\n")
	})
	e := w.Emails()[0]
	j := w.Do(dsar.Erase, e)[0]
	want := w.planned(1)
	delete(want, "leads")
	if j.Err != nil || !maps.Equal(conform.Erased(j.Counts), want) || !maps.Equal(tallied(j.Counts, anonymous), map[string]int{"leads": 1}) {
		t.Fatalf("%v, %v", j.Counts, j.Err)
	}
	if j := w.Do(dsar.Prove, e)[0]; j.Err != nil || len(j.Counts) > 0 {
		t.Fatalf("%v, %v", j.Counts, j.Err)
	}
	if got := w.values("SELECT Id, LastName FROM Lead WHERE LastName = 'Erased' AND Email = null", "LastName"); len(got) != 1 {
		t.Errorf("left are %v", got)
	}
	if _, err := objectsOf(conform.Edited(t, manifestYAML, "      object: Lead\n", "      object: Lead\n      erase: anonymise\n      overwrite: {LastName: Erased}\n")); err == nil {
		t.Error("a way back to the person is left, and nobody says so")
	}
}

// A person account goes, and takes its contact along, which can't be deleted by
// itself.
func TestPersonAccount(t *testing.T) {
	t.Parallel()
	const number = 11
	w := newFixture(t, 12, nil)
	e := w.Emails()[number-1]
	j := w.Do(dsar.Erase, e)[0]
	if j.Err != nil || !maps.Equal(conform.Erased(j.Counts), w.planned(number)) || conform.Erased(j.Counts)["person_accounts"] != 1 {
		t.Fatalf("%v, planned were %v: %v", conform.Erased(j.Counts), w.planned(number), j.Err)
	}
	if j := w.Do(dsar.Prove, e)[0]; j.Err != nil || len(j.Counts) > 0 {
		t.Fatalf("%v, %v", j.Counts, j.Err)
	}
	if n := w.server.Repeated(); n > 0 {
		t.Errorf("%d records were deleted again", n)
	}
}

// A file that is attached to somebody else's record too stays for them; the
// person's link to it goes.
func TestSharedFile(t *testing.T) {
	t.Parallel()
	w := newFixture(t, 12, nil)
	document := w.values("SELECT Id, ContentDocumentId FROM ContentDocumentLink WHERE LinkedEntityId IN (SELECT Id FROM Contact WHERE Email = 'm.brueckner@example.org')", "ContentDocumentId")
	contact := w.values("SELECT Id, Email FROM Contact WHERE Email = 'dolores.whitcombe@example.com'", "Id")
	w = newFixture(t, 12, func(s *sandbox.Config, _ *Config) {
		s.Custom = []sandbox.Custom{{Name: "ContentDocumentLink", Rows: []map[string]any{
			{"Id": "06A5g00000zzzz1", "ContentDocumentId": document[0], "LinkedEntityId": contact[0], "ShareType": "V"},
			{"Id": "06A5g00000zzzz2", "ContentDocumentId": document[0], "LinkedEntityId": "0055g0000000001AAA", "ShareType": "I"},
		}}}
	})
	e := w.Emails()
	j := w.Do(dsar.Erase, e[people.Leaver-1])[0]
	if j.Err != nil || !maps.Equal(tallied(j.Counts, anonymous), map[string]int{"files": 1}) {
		t.Fatalf("%v, %v", j.Counts, j.Err)
	}
	if j := w.Do(dsar.Prove, e[people.Leaver-1])[0]; j.Err != nil || len(j.Counts) > 0 {
		t.Fatalf("%v, %v", j.Counts, j.Err)
	}
	out, errs := w.Gather(e[people.Californian-1])
	if errs[0] != nil || len(out[0].Rows["files"]) != 2 {
		t.Fatalf("the other has %v (%v)", conform.Sizes(out[0].Rows), errs[0])
	}
	if j := w.Do(dsar.Erase, e[people.Californian-1])[0]; j.Err != nil || conform.Erased(j.Counts)["files"] != 2 {
		t.Fatalf("the last to go: %v, %v", j.Counts, j.Err)
	}
}

// An org without person accounts and privacy settings lacks objects and fields
// that the manifest calls optional: the rest is whole, and a note says so.
func TestOptional(t *testing.T) {
	t.Parallel()
	w := newFixture(t, 12, func(s *sandbox.Config, _ *Config) {
		s.Hidden = []string{"Individual", "Contact.IndividualId", "Lead.IndividualId", "ContactPointEmail",
			"Account.PersonEmail", "Account.PersonContactId", "Account.PersonIndividualId", "Account.FirstName", "Account.LastName", "Account.PersonMobilePhone"}
	})
	e := w.Emails()[2]
	out, errs := w.Gather(e)
	want := conform.Sizes(w.Seeded(people.Leaver))
	delete(want, "individuals")
	delete(want, "contact_points")
	if errs[0] != nil || !maps.Equal(conform.Sizes(out[0].Rows), want) {
		t.Fatalf("%v, want %v: %v", conform.Sizes(out[0].Rows), want, errs[0])
	}
	var texts []string
	for _, n := range w.worker.Notes() {
		texts = append(texts, n.Text)
	}
	notes := strings.Join(texts, "\n")
	for _, part := range []string{"individuals", "contact_points", "person_accounts"} {
		if !strings.Contains(notes, part) {
			t.Errorf("no note names %s: %s", part, notes)
		}
	}
	if j := w.Do(dsar.Erase, e)[0]; j.Err != nil {
		t.Fatal(j.Err)
	}
}

// An object that isn't shown is named. What leads to its records is left, so
// that they can still be found; everything else is erased; and once it is shown,
// the rest goes.
func TestNotCovered(t *testing.T) {
	t.Parallel()
	w := newFixture(t, 12, nil)
	show := w.server.Hide("Task")
	e := w.Emails()[0]
	for _, action := range []dsar.Action{dsar.Plan, dsar.Erase, dsar.Prove} {
		j := w.Do(action, e)[0]
		why := map[string]string{}
		for _, c := range j.Counts {
			why[c.Dataset] = c.Uncovered
		}
		if j.Err != nil || !strings.Contains(why["tasks"], "object Task") || !strings.Contains(why["contacts"], "what leads to dataset tasks is left") {
			t.Errorf("%s: %v, %v", action, why, j.Err)
		}
		if nobody := w.Do(action, "nobody@example.net")[0]; nobody.Err != nil || len(nobody.Counts) > 0 {
			t.Errorf("%s, of who has nothing that leads to tasks: %v, %v", action, nobody.Counts, nobody.Err)
		}
	}
	if got := w.values("SELECT Id, Email FROM Contact WHERE Email = 'camille.o\\'brien@example.com'", "Id"); len(got) != 2 {
		t.Errorf("the way to the tasks is lost: %v", got)
	}
	if got := w.values("SELECT Id, CaseNumber FROM Case WHERE Contact.Email = 'camille.o\\'brien@example.com'", "Id"); len(got) != 0 {
		t.Errorf("the cases weren't erased: %v", got)
	}
	show()
	for _, action := range []dsar.Action{dsar.Plan, dsar.Erase, dsar.Prove} {
		if j := w.Do(action, e)[0]; j.Err != nil || action == dsar.Prove && len(j.Counts) > 0 {
			t.Errorf("%s once it is shown: %v, %v", action, j.Counts, j.Err)
		}
	}
}

// Of much, a bulk job deletes for good; where the user may not, where rows are
// locked and where the job takes its time, the end is the same.
func TestHardDelete(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(*sandbox.Config){
		"at once":       func(*sandbox.Config) {},
		"slow":          func(s *sandbox.Config) { s.BulkTime = time.Minute },
		"locked rows":   func(s *sandbox.Config) { s.Faults = fault.Config{Lock: 0.2, Seed: 3} },
		"not permitted": func(s *sandbox.Config) { s.NoHardDelete = true },
		"faults":        func(s *sandbox.Config) { s.Faults = fault.Config{ServerError: 0.1, Cut: 0.1, ErrorAfter: 0.1, Seed: 5} },
		"too slow":      func(s *sandbox.Config) { s.BulkTime = time.Hour },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newFixture(t, 60, func(s *sandbox.Config, c *Config) { change(s); c.BulkFrom = 10 })
			e := w.Emails()
			open, slow := e, false
			for try := 0; len(open) > 0 && try < 30; try++ {
				var left []string
				for i, j := range w.Do(dsar.Erase, open...) {
					if j.Err != nil {
						conform.MustPass(t, j.Err)
						left = append(left, open[i])
						slow = slow || codeOf(j.Err) == "bulk-slow"
					}
				}
				open = left
			}
			w.server.SetFaults(fault.Config{})
			if len(open) > 0 {
				j := w.Do(dsar.Erase, open...)[0]
				t.Fatalf("%d were never erased: %v (%v)", len(open), j.Err, errors.Unwrap(j.Err))
			}
			for i, j := range w.Do(dsar.Prove, e...) {
				if j.Err != nil || len(j.Counts) > 0 {
					t.Fatalf("person %d: %v, %v", i+1, j.Counts, j.Err)
				}
			}
			if slow != (name == "too slow") {
				t.Errorf("said to be slow: %v", slow)
			}
			calls := w.server.Calls()
			if name == "not permitted" && calls["jobs.ingest.batches"] > 0 || name != "not permitted" && calls["jobs.ingest.batches"] == 0 {
				t.Errorf("called %v", calls)
			}
			if n := w.server.Repeated(); n > 0 && name != "faults" {
				t.Errorf("%d records were deleted again", n)
			}
		})
	}
}

// A page of a long answer whose token has expired is asked for anew, and nothing
// is told twice.
func TestPageExpires(t *testing.T) {
	t.Parallel()
	w := newFixture(t, 40, func(s *sandbox.Config, _ *Config) { s.PageSize = 5 })
	e := w.Emails()
	w.onCall = func(path string) {
		if strings.Contains(path, "/query/") {
			w.server.ExpireCursors()
			w.onCall = nil
		}
	}
	_, errs := w.Gather(e...)
	if codeOf(errs[0]) != "page-expired" {
		t.Fatalf("got %v", errs[0])
	}
	conform.MustPass(t, errs[0])
	out, errs := w.Gather(e...)
	for i := range e {
		if errs[i] != nil || !conform.SameRows(out[i].Rows, w.Seeded(i+1)) {
			t.Fatalf("person %d: %v", i+1, errs[i])
		}
	}
}

// Told to wait for an hour, the worker parks, and says so in plain words.
func TestThrottled(t *testing.T) {
	t.Parallel()
	w := newFixture(t, 12, func(s *sandbox.Config, _ *Config) { s.Faults = fault.Config{Throttle: 1} })
	_, errs := w.Gather(w.Emails()[0])
	conform.MustPass(t, errs[0])
	var we *worker.Error
	if !errors.As(errs[0], &we) || !strings.Contains(we.Reason, "Salesforce") {
		t.Fatalf("got %v", errs[0])
	}
	w.server.SetFaults(fault.Config{})
}

// A thousand subjects are restricted, and lifted, in few calls; and so corrected.
func TestCallsToWrite(t *testing.T) {
	t.Parallel()
	w := newFixture(t, 1000, nil)
	e := w.Emails()
	for name, call := range map[string]func(context.Context, []*counted) error{"restrict": w.worker.restrict, "lift": w.worker.restrict, "rectify": w.worker.rectify} {
		before := w.server.Calls()
		jobs := make([]*counted, len(e))
		for i := range e {
			jobs[i] = &counted{Job: &worker.Job{Task: conform.Task(dsar.Restrict, e[i])}, Changes: []worker.Change{{Dataset: "contacts", Column: "Title", Value: "Dr"}}}
			jobs[i].Right, jobs[i].Lift = dsar.Restriction, name == "lift"
		}
		w.act(call, jobs...)
		for _, j := range jobs {
			if j.Err != nil && codeOf(j.Err) != "not-restrictable" { // as of whoever has no Individual
				t.Fatal(j.Err)
			}
		}
		d := conform.Since(w.server.Calls(), before)
		if n := conform.Total(d); n > 20 {
			t.Errorf("%d calls to %s: %v", n, name, d)
		}
		t.Logf("%s: %d calls", name, conform.Total(d))
	}
}

// A record that Salesforce takes for somebody's, and that isn't quite, fails
// whom it was taken for, and nobody else.
func TestStranger(t *testing.T) {
	t.Parallel()
	w := newFixture(t, 12, nil)
	near, other := subjectOf(conform.Task(dsar.Gather, "jurgen@example.org")), subjectOf(conform.Task(dsar.Gather, "somebody@example.org"))
	g := groupOf([]*subject{near, other})
	take := func(email string) error {
		n := w.worker.number("leads")
		raw := `{"Id":"00Q5g0000000001AAA","IsDeleted":false,"Email":"` + email + `"}`
		a := asking{n, fieldsOf(w.worker.objects[n].links), false}
		if err := a.read.read([]byte(raw)); err != nil {
			return err
		}
		return w.worker.take(g, a, nil, func(int, string, *fields, []*subject) error {
			t.Error("it was handed out")
			return nil
		})
	}
	if err := take("J\u00fcrgen@example.org"); err != nil || codeOf(near.err) != "stranger" || other.err != nil {
		t.Fatalf("%v; %v, %v", err, near.err, other.err)
	}
	if err := take("nobody@example.org"); codeOf(err) != "stranger" {
		t.Fatalf("whose it is nobody knows: %v", err)
	}
}
