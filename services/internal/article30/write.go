package article30

import (
	_ "embed"
	"encoding/csv"
	"fmt"
	"html/template"
	"io"
	"strings"

	"habeas.dev/services/internal/words"
)

// mark is the byte-order mark: without it, Excel reads UTF-8 as something else.
const mark = "\uFEFF"

// row returns an activity as a row of the table, in the order of words.Record.
func row(w words.Record, r Record, s System, a Activity) []string {
	list := func(l []string) string {
		if len(l) == 0 {
			return w.None
		}
		return strings.Join(l, r.Language.Answer.Semicolon+" ")
	}
	return []string{
		r.Controller, s.Name, s.Title, a.Dataset, a.Title, a.Purpose, a.LegalBasis, s.Subjects, a.Category, strings.Join(a.Fields, r.Language.Answer.Semicolon+" "), list(a.Sensitive),
		a.Origin, words.TitleCase(list(a.Recipients)), list(a.Transfers), a.Storage, list(a.Retention), a.Erasure, s.Security,
	}
}

// WriteCSV writes the record as a table, a line for each dataset.
func WriteCSV(out io.Writer, r Record) error {
	if _, err := io.WriteString(out, mark); err != nil {
		return err
	}
	w := r.Language.Record
	table := csv.NewWriter(out)
	table.UseCRLF = true
	if err := table.Write(w.Columns[:]); err != nil {
		return err
	}
	for _, s := range r.Systems {
		for _, a := range s.Activities {
			if err := table.Write(row(w, r, s, a)); err != nil {
				return err
			}
		}
	}
	table.Flush()
	return table.Error()
}

//go:embed page.gohtml
var pageText string

// WriteHTML writes the record as a page that needs nothing else, to read and to
// print.
func WriteHTML(out io.Writer, r Record) error {
	t, err := template.New("page").Parse(pageText)
	if err != nil {
		return fmt.Errorf("processing: %w", err)
	}
	type fact struct{ Name, Value string }
	type activityView struct {
		ID, Title string
		Facts     []fact
	}
	type systemView struct {
		Title      string
		Activities []activityView
	}
	w := r.Language.Record
	view := struct {
		Language, Title, Lead string
		Controller            fact
		Systems               []systemView
	}{r.Language.Tag, w.Title, fmt.Sprintf(w.Lead, r.Law), fact{w.Columns[0], r.Controller}, nil}
	const first = 5 // what stands before is in the headings
	for _, s := range r.Systems {
		sv := systemView{Title: s.Title + " (" + s.Name + ")"}
		for _, a := range s.Activities {
			av := activityView{ID: s.Name + "-" + a.Dataset, Title: a.Title}
			for i, value := range row(w, r, s, a)[first:] {
				if value != "" {
					av.Facts = append(av.Facts, fact{w.Columns[first+i], value})
				}
			}
			sv.Activities = append(sv.Activities, av)
		}
		view.Systems = append(view.Systems, sv)
	}
	return t.Execute(out, view)
}
