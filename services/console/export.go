package console

import (
	"net/http"
	"time"

	"habeas.dev/services/internal/journal"
)

// maxExported bounds the rows of a table of requests: what a spreadsheet still opens.
const maxExported = 100_000

// exportPage is how many rows are read at a time.
const exportPage = 500

// exportList hands a list out as a table, in its order and with its filters. It holds what
// the list shows, and so no personal data.
func (c *Console) exportList(w http.ResponseWriter, r *http.Request, u User) {
	b, filter, err := c.filter(r.URL.Query(), u)
	if err != nil {
		c.fail(w, r, u, http.StatusBadRequest, "This list doesn’t exist: its address was changed by hand, or is of an older version.")
		return
	}
	lang := languageOf(r)
	filter.Limit, filter.After = exportPage, journal.Cursor{}
	w.Header().Set("Content-Type", "text/csv; charset=utf-8")
	w.Header().Set("Content-Disposition", `attachment; filename="requests-`+b.View+"-"+c.now().Format(time.DateOnly)+`.csv"`)
	out := journal.NewTable(w)
	for n := 0; n < maxExported; {
		rows, err := c.rows(r.Context(), filter)
		if err != nil {
			// A table that ends early must not look whole: the connection is cut.
			c.trouble(r.Context(), err)
			panic(http.ErrAbortHandler)
		}
		for _, one := range rows {
			shown := c.row(lang, one)
			out.Add(shown.Row, shown.Needs)
		}
		if n += len(rows); len(rows) < exportPage {
			break
		}
		filter.After = rows[len(rows)-1].Cursor()
	}
	_ = out.Close() // what doesn't arrive the browser says
}
