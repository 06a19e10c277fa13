package bundle

import (
	"bytes"
	"encoding/json"
	"unicode/utf8"

	"habeas.dev/services/internal/words"
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
// (TestPreviewEscapes).
type preview struct {
	w        *words.Answer
	rows     int
	from, to int // where its rows are in buffers.preview
}

// row adds a record to the page's rows.
func (p *preview) row(html []byte, columns []column, row []json.RawMessage) []byte {
	if p.rows == 0 {
		p.from = len(html)
	}
	html = append(html, "<tr>"...)
	for i := range columns {
		html = p.cell(html, row[i], &columns[i])
	}
	html = append(html, "</tr>\n"...)
	p.rows++
	p.to = len(html)
	return html
}

func (p *preview) cell(html []byte, raw json.RawMessage, c *column) []byte {
	switch {
	case len(raw) == 0 || raw[0] == 'n' || len(raw) == 2 && raw[0] == '"':
		return append(html, `<td class="nil">–</td>`...)
	case bytes.Equal(raw, othersCell):
		html = appendEscaped(append(html, `<td class="nil">`...), p.w.OthersHidden)
	case c.secret != "":
		html = appendEscaped(append(html, `<td class="nil">`...), p.w.Hidden)
		if digits := c.ending(raw); digits != "" {
			html = append(append(html, " (… "...), digits+")"...)
		}
	case raw[0] == '"':
		html = append(html, `<td>`...)
		if text, ok := plainString(raw); ok {
			html = appendCut(html, text)
		} else {
			html = appendCut(html, []byte(unquote(raw)))
		}
	case raw[0] == 't':
		html = append(html, `<td>`...)
		html = append(html, p.w.Yes...)
	case raw[0] == 'f':
		html = append(html, `<td>`...)
		html = append(html, p.w.No...)
	case raw[0] == '{' || raw[0] == '[':
		html = append(html, `<td class="code">`...)
		html = appendCut(html, raw)
	default:
		html = append(html, `<td class="num">`...)
		html = appendCut(html, raw)
	}
	return append(html, `</td>`...)
}

// appendUpright adds the fields of a dataset's one record, a row each. Values
// are escaped: the end of a cell in row is the end of a cell.
func appendUpright(html, row []byte, columns []column) []byte {
	row = bytes.TrimPrefix(row, []byte("<tr>"))
	for i := range columns {
		var cell []byte
		cell, row, _ = bytes.Cut(row, []byte("</td>"))
		html = append(html, `<tr><th scope="row">`...)
		html = appendEscaped(html, columns[i].title)
		html = append(html, `</th>`...)
		html = append(html, cell...)
		html = append(html, "</td></tr>\n"...)
	}
	return html
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
