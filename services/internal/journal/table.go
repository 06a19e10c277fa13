package journal

import (
	"encoding/csv"
	"io"
	"strconv"
	"strings"
	"time"

	"habeas.dev/services/internal/spreadsheet"
)

// Table writes requests as a table for spreadsheets (RFC 4180). It holds no personal data.
type Table struct{ out *csv.Writer }

// NewTable begins a table with the names of its columns. Errors are those of [Table.Close].
func NewTable(w io.Writer) *Table {
	t := &Table{csv.NewWriter(w)}
	_ = t.out.Write([]string{"request_id", "status", "right", "jurisdiction", "source", "received_at", "due_at", "updated_at", "overdue", "waiting", "needs", "assignee"})
	return t
}

// Add adds a request, with why it needs a person. What is due is written in the time zone in
// which it is, which SHOULD be that of the request's law.
func (t *Table) Add(r Row, needs []string) {
	cells := []string{r.RequestID, string(r.Status), string(r.Right), r.Jurisdiction, r.Source, stamp(r.ReceivedAt.UTC()), stamp(r.DueAt), stamp(r.UpdatedAt.UTC()),
		strconv.FormatBool(r.Overdue), strings.Join(r.Waiting, " "), strings.Join(needs, "; "), r.Assignee}
	for i, cell := range cells {
		cells[i] = spreadsheet.Plain(cell)
	}
	_ = t.out.Write(cells)
}

// Close ends the table.
func (t *Table) Close() error {
	t.out.Flush()
	return t.out.Error()
}

// stamp returns a moment as programs read it; empty where there is none.
func stamp(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.Format(time.RFC3339)
}
