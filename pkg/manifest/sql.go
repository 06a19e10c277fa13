package manifest

import "habeas.dev/pkg/dsar"

// SQL says how pkg/sqlsystem serves a system.
type SQL struct {
	// Schema is the PostgreSQL schema of the tables; empty means that of the
	// connection's search path. SQLite has none.
	Schema string `yaml:"schema,omitempty"`
	// Resolve says how more identifiers are found.
	Resolve []SQLResolve `yaml:"resolve,omitempty"`
	// Where says which rows of the database are the system's, where several share it:
	// {tenant_id: 7}. It holds in every table that has the column, also in those of
	// joins. A dataset that isn't led through any such table is refused, unless its own
	// where says {tenant_id: {any: true}}.
	Where Where `yaml:"where,omitempty"`
	// ShowsAll are tables whose policies of row security show the worker's user every row
	// that is the system's. A dataset that reads any other that has such policies isn't covered:
	// what they hide would be told as not held (PostgreSQL).
	ShowsAll []string `yaml:"shows_all,omitempty"`
	// Technical are further tables of the database that say nothing of a person: job_queue,
	// of another schema audit.events, or audit.* for all of that schema, as of one that another
	// system serves. Any other that no dataset is of fails habeas lint.
	Technical []string `yaml:"technical,omitempty"`
}

// SQLResolve finds one type of identifier: the values of a column, in the rows of a
// table that hold one of the known identifiers.
type SQLResolve struct {
	Find  dsar.IdentifierType `yaml:"find"`
	Table string              `yaml:"table"`
	// Column is a column of the table, or a part of what it holds, as [ParseSource] reads it.
	Column string `yaml:"column"`
	// Via leads to the column of an identifier that is known, where that is in
	// another table.
	Via []Via `yaml:"via,omitempty"`
	// Where says which rows of the table count.
	Where Where `yaml:"where,omitempty"`
	// By maps each known type of identifier to the column that holds it: of the table,
	// or table.column of one of Via.
	By map[dsar.IdentifierType]string `yaml:"by"`
	// Strength is [Strong] or [Weak]; empty means strong. What is found by a weak link,
	// as an address or a household's telephone, is shown to a person, who says whether
	// it is the same one.
	Strength string `yaml:"strength,omitempty"`
	// One says that it leads to one person's identifier only: where it leads to several,
	// a person must look.
	One bool `yaml:"one,omitempty"`
}

// GroundKept is the ground of records that stay since the manifest has them kept.
const GroundKept = dsar.GroundKept

// GroundShared is the ground of records that stay since rows of others refer to them.
const GroundShared = dsar.GroundShared

// What an erasure does with a record.
const (
	EraseDelete    = "delete"
	EraseAnonymise = "anonymise"
	EraseKeep      = "keep"
)

// DatasetSQL says where a dataset's records are.
type DatasetSQL struct {
	// Table is the dataset's table or view; in PostgreSQL, billing.invoices is one of
	// another schema.
	Table string `yaml:"table"`
	// Key are the table's columns that tell its rows apart; records come in
	// their order. Where the table has none, SQLite's rowid and PostgreSQL's ctid
	// stand for the row: a ctid is another once the row was changed, so rows
	// are then erased as they are found anew, and nothing is proven by it.
	Key []string `yaml:"key"`
	// Via leads to the column that holds the identifier, where that is in
	// another table, and to those of columns: the first join is from the dataset's
	// table, each further one from the one before it, unless it says from which. Where
	// columns or retention use them a row MUST lead to at most one row, and pkg/sqlsystem
	// checks that the far columns are unique. A row that leads to none stays a row.
	Via []Via `yaml:"via,omitempty"`
	// Where says which of the table's rows are the dataset's: {deleted_at: null}.
	Where Where `yaml:"where,omitempty"`
	// Subject maps each type of identifier to the column that holds it:
	// "account_id", or "invoices.account_id" for a table of Via. A record is the
	// person's where one of them matches; each is a way of its own, also where the
	// row that another leads through is gone. They are compared by the equivalences
	// of pkg/identifier: habeas lint says which index serves that.
	Subject map[dsar.IdentifierType]string `yaml:"subject,omitempty"`
	// Ways are further ways to the person's rows, each with joins, conditions and an
	// erasure of its own: by author and by recipient. Subject, with Via, is the short
	// form of one.
	Ways []Way `yaml:"ways,omitempty"`
	// Columns maps columns of the dataset that have another name in the table, or
	// are in a table of Via: {issued_on: invoices.issued_on}.
	Columns map[string]string `yaml:"columns,omitempty"`
	// Erase is delete, anonymise or keep; empty where the system has no ability to
	// erase.
	Erase string `yaml:"erase,omitempty"`
	// Why says why rows are kept, as the person is told: so that nothing is sent to the
	// address again.
	Why Text `yaml:"why,omitempty"`
	// Anonymise are the table's columns and the values that they get: null, a
	// constant, or, where each row needs a value of its own, a text with columns of
	// the key or what is made for the row in braces ([DatasetSQL.Template]). The columns
	// by which the person is found MUST be among them, so that the way back is lost.
	// A manifest may write it as set, which says erase: anonymise, too.
	Anonymise map[string]any `yaml:"anonymise,omitempty"`
	// Cascades are tables, as table or schema.table, of which the database deletes or
	// changes rows with those of this dataset, by a foreign key, a trigger or a rule,
	// and may: those rows are nobody's, or need not stay. An erasure that would reach
	// other tables is refused.
	Cascades []string `yaml:"cascades,omitempty"`
	// Unlinks are tables, as table or schema.table, whose rows stay and lose their
	// reference to this dataset's where these are deleted (a foreign key with ON DELETE
	// SET NULL or SET DEFAULT), and may, also where they must be kept: what they say isn't
	// changed by it.
	Unlinks []string `yaml:"unlinks,omitempty"`
	// Mentions are columns of free text that are searched for the person's identifiers of a
	// type. Rows that mention the person are gathered, and MUST be looked at by a person
	// before they are disclosed ([Others]); an erasure leaves them, and says how many there
	// are.
	Mentions map[dsar.IdentifierType][]string `yaml:"mentions,omitempty"`
	// Files says where the files of the rows lie, if not in a column.
	Files *SQLFiles `yaml:"files,omitempty"`
	// UnlessShared names tables whose rows refer to rows of this dataset: while one of
	// somebody else does, or one of the person's own that stays, the row stays.
	UnlessShared []Shared `yaml:"unless_shared,omitempty"`
	// After lists the datasets of the same system that must be erased before this
	// one, since their rows refer to its rows. Those whose Via leads through its
	// table always are.
	After []string `yaml:"after,omitempty"`
	// Rectify lists the dataset's columns that a person may have corrected, in the rows that
	// Subject leads to, or the only one of Ways. What an invoice once said isn't among them.
	Rectify []string `yaml:"rectify,omitempty"`
	// Restrict lists the flags that stop processing.
	Restrict []SQLRestrict `yaml:"restrict,omitempty"`
	// Technical are further columns of the table, which say nothing of a person.
	// Any other that the manifest doesn't name is reported as undeclared.
	Technical []string `yaml:"technical,omitempty"`
}

// Shared is a table whose rows refer to a dataset's: On maps its own columns to the
// dataset's.
type Shared struct {
	Table string            `yaml:"table"`
	On    map[string]string `yaml:"on"`
	// Where says which rows of the table count.
	Where Where `yaml:"where,omitempty"`
}

// Via is one join: from a column of another table to a column of its own.
type Via struct {
	Table string `yaml:"table"`
	// As is what sources call the table here, where it is joined twice: parent, in
	// parent.name. Empty: by its name.
	As string `yaml:"as,omitempty"`
	// From is the table, or its As, from which the join goes out; empty: that of the join
	// before it, or, of the first, the dataset's.
	From string            `yaml:"from,omitempty"`
	On   map[string]string `yaml:"on"`
	// Where says which rows of the table count: {meta_key: _billing_email}.
	Where Where `yaml:"where,omitempty"`
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

// Source returns where a column of the dataset lies: a column of its table, or
// table.column for a table of Via.
func (s *DatasetSQL) Source(column string) string {
	if source := s.Columns[column]; source != "" {
		return source
	}
	return column
}
