package manifest

import (
	"regexp"
	"slices"

	"habeas.dev/pkg/dsar"
)

// SQL says how pkg/sqlsystem serves a system.
type SQL struct {
	// Schema is the PostgreSQL schema of the tables; empty means that of the
	// connection's search path. SQLite has none.
	Schema string `yaml:"schema,omitempty"`
	// Resolve says how more identifiers are found.
	Resolve []SQLResolve `yaml:"resolve,omitempty"`
	// Technical are further tables of the database that say nothing of a person.
	// Any other that no dataset is of fails habeas lint.
	Technical []string `yaml:"technical,omitempty"`
}

// SQLResolve finds one type of identifier: the values of a column, in the rows of a
// table that hold one of the known identifiers.
type SQLResolve struct {
	Find   dsar.IdentifierType `yaml:"find"`
	Table  string              `yaml:"table"`
	Column string              `yaml:"column"`
	// By maps each known type of identifier to the column that holds it.
	By map[dsar.IdentifierType]string `yaml:"by"`
	// Strength is [Strong] or [Weak]; empty means strong. What is found by a weak link,
	// as an address or a household's telephone, is shown to a person, who says whether
	// it is the same one.
	Strength string `yaml:"strength,omitempty"`
	// One says that it leads to one person's identifier only: where it leads to several,
	// a person must look.
	One bool `yaml:"one,omitempty"`
}

// What an erasure does with a record.
const (
	EraseDelete    = "delete"
	EraseAnonymise = "anonymise"
)

// DatasetSQL says where a dataset's records are.
type DatasetSQL struct {
	Table string `yaml:"table"`
	// Key are the table's columns that tell its rows apart; records come in
	// their order.
	Key []string `yaml:"key"`
	// Via leads to the column that holds the identifier, where that is in
	// another table: the first join is from the dataset's table, each further
	// one from the one before it. A row MUST lead to at most one row:
	// pkg/sqlsystem checks that On's far columns are unique.
	Via []Via `yaml:"via,omitempty"`
	// Subject maps each type of identifier to the column that holds it:
	// "account_id", or "invoices.account_id" for a table of Via. A record is the
	// person's where one of them matches; each is a way of its own, also where the
	// row that another leads through is gone. They are compared by the equivalences
	// of pkg/identifier: habeas lint says which index serves that.
	Subject map[dsar.IdentifierType]string `yaml:"subject"`
	// Columns maps columns of the dataset that have another name in the table, or
	// are in a table of Via: {issued_on: invoices.issued_on}.
	Columns map[string]string `yaml:"columns,omitempty"`
	// Erase is delete or anonymise; empty where the system has no ability to
	// erase.
	Erase string `yaml:"erase,omitempty"`
	// Anonymise are the table's columns and the values that they get: null, a
	// constant, or, where each row needs a value of its own, a text with columns of
	// the key in braces ([DatasetSQL.Template]). The columns by which the person is
	// found MUST be among them, so that the way back is lost.
	Anonymise map[string]any `yaml:"anonymise,omitempty"`
	// Cascades are tables, as table or schema.table, of which the database deletes or
	// changes rows with those of this dataset, by a foreign key, a trigger or a rule,
	// and may: those rows are nobody's, or need not stay. An erasure that would reach
	// other tables is refused.
	Cascades []string `yaml:"cascades,omitempty"`
	// After lists the datasets of the same system that must be erased before this
	// one, since their rows refer to its rows. Those whose Via leads through its
	// table always are.
	After []string `yaml:"after,omitempty"`
	// Rectify lists the dataset's columns that a person may have corrected. What an
	// invoice once said isn't among them.
	Rectify []string `yaml:"rectify,omitempty"`
	// Restrict lists the flags that stop processing.
	Restrict []SQLRestrict `yaml:"restrict,omitempty"`
	// Technical are further columns of the table, which say nothing of a person.
	// Any other that the manifest doesn't name is reported as undeclared.
	Technical []string `yaml:"technical,omitempty"`
}

// Part is a part of a template: a text, or the value of a column.
type Part struct{ Text, Column string }

var braces = regexp.MustCompile(`\{([\pL_][\pL\pN_]*)\}`)

// Template takes a text of anonymise apart, in which {id} stands for the row's
// column id. It returns nil for a constant, which names no column of the key.
func (s *DatasetSQL) Template(value any) []Part {
	text, ok := value.(string)
	if !ok {
		return nil
	}
	var parts []Part
	rest := 0
	for _, at := range braces.FindAllStringSubmatchIndex(text, -1) {
		column := text[at[2]:at[3]]
		if !slices.Contains(s.Key, column) {
			continue
		}
		if at[0] > rest {
			parts = append(parts, Part{Text: text[rest:at[0]]})
		}
		parts = append(parts, Part{Column: column})
		rest = at[1]
	}
	if parts != nil && rest < len(text) {
		parts = append(parts, Part{Text: text[rest:]})
	}
	return parts
}

// Via is one join: from a column of the table before it to a column of its own.
type Via struct {
	Table string            `yaml:"table"`
	On    map[string]string `yaml:"on"`
}

// SQLRestrict sets a column of the dataset's table to a value for some rights.
type SQLRestrict struct {
	Column string `yaml:"column"`
	Value  any    `yaml:"value"`
	// Stops names the purposes that end with the flag; none means that all use of the
	// data ends with it, which nothing but a restriction asks for. [Flags] chooses.
	Stops []string `yaml:"stops,omitempty"`
	// Lifted is the value that allows processing again, when a restriction is
	// lifted. It needn't be written for a Value of true or false.
	Lifted any `yaml:"lifted,omitempty"`
}

// Lift returns the value that allows processing again; nil where the manifest has
// none.
func (r SQLRestrict) Lift() any {
	if b, ok := r.Value.(bool); ok && r.Lifted == nil {
		return !b
	}
	return r.Lifted
}
