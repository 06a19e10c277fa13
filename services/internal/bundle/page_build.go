package bundle

import (
	"fmt"
	"html/template"
	"slices"
	"strings"

	"habeas.dev/pkg/dsar"
	"habeas.dev/pkg/manifest"
	"habeas.dev/services/internal/statement"
	"habeas.dev/services/internal/words"
)

// pager fills the page from the statements of an answer.
type pager struct {
	build         *build // for the records
	w             *words.Answer
	doc           *statement.Document
	page          *page
	views         []*systemView // one for each system, in order
	years         []yearCount
	totals        map[string]int64
	received      string
	inGeneralOnly bool // nothing is told of the person
}

// doneRow is what was done in one dataset.
type doneRow struct {
	name, title                                    string
	found, erased, anonymised, kept, gone, changed int64
	uncounted                                      bool
}

func newPager(b *build, d *statement.Document) *pager {
	p := &pager{build: b, w: b.words, doc: d, page: &page{}, totals: map[string]int64{}}
	for i := range d.Systems {
		if d.Systems[i].System == dsar.Habeas {
			continue // it has a section of its own
		}
		p.views = append(p.views, &systemView{of: &d.Systems[i], ID: "s-" + d.Systems[i].System, Title: d.Systems[i].Title})
	}
	return p
}

// fill puts everything into the page.
func (p *pager) fill(letter *Letter, told string) {
	w, r, c := p.w, &p.doc.Request, &p.doc.Controller
	p.page.Title, p.page.Lead, p.page.CategoriesLead = w.Title[r.Right], w.Lead[r.Right], w.CategoriesLead
	if r.Lift {
		p.page.Title, p.page.Lead = w.LiftedTitle, w.LiftedLead
	}
	if p.page.Title == "" {
		p.page.Title = titleOr(words.Named(w.RightNames, r.Right), w.Title[dsar.Access])
	}
	p.page.Letter, p.page.Also, p.page.Automated, p.page.Transfers = letter, c.Also, c.Automated, c.Transfers
	p.page.Eyebrow = words.TitleCase(words.Named(w.RightNames, r.Right))
	if c.Law != "" {
		p.page.Eyebrow += " · " + c.Law
	}
	for _, granted := range c.Grants {
		if s := w.RightMeans[granted]; s != "" && granted != r.Right {
			p.page.Rights = append(p.page.Rights, s)
		}
	}
	p.page.Rights = append(p.page.Rights, c.Rights...)
	for _, to := range c.Complaint {
		p.page.Complaint = append(p.page.Complaint, complaintView{to, strings.HasPrefix(to.URL, "https://")})
	}
	if p.tells() {
		p.page.Numbers = w.Records
	}
	for _, s := range p.doc.Statements {
		if put := places[s.Kind()]; put != nil {
			put(p, s.Said())
		}
	}
	p.systems()
	p.story()
	p.stats()
	p.meta()
	if r.Right == dsar.KnowCategories || c.Categories {
		p.categories()
	}
	if c.Categories && len(p.page.Categories) > 0 {
		p.page.Passed = p.passed()
	}
	p.folder(told)
	p.contents()
}

func (p *pager) tells() bool {
	r := p.doc.Request.Right
	return r == dsar.Access || r == dsar.Portability || r == dsar.KnowCategories
}

func (p *pager) copies() bool {
	r := p.doc.Request.Right
	return r == dsar.Access || r == dsar.Portability
}

// view returns the part of the page about a statement's system.
func (p *pager) view(s statement.Said) *systemView {
	for _, v := range p.views {
		if v.of.System == s.System {
			return v
		}
	}
	return &systemView{of: &statement.System{}} // of no system that the answer describes
}

func (p *pager) system(s statement.Said) *statement.System { return p.view(s).of }

func (p *pager) dataset(s statement.Said) *statement.Dataset {
	if d := p.system(s).Dataset(s.Dataset); d != nil {
		return d
	}
	return &statement.Dataset{Title: s.Dataset}
}

// row returns the row of a statement's dataset in its system's table.
func (p *pager) row(s statement.Said) *doneRow {
	v := p.view(s)
	for _, r := range v.rows {
		if r.name == s.Dataset {
			return r
		}
	}
	r := &doneRow{name: s.Dataset, title: p.dataset(s).Title}
	v.rows = append(v.rows, r)
	return r
}

// systems fills the overview and the systems' own sections.
func (p *pager) systems() {
	var overview []byte
	for _, v := range p.views {
		v.Actions = p.actions(v)
		row := v.answer
		row.Title, row.Number = v.Title, p.w.Number(v.number)
		if v.Articles != "" || v.Actions != nil {
			row.ID = v.ID
			if len(v.empty) > 0 {
				v.Empty = fmt.Sprintf(p.w.EmptyDatasets, strings.Join(v.empty, ", "))
			}
			p.page.Systems = append(p.page.Systems, v)
		}
		overview = row.append(overview, p.page.Numbers != "")
	}
	p.page.Overview = template.HTML(overview)
}

// actions returns the table of what was done, dataset by dataset.
func (p *pager) actions(v *systemView) *actions {
	columns, of := p.numbers(v.rows)
	if of == nil || len(v.rows) == 0 {
		return nil
	}
	t := &actions{Columns: columns}
	for _, r := range v.rows {
		row := actionRow{Title: r.title}
		for _, n := range of(r) {
			cell := p.w.Number(n)
			if r.uncounted {
				cell = "–"
			}
			row.Numbers = append(row.Numbers, cell)
		}
		t.Rows = append(t.Rows, row)
	}
	return t
}

// stats fills the figures at the top: what the page says of the request as a whole is
// here.
func (p *pager) stats() {
	var systems, datasets int64
	for _, v := range p.views {
		n := 0
		for _, d := range v.of.Datasets {
			if p.speaksOf(v.of.System, d.Dataset) {
				n++
			}
		}
		if datasets += int64(n); n > 0 {
			systems++
		}
	}
	if systems == 0 {
		return
	}
	add := func(n int64, noun string) {
		number, label, _ := strings.Cut(p.w.Count(n, noun), "\u00a0")
		p.page.Stats = append(p.page.Stats, stat{number, label})
	}
	switch {
	case p.doc.Request.Right == dsar.Erasure:
		add(p.totals["erased"], "erased")
		for _, noun := range []string{"gone", "kept"} {
			if p.totals[noun] > 0 {
				add(p.totals[noun], noun)
			}
		}
	case p.tells():
		add(p.totals["record"], "record")
	default:
		add(p.totals["changed"], "changed")
	}
	add(datasets, "dataset")
	add(systems, "system")
}

// speaksOf reports whether the figures count a dataset: something of it is shown, or,
// where no copy is given, something is told of it.
func (p *pager) speaksOf(system, dataset string) bool {
	return slices.ContainsFunc(p.doc.Statements, func(s statement.Statement) bool {
		return s.Dataset() == dataset && s.System() == system && (s.Kind() == statement.Shown || !p.copies() && s.Kind().OfSomething())
	})
}

func (p *pager) meta() {
	w, c, r := p.w, &p.doc.Controller, &p.doc.Request
	add := func(name, value string) {
		if value != "" {
			p.page.Meta = append(p.page.Meta, pair{name, value})
		}
	}
	add(w.AnsweredBy, c.Entity)
	add(w.Address, c.Address)
	add(w.Received, p.received)
	add(w.RequestNumber, r.ID)
	add(w.Purposes, strings.Join(r.Purposes, w.Semicolon+" "))
	add(w.Contact, c.Contact)
	add(w.Officer, c.Officer)
	add(w.Representative, c.Representative)
}

// categories groups the datasets of which something is held by category, in the order
// of the systems; all datasets where nothing may be told of the person.
func (p *pager) categories() {
	w := p.w
	rows := &categoryRows{w: w, of: map[string]*categoryTerms{}}
	p.each(func(d *statement.Dataset) {
		if !d.AllDiffer {
			rows.add(d.Category, d.Title, d.Origin, d.Purposes, d.Recipients)
		}
		for _, c := range d.Columns {
			rows.add(c.Category, d.Title+" · "+c.Title, c.Origin, c.Purposes, d.Recipients)
		}
	})
	for _, category := range rows.order {
		t := rows.of[category]
		if len(t.recipients) == 0 {
			t.recipients = []string{w.NoRecipients}
		}
		p.page.Categories = append(p.page.Categories, categoryRow{
			words.TitleCase(words.Named(w.CategoryName, category)), strings.Join(t.data, ", "), strings.Join(t.sources, w.Semicolon+" "), strings.Join(t.purposes, w.Semicolon+" "), words.TitleCase(strings.Join(t.recipients, ", ")),
		})
	}
}

// each calls f for each dataset of which something is held, in the order of the systems; for
// all of them where nothing may be told of the person.
func (p *pager) each(f func(*statement.Dataset)) {
	for i := range p.doc.Systems {
		sys := &p.doc.Systems[i]
		for j := range sys.Datasets {
			d := &sys.Datasets[j]
			told := slices.ContainsFunc(p.doc.Statements, func(s statement.Statement) bool {
				return s.Dataset() == d.Dataset && s.System() == sys.System && (s.Kind().OfSomething() || s.Kind() == statement.KeptEarlier || s.Kind() == statement.KeptThen || s.Kind() == statement.Unfinished)
			})
			if told || p.inGeneralOnly {
				f(d)
			}
		}
	}
}

// categoryRows collects the table of categories.
type categoryRows struct {
	w     *words.Answer
	order []string
	of    map[string]*categoryTerms
}

// categoryTerms are the cells of one category.
type categoryTerms struct{ data, sources, purposes, recipients []string }

func (r *categoryRows) add(category, title, origin string, purposes, recipients []string) {
	t := r.of[category]
	if t == nil {
		t = &categoryTerms{}
		r.of[category] = t
		r.order = append(r.order, category)
	}
	t.data, t.sources = appendNew(t.data, title), appendNew(t.sources, words.Named(r.w.Origins, manifest.Origin(origin)))
	for _, purpose := range purposes {
		t.purposes = appendNew(t.purposes, purpose)
	}
	for _, to := range recipients {
		t.recipients = appendNew(t.recipients, to)
	}
}

func (p *pager) folder(told string) {
	w := p.w
	if p.copies() && p.totals["record"] > 0 {
		p.page.Folder = append(p.page.Folder, pair{"*/*.csv", words.TitleCase(w.FolderCSV)}, pair{"*/*.json", words.TitleCase(w.FolderJSON)})
	}
	p.page.Folder = append(p.page.Folder, pair{told, words.TitleCase(w.FolderAnswer)}, pair{packageFile, words.TitleCase(w.FolderPackage)})
}

func (p *pager) contents() {
	w := p.w
	add := func(there bool, id, title string) {
		if there {
			p.page.Contents = append(p.page.Contents, link{id, title})
		}
	}
	add(len(p.page.Story) > 0, "story", w.Story)
	add(true, "overview", w.Overview)
	add(len(p.page.Kept) > 0, "kept", w.KeptTitle)
	add(len(p.page.Categories) > 0, "categories", w.Categories)
	for _, t := range p.page.Passed {
		add(len(t.Rows) > 0 || t.None != "", t.ID, t.Title)
	}
	add(len(p.page.Systems) > 0, "systems", p.page.SystemsTitle)
	add(p.page.Records != "", "records", w.RecordsTitle)
	add(len(p.page.LeftOut) > 0 || p.page.NothingLeftOut != "", "left-out", w.LeftOut)
	add(len(p.page.Identifiers) > 0, "looked", w.Looked)
	add(len(p.page.Notices) > 0, "recipients", w.RecipientsTold)
	add(len(p.page.Own) > 0, "own", w.Own)
	add(true, "rights", w.Rights)
	add(true, "folder", w.Folder)
}

func appendNew(list []string, s string) []string {
	if slices.Contains(list, s) {
		return list
	}
	return append(list, s)
}
