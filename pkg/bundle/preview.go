package bundle

import (
	"encoding/json"
	"html/template"
	"unicode/utf8"
)

const (
	// previewRows is how many records of a dataset the page shows. It is a page
	// to read; who wants all opens the files.
	previewRows = 50
	// previewCell is the most bytes of one value that the page shows.
	previewCell = 400
	// previewTotal bounds the page's tables together, so that the page stays
	// small whatever the number of datasets and columns. Datasets beyond it are
	// shown without records.
	previewTotal = 2 << 20
)

// preview is the part of a dataset that the page shows: HTML table rows. Every
// value is escaped for the one context in which it stands, an element's text
// (TestPreviewEscapes, TestHostileRecords).
type preview struct {
	w    *words
	html []byte
	rows int
	// first has the cells of the first record: a dataset of one record reads
	// better upright.
	first []span
}

type span struct{ from, to int }

// row adds a record. hidden tells which values are masked.
func (p *preview) row(columns []column, row []json.RawMessage) {
	p.html = append(p.html, "<tr>"...)
	for i := range columns {
		from := len(p.html)
		p.cell(row[i], columns[i].hide)
		if p.rows == 0 {
			p.first = append(p.first, span{from, len(p.html)})
		}
	}
	p.html = append(p.html, "</tr>\n"...)
	p.rows++
}

func (p *preview) cell(raw json.RawMessage, hide bool) {
	switch {
	case len(raw) == 0 || raw[0] == 'n' || len(raw) == 2 && raw[0] == '"':
		p.html = append(p.html, `<td class="nil">–</td>`...)
		return
	case hide:
		p.html = append(p.html, `<td class="nil">`...)
		p.html = appendEscaped(p.html, p.w.hidden)
	case raw[0] == '"':
		p.html = append(p.html, `<td>`...)
		if text, ok := plainString(raw); ok {
			p.html = appendCut(p.html, text)
		} else {
			p.html = appendCut(p.html, []byte(unquote(raw)))
		}
	case raw[0] == 't':
		p.html = append(p.html, `<td>`...)
		p.html = append(p.html, p.w.yes...)
	case raw[0] == 'f':
		p.html = append(p.html, `<td>`...)
		p.html = append(p.html, p.w.no...)
	case raw[0] == '{' || raw[0] == '[':
		p.html = append(p.html, `<td class="code">`...)
		p.html = appendCut(p.html, raw)
	default:
		p.html = append(p.html, `<td class="num">`...)
		p.html = appendCut(p.html, raw)
	}
	p.html = append(p.html, `</td>`...)
}

// table is the body of the dataset's table: its rows, or the fields of its one
// record.
func (p *preview) table(columns []column) template.HTML {
	if p.rows != 1 {
		return template.HTML(p.html)
	}
	var b []byte
	for i, c := range columns {
		b = append(b, `<tr><th scope="row">`...)
		b = appendEscaped(b, c.title)
		b = append(b, `</th>`...)
		b = append(b, p.html[p.first[i].from:p.first[i].to]...)
		b = append(b, "</tr>\n"...)
	}
	return template.HTML(b)
}

// appendCut adds an escaped text, cut at a character's end.
func appendCut(dst, text []byte) []byte {
	if len(text) <= previewCell {
		return appendEscaped(dst, text)
	}
	n := previewCell
	for n > 0 && !utf8.RuneStart(text[n]) {
		n--
	}
	return append(appendEscaped(dst, text[:n]), "…"...)
}

// appendEscaped adds a text as html/template would escape it in an element.
func appendEscaped[T string | []byte](dst []byte, text T) []byte {
	from := 0
	for i := range len(text) {
		var esc string
		switch text[i] {
		case '&':
			esc = "&amp;"
		case '<':
			esc = "&lt;"
		case '>':
			esc = "&gt;"
		case '"':
			esc = "&#34;"
		case '\'':
			esc = "&#39;"
		case '+':
			esc = "&#43;"
		case 0:
			esc = "\uFFFD"
		default:
			continue
		}
		dst = append(dst, text[from:i]...)
		dst = append(dst, esc...)
		from = i + 1
	}
	return append(dst, text[from:]...)
}
