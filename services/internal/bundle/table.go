package bundle

import (
	"encoding/json"
	"slices"
	"time"

	"habeas.dev/pkg/manifest"
	"habeas.dev/pkg/record"
	"habeas.dev/pkg/telemetry"
	"habeas.dev/services/internal/statement"
	"habeas.dev/services/internal/words"
)

const (
	// keepBelow bounds how much of one file is held in memory, so that its records
	// are read only once and its size is known before its content. A larger file is
	// written as it comes, and its JSON in a second pass.
	keepBelow = 256 << 10
	// flushAt is how much of a large file is collected before it is written.
	flushAt = 64 << 10
	// mark is U+FEFF at the head of a CSV file: without it, Excel takes UTF-8
	// for the machine's old code page (docs/adr/0010).
	mark = "\uFEFF"
)

// The columns that say where a row comes from. No dataset may have columns of
// these names.
const (
	systemColumn  = "_system"
	datasetColumn = "_dataset"
)

// column is one column of a dataset's files.
type column struct {
	name  string
	title string // as the page shows it
	typ   string // of Table Schema
	key   []byte // `,"name":`
	// secret is the kind of what is never shown; empty: the column is none.
	secret manifest.Secret
	kind   string // as the files say it
	// held says that a value was there to be masked.
	held bool
	// others tells that something was redacted that is about other people.
	others bool
	meaning
	// file begins the paths of the files that it holds; empty: it holds none.
	file string
	// folded tells that it is shown only to who asks for what programs read.
	folded bool
}

// table is one dataset while its files are written.
type table struct {
	*plan
	columns []column // the plan's, and what was learnt from the rows
	records int64
	preview preview
	// uncovered are the columns that the right doesn't cover and that hold something.
	uncovered []statement.Hidden
	cells     []json.RawMessage // of the row that is being written, where some are left out
	years     []statement.Year  // how many records are of each year
	sinceDay  time.Time         // the earliest day since which the person is a customer
	files     int64             // how many of the records hold one
	// released says that a person has looked, and shows what is about others.
	released bool
	// reviewed says that a person has looked at each value.
	reviewed bool

	apps appBuffer

	csv, json         []byte // what isn't written yet
	csvEntry          *entry // set where the CSV is large
	jsonLater         bool   // the JSON is large: it is written in the second pass
	csvFile, jsonFile packed
}

func newTable(pl *plan) *table {
	return &table{plan: pl, columns: slices.Clone(pl.columns), preview: preview{w: pl.words}}
}

// columnTitle returns the manifest's title in the answer's language, or the
// column's name made readable.
func columnTitle(c *manifest.Column, lang *words.Language) string {
	if s := lang.Text(c.Title); s != "" {
		return s
	}
	return readable(c.Name)
}

var errColumns = telemetry.Constant("a row has another number of values than its section has columns")

// row adds one record in the first pass.
func (t *table) row(b *build, row []json.RawMessage) error {
	if len(row) != len(t.names) {
		return errColumns
	}
	year := t.date(row)
	row = t.covered(t.withoutOthers(b, row))
	if t.file >= 0 && isBase64(row[t.file]) {
		row = t.withFile(row, t.records)
		t.files++
	}
	t.appRow(b, row)
	if t.records == 0 {
		t.csv = append(t.csv, t.csvHeader...)
		t.preview.arrange(t.columns, row)
	}
	if rows := &b.buffers.preview; t.preview.room(rows.len()) {
		t.preview.row(rows, t.columns, row, year)
	}
	t.csv = append(t.csv, t.csvPrefix...)
	for i := range t.columns {
		c := &t.columns[i]
		value := row[i]
		if c.secret != "" {
			value = c.mask(value)
		} else if c.typ != "any" && !conforms(c.typ, value) {
			c.typ = "any"
		}
		t.csv = append(t.csv, ',')
		t.csv = appendCSV(t.csv, value)
	}
	t.csv = append(t.csv, '\r', '\n')
	if !t.jsonLater {
		t.appendJSON(row)
		if len(t.json) > keepBelow {
			t.jsonLater, t.json = true, t.json[:0]
		}
	}
	t.records++
	return t.flushCSV(b.archive)
}

// date takes in of which year a record is, and since when it says that the person is a
// customer.
func (t *table) date(row []json.RawMessage) (year int) {
	if t.since >= 0 {
		if text, ok := plainString(row[t.since]); ok && yearOf(row[t.since]) > 0 {
			if at, _, ok := readTime(text); ok && (t.sinceDay.IsZero() || at.Before(t.sinceDay)) {
				t.sinceDay = at
			}
		}
	}
	if t.dated < 0 || t.leftOut != nil && t.leftOut[t.dated].Kind != "" {
		return 0
	}
	if year = yearOf(row[t.dated]); year > 0 {
		at, there := slices.BinarySearchFunc(t.years, year, func(y statement.Year, year int) int { return y.Year - year })
		if !there {
			t.years = slices.Insert(t.years, at, statement.Year{Year: year})
		}
		t.years[at].Records++
	}
	return year
}

// columnAt returns the table's column of a section's; nil where the right doesn't cover it.
func (t *table) columnAt(section int) *column {
	if t.leftOut == nil {
		return &t.columns[section]
	}
	if t.leftOut[section].Kind != "" {
		return nil
	}
	at := 0
	for _, left := range t.leftOut[:section] {
		if left.Kind == "" {
			at++
		}
	}
	return &t.columns[at]
}

// covered returns what the right covers of a row.
func (t *table) covered(row []json.RawMessage) []json.RawMessage {
	if t.leftOut == nil {
		return row
	}
	t.cells = t.cells[:0]
	for i, value := range row {
		left := t.leftOut[i]
		if left.Kind == "" {
			t.cells = append(t.cells, value)
		} else if record.Text(value) != "" && !slices.Contains(t.uncovered, left) {
			t.uncovered = append(t.uncovered, left)
		}
	}
	return t.cells
}

// flushCSV moves a CSV that has grown large to the archive.
func (t *table) flushCSV(a *archive) error {
	if t.csvEntry == nil {
		if len(t.csv) <= keepBelow {
			return nil
		}
		e, err := a.openPayload(t.csvName())
		if err != nil {
			return err
		}
		t.csvEntry = e
	}
	if len(t.csv) < flushAt {
		return nil
	}
	err := t.csvEntry.write(t.csv)
	t.csv = t.csv[:0]
	return err
}

// appendJSON adds one record to the JSON file, on a line of its own.
func (t *table) appendJSON(row []json.RawMessage) {
	if len(t.json) == 0 {
		t.json = append(t.json, '[', '\n')
	} else {
		t.json = append(t.json, ',', '\n')
	}
	t.appendObject(row)
}

func (t *table) appendObject(row []json.RawMessage) {
	t.json = append(t.json, t.jsonPrefix...)
	for i := range t.columns {
		c := &t.columns[i]
		value := row[i]
		if c.secret != "" {
			value = c.mask(value)
		}
		t.json = append(t.json, c.key...)
		if len(value) == 0 {
			t.json = append(t.json, "null"...)
		} else {
			t.json = append(t.json, value...)
		}
	}
	t.json = append(t.json, '}')
}

// end finishes the first pass: the CSV is written, and the JSON if it is small.
func (t *table) end(a *archive) error {
	if t.records == 0 {
		return nil
	}
	var err error
	if t.csvEntry != nil {
		if err = t.csvEntry.write(t.csv); err != nil {
			return err
		}
		if t.csvFile, err = t.csvEntry.close(); err != nil {
			return err
		}
	} else if t.csvFile, err = a.addPayload(t.csvName(), t.csv); err != nil {
		return err
	}
	t.csv = t.csv[:0]
	if t.jsonLater {
		return nil
	}
	t.json = append(t.json, '\n', ']', '\n')
	t.jsonFile, err = a.addPayload(t.jsonName(), t.json)
	t.json = t.json[:0]
	return err
}
