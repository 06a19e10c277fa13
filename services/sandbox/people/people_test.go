package people

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"
	"time"

	"habeas.dev/services/systems"
)

func TestSameSeedSamePopulation(t *testing.T) {
	t.Parallel()
	a, b := Generate(Config{Seed: 7}), Generate(Config{Seed: 7, People: 1000})
	if !reflect.DeepEqual(a.People, b.People[:len(a.People)]) {
		t.Fatal("a person depends on the population's size")
	}
	for _, system := range Systems() {
		if !reflect.DeepEqual(a.Rows(system), Generate(Config{Seed: 7}).Rows(system)) {
			t.Errorf("%s: rows differ for the same seed", system)
		}
		if !reflect.DeepEqual(a.RowsIn(4, system), b.RowsIn(4, system)) {
			t.Errorf("%s: a person's rows depend on the population's size", system)
		}
		if reflect.DeepEqual(a.Rows(system), Generate(Config{Seed: 8}).Rows(system)) {
			t.Errorf("%s: rows are the same for another seed", system)
		}
	}
}

func TestKeysAndAddressesAreUnique(t *testing.T) {
	t.Parallel()
	p := Generate(Config{Seed: 1, People: 3000})
	seen := map[string]int{}
	claim := func(key string, person int) {
		if other, taken := seen[key]; taken {
			t.Errorf("%q belongs to people %d and %d", key, other, person)
		}
		seen[key] = person
	}
	for _, who := range p.People {
		claim("email "+who.Email, who.Number)
		claim("phone "+who.Phone, who.Number)
		if who.AccountID != "" {
			claim("account "+who.AccountID, who.Number)
		}
		if who.Email == NobodyEmail {
			t.Errorf("person %d is nobody", who.Number)
		}
	}
	for _, system := range Systems() {
		for r := range p.All(system) {
			claim(system+" "+r.Dataset+" "+r.Key, r.Person)
		}
	}
}

func TestDemoPeopleAreEverywhere(t *testing.T) {
	t.Parallel()
	for seed := range int64(20) {
		p := Generate(Config{Seed: seed})
		for _, number := range []int{Camille, Californian, Leaver, NonLatin} {
			for _, system := range Systems() {
				least, most := 10, 34
				if system == PaymentTech { // a profile, and what stays
					least, most = 2, 2
				}
				if n := len(p.RowsIn(number, system)); n < least || n > most {
					t.Errorf("seed %d: %s holds %d records of person %d, want %d to %d", seed, system, n, number, least, most)
				}
			}
		}
		for _, number := range []int{Camille, Leaver} {
			var past, inside int
			for _, r := range p.RowsIn(number, Billing) {
				if r.Dataset == "invoices" {
					if r.Values["issued_on"].(string) < "2015" {
						past++
					} else {
						inside++
					}
				}
			}
			if past == 0 || inside <= past {
				t.Errorf("seed %d: person %d has %d invoices past retention and %d inside", seed, number, past, inside)
			}
		}
	}
	p := Generate(Config{})
	if who := p.Person(Camille); who.Email != "camille.o'brien@example.com" || who.Region != "EEA" || who.Language != "fr" {
		t.Errorf("person 1 is %+v", who)
	}
	if p.Person(Camille).Employer != p.Person(5).Employer || p.Person(5).Employer == "" {
		t.Error("nobody shares Camille's employer")
	}
}

// TestRowsOfAPerson holds that the three ways to the rows agree.
func TestRowsOfAPerson(t *testing.T) {
	t.Parallel()
	p := Generate(Config{Seed: 3})
	byPerson, bySystem := 0, 0
	for _, who := range p.People {
		for _, r := range p.RowsOf(who.Number) {
			if r.Person != who.Number || r.Key == "" || len(r.Values) == 0 {
				t.Fatalf("person %d has the row %+v", who.Number, r)
			}
			byPerson++
		}
	}
	for _, system := range Systems() {
		rows := p.Rows(system)
		if len(rows) < len(p.People)/2 {
			t.Errorf("%s has only %d rows", system, len(rows))
		}
		bySystem += len(rows)
	}
	if byPerson != bySystem {
		t.Errorf("%d rows by person, %d by system", byPerson, bySystem)
	}
}

// TestColumnsAreTheSameInAllRows holds that a dataset's rows have the same columns.
func TestColumnsAreTheSameInAllRows(t *testing.T) {
	t.Parallel()
	p := Generate(Config{Seed: 4})
	columns := map[string]map[string]any{}
	for _, system := range Systems() {
		for r := range p.All(system) {
			name := r.System + "." + r.Dataset
			first, seen := columns[name]
			if !seen {
				columns[name] = r.Values
				continue
			}
			if len(first) != len(r.Values) {
				t.Fatalf("%s %s has %d columns, others %d", name, r.Key, len(r.Values), len(first))
			}
			for c := range first {
				if _, ok := r.Values[c]; !ok {
					t.Fatalf("%s %s lacks %s", name, r.Key, c)
				}
			}
		}
	}
	for _, system := range Systems() {
		m, err := systems.BuiltIn()[system]()
		if err != nil {
			t.Fatal(err)
		}
		for i := range m.Datasets {
			if _, seeded := columns[system+"."+m.Datasets[i].Name]; !seeded {
				t.Errorf("nobody has a record of %s %s", system, m.Datasets[i].Name)
			}
			delete(columns, system+"."+m.Datasets[i].Name)
		}
	}
	if len(columns) > 0 {
		t.Errorf("no manifest declares %v", columns)
	}
}

func TestTrapsAreThere(t *testing.T) {
	t.Parallel()
	p := Generate(Config{Seed: 1})
	surnames, nonLatin, several := map[string]int{}, 0, 0
	for _, who := range p.People {
		surnames[who.FamilyName]++
		if who.FamilyName[0] >= 0xce {
			nonLatin++
		}
		leads := 0
		for _, r := range p.RowsIn(who.Number, Marketo) {
			if r.Dataset == "leads" {
				leads++
			}
		}
		if leads > 1 {
			several++
		}
	}
	if surnames["O'Brien"] < 4 || nonLatin < 20 || several < 10 {
		t.Errorf("%d O'Briens, %d names in other scripts, %d people with several leads", surnames["O'Brien"], nonLatin, several)
	}
	var all strings.Builder
	for _, system := range Systems() {
		for r := range p.All(system) {
			if err := json.NewEncoder(&all).Encode(r.Values); err != nil {
				t.Fatal(err)
			}
		}
	}
	for _, text := range []string{"=1+1", `\"no\"`, "DROP TABLE", `\\' OR Name LIKE`, "👍", `\r\nthird`} {
		if !strings.Contains(all.String(), text) {
			t.Errorf("no row holds %s", text)
		}
	}
}

func TestCanaries(t *testing.T) {
	t.Parallel()
	p := Canaries(1, 50)
	for _, who := range p.People {
		for _, s := range []string{who.Email, who.GivenName, who.FamilyName, who.AccountID} {
			if s != "" && !strings.Contains(s, CanaryPrefix) {
				t.Errorf("person %d isn't marked: %q", who.Number, s)
			}
		}
	}
	seen := map[string]string{}
	plain := Generate(Config{Seed: 1, People: 50})
	for _, system := range Systems() {
		for r := range p.All(system) {
			for column, v := range r.Values {
				s, ok := v.(string)
				if !ok || !strings.HasPrefix(s, CanaryPrefix) || strings.HasSuffix(s, "@example.com") || column == "organisation" {
					continue
				}
				if where, taken := seen[s]; taken {
					t.Errorf("%s in %s and %s.%s", s, where, r.Dataset, column)
				}
				seen[s] = r.Dataset + "." + column
			}
		}
		// No name of the plain population is left.
		text, err := json.Marshal(p.Rows(system))
		if err != nil {
			t.Fatal(err)
		}
		for _, who := range plain.People {
			if len(who.FamilyName) > 4 && strings.Contains(string(text), `"`+who.FamilyName) {
				t.Errorf("%s still holds the name %q", system, who.FamilyName)
			}
		}
	}
	if len(seen) < 1000 {
		t.Errorf("only %d canaries", len(seen))
	}
	if n := len(p.Needles()); n != 101 { // two each, and the prefix
		t.Errorf("%d needles", n)
	}
}

func TestDatesAreISO(t *testing.T) {
	t.Parallel()
	p := Generate(Config{Seed: 2})
	for r := range p.All(Billing) {
		for _, column := range []string{"issued_on", "paid_on", "started_on", "created_on"} {
			if v, ok := r.Values[column].(string); ok {
				if _, err := time.Parse(time.DateOnly, v); err != nil {
					t.Errorf("%s.%s: %v", r.Dataset, column, err)
				}
			}
		}
	}
}

func BenchmarkPeople(b *testing.B) {
	for b.Loop() {
		Generate(Config{Seed: 1, People: 100_000})
	}
}

func BenchmarkRowsOf(b *testing.B) {
	p := Generate(Config{Seed: 1})
	for b.Loop() {
		p.RowsOf(Camille)
	}
}
