package bundle_test

import (
	"archive/zip"
	"bytes"
	"context"
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	"habeas.dev/pkg/dsar"
	"habeas.dev/pkg/manifest"
	"habeas.dev/pkg/record"
	"habeas.dev/services/internal/bundle"
	"habeas.dev/services/internal/bundle/bundletest"
	"habeas.dev/services/internal/core"
	"habeas.dev/services/internal/statement"
)

// The fixture is a small company of three systems, as a manifest's author
// would declare them.

func text(en, fr string) manifest.Text { return manifest.Text{"en": en, "fr": fr} }

func accountManifest() *manifest.Manifest {
	return &manifest.Manifest{
		System: "account", Title: text("Account", "Compte"), Needs: []dsar.IdentifierType{"email", "phone"}, Finds: []dsar.IdentifierType{"account_id"},
		Datasets: []manifest.Dataset{
			{
				Name: "profiles", Since: "created_at", Title: text("Your profile", "Votre profil"), Category: "identifiers", Origin: manifest.Provided,
				Purpose: text("To know who uses your account and to reach you", "Savoir qui utilise votre compte et vous joindre"), LegalBasis: "contract",
				Storage: text("As long as you have an account", "Tant que vous avez un compte"),
				Columns: []manifest.Column{
					{Name: "account_id", Title: text("Account number", "Numéro de compte")}, {Name: "name", Title: text("Name", "Nom")}, {Name: "email"}, {Name: "phone", Title: text("Phone", "Téléphone")},
					{Name: "created_at", Title: text("Opened", "Ouvert le"), Type: "datetime"}, {Name: "newsletter", Title: text("Newsletter", "Lettre d’information"), Type: "boolean"},
					{Name: "address", Title: text("Address", "Adresse"), Type: "object"},
				},
			},
			{
				Name: "credentials", Title: text("Sign-in", "Connexion"), Category: "identifiers", Origin: manifest.Provided,
				Purpose: text("To keep others out of your account", "Protéger votre compte"), LegalBasis: "contract", Storage: text("Until you change it", "Jusqu’à ce que vous le changiez"),
				Columns: []manifest.Column{{Name: "user_name"}, {Name: "password_hash", Secret: "password", Title: text("Password", "Mot de passe")}, {Name: "security_question", Secret: "security-question"}},
			},
			{
				Name: "scores", Title: text("Interests", "Centres d’intérêt"), Category: "inferences", Origin: manifest.Derived,
				Purpose: text("To show you what fits", "Vous montrer ce qui vous convient"), LegalBasis: "consent", Recipients: []string{"Marketo"}, Storage: text("One year", "Un an"),
				Columns: []manifest.Column{{Name: "interest"}, {Name: "score", Type: "number"}},
			},
		},
	}
}

func billingManifest() *manifest.Manifest {
	return &manifest.Manifest{
		System: "billing", Title: text("Billing", "Facturation"), Needs: []dsar.IdentifierType{"account_id"},
		Datasets: []manifest.Dataset{
			{
				Name: "invoices", Counted: map[string][]string{"en": {"invoice", "invoices"}, "fr": {"facture", "factures"}}, Title: text("Invoices", "Factures"), Category: "commercial information", Origin: manifest.Observed,
				Purpose: text("To bill what you bought", "Facturer vos achats"), LegalBasis: "legal-obligation", Recipients: []string{"PaymentTech", "Tax authority"},
				Storage: text("Ten years after the end of the business year", "Dix ans après la fin de l’exercice"),
				Columns: []manifest.Column{
					{Name: "number", Title: text("Number", "Numéro")}, {Name: "issued_on", Title: text("Issued", "Émise le"), Type: "date"}, {Name: "amount", Title: text("Amount", "Montant"), Type: "number"},
					{Name: "lines", Title: text("Lines", "Lignes"), Type: "integer"}, {Name: "note", Title: text("Note", "Note")},
				},
				Retention: []manifest.Retention{{Ground: "accounting", Source: "Code de commerce, art. L123-22", Title: text("The law makes us keep our books", "La loi nous oblige à conserver nos comptes"), Column: "issued_on", Period: "P10Y"}},
			},
			{
				Name: "payment_methods", Title: text("Payment methods", "Moyens de paiement"), Category: "customer records", Origin: manifest.Provided,
				Purpose: text("To take payments", "Encaisser vos paiements"), LegalBasis: "contract", Recipients: []string{"PaymentTech"}, Storage: text("Until you remove it", "Jusqu’à ce que vous le retiriez"),
				Columns: []manifest.Column{{Name: "brand"}, {Name: "iban", Secret: "financial-account", Title: text("Bank account", "Compte bancaire")}},
			},
		},
	}
}

func eventsManifest() *manifest.Manifest {
	return &manifest.Manifest{
		System: "events", Title: text("Events", "Événements"), Needs: []dsar.IdentifierType{"email"},
		Datasets: []manifest.Dataset{{
			Name: "registrations", Title: text("Registrations", "Inscriptions"), Category: "professional or employment", Origin: manifest.Provided,
			Purpose: text("To let you in", "Vous accueillir"), LegalBasis: "consent", Storage: text("Two years", "Deux ans"),
			Columns: []manifest.Column{{Name: "event"}, {Name: "diet"}},
		}},
	}
}

// rows is a dataset's content.
type rows struct {
	dataset string
	columns []string
	records []record.Record
}

// source makes a record stream that can be opened again and again.
func source(t testing.TB, sections ...rows) bundle.Source {
	t.Helper()
	data := stream(t, sections...)
	return func(context.Context) (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(data)), nil }
}

func stream(t testing.TB, sections ...rows) []byte {
	t.Helper()
	var b bytes.Buffer
	w := record.NewWriter(&b)
	for _, s := range sections {
		if err := w.Begin(record.Section{Dataset: s.dataset, Columns: s.columns}); err != nil {
			t.Fatal(err)
		}
		for _, r := range s.records {
			if err := w.Write(r); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

var (
	received = time.Date(2026, 11, 20, 9, 30, 0, 0, time.UTC)
	packedAt = time.Date(2026, 11, 20, 9, 31, 12, 0, time.UTC)
)

const requestID = "9f0d6c0e-6f0f-4b43-9f0f-3a9c3c0f7a11"

func identifiers() []statement.Identifier {
	return []statement.Identifier{
		{Type: "email", Value: "camille.o'brien@example.com", Verified: true},
		{Type: "account_id", Value: "acc_000001", FoundBy: "account", FromType: "email", FromValue: "camille.o'brien@example.com"},
	}
}

func policyEN() policy {
	return policy{Controller: statement.Controller{
		Law: "General Data Protection Regulation (GDPR)", Entity: "Example Cloud SARL, Luxembourg", Contact: "privacy@example.com",
		Rights:    []string{"to correct what is wrong", "to erase your data", "to restrict or stop its use"},
		Complaint: []statement.Authority{{Name: "CNPD", Address: "15, boulevard du Jazz, L-4370 Belvaux", URL: "https://cnpd.public.lu/"}},
		Automated: "No decision about you is made by a machine alone.", Transfers: "Salesforce and Marketo process data in the United States, under standard contractual clauses.",
	}}
}

func policyFR() policy {
	return policy{Controller: statement.Controller{
		Law: "Règlement général sur la protection des données (RGPD)", Entity: "Example Cloud SARL, Luxembourg", Contact: "privacy@example.com",
		Rights:    []string{"de rectifier ce qui est inexact", "d’effacer vos données", "d’en limiter ou d’en arrêter l’utilisation"},
		Complaint: []statement.Authority{{Name: "CNPD", Address: "15, boulevard du Jazz, L-4370 Belvaux", URL: "https://cnpd.public.lu/"}},
		Automated: "Aucune décision à votre sujet n’est prise par une machine seule.", Transfers: "Salesforce et Marketo traitent des données aux États-Unis, en vertu de clauses contractuelles types.",
	}}
}

func ended(a dsar.Action, o dsar.Outcome, counts ...dsar.Counts) core.ActionEnd {
	return core.ActionEnd{Action: a, Outcome: o, At: packedAt, Counts: counts}
}

func accountSource(t testing.TB) bundle.Source {
	return source(t,
		rows{"profiles", []string{"account_id", "name", "email", "phone", "created_at", "newsletter", "address"}, []record.Record{{
			"account_id": "acc_000001", "name": "Camille O'Brien", "email": "camille.o'brien@example.com", "phone": "+33 1 23 45 67 89",
			"created_at": time.Date(2021, 3, 4, 5, 6, 7, 0, time.UTC), "newsletter": true, "address": map[string]any{"city": "Besançon", "street": "3, rue de l’Été"},
		}}},
		rows{"credentials", []string{"user_name", "password_hash", "security_question"}, []record.Record{{"user_name": "camille", "password_hash": "secret-hash-value", "security_question": nil}}},
		rows{"scores", []string{"interest", "score"}, []record.Record{{"interest": "gardening", "score": 0.75}, {"interest": "chess", "score": 0.5}}},
	)
}

func billingSource(t testing.TB) bundle.Source {
	var invoices []record.Record
	for i := range 8 {
		invoices = append(invoices, record.Record{
			"number": fmt.Sprintf("F-2026-%03d", i+1), "issued_on": fmt.Sprintf("2026-%02d-15", i+1), "amount": 19.9 + float64(i), "lines": int64(i + 1),
			"note": []any{nil, "", "=1+1", "two\nlines", `"quoted", with comma`, "<script>alert(1)</script>", "Ünïcödé 名前", "plain"}[i],
		})
	}
	return source(t,
		rows{"invoices", []string{"number", "issued_on", "amount", "lines", "note"}, invoices},
		rows{"payment_methods", []string{"brand", "iban"}, []record.Record{{"brand": "SEPA", "iban": "FR7630006000011234567890189"}}},
	)
}

// accessInput returns the fixture's access request.
func accessInput(t testing.TB) input {
	t.Helper()
	return input{
		RequestID: requestID, Right: dsar.Access, Jurisdiction: "EEA", Locale: "en", ReceivedAt: received, Identifiers: identifiers(), Policy: policyEN(),
		Run: bundle.Run{At: packedAt, Software: "habeas test"},
		Systems: []part{
			{Manifest: accountManifest(), Ends: []core.ActionEnd{ended(dsar.Resolve, dsar.Found), ended(dsar.Gather, dsar.Gathered)}, Sources: []bundle.Source{accountSource(t)}},
			{Manifest: billingManifest(), Ends: []core.ActionEnd{ended(dsar.Gather, dsar.Gathered)}, Sources: []bundle.Source{billingSource(t)}},
			{Manifest: eventsManifest(), Ends: []core.ActionEnd{ended(dsar.Gather, dsar.NothingFound)}},
		},
	}
}

func inFrench(in input) input {
	in.Locale, in.Policy = "fr-FR", policyFR()
	return in
}

// write writes a bundle and returns it.
func write(t testing.TB, in input) ([]byte, bundle.Summary) {
	t.Helper()
	var b bytes.Buffer
	s, err := bundle.Write(t.Context(), &b, in.bundle())
	if err != nil {
		t.Fatal(err)
	}
	return b.Bytes(), s
}

// unpack returns the bag's files by their name below the top folder.
func unpack(t testing.TB, data []byte) map[string]string {
	t.Helper()
	zr, err := zip.NewReader(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		t.Fatal(err)
	}
	files := map[string]string{}
	for _, f := range zr.File {
		r, err := f.Open()
		if err != nil {
			t.Fatal(err)
		}
		content, err := io.ReadAll(r)
		if err != nil {
			t.Fatal(err)
		}
		_, name, inside := strings.Cut(f.Name, "/")
		if !inside {
			name = f.Name
		}
		files[name] = string(content)
	}
	if err := bundletest.CheckAnswer(files); err != nil {
		t.Fatal(err)
	}
	return files
}
