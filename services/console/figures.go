package console

import (
	"bytes"
	"context"
	"net/http"
	"strconv"

	"habeas.dev/services/internal/core"
	"habeas.dev/services/internal/figures"
)

// figuresBody is what the figures' template is given.
type figuresBody struct {
	Laws    []choice
	Law     string
	Name    string
	Year    int
	Columns []string
	Rows    [][]string
}

// maxYear bounds the year that figures are asked of.
const maxYear = 9999

// figures shows a year's requests under a law, or hands them out as a table.
func (c *Console) figures(w http.ResponseWriter, r *http.Request, u User) {
	lang, q := languageOf(r), r.URL.Query()
	b := figuresBody{Law: q.Get("law"), Year: c.now().Year()}
	if b.Law == "" {
		b.Law = c.Policy.IDs()[0]
	}
	if year := q.Get("year"); year != "" {
		b.Year, _ = strconv.Atoi(year)
	}
	j, ok := c.Policy.Jurisdiction(b.Law)
	if !ok || b.Year < 1 || b.Year > maxYear {
		c.fail(w, r, u, http.StatusUnprocessableEntity, errChoice.Error())
		return
	}
	counted, err := figures.Of(r.Context(), c.Journal, folded{c}, j, b.Year)
	if err != nil {
		c.broken(w, r, u, err)
		return
	}
	if q.Get("format") == "csv" {
		var table bytes.Buffer
		if err := figures.WriteCSV(&table, counted, lang); err != nil {
			c.broken(w, r, u, err)
			return
		}
		w.Header().Set("Content-Type", "text/csv; charset=utf-8")
		w.Header().Set("Content-Disposition", `attachment; filename="requests-`+strconv.Itoa(b.Year)+`.csv"`)
		_, _ = table.WriteTo(w)
		return
	}
	b.Laws, b.Name, b.Columns, b.Rows = inWords(lang, choices(c.Policy.IDs(), b.Law)), lang.Text(j.Law.Name), figures.Columns(lang), counted.Table(lang)
	c.render(w, r, http.StatusOK, "figures.html", page{User: u, Title: "Figures", Here: "figures", Body: b})
}

// folded reads requests by their facts.
type folded struct{ c *Console }

// State implements [figures.States].
func (f folded) State(ctx context.Context, requestID string) (core.State, error) {
	r, err := f.c.readBy(ctx, requestID, closed)
	return r.state, err
}
