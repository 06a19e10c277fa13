package manifest

import (
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// TestSpan: a period runs from a date, or from the close of the year or month that it is in.
func TestSpan(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ ends, toEndOf, day, want string }{
		{"", "", "2024-03-05", "2034-03-06"},
		{"", Month, "2024-03-05", "2034-04-01"},
		{"", Month, "2023-12-31", "2034-01-01"},
		{"", Year, "2024-03-05", "2035-01-01"},
		{"", FinancialYear, "2024-03-05", "2035-01-01"},
		{"", FinancialYear, "2024-12-31", "2035-01-01"},
		{"", FinancialYear, "2025-01-01", "2036-01-01"},
		{"06-30", FinancialYear, "2024-06-30", "2034-07-01"},
		{"06-30", FinancialYear, "2024-07-01", "2035-07-01"},
		{"02-29", FinancialYear, "2023-02-28", "2033-03-01"},
		{"02-29", FinancialYear, "2024-02-29", "2034-03-01"},
		{"02-29", Year, "2024-02-29", "2035-01-01"},
	} {
		m := &Manifest{FinancialYearEnds: c.ends}
		s, err := m.Span(&Retention{Period: "P10Y", ToEndOf: c.toEndOf})
		if err != nil {
			t.Fatal(err)
		}
		day, err := time.Parse(time.DateOnly, c.day)
		if err != nil {
			t.Fatal(err)
		}
		if got := s.After(day).Format(time.DateOnly); got != c.want {
			t.Errorf("%s to the end of %q (%s): %s, want %s", c.day, c.toEndOf, c.ends, got, c.want)
		}
	}
}

// TestSpanIsMonotone: a later day never ends earlier, and no rounding shortens a period.
func TestSpanIsMonotone(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		m := &Manifest{FinancialYearEnds: rapid.SampledFrom([]string{"", "02-29", "03-31", "06-30", "11-30"}).Draw(t, "ends")}
		r := &Retention{Period: rapid.SampledFrom([]string{"P10Y", "P6M", "P30D", "P1Y6M"}).Draw(t, "period"), ToEndOf: rapid.SampledFrom([]string{"", Month, Year, FinancialYear}).Draw(t, "rounding")}
		s, err := m.Span(r)
		if err != nil {
			t.Fatal(err)
		}
		day := time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC).AddDate(0, 0, rapid.IntRange(0, 20000).Draw(t, "day"))
		end := s.After(day)
		if next := s.After(day.AddDate(0, 0, 1)); next.Before(end) {
			t.Fatalf("%s ends at %s, the day after at %s", day, end, next)
		}
		if end.Before(s.Period.After(day)) {
			t.Fatalf("%s ends at %s, before its period", day, end)
		}
	})
}

// TestRetentionIsWritten: from is the same as column, and one of them; another's law isn't
// quoted where laws have articles of their own.
func TestRetentionIsWritten(t *testing.T) {
	t.Parallel()
	const rule = "      - {name: made, type: date}\n    retention:\n      - {ground: accounting, source: Code art. 16, sources: {EEA: Code art. 16}, title: {en: Accounts}, FROM, to_end_of: financial-year, period: P10Y}\n"
	with := func(from string) (*Manifest, error) {
		return Parse("ledger.yaml", []byte(ledger+strings.Replace(rule, "FROM", from, 1)))
	}
	m, err := with("from: made")
	if err != nil {
		t.Fatal(err)
	}
	r := &m.Datasets[0].Retention[0]
	if r.Column != "made" || r.SourceUnder("EEA") != "Code art. 16" || r.SourceUnder("California") != "" || (&Retention{Source: "any"}).SourceUnder("California") != "any" {
		t.Errorf("%+v", r)
	}
	for from, want := range map[string]string{"from: made, column: made": "says twice", "from: entry": "isn't a date", "column: other": "unknown column", "undated: stay": "column is missing"} {
		if _, err := with(from); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", from, err)
		}
	}
	if _, err := Parse("ledger.yaml", []byte("financial_year_ends: 31-12\n"+ledger)); err == nil || !strings.Contains(err.Error(), "isn't the day on which a year ends") {
		t.Error(err)
	}
}

// TestStorageAsData: a storage period can stand beside its texts as data.
func TestStorageAsData(t *testing.T) {
	t.Parallel()
	with := func(storage string) (*Manifest, error) {
		return Parse("ledger.yaml", []byte(change(t, ledger, "storage: {en: A year, fr: Un an}", "storage: {"+storage+"}")+"      - {name: made, type: date}\n"))
	}
	m, err := with("en: Six months, fr: Six mois, period: P6M, from: made, to_end_of: month")
	if err != nil {
		t.Fatal(err)
	}
	if d := m.Datasets[0]; d.Stored == nil || *d.Stored != (Stored{"P6M", "made", Month}) || len(d.Storage) != 2 {
		t.Errorf("%+v, %v", d.Stored, d.Storage)
	}
	s, err := m.Span(m.Datasets[0].Stored.Rule())
	if err != nil {
		t.Fatal(err)
	}
	if got := s.FirstKept(time.Date(2026, 11, 20, 9, 30, 0, 0, time.UTC)).Format(time.DateOnly); got != "2026-05-01" {
		t.Errorf("the first day that is kept is %s", got)
	}
	for storage, want := range map[string]string{
		"period: P6M, from: made": "storage is missing", "en: A, period: P6M": "no column with a date", "en: A, from: made": "is not a period",
		"en: A, period: P6M, from: entry": "no column with a date", "en: A, period: P6M, from: made, to_end_of: week": "unknown to_end_of",
	} {
		if _, err := with(storage); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", storage, err)
		}
	}
}

// TestFirstKept is the first day whose span isn't over, whatever the rounding.
func TestFirstKept(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		m := &Manifest{FinancialYearEnds: rapid.SampledFrom([]string{"", "02-29", "06-30"}).Draw(t, "ends")}
		s, err := m.Span(&Retention{Period: rapid.SampledFrom([]string{"P10Y", "P6M", "P30D"}).Draw(t, "period"), ToEndOf: rapid.SampledFrom([]string{"", Month, Year, FinancialYear}).Draw(t, "rounding")})
		if err != nil {
			t.Fatal(err)
		}
		now := time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC).AddDate(0, 0, rapid.IntRange(0, 20000).Draw(t, "day"))
		first := s.FirstKept(now)
		if !s.After(first).After(now) || s.After(first.AddDate(0, 0, -1)).After(now) {
			t.Fatalf("on %s the first is %s, which ends at %s", now, first, s.After(first))
		}
	})
}
