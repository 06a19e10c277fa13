package manifest

import (
	"slices"
	"strings"
	"testing"
)

// scored returns the ledger with a column that isn't what its dataset is.
func scored(t *testing.T, column string) *Manifest {
	t.Helper()
	text := change(t, ledger, "    purpose: {en: To know, fr: Savoir}\n    legal_basis: contract\n", "    purposes: [run-account]\n")
	at := strings.Index(text, "    columns:\n") + len("    columns:\n")
	m, err := Parse("ledger.yaml", []byte(text[:at]+"      - "+column+"\n"+text[at:]))
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// TestColumnsDifferFromTheirDataset: a column has an origin, purposes with their ground, a
// category of its own, and of the rest its dataset's; its purposes are the system's, so that
// an objection to one of them reaches it.
func TestColumnsDifferFromTheirDataset(t *testing.T) {
	t.Parallel()
	purposes, err := ParsePurposes("purposes.yaml", []byte(purposesYAML))
	if err != nil {
		t.Fatal(err)
	}
	m := scored(t, "{name: score, origin: derived, category: inferences, purposes: [marketing], sensitive: true}")
	if err := m.Resolve(purposes); err != nil {
		t.Fatal(err)
	}
	d := &m.Datasets[0]
	n := d.NatureOf(d.Column("score"))
	if n.Origin != Derived || n.Category != "inferences" || n.LegalBasis != "consent" || n.Purpose.In("fr") != "Envoyer des nouvelles" || !n.Sensitive || n.Portable() {
		t.Errorf("score is %+v", n)
	}
	if rest := d.NatureOf(&d.Columns[1]); rest.Origin != d.Origin || rest.LegalBasis != "contract" || rest.Sensitive || d.Columns[1].Differs() || !d.Columns[0].Differs() {
		t.Errorf("the next column is %+v", rest)
	}
	if got := m.Definition().Purposes; !slices.Equal(got, []string{"marketing", "run-account"}) {
		t.Errorf("used for %v", got)
	}
	if got := m.Unstopped(nil, []string{"marketing"}); !slices.Equal(got, []string{"marketing"}) {
		t.Errorf("no flag stops %v", got)
	}
	delete(purposes, "marketing")
	if err := m.Resolve(purposes); err == nil || !strings.Contains(err.Error(), `unknown purpose "marketing"`) {
		t.Errorf("%v", err)
	}
}

// TestPortableByColumn: a dataset is portable as long as one of its columns is.
func TestPortableByColumn(t *testing.T) {
	t.Parallel()
	contract := func(columns ...Column) *Dataset {
		return &Dataset{Origin: Provided, LegalBasis: "contract", Columns: columns}
	}
	received := func(columns ...Column) *Dataset {
		return &Dataset{Origin: Received, LegalBasis: "contract", Columns: columns}
	}
	for name, c := range map[string]struct {
		d    *Dataset
		want bool
	}{
		"its own":                {contract(Column{Name: "a"}), true},
		"one column is derived":  {contract(Column{Name: "a"}, Column{Name: "b", Origin: Derived}), true},
		"each column is derived": {contract(Column{Name: "b", Origin: Derived}), false},
		"none":                   {received(Column{Name: "a"}), false},
		"one was provided":       {received(Column{Name: "a"}, Column{Name: "b", Origin: Provided}), true},
	} {
		if got := c.d.Portable(); got != c.want {
			t.Errorf("%s: %v", name, got)
		}
	}
}

// TestDecisionsByMachineHaveTheirLogic: who marks a purpose as one of decisions by machine
// alone says what they go by, since an answer must (GDPR art. 15(1)(h)).
func TestDecisionsByMachineHaveTheirLogic(t *testing.T) {
	t.Parallel()
	const head = "purposes:\n  credit:\n    title: {en: To decide on credit}\n    legal_basis: contract\n"
	for text, want := range map[string]string{
		head + "    marks: [automated-decision]\n":                                              "logic is missing",
		head + "    logic: {en: what you owed}\n":                                               "isn't marked automated-decision",
		head + "    marks: [automated-decision]\n    logic: {en: What you owed in two years}\n": "",
	} {
		_, err := ParsePurposes("purposes.yaml", []byte(text))
		if want == "" && err != nil || want != "" && (err == nil || !strings.Contains(err.Error(), want)) {
			t.Errorf("%s: %v", text, err)
		}
	}
}
