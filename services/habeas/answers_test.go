package main

import (
	"archive/zip"
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"habeas.dev/services/aggregator"
	"habeas.dev/services/habeas/node"
	"habeas.dev/services/internal/bundle"
	"habeas.dev/services/internal/statement"
	"habeas.dev/services/sandbox/people"
)

// payload returns the files of a request's bundle, by name within data/, after the
// bundle was verified.
func payload(t *testing.T, n *node.Node, id string) map[string][]byte {
	t.Helper()
	r, err := aggregator.OpenBundle(t.Context(), n.Installation.Vault, n.Installation.Outbox, id)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	data, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	return unpacked(t, id, data)
}

// unpacked returns the files of a bundle that is whole.
func unpacked(t *testing.T, id string, data []byte) map[string][]byte {
	t.Helper()
	report, err := bundle.Verify(t.Context(), bytes.NewReader(data), int64(len(data)))
	if err != nil || len(report.Problems) > 0 {
		t.Fatalf("bundle of %s: %v %v", id, report.Problems, err)
	}
	z, err := zip.NewReader(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		t.Fatal(err)
	}
	files := map[string][]byte{}
	for _, f := range z.File {
		_, name, ok := strings.Cut(f.Name, "/data/")
		if !ok {
			continue
		}
		r, err := f.Open()
		if err != nil {
			t.Fatal(err)
		}
		if files[name], err = io.ReadAll(r); err != nil {
			t.Fatal(err)
		}
	}
	return files
}

// recordsIn returns the records of a payload's JSON files, each as a line, sorted.
func recordsIn(t *testing.T, files map[string][]byte) []string {
	t.Helper()
	out := []string{}
	for name, data := range files {
		if !strings.HasSuffix(name, ".json") || !strings.Contains(name, "/") {
			continue
		}
		var rows []map[string]any
		if err := json.Unmarshal(data, &rows); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		for _, row := range rows {
			system, dataset := row["_system"], row["_dataset"]
			delete(row, "_system")
			delete(row, "_dataset")
			withFiles(row, files)
			out = append(out, line(t, system, dataset, row))
		}
	}
	slices.Sort(out)
	return out
}

// withFiles puts the content of a record's file back into the place of its path.
func withFiles(row map[string]any, files map[string][]byte) {
	for column, value := range row {
		if path, is := value.(string); is {
			if content, there := files[path]; there {
				row[column] = base64.StdEncoding.EncodeToString(content)
			}
		}
	}
}

func line(t *testing.T, system, dataset any, values map[string]any) string {
	t.Helper()
	text, err := json.Marshal(values)
	if err != nil {
		t.Fatal(err)
	}
	return fmt.Sprintf("%s %s %s", system, dataset, text)
}

// seeded returns the records that the seeds have of a person, as recordsIn has
// them.
func (p *pipeline) seeded(person int) []string { return p.seededIn(person, people.Systems()) }

// seededIn returns those of some systems.
func (p *pipeline) seededIn(person int, systems []string) []string {
	out := []string{}
	if person > 0 {
		for _, r := range p.people.RowsOf(person) {
			if !slices.Contains(systems, r.System) {
				continue
			}
			withoutOthers(r)
			withoutSecrets(r)
			out = append(out, line(p.T, r.System, r.Dataset, r.Values))
		}
	}
	slices.Sort(out)
	return out
}

// withoutOthers knows by itself what of a shared ticket its requester isn't told, and what a
// partner or a member of the community isn't of those whom they name.
func withoutOthers(r people.Row) {
	const told = "[about somebody else, not shown]"
	var columns []string
	switch r.Values["written_by"] {
	case people.Participant:
		columns = []string{"author_name", "author_email", "author_account", "body"}
	case "agent":
		columns = []string{"author_email"}
	}
	if r.Values["name"] == people.ParticipantName {
		columns = []string{"name", "email"}
	}
	for c, v := range r.Values {
		if v == people.NeighbourAccount {
			columns = append(columns, c)
		}
	}
	for _, c := range columns {
		r.Values[c] = told
	}
}

// withoutSecrets knows by itself what no answer shows, and that of a card's number the
// last four digits may be told.
func withoutSecrets(r people.Row) {
	for column, kind := range map[string]string{
		"secret_hash": "password", "question": "security-question", "card_number": "payment-card", "iban": "financial-account", "voiceprint": "biometric",
		"bank_account": "financial-account", "identity_document": "government-id", "face_template": "biometric", "passport": "government-id",
	} {
		text, held := r.Values[column].(string)
		if !held || text == "" {
			continue
		}
		if card := strings.Trim(text, "0123456789") == "" && len(text) >= 12; card && column == "card_number" {
			kind += ", ends in " + text[len(text)-4:]
		}
		r.Values[column] = "[held, not shown: " + kind + "]"
	}
}

// holds checks a bundle against the seeds; 0 is somebody of whom there are none.
func (p *pipeline) holds(id string, person int) {
	p.Helper()
	files := payload(p.T, p.n, id)
	got, want := recordsIn(p.T, files), p.seeded(person)
	if !reflect.DeepEqual(got, want) {
		p.Errorf("person %d: %d records in the bundle, %d in the seeds: first that differs: %s", person, len(got), len(want), firstOther(got, want))
	}
	if person == 0 && !bytes.Contains(files["index.html"], []byte("None of them holds any.")) {
		p.Error("the answer to nobody doesn't say that nothing is held")
	}
}

// firstOther tells where two lists differ first.
func firstOther(got, want []string) string {
	for i := range max(len(got), len(want)) {
		switch {
		case i >= len(got):
			return "missing " + cut(want[i], 0)
		case i >= len(want):
			return "too much " + cut(got[i], 0)
		case got[i] != want[i]:
			same := 0
			for same < min(len(got[i]), len(want[i])) && got[i][same] == want[i][same] {
				same++
			}
			return "got …" + cut(got[i], same) + " want …" + cut(want[i], same)
		}
	}
	return ""
}

// cut returns what of a text stands around a place.
func cut(s string, at int) string {
	return strings.ToValidUTF8(s[max(0, at-60):min(len(s), at+120)], "")
}

// mustStay knows the law by itself: ten years from the close of the financial year of what
// the books are made of, and what the payment processor has settled.
func mustStay(r people.Row) bool {
	if r.System == people.PaymentTech && r.Dataset == "settled_payments" {
		return true
	}
	column := map[string]string{"invoices": "issued_on", "invoice_lines": "issued_on", "payments": "paid_on"}[r.Dataset]
	if r.System != people.Billing || column == "" {
		return false
	}
	day, err := time.Parse(time.DateOnly, r.Values[column].(string))
	return err == nil && time.Date(day.Year()+11, 1, 1, 0, 0, 0, 0, time.UTC).After(time.Now())
}

// certifies checks a certificate's counts against the seeds. Where an erasure may have
// begun more than once, what an attempt erased that never reported is said to be gone,
// and maybe erased by it; elsewhere nothing is.
func (p *pipeline) certifies(id string, person int, begunAgain bool) {
	p.Helper()
	a, err := statement.Read(payload(p.T, p.n, id)["certificate.json"])
	if err != nil {
		p.Fatal(err)
	}
	type tally struct{ gone, kept int64 }
	gone := []statement.Kind{statement.Erased, statement.Anonymised}
	if begunAgain {
		gone = append(gone, statement.MaybeErased)
	}
	got, want := map[string]tally{}, map[string]tally{}
	for _, s := range a.Systems {
		for _, d := range s.Datasets {
			for _, r := range a.About(s.System, d.Dataset, statement.Kept) {
				if r.Ground != "tax-records" || r.Until.Before(time.Now()) {
					p.Errorf("person %d: %s %s: kept on %q until %s", person, s.System, d.Dataset, r.Ground, r.Until)
				}
			}
			n := tally{gone: a.Records(s.System, d.Dataset, gone...), kept: a.Records(s.System, d.Dataset, statement.Kept)}
			if found := a.Records(s.System, d.Dataset, statement.Found); found != n.gone+n.kept {
				p.Errorf("person %d: %s %s: %d found, %d gone, %d kept", person, s.System, d.Dataset, found, n.gone, n.kept)
			}
			if n != (tally{}) {
				got[s.System+" "+d.Dataset] = n
			}
		}
	}
	for _, r := range p.people.RowsOf(person) {
		m, err := node.Manifest(p.n.Config, r.System)
		if err != nil {
			p.Fatal(err)
		}
		if m.Dataset(r.Dataset).GoesWith != "" { // gone with another, uncounted
			continue
		}
		n := want[r.System+" "+r.Dataset]
		if mustStay(r) {
			n.kept++
		} else {
			n.gone++
		}
		want[r.System+" "+r.Dataset] = n
	}
	if !reflect.DeepEqual(got, want) {
		p.Errorf("person %d: the certificate says\n%v, the seeds\n%v", person, got, want)
	}
}
