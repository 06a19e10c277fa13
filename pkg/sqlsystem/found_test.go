package sqlsystem

import (
	"strings"
	"testing"

	"habeas.dev/pkg/manifest"
)

const clinic = `system: clinic
title: {en: Clinic}
abilities: [resolve, gather, erase]
needs: [email, patient_id]
finds: [patient_id]
sql: {resolve: [{find: patient_id, table: patients, column: id, by: {email: email}}]}
defaults: {category: identifiers, origin: provided, purpose: {en: To treat you}, legal_basis: contract, storage: {en: A year}, sql: {key: [id], erase: delete}}
datasets:
  - {name: patients, title: {en: Patients}, columns: [id, email, fax], sql: {subject: {patient_id: id, email: email}}}
  - {name: visits, title: {en: Visits}, columns: [id, remark], sql: {subject: {patient_id: patient_id}, set: {patient_id: null, remark: "gone {random}"}}}
  - {name: faxes, title: {en: Faxes}, columns: [id], sql: {subject: {email: sender}}}
`

// TestWhatLintAsksADatabase: a foreign key of a table that no dataset is of, a missing index of
// a foreign key, an identifier that finds nobody, one that finds several, and a value that a
// trigger refuses are each told, with the cure; nothing is changed.
func TestWhatLintAsksADatabase(t *testing.T) {
	t.Parallel()
	const tables = `CREATE TABLE patients (id INTEGER PRIMARY KEY, email TEXT, fax TEXT);
		CREATE TABLE visits (id INTEGER PRIMARY KEY, patient_id INTEGER, remark TEXT);
		CREATE TABLE faxes (id INTEGER PRIMARY KEY, sender TEXT);
		CREATE TABLE bills (id INTEGER PRIMARY KEY, patient_id INTEGER REFERENCES patients (id));
		INSERT INTO patients VALUES (1, 'ann@example.com', NULL), (2, 'Ann@example.com ', NULL), (3, 'bob@example.com', NULL);
		INSERT INTO visits VALUES (1, 1, 'first'), (2, 2, 'second'), (3, 3, 'third');
		INSERT INTO faxes VALUES (1, NULL);
		INSERT INTO bills VALUES (1, 1);`
	triggers := map[string]string{
		"SQLite":     `CREATE TRIGGER keep_remark BEFORE UPDATE ON visits WHEN new.remark LIKE 'gone%' BEGIN SELECT raise(ABORT, 'no'); END;`,
		"PostgreSQL": `CREATE FUNCTION no() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN IF new.remark LIKE 'gone%' THEN RAISE EXCEPTION 'no'; END IF; RETURN new; END $$; CREATE TRIGGER keep_remark BEFORE UPDATE ON visits FOR EACH ROW EXECUTE FUNCTION no();`,
	}
	for name, of := range map[string]func(testing.TB, string) database{"SQLite": sqliteDB, "PostgreSQL": postgresDB} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			db := of(t, tables)
			m, err := manifest.Parse("clinic.yaml", []byte(clinic))
			if err != nil {
				t.Fatal(err)
			}
			s := open(t, db, m)
			if sets, err := s.TrySets(t.Context()); err != nil || len(sets) != 0 {
				t.Errorf("%v %v", sets, err)
			}
			if _, err := db.ExecContext(t.Context(), triggers[name]); err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, look := range []func() ([]Advice, error){
				func() ([]Advice, error) { return s.Blockers(t.Context()) },
				func() ([]Advice, error) { return s.Identifiers(t.Context()) },
				func() ([]Advice, error) { return s.TrySets(t.Context()) },
			} {
				advice, err := look()
				if err != nil {
					t.Fatal(err)
				}
				for _, a := range advice {
					got = append(got, a.String())
				}
			}
			for i, want := range []string{
				"clinic.yaml:9: dataset patients: rows of bills refer to those that are deleted (patient_id), and no dataset is of it",
				"clinic.yaml:9: dataset patients: for each row that is deleted the database reads all of bills",
				`clinic.yaml:11: the column "sender" of faxes holds nothing in any row: nobody is found by it`,
				"clinic.yaml:6: several people of patients have one email",
				"clinic.yaml:10: dataset visits: the database refuses what an erasure sets: ",
			} {
				if len(got) != 5 || !strings.HasPrefix(got[i], want) {
					t.Errorf("nothing of %q:\n%s", want, strings.Join(got, "\n"))
				}
			}
			if len(got) > 1 && !strings.HasSuffix(got[1], `_patient_id_refers" ON "bills" ("patient_id")`) && !strings.Contains(got[1], `"bills_patient_id_refers" ON `) {
				t.Errorf("no statement: %s", got[1])
			}
			if left := db.column(t, "SELECT remark FROM visits ORDER BY id"); strings.Join(left, " ") != "first second third" {
				t.Errorf("left %v", left)
			}
		})
	}
}

// TestWritingsThatNothingFinds: addresses and numbers that only themselves find are counted,
// and no value is told; those that another writing finds, and what an erasure makes, aren't.
func TestWritingsThatNothingFinds(t *testing.T) {
	t.Parallel()
	everyDatabase(t, "CREATE TABLE people (id INTEGER PRIMARY KEY, email VARCHAR(100), phone VARCHAR(100))", func(t *testing.T, d database) {
		for i, email := range []string{"ann@example.com", "İPEK@example.com.", "mailto:bob@example.com", "Jürgen@exämple.org", "erased-7",
			"Ann <ann@example.com>", "ann@example.com;bob@example.com", "ann@@example.com", "ann@ｅxample.com", "an\u00adn@example.com"} {
			d.insert(t, "people (id, email)", i, email)
		}
		for i, phone := range []string{"+33 6 12 34 56 78", "0033612345678", "tel:+33-6-12-34-56-78", "33612345678", "+３３612345679", "none"} {
			d.insert(t, "people (id, phone)", 100+i, phone)
		}
		m := small(t, "abilities: [gather, erase]\nneeds: [email, phone]\nsql: {}", `people | table: people, key: [id], subject: {email: email, phone: phone}, erase: anonymise, anonymise: {email: "erased-{id}", phone: null} | email phone`)
		advice, err := open(t, d, m).Identifiers(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, a := range advice {
			got = append(got, a.What)
		}
		if all := strings.Join(got, "\n"); len(got) != 2 || !strings.HasPrefix(got[0], `of 9 values of the column "email" of people that were looked at, 5 are`) || !strings.HasPrefix(got[1], `of 6 values of the column "phone" of people that were looked at, 3 are`) {
			t.Error(all)
		}
	})
}
