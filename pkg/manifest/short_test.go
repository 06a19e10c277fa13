package manifest

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
)

// shortShop says in few lines what longShop says in many.
const shortShop = `system: shop
title: {en: Shop}
abilities: [gather, erase]
needs: [user_id]
sql: {}
include: [parts/more.yaml]
defaults:
  category: commercial information
  origin: provided
  purpose: {en: To deliver}
  legal_basis: contract
  storage: {en: Ten years}
  sql: {key: [id], subject: {user_id: user_id}, erase: delete}
datasets:
  - name: orders
    title: {en: Orders}
    columns: [id, {placed_on: date}, {name: total, type: number}]
  - name: visits
    title: {en: Visits}
    purposes: [security]
    columns: [id]
    sql: {table: page_views, set: {user_id: null}}
`

const moreShop = `datasets:
  - name: letters
    title: {en: Letters}
    columns: [id]
    sql:
      ways:
        - subject: {user_id: sender_id}
        - subject: {user_id: recipient_id}
`

const longShop = `system: shop
title: {en: Shop}
abilities: [gather, erase]
needs: [user_id]
sql: {}
datasets:
  - name: orders
    title: {en: Orders}
    category: commercial information
    origin: provided
    purpose: {en: To deliver}
    legal_basis: contract
    storage: {en: Ten years}
    columns:
      - {name: id}
      - {name: placed_on, type: date}
      - {name: total, type: number}
    sql:
      table: orders
      key: [id]
      subject: {user_id: user_id}
      erase: delete
  - name: visits
    title: {en: Visits}
    category: commercial information
    origin: provided
    purposes: [security]
    storage: {en: Ten years}
    columns: [{name: id}]
    sql:
      table: page_views
      key: [id]
      subject: {user_id: user_id}
      erase: anonymise
      anonymise: {user_id: null}
  - name: letters
    title: {en: Letters}
    category: commercial information
    origin: provided
    purpose: {en: To deliver}
    legal_basis: contract
    storage: {en: Ten years}
    columns: [{name: id}]
    sql:
      table: letters
      key: [id]
      erase: delete
      ways:
        - subject: {user_id: sender_id}
        - subject: {user_id: recipient_id}
`

// inFolder writes a manifest and the files that it includes.
func inFolder(t *testing.T, main string, parts map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range parts {
		if err := os.MkdirAll(filepath.Dir(filepath.Join(dir, name)), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	file := filepath.Join(dir, "shop.yaml")
	if err := os.WriteFile(file, []byte(main), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

// TestShort: defaults, included files and short forms say what the long form does.
func TestShort(t *testing.T) {
	t.Parallel()
	got, err := Load(inFolder(t, shortShop, map[string]string{"parts/more.yaml": moreShop}))
	if err != nil {
		t.Fatal(err)
	}
	want, err := Parse("shop.yaml", []byte(longShop))
	if err != nil {
		t.Fatal(err)
	}
	if !strings.HasSuffix(got.At("datasets[2].sql.ways[1]"), "parts/more.yaml:8") {
		t.Errorf("a part of an included file stands at %s", got.At("datasets[2].sql.ways[1]"))
	}
	got.at, want.at = positions{}, positions{}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got  %+v\nwant %+v", got.Datasets, want.Datasets)
	}
	for _, text := range []string{shortShop, longShop} {
		if refuses(t, schema(t), text) {
			t.Errorf("the schema refuses\n%s", text)
		}
	}
}

// TestShortWrong: what is wrong is told with the file and line where it stands.
func TestShortWrong(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ old, new, partOld, partNew, want string }{
		{"storage: {en: Ten years}", "storage: {en: Ten years}\n  colour: red", "", "", `shop.yaml:13: unknown field "colour"`},
		{"  storage: {en: Ten years}\n", "", "", "", "shop.yaml:14: storage is missing"},
		{"defaults:\n", "defaults:\n  name: all\n", "", "", `shop.yaml:8: defaults say "name"`},
		{"", "", "columns: [id]", "columns: [id, id]", `more.yaml:4: column "id" stands twice`},
		{"", "", "- name: letters", "- name: orders", `more.yaml:2: dataset "orders" is there already`},
		{"", "", "datasets:", "needs: [email]\ndatasets:", `more.yaml:1: a part of a manifest can't have the field "needs"; allowed here: datasets, defaults, sql`},
		{"", "", "title: {en", "title: [en", ": not YAML"},
		{"parts/more.yaml", "../more.yaml", "", "", "shop.yaml:6: include names no file beside the manifest"},
		{"parts/more.yaml", "parts/none.yaml", "", "", "shop.yaml:6: there is no file "},
		{"erase: delete}", "erase: delete, key: [x]}", "", "", `shop.yaml:13: "key" stands twice`},
	} {
		main, part := shortShop, moreShop
		if c.old != "" {
			main = change(t, main, c.old, c.new)
		}
		if c.partOld != "" {
			part = change(t, part, c.partOld, c.partNew)
		}
		_, err := Load(inFolder(t, main, map[string]string{"parts/more.yaml": part}))
		var e *Error
		if !errors.As(err, &e) || !strings.Contains(err.Error(), c.want) || e.Cure == "" {
			t.Errorf("%s%s: got %v, want %s", c.new, c.partNew, err, c.want)
		}
	}
}

// ways are manifests that say by which ways rows are found, and what is wrong with them.
func TestWaysWrong(t *testing.T) {
	t.Parallel()
	const good = `    sql: {table: letters, key: [id], ways: [{subject: {user_id: sender_id}, erase: delete}, {where: {kind: mail}, via: [{table: users, as: u, on: {recipient_id: id}, where: {gone: null}}], subject: {user_id: u.number}, erase: anonymise, anonymise: {recipient_id: null}}]}`
	all := longShop[:strings.Index(longShop, "    sql:\n      table: letters")] + good + "\n"
	if _, err := Parse("shop.yaml", []byte(all)); err != nil {
		t.Fatal(err)
	}
	s := schema(t)
	for _, c := range []struct {
		old, new, want string
		goOnly         bool
	}{
		{"subject: {user_id: sender_id}, erase: delete", "erase: delete", "a way of dataset letters has no subject", false},
		{"subject: {user_id: sender_id}, erase: delete", "subject: {user_id: sender_id}", "dataset letters has no way to be erased", true},
		{"anonymise: {recipient_id: null}", "anonymise: {body: null}", "anonymise keeps recipient_id, by which the person is found", true},
		{"where: {kind: mail}", "where: {kind: []}", "names no value", false},
		{"where: {kind: mail}", "where: {kind: {like: mail}}", "a condition is a value", false},
		{"where: {kind: mail}", "where: {kind: {any: false}}", "any says nothing but true", false},
		{"where: {kind: mail}", "where: {kind: 2020-01-01}", "must be null, a text, a number", false},
		{"user_id: u.number", "user_id: users.number", "names a table that isn't in via", true},
		{"as: u,", "as: letters,", `table "letters" is there already`, true},
		{"as: u,", "as: u, from: others,", `from names "others"`, true},
		{"erase: anonymise, anonymise: {recipient", "erase: hide, anonymise: {recipient", `unknown erase "hide"`, false},
		{"anonymise: {recipient_id: null}", "set: {}", "anonymise is missing", false},
		{"anonymise: {recipient_id: null}", "anonymise: {recipient_id: null}, set: {recipient_id: null}", "set and anonymise say the same", false},
	} {
		text := change(t, all, c.old, c.new)
		_, err := Parse("shop.yaml", []byte(text))
		var e *Error
		if !errors.As(err, &e) || !strings.Contains(err.Error(), c.want) || e.Cure == "" {
			t.Errorf("%s: got %v, want %s", c.new, err, c.want)
		}
		if line := "shop.yaml:" + fmt.Sprint(strings.Count(all, "\n")); e != nil && !strings.HasPrefix(err.Error(), line) {
			t.Errorf("%s: got %v, want it at %s", c.new, err, line)
		}
		if refuses(t, s, text) == c.goOnly {
			t.Errorf("%s: the schema: %v", c.new, c.goOnly)
		}
	}
}

// TestWithinWrong: what is said of parts of columns is held to what can be done to them.
func TestWithinWrong(t *testing.T) {
	t.Parallel()
	all := longShop[:strings.Index(longShop, "    sql:\n      table: letters")]
	for set, want := range map[string]string{
		`subject: {user_id: "members[]"}, set: {"members[]": "{remove}"}`:     "",
		`subject: {user_id: "members[]"}, set: {members: null}`:               "",
		`subject: {user_id: "meta->to[]"}, set: {"meta->to[]": "{remove}"}`:   "",
		`subject: {user_id: meta->to->id}, set: {meta->to->id: null}`:         "",
		`subject: {user_id: meta->to->id}, set: {meta->to->name: null}`:       `anonymise keeps meta->to->id, by which the person is found; add "meta->to->id": "{remove}"`,
		`subject: {user_id: "members[]"}, set: {"members[]": null}`:           "only the person's own can be taken out",
		`subject: {user_id: members}, set: {members: "{remove}"}`:             "{remove} takes out a part",
		`subject: {user_id: meta->id}, set: {meta->id: "{random}"}`:           "a part of a column takes null, a constant or {remove}",
		`subject: {user_id: meta->id}, set: {meta->id: "x-{remove}"}`:         "{remove} takes out a part",
		`subject: {user_id: id}, columns: {id: "a[]"}, set: {id: null}`:       "a column of a record is one value",
		`subject: {user_id: meta->}, set: {meta: null}`:                       "is missing",
		`subject: {user_id: user_id}, set: {user_id: null, users.name: gone}`: "isn't a name in a database",
	} {
		_, err := Parse("shop.yaml", []byte(all+"    sql: {table: letters, key: [number], "+set+"}\n"))
		if want == "" && err != nil || want != "" && (err == nil || !strings.Contains(err.Error(), want)) {
			t.Errorf("%s: got %v, want %q", set, err, want)
		}
	}
}
