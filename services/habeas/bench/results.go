package bench

import (
	"fmt"
	"io"
	"slices"
	"text/tabwriter"
)

// results are what was measured, in sections.
type results []section

type section struct {
	title string
	lines []line
}

// line is one thing that was measured.
type line struct {
	what  string
	value float64
	unit  string
	note  string // what else is to be known of it
	aim   string
}

// section returns the section of a title, which it adds where there is none.
func (r *results) section(title string) *section {
	i := slices.IndexFunc(*r, func(s section) bool { return s.title == title })
	if i < 0 {
		i = len(*r)
		*r = append(*r, section{title: title})
	}
	return &(*r)[i]
}

func (s *section) add(l line) { s.lines = append(s.lines, l) }

// print writes a table for people.
func (r results) print(w io.Writer) error {
	out := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	for _, s := range r {
		fmt.Fprintf(out, "\n%s\tMEASURED\tAIM\t\n", s.title)
		for _, l := range s.lines {
			fmt.Fprintf(out, "%s\t%s\t%s\t%s\n", l.what, l.amount(l.value), l.aim, l.note)
		}
	}
	return out.Flush()
}

// amount writes a value with as many digits as say something, and its unit.
func (l line) amount(v float64) string {
	digits := 0
	switch {
	case v < 10:
		digits = 2
	case v < 100:
		digits = 1
	}
	text := fmt.Sprintf("%.*f", digits, v)
	if l.unit != "" {
		text += " " + l.unit
	}
	return text
}

func mib(n int64) float64 { return float64(n) / (1 << 20) }
