package truth

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"habeas.dev/pkg/dsar"
	"habeas.dev/services/internal/core"
	"habeas.dev/services/internal/words"
)

// oracle holds one request against the databases before and after it.
type oracle struct {
	*pipeline
	right         dsar.Right
	person        int
	state         core.State
	before, after map[record]string
	lies          []string
}

func (o *oracle) lie(format string, args ...any) {
	o.lies = append(o.lies, fmt.Sprintf("%s of person %d: ", o.right, o.person)+fmt.Sprintf(format, args...))
}

// judge says what is false; nothing where nothing is.
func (o *oracle) judge() []string {
	o.othersAreUntouched()
	o.keptRecordsStay()
	if o.state.Status == core.StatusCompleted {
		o.answerIsTrue()
	}
	return o.lies
}

// othersAreUntouched: whatever becomes of the request, nobody else's row goes or
// changes, and no row at all where the right erases nothing.
func (o *oracle) othersAreUntouched() {
	for r, was := range o.before {
		if is := o.after[r]; is != was && (r.owner != o.person || o.right != dsar.Erasure) {
			o.lie("record %d of %s in %s, person %d's, was %q and is %q", r.id, r.table, r.system, r.owner, was, is)
		}
	}
}

// keptRecordsStay: what must stay is there, whatever becomes of the request.
func (o *oracle) keptRecordsStay() {
	for r := range o.before {
		if _, there := o.after[r]; r.keep && !there {
			o.lie("record %d of %s in %s had to stay, and is gone", r.id, r.table, r.system)
		}
	}
}

func (o *oracle) answerIsTrue() {
	a := o.read(o.state)
	for person := range persons {
		if person == o.person {
			continue
		}
		for name, text := range a.files {
			if strings.Contains(text, fmt.Sprintf("%s%d-", mark, person)) || strings.Contains(strings.ToLower(text), email(person)) {
				o.lie("the file %s holds what is person %d's", name, person)
			}
		}
	}
	o.pageIsTrue(a.page())
	for _, s := range a.said.Systems {
		held := 0
		for _, d := range s.Datasets {
			held += len(o.of(o.before, s.System, d.Dataset))
			o.datasetIsTrue(s.System, d, a.shown(o, s.System, d.Dataset))
		}
		if nothing := s.Outcome == dsar.NothingFound || s.Outcome == dsar.NotApplicable; nothing && held > 0 {
			o.lie("%s is said to hold nothing (%s), and held %d records", s.System, s.Outcome, held)
		}
	}
}

// pageIsTrue: the page says that no system holds anything only where no record of the
// person is there, and that nothing but what was kept before is, only where all others
// may stay.
func (o *oracle) pageIsTrue(page string) {
	_, lead, found := strings.Cut(page, `<p class="lead">`)
	lead, _, closed := strings.Cut(lead, "</p>")
	if !found || !closed {
		o.lie("the page has no lead")
	}
	says := words.For("en").Answer
	nothing, nothingElse := strings.HasPrefix(lead, says.Nothing), strings.HasPrefix(lead, says.NothingElse)
	for r := range o.before {
		if r.owner == o.person && (nothing || nothingElse && !r.keep) {
			o.lie("the page says %q, and record %d of %s in %s is there", lead, r.id, r.table, r.system)
		}
	}
}

// of are the ids of the person's records of a dataset in a reading.
func (o *oracle) of(reading map[record]string, system, dataset string) []int {
	var ids []int
	for r := range reading {
		if r.system == system && r.dataset == dataset && r.owner == o.person {
			ids = append(ids, r.id)
		}
	}
	slices.Sort(ids)
	return ids
}

func (o *oracle) datasetIsTrue(system string, d saidDataset, shown []string) {
	before, after := o.of(o.before, system, d.Dataset), o.of(o.after, system, d.Dataset)
	where := d.Dataset + " of " + system
	switch o.right {
	case dsar.Access, dsar.Portability:
		var there []string
		for _, id := range before {
			there = append(there, strconv.Itoa(id))
		}
		if !slices.Equal(shown, there) || d.Records != int64(len(before)) {
			o.lie("%s: %d records are said, %v are shown, %v are there", where, d.Records, shown, before)
		}
	case dsar.KnowCategories:
		if d.Found != int64(len(before)) {
			o.lie("%s: %d records are said to be held, %v are", where, d.Found, before)
		}
	case dsar.Erasure:
		retained := d.kept()
		left := int64(len(before) - len(after))
		if d.Found != int64(len(before)) || d.Erased+d.Anonymised+d.Gone != left || retained != int64(len(after)) {
			o.lie("%s: found %d, erased %d, gone %d, retained %d are said; %v were there and %v are", where, d.Found, d.Erased+d.Anonymised, d.Gone, retained, before, after)
		}
		for r := range o.after {
			if r.system == system && r.dataset == d.Dataset && r.owner == o.person && !r.keep {
				o.lie("%s: record %d needn't stay, and is there", where, r.id)
			}
		}
	}
}
