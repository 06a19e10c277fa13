package main

import (
	"bytes"
	"database/sql"
	"encoding/csv"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"habeas.dev/pkg/manifest"
	"habeas.dev/services/internal/config"
	"habeas.dev/services/internal/findings"
	"habeas.dev/services/internal/operator"
	"habeas.dev/services/sandbox/internaldb"
	"habeas.dev/services/sandbox/people"
	"habeas.dev/services/systems"
)

// TestBuiltInManifestsAreCovered holds our own systems to the coverage gate,
// warnings included.
func TestBuiltInManifestsAreCovered(t *testing.T) {
	t.Parallel()
	if status, out := says(t, "lint", "--strict"); status != 0 || !strings.Contains(out, "0 failures, 0 warnings") {
		t.Errorf("status %d:\n%s", status, out)
	}
}

// TestLintCommand: what a manifest lacks, and what a database holds that none
// declares, fails the gate, each with a line.
func TestLintCommand(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if _, err := internaldb.Create(t.Context(), dir, people.Generate(people.Config{Seed: 1, People: 200})); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(dir, people.Events+".db")
	cfg := filepath.Join(dir, "habeas.yaml")
	if err := os.WriteFile(cfg, fmt.Appendf(nil, "systems:\n  events: {dsn: \"sqlite://%s\"}\n", file), 0o600); err != nil {
		t.Fatal(err)
	}
	if status, out := says(t, "lint", "--config", cfg, "--strict"); status != 0 || !strings.Contains(out, "note ") {
		t.Errorf("status %d:\n%s", status, out)
	}
	if status, out := says(t, "overdue-data", "--config", cfg, "--fail"); status != 1 || !regexp.MustCompile(`events +travel +[1-9]\d* +\d{4}-`).MatchString(out) {
		t.Errorf("status %d:\n%s", status, out)
	}
	db, err := sql.Open("sqlite", file)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	for _, statement := range []string{"ALTER TABLE travel ADD COLUMN seat TEXT", "CREATE TABLE visa_applications (email TEXT)"} {
		if _, err := db.ExecContext(t.Context(), statement); err != nil {
			t.Fatal(err)
		}
	}
	status, out := says(t, "lint", "--config", cfg)
	for _, want := range []string{"the table travel has columns that the manifest doesn't declare: seat", "no dataset is of the table visa_applications", "2 failures"} {
		if status != 1 || !strings.Contains(out, want) {
			t.Errorf("status %d, nothing of %q:\n%s", status, want, out)
		}
	}

	for format, want := range map[string]string{
		"json": `"rule": "uncovered-table"`, "sarif": `"ruleId": "undeclared-column"`, "github": "title=habeas lint%3A uncovered-table::no dataset is of the table visa_applications; ",
	} {
		if status, out := says(t, "lint", "--config", cfg, "--format", format); status != 1 || !strings.Contains(out, want) {
			t.Errorf("%s: status %d, nothing of %q:\n%s", format, status, want, out)
		}
	}
	if status, out := says(t, "lint", "--dsn", file, "../systems/events.yaml"); status != 1 || !strings.Contains(out, "visa_applications") {
		t.Errorf("status %d:\n%s", status, out)
	}
	if status, out := says(t, "lint", "--dsn", file); status != 1 || !strings.Contains(out, "name its file") {
		t.Errorf("status %d:\n%s", status, out)
	}
	if status, out := says(t, "lint", "--format", "yaml"); status != 2 {
		t.Errorf("status %d:\n%s", status, out)
	}

	text, err := os.ReadFile("../systems/events.yaml")
	if err != nil {
		t.Fatal(err)
	}
	broken := string(text)
	for _, line := range []string{"    category: geolocation\n", "    purposes: [travel]\n", "    origin: provided\n"} {
		broken = strings.Replace(broken, line, "", 1)
	}
	bad := filepath.Join(dir, "manifest.yaml")
	if err := os.WriteFile(bad, []byte(broken), 0o600); err != nil {
		t.Fatal(err)
	}
	status, out = says(t, "lint", bad)
	for _, want := range []string{"category is missing", "legal_basis is missing", "purpose is missing", "origin is missing", "4 failures"} {
		if status != 1 || !strings.Contains(out, want) {
			t.Errorf("status %d, nothing of %q:\n%s", status, want, out)
		}
	}
}

// TestServedBeside: systems that share a database know of each other's tables, by the schema that
// each has, and no others do.
func TestServedBeside(t *testing.T) {
	t.Parallel()
	of := func(schema string, tables ...string) *manifest.Manifest {
		m := &manifest.Manifest{System: strings.Join(tables, "_"), SQL: &manifest.SQL{Schema: schema}}
		for _, table := range tables {
			m.Datasets = append(m.Datasets, manifest.Dataset{Name: table, SQL: &manifest.DatasetSQL{Table: table}})
		}
		return m
	}
	m, crm, hr := of("shop", "orders"), of("crm", "contacts", "shop.leads"), of("crm", "staff")
	m.System = "shop"
	served := servedBeside([]*manifest.Manifest{m, crm, hr, {System: "mail"}}, m, func(a, b *manifest.Manifest) (is, known bool) { return b != hr, true })
	for table, want := range map[string]bool{"crm.contacts": true, "leads": true, "contacts": false, "orders": false, "crm.staff": false, "crm.other": false} {
		if served(table) != want {
			t.Errorf("%s: %v", table, !want)
		}
	}
}

// TestRecordsCommand: article 30's record has a line for each dataset, in both
// forms and languages, with everything that the article asks for.
func TestRecordsCommand(t *testing.T) {
	t.Parallel()
	datasets := 0
	for _, load := range systems.BuiltIn() {
		m, err := load()
		if err != nil {
			t.Fatal(err)
		}
		datasets += len(m.Datasets)
	}
	for lang, want := range map[string][]string{
		"en": {"Tax and accounting records: 10\u00a0years from the end of the financial year", "legal obligation, art. 6(1)(c)", "Customers who pay", "standard contractual clauses", "made anonymous", "Bank account (a financial account number)"},
		"fr": {"Pièces fiscales et comptables\u00a0: 10\u00a0ans à compter de la clôture de l’exercice", "obligation légale, art. 6, par. 1, point c)", "Clients payants", "clauses contractuelles types", "rendues anonymes", "Finalité"},
	} {
		status, out := says(t, "records", "--language", lang)
		table := csv.NewReader(strings.NewReader(strings.TrimPrefix(out, "\uFEFF")))
		rows, err := table.ReadAll()
		if status != 0 || err != nil || len(rows) != datasets+1 {
			t.Fatalf("status %d, %v: %d rows of %d datasets", status, err, len(rows), datasets)
		}
		for _, row := range rows[1:] {
			for i, cell := range row {
				if cell == "" {
					t.Errorf("%s of %s has no %s", row[3], row[1], rows[0][i])
				}
			}
		}
		file := filepath.Join(t.TempDir(), "records.html")
		if status, out := says(t, "records", "--language", lang, "--format", "html", "-o", file); status != 0 || out != "" {
			t.Fatalf("status %d: %s", status, out)
		}
		page, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if got := bytes.Count(page, []byte("<article")); got != datasets {
			t.Errorf("%d articles of %d datasets", got, datasets)
		}
		for _, w := range want {
			if !strings.Contains(out, w) || !bytes.Contains(page, []byte(w)) {
				t.Errorf("%s: the record doesn't say %q", lang, w)
			}
		}
	}
}

// TestLintSaysWhatLapses: a declaration that has lapsed, or soon will, is a warning; one that
// nobody has made is a note; a law that a rule of retention names and that there isn't is a
// warning.
func TestLintSaysWhatLapses(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 11, 20, 9, 0, 0, 0, time.UTC)
	day := func(days int) operator.Day { return operator.DayOf(at.AddDate(0, 0, days)) }
	cfg := config.Config{Declarations: []operator.Declaration{
		{Says: "no-sale", By: "officer", On: day(-400), Until: day(-1)},
		{Says: "processors", By: "officer", On: day(-10), Until: day(10)},
		{Says: "joint-use", By: "officer", On: day(-10), Until: day(300)},
	}}
	books := &manifest.Manifest{System: "books", Datasets: []manifest.Dataset{{Name: "invoices", Retention: []manifest.Retention{
		{Ground: "tax", Period: "P10Y", Sources: map[string]string{"EEA": "art. 16"}, Periods: map[string]string{"Atlantis": "P3Y"}}}}}}
	var l lintReport
	if err := l.said(cfg, []*manifest.Manifest{books}, at); err != nil {
		t.Fatal(err)
	}
	var warned, noted string
	for _, f := range l.Findings {
		switch f.Level {
		case findings.Warning:
			warned += f.String() + "\n"
		case findings.Note:
			noted += f.String() + "\n"
		default:
			t.Errorf("it fails: %s", f)
		}
	}
	for _, want := range []string{"no-sale has lapsed", "processors lapses", `names the law "Atlantis"`} {
		if !strings.Contains(warned, want) {
			t.Errorf("no warning says %q: %s", want, warned)
		}
	}
	if !strings.Contains(noted, "safeguards isn't declared") || strings.Contains(warned+noted, "joint-use") || strings.Contains(warned, `"EEA"`) {
		t.Errorf("warned %s, noted %s", warned, noted)
	}
}
