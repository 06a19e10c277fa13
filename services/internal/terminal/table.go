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

// least is how much of the last column must fit beside the others.
const least = 16

// indent is what a row's further lines begin with, on a screen too narrow for one.
const indent = 2

// Table returns the lines of a table, its first row being the heads, each cell by [Text]. Where
// a screen is too narrow for all columns, those that don't fit stand on lines of their own below
// the others, in each row; of a text that is longer than a whole line the end is left out.
func (t Terminal) Table(rows [][]Cell) []string {
	var widths []int
	for _, row := range rows {
		for i, c := range row {
			if i == len(widths) {
				widths = append(widths, 0)
			}
			widths[i] = max(widths[i], utf8.RuneCountInString(Text(c.Text)))
		}
	}
	starts := t.breaks(widths)
	var out []string
	for r, row := range rows {
		for n, from := range starts {
			to := len(row)
			if n+1 < len(starts) {
				to = min(to, starts[n+1])
			}
			if from >= to {
				continue
			}
			out = append(out, t.line(row[from:to], widths[from:to], n > 0, r == 0))
		}
	}
	return out
}

// breaks returns with which columns the lines of a row begin.
func (t Terminal) breaks(widths []int) []int {
	starts, used := []int{0}, 0
	for i, width := range widths {
		needs := width
		if i == len(widths)-1 {
			needs = min(width, least)
		}
		if t.Width > 0 && i > 0 && used+needs > t.Width {
			starts, used = append(starts, i), indent
		}
		used += width + gap
	}
	return starts
}

// line returns one line of a row.
func (t Terminal) line(cells []Cell, widths []int, further, head bool) string {
	var b strings.Builder
	room := t.Width
	if further {
		b.WriteString(strings.Repeat(" ", indent))
		room -= indent
	}
	for i, c := range cells {
		text, colour := Text(c.Text), c.Colour
		if head {
			colour = Quiet
		}
		text = t.cut(text, room)
		b.WriteString(t.Paint(colour, text))
		if i < len(cells)-1 {
			b.WriteString(strings.Repeat(" ", max(widths[i]+gap-utf8.RuneCountInString(text), 0)))
			room -= widths[i] + gap
		}
	}
	return strings.TrimRight(b.String(), " ")
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
