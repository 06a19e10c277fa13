// Package record is the form in which a worker's records lie in the vault: a
// stream of sections, one a dataset, each a header and then rows. It is written
// and read as a stream; memory doesn't grow with its length.
package record

// Record is one row of a dataset, by column. Values are nil, string, bool,
// int64, float64, json.Number, time.Time (RFC 3339 in the bundle), or, for
// columns of type object, anything that encoding/json marshals.
type Record map[string]any

// Section heads the rows of one dataset.
type Section struct {
	Dataset string   `json:"dataset"`
	Columns []string `json:"columns"`
}
