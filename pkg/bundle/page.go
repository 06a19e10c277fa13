package bundle

import (
	"bytes"
	_ "embed" // the page's template and style
	"fmt"
	"html/template"
	"reflect"
	"regexp"
	"strings"

	"habeas.dev/pkg/dsar"
)

//go:embed page.gohtml
var pageText string

//go:embed page.css
var pageStyle string

//go:embed page_article.gohtml
var articleText string

// The templates are parsed once, for each language; html/template escapes
// whatever is put in.
var (
	pageTemplates    = templates(strings.Replace(pageText, "/*page.css*/", pageStyle, 1))
	articleTemplates = templates(articleText)
)

func templates(text string) map[*words]*template.Template {
	byWords := map[*words]*template.Template{}
	for _, w := range []*words{&english, &french} {
		byWords[w] = template.Must(template.New(pageFile).Parse(labelled(text, w)))
	}
	return byWords
}

// label is a text of the words' own, which is the same on every page.
var label = regexp.MustCompile(`\{\{\$?\.W\.(\w+)\}\}`)

// labelled puts the words into a template before it is parsed: that is a third
// of what there is to put in.
func labelled(text string, w *words) string {
	fields := reflect.ValueOf(w).Elem()
	return label.ReplaceAllStringFunc(text, func(action string) string {
		return template.HTMLEscapeString(fields.FieldByName(label.FindStringSubmatch(action)[1]).String())
	})
}

// The pieces of page_article.gohtml, between which the records go.
const (
	articleHead    = iota // up to the number of records
	articleFacts          // up to the table
	articleTable          // opens a table of records
	articleUpright        // opens a table of one record
	articleTableEnd
	articleFiles // opens the paragraph of the files
	articleEnd
	articlePieces
)

// page is what the template shows, all of it in the answer's language.
type page struct {
	Title, Eyebrow, Lead string
	Stats                []stat
	Meta                 []pair
	Letter               *Letter
	Contents             []link
	Numbers              string // heads the overview's number column; empty: none
	Tells                bool   // tells what is held, and so what of it is left out
	Overview             template.HTML
	Kept                 []keptCard
	Categories           []categoryRow
	Systems              []systemView
	LeftOut              []leftView
	Identifiers          []identifierRow
	Rights, Statements   []string
	Automated, Transfers string
	Complaint            []complaintView
	Folder               []pair
}

type (
	stat        struct{ Number, Label string }
	pair        struct{ Name, Value string }
	link        struct{ ID, Title string }
	overviewRow struct{ ID, Title, Class, Badge, Sentence, Number string }
	keptCard    struct{ Title, Count, System, Ground, Source, Until string }
	categoryRow struct{ Name, Data, Sources, Purposes, Recipients string }
	leftView    struct{ What, Why string }

	systemView struct {
		ID, Title string
		Actions   *actions
		Proven    string
		Limits    string
		Articles  template.HTML // cut, where the articles go
		Empty     string
	}
	actions struct {
		Columns []string
		Rows    []actionRow
	}
	actionRow struct {
		Title   string
		Numbers []string
	}
	head struct {
		Title  string
		Number bool
	}
	// articleView is what a dataset's article shows beside its records.
	articleView struct {
		ID, Title string
		Facts     []pair
		Columns   []head
		CSV, JSON string
		Cut       template.HTML
	}
	identifierRow struct{ Type, Value, How string }
	complaintView struct {
		Authority
		Link bool
	}
)

// page renders index.html.
func (b *build) page(a *answer, told string) ([]byte, error) {
	w, in := b.words, b.in
	p := &page{
		Title: w.title[in.Right], Lead: w.lead[in.Right], Letter: in.Letter,
		Statements: in.Policy.Statements, Automated: in.Policy.Automated, Transfers: in.Policy.Transfers,
	}
	if in.Lift {
		p.Title, p.Lead = w.liftedTitle, w.liftedLead
	}
	if p.Title == "" {
		p.Title = titleOr(named(w.rightNames, in.Right), w.title[dsar.Access])
	}
	p.Eyebrow = titleCase(named(w.rightNames, in.Right))
	if in.Policy.Law != "" {
		p.Eyebrow += " · " + in.Policy.Law
	}
	for _, r := range in.Policy.Grants {
		if s := w.rightMeans[r]; s != "" && r != in.Right {
			p.Rights = append(p.Rights, s)
		}
	}
	p.Rights = append(p.Rights, in.Policy.Rights...)
	for _, c := range in.Policy.Complaint {
		p.Complaint = append(p.Complaint, complaintView{c, strings.HasPrefix(c.URL, "https://")})
	}
	b.pageSystems(p, a)
	b.pageStats(p, a)
	b.pageMeta(p)
	if in.Right == dsar.KnowCategories || in.Policy.Categories {
		b.pageCategories(p, a)
	}
	b.pageIdentifiers(p, a)
	b.pageFolder(p, a, told)
	b.pageContents(p)

	frame := &b.buffers.frame
	frame.Reset()
	if err := pageTemplates[w].Execute(frame, p); err != nil {
		return nil, fmt.Errorf("bundle: %s: %w", pageFile, err)
	}
	// The articles are put in where the frame is cut. Texts can't cut it:
	// html/template and appendEscaped write no NUL.
	html, rest := b.buffers.page[:0], frame.Bytes()
	for i := range a.Systems {
		if a.Systems[i].Records == 0 {
			continue
		}
		before, after, ok := bytes.Cut(rest, []byte(cut))
		if !ok {
			return nil, fmt.Errorf("bundle: %s: no place for %s", pageFile, a.Systems[i].System)
		}
		html, rest = append(html, before...), after
		for j := range a.Systems[i].Datasets {
			if d := &a.Systems[i].Datasets[j]; d.Records > 0 {
				html = b.appendArticle(html, d)
			}
		}
	}
	b.buffers.page = append(html, rest...)
	return b.buffers.page, nil
}

// appendArticle adds a dataset's article: what is told of it, and its records.
func (b *build) appendArticle(html []byte, d *answerDataset) []byte {
	w, t := b.words, d.table
	piece := &d.shape.article
	html = append(html, piece[articleHead]...)
	html = append(html, w.count(d.Records, "record")...)
	html = append(html, piece[articleFacts]...)
	rows := b.buffers.preview[t.preview.from:t.preview.to]
	switch {
	case t.preview.rows == 0:
	case d.Records == 1:
		html = append(html, piece[articleUpright]...)
		html = appendUpright(html, rows, t.columns)
		html = append(html, piece[articleTableEnd]...)
	default:
		html = append(html, piece[articleTable]...)
		html = append(html, rows...)
		html = append(html, piece[articleTableEnd]...)
	}
	html = append(html, piece[articleFiles]...)
	if shown := int64(t.preview.rows); shown < d.Records {
		html = appendEscaped(html, fmt.Sprintf(w.preview, w.number(shown), w.number(d.Records))+" ")
	}
	return append(html, piece[articleEnd]...)
}

// pageSystems fills the overview, the systems' own sections, what is kept and
// what was left out.
func (b *build) pageSystems(p *page, a *answer) {
	w := b.words
	if p.Tells = b.tells(); p.Tells {
		p.Numbers = w.records
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
			} else if !d.held() && !d.Uncovered {
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
			view.Empty = fmt.Sprintf(w.emptyDatasets, strings.Join(empty, ", "))
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

// tells tells whether the right is one of telling, and not of changing anything.
func (b *build) tells() bool {
	switch b.in.Right {
	case dsar.Access, dsar.Portability, dsar.KnowCategories:
		return true
	default:
		return false
	}
}

// changes tells whether the right changes what is held, and erases none of it.
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
	o := w.outcomes[s.Outcome]
	if b.in.Lift && s.Outcome == dsar.Restricted {
		o = w.liftedOutcome
	}
	row := overviewRow{Title: s.Title, Badge: titleOr(o.badge, string(s.Outcome)), Sentence: o.sentence, Number: w.number(s.Records)}
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
			needs = append(needs, w.identifierName(t))
		}
		known := w.list(needs, w.or)
		row.Sentence = fmt.Sprintf(o.sentence, known)
		if len(s.AskedInstead) > 0 {
			row.Class, row.Badge = "quietly", w.knownNowhere.badge
			row.Sentence = fmt.Sprintf(w.knownNowhere.sentence, known, w.list(a.titles(s.AskedInstead), w.and))
		}
	case s.Outcome == dsar.NothingFound && b.changes():
		// It may hold something, of which nothing is to be changed.
		row.Badge, row.Sentence = w.nothingToDo.badge, w.nothingToDo.sentence
	case s.Outcome == dsar.Failed && !b.tells():
		row.Badge, row.Sentence = w.notDone.badge, w.notDone.sentence
	case s.Outcome == dsar.Retained && s.gone() == 0:
		row.Badge, row.Sentence = w.allKept.badge, w.allKept.sentence
	case s.Outcome == dsar.Gathered && s.Records == 0 && left > 0:
		row.Class, row.Badge, row.Sentence = "warm", w.onlyLeftOut.badge, w.onlyLeftOut.sentence
	}
	if b.in.Right == dsar.KnowCategories {
		row.Number = w.number(s.found())
	}
	return row
}

// actions is the table of what was done, dataset by dataset.
func (b *build) actions(s *answerSystem) *actions {
	w := b.words
	var t actions
	var numbers func(d *answerDataset) []int64
	switch b.in.Right {
	case dsar.Erasure:
		t.Columns = []string{w.found, w.erased, w.anonymised, w.kept}
		numbers = func(d *answerDataset) []int64 { return []int64{d.Found, d.Erased, d.Anonymised, d.kept()} }
	case dsar.Rectification:
		t.Columns = []string{w.rectified}
		numbers = func(d *answerDataset) []int64 { return []int64{d.Rectified} }
	case dsar.Restriction, dsar.Objection, dsar.ConsentWithdrawal, dsar.OptOut:
		t.Columns = []string{w.restricted}
		if b.in.Lift {
			t.Columns = []string{w.lifted}
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
			row.Numbers = append(row.Numbers, w.number(n))
		}
		if len(d.Changed) > 0 {
			row.Title += fmt.Sprintf(w.fieldsChanged, w.list(s.columns(d.Dataset, d.Changed, w.Lang), w.and))
		}
		if d.GoesWith != "" {
			row.Title += fmt.Sprintf(w.goesWith, s.title(d.GoesWith))
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

// columns are the titles of a dataset's columns.
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

// title is a dataset's.
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
		return b.words.notProven
	case s.Outcome == dsar.Retained:
		return fmt.Sprintf(b.words.provenKept, b.words.moment(s.ProvenAt))
	default:
		return fmt.Sprintf(b.words.proven, b.words.moment(s.ProvenAt))
	}
}

func (b *build) pageKept(p *page, s *answerSystem, d *answerDataset) {
	w := b.words
	for _, r := range d.Retained {
		card := keptCard{Title: d.Title, Count: w.count(r.Records, "record"), System: s.Title, Ground: titleOr(r.Title, named(nil, r.Ground)), Source: r.Source, Until: w.keptNoEnd}
		if !r.Until.IsZero() {
			card.Until = fmt.Sprintf(w.keptUntil, w.date(r.Until))
		}
		p.Kept = append(p.Kept, card)
	}
}

func (b *build) pageLeftOut(p *page, s *answerSystem, d *answerDataset) {
	w := b.words
	what := s.Title + " · " + d.Title
	if d.LeftOutRecords > 0 {
		why := w.leftDerived
		switch d.LeftOut {
		case leftReceived:
			why = w.leftReceived
		case leftBasis:
			why = fmt.Sprintf(w.leftBasis, lowerFirst(named(w.bases, d.LegalBasis)))
		}
		p.LeftOut = append(p.LeftOut, leftView{what + " (" + w.count(d.LeftOutRecords, "record") + ")", why})
	}
	if d.Uncovered {
		p.LeftOut = append(p.LeftOut, leftView{what, w.leftUncovered})
	}
	if len(d.Unchanged) > 0 {
		p.LeftOut = append(p.LeftOut, leftView{what + " · " + w.list(s.columns(d.Dataset, d.Unchanged, w.Lang), w.and), w.leftUnchanged})
	}
	if len(d.Redacted) > 0 {
		p.LeftOut = append(p.LeftOut, leftView{what + " · " + w.list(s.columns(d.Dataset, d.Redacted, w.Lang), w.and), w.leftOthers})
	}
	for _, c := range d.NotShown {
		p.LeftOut = append(p.LeftOut, leftView{what + " · " + c.title, fmt.Sprintf(w.leftHidden, named(w.hiddenKinds, c.Kind))})
	}
}

func (b *build) pageStats(p *page, a *answer) {
	w := b.words
	var systems, datasets, found, gone, kept, changed int64
	copies := b.in.Right == dsar.Access || b.in.Right == dsar.Portability
	for i := range a.Systems {
		s := &a.Systems[i]
		held := false
		for j := range s.Datasets {
			d := &s.Datasets[j]
			if d.Records > 0 || !copies && d.held() {
				held = true
				datasets++
			}
			found += d.Found
			gone += d.Erased + d.Anonymised
			kept += d.kept()
			changed += d.Rectified + d.Restricted
		}
		if held {
			systems++
		}
	}
	if systems == 0 {
		if nothingCanBeSaid(a) {
			if p.Lead = w.nothing; b.changes() {
				p.Lead = w.nothingChanged
			}
		}
		return
	}
	add := func(n int64, noun string) {
		number, label, _ := strings.Cut(w.count(n, noun), "\u00a0")
		p.Stats = append(p.Stats, stat{number, label})
	}
	switch b.in.Right {
	case dsar.Erasure:
		add(gone, "erased")
		if kept > 0 {
			add(kept, "kept")
		}
	case dsar.KnowCategories:
		add(found, "record")
	case dsar.Access, dsar.Portability:
		add(a.Records, "record")
	default:
		add(changed, "changed")
	}
	add(datasets, "dataset")
	add(systems, "system")
}

// nothingCanBeSaid tells whether every system was heard, or knows people only by
// identifiers that the person was heard not to have: only then may the page say
// that nothing is held.
func nothingCanBeSaid(a *answer) bool {
	for i := range a.Systems {
		switch a.Systems[i].Outcome {
		case dsar.NothingFound:
		case dsar.NotApplicable:
			if len(a.Systems[i].AskedInstead) == 0 {
				return false
			}
		default:
			return false
		}
	}
	return true
}

func (b *build) pageMeta(p *page) {
	w, in := b.words, b.in
	if in.Policy.Entity != "" {
		p.Meta = append(p.Meta, pair{w.answeredBy, in.Policy.Entity})
	}
	if !in.ReceivedAt.IsZero() {
		p.Meta = append(p.Meta, pair{w.received, w.date(in.ReceivedAt)})
	}
	p.Meta = append(p.Meta, pair{w.requestNumber, in.RequestID})
	if len(in.Purposes) > 0 {
		p.Meta = append(p.Meta, pair{w.purposes, strings.Join(in.Purposes, ", ")})
	}
	if in.Policy.Contact != "" {
		p.Meta = append(p.Meta, pair{w.contact, in.Policy.Contact})
	}
}

func (b *build) pageCategories(p *page, a *answer) {
	w := b.words
	order, groups := a.categoriesHeld()
	for _, category := range order {
		var data, sources, purposes, recipients []string
		for _, d := range groups[category] {
			data = appendNew(data, d.Title)
			sources = appendNew(sources, named(w.origins, d.Origin))
			purposes = appendNew(purposes, d.Purpose)
			for _, r := range d.Recipients {
				recipients = appendNew(recipients, r)
			}
		}
		if len(recipients) == 0 {
			recipients = []string{w.noRecipients}
		}
		p.Categories = append(p.Categories, categoryRow{
			titleCase(w.categoryOf(category)), strings.Join(data, ", "), strings.Join(sources, "; "), strings.Join(purposes, "; "), strings.Join(recipients, ", "),
		})
	}
}

func (b *build) pageIdentifiers(p *page, a *answer) {
	w := b.words
	title := func(system string) string {
		for i := range a.Systems {
			if a.Systems[i].System == system {
				return a.Systems[i].Title
			}
		}
		return system
	}
	for _, id := range a.Identifiers {
		row := identifierRow{Type: titleCase(w.identifierName(id.Type)), Value: id.Value}
		switch {
		case id.FoundBy != "" && id.FromValue != "":
			row.How = fmt.Sprintf(w.fromSystemBy, title(id.FoundBy), w.identifierName(id.FromType), id.FromValue)
		case id.FoundBy != "":
			row.How = fmt.Sprintf(w.fromSystem, title(id.FoundBy))
		case id.Verified:
			row.How = w.fromRequestVerified
		default:
			row.How = w.fromRequest
		}
		p.Identifiers = append(p.Identifiers, row)
	}
}

func (b *build) pageFolder(p *page, a *answer, told string) {
	w := b.words
	if a.Records > 0 {
		p.Folder = append(p.Folder, pair{"*/*.csv", titleCase(w.folderCSV)}, pair{"*/*.json", titleCase(w.folderJSON)})
	}
	p.Folder = append(p.Folder, pair{told, titleCase(w.folderAnswer)}, pair{packageFile, titleCase(w.folderPackage)})
}

func (b *build) pageContents(p *page) {
	w := b.words
	add := func(there bool, id, title string) {
		if there {
			p.Contents = append(p.Contents, link{id, title})
		}
	}
	add(true, "overview", w.Overview)
	add(len(p.Kept) > 0, "kept", w.KeptTitle)
	add(len(p.Categories) > 0, "categories", w.Categories)
	add(len(p.Systems) > 0, "systems", w.Systems)
	add(p.Tells || len(p.LeftOut) > 0, "left-out", w.LeftOut)
	add(len(p.Identifiers) > 0, "looked", w.Looked)
	add(true, "rights", w.Rights)
	add(true, "folder", w.Folder)
}

func appendNew(list []string, s string) []string {
	for _, have := range list {
		if have == s {
			return list
		}
	}
	return append(list, s)
}
