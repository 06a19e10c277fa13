package console

import (
	"encoding/csv"
	"net/http"
	"strconv"
	"strings"
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
	out := csv.NewWriter(w)
	_ = out.Write([]string{"request_id", "right", "status", "jurisdiction", "source", "received_at", "due_at", "overdue", "waits_for", "needs", "assignee"})
	for n := 0; n < maxExported; {
		rows, err := c.rows(r.Context(), filter)
		if err != nil {
			// A table that ends early must not look whole: the connection is cut.
			c.trouble(r.Context(), err)
			panic(http.ErrAbortHandler)
		}
		for _, one := range rows {
			_ = out.Write(cellsOf(c.row(lang, one)))
		}
		if n += len(rows); len(rows) < exportPage {
			break
		}
		filter.After = rows[len(rows)-1].Cursor()
	}
	out.Flush() // what doesn't arrive the browser says
}

func cellsOf(r row) []string {
	due := ""
	if !r.DueAt.IsZero() {
		due = r.DueAt.UTC().Format(time.RFC3339)
	}
	cells := []string{r.RequestID, string(r.Right), string(r.Status), r.Jurisdiction, r.Source, r.ReceivedAt.UTC().Format(time.RFC3339), due,
		strconv.FormatBool(r.Overdue), strings.Join(r.Waiting, " "), strings.Join(r.Needs, "; "), r.Assignee}
	for i, cell := range cells {
		cells[i] = plainCell(cell)
	}
	return cells
}

// plainCell returns a cell that no spreadsheet takes for a formula.
func plainCell(text string) string {
	if strings.ContainsAny(text[:min(1, len(text))], "=+-@\t\r") {
		return "'" + text
	}
	return text
}
