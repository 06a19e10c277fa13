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

	"habeas.dev/pkg/dsar"
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
	pageTemplates = sync.OnceValue(func() map[*words.Answer]*template.Template {
		return templates(strings.Replace(pageText, "/*page.css*/", pageStyle, 1))
	})
	articleTemplates = sync.OnceValue(func() map[*words.Answer]*template.Template { return templates(articleText) })
)

func templates(text string) map[*words.Answer]*template.Template {
	byWords := map[*words.Answer]*template.Template{}
	for _, l := range words.All() {
		w := &l.Answer
		byWords[w] = template.Must(template.New(pageFile).Parse(labelled(text, w)))
	}
	return byWords
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
	Tells                bool   // tells what is held, and so what of it is left out
	Overview             template.HTML
	Kept                 []keptCard
	Locked               bool // what is kept is used for nothing else
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
	keptCard    struct{ Title, Count, System, Earlier, Ground, Source, Until string }
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
		Title: w.Title[in.Right], Lead: w.Lead[in.Right], Letter: in.Letter,
		Locked: a.Locked, Statements: in.Policy.Statements, Automated: in.Policy.Automated, Transfers: in.Policy.Transfers,
	}
	if in.Lift {
		p.Title, p.Lead = w.LiftedTitle, w.LiftedLead
	}
	p.CategoriesLead = w.CategoriesLead
	if len(in.Unproven) > 0 {
		p.Title, p.Lead, p.CategoriesLead = w.UnprovenTitle, w.UnprovenLead, w.UnprovenCategories
	}
	if p.Title == "" {
		p.Title = titleOr(named(w.RightNames, in.Right), w.Title[dsar.Access])
	}
	p.Eyebrow = titleCase(named(w.RightNames, in.Right))
	if in.Policy.Law != "" {
		p.Eyebrow += " · " + in.Policy.Law
	}
	for _, r := range in.Policy.Grants {
		if s := w.RightMeans[r]; s != "" && r != in.Right {
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
	if err := pageTemplates()[w].Execute(frame, p); err != nil {
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
	html = append(html, w.Count(d.Records, "record")...)
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
		html = appendEscaped(html, fmt.Sprintf(w.Preview, w.Number(shown), w.Number(d.Records))+" ")
	}
	return append(html, piece[articleEnd]...)
}
