package figures

import (
	"encoding/csv"
	"fmt"
	"html/template"
	"io"
	"strconv"

	_ "embed"

	"habeas.dev/services/internal/words"
)

// Columns returns the headings of a table in a language.
func Columns(l *words.Language) []string {
	return []string{l.Say("Right"), l.Say("Received in the year"), l.Say("Complied in whole"), l.Say("Complied in part"), l.Say("Denied"), l.Say("Withdrawn"),
		l.Say("Merged"), l.Say("Open"), l.Say("Mean, days"), l.Say("Median, days")}
}

// Table returns the rows as a table has them, in the order of [Columns]: rights are called
// what the law calls them.
func (f Figures) Table(l *words.Language) [][]string {
	var rows [][]string
	for _, r := range f.Rows {
		rows = append(rows, r.cells(l.Under(f.Law)))
	}
	return rows
}

// cells returns a row. Where nothing was answered, there is no mean and no median.
func (r Row) cells(l *words.Language) []string {
	name := l.Text(r.Name)
	if len(r.Name) == 0 {
		name = l.Word(string(r.Rights[0]))
	}
	cells := []string{name}
	for _, n := range []int{r.Received, r.Whole, r.Part, r.Denied, r.Withdrawn, r.Merged, r.Open} {
		cells = append(cells, strconv.Itoa(n))
	}
	if r.Answered == 0 {
		return append(cells, "", "")
	}
	return append(cells, l.Decimal(r.Mean), l.Decimal(r.Median))
}

// WriteCSV writes the figures as a table.
func WriteCSV(out io.Writer, f Figures, l *words.Language) error {
	w := csv.NewWriter(out)
	if err := w.Write(append([]string{l.Say("Law"), l.Say("Year")}, Columns(l)...)); err != nil {
		return err
	}
	for _, row := range f.Table(l) {
		if err := w.Write(append([]string{f.Law, strconv.Itoa(f.Year)}, row...)); err != nil {
			return err
		}
	}
	w.Flush()
	return w.Error()
}

//go:embed page.gohtml
var page string

// WriteHTML writes the figures as a page to publish.
func WriteHTML(out io.Writer, f Figures, law string, l *words.Language) error {
	t, err := template.New("figures").Parse(page)
	if err != nil {
		return fmt.Errorf("figures: %w", err)
	}
	view := struct {
		Language, Title, Law, Lead string
		Columns                    []string
		Rows                       [][]string
	}{l.Tag, fmt.Sprintf(l.Say("Requests of %d"), f.Year), law, l.Say("Requests about personal data that were received in the year, by right."), Columns(l), f.Table(l)}
	return t.Execute(out, view)
}
