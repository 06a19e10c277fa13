package bundle_test

import (
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"habeas.dev/pkg/dsar"
	"habeas.dev/pkg/manifest"
	"habeas.dev/services/internal/bundle"
	"habeas.dev/services/internal/bundle/bundletest"
	"habeas.dev/services/internal/core"
	"habeas.dev/services/internal/statement"
)

var update = flag.Bool("update", false, "write the golden pages anew")

// golden compares a bundle's page with the one that was read and approved.
func golden(t *testing.T, name string, in input, has, hasNot []string) map[string]string {
	t.Helper()
	data, _ := write(t, in)
	verifies(t, data)
	files := unpack(t, data)
	got := bundletest.ReadAloud(t, files["data/index.html"])
	path := filepath.Join("testdata", name+".txt")
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("the page differs from %s; read it, and run with -update if it is right:\n%s", path, bundletest.FirstDifference(got, string(want)))
	}
	for _, s := range has {
		if !strings.Contains(got, s) {
			t.Errorf("the page doesn't say %q", s)
		}
	}
	for _, s := range hasNot {
		for file, content := range files {
			if strings.Contains(content, s) {
				t.Errorf("%s says %q", file, s)
			}
		}
	}
	return files
}

// verifies fails where Verify names a problem.
func verifies(t testing.TB, data []byte) {
	t.Helper()
	r, err := bundle.Verify(t.Context(), strings.NewReader(string(data)), int64(len(data)))
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range r.Problems {
		t.Errorf("verify: %s", p)
	}
}

// GDPR art. 15: the data, and beside it purposes, categories, recipients,
// periods, rights, the authority, the origin, automated decisions, transfers.
func TestAccessBundle(t *testing.T) {
	t.Parallel()
	files := golden(t, "access-en", accessInput(t), []string{
		"The data we hold about you", "13 records", "2 systems", "20 November 2026", "To bill what you bought", "Ten years after the end of the business year",
		"PaymentTech, Tax authority", "Recorded from your use of our services", "A legal obligation", "Commercial information",
		"Nothing held", "This system was asked and holds nothing about you.",
		"You gave it with your request, and it was verified.", "Found by Account, from your email address camille.o'brien@example.com.",
		"CNPD", "<https://cnpd.public.lu/>", "No decision about you is made by a machine alone.", "standard contractual clauses", "an account password. To keep it safe, we show it in no answer.",
		"All of it: table (CSV) <billing/invoices.csv> , JSON <billing/invoices.json>",
	}, []string{"certificate", "secret-hash-value", "FR7630006000011234567890189", "Nothing was left out."})
	for _, name := range []string{"data/billing/invoices.csv", "data/billing/invoices.json", "data/account/profiles.csv", "data/answer.json", "data/datapackage.json"} {
		if files[name] == "" {
			t.Errorf("no %s", name)
		}
	}
	if _, there := files["data/events/registrations.csv"]; there {
		t.Error("a dataset of which nothing is held has a file")
	}
	for line := range strings.Lines(strings.TrimPrefix(files["data/account/scores.csv"], "\uFEFF_system,_dataset,interest,score\r\n")) {
		if !strings.HasPrefix(line, "account,scores,") {
			t.Errorf("a row doesn't say where it is from: %q", line)
		}
	}
}

func TestAccessBundleFrench(t *testing.T) {
	t.Parallel()
	golden(t, "access-fr", inFrench(accessInput(t)), []string{
		"Les données que nous détenons sur vous", "13 enregistrements", "20 novembre 2026", "Facturer vos achats", "Une obligation légale",
		"Ce système a été interrogé et ne détient rien sur vous.", "Trouvé par Compte, à partir de votre adresse e-mail camille.o'brien@example.com.", "Informations commerciales", "oui",
	}, []string{"The data", "Records", "holds nothing"})
}

// GDPR art. 20: what was provided or observed, on consent or contract.
func TestPortabilityBundle(t *testing.T) {
	t.Parallel()
	in := accessInput(t)
	in.Right = dsar.Portability
	data, s := write(t, in)
	if s.Records != 3 || s.LeftOut != 10 {
		t.Errorf("%+v", s)
	}
	files := golden(t, "portability-en", in, []string{
		"Your data, to take with you", "Account · Interests (2 records)", "We worked it out ourselves from other data.",
		"Billing · Invoices (8 records)", "We hold it on another ground (a legal obligation).", "that is the right of access",
	}, []string{"gardening", "F-2026-001"})
	for _, name := range []string{"data/account/scores.csv", "data/billing/invoices.json"} {
		if _, there := files[name]; there {
			t.Errorf("%s isn't left out", name)
		}
	}
	_ = data
}

func erasureInput(t testing.TB) input {
	in := accessInput(t)
	in.Right = dsar.Erasure
	until := time.Date(2036, 12, 31, 0, 0, 0, 0, time.UTC)
	kept := []dsar.Retention{{Records: 8, Ground: "accounting", Until: until}}
	proven := func(c ...dsar.Counts) core.ActionEnd {
		return core.ActionEnd{Action: dsar.Prove, Outcome: dsar.Proven, At: packedAt.Add(time.Minute), Counts: c}
	}
	in.Systems = []part{
		{Manifest: accountManifest(), Ends: []core.ActionEnd{
			ended(dsar.Plan, dsar.Found, dsar.Counts{Dataset: "profiles", Found: 1}, dsar.Counts{Dataset: "scores", Found: 2}),
			// The first attempt was broken off after the scores.
			ended(dsar.Erase, dsar.Erased, dsar.Counts{Dataset: "profiles", Erased: 1}), proven(),
		}},
		{Manifest: billingManifest(), Ends: []core.ActionEnd{
			ended(dsar.Plan, dsar.Found, dsar.Counts{Dataset: "invoices", Found: 8, Retained: kept}, dsar.Counts{Dataset: "payment_methods", Found: 1}),
			ended(dsar.Erase, dsar.Retained, dsar.Counts{Dataset: "invoices", Retained: kept}, dsar.Counts{Dataset: "payment_methods", Anonymised: 1, Taken: []dsar.Taken{{Table: "mandates", Records: 3}}}),
			proven(dsar.Counts{Dataset: "invoices", Found: 8, Retained: kept}),
		}},
		{Manifest: eventsManifest(), Ends: []core.ActionEnd{ended(dsar.Plan, dsar.NothingFound), ended(dsar.Erase, dsar.NothingFound), proven()}},
	}
	return in
}

// GDPR art. 17: what was erased where, proven when, what is kept until when.
func TestErasureCertificate(t *testing.T) {
	t.Parallel()
	files := golden(t, "erasure-en", erasureInput(t), []string{
		"Certificate of erasure", "With these records went what our database had attached to them (mandates): 3 records.", "2 records erased", "2 records no longer there", "8 records kept for now", "Partly kept",
		"The law makes us keep our books (Code de commerce, art. L123-22)", "Kept until 31 December 2036", "When that day comes they are erased.",
		"Asked again on 20 November 2026, 09:32 UTC: nothing was found.", "nothing was found but what must be kept",
	}, []string{"account/profiles.csv"})
	if _, there := files["data/answer.json"]; there {
		t.Error("the certificate isn't one")
	}
	a := answerOf(t, files)
	kept := a.About("billing", "invoices", statement.Kept)
	if a.Request.Right != dsar.Erasure || a.AnswerOf("billing") != statement.PartlyKept || len(a.About("billing", "", statement.AskedAgainKept)) != 1 || len(kept) != 1 || kept[0].Until.Year() != 2036 ||
		a.Records("billing", "payment_methods", statement.Anonymised) != 1 {
		t.Errorf("%+v", a.Statements)
	}
	if a.Records("account", "scores", statement.Found) != 2 || a.Records("account", "scores", statement.Erased) != 0 || a.Records("account", "scores", statement.Gone) != 2 {
		t.Errorf("what nobody reported as erased isn't told as gone: %+v", a.About("account", "scores"))
	}
}

// Where the report of an erasure was lost, and the second attempt found nothing to do
// any more, nobody can say who erased: the records are told as no longer there.
func TestCertificateOfALostReport(t *testing.T) {
	t.Parallel()
	m := billingManifest()
	m.Datasets[1].SQL = &manifest.DatasetSQL{Erase: manifest.EraseAnonymise}
	in := erasureInput(t)
	in.Systems = []part{{Manifest: m, Ends: []core.ActionEnd{
		ended(dsar.Plan, dsar.Found, dsar.Counts{Dataset: "invoices", Found: 2}, dsar.Counts{Dataset: "payment_methods", Found: 3}),
		ended(dsar.Erase, dsar.NothingFound), ended(dsar.Prove, dsar.Proven),
	}}}
	data, _ := write(t, in)
	page := bundletest.ReadAloud(t, unpack(t, data)["data/index.html"])
	if !strings.Contains(page, "Invoices 2 0 0 0 2") || !strings.Contains(page, "Payment methods 3 0 0 0 3") {
		t.Error(page)
	}
}

// What is erased with something else is told, without a number.
func TestErasedWithSomethingElse(t *testing.T) {
	t.Parallel()
	m := billingManifest()
	m.Datasets[1].GoesWith = "invoices"
	in := erasureInput(t)
	in.Systems = []part{{Manifest: m, Ends: []core.ActionEnd{
		ended(dsar.Plan, dsar.Found, dsar.Counts{Dataset: "invoices", Found: 2}),
		ended(dsar.Erase, dsar.Erased, dsar.Counts{Dataset: "invoices", Found: 2, Erased: 2}), ended(dsar.Prove, dsar.Proven),
	}}}
	data, _ := write(t, in)
	page := bundletest.ReadAloud(t, unpack(t, data)["data/index.html"])
	if !strings.Contains(page, "Payment methods (gone with: Invoices) – – – –") {
		t.Error(page)
	}
}

func TestErasureCertificateFrench(t *testing.T) {
	t.Parallel()
	golden(t, "erasure-fr", inFrench(erasureInput(t)), []string{
		"Certificat d’effacement", "2 enregistrements effacés", "2 enregistrements déjà absents", "Conservés jusqu’au 31 décembre 2036", "La loi nous oblige à conserver nos comptes",
		"Interrogé à nouveau le 20 novembre 2026 à 09:32 UTC : rien n’a été trouvé.",
	}, []string{"Certificate of"})
}

// An erasure that was not proven must not say that it was.
func TestErasureWithoutProof(t *testing.T) {
	t.Parallel()
	in := erasureInput(t)
	in.Systems[0].Ends[2] = core.ActionEnd{Action: dsar.Prove, Outcome: dsar.NotApplicable, Code: "by-hand"}
	data, _ := write(t, in)
	page := bundletest.ReadAloud(t, unpack(t, data)["data/index.html"])
	if !strings.Contains(page, "No second check was made.") || strings.Contains(page, ": nothing was found.") {
		t.Error(page)
	}
}

// Nothing found: said for each system, and why one could not be asked.
func TestNothingFoundBundle(t *testing.T) {
	t.Parallel()
	in := accessInput(t)
	in.Identifiers = []statement.Identifier{{Type: "email", Value: "nobody@example.net"}}
	in.Systems = []part{
		{Manifest: accountManifest(), Ends: []core.ActionEnd{ended(dsar.Resolve, dsar.NothingFound), ended(dsar.Gather, dsar.NothingFound)}, Sources: []bundle.Source{source(t)}},
		{Manifest: billingManifest(), Ends: []core.ActionEnd{{Action: dsar.Gather, Outcome: dsar.NotApplicable, Code: "no-identifier"}}},
		{Manifest: eventsManifest(), Ends: []core.ActionEnd{ended(dsar.Gather, dsar.NothingFound)}},
	}
	golden(t, "nothing-en", in, []string{
		"We looked in every system that could hold data about you. None of them holds any.",
		"Account Nothing held This system was asked and holds nothing about you.",
		"Billing Nothing held This system knows people only by account number. Account was asked, and knows none of yours.",
		"Events Nothing held",
	}, []string{"Here it is"})
	golden(t, "nothing-fr", inFrench(in), []string{"Aucun n’en contient.", "Ce système ne connaît les personnes que par numéro de compte"}, nil)
}

// Who finds what a system needs may itself know people only by what a third
// finds: the third was asked, and the page may say that nothing is held.
func TestNothingFoundThroughTwo(t *testing.T) {
	t.Parallel()
	unasked := []core.ActionEnd{{Action: dsar.Gather, Outcome: dsar.NotApplicable, Code: "no-identifier"}}
	billing, cards := billingManifest(), eventsManifest()
	billing.Finds = []dsar.IdentifierType{"customer_ref"}
	cards.System, cards.Needs = "cards", []dsar.IdentifierType{"customer_ref"}
	for outcome, nothing := range map[dsar.Outcome]bool{dsar.NothingFound: true, dsar.Found: false} {
		in := accessInput(t)
		in.Systems = []part{
			{Manifest: accountManifest(), Ends: []core.ActionEnd{ended(dsar.Resolve, outcome), ended(dsar.Gather, dsar.NothingFound)}, Sources: []bundle.Source{source(t)}},
			{Manifest: billing, Ends: unasked}, {Manifest: cards, Ends: unasked},
		}
		data, _ := write(t, in)
		page := bundletest.ReadAloud(t, unpack(t, data)["data/index.html"])
		if strings.Contains(page, "None of them holds any.") != nothing {
			t.Errorf("account's answer is %s: %s", outcome, page)
		}
	}
}

// Where nobody was asked for an account number, nothing can be said of a system
// that knows people only by it.
func TestNobodyAskedIsNotNothing(t *testing.T) {
	t.Parallel()
	in := accessInput(t)
	in.Systems = []part{
		{Manifest: billingManifest(), Ends: []core.ActionEnd{{Action: dsar.Gather, Outcome: dsar.NotApplicable, Code: "no-identifier"}}},
		{Manifest: eventsManifest(), Ends: []core.ActionEnd{ended(dsar.Gather, dsar.NothingFound)}},
	}
	data, _ := write(t, in)
	page := bundletest.ReadAloud(t, unpack(t, data)["data/index.html"])
	if strings.Contains(page, "None of them holds any") || !strings.Contains(page, "So it could not be asked about you.") {
		t.Error(page)
	}
}

// A system that gave no answer must not be told as one that holds nothing.
func TestNoAnswerIsNotNothing(t *testing.T) {
	t.Parallel()
	in := accessInput(t)
	in.Systems = []part{
		{Manifest: accountManifest(), Ends: []core.ActionEnd{ended(dsar.Gather, dsar.NothingFound)}},
		{Manifest: billingManifest(), Ends: []core.ActionEnd{{Action: dsar.Gather, Outcome: dsar.Failed, Code: "no-permission"}}},
		{Manifest: eventsManifest()},
	}
	data, _ := write(t, in)
	page := bundletest.ReadAloud(t, unpack(t, data)["data/index.html"])
	if strings.Contains(page, "None of them holds any") || strings.Count(page, "This system could not answer. What it holds is not in here.") != 4 {
		t.Error(page)
	}
}

// 11 CCR 7024(d): described with particularity, and shown nowhere.
func TestCaliforniaBundle(t *testing.T) {
	t.Parallel()
	in := accessInput(t)
	in.Jurisdiction = "California"
	in.Policy = policy{Controller: statement.Controller{
		Law: "California Consumer Privacy Act (CCPA)", Entity: "Example Cloud Inc.", Categories: true,
		Also:      []string{"We sold none of your data in the 12 months before your request."},
		Complaint: []statement.Authority{{Name: "California Privacy Protection Agency", URL: "https://cppa.ca.gov"}},
	}}
	files := golden(t, "california-en", in, []string{
		"We hold this about you: an account password.", "Account · Sign-in · Password", "We hold this about you: a financial account number.", "held, not shown",
		"Categories of data", "Identifiers Your profile, Sign-in", "We sold none of your data", "California Privacy Protection Agency",
	}, []string{"secret-hash-value", "FR7630006000011234567890189"})
	if !strings.Contains(files["data/account/credentials.csv"], "account,credentials,camille,\"[held, not shown: password]\",\r\n") &&
		!strings.Contains(files["data/account/credentials.csv"], "account,credentials,camille,\"[held, not shown: password]\",") {
		t.Errorf("%q", files["data/account/credentials.csv"])
	}
	// Nothing is held of the security question, and that may be told.
	if strings.Contains(files["data/answer.json"], "security-question") {
		t.Error("a kind is said to be held that isn't")
	}
}

func TestKnowCategoriesBundle(t *testing.T) {
	t.Parallel()
	in := accessInput(t)
	in.Right, in.Jurisdiction = dsar.KnowCategories, "California"
	for i := range in.Systems {
		in.Systems[i].Sources = nil
	}
	in.Systems[0].Ends = []core.ActionEnd{ended(dsar.Plan, dsar.Found, dsar.Counts{Dataset: "profiles", Found: 1}, dsar.Counts{Dataset: "scores", Found: 2})}
	in.Systems[1].Ends = []core.ActionEnd{ended(dsar.Plan, dsar.Found, dsar.Counts{Dataset: "invoices", Found: 8})}
	in.Systems[2].Ends = []core.ActionEnd{ended(dsar.Plan, dsar.NothingFound)}
	golden(t, "categories-en", in, []string{
		"The kinds of data we hold about you", "Identifiers Your profile You gave it to us", "Inferences Interests Worked out from other data", "11 records",
	}, []string{"professional or employment\"}"})
}

// The rights that change something.
func TestRestrictionBundle(t *testing.T) {
	t.Parallel()
	in := accessInput(t)
	in.Right = dsar.Restriction
	in.Systems = in.Systems[:2]
	in.Systems[0].Sources, in.Systems[1].Sources = nil, nil
	in.Systems[0].Ends = []core.ActionEnd{ended(dsar.Restrict, dsar.Restricted, dsar.Counts{Dataset: "profiles", Restricted: 1})}
	in.Systems[1].Ends = []core.ActionEnd{{Action: dsar.Restrict, Outcome: dsar.Manual, Code: "no-ability"}}
	in.Letter = &bundle.Letter{Title: "Dear Camille", Paragraphs: []string{"We did as you asked."}}
	golden(t, "restriction-en", in, []string{"Your data, restricted", "1 record changed", "Handled by a person", "Dear Camille"}, nil)
}

// A system of which nothing was to be changed isn't told as one that holds
// nothing: a withdrawal for one purpose leaves the data of the others.
func TestNothingToChangeIsNotNothing(t *testing.T) {
	t.Parallel()
	for _, right := range []dsar.Right{dsar.Rectification, dsar.Restriction, dsar.Objection, dsar.ConsentWithdrawal, dsar.OptOut} {
		for lang, want := range map[string][2]string{"en": {"concerns nothing in it", "holds nothing about you"}, "fr": {"n’y concerne rien", "ne détient rien sur vous"}} {
			in := accessInput(t)
			in.Right, in.Locale = right, lang
			for i := range in.Systems {
				in.Systems[i].Sources, in.Systems[i].Ends = nil, []core.ActionEnd{ended(right.Stages()[0], dsar.NothingFound)}
			}
			data, _ := write(t, in)
			page := bundletest.ReadAloud(t, unpack(t, data)["data/index.html"])
			if strings.Count(page, want[0]) != len(in.Systems) || strings.Contains(page, want[1]) || strings.Contains(page, "None of them holds any") || strings.Contains(page, "Aucun n’en contient") {
				t.Errorf("%s, %s:\n%s", right, lang, page)
			}
		}
	}
}
