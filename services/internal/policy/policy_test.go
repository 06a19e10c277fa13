package policy_test

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/fstest"
	"time"

	"go.yaml.in/yaml/v3"
	"pgregory.net/rapid"

	"habeas.dev/pkg/dsar"
	"habeas.dev/services/internal/core"
	"habeas.dev/services/internal/policy"
	"habeas.dev/services/internal/words"
)

var builtIn = sync.OnceValues(func() (*policy.Book, error) { return policy.Load() })

func load(t testing.TB) *policy.Book {
	t.Helper()
	b, err := builtIn()
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// The built-in laws, by their exact ids.
func TestIDs(t *testing.T) {
	t.Parallel()
	want := []string{"Brazil", "California", "Canada", "Colorado", "EEA", "Japan", "South Korea", "Switzerland", "UK", "Virginia", "elsewhere"}
	if got := load(t).IDs(); !slices.Equal(got, want) {
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
	gdpr := []dsar.Right{dsar.Access, dsar.Portability, dsar.Erasure, dsar.Rectification, dsar.Restriction, dsar.Objection, dsar.ConsentWithdrawal, dsar.OptOut}
	for id, want := range map[string][]dsar.Right{
		"EEA":         gdpr,
		"UK":          gdpr,
		"California":  {dsar.Access, dsar.Portability, dsar.KnowCategories, dsar.Erasure, dsar.Rectification, dsar.Restriction, dsar.OptOut},
		"Canada":      {dsar.Access, dsar.Erasure, dsar.Rectification, dsar.Restriction, dsar.ConsentWithdrawal, dsar.OptOut},
		"Japan":       {dsar.Access, dsar.Erasure, dsar.Rectification, dsar.Restriction, dsar.OptOut},
		"South Korea": {dsar.Access, dsar.Portability, dsar.Erasure, dsar.Rectification, dsar.Restriction, dsar.ConsentWithdrawal, dsar.OptOut},
		"Brazil":      {dsar.Access, dsar.Portability, dsar.Erasure, dsar.Rectification, dsar.Objection, dsar.ConsentWithdrawal, dsar.OptOut},
		"Switzerland": {dsar.Access, dsar.Portability, dsar.Erasure, dsar.Rectification, dsar.Restriction, dsar.Objection, dsar.OptOut},
		"Virginia":    {dsar.Access, dsar.Portability, dsar.Erasure, dsar.Rectification, dsar.OptOut},
		"Colorado":    {dsar.Access, dsar.Portability, dsar.Erasure, dsar.Rectification, dsar.OptOut},
		"elsewhere":   {dsar.Access, dsar.Erasure, dsar.Rectification, dsar.OptOut},
	} {
		j, _ := load(t).Jurisdiction(id)
		for _, r := range dsar.Rights() {
			if _, got := j.Grant(r, time.Now()); got != slices.Contains(want, r) {
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
		{"EEA", "2026-03-05T10:00:00Z", "2026-04-07", "EDPB 01/2022: 5 March → 5 April; that is a Sunday, then comes Easter Monday: art. 3(4) of 1182/71 moves it to Tuesday"},
		{"EEA", "2025-11-25T10:00:00Z", "2025-12-29", "Code du travail L.232-2: 25 December is a Thursday, 26 a holiday too, then a weekend"},
		{"EEA", "2026-04-01T10:00:00Z", "2026-05-04", "Code du travail L.232-2: Labour Day is a Friday"},
		{"EEA", "2026-04-09T10:00:00Z", "2026-05-11", "Europe Day is a Saturday: nothing is kept instead"},
		{"EEA", "2026-04-14T10:00:00Z", "2026-05-15", "Ascension Day is a Thursday"},
		{"EEA", "2026-04-25T10:00:00Z", "2026-05-26", "Whit Monday"},
		{"EEA", "2026-05-23T10:00:00Z", "2026-06-24", "National Day is a Tuesday"},
		{"EEA", "2027-12-01T10:00:00Z", "2028-01-03", "New Year's Day 2028 is a Saturday, Monday a working day"},
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
		{"UK", "2026-11-25T10:00:00Z", "2026-12-29", "ICO: Christmas Day is a Friday, Boxing Day a Saturday, kept on Monday 28"},
		{"UK", "2021-11-27T10:00:00Z", "2021-12-29", "both days on a weekend: kept on Monday 27 and Tuesday 28"},
		{"UK", "2022-11-25T10:00:00Z", "2022-12-28", "Christmas Day is a Sunday: Monday is Boxing Day, Tuesday is kept instead"},
		{"UK", "2026-03-03T10:00:00Z", "2026-04-07", "Good Friday, a weekend, Easter Monday"},
		{"UK", "2026-04-04T10:00:00Z", "2026-05-05", "the first Monday in May"},
		{"UK", "2023-04-08T10:00:00Z", "2023-05-09", "proclamation of 2022: the coronation"},
		{"UK", "2026-07-31T10:00:00Z", "2026-09-01", "the last Monday in August"},
		{"Brazil", "2026-02-20T12:00:00Z", "2026-03-07", "LGPD art. 19, II: 15 days; a Saturday stays"},
		{"Switzerland", "2026-01-31T12:00:00Z", "2026-03-02", "FADP art. 25(7): 30 days"},
		{"Virginia", "2026-01-15T17:00:00Z", "2026-03-01", "59.1-577(B)(1): 45 days; a Sunday stays"},
		{"Virginia", "2028-01-15T17:00:00Z", "2028-02-29", "the same in a leap year"},
		{"Colorado", "2026-01-16T03:00:00Z", "2026-03-01", "6-1-1306(2)(a): still 15 January in Denver"},
		{"California", "2026-01-01T20:00:00Z", "2026-02-14", "Civ. Code 1798.130(a)(2), 11 CCR 7021(b): 45 calendar days, of which the day of receipt is the first; a Saturday stays"},
		{"California", "2026-01-01T02:00:00Z", "2026-02-13", "still 31 December in Los Angeles"},
		{"California", "2024-01-16T20:00:00Z", "2024-02-29", "45 days to 29 February"},
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
		due := j.Due(dsar.Access, received)
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
	for _, c := range []struct{ id, received, want, source string }{
		{"EEA", "2026-08-31T10:00:00Z", "2026-11-30T22:59:59Z", "GDPR art. 12(3): one month and two further ones are three"},
		{"EEA", "2026-03-05T10:00:00Z", "2026-06-05T21:59:59Z", "GDPR art. 12(3): 5 June, a Friday"},
		{"EEA", "2026-09-25T10:00:00Z", "2026-12-28T22:59:59Z", "1182/71 art. 3(4): 25 December is a Friday, 26 a Saturday"},
		{"EEA", "2026-11-30T10:00:00Z", "2027-03-01T22:59:59Z", "1182/71 art. 3(2)(c): February has no 30th, and the 28th is a Sunday"},
		{"EEA", "2027-11-30T10:00:00Z", "2028-02-29T22:59:59Z", "1182/71 art. 3(2)(c): a leap year; a Tuesday"},
		{"UK", "2026-08-31T10:00:00Z", "2026-11-30T23:59:59Z", "UK GDPR art. 12(3)"},
		{"UK", "2026-09-25T10:00:00Z", "2026-12-29T23:59:59Z", "UK GDPR art. 12(3): Christmas Day is a Friday, Boxing Day a Saturday, kept on Monday 28"},
		{"California", "2026-01-01T20:00:00Z", "2026-04-01T06:59:59Z", "Civ. Code 1798.130(a)(2)(A): 90 days in all; summer time has begun"},
		{"California", "2023-12-15T20:00:00Z", "2024-03-14T06:59:59Z", "Civ. Code 1798.130(a)(2)(A): 90 days over 29 February"},
		{"Canada", "2026-01-01T20:00:00Z", "2026-03-03T04:59:59Z", "PIPEDA s. 8(4)(a): 30 more days"},
		{"Canada", "2028-01-31T20:00:00Z", "2028-04-01T03:59:59Z", "PIPEDA s. 8(4)(a): 60 days over 29 February; summer time has begun"},
		{"Switzerland", "2026-01-31T12:00:00Z", "2026-04-01T21:59:59Z", "DPO art. 18(2): 30 more days"},
		{"Virginia", "2026-01-15T17:00:00Z", "2026-04-16T03:59:59Z", "59.1-577(B)(1): 45 more days"},
		{"Colorado", "2026-01-15T17:00:00Z", "2026-04-16T05:59:59Z", "6-1-1306(2)(b): 45 more days"},
		{"elsewhere", "2026-12-15T12:00:00Z", "2027-02-13T23:59:59Z", "policy choice: 30 more days"},
		{"Japan", "2026-01-01T20:00:00Z", "", "APPI knows no extension"},
		{"South Korea", "2026-01-01T20:00:00Z", "2026-01-22T14:59:59Z", "Decree art. 41, 42: access is postponed by a notice within the 10 days, then without delay; 10 days more are the operator's own limit"},
		{"Brazil", "2026-01-01T20:00:00Z", "", "LGPD art. 19 knows no extension"},
	} {
		j, _ := load(t).Jurisdiction(c.id)
		received, _ := time.Parse(time.RFC3339, c.received)
		at, ok := j.Extended(dsar.Access, received)
		if ok != (c.want != "") || ok && at.Format(time.RFC3339) != c.want {
			t.Errorf("%s received %s: %s, %v, want %s (%s)", c.id, c.received, at.Format(time.RFC3339), ok, c.want, c.source)
		}
	}
}

// TestEveryValueHasItsSource: no value of a law stands without where it is from, and
// who counts working days has a calendar of them.
func TestEveryValueHasItsSource(t *testing.T) {
	t.Parallel()
	book := load(t)
	for _, id := range book.IDs() {
		j, _ := book.Jurisdiction(id)
		sources := map[string]string{"law": j.Law.Source, "time zone": j.TimeZone.Source, "answer": j.Answer.Source, "start": j.Start.Source, "identity check": j.IdentityCheck.Source,
			"clarification": j.Clarification.Source, "responsible": j.Responsible.Source}
		for _, g := range j.Rights {
			sources["right "+string(g.Right)] = g.Source
		}
		for _, r := range j.Refusals {
			sources["refusal "+r.Ground] = r.Source
		}
		for i, c := range j.AnswerSays {
			sources[fmt.Sprintf("content %d", i)] = c.Source
		}
		for i, c := range j.Complaint {
			sources[fmt.Sprintf("complaint %d", i)] = c.Source
		}
		if j.Extension != nil {
			sources["extension"] = j.Extension.Source
		}
		if j.Confirmation != nil {
			sources["confirmation"] = j.Confirmation.Source
		}
		if j.Holidays != nil {
			sources["holidays"] = j.Holidays.Source
		}
		for what, source := range sources {
			if len(source) < 4 {
				t.Errorf("%s: %s has no source", id, what)
			}
		}
		counts := j.Answer.MovesOff == policy.MovesOffNoWorkday || j.Confirmation != nil && j.Confirmation.Unit == policy.BusinessDay
		if counts != (j.Holidays != nil) {
			t.Errorf("%s counts working days: %v; it has a calendar: %v", id, counts, j.Holidays != nil)
		}
	}
}

// How pauses move the due date: by the days for which the clock stood, and then
// off the days that can't be the last (facts: "a pause moves the due day by the
// paused time").
func TestPauses(t *testing.T) {
	t.Parallel()
	type pause struct{ from, until string }
	for _, c := range []struct {
		id, received string
		extensions   int
		pauses       []pause
		last, source string
	}{
		{"EEA", "2026-08-31T10:00:00Z", 0, []pause{{"2026-09-07T08:00:00Z", "2026-09-17T16:00:00Z"}}, "2026-10-12", "EDPB 01/2022, 5.3: 30 September and 10 days; 10 October is a Saturday"},
		{"EEA", "2026-08-31T10:00:00Z", 1, []pause{{"2026-09-07T08:00:00Z", "2026-09-17T16:00:00Z"}}, "2026-12-10", "30 November and 10 days, a Thursday"},
		{"EEA", "2026-08-31T10:00:00Z", 0, []pause{{"2026-09-01T08:00:00Z", "2026-09-03T08:00:00Z"}, {"2026-09-10T08:00:00Z", "2026-09-11T08:00:00Z"}}, "2026-10-05", "2 and 1 days; 3 October is a Saturday"},
		{"EEA", "2026-08-31T10:00:00Z", 0, []pause{{"2026-09-07T08:00:00Z", "2026-09-07T16:00:00Z"}}, "2026-09-30", "within one day: nothing"},
		{"EEA", "2026-08-31T10:00:00Z", 0, []pause{{"2026-09-07T21:00:00Z", "2026-09-07T23:00:00Z"}}, "2026-10-01", "over midnight in Luxembourg: a day"},
		{"EEA", "2026-11-16T10:00:00Z", 0, []pause{{"2026-11-17T10:00:00Z", "2026-11-26T10:00:00Z"}}, "2026-12-28", "16 December and 9 days: Christmas Day, a Friday"},
		{"UK", "2026-08-31T10:00:00Z", 0, []pause{{"2026-09-07T08:00:00Z", "2026-09-17T16:00:00Z"}}, "2026-10-12", "UK GDPR art. 12A, as the EEA"},
		{"elsewhere", "2026-12-15T12:00:00Z", 0, []pause{{"2026-12-20T12:00:00Z", "2026-12-25T12:00:00Z"}}, "2027-01-19", "policy choice: 14 January and 5 days"},
	} {
		book := load(t)
		clock := core.Clock{Jurisdiction: c.id, Right: dsar.Access, ReceivedAt: instant(t, c.received), Extensions: c.extensions}
		for _, p := range c.pauses {
			clock.Pauses = append(clock.Pauses, core.Pause{From: instant(t, p.from), Until: instant(t, p.until)})
		}
		due, ok := book.Due(clock)
		j, _ := book.Jurisdiction(c.id)
		zone, err := time.LoadLocation(j.TimeZone.Name)
		if err != nil {
			t.Fatal(err)
		}
		if got, want := due.In(zone).Format("2006-01-02T15:04:05"), c.last+"T23:59:59"; !ok || got != want {
			t.Errorf("%s received %s, %v: due %s, want %s (%s)", c.id, c.received, c.pauses, got, want, c.source)
		}
	}
	for id, want := range map[string][2]bool{"EEA": {true, true}, "UK": {true, true}, "California": {}, "Canada": {}, "Japan": {}, "South Korea": {}, "Brazil": {}, "Switzerland": {}, "Virginia": {}, "Colorado": {}, "elsewhere": {true, true}} {
		j, _ := load(t).Jurisdiction(id)
		if terms := j.Terms(dsar.Access, time.Now(), nil); terms.PausesForProof != want[0] || terms.PausesForClarification != want[1] {
			t.Errorf("%s: %+v", id, terms)
		}
	}
	if _, ok := load(t).Due(core.Clock{Jurisdiction: "Mars"}); ok {
		t.Error("Mars has a law")
	}
}

func instant(t *testing.T, text string) time.Time {
	t.Helper()
	at, err := time.Parse(time.RFC3339, text)
	if err != nil {
		t.Fatal(err)
	}
	return at
}

// When receipt must be confirmed, in business days with the state's holidays.
func TestConfirmation(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ id, received, last, source string }{
		{"California", "2026-11-06T18:00:00Z", "2026-11-23", "11 CCR 7021(a), Gov. Code 6700: Veterans Day, a Wednesday, isn't counted"},
		{"California", "2026-11-20T18:00:00Z", "2026-12-08", "Thanksgiving and the day after aren't"},
		{"California", "2026-12-21T18:00:00Z", "2027-01-06", "Christmas Day and New Year's Day, both Fridays, aren't"},
		{"California", "2027-06-25T18:00:00Z", "2027-07-12", "Gov. Code 6701: 4 July is a Sunday, Monday isn't counted"},
		{"California", "2027-03-24T18:00:00Z", "2027-04-08", "Cesar Chavez Day, a Wednesday, isn't"},
		{"EEA", "2026-12-21T18:00:00Z", "", "nothing is fixed"},
	} {
		j, _ := load(t).Jurisdiction(c.id)
		by := j.Terms(dsar.Access, instant(t, c.received), nil).ConfirmBy
		got := ""
		if !by.IsZero() {
			zone, err := time.LoadLocation(j.TimeZone.Name)
			if err != nil {
				t.Fatal(err)
			}
			got = by.In(zone).Format(time.DateOnly)
		}
		if got != c.last {
			t.Errorf("%s received %s: confirmed by %s, want %s (%s)", c.id, c.received, got, c.last, c.source)
		}
	}
}

// What the law shows, refuses and answers instead.
func TestTerms(t *testing.T) {
	t.Parallel()
	book := load(t)
	for _, id := range book.IDs() {
		j, _ := book.Jurisdiction(id)
		terms := j.Terms(dsar.Access, time.Now(), []dsar.Check{dsar.CheckGuardian})
		if want := map[string]dsar.Right{"California": dsar.KnowCategories}[id]; terms.Instead != want {
			t.Errorf("%s answers %q instead", id, terms.Instead)
		}
		if len(terms.Refusals)+len(terms.PartRefusals) == 0 || !slices.Equal(terms.Checks, []dsar.Check{dsar.CheckGuardian}) {
			t.Errorf("%s: %+v", id, terms)
		}
		if !j.Says(policy.ItemComplaint) {
			t.Errorf("%s: an answer doesn't say where to complain", id)
		}
	}
	j, _ := book.Jurisdiction("EEA")
	if r, ok := j.Refusal("excessive"); !ok || r.Source != "GDPR art. 12(5)(b)" {
		t.Errorf("excessive: %+v", r)
	}
	if _, ok := j.Refusal("inconvenient"); ok {
		t.Error("a ground that nobody knows")
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
		right := rapid.SampledFrom(j.Granted(a)).Draw(t, "right")
		due := j.Due(right, a)
		if j.Due(right, b).Before(due) {
			t.Fatalf("%s, %s: received %s due %s, but received %s due %s", j.ID, right, a, due, b, j.Due(right, b))
		}
		if days := due.Sub(a).Hours() / 24; days < 10 || days > 62 {
			t.Fatalf("%s, %s: received %s, due after %f days", j.ID, right, a, days)
		}
		ext, ok := j.Extended(right, a)
		if ok && ext.Before(due) {
			t.Fatalf("%s, %s: received %s, extended to %s, before %s", j.ID, right, a, ext, due)
		}
		if ok != (j.Periods(right).Extension != nil) {
			t.Fatalf("%s, %s: extended: %v", j.ID, right, ok)
		}
		if zone, _ := time.LoadLocation(j.TimeZone.Name); j.Periods(right).Answer.MovesOff == policy.MovesOffWeekend {
			if d := due.In(zone).Weekday(); d == time.Saturday || d == time.Sunday {
				t.Fatalf("%s, %s: received %s, due on a %s", j.ID, right, a, d)
			}
		}
		// A period that begins later is never due earlier, and no pause from before it counts.
		clock := core.Clock{Jurisdiction: j.ID, Right: right, ReceivedAt: a, StartedAt: b, Pauses: []core.Pause{{From: a, Until: b}}}
		if started, _ := book.Due(clock); !started.Equal(j.Due(right, b)) {
			t.Fatalf("%s, %s: begun %s, due %s, want %s", j.ID, right, b, started, j.Due(right, b))
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
}

// TestBuiltInLawsSpeakEveryLanguage: what a built-in law says, it says in each language that
// is built in.
func TestBuiltInLawsSpeakEveryLanguage(t *testing.T) {
	t.Parallel()
	for _, id := range load(t).IDs() {
		j, _ := load(t).Jurisdiction(id)
		text, err := os.ReadFile(filepath.Join("jurisdictions", j.File))
		if err != nil {
			t.Fatal(err)
		}
		var doc yaml.Node
		if err := yaml.Unmarshal(text, &doc); err != nil {
			t.Fatal(err)
		}
		var look func(n *yaml.Node)
		look = func(n *yaml.Node) {
			said := map[string]bool{}
			for i := 0; n.Kind == yaml.MappingNode && i+1 < len(n.Content); i += 2 {
				said[n.Content[i].Value] = n.Content[i+1].Kind == yaml.ScalarNode
			}
			for _, l := range words.All() {
				if said["en"] && !said[l.Tag] {
					t.Errorf("%s:%d: nothing in %s", j.File, n.Line, l.Tag)
				}
			}
			for _, child := range n.Content {
				look(child)
			}
		}
		look(&doc)
	}
}

// edited returns a built-in file with one text replaced.
func edited(t *testing.T, name, from, to string) string {
	t.Helper()
	file, err := os.ReadFile(filepath.Join("jurisdictions", name))
	if err != nil {
		t.Fatal(err)
	}
	text := strings.Replace(string(file), from, to, 1)
	if text == string(file) {
		t.Fatalf("%s: nothing was replaced", name)
	}
	return text
}

// lawOf is a folder with one law's file, and one of the built-in calendars.
func lawOf(name, text, calendar string) fs.FS {
	days, err := os.ReadFile(filepath.Join("jurisdictions/calendars", calendar+".yaml"))
	if err != nil {
		panic(err)
	}
	return fstest.MapFS{name: {Data: []byte(text)}, "calendars/" + calendar + ".yaml": {Data: days}}
}

func TestLoadRefuses(t *testing.T) {
	t.Parallel()
	file, err := os.ReadFile("jurisdictions/eea.yaml")
	if err != nil {
		t.Fatal(err)
	}
	good := string(file)
	calendar, err := os.ReadFile("jurisdictions/calendars/luxembourg.yaml")
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct{ from, to, want string }{
		"a value without a source":  {"    source: GDPR art. 77; privacy notice, N4\n", "", "source"},
		"an unknown right":          {"right: access", "right: acces", "rights: acces is none"},
		"an unknown member":         {"id: EEA", "id: EEA\nident: x", "ident"},
		"no English":                {"{en: European Economic Area, ", "{", "en"},
		"an unknown zone":           {"Europe/Luxembourg", "Europe/Luxemburg", "time_zone"},
		"a unit that nobody counts": {"unit: month\n  moves_off", "unit: moon\n  moves_off", "/answer/unit"},
		"a ground twice":            {"ground: rights-of-others", "ground: excessive", "twice"},
		"no calendar":               {"calendar: luxembourg", "calendar: atlantis", "calendars/atlantis.yaml"},
		"holidays without a one":    {"holidays:\n  calendar: luxembourg\n  source: \"Regulation 1182/71, art. 2(1) and 3(4)\"\n  read: memory\n", "", "holidays"},
		"a statement without words": {"item: automated\n    declared: no-automated-decisions\n    text:", "item: storage\n    text:", "/answer_says/7"},
		"a ground of no right":      {"    rights: [access, portability]\n    part: only\n", "    part: only\n", "rights-of-others doesn't say which rights can be refused on it: write them beside it, as rights: [erasure, objection]"},
		"a ground of one ungranted": {"rights: [erasure, objection]", "rights: [erasure, know-categories]", "refusals: legal-claims is a ground for know-categories, which the law doesn't grant"},
		"a part of nothing":         {"part: only", "part: some", "/part"},
		"a right twice":             {"{right: rectification", "{right: access, source: again}\n  - {right: rectification", "twice"},
	} {
		text := strings.Replace(good, c.from, c.to, 1)
		if text == good {
			t.Errorf("%s: nothing was replaced", name)
		}
		_, err := policy.LoadFS(fstest.MapFS{"eea.yaml": {Data: []byte(text)}, "calendars/luxembourg.yaml": {Data: calendar}})
		if err == nil || !strings.Contains(err.Error(), "eea.yaml") || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := policy.LoadFS(fstest.MapFS{"a.yaml": {Data: []byte(good)}, "b.yaml": {Data: []byte(good)}, "calendars/luxembourg.yaml": {Data: calendar}}); err == nil || !strings.Contains(err.Error(), "another file") {
		t.Errorf("twice: %v", err)
	}
	if _, err := policy.LoadFS(fstest.MapFS{}); err == nil {
		t.Error("no jurisdiction is no error")
	}
}

// TestPartIsATruthValue: however YAML writes whether a dataset can be refused on a ground, it is
// read as the same.
func TestPartIsATruthValue(t *testing.T) {
	t.Parallel()
	partly := func(line string) (part, whole bool) {
		t.Helper()
		book, err := policy.LoadFS(lawOf("eea.yaml", edited(t, "eea.yaml", "part: only", line), "luxembourg"))
		if err != nil {
			t.Fatal(err)
		}
		law, ok := book.Jurisdiction("EEA")
		if !ok {
			t.Fatal("no EEA")
		}
		terms := law.Terms(dsar.Access, time.Date(2026, 11, 20, 9, 0, 0, 0, time.UTC), nil)
		return slices.Contains(terms.PartRefusals, "rights-of-others"), slices.Contains(terms.Refusals, "rights-of-others")
	}
	for text, want := range map[string][2]bool{ // a part, the whole
		"part: true": {true, true}, "part: True": {true, true}, "part: TRUE": {true, true}, "part: !!bool true": {true, true},
		"part: false": {false, true}, "part: False": {false, true}, "part: 'only'": {true, false}, "part: \"only\"": {true, false},
	} {
		if part, whole := partly(text); [2]bool{part, whole} != want {
			t.Errorf("%s: a part %t, the whole %t", text, part, whole)
		}
	}
}

func TestCalendarsRefuse(t *testing.T) {
	t.Parallel()
	file, err := os.ReadFile("jurisdictions/calendars/luxembourg.yaml")
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct{ from, to, want string }{
		"a day that never is": {"date: 05-09", "date: 02-30", "no such day"},
		"another id":          {"id: luxembourg", "id: belgium", "belgium"},
		"two rules":           {"easter: 39", "easter: 39, date: 05-14", "oneOf"},
		"without a source":    {", source: \"Code du travail, art. L.232-2; loi du 25 avril 2019\"", "", "source"},
	} {
		text := strings.Replace(string(file), c.from, c.to, 1)
		if text == string(file) {
			t.Errorf("%s: nothing was replaced", name)
		}
		if _, err := policy.LoadFS(fstest.MapFS{"calendars/luxembourg.yaml": {Data: []byte(text)}}); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestAccountable: how long it is known whom a request was about is the law's, the
// operator's where the law fixes none, and never shorter than what a law fixes.
func TestAccountable(t *testing.T) {
	t.Parallel()
	book, err := policy.Load()
	if err != nil {
		t.Fatal(err)
	}
	for _, id := range book.IDs() {
		j, _ := book.Jurisdiction(id)
		if j.Accountability == nil {
			t.Errorf("%s says nothing of it", id)
			continue
		}
		fixed := 24
		if id == "South Korea" { // the log of a transfer (PIPA art. 35-2)
			fixed = 36
		}
		for operator, want := range map[int][2]int{0: {fixed, 24}, 6: {fixed, 6}, 60: {60, 60}} { // fixed, chosen
			months, source := j.AccountableMonths(operator)
			if j.Accountability.Choice && (months != want[1] || source != "") || !j.Accountability.Choice && (months != want[0] || source == "") {
				t.Errorf("%s, operator %d: %d months, by %q", id, operator, months, source)
			}
		}
	}
	for _, id := range []string{"California", "Colorado"} {
		if j, _ := book.Jurisdiction(id); j.Accountability == nil || j.Accountability.Choice {
			t.Errorf("%s fixes it", id)
		}
	}
	if months, _ := (policy.Jurisdiction{}).AccountableMonths(0); months != 24 {
		t.Errorf("a law without it: %d", months)
	}
}
