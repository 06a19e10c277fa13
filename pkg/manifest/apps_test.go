package manifest

import (
	"strings"
	"testing"
)

// TestContactsByConcepts: a dataset whose columns mean a name and a way to reach who bears it
// holds contacts, without a word; one that lacks either, or says that it is something else,
// doesn't.
func TestContactsByConcepts(t *testing.T) {
	t.Parallel()
	columns := func(concepts ...string) (all []Column) {
		for _, c := range concepts {
			all = append(all, Column{Name: "of_" + c[strings.Index(c, ".")+1:], Concept: c})
		}
		return all
	}
	whole := Dataset{Columns: columns("person.given_name", "person.family_name", "contact.email", "contact.street", "organisation.name", "person.birth_date", "tax.id")}
	if got := whole.AsContact(); got == nil || *got != (Contact{GivenName: "of_given_name", FamilyName: "of_family_name", Email: "of_email", Street: "of_street", Organisation: "of_name", BirthDate: "of_birth_date"}) {
		t.Errorf("%+v", got)
	}
	for name, d := range map[string]Dataset{
		"no name":           {Columns: columns("contact.email", "organisation.name")},
		"nowhere to be had": {Columns: columns("person.name", "contact.city")},
		"an event":          {Columns: whole.Columns, Event: &Event{Title: "of_email", Start: "of_email"}},
	} {
		if got := d.AsContact(); got != nil {
			t.Errorf("%s: %+v", name, got)
		}
	}
	said := Dataset{Columns: whole.Columns, Contact: &Contact{Name: "of_email"}}
	if got := said.AsContact(); got == nil || *got != (Contact{Name: "of_email"}) {
		t.Errorf("what is said isn't what counts: %+v", got)
	}
}

// TestAppsAreChecked: what a dataset says of its records is held against its columns, and the
// schema refuses the same forms.
func TestAppsAreChecked(t *testing.T) {
	t.Parallel()
	with := func(more string) string {
		return strings.Replace(longShop, "  - name: orders\n", "  - name: orders\n"+more, 1)
	}
	for more, want := range map[string]string{
		"    event: {title: id, start: nowhen}\n":                        `event names the unknown column "nowhen"`,
		"    event: {title: id}\n":                                       "start is missing",
		"    message: {subject: id}\n":                                   "sent is missing",
		"    contact: {email: id}\n":                                     "contact names no column with a name",
		"    contact: {name: id}\n    event: {title: id, start: id}\n":   "several of contact, event and message",
		"    contact: {name: id, colour: id}\n":                          "colour",
		"    message: {sent: id, text: id, from: id, to: id, at: now}\n": "at",
	} {
		text := with(more)
		if text == longShop {
			t.Fatal("the manifest has no orders: the test proves nothing")
		}
		if _, err := Parse("shop.yaml", []byte(text)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", more, err)
		}
	}
	good := with("    event: {title: id, start: id, place: id}\n")
	if m, err := Parse("shop.yaml", []byte(good)); err != nil || m.Dataset("orders").Event.Place != "id" {
		t.Error(err)
	}
	if refuses(t, schema(t), good) {
		t.Error("the schema refuses it")
	}
	if !refuses(t, schema(t), with("    event: {title: id}\n")) {
		t.Error("the schema takes an event without a start")
	}
}
