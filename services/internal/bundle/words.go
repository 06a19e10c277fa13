package bundle

import (
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"habeas.dev/pkg/dsar"
	"habeas.dev/pkg/manifest"
)

// words is everything that the page says in one language, the manifests' and
// the policy's own texts aside. A field that holds a %s or %d is a format.
type words struct {
	Lang string

	// By right.
	title map[dsar.Right]string
	lead  map[dsar.Right]string
	// Instead of the right's, where it was undone.
	liftedTitle, liftedLead, lifted string
	liftedOutcome                   outcomeWords
	// What was corrected, and what was left as it was.
	fieldsChanged, leftUnchanged string
	legalHold, purposes          string
	// nothing replaces the lead where no system holds anything.
	nothing, nothingChanged string

	// Around the page.
	Skip, Contents, requestNumber, received, answeredBy, law, contact string
	foundIn                                                           string // "%s in %s": records, systems

	// At a glance.
	Overview, System, Result, records, kept string

	// A system and its datasets.
	Systems, Category, origin, Purpose, legalBasis, Recipients, storage, noRecipients string
	emptyDatasets                                                                     string // "%s": names
	preview                                                                           string // "%s of %s": numbers
	Files, AsTable, AsJSON, field, value, yes, no, hidden, othersHidden, noValue      string

	// Erasure and the rights that change something.
	Dataset, found, erased, anonymised, rectified, restricted string
	KeptTitle, KeptLead, keptUntil, keptNoEnd                 string
	KeptNote, Limits                                          string
	proven, provenKept, provenTitle, notProven                string // "%s": a time

	// What was left out.
	LeftOut, LeftOutLead, leftDerived, leftReceived, leftBasis, leftHidden, leftOthers, leftUncovered, NothingLeftOut string

	// The table of categories.
	Categories, CategoriesLead, Sources string

	// How the person was found.
	Looked, LookedLead, Identifier, HowKnown, fromRequest, fromRequestVerified, fromSystem, fromSystemBy string

	// Rights.
	Rights, RightsLead, Complaint, ComplaintLead, ComplaintGeneral, Automated, Transfers, Statements string

	// The folder.
	Folder, FolderLead, folderCSV, folderJSON, folderPackage, folderAnswer, FolderCheck, Colon string

	// rightMeans completes "You can also ask us:".
	rightMeans                    map[dsar.Right]string
	rightNames                    map[dsar.Right]string
	outcomes                      map[dsar.Outcome]outcomeWords
	origins                       map[manifest.Origin]string
	bases                         map[string]string
	categoryName                  map[string]string
	hiddenKinds                   map[string]string
	identifiers                   map[dsar.IdentifierType]string
	allKept, onlyLeftOut, notDone outcomeWords // instead of Retained's, Gathered's and Failed's
	nothingToDo                   outcomeWords // instead of NothingFound's, where something was to be changed
	goesWith                      string       // behind the title of a dataset that is erased with another
	knownNowhere                  outcomeWords // instead of NotApplicable's, where others were asked for the identifiers
	months                        [12]string
	or, and                       string
	thousands                     string
	plurals                       map[string][2]string
}

// outcomeWords are the badge and the sentence for how a system ended.
type outcomeWords struct{ badge, sentence string }

// wordsFor returns the words in the language of a locale.
func wordsFor(locale string) *words {
	tag, _, _ := strings.Cut(strings.ReplaceAll(locale, "_", "-"), "-")
	if strings.EqualFold(tag, "fr") {
		return &french
	}
	return &english
}

// Language returns the language of the answer to a subject of this locale (BCP 47):
// "fr" or "en".
func Language(locale string) string { return wordsFor(locale).Lang }

// number writes n with the language's thousands separator.
func (w *words) number(n int64) string {
	s := strconv.FormatInt(n, 10)
	if n < 1000 {
		return s
	}
	var b strings.Builder
	for i, r := range s {
		if i > 0 && (len(s)-i)%3 == 0 {
			b.WriteString(w.thousands)
		}
		b.WriteRune(r)
	}
	return b.String()
}

// count writes "1 record", "20 records": noun is a key of plurals.
func (w *words) count(n int64, noun string) string {
	forms := w.plurals[noun]
	form := forms[1]
	if n == 1 || n == 0 && w.Lang == "fr" {
		form = forms[0]
	}
	return w.number(n) + "\u00a0" + form
}

// date writes a day: "20 November 2026". The day is that of UTC.
func (w *words) date(t time.Time) string {
	t = t.UTC()
	day := strconv.Itoa(t.Day())
	if w.Lang == "fr" && t.Day() == 1 {
		day = "1er"
	}
	return day + "\u00a0" + w.months[t.Month()-1] + " " + strconv.Itoa(t.Year())
}

// moment writes a day and a time: "20 November 2026, 09:30 UTC".
func (w *words) moment(t time.Time) string {
	sep := ", "
	if w.Lang == "fr" {
		sep = " à "
	}
	return w.date(t) + sep + t.UTC().Format("15:04") + " UTC"
}

// list joins names: "a, b and c".
func (w *words) list(names []string, conjunction string) string {
	switch len(names) {
	case 0:
		return ""
	case 1:
		return names[0]
	}
	last := len(names) - 1
	return strings.Join(names[:last], ", ") + " " + conjunction + " " + names[last]
}

// named looks a code up; a code that has no words is shown in place of them.
func named[K ~string](names map[K]string, code K) string {
	if s := names[code]; s != "" {
		return s
	}
	return strings.NewReplacer("_", " ", "-", " ").Replace(string(code))
}

func (w *words) identifierName(t dsar.IdentifierType) string { return named(w.identifiers, t) }

// categoryOf names a category of the notice's list.
func (w *words) categoryOf(code string) string {
	return named(w.categoryName, code)
}

// titleCase makes a sentence's first letter large, lowerFirst small.
func titleCase(s string) string { return changeFirst(s, unicode.ToUpper) }

func lowerFirst(s string) string { return changeFirst(s, unicode.ToLower) }

func changeFirst(s string, to func(rune) rune) string {
	r, n := utf8.DecodeRuneInString(s)
	if n == 0 {
		return s
	}
	return string(to(r)) + s[n:]
}
