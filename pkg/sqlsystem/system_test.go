package sqlsystem

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"habeas.dev/pkg/dsar"
	"habeas.dev/pkg/worker"
)

func TestGather(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, d database) {
		d.insert(t, "people", 1, "Ann@Example.com", "+4411", "2000-02-29", "2026-01-02T03:04:05Z", 12.5, true, `{"b": [1, 2.50], "a": "x,y"}`, "s", nil)
		d.insert(t, "people", 2, "bob@example.com", nil, nil, nil, nil, nil, nil, "s", nil)
		d.insert(t, "people", 3, "o'brien@example.com", nil, nil, "2026-01-02T03:04:05.5+02:00", 3, false, `null`, "s", nil)
		d.insert(t, "orders", "B", 1, "2020-01-01", nil)
		d.insert(t, "orders", "a", 1, "2021-01-01", "2026-11-01T00:00:00Z")
		d.insert(t, "orders", "C", 2, nil, nil)
		d.insert(t, "order_lines", "a", 2, "=1+1")
		d.insert(t, "order_lines", "a", 10, "ten")
		d.insert(t, "order_lines", "C", 1, nil)
		d.insert(t, "notes", 7, nil, "ANN@example.com", "by mail")
		d.insert(t, "notes", 8, 1, "ann@example.com", "by both")
		d.insert(t, "notes", 9, 2, nil, "by customer")
		s := open(t, d, shop(t))
		got := gatherAll(t, s,
			ids("email ann@example.com", "customer 1"),
			ids("email nobody@example.net"),
			ids("customer 2"),
			ids("email O'BRIEN@example.com"),
			ids("email ann@example.com"), // the same person, less is known
			nil,
		)
		ann := []string{
			`people {"active":true,"born":"2000-02-29","id":1,"mail":"Ann@Example.com","phone":"+4411","prefs":{"a":"x,y","b":[1,2.50]},"score":12.5,"seen":"2026-01-02T03:04:05Z"}`,
			`orders {"customer":1,"disputed":null,"number":"B","placed":"2020-01-01"}`,
			`orders {"customer":1,"disputed":"2026-11-01T00:00:00Z","number":"a","placed":"2021-01-01"}`,
			`lines {"disputed":"2026-11-01T00:00:00Z","n":2,"order":"a","placed":"2021-01-01","text":"=1+1"}`,
			`lines {"disputed":"2026-11-01T00:00:00Z","n":10,"order":"a","placed":"2021-01-01","text":"ten"}`,
			`notes {"body":"by mail","id":7,"mail":"ANN@example.com"}`,
			`notes {"body":"by both","id":8,"mail":"ann@example.com"}`,
		}
		want := [][]string{
			ann,
			nil,
			{
				`people {"active":null,"born":null,"id":2,"mail":"bob@example.com","phone":null,"prefs":null,"score":null,"seen":null}`,
				`orders {"customer":2,"disputed":null,"number":"C","placed":null}`,
				`lines {"disputed":null,"n":1,"order":"C","placed":null,"text":null}`,
				`notes {"body":"by customer","id":9,"mail":null}`,
			},
			{`people {"active":false,"born":null,"id":3,"mail":"o'brien@example.com","phone":null,"prefs":null,"score":3,"seen":"2026-01-02T01:04:05.5Z"}`},
			{ann[0], ann[5], ann[6]},
			nil,
		}
		for i := range want {
			if !slices.Equal(got[i], want[i]) {
				t.Errorf("subject %d:\ngot  %s\nwant %s", i, strings.Join(got[i], "\n     "), strings.Join(want[i], "\n     "))
			}
		}
	})
}

func TestResolve(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, d database) {
		d.person(t, 3, "ann@example.com", "+441")
		d.person(t, 1, "Ann@example.com", nil)
		d.person(t, 2, "bob@example.com", "+442")
		s := open(t, d, shop(t))
		jobs := []*worker.ResolveJob{
			{Job: worker.Job{Task: worker.Task{Identifiers: ids("email ann@EXAMPLE.com", "phone +44 2")}}},
			{Job: worker.Job{Task: worker.Task{Identifiers: ids("email carl@example.com")}}},
			{Job: worker.Job{Task: worker.Task{Identifiers: ids("phone +442")}}},
			{Job: worker.Job{Task: worker.Task{Identifiers: ids("customer 3")}}},
		}
		if err := s.Resolve(t.Context(), jobs); err != nil {
			t.Fatal(err)
		}
		ann := jobs[0].Identifiers
		want := [][]worker.Found{
			{{Type: "customer", Value: "1", From: ann[0]}, {Type: "customer", Value: "2", From: ann[1]}, {Type: "customer", Value: "3", From: ann[0]}},
			nil,
			{{Type: "customer", Value: "2", From: jobs[2].Identifiers[0]}},
			nil,
		}
		for i := range want {
			if !reflect.DeepEqual(jobs[i].Found, want[i]) || jobs[i].Err != nil {
				t.Errorf("job %d: got %v, %v", i, jobs[i].Found, jobs[i].Err)
			}
		}
	})
}

func TestPlanAndErase(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, d database) {
		d.person(t, 1, "ann@example.com", nil)
		d.person(t, 2, "bob@example.com", nil)
		d.insert(t, "orders", "old", 1, "2016-11-19", nil)                             // over today
		d.insert(t, "orders", "last-day", 1, "2016-11-20", nil)                        // over tomorrow
		d.insert(t, "orders", "claimed", 1, "2010-01-01", "2025-06-01T23:59:59-05:00") // through 2 December 2026
		d.insert(t, "orders", "claim-over", 1, "2010-01-01", "2025-05-01T00:00:00Z")
		d.insert(t, "orders", "both", 1, "2020-05-05", "2026-05-01T00:00:00Z")
		d.insert(t, "order_lines", "old", 1, "goes")
		d.insert(t, "order_lines", "both", 1, "stays")
		d.insert(t, "orders", "bob's", 2, "2001-01-01", nil)
		d.insert(t, "notes", 1, 1, nil, "words")
		d.insert(t, "notes", 2, 2, nil, "words")
		s := open(t, d, shop(t))
		subjects := [][]worker.Identifier{ids("customer 1", "email ann@example.com"), ids("customer 99")}
		day := func(s string) time.Time {
			at, err := time.Parse(time.DateOnly, s)
			if err != nil {
				t.Fatal(err)
			}
			return at
		}
		retained := map[string][]dsar.Retention{
			"orders": {
				{Ground: "tax-records", Records: 2, Until: day("2030-05-06"), Next: day("2026-11-21")},
				{Ground: "legal-claims", Records: 1, Until: day("2026-12-03")},
			},
			"lines": {{Ground: "tax-records", Records: 1, Until: day("2030-05-06")}},
		}
		plan := []dsar.Counts{
			{Dataset: "people", Found: 1},
			{Dataset: "orders", Found: 5, Retained: retained["orders"]},
			{Dataset: "lines", Found: 2, Retained: retained["lines"]},
			{Dataset: "notes", Found: 1},
		}
		same := func(what string, got []dsar.Counts, want ...dsar.Counts) {
			t.Helper()
			for _, list := range [][]dsar.Counts{got, want} {
				for i := range list {
					slices.SortFunc(list[i].Retained, func(a, b dsar.Retention) int { return cmp.Compare(a.Ground, b.Ground) })
				}
				slices.SortFunc(list, func(a, b dsar.Counts) int { return cmp.Compare(a.Dataset, b.Dataset) })
			}
			if !reflect.DeepEqual(got, want) {
				t.Errorf("%s:\ngot  %+v\nwant %+v", what, got, want)
			}
		}
		count := func() []dsar.Counts {
			jobs := jobsOf(dsar.Erasure, subjects...)
			if err := s.countAll(t.Context(), jobs); err != nil {
				t.Fatal(err)
			}
			if jobs[1].Counts != nil || jobs[0].Err != nil || jobs[1].Err != nil {
				t.Errorf("got %+v, %+v", jobs[0], jobs[1])
			}
			return jobs[0].Counts
		}
		erase := func() []dsar.Counts {
			jobs := jobsOf(dsar.Erasure, subjects...)
			if err := s.eraseAll(t.Context(), jobs); err != nil {
				t.Fatal(err)
			}
			if jobs[1].Counts != nil || jobs[0].Err != nil || jobs[1].Err != nil {
				t.Errorf("got %+v, %+v", jobs[0], jobs[1])
			}
			return jobs[0].Counts
		}
		same("plan", count(), plan...)
		same("erased", erase(),
			dsar.Counts{Dataset: "people", Found: 1, Erased: 1},
			dsar.Counts{Dataset: "orders", Found: 5, Erased: 2, Retained: retained["orders"]},
			dsar.Counts{Dataset: "lines", Found: 2, Erased: 1, Retained: retained["lines"]},
			dsar.Counts{Dataset: "notes", Found: 1, Anonymised: 1})
		left := []dsar.Counts{
			{Dataset: "orders", Found: 3, Retained: retained["orders"]},
			{Dataset: "lines", Found: 1, Retained: retained["lines"]},
		}
		same("proof", count(), left...)
		same("erased again", erase(), left...)
		for query, want := range map[string]string{
			`SELECT number FROM orders`:              "[bob's both claimed last-day]",
			`SELECT text FROM order_lines`:           "[stays]",
			`SELECT body FROM notes ORDER BY id`:     "[(removed) words]",
			`SELECT customer FROM notes ORDER BY id`: "[ 2]",
			`SELECT id FROM people`:                  "[2]",
		} {
			got := d.column(t, query)
			if !strings.Contains(query, "ORDER") {
				slices.Sort(got)
			}
			if fmt.Sprint(got) != want {
				t.Errorf("%s: %s, want %s", query, got, want)
			}
		}
	})
}

func TestMissing(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, d database) {
		for _, c := range []struct{ old, new, want string }{
			{"table: orders\n      key", "table: order\n      key", `shop.yaml:52: dataset orders: the database has no table "order"; create it, or correct the name`},
			{"- {name: seen, type: datetime}", "- {name: birthday, type: date}", `shop.yaml:22: dataset people: table "people" has no column "birthday"; it has id, mail, tele phone, born`},
			{"columns: {phone: \"tele phone\"}", "columns: {phone: phone}", `: dataset people: table "people" has no column "phone"; it has`},
			{"subject: {customer: customer}", "subject: {customer: client}", `: dataset orders: table "orders" has no column "client"; it has number, customer, placed, disputed`},
			{"key: [order, n]", "key: [order, m]", `table "order_lines" has no column "m"`},
			{"key: [order, n]", "key: [n]", `dataset lines: nothing keeps two rows of "order_lines" from having the same key; name its primary key`},
			{"on: {order: number}", "on: {order: placed}", `dataset lines: a row can lead to several rows of "orders"; join by its primary key`},
			{"on: {order: number}", "on: {ordr: number}", `table "order_lines" has no column "ordr"`},
			{"anonymise: {customer: null,", "anonymise: {client: 1, customer: null,", `dataset notes: table "notes" has no column "client"`},
			{"column: restricted,", "column: blocked,", `dataset people: table "people" has no column "blocked"`},
			{"column: id, by", "column: ref, by", `shop.yaml:8: table "people" has no column "ref"`},
			{"by: {email: mail,", "by: {email: email,", `table "people" has no column "email"`},
		} {
			_, err := Open(t.Context(), shop(t, c.old, c.new), d.source)
			if err == nil || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "\n") {
				t.Errorf("%s:\ngot  %v\nwant %s", c.new, err, c.want)
			}
		}
	})
}

func TestUnsuitableColumns(t *testing.T) {
	t.Parallel()
	d := sqliteDB(t, strings.Replace(sqliteShop, "customer INTEGER, mail", "customer DECIMAL, mail", 1))
	if _, err := Open(t.Context(), shop(t), d.source); err == nil || !strings.Contains(err.Error(), `column "customer" is of type DECIMAL, which identifiers can't be compared with; it must be TEXT or INTEGER`) {
		t.Errorf("got %v", err)
	}
	t.Run("PostgreSQL", func(t *testing.T) {
		t.Parallel()
		for old, c := range map[string][2]string{
			"customer INTEGER, mail": {"customer NUMERIC, mail", "is of type numeric, which identifiers can't be compared with"},
			"placed DATE":            {"placed TEXT", `retention runs from "placed", which is of type text in the database`},
		} {
			d := postgresDB(t, strings.Replace(postgresShop, old, c[0], 1))
			if _, err := Open(t.Context(), shop(t), d.source); err == nil || !strings.Contains(err.Error(), c[1]) {
				t.Errorf("got %v", err)
			}
		}
	})
}

// TestWritingsNeedText: a column of numbers loses how a telephone number is written, so that
// none would be found by it: it is refused by name, in every database.
func TestWritingsNeedText(t *testing.T) {
	t.Parallel()
	everyDatabase(t, "CREATE TABLE people (id INTEGER PRIMARY KEY, held BIGINT)", func(t *testing.T, d database) {
		for _, typ := range []string{"phone", "email"} {
			m := small(t, "abilities: [gather, erase]\nneeds: ["+typ+"]\nsql: {}", "people | table: people, key: [id], subject: {"+typ+": held}, erase: delete")
			if _, err := Open(t.Context(), m, d.source); err == nil || !strings.Contains(err.Error(), `column "held" is of type `) || !strings.Contains(err.Error(), "which loses how a "+typ+" is written") {
				t.Errorf("%v", err)
			}
		}
	})
}

func TestOpenErrors(t *testing.T) {
	t.Parallel()
	for _, source := range []string{filepath.Join(t.TempDir(), "missing.db"), "postgres://user:hunter2@127.0.0.1:1/db?connect_timeout=1", "postgres://user:hunter2@%zz"} {
		_, err := Open(t.Context(), shop(t), source, WithTimeout(5*time.Second))
		if err == nil || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%s gives %v", source, err)
		}
	}
	m := shop(t)
	m.SQL = nil
	if _, err := Open(t.Context(), m, filepath.Join(t.TempDir(), "x.db")); err == nil || !strings.Contains(err.Error(), "shop.yaml:1: the manifest has no sql") {
		t.Errorf("got %v", err)
	}
}

// TestNasty holds that identifiers are data and nothing else.
func TestNasty(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, d database) {
		d.person(t, 1, "ann@example.com", nil)
		d.person(t, 2, `x' OR '1'='1`, nil)
		d.person(t, 3, "%", nil)
		s := open(t, d, shop(t))
		var subjects [][]worker.Identifier
		for _, nasty := range []string{
			"' OR '1'='1", `") OR 1=1 --`, "%", "_nn@example.com", "*", "", " ", "\x00", "a\x00b", "\xff\xfe", `\`, "1", "1 OR 1=1", "NULL", "null",
			strings.Repeat("x", 100_000), "'; DROP TABLE people; --", "1e0", "01", "+1", "9223372036854775808", "{1,2}", `{"a"}`,
		} {
			subjects = append(subjects, ids("email "+nasty), ids("phone "+nasty), ids("customer "+nasty))
		}
		got := gatherAll(t, s, subjects...)
		for i, records := range got {
			value := subjects[i][0].Value
			switch {
			case subjects[i][0].Type == "email" && value == "%":
				if len(records) != 1 || !strings.Contains(records[0], `"id":3`) {
					t.Errorf("%%: got %v", records)
				}
			case subjects[i][0].Type == "customer" && value == "1": // and not 01 or +1: a number is asked for as it is written
				if len(records) != 1 || !strings.Contains(records[0], `"id":1`) {
					t.Errorf("%s: got %v", value, records)
				}
			case records != nil:
				t.Errorf("%s %.20q: got %v", subjects[i][0].Type, value, records)
			}
		}
		jobs := jobsOf(dsar.Erasure, subjects[0], subjects[1], subjects[2])
		if err := s.eraseAll(t.Context(), jobs); err != nil {
			t.Fatal(err)
		}
		if left := d.column(t, "SELECT id FROM people"); len(left) != 3 {
			t.Errorf("left %v", left)
		}
	})
}

// TestManySubjects asks for more people than a statement has parameters for.
func TestManySubjects(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, d database) {
		for i := range 30 {
			d.person(t, i, fmt.Sprintf("p%d@example.com", i), nil)
		}
		s := open(t, d, shop(t))
		const many = 12_000
		subjects := make([][]worker.Identifier, many)
		for i := range subjects {
			subjects[i] = ids(fmt.Sprintf("email p%d@example.com", i), fmt.Sprintf("customer %d", i))
		}
		for i, got := range gatherAll(t, s, subjects...) {
			if want := i < 30; (len(got) == 1) != want {
				t.Fatalf("subject %d: got %v", i, got)
			}
		}
		jobs := jobsOf(dsar.Erasure, subjects...)
		if err := s.eraseAll(t.Context(), jobs); err != nil {
			t.Fatal(err)
		}
		if left := d.column(t, "SELECT id FROM people"); len(left) != 0 {
			t.Errorf("left %v", left)
		}
	})
}

// TestRefusedRow holds that a row which the database won't let go fails its own
// person only.
func TestRefusedRow(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, d database) {
		for i := range 3 {
			d.person(t, i, fmt.Sprintf("p%d@example.com", i), nil)
		}
		if _, err := d.Exec(`CREATE TABLE loans (person BIGINT REFERENCES people (id))`); err != nil {
			t.Fatal(err)
		}
		d.insert(t, "loans", 1)
		s := open(t, d, shop(t))
		jobs := jobsOf(dsar.Erasure, ids("customer 0"), ids("customer 1"), ids("customer 2"))
		if err := s.eraseAll(t.Context(), jobs); err != nil {
			t.Fatal(err)
		}
		for i, j := range jobs {
			var typed *worker.Error
			if i == 1 {
				if !errors.As(j.Err, &typed) || typed.Code != "refused" || !typed.Permanent() || j.Counts != nil {
					t.Errorf("person 1: %v, %v", j.Err, j.Counts)
				}
			} else if j.Err != nil || !reflect.DeepEqual(j.Counts, []dsar.Counts{{Dataset: "people", Found: 1, Erased: 1}}) {
				t.Errorf("person %d: %v, %v", i, j.Err, j.Counts)
			}
		}
		if left := d.column(t, "SELECT id FROM people"); !slices.Equal(left, []string{"1"}) {
			t.Errorf("left %v", left)
		}
	})
}

func TestRectify(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, d database) {
		d.person(t, 1, "ann@example.com", nil)
		d.person(t, 2, "bob@example.com", nil)
		d.insert(t, "notes", 1, 1, "old@example.com", "words")
		s := open(t, d, shop(t))
		change := func(column, value string) worker.Change {
			return worker.Change{Dataset: "people", Column: column, Value: value}
		}
		jobs := jobsOf(dsar.Rectification, ids("customer 1"), ids("customer 2"), ids("customer 2"), ids("customer 3"))
		jobs[0].Changes = []worker.Change{change("mail", "o'new@example.com"), change("born", "1990-12-31"), change("score", "7.250"), change("active", "true"), {Dataset: "notes", Column: "mail", Value: "x"}}
		jobs[1].Changes = []worker.Change{{Dataset: "notes", Column: "mail", Value: "x"}}
		jobs[2].Changes = []worker.Change{change("born", "yesterday")}
		jobs[3].Changes = []worker.Change{change("mail", "y")}
		if err := s.rectifyAll(t.Context(), jobs); err != nil {
			t.Fatal(err)
		}
		// The e-mail address that a note was sent to stays what it was, and is named.
		if !reflect.DeepEqual(jobs[0].Counts, []dsar.Counts{{Dataset: "people", Found: 1, Rectified: 1, Changed: []string{"mail", "born", "score", "active"}},
			{Dataset: "notes", Found: 1, Unchanged: []string{"mail"}}}) || jobs[0].Err != nil {
			t.Errorf("got %+v, %v", jobs[0].Counts, jobs[0].Err)
		}
		for i, code := range map[int]string{1: "not-rectifiable", 2: "bad-correction"} {
			var typed *worker.Error
			if !errors.As(jobs[i].Err, &typed) || typed.Code != code {
				t.Errorf("job %d: %v", i, jobs[i].Err)
			}
		}
		if jobs[3].Err != nil || jobs[3].Counts != nil {
			t.Errorf("nobody: %+v, %v", jobs[3].Counts, jobs[3].Err)
		}
		got := gatherAll(t, s, ids("customer 1"))[0]
		want := []string{
			`people {"active":true,"born":"1990-12-31","id":1,"mail":"o'new@example.com","phone":null,"prefs":null,"score":7.25,"seen":null}`,
			`notes {"body":"words","id":1,"mail":"old@example.com"}`,
		}
		if !slices.Equal(got, want) {
			t.Errorf("got %v", got)
		}
		if mails := d.column(t, "SELECT mail FROM people ORDER BY id"); !slices.Equal(mails, []string{"o'new@example.com", "bob@example.com"}) {
			t.Errorf("mails %v", mails)
		}
	})
}

func TestRestrict(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, d database) {
		for i := range 3 {
			d.person(t, i, fmt.Sprintf("p%d@example.com", i), nil)
		}
		s := open(t, d, shop(t))
		jobs := jobsOf(dsar.Restriction, ids("customer 1"), ids("customer 9"), ids("customer 2"), ids("customer 2"))
		jobs[2].Right, jobs[2].Purposes = dsar.OptOut, s.m.UsesOf(s.m.Dataset("people"))
		jobs[3].Right, jobs[3].Purposes = dsar.OptOut, s.m.UsesOf(s.m.Dataset("notes")) // of which they have none
		for range 2 {                                                                   // and again
			for _, j := range jobs {
				j.Counts, j.Err = nil, nil
			}
			if err := s.restrictAll(t.Context(), jobs); err != nil {
				t.Fatal(err)
			}
			if !reflect.DeepEqual(jobs[0].Counts, []dsar.Counts{{Dataset: "people", Found: 1, Restricted: 1}}) || jobs[0].Err != nil || jobs[1].Counts != nil || jobs[1].Err != nil {
				t.Errorf("got %+v and %+v", jobs[0], jobs[1])
			}
			var typed *worker.Error
			if !errors.As(jobs[2].Err, &typed) || typed.Code != "not-restrictable" {
				t.Errorf("opt-out: %v", jobs[2].Err)
			}
			if jobs[3].Err != nil {
				t.Errorf("opt-out of what nothing of theirs is used for: %v", jobs[3].Err)
			}
		}
		if got := d.column(t, "SELECT id FROM people WHERE restricted"); !slices.Equal(got, []string{"1"}) {
			t.Errorf("restricted %v", got)
		}
	})
}

func TestCancelled(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, d database) {
		d.person(t, 1, "ann@example.com", nil)
		s := open(t, d, shop(t))
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		jobs := jobsOf(dsar.Erasure, ids("customer 1"))
		if err := s.eraseAll(ctx, jobs); !errors.Is(err, context.Canceled) || jobs[0].Counts != nil {
			t.Errorf("got %v, %v", err, jobs[0].Counts)
		}
		if left := d.column(t, "SELECT id FROM people"); len(left) != 1 {
			t.Errorf("left %v", left)
		}
	})
}

// TestSchemaChanged holds that a table which is gone is a person's to mend.
func TestSchemaChanged(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, d database) {
		s := open(t, d, shop(t))
		if _, err := d.Exec(`DROP TABLE notes`); err != nil {
			t.Fatal(err)
		}
		err := s.countAll(t.Context(), jobsOf(dsar.Erasure, ids("customer 1")))
		var typed *worker.Error
		if !errors.As(err, &typed) || typed.Code != "schema-changed" {
			t.Errorf("got %v", err)
		}
	})
}

// TestReadOnly holds that a missing permission is a person's to mend.
func TestReadOnly(t *testing.T) {
	t.Parallel()
	d := sqliteDB(t, sqliteShop)
	d.person(t, 1, "ann@example.com", nil)
	s := open(t, d, shop(t))
	if _, err := s.db.Exec("PRAGMA query_only(1)"); err != nil {
		t.Fatal(err)
	}
	s.db.SetMaxOpenConns(1)
	err := s.eraseAll(t.Context(), jobsOf(dsar.Erasure, ids("customer 1")))
	var typed *worker.Error
	if !errors.As(err, &typed) || typed.Code != "no-permission" {
		t.Errorf("got %v", err)
	}
}

// TestIndexes: with the indexes that Advice asks for people are looked up by
// indexes, and no others are asked for.
func TestIndexes(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, d database) {
		s := open(t, d, shop(t))
		advice, err := s.Advice(t.Context())
		if err != nil || len(advice) == 0 {
			t.Fatal(advice, err)
		}
		for _, a := range advice {
			_, index, ok := strings.Cut(a.String(), "; CREATE INDEX ")
			if d.dialect == MariaDB && strings.Contains(a.Cure, "ADD COLUMN `tele phone_compared`") {
				continue // it is another column that is asked by then: TestMariaIndexes
			}
			if !ok {
				t.Fatalf("advised %s", a)
			}
			if _, err := d.Exec("CREATE INDEX " + index); err != nil {
				t.Fatalf("%s: %v", index, err)
			}
		}
		s = open(t, d, shop(t))
		if advice, err := s.Advice(t.Context()); err != nil || len(advice) != 0 && d.dialect != MariaDB {
			t.Errorf("with those indexes: %v, %v", advice, err)
		}
		if d.dialect != SQLite {
			return
		}
		c := s.chunks([]*worker.Task{{Identifiers: ids("email a@b", "customer 1", "phone +1")}})[0]
		for _, ds := range s.datasets {
			q := &statement{dialect: SQLite}
			q.add("EXPLAIN QUERY PLAN ")
			(&search{asked: c.asked(ds.subjects), columns: []string{"1"}}).write(q, c, ds)
			err := each(t.Context(), d.DB, q.String(), func(row []string) {
				if strings.HasPrefix(row[3], "SCAN") && row[3] != "SCAN u" { // u is the union of what each way finds
					t.Errorf("%s: %s", ds.Name, row[3])
				}
			}, q.args...)
			if err != nil {
				t.Fatal(err)
			}
		}
	})
}

// TestOddPath holds that a file's path is a path, whatever it is made of.
func TestOddPath(t *testing.T) {
	t.Parallel()
	d := sqliteDB(t, sqliteShop)
	dir := filepath.Join(t.TempDir(), "a b?mode=memory#%41")
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	d.Close()
	odd := filepath.Join(dir, "x.db")
	if err := os.Rename(d.source, odd); err != nil {
		t.Fatal(err)
	}
	s, err := Open(t.Context(), shop(t), odd)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
}
