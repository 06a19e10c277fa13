package bundle

import (
	"encoding/json"
	"testing"

	"habeas.dev/pkg/manifest"
)

// TestAppsTellNoSecret: a record's id in other programs' forms is the same whatever its
// secret is, and another for another record or what is shown of it.
func TestAppsTellNoSecret(t *testing.T) {
	t.Parallel()
	b := &build{archive: &archive{}}
	of := func(n int64, shown, secret string) string {
		tb := &table{plan: &plan{system: "crm", dataset: &manifest.Dataset{Name: "people"}}, columns: []column{{name: "name"}, {name: "pin", secret: "password"}}}
		return b.appRow(tb, []json.RawMessage{json.RawMessage(shown), json.RawMessage(secret)}, n).id
	}
	if of(0, `"Anna"`, `"1234"`) != of(0, `"Anna"`, `"4321"`) {
		t.Error("the id tells what the secret is")
	}
	if of(0, `"Anna"`, `"1"`) == of(1, `"Anna"`, `"1"`) || of(0, `"Anna"`, `"1"`) == of(0, `"Sam"`, `"1"`) {
		t.Error("two records have one id")
	}
}

// TestAddressesOfAnything: an encoded name may hold any bytes, and a quoted local part a
// bracket and a comma.
func TestAddressesOfAnything(t *testing.T) {
	t.Parallel()
	broken := "=?utf-8?Q?"
	for range 40 {
		broken += "=80"
	}
	for _, text := range []string{broken + "?= <a@b.c>", "\x80\x80\x80 <a@b.c>"} {
		if got := addresses(text); got == "" {
			t.Errorf("%q: nothing", text)
		}
	}
	if got := addresses(`"x>,<evil@y"@z.de`); got != `<"x>,<evil@y"@z.de>` {
		t.Error(got)
	}
}
