package manifest

import (
	"fmt"
	"maps"
	"slices"
)

// Units lists the units in which columns count moments from the beginning of 1970 on, and
// how many make a second.
func Units() map[string]int64 {
	return map[string]int64{"seconds": 1, "milliseconds": 1e3, "microseconds": 1e6}
}

// Encodings lists the encodings of columns' contents.
func Encodings() []string { return []string{"base64", "hex", "gzip", "zlib", "latin1"} }

// written checks how a column's content is written.
func (v *validation) written(path string, d *Dataset, c *Column) {
	if c.Unit != "" {
		oneOf(v, path+".unit", "unit", c.Unit, slices.Sorted(maps.Keys(Units())))
		if c.Type != "date" && c.Type != "datetime" {
			v.add(path+".unit", fmt.Sprintf("unit of the column %q, which is no moment", c.Name), "give the column the type date or datetime, or leave unit out")
		}
	}
	v.list(path+".encoding", len(c.Encoding))
	for i, e := range c.Encoding {
		oneOf(v, index(path+".encoding", i), "encoding", e, Encodings())
	}
	if len(c.Encoding) > 0 && c.Type != "" && c.Type != "string" && c.Type != "object" {
		v.add(path+".encoding", fmt.Sprintf("encoding of the column %q, which is no text", c.Name), "give the column the type string or object, or leave encoding out")
	}
	if d.SQL == nil && (c.Unit != "" || len(c.Encoding) > 0) {
		v.add(path, fmt.Sprintf("how the column %q is written concerns a worker that reads a database", c.Name), "leave unit and encoding out")
	}
	if d.SQL != nil && slices.Contains(d.SQL.Corrigible(), c.Name) && (c.Unit != "" || len(c.Encoding) > 0) {
		v.add(path, fmt.Sprintf("the column %q can't be corrected as it is written", c.Name), "take it out of rectify")
	}
}
