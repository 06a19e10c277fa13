// Package record is the form in which a worker's records lie in the vault: a
// stream of sections, one a dataset, each a header and then rows. It is written
// and read as a stream; memory doesn't grow with its length.
//
// The stream is lines of JSON: one that says what it is, then for each section
// an object with dataset and columns, and below it an array for each row, with
// the values in the order of the columns. The last line counts the records, so
// that a stream that was cut short is told from one that ended:
//
//	{"habeas":"records/1"}
//	{"dataset":"invoices","columns":["number","total"]}
//	["F-2026-001",12900]
//	["F-2026-002",null]
//	{"end":2}
//
// What readers rely on: a reader MUST see [ErrTruncated] where a stream was cut short at
// any byte, and [ErrMalformed] where it is none, before it takes the rows for all of them
// (TestTruncated, TestMalformed); what was written is read back the same (TestRoundTrip).
// A record that a writer refuses MUST leave the stream as it was (TestRefused).
//
// Stability: stable: a name that changes stands in the CHANGELOG.
package record

import (
	"habeas.dev/pkg/telemetry"
)

// Record is one row of a dataset, by column. Values are nil, string, bool,
// int64, float64, json.Number, time.Time (RFC 3339 in the bundle), or, for
// columns of type object, anything that encoding/json marshals. A column that
// is missing is null.
type Record map[string]any

// Section heads the rows of one dataset.
type Section struct {
	Dataset string   `json:"dataset"`
	Columns []string `json:"columns"`
}

// AboutOthers stands in the place of a value that a person has looked at and that is about
// somebody else (GDPR art. 15(4), 20(4)): it isn't shown.
const AboutOthers = "[about somebody else, not shown]"

const (
	// MaxRow is the longest row, encoded, in bytes: a row is held in memory.
	MaxRow = 16 << 20
	// MaxFile is the largest file that a row holds, in bytes: in base64 it fits with room for
	// the rest.
	MaxFile = 11 << 20
	// maxColumns is far above what any table has.
	maxColumns = 4096
)

// The errors that callers tell apart, with [errors.Is]. Their text names
// datasets and columns, never a value.
var (
	// ErrTruncated says that the stream ended before its last line.
	ErrTruncated = telemetry.Constant("the stream of records is cut short")
	// ErrMalformed says that what was read is no stream of records.
	ErrMalformed = telemetry.Constant("not a stream of records")
	// ErrColumn says that a record has a column that its section doesn't.
	ErrColumn = telemetry.Constant("no such column in the section")
	// ErrValue says that a value can't be written as JSON.
	ErrValue = telemetry.Constant("the value can't be written as JSON")
	// ErrTooLong says that a row is longer than [MaxRow].
	ErrTooLong = telemetry.Constant("the row is too long")
	// ErrSection says that a section is not as it must be: without a name,
	// begun before, with a column twice.
	ErrSection = telemetry.Constant("not a valid section")
)

const magic = `{"habeas":"records/1"}`
