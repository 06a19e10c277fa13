package bundle

import (
	"encoding/json"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"habeas.dev/services/internal/words"
)

const (
	// previewOpen is how many records of a dataset the page shows at once; the others are
	// behind one click, so that a page of thousands is laid out, and printed, as a short one.
	previewOpen = 20
	// previewRows is how many records of a dataset the page has as long as there is room,
	// and previewMost how many it has at most. Who wants all opens the files.
	previewRows = 50
	previewMost = 10_000
	// previewCell is the most bytes of one value that the page shows.
	previewCell = 2000
	// previewTotal bounds the page's records together, so that the page stays small
	// whatever the number of datasets and columns: datasets beyond it are shown without
	// records. Of previewMany on, a dataset has previewRows.
	previewMany  = 3 << 20
	previewTotal = 4 << 20
	// tableColumns is how many columns a table has at most; records of more are cards.
	tableColumns = 6
)

// preview is the part of a dataset that the page shows: HTML of its records. Every value
// is escaped for the one context in which it stands, an element's text (TestPreviewEscapes).
type preview struct {
	w        *words.Answer
	rows     int
	from, to int // where its rows are in buffers.preview
	fold     int // where those begin that are behind a click
	cards    bool
	empties  []string
}

// room reports whether one more record goes onto the page.
func (p *preview) room(taken int) bool {
	switch {
	case taken >= previewTotal:
		return false
	case p.rows < previewRows:
		return true
	default:
		return p.rows < previewMost && taken < previewMany
	}
}

// arrange decides by a dataset's first record how all are shown: which columns hold what
// only programs read, and whether records are rows of a table or cards.
func (p *preview) arrange(columns []column, row []json.RawMessage) {
	shown := 0
	for i := range columns {
		c := &columns[i]
		c.folded = c.id && c.secret == "" && opaque(row[i])
		if !c.folded {
			shown++
		}
	}
	if shown == 0 { // it is all that there is
		for i := range columns {
			columns[i].folded = false
		}
		shown = len(columns)
	}
	p.cards = shown > tableColumns
}

// row adds a record to the page's.
func (p *preview) row(to *spool, columns []column, row []json.RawMessage, year int) {
	if p.rows == 0 {
		p.from = to.len()
	}
	html := to.next()
	tag := "tr"
	if p.cards {
		tag = "li"
	}
	html = append(append(html, '<'), tag...)
	if year > 0 {
		html = append(html, ` data-y="`...)
		html = append(strconv.AppendInt(html, int64(year), 10), '"')
	}
	html = append(html, '>')
	if p.cards {
		html = p.card(html, columns, row)
	} else {
		for i := range columns {
			html = p.cell(html, row[i], &columns[i])
		}
	}
	html = append(append(append(html, "</"...), tag...), ">\n"...)
	to.took(html)
	p.rows++
	p.to = to.len()
	if p.rows <= previewOpen {
		p.fold = p.to
	}
}

func (p *preview) cell(html []byte, raw json.RawMessage, c *column) []byte {
	class := p.class(raw, c)
	if c.folded {
		class = strings.TrimSpace(class + " id")
	}
	html = append(html, "<td"...)
	html = appendClass(html, class)
	return append(p.value(html, raw, c), "</td>"...)
}

func appendClass(html []byte, class string) []byte {
	if class != "" {
		html = append(append(append(html, ` class="`...), class...), '"')
	}
	return append(html, '>')
}

// card adds a record's values, each with its title; what is empty is named at the end.
func (p *preview) card(html []byte, columns []column, row []json.RawMessage) []byte {
	html = append(html, "<dl>"...)
	p.empties = p.empties[:0]
	for i := range columns {
		c := &columns[i]
		if missing(row[i]) {
			if !c.folded {
				p.empties = append(p.empties, c.title)
			}
			continue
		}
		html = append(html, "<div"...)
		switch {
		case c.folded:
			html = appendClass(html, "id")
		case c.file != "" || len(row[i]) > 120 || row[i][0] == '{' || row[i][0] == '[':
			html = appendClass(html, "long")
		default:
			html = append(html, '>')
		}
		html = appendEscaped(append(html, "<dt>"...), c.title)
		html = append(html, "</dt><dd>"...)
		html = append(p.value(html, row[i], c), "</dd></div>"...)
	}
	html = append(html, "</dl>"...)
	if len(p.empties) > 0 {
		html = appendEscaped(append(html, `<p class="empty">`...), p.w.EmptyFields+p.w.Colon+" "+strings.Join(slices.Compact(p.empties), ", "))
		html = append(html, "</p>"...)
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
