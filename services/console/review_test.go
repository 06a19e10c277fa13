package console_test

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"habeas.dev/pkg/dsar"
	"habeas.dev/pkg/record"
	"habeas.dev/pkg/vault"
	"habeas.dev/services/console"
	"habeas.dev/services/internal/core"
	"habeas.dev/services/internal/lifecycle"
	"habeas.dev/services/internal/manualrecords"
	"habeas.dev/services/internal/remarks"
)

// toldOfOthers is an access of which somebody must look at what was gathered: two invoices, of which
// the manifest takes the second to be about others.
func (d *desk) toldOfOthers() string { return d.gatheredOfOthers(2) }

func (d *desk) gatheredOfOthers(invoices int) string {
	var records []record.Record
	for i := range invoices {
		r := record.Record{"number": int64(i), "amount": 12.5, "payer": canary, "note": "mine <b>"}
		if i == 1 {
			r = record.Record{"number": int64(i), "amount": nil, "payer": "bob@example.org", "note": "Bob has the flu"}
		}
		records = append(records, r)
	}
	return d.gatheredRecords([]string{"number", "amount", "payer", "note"}, records...)
}

// gatheredRecords is an access of which somebody must look at some records of invoices.
func (d *desk) gatheredRecords(columns []string, records ...record.Record) string {
	id := d.submit(dsar.Access)
	o := dsar.Object{Name: "billing/gather/1-test", Records: int64(len(records))}
	out, err := d.vault.Create(context.Background(), id, o.Name)
	if err != nil {
		d.t.Fatal(err)
	}
	w := record.NewWriter(out)
	if err := w.Begin(record.Section{Dataset: "invoices", Columns: columns}); err != nil {
		d.t.Fatal(err)
	}
	for _, r := range records {
		if err := w.Write(r); err != nil {
			d.t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		d.t.Fatal(err)
	}
	o.Bytes = out.Bytes()
	if err := out.Close(); err != nil {
		d.t.Fatal(err)
	}
	d.hear(id, dsar.Report{System: "billing", Action: dsar.Gather, Kind: dsar.ReportFailed, Outcome: dsar.Manual, Code: dsar.CodeOthers, Reason: "a person must look",
		Objects: []dsar.Object{o}, Counts: []dsar.Counts{{Dataset: "invoices", Found: o.Records, Gathered: o.Records}}})
	return id
}

// TestLookAndRedact: an agent sees each value of what was gathered, what the manifest takes to
// be about others chosen already, and the answer then lacks what they chose, and nothing else;
// the fact says how many values of which column, and why.
func TestLookAndRedact(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	id := d.toldOfOthers()
	agent := d.as(console.Agent)
	if page := d.call(agent, "GET", "/requests/"+id, nil).Body.String(); !strings.Contains(page, "/look") || strings.Contains(page, "Bob has the flu") {
		t.Fatal("the page doesn't offer to look, or shows what it shouldn't")
	}
	look := d.call(agent, "POST", "/requests/"+id+"/look", d.form(id, "system", "billing"))
	page := look.Body.String()
	for _, want := range []string{"Bob has the flu", "mine &lt;b&gt;", canary, `name="value:1:note"`, `<option value="another-person" selected>`} {
		if !strings.Contains(page, want) {
			t.Errorf("%d, the page lacks %s", look.Code, want)
		}
	}
	if n := strings.Count(page, "another-person\" selected"); n != 2 {
		t.Errorf("%d values are chosen, the manifest says two", n)
	}
	// What is wrong keeps what was chosen, and changes nothing.
	bad := d.form(id, "system", "billing", "value:0:note", "in-confidence")
	bad.Set("reason", "")
	if w := d.call(agent, "POST", "/requests/"+id+"/redact", bad); w.Code == http.StatusSeeOther || strings.Count(w.Body.String(), "\" selected") != 1 {
		t.Errorf("without a reason: %d", w.Code)
	}
	for name, pairs := range map[string][]string{
		"a value that there isn't": {"value:7:note", "staff"}, "a column that there isn't": {"value:0:other", "staff"},
		"a reason that there isn't": {"value:0:note", "because"}, "a number that is none": {"value:x:note", "staff"},
	} {
		if w := d.call(agent, "POST", "/requests/"+id+"/redact", d.form(id, append(pairs, "system", "billing")...)); w.Code != http.StatusUnprocessableEntity {
			t.Errorf("%s: %d", name, w.Code)
		}
	}
	if w := d.call(agent, "POST", "/requests/"+id+"/redact", d.form(id, "system", "billing", "value:1:note", "another-person", "value:0:payer", "staff", "value:0:note", "")); w.Code != http.StatusSeeOther {
		t.Fatalf("%d: %s", w.Code, w.Body)
	}
	s, err := d.requests.State(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	end := s.Task("billing", dsar.Gather).End
	rows := d.rows(id, end.Objects)
	if want := []string{`[0,12.5,"` + record.AboutOthers + `","mine \u003cb\u003e"]`, `[1,null,"bob@example.org","` + record.AboutOthers + `"]`}; end.Code != dsar.CodeOthersReviewed || !slices.Equal(rows, want) {
		t.Errorf("%s: the answer is of %q", end.Code, rows)
	}
	page = d.call(agent, "GET", "/requests/"+id, nil).Body.String()
	if !strings.Contains(page, "2 values redacted: invoices.note 1 (about another person), invoices.payer 1 (about one of our staff)") {
		t.Error("the timeline doesn't say what was redacted")
	}
	if w := d.call(agent, "POST", "/requests/"+id+"/look", d.form(id, "system", "billing")); strings.Contains(w.Body.String(), "Bob has the flu") {
		t.Error("it is shown again, though nothing waits for it")
	}
}

// rows returns the rows of some objects, as JSON.
func (d *desk) rows(id string, objects []dsar.Object) (rows []string) {
	d.t.Helper()
	if err := manualrecords.Look(d.t.Context(), d.vault, id, objects, func(_ record.Section, _ int64, row []json.RawMessage) error {
		line, err := json.Marshal(row)
		rows = append(rows, string(line))
		return err
	}); err != nil {
		d.t.Fatal(err)
	}
	return rows
}

// chosen returns what a page of records submits where nobody changes it.
func chosen(page string) (fields []string) {
	for _, part := range strings.Split(page, `<select name="`)[1:] {
		part, _, _ = strings.Cut(part, "</select>")
		name, _, _ := strings.Cut(part, `"`)
		if before, _, is := strings.Cut(part, `" selected>`); is {
			fields = append(fields, name, before[strings.LastIndexByte(before, '"')+1:])
		}
	}
	return fields
}

// TestOthersSecretIsRedacted: a secret that the manifest takes to be about others isn't shown on the
// page, is redacted there as any other value, and the answer has nothing of it: it had the last
// digits of somebody else's card.
func TestOthersSecretIsRedacted(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	const own, others = "4111111111111111", "5555555555554444"
	id := d.gatheredRecords([]string{"payer", "card"}, record.Record{"payer": canary, "card": own}, record.Record{"payer": "bob@example.org", "card": others})
	agent := d.as(console.Agent)
	page := d.call(agent, "POST", "/requests/"+id+"/look", d.form(id, "system", "billing")).Body.String()
	if strings.Contains(page, own) || strings.Contains(page, others) || strings.Count(page, "A secret: it isn’t shown here.") != 2 || strings.Count(page, "is masked") != 2 {
		t.Error("a secret is shown, or isn't told")
	}
	// Whoever agrees with the page submits what it has chosen.
	if w := d.call(agent, "POST", "/requests/"+id+"/redact", d.form(id, append(chosen(page), "system", "billing")...)); w.Code != http.StatusSeeOther {
		t.Fatalf("%d: %s", w.Code, w.Body)
	}
	s, err := d.requests.State(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	want := []string{`["` + canary + `","` + own + `"]`, `["` + record.AboutOthers + `","` + record.AboutOthers + `"]`}
	if rows := d.rows(id, s.Task("billing", dsar.Gather).End.Objects); !slices.Equal(rows, want) {
		t.Errorf("the answer is of %q", rows)
	}
}

// TestRedactRefuses: a form that can't be read says so; one whose reason can't be taken keeps what
// was chosen, as does one after which somebody else has acted; and none of them leaves copies.
func TestRedactRefuses(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	made := &creations{Vault: d.vault}
	d.Console.Vault = made
	id := d.toldOfOthers()
	agent := d.as(console.Agent)
	d.call(agent, "POST", "/requests/"+id+"/look", d.form(id, "system", "billing"))
	const tooMuch = "This is more than a form takes."
	for _, c := range []struct {
		what, field, value string
		status, chosen     int
		says               string
	}{
		{"a form without end", "value:0:amount", strings.Repeat("x", 5<<20), http.StatusUnprocessableEntity, 0, tooMuch},
		{"a reason without end", "reason", strings.Repeat("x", 5000), http.StatusUnprocessableEntity, 1, tooMuch},
		{"an address in the reason", "reason", "as a@b.example says", http.StatusUnprocessableEntity, 1, ""},
		{"another's act in between", "acts", "99", http.StatusConflict, 1, ""},
		{"a value that there isn't", "value:7:note", "staff", http.StatusUnprocessableEntity, 1, ""},
	} {
		before := d.version(id)
		w := d.call(agent, "POST", "/requests/"+id+"/redact", d.form(id, "system", "billing", "value:0:note", "in-confidence", c.field, c.value))
		if types, _ := d.facts(id, before+1); strings.Contains(w.Body.String(), "form class=\"review\"") && !slices.Equal(types, []string{core.TypeOf(core.IdentifiersRevealed{})}) {
			t.Errorf("%s: the records are shown, and the facts are %v", c.what, types)
		} else if c.chosen > 0 && len(types) == 0 {
			t.Errorf("%s: that somebody looks is no fact", c.what)
		}
		if page := w.Body.String(); w.Code != c.status || strings.Count(page, "in-confidence\" selected") != c.chosen || !strings.Contains(page, c.says) {
			t.Errorf("%s: %d, %d chosen", c.what, w.Code, strings.Count(page, "in-confidence\" selected"))
		}
	}
	if made.n != 0 {
		t.Errorf("%d copies are made, of which none is answered", made.n)
	}
	if w := d.call(agent, "POST", "/requests/"+id+"/redact", d.form(id, "system", "billing", "reason", "  so it is  ")); w.Code != http.StatusSeeOther || made.n != 1 {
		t.Errorf("%d, %d copies", w.Code, made.n)
	}
}

// creations counts the objects that are made.
type creations struct {
	console.Vault
	n int
}

// Create implements console.Vault.
func (c *creations) Create(ctx context.Context, requestID, name string) (*vault.ObjectWriter, error) {
	c.n++
	return c.Vault.Create(ctx, requestID, name)
}

// keysSay is a vault whose key store says an error, and counts how often it was asked.
type keysSay struct {
	console.Vault
	err   error
	asked int
}

// Keys implements console.Vault.
func (k *keysSay) Keys(context.Context, string) (*vault.Keys, error) {
	k.asked++
	return nil, k.err
}

// TestKeysAwayAreNotDestroyed: where the key store is away, nobody is told that the keys were
// destroyed, which is final: the page is unavailable, and the log has the cause.
func TestKeysAwayAreNotDestroyed(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		err    error
		status int
	}{{errors.New("the key store is away"), http.StatusServiceUnavailable}, {vault.ErrShredded, http.StatusUnprocessableEntity}} {
		d := newDesk(t)
		id := d.toldOfOthers()
		agent := d.as(console.Agent)
		d.Console.Vault = &keysSay{Vault: d.vault, err: c.err}
		for _, act := range []string{"look", "reveal"} {
			before := strings.Count(d.log.String(), "the key store is away")
			w := d.call(agent, "POST", "/requests/"+id+"/"+act, d.form(id, "system", "billing"))
			logged := strings.Count(d.log.String(), "the key store is away") > before
			if w.Code != c.status || logged != (c.status == http.StatusServiceUnavailable) || strings.Contains(w.Body.String(), canary) {
				t.Errorf("%s, %v: %d, logged %t", act, c.err, w.Code, logged)
			}
		}
	}
}

// TestKeysAreAskedForOnce: a page asks for a request's keys once, however many people wrote
// something in it: keys that were destroyed are in no cache.
func TestKeysAreAskedForOnce(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	d.requests = lifecycle.New(d.journal, lifecycle.WithRemarks(remarks.Remarks{Vault: d.vault}))
	id := d.submit(dsar.Access)
	for _, reason := range []string{"the first", "the second", "the third"} {
		d.do(id, core.Note{By: "lea", Reason: reason, Now: d.clock()})
	}
	away := &keysSay{Vault: d.vault, err: vault.ErrShredded}
	d.Console.Vault = away
	for _, page := range []string{"/requests/" + id, "/requests/" + id + "/trace.json", "/requests/" + id + "/evidence.zip"} {
		away.asked = 0
		if w := d.call(d.as(console.Officer), "GET", page, nil); w.Code != http.StatusOK || away.asked != 1 {
			t.Errorf("%s: %d, and the keys are asked for %d times", page, w.Code, away.asked)
		}
	}
}

// TestLookIsBounded: what no page can show is looked at on the command line.
func TestLookIsBounded(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	id := d.gatheredOfOthers(201)
	if w := d.call(d.as(console.Agent), "POST", "/requests/"+id+"/look", d.form(id, "system", "billing")); !strings.Contains(w.Body.String(), "habeas review") || strings.Contains(w.Body.String(), "Bob has the flu") {
		t.Errorf("%d", w.Code)
	}
}

// TestRedactionsAreReasons: the reasons that a form offers are those that a fact may have.
func TestRedactionsAreReasons(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	id := d.toldOfOthers()
	page := d.call(d.as(console.Agent), "POST", "/requests/"+id+"/look", d.form(id, "system", "billing")).Body.String()
	for _, reason := range core.RedactReasons() {
		if !strings.Contains(page, `<option value="`+url.QueryEscape(string(reason))+`"`) {
			t.Errorf("%s isn't offered", reason)
		}
	}
}
