package bundle

import (
	"bytes"
	"crypto/sha256"
	_ "embed" // the page's template, style and script
	"encoding/base64"
	"fmt"
	"html/template"
	"reflect"
	"regexp"
	"strings"
	"sync"

	"habeas.dev/services/internal/statement"
	"habeas.dev/services/internal/words"
)

//go:embed page.gohtml
var pageText string

//go:embed page.css
var pageStyle string

//go:embed page_article.gohtml
var articleText string

// pageScript searches the records of a page, and needs nothing else.
//
//go:embed page.js
var pageScript string

// scriptElement is the script as the page has it, and scriptHash allows it there and no other.
var (
	scriptElement = template.HTML("<script>" + pageScript + "</script>") //nolint:gosec // our own, and constant
	scriptSum     = sha256.Sum256([]byte(pageScript))
	scriptHash    = "'sha256-" + base64.StdEncoding.EncodeToString(scriptSum[:]) + "'"
)

// ScriptPolicy returns the source of a Content Security Policy that lets the page's script run:
// for who shows the page within another.
func ScriptPolicy() string { return scriptHash }

// The templates are parsed once, for each language; html/template escapes
// whatever is put in.
var (
	pageTemplates = templates{text: func() string {
		return strings.NewReplacer("/*page.css*/", pageStyle, "SCRIPT", scriptHash).Replace(pageText)
	}}
	articleTemplates = templates{text: func() string { return articleText }}
)

// templates are those of one text, by the words that are in them.
type templates struct {
	text func() string
	made sync.Map // *words.Answer → *template.Template
}

// in returns the template in the words of a language.
func (t *templates) in(w *words.Answer) *template.Template {
	if made, ok := t.made.Load(w); ok {
		return made.(*template.Template)
	}
	made, _ := t.made.LoadOrStore(w, template.Must(template.New(pageFile).Parse(labelled(t.text(), w))))
	return made.(*template.Template)
}

// label is a text of the words' own, which is the same on every page.
var label = regexp.MustCompile(`\{\{\$?\.W\.(\w+)\}\}`)

// labelled puts the words into a template before it is parsed: that is a third
// of what there is to put in.
func labelled(text string, w *words.Answer) string {
	fields := reflect.ValueOf(w).Elem()
	return label.ReplaceAllStringFunc(text, func(action string) string {
		return template.HTMLEscapeString(fields.FieldByName(label.FindStringSubmatch(action)[1]).String())
	})
}

// The pieces of page_article.gohtml, between which go what is counted, and the records.
const (
	whyHead  = iota // up to the number of records
	whyFacts        // up to what can be asked of it
	whyEnd          // ends what is told of a dataset
	setHead         // begins its records, up to their number
	setBody         // up to the records
	setOpen         // opens a table or a list
	setClose        // closes it
	moreHead        // begins what is behind a click, up to how much
	moreBody        // up to the records
	moreEnd         // ends it
	setFiles        // opens the paragraph of the files
	setForms        // the tables, up to what else they are written as
	setEnd
	articlePieces
)

// page is what the template shows, all of it in the answer's language.
type page struct {
	Title, Eyebrow, Lead string
	CategoriesLead       string
	Stats                []stat
	Meta                 []pair
	Letter               *Letter
	Since                string // the story's beginning
	Story                []storyItem
	Years                []yearView
	Sets                 []link        // the datasets of which there are records
	Records              template.HTML // cut, where the records go
	Labels               template.CSS  // the columns' titles, where a table is narrow
	Bars                 template.CSS  // how wide the years' bars are
	Script               template.HTML
	Contents             []link
	Numbers              string // heads the overview's number column; empty: none
	Overview             template.HTML
	Kept                 []keptCard
	Locked               string // that what is kept is used for nothing else
	Categories           []categoryRow
	SystemsTitle         string
	Passed               []passedTable // to whom data went, where the law wants that apart
	Systems              []*systemView
	LeftOut              []leftView
	NothingLeftOut       string
	Identifiers          []identifierRow
	Own                  []string // what Habeas keeps itself
	Rights, Also         []string
	Automated, Transfers string
	Notices              []string // who received what was changed, and is told
	Countries            []string // who receives what is in the answer, by country
	Complaint            []complaintView
	Folder               []pair
}

type (
	stat        struct{ Number, Label string }
	pair        struct{ Name, Value string }
	link        struct{ ID, Title string }
	overviewRow struct{ ID, Title, Class, Badge, Sentence, Number string }
	keptCard    struct{ Title, Count, System, Earlier, Ground, Source, Until string }
	categoryRow struct{ Name, Data, Sources, Purposes, Recipients string }
	leftView    struct{ What, Why string }

	systemView struct {
		ID, Title string
		Actions   *actions
		Notes     []pair // what the numbers don't say, by dataset
		Proven    string
		Limits    string
		Backups   string
		GoesOn    string
		Decisions []string
		Articles  template.HTML // cut, where it is told what is held and why
		Empty     string

		of     *statement.System
		answer overviewRow
		number int64 // of the overview
		rows   []*doneRow
		tables []*table
		empty  []string
	}
	actions struct {
		Columns []string
		Rows    []actionRow
	}
	actionRow struct {
		Title   string
		Numbers []string
	}
	head struct{ Title, Class string }
	// articleView is what is told of a dataset beside its records.
	articleView struct {
		ID, Title, System string
		Facts             []pair
		Columns           []head
		Cards, Folded     bool
		CSV, JSON         string
		Cut               template.HTML
	}
	identifierRow struct{ Type, Value, How string }
	complaintView struct {
		statement.Authority
		Link bool
	}
)

// page writes index.html from an answer and the records that it shows.
func (b *build) page(d *statement.Document, letter *Letter, told string) error {
	p := newPager(b, d)
	p.fill(letter, told)
	frame := &b.buffers.frame
	frame.Reset()
	if err := pageTemplates.in(b.words).Execute(frame, p.page); err != nil {
		return fmt.Errorf("bundle: %s: %w", pageFile, err)
	}
	// What is told of datasets, and their records, are put in where the frame is cut. Texts
	// can't cut it: html/template and appendEscaped write no NUL.
	out, rest := pageOut{b: b, html: b.buffers.page[:0]}, frame.Bytes()
	next := func() error {
		before, after, ok := bytes.Cut(rest, []byte(cut))
		if !ok {
			return fmt.Errorf("bundle: %s: no place for records", pageFile)
		}
		out.html, rest = append(out.html, before...), after
		return nil
	}
	for _, v := range p.views {
		if len(v.tables) == 0 {
			continue
		}
		if err := next(); err != nil {
			return err
		}
		for _, t := range v.tables {
			if err := p.appendWhy(&out, t); err != nil {
				return err
			}
		}
	}
	if p.page.Records != "" {
		if err := next(); err != nil {
			return err
		}
	}
	for _, v := range p.views {
		for _, t := range v.tables {
			if err := p.appendSet(&out, t); err != nil {
				return err
			}
		}
	}
	out.html = append(out.html, rest...)
	return out.close()
}

// pageOut collects index.html, and writes it as it comes once it has grown large.
type pageOut struct {
	b     *build
	html  []byte
	entry *entry
}

// add adds a piece of records.
func (o *pageOut) add(html []byte) error {
	o.html = append(o.html, html...)
	return o.flush()
}

// flush moves a page that has grown large to the archive.
func (o *pageOut) flush() error {
	if o.entry == nil {
		if len(o.html) <= keepBelow {
			return nil
		}
		e, err := o.b.archive.openPayload(pageFile)
		if err != nil {
			return err
		}
		o.entry = e
	}
	if len(o.html) < flushAt {
		return nil
	}
	err := o.entry.write(o.html)
	o.html = o.html[:0]
	return err
}

func (o *pageOut) close() (err error) {
	o.b.buffers.page = o.html
	if o.entry == nil {
		_, err = o.b.archive.addPayload(pageFile, o.html)
		return err
	}
	if err = o.entry.write(o.html); err == nil {
		_, err = o.entry.close()
	}
	return err
}

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

// appendWhy adds what is told of a dataset: what it is for, and what can be asked of it.
func (p *pager) appendWhy(out *pageOut, t *table) error {
	shape, err := t.shape(t.columns)
	if err != nil {
		return err
	}
	piece := &shape.article
	out.html = append(out.html, piece[whyHead]...)
	out.html = append(out.html, p.w.Count(t.records, "record")...)
	out.html = append(out.html, piece[whyFacts]...)
	out.html = p.appendAsks(out.html, t)
	out.html = append(out.html, piece[whyEnd]...)
	return out.flush()
}

// appendSet adds the records of a dataset: the first of them, and the others behind a click.
func (p *pager) appendSet(out *pageOut, t *table) error {
	shape, err := t.shape(t.columns)
	if err != nil {
		return err
	}
	w, piece, rows := p.w, &shape.article, &p.build.buffers.preview
	add := func(parts ...[]byte) {
		for _, part := range parts {
			out.html = append(out.html, part...)
		}
	}
	add(piece[setHead], []byte(w.Count(t.records, "record")), piece[setBody])
	if t.preview.rows > 0 {
		add(piece[setOpen])
		if err := rows.each(t.preview.from, t.preview.fold, out.add); err != nil {
			return err
		}
		add(piece[setClose])
	}
	if t.preview.to > t.preview.fold {
		add(piece[moreHead])
		out.html = appendEscaped(out.html, fmt.Sprintf(w.More, w.Number(int64(t.preview.rows-previewOpen))))
		add(piece[moreBody], piece[setOpen])
		if err := rows.each(t.preview.fold, t.preview.to, out.add); err != nil {
			return err
		}
		add(piece[setClose], piece[moreEnd])
	}
	add(piece[setFiles])
	if shown := int64(t.preview.rows); shown < t.records {
		out.html = appendEscaped(out.html, fmt.Sprintf(w.Preview, w.Number(shown), w.Number(t.records))+" ")
	}
	add(piece[setForms])
	out.html = t.appendApp(out.html)
	add(piece[setEnd])
	return out.flush()
}
