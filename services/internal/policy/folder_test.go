package policy_test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"habeas.dev/pkg/dsar"
	"habeas.dev/services/internal/policy"
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
		"another period": {"answer:\n  count: 45", "answer:\n  count: 44", "examples[0]: access received 2026-01-01T20:00:00Z is due 2026-02-14 by the periods of the file, and 2026-02-15 by the example"},
		"another own":    {"answer: {count: 15, unit: business-day, source: \"11 CCR 7026(f)", "answer: {count: 16, unit: business-day, source: \"11 CCR 7026(f)", "opt-out received"},
		"an ungranted":   {"{right: opt-out, received", "{right: objection, received", "the law doesn't grant objection"},
		"no day":         {"due: 2026-02-15", "due: 2026-02-30", "due"},
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
