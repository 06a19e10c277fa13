package bundle

import (
	"html/template"
	"strings"

	"habeas.dev/pkg/dsar"
	"habeas.dev/services/internal/statement"
	"habeas.dev/services/internal/words"
)

// place puts one statement where the page shows it; its text is the sentence.
type place func(p *pager, s statement.Said)

// places has the place of every kind (TestEveryKindHasAPlace). The page says nothing of
// the person that isn't put into it here.
var places = map[statement.Kind]place{
	statement.Received:       func(p *pager, s statement.Said) { p.received = p.w.Date(p.doc.Day(s.Kind, s.At)) },
	statement.ToldInGeneral:  (*pager).inGeneral,
	statement.WentWithout:    (*pager).without,
	statement.WithoutFormer:  (*pager).without,
	statement.LookedBy:       (*pager).lookedBy,
	statement.Shown:          (*pager).shown,
	statement.ByYear:         (*pager).byYear,
	statement.Held:           func(p *pager, s statement.Said) { p.total("record", s); p.view(s).number += s.Records },
	statement.LeftOut:        (*pager).leftRecords,
	statement.PartRefused:    (*pager).leftRecords,
	statement.NotShown:       (*pager).leftColumns,
	statement.AboutOthers:    (*pager).leftColumns,
	statement.ColumnsLeftOut: (*pager).leftColumns,
	statement.NotCovered:     (*pager).left,
	statement.NotReached:     (*pager).left,
	statement.KeptEarlier:    (*pager).card,
	statement.KeptNotCopied:  (*pager).leftRecords,
	statement.KeptAmong:      (*pager).leftRecords,
	statement.KeptThen:       (*pager).leftRecords,
	statement.Unfinished:     (*pager).left,
	statement.Empty:          func(p *pager, s statement.Said) { p.view(s).empty = append(p.view(s).empty, p.dataset(s).Title) },
	statement.Found:          func(p *pager, s statement.Said) { p.row(s).found = s.Records },
	statement.Erased:         func(p *pager, s statement.Said) { p.total("erased", s); p.row(s).erased = s.Records },
	statement.Anonymised:     func(p *pager, s statement.Said) { p.total("erased", s); p.row(s).anonymised = s.Records },
	statement.Gone:           func(p *pager, s statement.Said) { p.total("gone", s); p.row(s).gone = s.Records; p.note(s) },
	statement.MaybeErased:    func(p *pager, s statement.Said) { p.total("gone", s); p.row(s).gone = s.Records; p.note(s) },
	statement.Reassigned:     (*pager).note,
	statement.Late:           (*pager).note,
	statement.Mentions:       (*pager).mentions,
	statement.OfFormer:       (*pager).mentions,
	statement.Kept:           func(p *pager, s statement.Said) { p.total("kept", s); p.row(s).kept += s.Records; p.card(s) },
	statement.LetGo:          (*pager).note,
	statement.Unlinked:       (*pager).note,
	statement.GoesWith:       (*pager).goesWith,
	statement.Corrected:      (*pager).corrected,
	statement.FormerUnread:   (*pager).note,
	statement.LeftAsRecorded: func(p *pager, s statement.Said) { p.row(s); p.leftColumns(s) },
	statement.FieldRefused:   (*pager).leftColumns,
	statement.Restricted:     func(p *pager, s statement.Said) { p.total("changed", s); p.row(s).changed = s.Records },
	statement.UsedAgain:      func(p *pager, s statement.Said) { p.total("changed", s); p.row(s).changed = s.Records },

	statement.PartlyReached: answer("warm"), statement.ByHand: unanswered, statement.NotProven: unanswered, statement.UnknownThere: answer("quietly"),
	statement.NotAsked: unanswered, statement.Holds: answer(""), statement.OnlyRefused: answer("warm"), statement.OnlyLeftOut: answer("warm"), statement.NothingCovered: answer("quietly"), statement.HoldsNothing: answer("quietly"),
	statement.OnlyKeptEarlier: answer("warm"), statement.MayStillHold: answer("warm"), statement.PartlyKept: answer("warm"), statement.AllKept: answer("warm"), statement.AllAnonymised: answer(""),
	statement.AllErased: answer(""), statement.AllGone: answer(""), statement.AllReassigned: answer(""), statement.OnlyFormers: answer("quietly"), statement.KeptAndNamed: answer("warm"), statement.NamedLeft: answer("warm"), statement.NamedThere: answer("warm"), statement.Changed: answer(""), statement.Stopped: answer(""), statement.UsesEnded: answer(""), statement.NotUsedFor: answer("quietly"), statement.NoSuchField: answer("quietly"), statement.FieldsRefused: answer("warm"), statement.Retired: answer("quietly"), statement.RetiredOpen: answer(""), statement.GoesOn: answer(""),
	statement.NothingToChange: answer("quietly"), statement.NoAnswer: unanswered, statement.NotDone: unanswered,

	statement.AskedAgain:        func(p *pager, s statement.Said) { p.view(s).Proven = s.Text },
	statement.AskedAgainKept:    func(p *pager, s statement.Said) { p.view(s).Proven = s.Text },
	statement.AskedAgainOwn:     func(p *pager, s statement.Said) { p.view(s).Proven = s.Text },
	statement.AskedAgainOwnKept: func(p *pager, s statement.Said) { p.view(s).Proven = s.Text },
	statement.NotAskedAgain:     func(p *pager, s statement.Said) { p.view(s).Proven = s.Text },
	statement.UsesGoOn:          func(p *pager, s statement.Said) { p.view(s).GoesOn = s.Text },
	statement.Profiled:          func(p *pager, s statement.Said) { v := p.view(s); v.Decisions = append(v.Decisions, s.Text) },
	statement.DecidedByMachine:  func(p *pager, s statement.Said) { v := p.view(s); v.Decisions = append(v.Decisions, s.Text) },
	statement.InBackups:         func(p *pager, s statement.Said) { p.view(s).Backups = s.Text },
	statement.Limits:            func(p *pager, s statement.Said) { p.view(s).Limits = s.Text },

	statement.CustomerSince:      func(p *pager, s statement.Said) { p.page.Since = s.Text },
	statement.ReceivedIn:         func(p *pager, s statement.Said) { p.page.Countries = append(p.page.Countries, s.Text) },
	statement.RecipientsTold:     func(p *pager, s statement.Said) { p.page.Notices = append(p.page.Notices, s.Text) },
	statement.NotTold:            func(p *pager, s statement.Said) { p.page.Notices = append(p.page.Notices, s.Text) },
	statement.NothingHeld:        func(p *pager, s statement.Said) { p.page.Lead = s.Text },
	statement.NothingElseHeld:    func(p *pager, s statement.Said) { p.page.Lead = s.Text },
	statement.NothingCoveredHeld: func(p *pager, s statement.Said) { p.page.Lead = s.Text },
	statement.NothingChanged:     func(p *pager, s statement.Said) { p.page.Lead = s.Text },
	statement.NothingWithout:     func(p *pager, s statement.Said) { p.page.Lead += " " + s.Text },
	statement.NothingLeftOut:     func(p *pager, s statement.Said) { p.page.NothingLeftOut = s.Text },
	statement.KeptUnused:         func(p *pager, s statement.Said) { p.page.Locked = s.Text },

	statement.OwnAnswer: own, statement.OwnRecord: own, statement.OwnErasure: own, statement.OwnTrace: own, statement.OwnCopies: own, statement.OwnNoCopies: own, statement.OwnOpen: own, statement.OwnUnfetched: own,

	// What letters say; the letter with the answer stands at the head of the page.
	statement.Due: inLetter, statement.DuePassed: inLetter, statement.Concerns: inLetter, statement.Decided: inLetter, statement.ProofWanted: inLetter, statement.QuestionAsked: inLetter, statement.TakesLonger: inLetter, statement.Refused: inLetter, statement.RefusedInPart: inLetter, statement.Answered: inLetter,
	statement.AskedOnceMore: inLetter, statement.CameBack: inLetter, statement.ErasedOnceMore: inLetter, statement.StillThere: inLetter, statement.NothingCameBack: inLetter, statement.NotAllOnceMore: inLetter, statement.LeftUnclaimed: inLetter,
	statement.EverythingGone: inLetter, statement.OnlyKeptLeft: inLetter, statement.OnlyTextsLeft: inLetter, statement.KeptAndTextsLeft: inLetter, statement.NotAllGone: inLetter, statement.EveryoneAsked: inLetter,
}

// own puts what Habeas says of itself into its own section.
func own(p *pager, s statement.Said) { p.page.Own = append(p.page.Own, s.Text) }

func inLetter(*pager, statement.Said) {}

// answer puts how a system answered into the overview, in a tone.
func answer(class string) place {
	return func(p *pager, s statement.Said) {
		p.view(s).answer = overviewRow{Class: class, Badge: p.w.Of(s).Badge, Sentence: s.Text}
	}
}

// unanswered puts a system into the overview that told nothing of the person, which is left out.
func unanswered(p *pager, s statement.Said) {
	answer("warm")(p, s)
	p.leave(p.system(s).Title, s.Text)
}

func (p *pager) inGeneral(s statement.Said) {
	p.page.Title, p.page.Lead, p.page.CategoriesLead, p.inGeneralOnly = p.w.UnprovenTitle, s.Text, p.w.UnprovenCategories, true
}

func (p *pager) without(s statement.Said) {
	for _, t := range s.Types {
		p.leave(words.TitleCase(words.Named(p.w.Identifiers, t)), s.Text)
	}
}

func (p *pager) lookedBy(s statement.Said) {
	if id := s.Identifier; id != nil {
		p.page.Identifiers = append(p.page.Identifiers, identifierRow{Type: words.TitleCase(words.Named(p.w.Identifiers, id.Type)), Value: id.Value, How: s.Text})
	}
}

// shown adds the article of a dataset whose records are in the answer.
func (p *pager) shown(s statement.Said) {
	v := p.view(s)
	v.tables = append(v.tables, p.build.tableOf(s.System, s.Dataset))
	v.number += s.Records
	v.Articles = template.HTML(cut)
	p.total("record", s)
}

func (p *pager) leave(what, why string) { p.page.LeftOut = append(p.page.LeftOut, leftView{what, why}) }

func (p *pager) left(s statement.Said) { p.leave(p.what(s), s.Text) }

func (p *pager) leftRecords(s statement.Said) {
	p.leave(p.what(s)+" ("+p.w.Count(s.Records, "record")+")", s.Text)
}

func (p *pager) leftColumns(s statement.Said) { p.leave(p.what(s)+" · "+p.columns(s), s.Text) }

// what names a dataset with its system.
func (p *pager) what(s statement.Said) string { return p.system(s).Title + " · " + p.dataset(s).Title }

func (p *pager) columns(s statement.Said) string {
	titles := make([]string, len(s.Columns))
	for i, c := range s.Columns {
		titles[i] = c.Title
	}
	return words.Listed(titles, p.w.And)
}

// card shows records that must stay, with the ground and the end.
func (p *pager) card(s statement.Said) {
	c := keptCard{Title: p.dataset(s).Title, Count: p.w.Count(s.Records, "record"), System: p.system(s).Title, Ground: p.w.Ground(s), Source: p.w.Text(map[string]string{"en": s.Source}), Until: p.w.KeptNoEnd}
	if !s.Until.IsZero() {
		c.Until = strings.Replace(p.w.KeptUntil, "%s", p.w.Date(s.Until), 1)
	}
	if s.Kind == statement.KeptEarlier {
		c.Earlier = s.Text
	}
	p.page.Kept = append(p.page.Kept, c)
}

// note says below the system's table what the numbers don't.
func (p *pager) note(s statement.Said) {
	v := p.view(s)
	v.Notes = append(v.Notes, pair{p.dataset(s).Title, s.Text})
}

// mentions says of others' texts, and of what may be somebody else's, below the table of what was done, which has the dataset
// then; and where there is no such table, among what isn't told.
func (p *pager) mentions(s statement.Said) {
	if p.tells() {
		p.left(s)
		return
	}
	p.row(s)
	p.note(s)
}

func (p *pager) goesWith(s statement.Said) {
	r := p.row(s)
	r.uncounted = true
	title := s.With
	if d := p.system(s).Dataset(s.With); d != nil {
		title = d.Title
	}
	r.title += strings.Replace(p.w.GoesWith, "%s", title, 1)
}

func (p *pager) corrected(s statement.Said) {
	r := p.row(s)
	r.changed = s.Records
	p.total("changed", s)
	if len(s.Columns) > 0 {
		r.title += strings.Replace(p.w.FieldsChanged, "%s", p.columns(s), 1)
	}
	if len(s.Corrections) > 0 {
		p.note(s)
	}
}

// total counts what the figures at the top say.
func (p *pager) total(noun string, s statement.Said) { p.totals[noun] += s.Records }

// numbers returns a row's numbers, and the columns that they stand in, for a right.
func (p *pager) numbers(rows []*doneRow) (columns []string, of func(*doneRow) []int64) {
	w := p.w
	switch p.doc.Request.Right {
	case dsar.Erasure:
		columns = []string{w.Found, w.Erased, w.Anonymised, w.Kept}
		of = func(r *doneRow) []int64 { return []int64{r.found, r.erased, r.anonymised, r.kept} }
		for _, r := range rows {
			if r.gone > 0 {
				return append(columns, w.Gone), func(r *doneRow) []int64 { return []int64{r.found, r.erased, r.anonymised, r.kept, r.gone} }
			}
		}
		return columns, of
	case dsar.Rectification:
		columns = []string{w.Rectified}
	case dsar.Restriction, dsar.Objection, dsar.ConsentWithdrawal, dsar.OptOut:
		columns = []string{w.Restricted}
		if p.doc.Request.Lift {
			columns = []string{w.Lifted}
		}
	default:
		return nil, nil
	}
	return columns, func(r *doneRow) []int64 { return []int64{r.changed} }
}
