package dsar_test

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"habeas.dev/pkg/dsar"
)

// TestUnmet: an erasure meets its plan if and only if, in each dataset, what became of
// the records that aren't late adds up to what was planned.
func TestUnmet(t *testing.T) {
	t.Parallel()
	datasets := []string{"orders", "notes", "logs"}
	rapid.Check(t, func(t *rapid.T) {
		some := func(name string) int64 { return rapid.Int64Range(0, 4).Draw(t, name) }
		var planned, erased []dsar.Counts
		met := true
		for _, name := range datasets {
			p, e := dsar.Counts{Dataset: name}, dsar.Counts{Dataset: name, Erased: some("erased"), Anonymised: some("anonymised"), Gone: some("gone")}
			e.Retain(some("retained"), "tax-records", time.Time{})
			e.Late = rapid.Int64Range(0, e.Erased+e.Anonymised+e.Kept()).Draw(t, "late")
			p.Found = e.Erased + e.Anonymised + e.Gone + e.Kept() - e.Late
			off := rapid.Int64Range(-p.Found, 3).Draw(t, "off")
			p.Found += off
			met = met && off == 0
			if p.Found > 0 || rapid.Bool().Draw(t, "zero planned") {
				planned = append(planned, p)
			}
			if e.Accounted() != 0 || e.Late > 0 || rapid.Bool().Draw(t, "zero erased") {
				erased = append(erased, e)
			}
		}
		said := dsar.Unmet(planned, erased)
		if (said == "") != met {
			t.Fatalf("planned %+v, erased %+v: %q", planned, erased, said)
		}
		for _, p := range planned {
			for _, e := range erased {
				if e.Dataset == p.Dataset && e.Accounted() != p.Found && !strings.Contains(said, p.Dataset) {
					t.Fatalf("%q doesn't name %s", said, p.Dataset)
				}
			}
		}
	})
	short := []dsar.Counts{{Dataset: "orders", Erased: 1, Uncovered: "grant it DELETE"}}
	if said := dsar.Unmet([]dsar.Counts{{Dataset: "orders", Found: 3}}, short); said != "" {
		t.Errorf("what is not covered has its own reason: %q", said)
	}
}

// TestRetain: of one ground there is one entry, with the latest end, none where one of
// them has none, and the earliest where that is before.
func TestRetain(t *testing.T) {
	t.Parallel()
	year := func(n int) time.Time { return time.Date(2030+n, 1, 1, 0, 0, 0, 0, time.UTC) }
	for _, c := range []struct {
		untils      []time.Time
		until, next time.Time
	}{
		{[]time.Time{year(1)}, year(1), time.Time{}},
		{[]time.Time{year(1), year(1)}, year(1), time.Time{}},
		{[]time.Time{year(2), year(1), year(3)}, year(3), year(1)},
		{[]time.Time{{}}, time.Time{}, time.Time{}},
		{[]time.Time{year(1), {}}, time.Time{}, year(1)},
		{[]time.Time{{}, year(2), year(1)}, time.Time{}, year(1)},
	} {
		var n dsar.Counts
		for _, u := range c.untils {
			n.Retain(2, "tax-records", u)
		}
		n.Retain(1, "contract", year(9))
		r := n.Retained[0]
		if len(n.Retained) != 2 || n.Kept() != int64(2*len(c.untils)+1) || !r.Until.Equal(c.until) || !r.Next.Equal(c.next) {
			t.Errorf("%v: %+v", c.untils, n.Retained)
		}
	}
}

// TestKnownEnd: an end that no message can hold, or that says "for ever", is none, and what
// has none stays longest.
func TestKnownEnd(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		until time.Time
		known bool
	}{
		{time.Date(2034, 12, 31, 0, 0, 0, 0, time.UTC), true},
		{time.Date(9999, 12, 30, 0, 0, 0, 0, time.UTC), true},
		{time.Date(9999, 12, 31, 0, 0, 0, 0, time.UTC), false},
		{time.Date(9999, 12, 31, 23, 30, 0, 0, time.FixedZone("", 3600)), false},
		{time.Date(10009, 12, 31, 0, 0, 0, 0, time.UTC), false},
		{time.Date(-40, 3, 15, 0, 0, 0, 0, time.UTC), false},
		{time.Time{}, false},
	} {
		if got := dsar.KnownEnd(c.until); c.known && !got.Equal(c.until) || !c.known && !got.IsZero() {
			t.Errorf("%s: %s", c.until, got)
		}
		n := dsar.Counts{}
		n.Retain(1, "tax", time.Date(2030, 1, 1, 0, 0, 0, 0, time.UTC))
		n.Retain(1, "tax", c.until)
		if _, err := json.Marshal(n); err != nil || n.Retained[0].Until.IsZero() == c.known {
			t.Errorf("%s: %+v, %v", c.until, n.Retained, err)
		}
	}
}
