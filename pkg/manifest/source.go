package manifest

import "strings"

// Source is where a value lies: in a column of the dataset's table, or of one that a join
// leads to; in the JSON of a column; or in each of the elements of an array.
type Source struct {
	Table  string   // a join's name; empty: the dataset's own table
	Column string   // the column
	Path   []string // the keys that lead to it in the column's JSON
	Each   bool     // it is each element of an array
}

// ParseSource reads a source as a manifest writes it: email, users.email,
// meta->contact->email, member_ids[], meta->emails[].
func ParseSource(text string) Source {
	var s Source
	text, s.Each = strings.CutSuffix(text, "[]")
	parts := strings.Split(text, "->")
	if table, column, there := strings.Cut(parts[0], "."); there {
		s.Table, s.Column = table, column
	} else {
		s.Column = parts[0]
	}
	if len(parts) > 1 {
		s.Path = parts[1:]
	}
	return s
}

// Within reports whether the source is a part of what its column holds.
func (s Source) Within() bool { return s.Each || len(s.Path) > 0 }
