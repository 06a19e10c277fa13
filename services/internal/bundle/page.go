package bundle

import (
	"bytes"
	_ "embed" // the page's template and style
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

// The templates are parsed once, for each language; html/template escapes
// whatever is put in.
var (
	pageTemplates    = templates{text: func() string { return strings.Replace(pageText, "/*page.css*/", pageStyle, 1) }}
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
	CategoriesLead       string
	Stats                []stat
	Meta                 []pair
	Letter               *Letter
	Contents             []link
	Numbers              string // heads the overview's number column; empty: none
	Overview             template.HTML
	Kept                 []keptCard
	Locked               string // that what is kept is used for nothing else
	Categories           []categoryRow
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
		Articles  template.HTML // cut, where the articles go
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
		statement.Authority
		Link bool
	}
)

// page renders index.html from an answer and the records that it shows.
func (b *build) page(d *statement.Document, letter *Letter, told string) ([]byte, error) {
	p := newPager(b, d)
	p.fill(letter, told)
	frame := &b.buffers.frame
	frame.Reset()
	if err := pageTemplates.in(b.words).Execute(frame, p.page); err != nil {
		return nil, fmt.Errorf("bundle: %s: %w", pageFile, err)
	}
	// The articles are put in where the frame is cut. Texts can't cut it:
	// html/template and appendEscaped write no NUL.
	html, rest := b.buffers.page[:0], frame.Bytes()
	for _, v := range p.views {
		if len(v.tables) == 0 {
			continue
		}
		before, after, ok := bytes.Cut(rest, []byte(cut))
		if !ok {
			return nil, fmt.Errorf("bundle: %s: no place for %s", pageFile, v.of.System)
		}
		html, rest = append(html, before...), after
		for _, t := range v.tables {
			var err error
			if html, err = b.appendArticle(html, t); err != nil {
				return nil, err
			}
		}
	}
	b.buffers.page = append(html, rest...)
	return b.buffers.page, nil
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

// appendArticle adds a dataset's article: what is told of it, and its records.
func (b *build) appendArticle(html []byte, t *table) ([]byte, error) {
	shape, err := t.shape(t.columns)
	if err != nil {
		return nil, err
	}
	w, piece := b.words, &shape.article
	html = append(html, piece[articleHead]...)
	html = append(html, w.Count(t.records, "record")...)
	html = append(html, piece[articleFacts]...)
	rows := b.buffers.preview[t.preview.from:t.preview.to]
	switch {
	case t.preview.rows == 0:
	case t.records == 1:
		html = append(html, piece[articleUpright]...)
		html = appendUpright(html, rows, t.columns)
		html = append(html, piece[articleTableEnd]...)
	default:
		html = append(html, piece[articleTable]...)
		html = append(html, rows...)
		html = append(html, piece[articleTableEnd]...)
	}
	html = append(html, piece[articleFiles]...)
	if shown := int64(t.preview.rows); shown < t.records {
		html = appendEscaped(html, fmt.Sprintf(w.Preview, w.Number(shown), w.Number(t.records))+" ")
	}
	return append(html, piece[articleEnd]...), nil
}
