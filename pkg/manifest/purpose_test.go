package manifest

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

const purposesYAML = `purposes:
  marketing:
    title: {en: Sending news, fr: Envoyer des nouvelles}
    legal_basis: consent
    marks: [marketing]
  run-account:
    title: {en: To run your account, fr: Gérer votre compte}
    legal_basis: contract
`

// TestPurposesAreLookedUp: a dataset says what it is used for in the catalogue's words,
// and on its ground; a name that the catalogue doesn't have is refused with those that
// there are.
func TestPurposesAreLookedUp(t *testing.T) {
	t.Parallel()
	purposes, err := ParsePurposes("purposes.yaml", []byte(purposesYAML))
	if err != nil {
		t.Fatal(err)
	}
	text := change(t, ledger, "    purpose: {en: To know, fr: Savoir}\n    legal_basis: contract\n", "    purposes: [run-account, marketing]\n")
	m, err := Parse("ledger.yaml", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	if err := m.Resolve(purposes); err != nil {
		t.Fatal(err)
	}
	d := m.Datasets[0]
	if d.Purpose.In("fr") != "Gérer votre compte; Envoyer des nouvelles" || d.LegalBasis != "contract" {
		t.Errorf("%v on %s", d.Purpose, d.LegalBasis)
	}
	if got := m.UsedFor().IDs(); !slices.Equal(got, []string{"marketing", "run-account"}) || !slices.Equal(m.Definition().Purposes, got) {
		t.Errorf("used for %v", got)
	}
	delete(purposes, "marketing")
	if err := m.Resolve(purposes); err == nil || !strings.Contains(err.Error(), `unknown purpose "marketing"; name one of the catalogue: run-account`) {
		t.Errorf("%v", err)
	}
	if err := m.Resolve(Purposes{"marketing": {}, "run-account": {}}); err != nil {
		t.Fatal(err)
	}
	if err := m.WorkerStops(0, []string{"marketing", "telemarketing"}); err == nil || !strings.Contains(err.Error(), `unknown purpose "telemarketing"; name one of the catalogue: marketing, run-account`) {
		t.Errorf("%v", err)
	}
	own, err := Parse("ledger.yaml", []byte(ledger))
	if err != nil {
		t.Fatal(err)
	}
	if got := own.UsedFor(); len(got) != 1 || got["ledger.entries"].Basis != "contract" {
		t.Errorf("a dataset's own purpose: %v", got)
	}
}

func TestPurposesRefuse(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ from, to, want string }{
		"no field":        {"purposes:", "purpose:", `purposes.yaml:1: unknown field "purpose"; allowed here: purposes`},
		"a purpose twice": {"  run-account:", "  marketing:", `purposes.yaml:6: "marketing" stands twice; leave one`},
		"a mark's line":   {"[marketing]", "[spam]", `purposes.yaml:5: purpose marketing: unknown mark "spam"; allowed: marketing`},
		"a language":      {"fr: Envoyer", "francais: Envoyer", `purposes.yaml:3: "francais" isn't a language`},
		"nothing":         {purposesYAML, "", "purposes.yaml: empty; begin with purposes:"},
		"a text":          {purposesYAML, "x", "purposes.yaml:1: a catalogue of purposes must be fields and values; see docs/law.md"},
		"no ground":       {"    legal_basis: consent\n", "", `unknown legal_basis ""`},
		"an unknown mark": {"[marketing]", "[spam]", `unknown mark "spam"; allowed: marketing, notifications`},
		"no title":        {"{en: Sending news, fr: Envoyer des nouvelles}", "{fr: Envoyer}", "marketing has no title"},
		"no name":         {"  marketing:", "  Marketing!:", "isn't the name of a purpose"},
		"an unknown word": {"marks:", "mark:", "mark"},
	} {
		if _, err := ParsePurposes("purposes.yaml", []byte(change(t, purposesYAML, c.from, c.to))); err == nil || !strings.Contains(err.Error(), c.want) || !strings.HasPrefix(err.Error(), "purposes.yaml") || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestFlagsStopNoMore: whatever flags a system has and whatever is to end, what the chosen
// flags stop is to end, and what is to end and used is stopped or named for a person.
// A flag that stops everything is chosen only where everything is to end.
func TestFlagsStopNoMore(t *testing.T) {
	t.Parallel()
	ids := []string{"a", "b", "c", "d"}
	some := rapid.SliceOfDistinct(rapid.SampledFrom(ids), rapid.ID[string])
	rapid.Check(t, func(t *rapid.T) {
		used := some.Filter(func(s []string) bool { return len(s) > 0 }).Draw(t, "used")
		m := &Manifest{System: "s", Datasets: []Dataset{{Name: "d", Purposes: used}}}
		var all []SQLRestrict
		for range rapid.IntRange(0, 4).Draw(t, "flags") {
			all = append(all, SQLRestrict{Stops: some.Draw(t, "stops")})
		}
		end := some.Draw(t, "end")
		chosen := Flags(all, end)
		left := m.Unstopped(chosen, end)
		for _, f := range chosen {
			if len(end) > 0 && (len(f.Stops) == 0 || !subset(f.Stops, end)) {
				t.Fatalf("%v is set, of %v", f.Stops, end)
			}
		}
		for _, id := range used {
			ends := len(end) == 0 || slices.Contains(end, id)
			stopped := slices.ContainsFunc(chosen, func(f SQLRestrict) bool { return len(f.Stops) == 0 || slices.Contains(f.Stops, id) })
			if slices.Contains(left, id) != (ends && !stopped) {
				t.Fatalf("%s: ends %v, stopped %v, left %v", id, ends, stopped, left)
			}
		}
		for _, f := range Locks(all) {
			if len(f.Stops) > 0 {
				t.Fatalf("%v locks", f.Stops)
			}
		}
	})
}

// TestBases: each purpose of a dataset may rest on another basis, and each is told once.
func TestBases(t *testing.T) {
	t.Parallel()
	m := Manifest{System: "desk", Datasets: []Dataset{{Name: "people", Purposes: []string{"account", "news", "help"}}, {Name: "notes", LegalBasis: "contract"}}}
	text := Text{"en": "To help"}
	err := m.Resolve(Purposes{"account": {Title: text, Basis: "contract"}, "news": {Title: text, Basis: "consent"}, "help": {Title: text, Basis: "contract"}})
	if got := fmt.Sprint(m.Datasets[0].Bases(), m.Datasets[1].Bases(), m.Datasets[0].LegalBasis); err != nil || got != "[contract consent] [contract]contract" {
		t.Errorf("%s, %v", got, err)
	}
}

// TestEnding: what can't go on without a purpose ends with it, over any number of steps, also
// round in a circle; nothing ends what it is itself within.
func TestEnding(t *testing.T) {
	t.Parallel()
	c := Purposes{"marketing": {}, "measure": {Within: "marketing"}, "rank": {Within: "measure"}, "a": {Within: "b"}, "b": {Within: "a"}, "sale": {}}
	for _, one := range []struct{ of, want []string }{
		{[]string{"marketing"}, []string{"marketing", "measure", "rank"}}, {[]string{"rank"}, []string{"rank"}}, {[]string{"sale", "b"}, []string{"a", "b", "sale"}}, {nil, nil}, {[]string{"unheard-of"}, []string{"unheard-of"}},
	} {
		if got := c.Ending(one.of); !slices.Equal(got, one.want) {
			t.Errorf("%v end %v, want %v", one.of, got, one.want)
		}
	}
}

// TestWholeCatalogue: a purpose is within one that a catalogue has once all of it is there, also
// where another file adds that; else its line is named.
func TestWholeCatalogue(t *testing.T) {
	t.Parallel()
	part := func(file, text string) Purposes {
		c, err := ParsePurposes(file, []byte("purposes:\n"+text))
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	all := part("own.yaml", "  measure:\n    title: {en: Measuring, fr: Mesure}\n    legal_basis: consent\n    within: marketing\n")
	const want = `own.yaml:5: purpose measure: within names "marketing", which there isn't; name one of the catalogue: `
	if err := all.Whole(); err == nil || !strings.HasPrefix(err.Error(), want) {
		t.Errorf("%v", err)
	}
	maps.Copy(all, part("more.yaml", "  marketing: {title: {en: Marketing, fr: Prospection}, legal_basis: consent}\n"))
	if err := all.Whole(); err != nil {
		t.Error(err)
	}
}
