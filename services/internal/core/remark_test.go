package core_test

import (
	"maps"
	"reflect"
	"slices"
	"testing"

	"habeas.dev/services/internal/core"
)

// wordsOfNobody are the texts of facts that a person makes which aren't in a person's own
// words: names, codes, ids and hashes, each held to a form by what writes it.
var wordsOfNobody = []string{
	"By", "System", "Dataset", "Column", "Ground", "To", "Into", "Recipient", "Code", "Object", "Sealed", "Wrapped", "Grievance", "Finding", "Source", "Gathered", "Of", "Request",
}

// TestEveryFreeWordIsARemark: each text of a fact that a person makes is mapped as a remark,
// or is known to be none.
func TestEveryFreeWordIsARemark(t *testing.T) {
	t.Parallel()
	all := core.FactTypes()
	remarks := 0
	for _, name := range slices.Sorted(maps.Keys(all)) {
		typ := all[name]
		v := reflect.New(typ).Elem()
		by := v.FieldByName("By")
		if !by.IsValid() || by.Kind() != reflect.String {
			continue
		}
		by.SetString("lea")
		for _, f := range reflect.VisibleFields(typ) {
			if f.Type != reflect.TypeFor[string]() || slices.Contains(wordsOfNobody, f.Name) {
				continue
			}
			v.FieldByIndex(f.Index).SetString("in my own words")
			e, ok := v.Interface().(core.Event)
			if !ok {
				t.Fatalf("%s is no fact", name)
			}
			mapped, err := core.MapRemarks(e, func(string) (string, error) { return "sealed", nil })
			if err != nil || reflect.ValueOf(mapped).FieldByIndex(f.Index).String() != "sealed" {
				t.Errorf("%s.%s stays as it is written: is it a remark? (%v)", name, f.Name, err)
			}
			remarks++
		}
		by.SetString(core.ByPolicy)
		if e, ok := v.Interface().(core.Event); ok {
			if mapped, _ := core.MapRemarks(e, func(string) (string, error) { return "sealed", nil }); !reflect.DeepEqual(mapped, e) {
				t.Errorf("%s: a policy's reason is a remark", name)
			}
		}
	}
	if remarks < 20 {
		t.Errorf("%d remarks", remarks)
	}
}

// TestPlain: what turns around, hides or overwrites what stands beside it is left out.
func TestPlain(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"Léa: d'accord, 日本 👍": "Léa: d'accord, 日本 👍", "two\nlines\tand": "two\nlines and", "a\x1b[2Jb\x00\r\u0085c\x7f": "a[2Jbc",
		"\u202egnp.exe\u2066\u200f\u061c": "gnp.exe", "\ufeffa\u200bb\u2060": "ab", "\xffx": "x", "a\u2028b": "a b", "\U000e0041x": "x", "می\u200cخواهم": "می\u200cخواهم",
	} {
		if got := core.Plain(text); got != want {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	}
}
