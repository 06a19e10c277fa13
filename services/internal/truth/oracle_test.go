package truth

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"habeas.dev/pkg/dsar"
	"habeas.dev/services/internal/core"
	"habeas.dev/services/internal/statement"
	"habeas.dev/services/internal/words"
)

// oracle holds one request against the databases before and after it.
type oracle struct {
	*pipeline
	fixture       *fixture
	right         dsar.Right // that was asked for
	person        int
	at            time.Time // when it was planned, by which what must stay is told
	state         core.State
	purged        bool // time passed, and what had to stay may be gone
	before, after map[record]row
	vanished      map[record]bool // rows that somebody else deleted between plan and erasure
	late          map[record]bool // rows that came between plan and erasure
	moved         map[record]bool // rows that became somebody else's between the two
	anew          map[record]bool // rows that the person has anew, since the erasure was answered
	lies          []string
}

func (o *oracle) lie(format string, args ...any) {
	o.lies = append(o.lies, fmt.Sprintf("%s of person %d: ", o.right, o.person)+fmt.Sprintf(format, args...))
}

// judge says what is false; nothing where nothing is.
func (o *oracle) judge() []string {
	o.othersAreUntouched()
	o.keptRecordsStay()
	o.ownRecordsChangeAsAsked()
	if o.state.Status == core.StatusCompleted {
		o.answerIsTrue()
	}
	return o.lies
}

// mine reports whether the request may touch a record.
func (o *oracle) mine(r record) bool { return r.of(o.person) && o.state.Right == o.right }

// othersAreUntouched: whatever becomes of the request, nobody else's row goes or
// changes.
func (o *oracle) othersAreUntouched() {
	for r, was := range o.before {
		if is := o.after[r]; is != was && !o.mine(r) && !o.fixture.mayGo(r, o.now) {
			o.lie("record %d of %s in %s, person %d's, was %+v and is %+v", r.id, r.dataset, r.system, r.owner, was, is)
		}
	}
}

// stays reports whether a record must stay now: by the law, or by a hold.
func (o *oracle) stays(r record) bool { return r.kept(o.now) || o.isHeld(r) }

// isHeld reports whether a hold keeps a record: whoever asks, of whomever it is too.
func (o *oracle) isHeld(r record) bool {
	return slices.ContainsFunc(o.fixture.holds, func(h held) bool {
		return r.of(h.person) && (h.System == "" || h.System == r.system) && (h.Dataset == "" || h.Dataset == r.dataset)
	})
}

// holdsGround returns why it is told that a held record stays: who asks is told of a hold on
// their own request, and of no other.
func (o *oracle) holdsGround(r record) string {
	if slices.ContainsFunc(o.state.Holds, func(h core.Held) bool {
		return (h.System == "" || h.System == r.system) && (h.Dataset == "" || h.Dataset == r.dataset)
	}) {
		return dsar.LegalHold
	}
	return dsar.ConcernsOthers
}

// keptRecordsStay: what must stay is there as it was, whatever becomes of the request;
// at most it is locked.
func (o *oracle) keptRecordsStay() {
	for r, was := range o.before {
		if !o.stays(r) || r.bystander {
			continue
		}
		is, there := o.after[r]
		if o.right == dsar.Erasure {
			was.locked = is.locked
		}
		if !there && !o.vanished[r] {
			o.lie("record %d of %s in %s had to stay, and is gone", r.id, r.dataset, r.system)
		} else if there && is != was && o.right == dsar.Erasure {
			o.lie("record %d of %s in %s had to stay as %+v, and is %+v", r.id, r.dataset, r.system, was, is)
		}
	}
}

// corrected is the city that a person is said to live in.
const corrected = "Lyon"

// ownRecordsChangeAsAsked: of the person's own rows nothing changes but what the right
// changes; and where the request is completed, all of that. What can't be found any more
// stays as it is.
func (o *oracle) ownRecordsChangeAsAsked() {
	done := o.state.Status == core.StatusCompleted && o.state.Right == o.right
	for r, was := range o.before {
		is, there := o.after[r]
		if !r.of(o.person) || o.right == dsar.Erasure {
			continue
		}
		want := was
		switch {
		case o.lost(o.before, r):
		case o.right == dsar.Restriction:
			want.locked = want.locked || done
			if !done {
				want.locked = is.locked
			}
		case o.right == dsar.Rectification:
			if want.city = corrected; !done && is.city == was.city {
				want.city = was.city
			}
		}
		if !there || is != want {
			o.lie("record %d of %s in %s is %+v, and should be %+v", r.id, r.dataset, r.system, is, want)
		}
	}
}

func (o *oracle) answerIsTrue() {
	a := o.read(o.state)
	for person := range persons {
		if person == o.person && o.state.Right == o.right {
			continue
		}
		for name, text := range a.files {
			if strings.Contains(text, fmt.Sprintf("%s%d-", mark, person)) && !o.sharedWith(person) {
				o.lie("the file %s holds what is person %d's", name, person)
			}
			if person != o.person && strings.Contains(strings.ToLower(text), email(person)) && !o.sharedWith(person) {
				o.lie("the file %s names person %d", name, person)
			}
		}
	}
	if o.state.Right != o.right { // a lesser answer: it tells nothing that was found
		for _, s := range a.said.Systems {
			for _, d := range s.Datasets {
				if d.Records+d.Found+d.Erased > 0 || len(d.Retained)+len(d.KeptEarlier) > 0 || d.MayBe > 0 {
					o.lie("who isn't proven is told of %s in %s: %+v", d.Dataset, s.System, d)
				}
			}
		}
		return
	}
	o.pageIsTrue(a.page())
	o.lettersAreTrue()
	if o.purged {
		return // the certificate is of the day on which it was issued
	}
	o.statementsAreTrue(a.whole)
	for _, s := range a.said.Systems {
		held := 0
		for _, d := range s.Datasets {
			held += len(o.of(o.before, s.System, d.Dataset))
			o.datasetIsTrue(s.System, d, a.shown(o, s.System, d.Dataset))
			if o.right == dsar.Rectification {
				o.correctionIsTrue(s.System, d, a.whole.About(s.System, d.Dataset, statement.Corrected))
			}
		}
		if s.nothing() && held > 0 {
			o.lie("%s is said to hold nothing (%q), and held %d records", s.System, s.Answer, held)
		}
	}
}

// sharedWith reports whether a record is the person's and another's.
func (o *oracle) sharedWith(other int) bool {
	for r := range o.before {
		if r.of(o.person) && r.of(other) {
			return true
		}
	}
	return false
}

// left reports whether something of the person is there that may be, or that may not.
func (o *oracle) left() (may, mayNot bool) {
	for r := range o.after {
		if !r.of(o.person) {
			continue
		}
		if r.kept(o.at) || o.isHeld(r) {
			may = true
		} else {
			mayNot = true
		}
	}
	return may, mayNot
}

// allLocked reports whether all that is left of the person is locked.
func (o *oracle) allLocked() bool {
	for r, is := range o.after {
		if r.of(o.person) && !is.locked && !o.anew[r] {
			return false
		}
	}
	return true
}

// pageIsTrue: the page says that no system holds anything only where no record of the
// person is there, that nothing but what was kept before is, only where all others
// may stay, and that nothing else is done with what is left only where it is locked.
func (o *oracle) pageIsTrue(page string) {
	lead, found := leadOf(page)
	if !found {
		o.lie("the page has no lead")
	}
	says := words.For("en").Answer
	nothing, nothingElse := strings.HasPrefix(lead, says.Statements[string(statement.NothingHeld)].Sentence), strings.HasPrefix(lead, says.Statements[string(statement.NothingElseHeld)].Sentence)
	there := o.before
	if o.purged { // the page of the day may be a later one, of an answer that was taken up again
		there = o.after
	}
	for r := range there {
		if r.of(o.person) && (nothing || nothingElse && !o.stays(r)) {
			o.lie("the page says %q, and record %d of %s in %s is there", lead, r.id, r.dataset, r.system)
		}
	}
	if strings.Contains(page, says.Statements[string(statement.KeptUnused)].Sentence) && !o.allLocked() {
		o.lie("the page says %q, and not all that is left is locked", says.Statements[string(statement.KeptUnused)].Sentence)
	}
}

// lettersAreTrue holds what letters say of an erasure against what is left.
func (o *oracle) lettersAreTrue() {
	if o.right != dsar.Erasure || o.purged {
		return
	}
	may, mayNot := o.left()
	for _, letter := range o.written(o.state.Accepted.RequestID) {
		for _, says := range []struct {
			text string
			lie  bool
		}{
			{saysNothingLeft, may || mayNot},
			{saysOnlyKept, mayNot},
			{saysLocked, !o.allLocked()},
		} {
			if strings.Contains(letter, says.text) && says.lie {
				o.lie("the letter says %q, and %v", says.text, o.after)
			}
		}
	}
}

// lost reports whether a record that an earlier erasure had to keep can't be found any
// more, since that erasure took the rows that led to it: it can only be told of.
func (o *oracle) lost(reading map[record]row, r record) bool {
	d := o.fixture.dataset(r)
	if !strings.Contains(d.at, "via:") || !o.stays(r) {
		return false
	}
	for lead := range reading {
		if o.fixture.stores[lead.system] == o.fixture.stores[r.system] && lead.dataset == d.parent && strconv.Itoa(lead.id) == reading[r].ref {
			return o.lost(reading, lead)
		}
	}
	return true
}

// of are the ids of the person's records of a dataset in a reading, as far as they can
// be found.
func (o *oracle) of(reading map[record]row, system, dataset string) []int {
	var ids []int
	for r := range reading {
		if r.system == system && r.dataset == dataset && r.of(o.person) && !o.lost(o.before, r) {
			ids = append(ids, r.id)
		}
	}
	slices.Sort(ids)
	return ids
}

func (o *oracle) datasetIsTrue(system string, d saidDataset, shown []string) {
	before, after := o.of(o.before, system, d.Dataset), o.of(o.after, system, d.Dataset)
	where := d.Dataset + " of " + system
	if d.Empty && len(before) > 0 {
		o.lie("%s is said to be empty, and %v are there", where, before)
	}
	switch o.right {
	case dsar.Access, dsar.Portability:
		o.copyIsTrue(where, d, before, shown)
	case dsar.KnowCategories:
		if d.Found != int64(len(before)) {
			o.lie("%s: %d records are said to be held, %v are", where, d.Found, before)
		}
	case dsar.Restriction:
		if d.Restricted != int64(len(before)) {
			o.lie("%s: %d records are said to be restricted, %v are there", where, d.Restricted, before)
		}
	case dsar.Rectification:
		if d.Rectified > int64(len(before)) {
			o.lie("%s: %d records are said to be corrected, %v are there", where, d.Rectified, before)
		}
	case dsar.Erasure:
		o.erasureIsTrue(where, system, d, before, after)
	}
}

// correctionIsTrue: of what was corrected every value is told that stood there before, and
// no other; and what stands there now.
func (o *oracle) correctionIsTrue(system string, d saidDataset, told []statement.Said) {
	var was []string
	for r, row := range o.before {
		if r.system == system && r.dataset == d.Dataset && r.of(o.person) && !o.lost(o.before, r) && row.city != corrected && !slices.Contains(was, row.city) {
			was = append(was, row.city)
		}
	}
	slices.Sort(was)
	for _, s := range told {
		if len(s.Corrections) != 1 || s.Corrections[0].Column.Column != "city" || s.Corrections[0].Is != corrected {
			o.lie("%s of %s: what was corrected is told as %+v", d.Dataset, system, s.Corrections)
			continue
		}
		said := slices.Sorted(slices.Values(s.Corrections[0].Was))
		if t := o.state.Task(system, dsar.Rectify); slices.ContainsFunc(said, func(v string) bool { return !slices.Contains(was, v) }) ||
			t != nil && t.Attempt == 1 && len(said) < len(was) { // an attempt of which nothing was heard may have corrected them
			o.lie("%s of %s: %q are said to have stood there, %q did", d.Dataset, system, said, was)
		}
	}
}

// copyIsTrue: what is shown is there, and what is there is shown, apart from what an
// earlier erasure had to keep and whose way it erased: that is told by number.
func (o *oracle) copyIsTrue(where string, d saidDataset, before []int, shown []string) {
	var there []string
	for _, id := range before {
		there = append(there, strconv.Itoa(id))
	}
	if !slices.Equal(shown, there) || d.Records != int64(len(there)) {
		o.lie("%s: %d records are said, %v are shown, %v are there", where, d.Records, shown, there)
	}
	lost, kept := int64(0), int64(0)
	for r := range o.before {
		if r.of(o.person) && where == r.dataset+" of "+r.system && o.lost(o.before, r) {
			lost++
		}
	}
	for _, k := range d.KeptEarlier {
		kept += k.Records
	}
	if lost > kept+d.MayBe || kept > lost+int64(len(there)) {
		o.lie("%s: %d records are said to be kept; %d are there and can't be found, and %v are", where, kept, lost, there)
	}
}

func (o *oracle) erasureIsTrue(where, system string, d saidDataset, before, after []int) {
	count := func(records map[record]bool) (n int64) {
		for r := range records {
			if r.system == system && r.dataset == d.Dataset {
				n++
			}
		}
		return n
	}
	vanished, late, moved := count(o.vanished), count(o.late), count(o.moved)
	gone := int64(len(before)-len(after)) + moved // as the person's
	// What came late and was erased by a try of which nothing was heard, nobody knows.
	unknown := int64(len(before)) + moved - d.Found
	if unknown < 0 || unknown > late || d.Erased+d.Anonymised+d.Gone != gone-unknown || d.kept() != int64(len(after)) {
		o.lie("%s: found %d, erased %d, anonymised %d, gone %d, retained %d are said; %v were there and %v are", where, d.Found, d.Erased, d.Anonymised, d.Gone, d.kept(), before, after)
	}
	if d.Erased+d.Anonymised > gone-vanished-moved {
		o.lie("%s: %d are said to be erased of %d, %d of which somebody else deleted or made another's", where, d.Erased+d.Anonymised, gone, vanished+moved)
	}
	byLaw, byHold := int64(0), map[string]int64{}
	for r := range o.after {
		switch {
		case r.system != system || r.dataset != d.Dataset || !r.of(o.person):
		case r.kept(o.at):
			byLaw++
		case o.isHeld(r):
			byHold[o.holdsGround(r)]++
		default:
			o.lie("%s: record %d needn't stay, and is there", where, r.id)
		}
	}
	for _, k := range d.Retained {
		hold := k.Ground == dsar.LegalHold || k.Ground == dsar.ConcernsOthers
		if hold && k.Records != byHold[k.Ground] || !hold && k.Records > byLaw {
			o.lie("%s: %d records are said to stay for %s; %d must by law, and %v only since they are held", where, k.Records, k.Ground, byLaw, byHold)
		}
	}
}
