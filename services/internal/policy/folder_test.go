package policy_test

import (
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"habeas.dev/pkg/dsar"
	"habeas.dev/services/internal/core"
	"habeas.dev/services/internal/policy"
	"habeas.dev/services/internal/words"
)

// TestLawsOfAFolder: Texas and Quebec come in as files, beside the built-in laws, with
// their own clocks; a file with the id of a built-in law stands instead of it.
func TestLawsOfAFolder(t *testing.T) {
	t.Parallel()
	book, err := policy.Load("testdata/laws")
	if err != nil {
		t.Fatal(err)
	}
	if got := len(book.IDs()); got != len(load(t).IDs())+2 {
		t.Errorf("%d laws", got)
	}
	texas, _ := book.Jurisdiction("Texas")
	if appeal := texas.Appeal(time.Now()); appeal == nil || appeal.Count != 60 || len(texas.Unread) == 0 {
		t.Errorf("%+v", texas)
	}
	quebec, _ := book.Jurisdiction("Quebec")
	if _, ok := quebec.Extended(dsar.Access, time.Now()); ok {
		t.Error("Quebec knows no extension")
	}
	if _, ok := quebec.Grant(dsar.Portability, instant(t, "2024-09-21T12:00:00Z")); ok {
		t.Error("Quebec granted portability too early")
	}

	own := t.TempDir()
	text := edited(t, "california.yaml", "title: {en: California, fr: Californie}", "title: {en: Our reading of California, fr: Notre lecture de la Californie}")
	if err := os.WriteFile(filepath.Join(own, "california.yaml"), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	if book, err = policy.Load(own); err != nil {
		t.Fatal(err)
	}
	if j, _ := book.Jurisdiction("California"); !strings.HasPrefix(j.Title.In("en"), "Our reading") || !slices.Equal(book.IDs(), load(t).IDs()) {
		t.Errorf("%v: %+v", book.IDs(), j.Title)
	}
}

// TestExamplesAreWorkedOut: a file whose periods don't lead to its examples isn't taken,
// nor is one without any, by Check and Load alike.
func TestExamplesAreWorkedOut(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ from, to, want string }{
		"another period": {"answer:\n  count: 45", "answer:\n  count: 44", "examples[0]: access received 2026-01-01T20:00:00Z is due 2026-02-13 by the periods of the file, and 2026-02-14 by the example"},
		"another own":    {"answer: {count: 15, unit: business-day, source: \"11 CCR 7026(f)", "answer: {count: 16, unit: business-day, source: \"11 CCR 7026(f)", "opt-out received"},
		"an ungranted":   {"{right: opt-out, received", "{right: objection, received", "the law doesn't grant objection"},
		"no day":         {"due: 2026-02-14", "due: 2026-02-30", "due"},
		"no examples":    {"\nexamples:\n", "\nother:\n", "examples"},
	} {
		dir := t.TempDir()
		file := filepath.Join(dir, "california.yaml")
		if err := os.WriteFile(file, []byte(edited(t, "california.yaml", c.from, c.to)), 0o600); err != nil {
			t.Fatal(err)
		}
		_, checked := policy.Check(file)
		_, loaded := policy.Load(dir)
		for _, err := range []error{checked, loaded} {
			if err == nil || !strings.Contains(err.Error(), "california.yaml") || !strings.Contains(err.Error(), c.want) {
				t.Errorf("%s: %v, want %q", name, err, c.want)
			}
		}
	}
	if j, err := policy.Check("testdata/laws/texas.yaml"); err != nil || j.ID != "Texas" {
		t.Errorf("%+v, %v", j.ID, err)
	}
	if _, err := policy.Load(t.TempDir()); err == nil || !strings.Contains(err.Error(), "no law in") {
		t.Errorf("an empty folder: %v", err)
	}
}

// TestWorkingDaysNeedACalendar: whichever period goes by working days, of the law or of one
// right, a file without a calendar isn't taken.
func TestWorkingDaysNeedACalendar(t *testing.T) {
	t.Parallel()
	file := "testdata/laws/texas.yaml"
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	const own = "source: \"Bus. & Com. Code 541.051(b)(1)\""
	for name, c := range map[string]struct{ from, to string }{
		"an appeal":             {"{count: 60, unit: day", "{count: 60, unit: business-day"},
		"an extension":          {"extension:\n  count: 45\n  unit: day", "extension:\n  count: 45\n  unit: business-day"},
		"a right's receipt":     {own, "confirmation: {count: 5, unit: business-day, source: a law}, " + own},
		"a right's extension":   {own, "extension: {count: 5, unit: business-day, source: a law}, " + own},
		"a last day that isn't": {own, "answer: {count: 45, unit: day, moves_off: weekend-or-holiday, source: a law}, " + own},
	} {
		changed := strings.Replace(string(text), c.from, c.to, 1)
		if changed == string(text) {
			t.Fatalf("%s: nothing was replaced", name)
		}
		own := filepath.Join(t.TempDir(), "texas.yaml")
		if err := os.WriteFile(own, []byte(changed), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := policy.Check(own); err == nil || !strings.Contains(err.Error(), "holidays") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestRightOfAFile: a law's file adds a right that a person decides, with its words and its
// clock, and no code knows it; what it lacks, and words that differ between laws, are told.
func TestRightOfAFile(t *testing.T) {
	t.Parallel()
	const decided = "\n    decided: {name: {en: hearing, fr: audition}, asks: {en: a hearing, fr: une audition}, choice: {en: Be heard, fr: Être entendu}, says: {en: A person hears you., fr: Une personne vous entend.}}"
	added := func(name, text string) error {
		dir := t.TempDir()
		law := edited(t, name+".yaml", "\nanswer:\n", "\n  - right: hearing"+text+"\n    answer: {count: 5, unit: day, source: a test}\n    extension: {count: 5, unit: day, times: 2, source: a test}\n    source: a test\nanswer:\n")
		if err := os.WriteFile(filepath.Join(dir, name+".yaml"), []byte(law), 0o600); err != nil {
			t.Fatal(err)
		}
		book, err := policy.Load(dir)
		if err != nil {
			return err
		}
		j, _ := book.Jurisdiction("Canada")
		received := instant(t, "2026-11-02T12:00:00Z")
		hearing := dsar.Right("hearing")
		if !slices.Contains(book.Rights(), hearing) || !slices.Contains(j.Over(received), hearing) || slices.Contains(j.Over(received), dsar.Complaint) || !hearing.Decided() {
			t.Errorf("%v", book.Rights())
		}
		for n, want := range []string{"2026-11-07", "2026-11-12", "2026-11-17"} {
			if due, ok := book.Due(core.Clock{Jurisdiction: "Canada", Right: hearing, ReceivedAt: received, Extensions: n}); !ok || j.Local(due).Format(time.DateOnly) != want {
				t.Errorf("extended %d times it is due %s, %v", n, due, ok)
			}
		}
		if _, ok := book.Due(core.Clock{Jurisdiction: "Canada", Right: hearing, ReceivedAt: received, Extensions: 3}); ok {
			t.Error("it is extended three times")
		}
		fr := (*words.Languages)(nil).Naming(book.Named()).For("fr")
		if fr.Word("hearing") != "audition" || fr.Letters.Rights[hearing] != "une audition" || fr.Portal["right.hearing"] != "Être entendu" || words.For("fr").Word("hearing") != "hearing" {
			t.Errorf("%q, %q", fr.Word("hearing"), fr.Letters.Rights[hearing])
		}
		return nil
	}
	if err := added("canada", decided); err != nil {
		t.Error(err)
	}
	if err := added("canada", ""); err == nil || !strings.Contains(err.Error(), "rights: hearing is none that systems carry out") {
		t.Errorf("without words: %v", err)
	}
	dir := t.TempDir()
	text := edited(t, "brazil.yaml", "en: review of an automated decision", "en: another review")
	if err := os.WriteFile(filepath.Join(dir, "brazil.yaml"), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := policy.Load(dir); err == nil || !strings.Contains(err.Error(), "right automated-review has other words than in brazil.yaml") {
		t.Errorf("other words: %v", err)
	}
}

// TestNamesOfLaws: a law is called as its country writes it, or by a code.
func TestNamesOfLaws(t *testing.T) {
	t.Parallel()
	for id, good := range map[string]bool{"Québec": true, "US-TX": true, "Côte d'Ivoire": true, "日本": true, "-TX": false, "../EEA": false, "a/b": false, "": false} {
		dir := t.TempDir()
		if err := os.WriteFile(filepath.Join(dir, "law.yaml"), []byte(edited(t, "california.yaml", "id: California", "id: "+strconv.Quote(id))), 0o600); err != nil {
			t.Fatal(err)
		}
		book, err := policy.Load(dir)
		if (err == nil) != good {
			t.Errorf("%q: %v", id, err)
		}
		if err != nil {
			continue
		}
		if _, known := book.Jurisdiction(id); good && !known {
			t.Errorf("%q isn't known by its name", id)
		}
	}
}
