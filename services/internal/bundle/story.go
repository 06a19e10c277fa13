package bundle

import (
	"cmp"
	"fmt"
	"html/template"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"habeas.dev/pkg/dsar"
	"habeas.dev/services/internal/statement"
)

// The story tells what is held before it is shown: since when, how much of what, and year
// by year. It is written from statements alone.

type (
	// storyItem is how many records there are of a kind, with the words before the next.
	storyItem struct{ ID, Text, Then string }
	// yearView is what is held of one year.
	yearView struct{ Year, Text string }
)

// counted is how many records are of a dataset.
type counted struct {
	table   *table
	records int64
}

// yearCount is what is held of one year.
type yearCount struct {
	year int
	of   []counted
}

// byYear takes in of which years a dataset's records are.
func (p *pager) byYear(s statement.Said) {
	t := p.build.tableOf(s.System, s.Dataset)
	if t == nil {
		return
	}
	for _, y := range s.Years {
		at, there := slices.BinarySearchFunc(p.years, y.Year, func(c yearCount, year int) int { return c.year - year })
		if !there {
			p.years = slices.Insert(p.years, at, yearCount{year: y.Year})
		}
		p.years[at].of = append(p.years[at].of, counted{t, y.Records})
	}
}

// story fills the story, where records are shown.
func (p *pager) story() {
	w := p.w
	p.page.SystemsTitle = w.Systems
	var all []counted
	for _, v := range p.views {
		for _, t := range v.tables {
			all = append(all, counted{t, t.records})
			p.page.Sets = append(p.page.Sets, link{t.id(), t.title})
		}
	}
	if len(all) == 0 {
		return
	}
	p.page.SystemsTitle, p.page.Records, p.page.Script = w.WhoHas, template.HTML(cut), scriptElement
	p.page.Labels = p.labels(all)
	p.page.Since = strings.TrimSuffix(cmp.Or(p.page.Since, w.YouHave), ".")
	p.page.Story = p.items(all, talesKinds)
	var most int64
	for _, y := range p.years {
		most = max(most, sumOf(y.of))
	}
	var bars strings.Builder
	for i, y := range p.years {
		fmt.Fprintf(&bars, ".years li:nth-child(%d) i{width:%d%%}\n", i+1, max(2, 100*sumOf(y.of)/most))
		var texts []string
		for _, item := range p.items(y.of, yearsKinds) {
			texts = append(texts, item.Text)
		}
		p.page.Years = append(p.page.Years, yearView{strconv.Itoa(y.year), strings.Join(texts, ", ")})
	}
	p.page.Bars = template.CSS(bars.String()) //nolint:gosec // numbers
}

func sumOf(all []counted) (n int64) {
	for _, c := range all {
		n += c.records
	}
	return n
}

// The story names so many kinds of records, those of which there are most, and each year of
// it so many: it is a sentence, and no list.
const (
	talesKinds = 9
	yearsKinds = 5
)

// largest returns those of the kinds that the manifests have a word for, the largest ones, in
// their order, and how many records are of the others.
func largest(all []counted, most int) (named []counted, rest int64) {
	for _, c := range all {
		if c.table.counted() != nil {
			named = append(named, c)
		}
	}
	rest = sumOf(all)
	if len(named) > most {
		bySize := slices.Clone(named)
		slices.SortStableFunc(bySize, func(a, b counted) int { return cmp.Compare(b.records, a.records) })
		named = slices.DeleteFunc(named, func(c counted) bool { return !slices.Contains(bySize[:most], c) })
	}
	return named, rest - sumOf(named)
}

// items says how much there is of what: of the largest kinds that the manifests have a word
// for, and of the rest how much there is.
func (p *pager) items(all []counted, most int) []storyItem {
	w := p.w
	named, rest := largest(all, most)
	var out []storyItem
	for _, c := range named {
		out = append(out, storyItem{ID: c.table.id(), Text: w.Number(c.records) + "\u00a0" + w.Form(c.records, [2]string(c.table.counted()))})
	}
	switch {
	case rest > 0 && len(out) > 0:
		out = append(out, storyItem{ID: "records", Text: w.Count(rest, "other")})
	case rest > 0:
		out = append(out, storyItem{ID: "records", Text: w.Count(rest, "record")})
	}
	for i := range out {
		switch {
		case i == len(out)-1:
			out[i].Then = "."
		case i == len(out)-2:
			out[i].Then = " " + w.And + " "
		default:
			out[i].Then = ", "
		}
	}
	return out
}

// counted returns what one record of the dataset is called, and several; nil where the
// manifest doesn't say.
func (pl *plan) counted() []string {
	forms := pl.dataset.Counted[pl.words.Tag]
	if len(forms) != 2 {
		if forms = pl.dataset.Counted["en"]; len(forms) != 2 || pl.words.Tag != "en" {
			return nil
		}
	}
	return forms
}

// labels returns the style by which each value of a narrow table has its column's title.
func (p *pager) labels(all []counted) template.CSS {
	var b strings.Builder
	for _, c := range all {
		if c.table.preview.cards {
			continue
		}
		for i := range c.table.columns {
			fmt.Fprintf(&b, "#%s td:nth-child(%d)::before{content:\"", c.table.id(), i+1)
			cssText(&b, c.table.columns[i].title)
			b.WriteString("\"}\n")
		}
	}
	return template.CSS(b.String()) //nolint:gosec // names of our own, and escaped texts
}

// cssText writes a text into a string of a style: all but letters and digits as escapes, so
// that nothing ends it.
func cssText(b *strings.Builder, text string) {
	for _, r := range text {
		if r < 0x80 && (r >= '0' && r <= '9' || r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r == ' ') {
			b.WriteRune(r)
			continue
		}
		if r == 0 {
			r = '\uFFFD'
		}
		fmt.Fprintf(b, "\\%06x", r)
	}
}

// appendAsks adds what can be asked of a dataset at the portal, where the law grants it.
func (p *pager) appendAsks(html []byte, t *table) []byte {
	r := &p.doc.Request
	if p.build.in.Portal == "" || r.Jurisdiction == "" {
		return html
	}
	open := false
	for _, ask := range []struct {
		right dsar.Right
		text  string
	}{{dsar.Rectification, p.w.Wrong}, {dsar.Erasure, p.w.EraseThis}} {
		if !slices.Contains(p.doc.Controller.Grants, ask.right) {
			continue
		}
		if !open {
			html, open = append(html, `<p class="asks">`...), true
		}
		to := p.build.in.Portal + "/ask?" + url.Values{"law": {r.Jurisdiction}, "right": {string(ask.right)}, "of": {r.ID}, "what": {t.system + "." + t.dataset.Name}}.Encode()
		html = appendEscaped(append(html, `<a rel="noreferrer" href="`...), to)
		html = appendEscaped(append(html, `">`...), ask.text)
		html = append(html, "</a> "...)
	}
	if open {
		html = append(html, "</p>\n"...)
	}
	return html
}
