package policy_test

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"habeas.dev/pkg/dsar"
	"habeas.dev/services/internal/policy"
)

// TestClocksByRight holds every right of every law to the reading of the laws of 29
// November 2026: its period, by how much that can be extended, when receipt must be
// confirmed, and whether proof may be wanted. A right that isn't here fails.
func TestClocksByRight(t *testing.T) {
	t.Parallel()
	const ca45, gdpr, us45 = "45 day, +45 day, confirmed in 10 business-day", "1 month, +2 month", "45 day, +45 day"
	every := func(terms string, rights ...dsar.Right) map[dsar.Right]string {
		m := map[dsar.Right]string{}
		for _, r := range rights {
			m[r] = terms
		}
		return m
	}
	europe := every(gdpr, dsar.Access, dsar.Portability, dsar.Erasure, dsar.Rectification, dsar.Restriction, dsar.Objection, dsar.ConsentWithdrawal)
	california := every(ca45, dsar.Access, dsar.Portability, dsar.KnowCategories, dsar.Erasure, dsar.Rectification)
	california[dsar.OptOut] = "15 business-day, no proof"
	california[dsar.Restriction] = "15 business-day, no proof"
	colorado := every(us45, dsar.Access, dsar.Rectification, dsar.Erasure, dsar.Portability)
	colorado[dsar.OptOut] = "15 day"
	book := load(t)
	for id, want := range map[string]map[dsar.Right]string{
		"EEA": europe, "UK": europe, "California": california,
		"Canada":      every("30 day, +30 day", dsar.Access, dsar.Rectification, dsar.Erasure, dsar.Restriction, dsar.ConsentWithdrawal),
		"Japan":       every("14 day", dsar.Access, dsar.Rectification, dsar.Erasure, dsar.Restriction),
		"South Korea": every("10 day", dsar.Access, dsar.Rectification, dsar.Erasure, dsar.Restriction, dsar.ConsentWithdrawal, dsar.Portability),
		"Switzerland": every("30 day, +30 day", dsar.Access, dsar.Portability, dsar.Rectification, dsar.Erasure, dsar.Restriction, dsar.Objection),
		"Brazil":      every("15 day", dsar.Access, dsar.Rectification, dsar.Erasure, dsar.Portability, dsar.ConsentWithdrawal, dsar.Objection),
		"Virginia":    every(us45, dsar.Access, dsar.Rectification, dsar.Erasure, dsar.Portability, dsar.OptOut),
		"Colorado":    colorado,
		"elsewhere":   every("30 day, +30 day", dsar.Access, dsar.Rectification, dsar.Erasure),
	} {
		j, _ := book.Jurisdiction(id)
		if id == "South Korea" {
			want[dsar.Access] = "10 day, +10 day" // postponed for a just cause
		}
		if _, own := want[dsar.OptOut]; !own { // N15: open to everybody, wherever they live
			want = maps.Clone(want)
			want[dsar.OptOut] = want[dsar.Rectification] + ", no proof"
		}
		for _, right := range dsar.Rights() {
			got := ""
			if g, ok := j.Grant(right, time.Now()); ok {
				got = clockOf(j.Periods(right), g)
			}
			if got != want[right] {
				t.Errorf("%s, %s: %q, want %q", id, right, got, want[right])
			}
		}
	}
}

func clockOf(p policy.Periods, g policy.Grant) string {
	s := fmt.Sprintf("%d %s", p.Answer.Count, p.Answer.Unit)
	if p.Extension != nil {
		s += fmt.Sprintf(", +%d %s", p.Extension.Count, p.Extension.Unit)
	}
	if p.Confirmation != nil {
		s += fmt.Sprintf(", confirmed in %d %s", p.Confirmation.Count, p.Confirmation.Unit)
	}
	if g.NoProof {
		s += ", no proof"
	}
	return s
}

// TestLaw2026 holds the laws' files to the reading of the laws of 29 November 2026, value by
// value with its mark: whether the source's text was read, read of, or remembered, and
// whether the number is the operator's own. A value of the table that a file lacks, or has
// otherwise, fails.
func TestLaw2026(t *testing.T) {
	t.Parallel()
	const read, survey, memory = policy.ReadText, policy.ReadOf, policy.ReadMemory
	type want struct {
		law    string
		right  dsar.Right
		what   string
		count  int // 0: the law has none
		unit   policy.Unit
		mark   policy.Read
		choice bool
	}
	var table []want
	add := func(law string, rights []dsar.Right, what string, count int, unit policy.Unit, mark policy.Read, choice bool) {
		for _, r := range rights {
			table = append(table, want{law, r, what, count, unit, mark, choice})
		}
	}
	verified := []dsar.Right{dsar.Access, dsar.Portability, dsar.KnowCategories, dsar.Erasure, dsar.Rectification}
	stops := []dsar.Right{dsar.OptOut, dsar.Restriction}
	add("California", verified, "answer", 45, policy.Day, read, false)
	add("California", verified, "extension", 45, policy.Day, read, false)
	add("California", verified, "confirmation", 10, policy.BusinessDay, read, false)
	add("California", stops, "answer", 15, policy.BusinessDay, survey, false)
	add("California", stops, "extension", 0, "", read, false)
	add("California", stops, "confirmation", 0, "", read, false)
	europe := []dsar.Right{dsar.Access, dsar.Portability, dsar.Erasure, dsar.Rectification, dsar.Restriction, dsar.Objection, dsar.ConsentWithdrawal}
	for _, law := range []string{"EEA", "UK"} {
		add(law, europe, "answer", 1, policy.Month, read, false)
		add(law, europe, "extension", 2, policy.Month, read, false)
	}
	complaint := []dsar.Right{dsar.Complaint}
	add("UK", complaint, "confirmation", 30, policy.Day, read, false)
	add("UK", complaint, "answer", 30, policy.Day, read, true)
	canada := []dsar.Right{dsar.Access, dsar.Rectification}
	add("Canada", canada, "answer", 30, policy.Day, read, false)
	add("Canada", canada, "extension", 30, policy.Day, read, false)
	add("Japan", []dsar.Right{dsar.Access, dsar.Rectification, dsar.Erasure, dsar.Restriction}, "answer", 14, policy.Day, memory, true)
	korea := []dsar.Right{dsar.Access, dsar.Rectification, dsar.Erasure, dsar.Restriction}
	add("South Korea", korea, "answer", 10, policy.Day, read, false)
	add("South Korea", korea[:1], "extension", 10, policy.Day, read, true)
	add("South Korea", korea[1:], "extension", 0, "", read, false)
	add("Switzerland", []dsar.Right{dsar.Access, dsar.Portability}, "answer", 30, policy.Day, read, false)
	add("Switzerland", []dsar.Right{dsar.Rectification, dsar.Erasure, dsar.Restriction, dsar.Objection}, "answer", 30, policy.Day, read, true)
	add("Brazil", []dsar.Right{dsar.Access}, "answer", 15, policy.Day, memory, false)
	add("Brazil", []dsar.Right{dsar.Rectification, dsar.Erasure, dsar.Portability, dsar.ConsentWithdrawal, dsar.Objection}, "answer", 15, policy.Day, read, true)
	states := []dsar.Right{dsar.Access, dsar.Rectification, dsar.Erasure, dsar.Portability, dsar.OptOut}
	// Colorado's opt-out stops "as soon as feasibly possible" (Rule 4.03(A)(1)).
	add("Colorado", []dsar.Right{dsar.OptOut}, "answer", 15, policy.Day, read, true)
	add("Colorado", []dsar.Right{dsar.OptOut}, "extension", 0, "", read, false)
	for law, states := range map[string][]dsar.Right{"Virginia": states, "Colorado": states[:4]} {
		add(law, states, "answer", 45, policy.Day, survey, false)
		add(law, states, "extension", 45, policy.Day, survey, false)
	}
	appeal := []dsar.Right{dsar.Appeal}
	add("Virginia", appeal, "answer", 60, policy.Day, survey, false)
	add("Virginia", appeal, "extension", 0, "", read, false)
	add("Colorado", appeal, "answer", 45, policy.Day, memory, false)
	add("Colorado", appeal, "extension", 60, policy.Day, memory, false)
	machine := []dsar.Right{"automated-refusal", "automated-explanation"}
	add("South Korea", machine, "answer", 30, policy.Day, read, false)
	add("South Korea", machine, "extension", 30, policy.Day, read, false)
	add("UK", []dsar.Right{"automated-review"}, "answer", 1, policy.Month, read, false)
	add("Brazil", []dsar.Right{"automated-review"}, "answer", 15, policy.Day, memory, true)
	book := load(t)
	for _, w := range table {
		j, _ := book.Jurisdiction(w.law)
		if _, ok := j.Grant(w.right, time.Date(2026, 11, 29, 12, 0, 0, 0, time.UTC)); !ok {
			t.Errorf("%s doesn't grant %s", w.law, w.right)
			continue
		}
		p := j.Periods(w.right)
		got := map[string]*policy.Period{"answer": &p.Answer, "extension": p.Extension, "confirmation": p.Confirmation}[w.what]
		if w.count == 0 || got == nil {
			if (w.count == 0) != (got == nil) {
				t.Errorf("%s, %s, %s: %+v, want %d", w.law, w.right, w.what, got, w.count)
			}
			continue
		}
		if got.Count != w.count || got.Unit != w.unit || got.Read != w.mark || got.Choice != w.choice {
			t.Errorf("%s, %s, %s: %d %s, read %q, a choice: %v; want %d %s, %q, %v", w.law, w.right, w.what, got.Count, got.Unit, got.Read, got.Choice, w.count, w.unit, w.mark, w.choice)
		}
	}
	// Proof: what it does to the clock, and who is answered what without.
	for law, want := range map[string]string{
		"EEA": "pauses", "UK": "pauses starts", "California": "know-categories", "Canada": "", "Japan": "", "South Korea": "", "Switzerland": "", "Brazil": "", "Virginia": "", "Colorado": "",
	} {
		j, _ := book.Jurisdiction(law)
		var is []string
		for word, has := range map[string]bool{"pauses": j.IdentityCheck.Pauses, "starts": j.IdentityCheck.Starts, string(j.IdentityCheck.Instead): j.IdentityCheck.Instead != ""} {
			if has {
				is = append(is, word)
			}
		}
		slices.Sort(is)
		if got := strings.Join(is, " "); got != want {
			t.Errorf("%s, proof: %q, want %q", law, got, want)
		}
	}
	// Effective dates: a complaint in the United Kingdom, which is acknowledged on the 30th
	// day, that of receipt included.
	uk, _ := book.Jurisdiction("UK")
	if _, before := uk.Grant(dsar.Complaint, instant(t, "2026-06-18T12:00:00Z")); before {
		t.Error("a complaint is granted before 19 June 2026")
	}
	if by := uk.Terms(dsar.Complaint, instant(t, "2026-07-01T12:00:00Z"), nil).ConfirmBy; uk.Local(by).Format(time.DateOnly) != "2026-07-30" {
		t.Errorf("acknowledged by %s", by)
	}
	// California's automated decisions are granted from 1 January 2027: a stop within 15
	// business days, without proof, and an explanation as the right to know.
	ca, _ := book.Jurisdiction("California")
	for right, want := range map[dsar.Right]string{"automated-opt-out": "15 business-day, no proof", "automated-explanation": "45 day, +45 day, confirmed in 10 business-day"} {
		if _, before := ca.Grant(right, instant(t, "2026-12-31T20:00:00Z")); before {
			t.Errorf("%s is granted before 2027", right)
		}
		if g, ok := ca.Grant(right, instant(t, "2027-01-01T20:00:00Z")); !ok || g.Read != survey || clockOf(ca.Periods(right), g) != want {
			t.Errorf("%s: %v, %q, want %q", right, ok, clockOf(ca.Periods(right), g), want)
		}
	}
	// Korea's are extended twice (Decree 44-2 to 44-4), and need proof (46(1)).
	kr, _ := book.Jurisdiction("South Korea")
	for _, right := range machine {
		if g, _ := kr.Grant(right, time.Now()); kr.Periods(right).Extensions() != 2 || g.NoProof {
			t.Errorf("%s: extended %d times, no proof: %v", right, kr.Periods(right).Extensions(), g.NoProof)
		}
	}
}

// TestOptOutInCalifornia: 15 business days with the state's holidays, no extension and
// no confirmation of receipt (11 CCR 7026(f)).
func TestOptOutInCalifornia(t *testing.T) {
	t.Parallel()
	j, _ := load(t).Jurisdiction("California")
	for received, last := range map[string]string{
		"2026-11-02T18:00:00Z": "2026-11-24", // Veterans Day isn't counted
		"2026-11-20T18:00:00Z": "2026-12-15", // Thanksgiving and the day after aren't
		"2026-12-21T18:00:00Z": "2027-01-13", // Christmas Day and New Year's Day aren't
	} {
		at := instant(t, received)
		if got := j.Local(j.Due(dsar.OptOut, at)).Format(time.DateOnly); got != last {
			t.Errorf("received %s: due %s, want %s", received, got, last)
		}
		if _, ok := j.Extended(dsar.OptOut, at); ok {
			t.Error("it can be extended")
		}
		terms := j.Terms(dsar.OptOut, at, nil)
		if !terms.ConfirmBy.IsZero() || !terms.NoProof {
			t.Errorf("%+v", terms)
		}
		if !slices.Contains(terms.Refusals, "fraudulent") || slices.Contains(terms.Refusals, "twice-a-year") || slices.Contains(terms.Refusals, "not-correct") {
			t.Errorf("refused on %v", terms.Refusals)
		}
	}
	if terms := j.Terms(dsar.Access, time.Now(), nil); slices.Contains(terms.Refusals, "fraudulent") || !slices.Contains(terms.Refusals, "twice-a-year") {
		t.Errorf("a copy is refused on %v", terms.Refusals)
	}
}

// TestProofStartsTheClock: in the United Kingdom the month begins with the proof, and a
// question stops the clock of a request for a copy only (UK GDPR art. 12A).
func TestProofStartsTheClock(t *testing.T) {
	t.Parallel()
	book := load(t)
	j, _ := book.Jurisdiction("UK")
	for right, stops := range map[dsar.Right]bool{dsar.Access: true, dsar.Erasure: false, dsar.Portability: false} {
		terms := j.Terms(right, time.Now(), nil)
		if !terms.StartsWithProof || !terms.PausesForProof || terms.PausesForClarification != stops {
			t.Errorf("%s: %+v", right, terms)
		}
	}
	for _, id := range book.IDs() {
		j, _ := book.Jurisdiction(id)
		if j.Terms(dsar.Access, time.Now(), nil).StartsWithProof != (id == "UK") {
			t.Errorf("%s starts with proof", id)
		}
	}
}

// TestRightFrom: a right that a law grants from a day on isn't granted to a request that
// was received before it, by the law's own days.
func TestRightFrom(t *testing.T) {
	t.Parallel()
	text := edited(t, "california.yaml", "  - right: opt-out\n", "  - right: opt-out\n    from: 2026-11-01\n")
	book, err := policy.LoadFS(lawOf("california.yaml", text, "california"))
	if err != nil {
		t.Fatal(err)
	}
	j, _ := book.Jurisdiction("California")
	for received, want := range map[string]bool{"2026-11-01T06:59:00Z": false, "2026-11-01T07:01:00Z": true} {
		if _, got := j.Grant(dsar.OptOut, instant(t, received)); got != want {
			t.Errorf("received %s: %v", received, got)
		}
	}
}

// TestUnread: what a file says of how its sources were had is found again, and none of
// the marks of the built-in files is lost: the reading of California's regulations of
// 2026 is by others' summaries.
func TestUnread(t *testing.T) {
	t.Parallel()
	found := map[string]string{}
	book := load(t)
	for _, id := range book.IDs() {
		j, _ := book.Jurisdiction(id)
		text, err := os.ReadFile(filepath.Join("jurisdictions", j.File))
		if err != nil {
			t.Fatal(err)
		}
		marks := func(read policy.Read) int { return strings.Count(string(text), "read: "+string(read)) }
		want := marks(policy.ReadOf) + marks(policy.ReadMemory)
		if j.Read == policy.ReadMemory {
			want = strings.Count(string(text), "source: ") - marks(policy.ReadText)
		}
		if j.Read != policy.ReadText && j.Read != policy.ReadMemory {
			t.Errorf("%s doesn't say at its head how its sources were had", id)
		}
		got := 0
		for _, m := range j.Unread {
			if m.File == j.File {
				got++
			}
			if m.Line == 0 || m.Source == "" || m.Read == policy.ReadUnsaid {
				t.Errorf("%s: %+v", id, m)
			}
			found[id+" "+m.Where] = string(m.Read)
		}
		if got != want {
			t.Errorf("%s: %d marks, want %d", id, got, want)
		}
	}
	for where, want := range map[string]string{
		"California rights[5].answer": "survey", "California rights[6].answer": "survey", "Canada rights[4]": "memory",
		"EEA rights[6]": "memory", "EEA complaint[0]": "memory", "EEA letters[0]": "memory", "EEA accountability": "memory", "EEA identity_check": "memory", "EEA clarification": "memory", "EEA start": "memory", "EEA holidays[0]": "memory",
		"Japan rights[0]": "memory", "Japan rights[1]": "memory", "Japan rights[2]": "memory", "Japan rights[3]": "memory", "Japan start": "memory", "Japan identity_check": "memory", "Japan refusals[0]": "memory", "Japan refusals[1]": "memory",
		"Japan refusals[2]": "memory", "Japan letters[0]": "memory", "Japan answer_says[5]": "memory", "Japan examples[0]": "memory", "Japan rights[4]": "", "Brazil rights[0]": "memory", "Brazil rights[1]": "memory", "Brazil rights[2]": "memory",
		"California rights[5]": "survey", "California start": "", "California complaint[0]": "memory", "Canada rights[4].answer": "memory", "Colorado refusals[0]": "memory",
		"Virginia rights[5].answer": "survey", "Colorado rights[5].answer": "memory", "Colorado rights[5].extension": "memory", "Brazil answer": "memory",
	} {
		if found[where] != want {
			t.Errorf("%s is %q, want %q", where, found[where], want)
		}
	}
}

// TestNobodySaysHowItWasRead: a file without marks, as they could be until 2026, is taken, and
// none of its values counts as read; a mark at the head holds for what has none, and nothing
// else.
func TestNobodySaysHowItWasRead(t *testing.T) {
	t.Parallel()
	count := func(text string) map[policy.Read]int {
		book, err := policy.LoadFS(lawOf("canada.yaml", text, "california"))
		if err != nil {
			t.Fatal(err)
		}
		j, _ := book.Jurisdiction("Canada")
		marks := map[policy.Read]int{}
		for _, u := range j.Unread {
			marks[u.Read]++
		}
		return marks
	}
	const head = "\nread: text\n"
	read, err := os.ReadFile(filepath.Join("jurisdictions", "canada.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	file := string(read)
	marked := strings.Count(file, "read: memory")
	values := strings.Count(file, "source:")
	for text, want := range map[string]map[policy.Read]int{
		file:                                 {policy.ReadMemory: marked},
		strings.Replace(file, head, "\n", 1): {policy.ReadMemory: marked, policy.ReadUnsaid: values - marked},
		strings.Replace(file, head, "\nread: survey\n", 1): {policy.ReadMemory: marked, policy.ReadOf: values - marked},
	} {
		if got := count(text); !maps.Equal(got, want) {
			t.Errorf("marks %v, want %v", got, want)
		}
	}
}
