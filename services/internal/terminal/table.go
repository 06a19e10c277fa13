package terminal

import (
	"strings"
	"unicode/utf8"
)

// Cell is a cell of a table; a Colour paints it.
type Cell struct {
	Text   string
	Colour Colour
}

// gap is what stands between two columns of a table.
const gap = 2

// Table returns the lines of a table, its first row being the heads. On a screen a line
// ends where that does: what doesn't fit of the last column is left out.
func (t Terminal) Table(rows [][]Cell) []string {
	var widths []int
	for _, row := range rows {
		for i, c := range row {
			if i == len(widths) {
				widths = append(widths, 0)
			}
			widths[i] = max(widths[i], utf8.RuneCountInString(c.Text))
		}
	}
	out := make([]string, len(rows))
	for r, row := range rows {
		var b strings.Builder
		room := t.Width
		for i, c := range row {
			text, colour := c.Text, c.Colour
			if r == 0 {
				colour = Quiet
			}
			if i == len(row)-1 {
				b.WriteString(t.Paint(colour, t.cut(text, room)))
				continue
			}
			room -= widths[i] + gap
			b.WriteString(t.Paint(colour, text))
			b.WriteString(strings.Repeat(" ", widths[i]+gap-utf8.RuneCountInString(text)))
		}
		out[r] = strings.TrimRight(b.String(), " ")
	}
	return out
}

// cut leaves out of a text what a line has no room for; without a screen, nothing.
func (t Terminal) cut(text string, room int) string {
	if t.Width == 0 || utf8.RuneCountInString(text) <= room {
		return text
	}
	end := "..."
	if t.Unicode {
		end = "…"
	}
	keep := max(room-utf8.RuneCountInString(end), 0)
	return string([]rune(text)[:keep]) + end
}
