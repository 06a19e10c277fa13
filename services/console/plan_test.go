package console_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"slices"
	"strings"
	"testing"

	"habeas.dev/pkg/dsar"
	"habeas.dev/pkg/vault"
	"habeas.dev/pkg/worker"
	"habeas.dev/services/console"
	"habeas.dev/services/internal/core"
)

// planKey is the key of a record of the tests' plan.
const planKey = "INV-2026-000471"

// planned is an erasure whose plan is known, and done.
func (d *desk) planned() string {
	id := d.submit(dsar.Erasure)
	var text bytes.Buffer
	if err := worker.WritePlan(&text, []worker.Entry{{Dataset: "invoices", Key: planKey}, {Dataset: "invoices", Key: "INV-2", Keep: true, Ground: "tax-records", Until: start.AddDate(5, 0, 0)}}); err != nil {
		d.t.Fatal(err)
	}
	sum := sha256.Sum256(text.Bytes())
	o := dsar.Object{Name: "billing/plan/1-test", Bytes: int64(text.Len()), Records: 2, SHA256: hex.EncodeToString(sum[:])}
	out, err := d.vault.Create(context.Background(), id, o.Name)
	if err != nil {
		d.t.Fatal(err)
	}
	if _, err := out.Write(text.Bytes()); err != nil {
		d.t.Fatal(err)
	}
	if err := out.Close(); err != nil {
		d.t.Fatal(err)
	}
	kept := []dsar.Retention{{Records: 1, Ground: "tax-records", Until: start.AddDate(5, 0, 0)}}
	d.hear(id, dsar.Report{System: "billing", Action: dsar.Plan, Kind: dsar.ReportEnded, Outcome: dsar.Found, Counts: []dsar.Counts{{Dataset: "invoices", Found: 2, Retained: kept}},
		Objects: []dsar.Object{o}, Notes: []string{"3 rows of reminders would go"}})
	d.hear(id, dsar.Report{System: "billing", Action: dsar.Erase, Kind: dsar.ReportEnded, Outcome: dsar.Retained, Counts: []dsar.Counts{{Dataset: "invoices", Erased: 1, Retained: kept}}})
	d.hear(id, dsar.Report{System: "billing", Action: dsar.Prove, Kind: dsar.ReportEnded, Outcome: dsar.Proven, Counts: []dsar.Counts{{Dataset: "invoices", Found: 1, Retained: kept}}})
	d.hear(id, dsar.Report{System: dsar.Aggregator, Action: dsar.Assemble, Kind: dsar.ReportEnded, Outcome: dsar.Assembled, Objects: []dsar.Object{{Name: "bundle"}}})
	return id
}

// TestPlanIsShown: what an erasure touches is shown to everybody, by dataset; the keys of
// its records only to who may open them, in the one answer that is a fact; and the proof
// is made anew where it is asked for.
func TestPlanIsShown(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	id := d.planned()
	for _, role := range readers {
		page := d.call(d.as(role), "GET", "/requests/"+id, nil).Body.String()
		for _, want := range []string{"invoices", "3 rows of reminders would go", "1: tax records"} {
			if !strings.Contains(page, want) {
				t.Errorf("%s doesn't see %q", role, want)
			}
		}
		if strings.Contains(page, planKey) || strings.Contains(page, "/open-plan") != (role == console.Officer) {
			t.Errorf("%s sees keys, or how to open them", role)
		}
	}
	w := d.call(d.as(console.Officer), "POST", "/requests/"+id+"/open-plan", d.form(id))
	if w.Code != http.StatusOK || !strings.Contains(w.Body.String(), planKey) {
		t.Errorf("%d: no key is shown", w.Code)
	}
	if strings.Contains(d.log.String(), planKey) {
		t.Error("the log has a key")
	}
	if types, _ := d.facts(id, 1); types[len(types)-1] != core.TypeOf(core.PlanOpened{}) {
		t.Errorf("the last fact is %s", types[len(types)-1])
	}
	if err := d.vault.Shred(t.Context(), id); err != nil {
		t.Fatal(err)
	}
	if w := d.call(d.as(console.Officer), "POST", "/requests/"+id+"/open-plan", d.form(id)); w.Code != http.StatusOK || strings.Contains(w.Body.String(), planKey) {
		t.Errorf("%d: a plan whose keys are destroyed", w.Code)
	}
}

// TestDoubtfulIsAsked: identifiers that may be somebody else's are listed with how they
// were found; those that are chosen are the person's, the others are used for nothing.
func TestDoubtfulIsAsked(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	id := d.submit(dsar.Access)
	s := d.stateOf(id)
	a := s.Accepted
	a.RequestID, a.Digest = otherID, "other"
	a.Systems = []dsar.System{{Name: "billing", Abilities: []dsar.Action{dsar.Resolve, dsar.Gather}, Needs: []dsar.IdentifierType{"email", "customer_ref"}, Finds: []dsar.IdentifierType{"customer_ref"},
		Links: []dsar.Link{{Find: "customer_ref", By: "email", One: true}}}}
	keys, err := d.vault.CreateKeys(t.Context(), otherID)
	if err != nil {
		t.Fatal(err)
	}
	found := func(value string) dsar.Identifier {
		sealed, err := keys.Seal([]byte(value), vault.Identifier)
		if err != nil {
			t.Fatal(err)
		}
		return dsar.Identifier{Type: "customer_ref", Fingerprint: d.vault.Fingerprint("customer_ref", value), Sealed: sealed, From: a.Identifiers[0].Fingerprint}
	}
	if _, err := d.requests.Accept(t.Context(), a); err != nil {
		t.Fatal(err)
	}
	mine, theirs := found("C-1"), found("C-2")
	d.hear(otherID, dsar.Report{System: "billing", Action: dsar.Resolve, Kind: dsar.ReportEnded, Outcome: dsar.Found, Identifiers: []dsar.Identifier{mine, theirs}})
	page := d.call(d.as(console.Agent), "GET", "/requests/"+otherID, nil).Body.String()
	for _, want := range []string{`name="same" value="` + mine.Fingerprint + `"`, `name="same" value="` + theirs.Fingerprint + `"`, "found by billing from the email"} {
		if !strings.Contains(page, want) {
			t.Errorf("the page lacks %q", want)
		}
	}
	if strings.Contains(page, "C-1") {
		t.Error("the page has a value")
	}
	form := d.form(otherID, "system", "billing", "action", "resolve", "outcome", "found", "same", mine.Fingerprint)
	if w := d.send(d.as(console.Agent), multipartForm(t, "/requests/"+otherID+"/answer", form)); w.Code != http.StatusSeeOther {
		t.Fatalf("%d: %s", w.Code, w.Body)
	}
	known := func(id dsar.Identifier) bool {
		return slices.ContainsFunc(d.stateOf(otherID).Identifiers, func(k dsar.Identifier) bool { return k.Fingerprint == id.Fingerprint })
	}
	if !known(mine) || known(theirs) {
		t.Errorf("known: the person's %t, somebody else's %t", known(mine), known(theirs))
	}
}

const otherID = "5b1e8f0c-93a7-4c58-8d43-0e5d5f4f7a01"

func (d *desk) stateOf(id string) core.State {
	s, err := d.requests.State(context.Background(), id)
	if err != nil {
		d.t.Fatal(err)
	}
	return s
}
