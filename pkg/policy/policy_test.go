package policy_test

import (
	"encoding/json"
	"os"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"pgregory.net/rapid"

	"habeas.dev/pkg/dsar"
	"habeas.dev/pkg/policy"
	"habeas.dev/schemas"
)

func load(t testing.TB) *policy.Book {
	t.Helper()
	b, err := policy.Load()
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// The ids are those that a request may name, and no others.
func TestIDs(t *testing.T) {
	t.Parallel()
	text, err := schemas.Read("common.schema.json")
	if err != nil {
		t.Fatal(err)
	}
	var common struct {
		Defs struct {
			Jurisdiction struct{ Enum []string } `json:"jurisdiction"`
		} `json:"$defs"`
	}
	if err := json.Unmarshal(text, &common); err != nil {
		t.Fatal(err)
	}
	want := common.Defs.Jurisdiction.Enum
	slices.Sort(want)
	if got := load(t).IDs(); !slices.Equal(got, want) || len(got) != 7 {
		t.Errorf("%v, want %v", got, want)
	}
	for _, id := range []string{"eea", "EEA ", "", "Korea"} {
		if _, ok := load(t).Jurisdiction(id); ok {
			t.Errorf("%q is a jurisdiction", id)
		}
	}
}

func TestGrants(t *testing.T) {
	t.Parallel()
	gdpr := []dsar.Right{dsar.Access, dsar.Portability, dsar.Erasure, dsar.Rectification, dsar.Restriction, dsar.Objection, dsar.ConsentWithdrawal}
	for id, want := range map[string][]dsar.Right{
		"EEA":         gdpr,
		"UK":          gdpr,
		"California":  {dsar.Access, dsar.Portability, dsar.KnowCategories, dsar.Erasure, dsar.Rectification, dsar.Restriction, dsar.OptOut},
		"Canada":      {dsar.Access, dsar.Erasure, dsar.Rectification, dsar.Restriction},
		"Japan":       {dsar.Access, dsar.Erasure, dsar.Rectification, dsar.Restriction},
		"South Korea": {dsar.Access, dsar.Erasure, dsar.Rectification, dsar.Restriction},
		"elsewhere":   {dsar.Access, dsar.Erasure, dsar.Rectification},
	} {
		j, _ := load(t).Jurisdiction(id)
		for _, r := range dsar.Rights() {
			if got := j.Grants(r); got != slices.Contains(want, r) {
				t.Errorf("%s grants %s: %v", id, r, got)
			}
		}
	}
}

// When answers are due. Every date's weekday was looked up in a calendar, not
// computed by this package.
func TestDue(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ id, received, last, source string }{
		{"EEA", "2026-03-05T10:00:00Z", "2026-04-06", "EDPB 01/2022: 5 March → 5 April; that is a Sunday, art. 3(4) of 1182/71 moves it to Monday (Easter Monday: holidays come later)"},
		{"EEA", "2024-03-05T10:00:00Z", "2024-04-05", "EDPB 01/2022: 5 March → 5 April, a Friday"},
		{"EEA", "2026-08-31T10:00:00Z", "2026-09-30", "EDPB 01/2022: 31 August → 30 September, a Wednesday"},
		{"EEA", "2025-08-31T10:00:00Z", "2025-09-30", "the same, a Tuesday"},
		{"EEA", "2023-01-31T10:00:00Z", "2023-02-28", "1182/71 art. 3(2)(c): February has no 31st; a Tuesday"},
		{"EEA", "2024-01-31T10:00:00Z", "2024-02-29", "a leap year; a Thursday"},
		{"EEA", "2027-01-29T10:00:00Z", "2027-03-01", "no leap year: 28 February 2027 is a Sunday"},
		{"EEA", "2024-02-29T10:00:00Z", "2024-03-29", "the same date in the next month, a Friday"},
		{"EEA", "2026-12-31T10:00:00Z", "2027-02-01", "across the year: 31 January 2027 is a Sunday"},
		{"EEA", "2026-11-20T09:30:00Z", "2026-12-21", "20 December 2026 is a Sunday"},
		{"EEA", "2026-10-28T10:00:00Z", "2026-11-30", "28 November 2026 is a Saturday"},
		{"EEA", "2026-06-05T22:30:00Z", "2026-07-06", "half past midnight on 6 June in Luxembourg; 6 July is a Monday"},
		{"UK", "2026-06-05T22:30:00Z", "2026-07-06", "5 June in London; 5 July is a Sunday"},
		{"UK", "2026-08-31T10:00:00Z", "2026-09-30", "UK GDPR art. 12(3), as the EEA"},
		{"California", "2026-01-01T20:00:00Z", "2026-02-15", "Civ. Code 1798.130(a)(2): 45 calendar days; a Sunday stays"},
		{"California", "2026-01-01T02:00:00Z", "2026-02-14", "still 31 December in Los Angeles"},
		{"California", "2024-01-16T20:00:00Z", "2024-03-01", "45 days over 29 February"},
		{"Canada", "2026-01-31T15:00:00Z", "2026-03-02", "PIPEDA s. 8(3): 30 days"},
		{"Japan", "2026-01-01T00:00:00Z", "2026-01-15", "policy choice: 14 days"},
		{"Japan", "2026-01-01T16:00:00Z", "2026-01-16", "already 2 January in Tokyo"},
		{"South Korea", "2026-02-20T00:00:00Z", "2026-03-02", "Decree art. 41: 10 days"},
		{"elsewhere", "2026-12-15T23:59:59Z", "2027-01-14", "policy choice: 30 days"},
	} {
		j, _ := load(t).Jurisdiction(c.id)
		received, err := time.Parse(time.RFC3339, c.received)
		if err != nil {
			t.Fatal(err)
		}
		zone, err := time.LoadLocation(j.TimeZone.Name)
		if err != nil {
			t.Fatal(err)
		}
		due := j.Due(received)
		if got, want := due.In(zone).Format("2006-01-02T15:04:05"), c.last+"T23:59:59"; got != want {
			t.Errorf("%s received %s: due %s, want %s (%s)", c.id, c.received, got, want, c.source)
		}
		if due.Location() != time.UTC {
			t.Errorf("%s: due in %s", c.id, due.Location())
		}
	}
}

func TestExtended(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ id, received, want string }{
		{"EEA", "2026-08-31T10:00:00Z", "2026-11-30T22:59:59Z"}, // three months, GDPR art. 12(3)
		{"EEA", "2026-03-05T10:00:00Z", "2026-06-05T21:59:59Z"}, // a Friday
		{"California", "2026-01-01T20:00:00Z", "2026-04-02T06:59:59Z"},
		{"Canada", "2026-01-01T20:00:00Z", "2026-03-03T04:59:59Z"},
		{"Japan", "2026-01-01T20:00:00Z", ""},
	} {
		j, _ := load(t).Jurisdiction(c.id)
		received, _ := time.Parse(time.RFC3339, c.received)
		at, ok := j.Extended(received)
		if ok != (c.want != "") || ok && at.Format(time.RFC3339) != c.want {
			t.Errorf("%s received %s: %s, %v, want %s", c.id, c.received, at.Format(time.RFC3339), ok, c.want)
		}
	}
}

// Later receipt is never due earlier, nothing is due in the past, and where
// weekends move, none is due on one.
func TestDueProperties(t *testing.T) {
	t.Parallel()
	book := load(t)
	rapid.Check(t, func(t *rapid.T) {
		j, _ := book.Jurisdiction(rapid.SampledFrom(book.IDs()).Draw(t, "id"))
		seconds := rapid.Int64Range(946_684_800, 4_102_444_800) // 2000 to 2100
		a := time.Unix(seconds.Draw(t, "a"), 0)
		b := a.Add(time.Duration(rapid.Int64Range(0, int64(90*24*time.Hour)).Draw(t, "later")))
		if j.Due(b).Before(j.Due(a)) {
			t.Fatalf("%s: received %s due %s, but received %s due %s", j.ID, a, j.Due(a), b, j.Due(b))
		}
		if days := j.Due(a).Sub(a).Hours() / 24; days < 10 || days > 50 {
			t.Fatalf("%s: received %s, due after %f days", j.ID, a, days)
		}
		if ext, ok := j.Extended(a); ok && ext.Before(j.Due(a)) {
			t.Fatalf("%s: received %s, extended to %s, before %s", j.ID, a, ext, j.Due(a))
		}
		if zone, _ := time.LoadLocation(j.TimeZone.Name); j.Answer.MovesOff == policy.MovesOffWeekend {
			if d := j.Due(a).In(zone).Weekday(); d == time.Saturday || d == time.Sunday {
				t.Fatalf("%s: received %s, due on a %s", j.ID, a, d)
			}
		}
	})
}

func TestTexts(t *testing.T) {
	t.Parallel()
	j, _ := load(t).Jurisdiction("EEA")
	for locale, want := range map[string]string{"fr": "Espace économique européen", "fr-CA": "Espace économique européen", "FR": "Espace économique européen", "en": "European Economic Area", "de": "European Economic Area", "": "European Economic Area"} {
		if got := j.Title.In(locale); got != want {
			t.Errorf("%q: %s", locale, got)
		}
	}
	for locale, want := range map[string]string{"fr": "fr", "fr-LU": "fr", "de": "en", "": "en"} {
		if got := j.Language(locale); got != want {
			t.Errorf("%q: %s", locale, got)
		}
	}
}

func TestLoadRefuses(t *testing.T) {
	t.Parallel()
	file, err := os.ReadFile("jurisdictions/eea.yaml")
	if err != nil {
		t.Fatal(err)
	}
	good := string(file)
	for name, c := range map[string]struct{ from, to, want string }{
		"a value without a source":  {"    source: GDPR art. 77; privacy notice, N4\n", "", "source"},
		"an unknown right":          {"right: access", "right: acces", "/rights/0/right"},
		"an unknown member":         {"id: EEA", "id: EEA\nident: x", "ident"},
		"no French":                 {", fr: Espace économique européen", "", "fr"},
		"an unknown zone":           {"Europe/Luxembourg", "Europe/Luxemburg", "time_zone"},
		"a unit that nobody counts": {"unit: month\n  moves_off", "unit: moon\n  moves_off", "/answer/unit"},
		"a right twice":             {"{right: rectification", "{right: access, source: again}\n  - {right: rectification", "twice"},
	} {
		text := strings.Replace(good, c.from, c.to, 1)
		if text == good {
			t.Errorf("%s: nothing was replaced", name)
		}
		_, err := policy.LoadFS(fstest.MapFS{"eea.yaml": {Data: []byte(text)}})
		if err == nil || !strings.Contains(err.Error(), "eea.yaml") || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := policy.LoadFS(fstest.MapFS{"a.yaml": {Data: []byte(good)}, "b.yaml": {Data: []byte(good)}}); err == nil || !strings.Contains(err.Error(), "another file") {
		t.Errorf("twice: %v", err)
	}
	if _, err := policy.LoadFS(fstest.MapFS{}); err == nil {
		t.Error("no jurisdiction is no error")
	}
}
