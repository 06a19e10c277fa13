package bundle

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"html/template"
	"slices"
	"strings"
	"sync"

	"habeas.dev/pkg/dsar"
	"habeas.dev/pkg/manifest"
	"habeas.dev/pkg/record"
	"habeas.dev/services/internal/statement"
	"habeas.dev/services/internal/words"
)

const (
	// maxPlans and maxShapes bound what a Writer remembers: more datasets, and
	// more forms of one, than any installation has. Beyond them it forgets all
	// and begins again.
	maxPlans  = 4096
	maxShapes = 64
)

// plans remembers how datasets are written, by manifest: preparing one costs
// more than writing a typical person's records of it.
type plans struct {
	mu    sync.RWMutex
	byKey map[planKey][]*plan
}

type planKey struct {
	dataset     *manifest.Dataset
	words       *words.Answer
	portability bool
}

// plan is how a section of a dataset is written. It doesn't change.
type plan struct {
	system  string
	dataset *manifest.Dataset
	words   *words.Answer
	title   string
	// systemTitle is the system's, as people read it.
	systemTitle string
	// recipients are those of the dataset, as people read them.
	recipients string

	names   []string // of the section's columns
	columns []column // those that the right covers, as before the first row
	// leftOut are the section's columns that the right doesn't cover, in their places, each
	// with the reason; nil where it covers all.
	leftOut      []statement.Hidden
	dated, since int      // the section's columns with the record's date, and the day since which the person is a customer; -1: none
	file, named  int      // the columns with a file's content and name; -1: none
	others       []others // what of its records is about other people
	app          *app     // the form in which its records are written once more; nil: none

	csvHeader, csvPrefix, jsonPrefix []byte

	mu     sync.RWMutex
	shapes map[string]*shape // by the columns' types after the last row
}

// shape is what is written about a dataset apart from its records, in pieces
// between which numbers and hashes go.
type shape struct {
	// article are the pieces of index.html, see page_article.gohtml.
	article [articlePieces][]byte
	// Of datapackage.json: up to the length and from the hash on, for both files.
	csvHead, csvTail, jsonHead, jsonTail []byte
}

// of returns the plan of a section, from the cache where there is one.
func (p *plans) of(m *manifest.Manifest, ds *manifest.Dataset, sec record.Section, w *words.Answer, portability bool) (*plan, error) {
	key := planKey{ds, w, portability}
	p.mu.RLock()
	known := p.byKey[key]
	p.mu.RUnlock()
	for _, pl := range known {
		if slices.Equal(pl.names, sec.Columns) {
			return pl, nil
		}
	}
	pl, err := newPlan(m, ds, sec, key)
	if err != nil {
		return nil, err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.byKey == nil || len(p.byKey) >= maxPlans {
		p.byKey = map[planKey][]*plan{}
	}
	if known := p.byKey[key]; len(known) < maxShapes {
		p.byKey[key] = append(slices.Clip(known), pl)
	}
	return pl, nil
}

// newPlan prepares a section: its columns MUST all be declared, since an
// undeclared one could be anything, even what must never be shown.
func newPlan(m *manifest.Manifest, ds *manifest.Dataset, sec record.Section, key planKey) (*plan, error) {
	w := key.words
	pl := &plan{
		system: m.System, systemTitle: titleOr(w.Text(m.Title), m.System), dataset: ds, words: w, dated: slices.Index(sec.Columns, ds.DateColumn()), since: slices.Index(sec.Columns, ds.Since), recipients: words.TitleCase(strings.Join(recipients(m, ds, w.Language), ", ")), title: titleOr(w.Text(ds.Title), ds.Name), names: slices.Clone(sec.Columns), shapes: map[string]*shape{},
		csvHeader:  []byte(mark + systemColumn + "," + datasetColumn),
		csvPrefix:  []byte(m.System + "," + ds.Name),
		jsonPrefix: []byte(`{"` + systemColumn + `":"` + m.System + `","` + datasetColumn + `":"` + ds.Name + `"`),
	}
	for i, name := range sec.Columns {
		if slices.Contains(sec.Columns[:i], name) {
			return nil, fmt.Errorf("dataset %s has the column %q twice", ds.Name, name)
		}
		c, err := newColumn(ds, name, w)
		if err != nil {
			return nil, err
		}
		if why := uncovered(ds, name); key.portability && why != "" {
			if pl.leftOut == nil {
				pl.leftOut = make([]statement.Hidden, len(sec.Columns))
			}
			pl.leftOut[i] = statement.Hidden{Column: statement.Column{Column: name, Title: c.title}, Kind: why}
			continue
		}
		pl.columns = append(pl.columns, c)
		pl.csvHeader = append(pl.csvHeader, ',')
		if text := []byte(name); needsQuotes(text) {
			pl.csvHeader = appendQuoted(append(pl.csvHeader, '"'), text)
		} else {
			pl.csvHeader = append(pl.csvHeader, name...)
		}
	}
	pl.csvHeader = append(pl.csvHeader, '\r', '\n')
	pl.file, pl.named = -1, -1
	if f := ds.File; f != nil {
		pl.file = slices.IndexFunc(pl.columns, func(c column) bool { return c.name == f.Content && c.secret == "" })
		pl.named = slices.IndexFunc(pl.columns, func(c column) bool { return c.name == f.Name && c.secret == "" })
	}
	if pl.file >= 0 {
		pl.columns[pl.file].file = m.System + "/" + ds.Name + "/"
	}
	pl.others = newOthers(ds, pl.names)
	pl.app = newApp(pl)
	return pl, nil
}

// uncovered returns why the right to take data along doesn't cover a column; empty where it
// does.
func uncovered(ds *manifest.Dataset, column string) string {
	n := ds.NatureOf(ds.Column(column))
	return statement.Uncovered(dsar.Portability, string(n.Origin), n.LegalBasis)
}

func newColumn(ds *manifest.Dataset, name string, w *words.Answer) (column, error) {
	if name == systemColumn || name == datasetColumn {
		return column{}, fmt.Errorf("dataset %s has a column %s, a name that the bundle needs itself", ds.Name, name)
	}
	at := slices.IndexFunc(ds.Columns, func(c manifest.Column) bool { return c.Name == name })
	if at < 0 {
		return column{}, fmt.Errorf("dataset %s, column %q: %w", ds.Name, name, ErrUndeclared)
	}
	declared := &ds.Columns[at]
	key, err := json.Marshal(name)
	if err != nil {
		return column{}, fmt.Errorf("dataset %s: %w", ds.Name, err)
	}
	c := column{name: name, typ: titleOr(declared.Type, "string"), title: columnTitle(declared, w.Language), meaning: meaningOf(declared)}
	c.key = append(append([]byte{','}, key...), ':')
	if declared.Secret.Hides() {
		c.secret, c.kind, c.typ = declared.Secret, string(declared.Secret), "string"
		if c.secret == manifest.OtherSecret {
			c.kind = "secret"
		}
	}
	return c, nil
}

// shape returns what is written about the dataset, once its columns' types are
// known.
func (pl *plan) shape(columns []column) (*shape, error) {
	var sign [256]byte
	key := sign[:0]
	for i := range columns {
		c := &columns[i]
		key = append(key, c.typ...)
		if c.held {
			key = append(key, '!')
		}
		if c.folded {
			key = append(key, '-')
		}
		key = append(key, ',')
	}
	pl.mu.RLock()
	s := pl.shapes[string(key)]
	pl.mu.RUnlock()
	if s != nil {
		return s, nil
	}
	s, err := pl.newShape(columns)
	if err != nil {
		return nil, err
	}
	pl.mu.Lock()
	defer pl.mu.Unlock()
	if len(pl.shapes) >= maxShapes {
		pl.shapes = map[string]*shape{}
	}
	pl.shapes[string(key)] = s
	return s, nil
}

// cut marks the places in a rendered text where a number is put in later. It can't
// come from a manifest: names are checked and texts are escaped.
const cut = "\x00"

func (pl *plan) newShape(columns []column) (*shape, error) {
	s := &shape{}
	var page bytes.Buffer
	view := articleView{
		ID: pl.id(), Title: pl.title, System: pl.systemTitle, Facts: pl.facts(), Cards: pl.cards(columns),
		CSV: pl.csvName(), JSON: pl.jsonName(), Cut: template.HTML(cut),
	}
	for i := range columns {
		c := &columns[i]
		h := head{Title: c.title}
		if c.secret == "" && (c.typ == "integer" || c.typ == "number") {
			h.Class = "num"
		}
		if c.folded {
			h.Class = strings.TrimSpace(h.Class + " id")
			view.Folded = true
		}
		view.Columns = append(view.Columns, h)
	}
	if err := articleTemplates.in(pl.words).Execute(&page, view); err != nil {
		return nil, fmt.Errorf("bundle: %s: %w", pageFile, err)
	}
	pieces := bytes.Split(page.Bytes(), []byte(cut))
	if len(pieces) != articlePieces {
		return nil, fmt.Errorf("bundle: %s: %d pieces of an article", pageFile, len(pieces))
	}
	copy(s.article[:], pieces)

	csv, jsonFile := pl.resources(columns)
	var err error
	if s.csvHead, s.csvTail, err = splitResource(csv); err != nil {
		return nil, err
	}
	s.jsonHead, s.jsonTail, err = splitResource(jsonFile)
	return s, err
}

// splitResource marshals a resource without its length, hash and number of
// records, and cuts it where these go.
func splitResource(r resource) (before, after []byte, err error) {
	text, err := marshal(r)
	if err != nil {
		return nil, nil, err
	}
	const gap = `"bytes":0,"hash":"",`
	head, tail, ok := strings.Cut(string(text), gap)
	if !ok {
		return nil, nil, fmt.Errorf("bundle: %s: no place for the hash", packageFile)
	}
	return []byte(head), []byte(tail), nil
}

// id returns the anchor of the dataset's records on the page.
func (pl *plan) id() string { return "d-" + pl.system + "-" + pl.dataset.Name }

// cards reports whether records of these columns are cards.
func (pl *plan) cards(columns []column) bool {
	shown := 0
	for i := range columns {
		if !columns[i].folded {
			shown++
		}
	}
	return shown > tableColumns
}

func (pl *plan) csvName() string  { return pl.system + "/" + pl.dataset.Name + ".csv" }
func (pl *plan) jsonName() string { return pl.system + "/" + pl.dataset.Name + ".json" }

// basesOf says on what a dataset's purposes rest, each basis once.
func basesOf(w *words.Answer, d *manifest.Dataset) string {
	var all []string
	for _, basis := range d.Bases() {
		all = append(all, words.Named(w.Bases, basis))
	}
	return strings.Join(all, w.Semicolon+" ")
}

// facts returns what the law wants told beside the data (GDPR art. 15(1)).
func (pl *plan) facts() []pair {
	w, d := pl.words, pl.dataset
	recipients := cmp.Or(pl.recipients, w.NoRecipients)
	out := []pair{
		{w.Purpose, w.Text(d.Purpose)}, {w.Storage, w.Text(d.Storage)}, {w.Origin, words.Named(w.Origins, d.Origin)},
		{w.LegalBasis, basesOf(w, d)}, {w.Recipients, recipients}, {w.Category, words.TitleCase(words.Named(w.CategoryName, d.Category))},
	}
	if d.Sensitive {
		out = append(out, pair{w.Sensitive, words.TitleCase(w.Yes)})
	}
	for i := range d.Columns {
		if c := &d.Columns[i]; c.Differs() {
			out = append(out, pair{fmt.Sprintf(w.Apart, columnTitle(c, w.Language)), pl.own(d.Nature(), d.NatureOf(c))})
		}
	}
	return out
}

// own says what a column is, as far as it isn't what its dataset is.
func (pl *plan) own(dataset, column manifest.Nature) string {
	w := pl.words
	var parts []string
	add := func(differs bool, text string) {
		if differs {
			parts = append(parts, words.TitleCase(text))
		}
	}
	add(column.Origin != dataset.Origin, words.Named(w.Origins, column.Origin))
	add(!slices.Equal(column.Purposes, dataset.Purposes), w.Text(column.Purpose))
	add(column.LegalBasis != dataset.LegalBasis, words.Named(w.Bases, column.LegalBasis))
	add(column.Category != dataset.Category, words.Named(w.CategoryName, column.Category))
	add(column.Sensitive && !dataset.Sensitive, w.Sensitive)
	return strings.Join(parts, " · ")
}
