package bundle

import (
	"fmt"
	"html/template"
	"slices"
	"strings"

	"habeas.dev/pkg/dsar"
	"habeas.dev/services/internal/core"
)

// pageSystems fills the overview, the systems' own sections, what is kept and
// what was left out.
func (b *build) pageSystems(p *page, a *answer) {
	w := b.words
	if p.Tells = b.tells(); p.Tells {
		p.Numbers = w.Records
	}
	for _, t := range a.Without {
		name := named(w.Identifiers, t)
		p.LeftOut = append(p.LeftOut, leftView{titleCase(name), fmt.Sprintf(w.LeftWithout, titleOr(w.Without[t], fmt.Sprintf(w.WithoutOther, name)))})
	}
	var overview []byte
	for i := range a.Systems {
		s := &a.Systems[i]
		view := systemView{ID: "s-" + s.System, Title: s.Title, Limits: s.Limits}
		var empty []string
		for j := range s.Datasets {
			d := &s.Datasets[j]
			if d.Records > 0 {
				view.Articles = template.HTML(cut)
			} else if !d.held() && !d.Uncovered && len(d.KeptEarlier) == 0 {
				empty = append(empty, d.Title)
			}
			b.pageKept(p, s, d)
			b.pageLeftOut(p, s, d)
		}
		view.Actions = b.actions(s)
		if s.Outcome == dsar.Erased || s.Outcome == dsar.Anonymised || s.Outcome == dsar.Retained {
			view.Proven = b.proof(s)
		}
		if len(empty) > 0 {
			view.Empty = fmt.Sprintf(w.EmptyDatasets, strings.Join(empty, ", "))
		}
		row := b.overviewRow(a, s)
		if view.Articles != "" || view.Actions != nil {
			row.ID = view.ID
			p.Systems = append(p.Systems, view)
		}
		overview = row.append(overview, p.Numbers != "")
		switch s.Outcome {
		case dsar.NotApplicable, dsar.Manual, dsar.Failed: // of an incomplete one, its datasets
			if len(s.AskedInstead) == 0 {
				p.LeftOut = append(p.LeftOut, leftView{s.Title, row.Sentence})
			}
		}
	}
	p.Overview = template.HTML(overview)
}

// tells reports whether the right is one of telling, and not of changing anything.
func (b *build) tells() bool {
	switch b.in.Right {
	case dsar.Access, dsar.Portability, dsar.KnowCategories:
		return true
	default:
		return false
	}
}

// copies reports whether the answer is a copy of what is held.
func (b *build) copies() bool { return b.in.Right == dsar.Access || b.in.Right == dsar.Portability }

// changes reports whether the right changes what is held, and erases none of it.
func (b *build) changes() bool { return !b.tells() && b.in.Right != dsar.Erasure }

// append adds the row to the table. The id and the class are of our own making,
// the texts are escaped.
func (r *overviewRow) append(html []byte, number bool) []byte {
	html = append(html, `<tr><th scope="row">`...)
	if r.ID != "" {
		html = append(html, `<a href="#`...)
		html = append(html, r.ID...)
		html = append(html, `">`...)
	}
	html = appendEscaped(html, r.Title)
	if r.ID != "" {
		html = append(html, `</a>`...)
	}
	html = append(html, `</th><td><span class="badge `...)
	html = append(html, r.Class...)
	html = append(html, `">`...)
	html = appendEscaped(html, r.Badge)
	html = append(html, `</span> `...)
	html = appendEscaped(html, r.Sentence)
	html = append(html, `</td>`...)
	if number {
		html = append(html, `<td class="num">`...)
		html = append(html, r.Number...)
		html = append(html, `</td>`...)
	}
	return append(html, "</tr>\n"...)
}

func (b *build) overviewRow(a *answer, s *answerSystem) overviewRow {
	w := b.words
	o := w.Outcomes[s.Outcome]
	if b.in.Lift && s.Outcome == dsar.Restricted {
		o = w.LiftedOutcome
	}
	row := overviewRow{Title: s.Title, Badge: titleOr(o.Badge, string(s.Outcome)), Sentence: o.Sentence, Number: w.Number(s.Records)}
	switch s.Outcome {
	case dsar.NothingFound:
		row.Class = "quietly"
	case dsar.NotApplicable, dsar.Manual, dsar.Failed, dsar.Retained, dsar.Incomplete:
		row.Class = "warm"
	}
	var left int64
	for i := range s.Datasets {
		left += s.Datasets[i].LeftOutRecords
	}
	switch {
	case s.Outcome == dsar.NotApplicable:
		var needs []string
		for _, t := range s.Needs {
			needs = append(needs, named(w.Identifiers, t))
		}
		known := listed(needs, w.Or)
		row.Sentence = fmt.Sprintf(o.Sentence, known)
		switch {
		case s.Code == core.CodeNotProven:
			row.Badge, row.Sentence = w.Unproven.Badge, fmt.Sprintf(w.Unproven.Sentence, known)
		case len(s.AskedInstead) > 0:
			row.Class, row.Badge = "quietly", w.KnownNowhere.Badge
			row.Sentence = fmt.Sprintf(w.KnownNowhere.Sentence, known, listed(a.titles(s.AskedInstead), w.And))
		}
	case s.Outcome == dsar.NothingFound && b.changes():
		// It may hold something, of which nothing is to be changed.
		row.Badge, row.Sentence = w.NothingToDo.Badge, w.NothingToDo.Sentence
	case s.Outcome == dsar.Failed && !b.tells():
		row.Badge, row.Sentence = w.NotDone.Badge, w.NotDone.Sentence
	case s.Outcome == dsar.Retained && !s.keeps() && s.gone() == 0:
		row.Badge, row.Sentence = w.KeptEarlier.Badge, w.KeptEarlier.Sentence
	case s.Outcome == dsar.Retained && s.gone() == 0:
		row.Badge, row.Sentence = w.AllKept.Badge, w.AllKept.Sentence
	case s.Outcome == dsar.Gathered && s.Records == 0 && left > 0:
		row.Class, row.Badge, row.Sentence = "warm", w.OnlyLeftOut.Badge, w.OnlyLeftOut.Sentence
	}
	if b.in.Right == dsar.KnowCategories {
		row.Number = w.Number(s.found())
	}
	return row
}

// actions returns the table of what was done, dataset by dataset.
func (b *build) actions(s *answerSystem) *actions {
	w := b.words
	var t actions
	var numbers func(d *answerDataset) []int64
	switch b.in.Right {
	case dsar.Erasure:
		t.Columns = []string{w.Found, w.Erased, w.Anonymised, w.Kept}
		numbers = func(d *answerDataset) []int64 { return []int64{d.Found, d.Erased, d.Anonymised, d.kept()} }
		if slices.ContainsFunc(s.Datasets, func(d answerDataset) bool { return d.Gone > 0 }) {
			t.Columns = append(t.Columns, w.Gone)
			numbers = func(d *answerDataset) []int64 { return []int64{d.Found, d.Erased, d.Anonymised, d.kept(), d.Gone} }
		}
	case dsar.Rectification:
		t.Columns = []string{w.Rectified}
		numbers = func(d *answerDataset) []int64 { return []int64{d.Rectified} }
	case dsar.Restriction, dsar.Objection, dsar.ConsentWithdrawal, dsar.OptOut:
		t.Columns = []string{w.Restricted}
		if b.in.Lift {
			t.Columns = []string{w.Lifted}
		}
		numbers = func(d *answerDataset) []int64 { return []int64{d.Restricted} }
	default:
		return nil
	}
	for i := range s.Datasets {
		d := &s.Datasets[i]
		if !d.held() {
			continue
		}
		row := actionRow{Title: d.Title}
		for _, n := range numbers(d) {
			row.Numbers = append(row.Numbers, w.Number(n))
		}
		if len(d.Changed) > 0 {
			row.Title += fmt.Sprintf(w.FieldsChanged, listed(s.columns(d.Dataset, d.Changed, w.Tag), w.And))
		}
		if d.GoesWith != "" {
			row.Title += fmt.Sprintf(w.GoesWith, s.title(d.GoesWith))
			for i := range row.Numbers {
				row.Numbers[i] = "–"
			}
		}
		t.Rows = append(t.Rows, row)
	}
	if len(t.Rows) == 0 {
		return nil
	}
	return &t
}

// columns returns the titles of a dataset's columns.
func (s *answerSystem) columns(dataset string, names []string, lang string) []string {
	d := s.part.Manifest.Dataset(dataset)
	titles := make([]string, len(names))
	for i, name := range names {
		titles[i] = name
		if d == nil {
			continue
		}
		if c := d.Column(name); c != nil {
			titles[i] = titleOr(c.Title.In(lang), name)
		}
	}
	return titles
}

// title returns a dataset's.
func (s *answerSystem) title(dataset string) string {
	for i := range s.Datasets {
		if s.Datasets[i].Dataset == dataset {
			return s.Datasets[i].Title
		}
	}
	return dataset
}

func (b *build) proof(s *answerSystem) string {
	switch {
	case s.ProvenAt.IsZero():
		return b.words.NotProven
	case s.Outcome == dsar.Retained:
		return fmt.Sprintf(b.words.ProvenKept, b.words.Moment(s.ProvenAt))
	default:
		return fmt.Sprintf(b.words.Proven, b.words.Moment(s.ProvenAt))
	}
}

func (b *build) pageKept(p *page, s *answerSystem, d *answerDataset) {
	w := b.words
	add := func(r retained, earlier string) {
		card := keptCard{Title: d.Title, Count: w.Count(r.Records, "record"), System: s.Title, Earlier: earlier, Ground: titleOr(r.Title, named(nil, r.Ground)), Source: r.Source, Until: w.KeptNoEnd}
		if !r.Until.IsZero() {
			card.Until = fmt.Sprintf(w.KeptUntil, w.Date(r.Until.UTC()))
		}
		p.Kept = append(p.Kept, card)
	}
	for _, r := range d.Retained {
		add(r, "")
	}
	for _, r := range d.KeptEarlier {
		add(r, w.KeptSince)
	}
}

func (b *build) pageLeftOut(p *page, s *answerSystem, d *answerDataset) {
	w := b.words
	what := s.Title + " · " + d.Title
	if d.LeftOutRecords > 0 {
		why := w.LeftDerived
		switch d.LeftOut {
		case leftReceived:
			why = w.LeftReceived
		case leftBasis:
			why = fmt.Sprintf(w.LeftBasis, lowerFirst(named(w.Bases, d.LegalBasis)))
		}
		p.LeftOut = append(p.LeftOut, leftView{what + " (" + w.Count(d.LeftOutRecords, "record") + ")", why})
	}
	if b.copies() {
		for _, r := range d.KeptEarlier {
			p.LeftOut = append(p.LeftOut, leftView{what + " (" + w.Count(r.Records, "record") + ")", w.LeftKept})
		}
	}
	if d.Uncovered {
		p.LeftOut = append(p.LeftOut, leftView{what, w.LeftUncovered})
	}
	if len(d.Unchanged) > 0 {
		p.LeftOut = append(p.LeftOut, leftView{what + " · " + listed(s.columns(d.Dataset, d.Unchanged, w.Tag), w.And), w.LeftUnchanged})
	}
	if len(d.Redacted) > 0 {
		p.LeftOut = append(p.LeftOut, leftView{what + " · " + listed(s.columns(d.Dataset, d.Redacted, w.Tag), w.And), w.LeftOthers})
	}
	for _, c := range d.NotShown {
		p.LeftOut = append(p.LeftOut, leftView{what + " · " + c.title, fmt.Sprintf(w.LeftHidden, named(w.HiddenKinds, c.Kind))})
	}
}
