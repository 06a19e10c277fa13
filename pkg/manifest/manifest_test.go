package manifest

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"go.yaml.in/yaml/v3"
	"pgregory.net/rapid"

	"habeas.dev/pkg/dsar"
	"habeas.dev/schemas"
)

func shop(t testing.TB) string {
	t.Helper()
	text, err := os.ReadFile("testdata/shop.yaml")
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func schema(t testing.TB) *jsonschema.Schema {
	t.Helper()
	text, err := schemas.Read("manifest.schema.json")
	if err != nil {
		t.Fatal(err)
	}
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	if err := c.AddResource(schemas.Base+"manifest.schema.json", doc); err != nil {
		t.Fatal(err)
	}
	s, err := c.Compile(schemas.Base + "manifest.schema.json")
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// refuses reports whether the schema refuses a YAML text.
func refuses(t testing.TB, s *jsonschema.Schema, text string) bool {
	t.Helper()
	var v any
	if err := yaml.Unmarshal([]byte(text), &v); err != nil {
		return true // whoever reads it for the schema refuses it
	}
	v, ok := plain(v)
	return !ok || s.Validate(v) != nil
}

// plain returns what JSON could say of a YAML value.
func plain(v any) (any, bool) {
	switch v := v.(type) {
	case map[string]any:
		for k, e := range v {
			p, ok := plain(e)
			if !ok {
				return nil, false
			}
			v[k] = p
		}
	case []any:
		for i, e := range v {
			p, ok := plain(e)
			if !ok {
				return nil, false
			}
			v[i] = p
		}
	case map[any]any, time.Time:
		return nil, false
	}
	return v, true
}

func TestGood(t *testing.T) {
	t.Parallel()
	text := shop(t)
	m, err := Parse("shop.yaml", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	if refuses(t, schema(t), text) {
		t.Error("the schema refuses it")
	}
	if m.Title.In("fr") != "Boutique" || m.Datasets[1].Title.In("fr") != "Orders" {
		t.Error("texts aren't found by language")
	}
	if got := m.Definition(); got.Name != "shop" || got.Lease != 2*time.Minute || got.MaxRecords != 500 || !got.Can(dsar.Prove) {
		t.Errorf("the core knows %+v", got)
	}
	if got := m.At("datasets[1].sql.table"); got != "shop.yaml:"+lineOf(text, "table: orders\n") {
		t.Errorf("orders' table stands at %s", got)
	}
	if got := m.At("datasets[1].sql.columns.x"); got != "shop.yaml:"+lineOf(text, "    sql:\n      table: orders") {
		t.Errorf("what isn't written stands at %s", got)
	}
	order, _ := m.EraseOrder()
	if fmt.Sprint(order) != "[lines orders customers]" {
		t.Errorf("erased in the order %v", order)
	}
}

func lineOf(text, part string) string {
	before, _, _ := strings.Cut(text, part)
	return fmt.Sprint(1 + strings.Count(before, "\n"))
}

// bad are manifests that are refused: the good one with a change. Where is text
// at whose line the error must be.
var bad = []struct {
	name     string
	old, new string
	where    string
	want     string // part of the error
	goOnly   bool   // a schema can't say it
}{
	{"unknown field", "erase_after: [ledger]", "eraseafter: [ledger]", "eraseafter", `unknown field "eraseafter"; allowed here: system, title`, false},
	{"unknown field in a dataset", "    origin: observed", "    orgin: observed", "    orgin", `unknown field "orgin"`, false},
	{"field twice", "max_records: 500", "max_records: 500\nmax_records: 600", "max_records: 600", "stands twice; leave one", false},
	{"alias", "title: {en: Orders}", "title: &a {en: Orders}", "title: &a", "aliases aren't read", true},
	{"no system", "system: shop\n", "", "", "system is missing", false},
	{"a number for a name", "system: shop", "system: 12", "system: 12", "system must be a text; quote it", false},
	{"bad system", "system: shop", "system: The Shop", "system:", "isn't a name; use lower-case letters", false},
	{"reserved", "system: shop", "system: aggregator", "system:", "no system may be called aggregator", false},
	{"no title", "title: {en: Shop, fr: Boutique}\n", "", "", "title is missing", false},
	{"no English", "title: {en: Orders}", "title: {fr: Commandes}", "title: {fr: Commandes}", "title has no English text", false},
	{"bad language", "title: {en: Orders}", "title: {en: Orders, français: Commandes}", "title: {en: Orders,", "isn't a language", false},
	{"empty text", "title: {en: Orders}", `title: {en: " "}`, "title: {en: \"", "title in en is missing", false},
	{"unknown ability", "[resolve, gather,", "[resolve, gater,", "abilities", `unknown ability "gater"; allowed: resolve, gather, erase, rectify, restrict`, false},
	{"no abilities", "abilities: [resolve, gather, erase, rectify, restrict]", "abilities: []", "abilities", "abilities are missing", false},
	{"ability twice", "[resolve, gather,", "[resolve, gather, gather,", "abilities", "stands twice", false},
	{"abilities not a list", "abilities: [resolve, gather, erase, rectify, restrict]", "abilities: gather", "abilities", "abilities must be a list", false},
	{"no needs", "needs: [email, customer_ref]\n", "", "", "needs is missing", false},
	{"bad identifier type", "needs: [email,", "needs: [email, E-Mail,", "needs", "isn't an identifier type", false},
	{"finds without resolve", "abilities: [resolve, gather,", "abilities: [gather,", "finds:", "finds without the ability resolve", true},
	{"resolve without finds", "finds: [customer_ref]\n", "", "abilities", "resolve without finds", true},
	{"after itself", "erase_after: [ledger]", "erase_after: [shop]", "erase_after", "after itself", true},
	{"negative brake", "max_records: 500", "max_records: -1", "max_records", "negative", false},
	{"lease too long", "lease: 2m", "lease: 2h", "lease", "lease 2h0m0s is out of bounds", true},
	{"lease without a unit", "lease: 2m", "lease: 2", "lease", "lease must be a text", false},
	{"backups no period", "lease: 2m", "lease: 2m\nbackups: 35d", "backups:", "is not a period", false},
	{"backups no time at all", "lease: 2m", "lease: 2m\nbackups: P0D", "backups:", "no time at all", true},
	{"lease no time", "lease: 2m", "lease: soon", "lease", "soon", false},
	{"no datasets", "datasets:\n", "datasets: []\nnothing:\n", "nothing", `unknown field "nothing"`, false},
	{"dataset twice", "- name: lines", "- name: Orders", "- name: Orders", `dataset "Orders" is there already`, true},
	{"missing category", "    category: identifiers\n", "", "- name: customers", `category is missing; allowed: identifiers, customer records`, false},
	{"unknown category", "category: identifiers", "category: names", "category: names", `unknown category "names"; allowed: identifiers`, false},
	{"missing origin", "    origin: provided\n", "", "- name: customers", "origin is missing; allowed: provided, observed, received, derived", false},
	{"missing purpose", "    purpose: {en: To know whom we deliver to}\n", "", "- name: customers", "purpose is missing", false},
	{"unknown basis", "legal_basis: contract\n    recipients", "legal_basis: habit\n    recipients", "legal_basis: habit", "unknown legal_basis", false},
	{"missing storage", "    storage: {en: As long as there are orders}\n", "", "- name: customers", "storage is missing", false},
	{"column twice", "- {name: ref}\n", "- {name: ref}\n      - {name: ref}\n", "- {name: ref}\n      - {name: email", `column "ref" stands twice`, true},
	{"bad column", "- {name: ref}\n", "- {name: ref-1}\n", "- {name: ref-1}", "isn't a column name", false},
	{"unknown type", "{name: number, type: integer}", "{name: number, type: int}", "type: int}", `unknown type "int"; allowed: string, integer`, false},
	{"unknown kind", "secret: payment-card", "secret: card", "secret: card", `unknown secret "card"; allowed: government-id`, false},
	{"retention of an unknown column", "column: placed_on, period: P10Y}\n    sql:\n      table: orders", "column: placed, period: P10Y}\n    sql:\n      table: orders", "column: placed,", `retention of orders names the unknown column "placed"; name one of its columns: number, placed_on`, true},
	{"retention of no date", "column: placed_on, period: P10Y}\n    sql:\n      table: orders", "column: number, period: P10Y}\n    sql:\n      table: orders", "column: number", "which isn't a date", true},
	{"bad period", "column: placed_on, period: P10Y}\n    sql:\n      table: orders", "column: placed_on, period: 10 years}\n    sql:\n      table: orders", "10 years", `"10 years" is not a period such as P10Y`, false},
	{"unknown undated", "column: placed_on, period: P10Y}\n    sql:\n      table: orders", "column: placed_on, period: P10Y, undated: keep}\n    sql:\n      table: orders", "undated: keep", `unknown undated "keep"; allowed: stay, go`, false},
	{"sql without the system's", "sql:\n  schema: public\n  resolve:\n    - {find: customer_ref, table: customers, column: ref, by: {email: email}}\n", "", "sql:\n      table: customers", "a dataset has sql, the system hasn't", false},
	{"dataset without sql", "    sql:\n      table: orders\n      key: [number]\n      subject: {customer_ref: customer}\n      erase: delete\n", "", "- name: orders", "dataset orders has no sql", false},
	{"no table", "table: orders\n", "table: \"\"\n", "table: \"\"", "table is missing", false},
	{"table twice", "table: orders\n", "table: customers\n", "table: customers\n      key: [number]", "is that of dataset customers already", true},
	{"no key", "      key: [number]\n", "", "    sql:\n      table: orders", "key is missing", false},
	{"no subject", "      subject: {customer_ref: customer}\n", "", "    sql:\n      table: orders", "dataset orders has no subject", false},
	{"subject never told", "subject: {customer_ref: customer}", "subject: {tax_id: customer}", "tax_id", `"tax_id" isn't among the system's needs`, true},
	{"subject in no table", "subject: {customer_ref: customer}", "subject: {customer_ref: buyers.customer}", "buyers", "names a table that isn't in via", true},
	{"unknown column in columns", "columns: {placed_on: orders.placed_on}", "columns: {placed_on: orders.placed_on, placed: orders.placed_on}", "columns: {placed_on: orders.placed_on, placed", `unknown column "placed"; name one of`, true},
	{"no way to erase", "customer_ref: customer}\n      erase: delete", "customer_ref: customer}", "    sql:\n      table: orders", "dataset orders has no way to be erased", true},
	{"erase without the ability", "abilities: [resolve, gather, erase,", "abilities: [resolve, gather,", "erase: anonymise", "the system lacks the ability", true},
	{"unknown erase", "customer_ref: customer}\n      erase: delete", "customer_ref: customer}\n      erase: hide", "erase: hide", `unknown erase "hide"`, false},
	{"nothing to anonymise", "      anonymise: {ref: null, email: null, card: \"\", \"the name\": gone}\n", "", "    sql:\n      table: customers", "anonymise is missing", false},
	{"anonymise keeps the way back", "anonymise: {ref: null, email", "anonymise: {email", "anonymise: {email", "anonymise keeps ref, by which the person is found", true},
	{"anonymise keeps what is never shown", `card: "", `, "", "anonymise: {", "anonymise keeps card, which is a secret (payment-card)", true},
	{"anonymise to a list", `card: ""`, `card: []`, "anonymise: {", "must be null, a text", false},
	{"delete with anonymise", "customer_ref: customer}\n      erase: delete", "customer_ref: customer}\n      erase: delete\n      anonymise: {customer: null}", "anonymise: {customer", "anonymise without erase: anonymise", false},
	{"line outlives its order", "period: P10Y}\n    sql:\n      table: orders", "period: P6Y}\n    sql:\n      table: orders", "      - {ground: tax-records, source: art. 16, title: {en: Tax records}, column: placed_on, period: P10Y}\n    sql:\n      table: lines", "lines must stay when orders, through which it is found, may be gone", true},
	{"circle of datasets", "customer_ref: customer}\n      erase: delete", "customer_ref: customer}\n      erase: delete\n      after: [customers]", "datasets:", "circle", true},
	{"after an unknown dataset", "after: [orders]", "after: [order]", "after: [order]", "unknown dataset", true},
	{"rectify an unknown column", "rectify: [email]", "rectify: [mail]", "rectify: [mail]", `rectify names the unknown column "mail"`, true},
	{"rectify by several ways", "      subject: {customer_ref: ref, email: email}\n", "      ways: [{subject: {customer_ref: ref}}, {subject: {email: email}}]\n", "rectify: [email]", "rectify doesn't say by which of them", true},
	{"rectify the key by a way", "      subject: {customer_ref: ref, email: email}\n", "      subject: {email: email}\n      ways:\n        - {subject: {customer_ref: ref}, rectify: [ref]}\n", "rectify: [ref]", "part of the key", true},
	{"rectify the key", "rectify: [email]", "rectify: [ref]", "rectify: [ref]", "part of the key", true},
	{"rectify without the ability", "rectify, restrict]", "restrict]", "rectify: [email]", "lacks the ability", true},
	{"rectify nowhere", "      rectify: [email]\n", "", "abilities", "able to rectify, and no dataset says how", true},
	{"a flag that stops no name", "stops: [mail]", "stops: [Mail]", "stops: [Mail]", `"Mail" isn't the name of a purpose`, false},
	{"a flag that stops it twice", "stops: [mail]", "stops: [mail, mail]", "stops: [mail", `"mail" stands twice`, false},
	{"restrict to nothing", "value: true", "value: null", "value: null", "value is missing", false},
	{"resolve what isn't found", "    - {find: customer_ref,", "    - {find: account_id, table: t, column: c, by: {email: e}}\n    - {find: customer_ref,", "    - {find: account_id,", "which isn't in finds", true},
	{"resolve by nothing", "by: {email: email}", "by: {}", "by: {}", "by is missing", false},
	{"nobody's data", "lease: 2m", "lease: 2m\nprocessing: {security: {en: Locks}}", "processing:", "subjects is missing", false},
	{"a transfer that no answer tells", "lease: 2m", "lease: 2m\nprocessing: {subjects: {en: All}, transfers: [{to: {en: Mars}}]}", "processing:", `unknown field "transfers"`, false},
	{"a technical table twice", "  schema: public", "  technical: [a, a]\n  schema: public", "technical:", `"a" stands twice`, false},
	{"a technical table too deep", "  schema: public", "  technical: [a.b.c]\n  schema: public", "technical:", "isn't a name in a database", false},
	{"others' unknown column", "    sql:\n      table: orders", "    others: [{columns: [buyer]}]\n    sql:\n      table: orders", "others:", `others of orders names the unknown column "buyer"; name one of its columns`, true},
	{"others' nothing", "    sql:\n      table: orders", "    others: [{columns: []}]\n    sql:\n      table: orders", "others:", "columns are missing", false},
	{"others unless never told", "    sql:\n      table: orders", "    others: [{columns: [number], unless: {tax_id: number}}]\n    sql:\n      table: orders", "others:", `"tax_id" isn't among the system's needs`, true},
	{"others when unknown", "    sql:\n      table: orders", "    others: [{columns: [number], when: {kind: gift}}]\n    sql:\n      table: orders", "others:", `names the unknown column "kind"`, true},
	{"others then what", "    sql:\n      table: orders", "    others: [{columns: [number], then: burn}]\n    sql:\n      table: orders", "others:", `unknown then "burn"; allowed: redact, person`, false},
	{"a template of no key", `card: ""`, `card: "x-{number}"`, "anonymise: {", "{number} names no column of the key", true},
	{"a template that leads back", `card: ""`, `card: "x-{ref}"`, "anonymise: {", "the value keeps ref, by which the person is found", true},
	{"cascades to what must stay", "erase: anonymise", "cascades: [orders]\n      erase: anonymise", "cascades:", "rows of orders must stay", true},
	{"cascades twice", "erase: delete", "cascades: [a, a]\n      erase: delete", "cascades:", `"a" stands twice`, false},
	{"cascades deep", "erase: delete", "cascades: [a.b.c]\n      erase: delete", "cascades:", "isn't a name in a database", false},
	{"dotted table", "table: orders\n", "table: shop.public.orders\n", "shop.public", "isn't a name in a database", false},
}

// TestBad checks the words and the place of each error, and TestSchemaAgrees
// that the schema says the same.
func TestBad(t *testing.T) {
	t.Parallel()
	good := shop(t)
	for _, c := range bad {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			text := change(t, good, c.old, c.new)
			_, err := Parse("shop.yaml", []byte(text))
			var e *Error
			if !errors.As(err, &e) {
				t.Fatalf("got %v", err)
			}
			if !strings.Contains(err.Error(), c.want) {
				t.Errorf("got  %s\nwant …%s…", err, c.want)
			}
			if strings.Contains(err.Error(), "\n") || e.Cure == "" {
				t.Errorf("not one line with a cure: %s", err)
			}
			if !strings.Contains(text, c.where) {
				t.Fatalf("the changed text lacks %q", c.where)
			}
			if !strings.HasPrefix(err.Error(), "shop.yaml:"+lineOf(text, c.where)+": ") {
				t.Errorf("got %s\nwant line %s", err, lineOf(text, c.where))
			}
		})
	}
}

func change(t testing.TB, text, old, replacement string) string {
	t.Helper()
	if strings.Count(text, old) < 1 {
		t.Fatalf("testdata lacks %q", old)
	}
	return strings.Replace(text, old, replacement, 1)
}

func TestSchemaAgrees(t *testing.T) {
	t.Parallel()
	good, s := shop(t), schema(t)
	for _, c := range bad {
		if got := refuses(t, s, change(t, good, c.old, c.new)); got == c.goOnly {
			t.Errorf("%s: the schema refuses it: %v", c.name, got)
		}
	}
}

// TestSchemaRefusesNoMore holds, for a manifest with any change whatever, that
// what the schema refuses is refused by Parse.
func TestSchemaRefusesNoMore(t *testing.T) {
	t.Parallel()
	good, s := shop(t), schema(t)
	rapid.Check(t, func(t *rapid.T) {
		var doc yaml.Node
		if err := yaml.Unmarshal([]byte(good), &doc); err != nil {
			t.Fatal(err)
		}
		for range rapid.IntRange(1, 2).Draw(t, "changes") {
			mutate(t, doc.Content[0])
		}
		text, err := yaml.Marshal(&doc)
		if err != nil {
			t.Skip("not YAML any more")
		}
		var v any
		if yaml.Unmarshal(text, &v) != nil {
			t.Skip("not YAML any more")
		}
		v, ok := plain(v)
		if ok && s.Validate(v) == nil {
			return
		}
		if _, err := Parse("", text); err == nil {
			t.Fatalf("the schema refuses what Parse accepts: %v\n%s", s.Validate(v), text)
		}
	})
}

// mutate changes a node somewhere below n.
func mutate(t *rapid.T, n *yaml.Node) {
	for len(n.Content) > 0 {
		i := rapid.IntRange(0, len(n.Content)-1).Draw(t, "child")
		if n.Kind == yaml.MappingNode && i%2 == 0 && rapid.IntRange(0, 3).Draw(t, "drop") == 0 {
			n.Content = append(n.Content[:i:i], n.Content[i+2:]...)
			return
		}
		if n.Kind == yaml.SequenceNode && rapid.IntRange(0, 6).Draw(t, "repeat") == 0 {
			n.Content = append(n.Content, n.Content[i])
			return
		}
		n = n.Content[i]
		if rapid.IntRange(0, 8).Draw(t, "here") == 0 {
			break
		}
	}
	value := rapid.SampledFrom([]string{"", " ", "null", "true", "12", "-1", "1.5", "x", "a.b", "a.b.c", "é", "[]", "{}", "delete", "2020-01-01", "P", "P0D", "P1W", "café", "UPPER", "~", "!x", "a\tb", "x y", strings.Repeat("n", 64), strings.Repeat("é", 32), "0", "1h", "objection", "email"}).Draw(t, "value")
	*n = yaml.Node{Kind: yaml.ScalarNode, Value: value}
	if value == "[]" {
		*n = yaml.Node{Kind: yaml.SequenceNode}
	} else if value == "{}" {
		*n = yaml.Node{Kind: yaml.MappingNode}
	}
}

func TestNotAManifest(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ text, want string }{
		"empty":      {"", "m.yaml: empty; begin with system:"},
		"no YAML":    {"system: [", "m.yaml:1: not YAML: "},
		"text":       {"hello", "m.yaml:1: a manifest must be fields and values; "},
		"list":       {"- a", "m.yaml:1: a manifest must be fields and values; "},
		"two":        {"system: a\n---\nsystem: b", "m.yaml: more than one document; "},
		"not UTF-8":  {"system: \xff", "m.yaml: not UTF-8; "},
		"huge":       {strings.Repeat("#", maxBytes+1), "m.yaml: too large; "},
		"merge":      {"<<: {system: a}", "m.yaml:1: anchors and aliases aren't read; "},
		"bare":       {"system:", "m.yaml:1: system must be a text; write one"},
		"only field": {"system: a", "(and 3 more)"},
	} {
		_, err := Parse("m.yaml", []byte(c.text))
		if err == nil || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: got %v, want %s", name, err, c.want)
		}
	}
	if _, err := Load(filepath.Join(t.TempDir(), "missing.yaml")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a missing file gives %v", err)
	}
}

func TestCatalogue(t *testing.T) {
	t.Parallel()
	of := func(name string, after ...string) *Manifest {
		text := change(t, shop(t), "system: shop", "system: "+name)
		text = change(t, text, "erase_after: [ledger]", "erase_after: ["+strings.Join(after, ", ")+"]")
		m, err := Parse(name+".yaml", []byte(text))
		if err != nil {
			t.Fatal(err)
		}
		return m
	}
	systems, err := Catalogue([]*Manifest{of("a", "b", "c"), of("b", "c"), of("c")})
	if err != nil || len(systems) != 3 || systems[1].Name != "b" {
		t.Errorf("got %v, %v", systems, err)
	}
	for name, c := range map[string]struct {
		of   []*Manifest
		want string
	}{
		"cycle":   {[]*Manifest{of("x", "a"), of("a", "b"), of("b", "c"), of("c", "a")}, "a.yaml:6: erase_after goes round in a circle: a after b after c after a; leave one of them out"},
		"unknown": {[]*Manifest{of("a", "b")}, `a.yaml:6: erase_after names the unknown system "b"; name one of a, or leave it out`},
		"twice":   {[]*Manifest{of("a"), of("a")}, `a.yaml:1: system "a" is declared already, in a.yaml:1; rename one, or drop it`},
	} {
		if _, err := Catalogue(c.of); err == nil || err.Error() != c.want {
			t.Errorf("%s: got %v\nwant %s", name, err, c.want)
		}
	}
}

func TestCategoriesAreTheSchemas(t *testing.T) {
	t.Parallel()
	good, s := shop(t), schema(t)
	for _, c := range Categories() {
		text := change(t, good, "category: identifiers", "category: '"+c+"'")
		if _, err := Parse("", []byte(text)); err != nil || refuses(t, s, text) {
			t.Errorf("category %q is refused: %v", c, err)
		}
	}
}

func TestPeriod(t *testing.T) {
	t.Parallel()
	day := func(s string) time.Time {
		d, err := time.Parse(time.DateOnly, s)
		if err != nil {
			t.Fatal(err)
		}
		return d
	}
	for _, c := range []struct{ from, period, want string }{
		{"2014-03-05", "P10Y", "2024-03-06"},
		{"2016-02-29", "P10Y", "2026-03-01"},
		{"2026-01-31", "P1M", "2026-03-01"},
		{"2026-08-31", "P1M", "2026-10-01"},
		{"2026-12-31", "P2M", "2027-03-01"},
		{"2026-11-15", "P1Y2M10D", "2028-01-26"},
		{"2026-12-31", "P1D", "2027-01-02"},
	} {
		p, err := ParsePeriod(c.period)
		if err != nil {
			t.Fatal(err)
		}
		if got := p.After(day(c.from)); got != day(c.want) {
			t.Errorf("%s after %s is %s, want %s", c.period, c.from, got.Format(time.DateOnly), c.want)
		}
	}
	for _, s := range []string{"", "P", "10Y", "P10", "P1W", "PT1H", "P-1Y", "P1000Y", "P1D1Y", "P0Y", " P1Y"} {
		if p, err := ParsePeriod(s); err == nil {
			t.Errorf("%q is read as %v", s, p)
		}
	}
}

// TestPeriodIsMonotone holds that a later day never ends earlier, and that
// FirstKept is the first day of those that must stay.
func TestPeriodIsMonotone(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		p := Period{Years: rapid.IntRange(0, 30).Draw(t, "years"), Months: rapid.IntRange(0, 30).Draw(t, "months"), Days: rapid.IntRange(0, 400).Draw(t, "days")}
		if p == (Period{}) {
			p.Days = 1
		}
		start := time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)
		a := start.AddDate(0, 0, rapid.IntRange(0, 10000).Draw(t, "day"))
		b := a.AddDate(0, 0, rapid.IntRange(0, 40).Draw(t, "later"))
		if p.After(b).Before(p.After(a)) {
			t.Fatalf("%v: %s ends after %s", p, a, b)
		}
		now := a.Add(time.Duration(rapid.Int64Range(0, int64(24*time.Hour)-1).Draw(t, "hour")))
		first := p.FirstKept(now)
		if !p.After(first).After(a) || p.After(first.AddDate(0, 0, -1)).After(a) {
			t.Fatalf("%v at %s: first kept is %s", p, now, first)
		}
	})
}
