package correction_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"

	"habeas.dev/pkg/dsar"
	"habeas.dev/pkg/event"
	"habeas.dev/pkg/manifest"
	"habeas.dev/pkg/record"
	"habeas.dev/pkg/worker"
	"habeas.dev/services/internal/correction"
)

// holder is a system with one person's records.
type holder []record.Record

func (h holder) Gather(_ context.Context, jobs []*worker.GatherJob) error {
	for _, r := range h {
		jobs[0].Err = jobs[0].Records.Write("people", r)
	}
	return nil
}

// TestSecretsAreMasked: a preview has old and new of what is to be corrected, says what stays,
// by SQL's list as by a vendor's, and shows nothing of a secret, old or new.
func TestSecretsAreMasked(t *testing.T) {
	t.Parallel()
	parse := func(own string) *manifest.Manifest {
		m, err := manifest.Parse("crm.yaml", []byte(strings.Replace(`
system: crm
title: {en: CRM, fr: CRM}
abilities: [gather, rectify]
needs: [email]
datasets:
  - name: people
    title: {en: People, fr: Personnes}
    category: identifiers
    origin: provided
    purpose: {en: P, fr: P}
    legal_basis: contract
    storage: {en: S, fr: S}
    columns:
      - {name: city, concept: contact.city}
      - {name: pin, secret: password}
      - {name: billed_to, concept: contact.city}
    OWN
`, "OWN", own, 1)))
		if err != nil {
			t.Fatal(err)
		}
		return m
	}
	m := parse("worker: {rectify: [city, pin]}")
	w := correction.Wanted{
		Corrections: []event.Correction{{Column: "contact.city", Value: "Lyon"}, {Column: "pin", Value: "4321"}, {System: "shop", Column: "city", Value: "Nice"}},
		Identifiers: []worker.Identifier{{Type: "email", Value: "anna@example.com"}},
	}
	if !w.Concerns(m) {
		t.Fatal("it isn't concerned")
	}
	got := w.Look(t.Context(), m, holder{{"city": "Paris", "pin": "1234", "billed_to": "Metz"}, {"city": nil}})
	all := fmt.Sprintf("%+v", got)
	if strings.Contains(all, "1234") || strings.Contains(all, "4321") || strings.Contains(all, "Nice") || got.Why != "" {
		t.Errorf("it shows %s", all)
	}
	want := []correction.Field{
		{System: "crm", Dataset: "people", Column: "city", Was: "Paris", Is: "Lyon"},
		{System: "crm", Dataset: "people", Column: "pin", Secret: "password"},
		{System: "crm", Dataset: "people", Column: "billed_to", Was: "Metz", Is: "Lyon", Stays: true},
	}
	if len(got.Fields) < 3 || !slices.Equal(got.Fields[:3], want) {
		t.Errorf("fields %+v", got.Fields)
	}
	if w.Identifiers = nil; !w.Look(t.Context(), m, holder{}).Unknown {
		t.Error("it was asked of nobody")
	}
	if m.Abilities = []dsar.Action{dsar.Gather}; w.Concerns(m) {
		t.Error("a system that corrects nothing is concerned")
	}
}
