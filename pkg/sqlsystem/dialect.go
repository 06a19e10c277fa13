package sqlsystem

import (
	"context"
	"database/sql"
	"fmt"
	"strings"

	"habeas.dev/pkg/dsar"
	"habeas.dev/pkg/manifest"
)

// Dialect is a kind of database. What differs from one to the next lies behind it, and
// only there: a further database is a type with these methods, a line in dialects, and a
// line in the tests' list, by which TestDialects and every test of this package are run
// on it.
type Dialect interface {
	fmt.Stringer // the database's name
	opener
	writer
	keyer
	comparer
	dater
	maker
	insider
	cataloguer
	transactor
	errorReader
}

// The databases.
var (
	SQLite     Dialect = sqliteDialect{}   // 3.33 or later
	PostgreSQL Dialect = postgresDialect{} // 13 or later
	MariaDB    Dialect = mysqlDialect{}    // 10.6 or later; MySQL 8 or later, untried
)

// dialects returns the databases that [Open] knows.
func dialects() []Dialect { return []Dialect{SQLite, PostgreSQL, MariaDB} }

// opener opens a database.
type opener interface {
	// schemes are what a data source of the database begins with, before ://.
	schemes() []string
	// connect opens a database by what stands in a data source, whole and behind ://.
	// It need not reach it.
	connect(ctx context.Context, source, rest string) (*sql.DB, error)
	// learn asks a database for what statements depend on, and returns the dialect for it.
	learn(ctx context.Context, db *sql.DB) (Dialect, error)
	// prepares reports whether statements are prepared once and kept: that is left to the
	// driver where it keeps its own.
	prepares() bool
}

// writer writes names, constants and parameters.
type writer interface {
	// quote makes a name of a table or column safe in a statement.
	quote(name string) string
	// qualified returns a table of a schema; an empty one is the connection's own.
	qualified(schema, table string) string
	// same reports whether two names of columns are one.
	same(a, b string) bool
	// parameter returns the place of the n-th parameter, from 1 on, and textParameter
	// that of one that is a text, wherever it stands.
	parameter(n int) string
	textParameter(n int) string
	// literal writes a value of the manifest as a constant, which is read by the type of
	// what it is compared with.
	literal(v any) string
	// constant returns a value as the parameter that a column is set to.
	constant(v any, col column) any
	// text returns an expression as a text.
	text(expr string) string
	// held returns what is read of a column, as a record tells it.
	held(expr string, col column) string
	// concat returns what stands before, between and behind texts that become one.
	concat() (begin, between, end string)
	// equal writes that columns of two tables hold the same: byte by byte, or, where alike isn't
	// empty, as the database takes texts for equal by it ([column.alike]). A text is a number's
	// where it is what the database writes it as, or its digits alone.
	equal(a string, of column, b string, ofOther column, alike string) string
	// deletes begins the statement that deletes rows of a table, up to WHERE, and updates
	// the one that changes some, up to what is set. The table's columns go by alias in both.
	deletes(table string, own *table) string
	updates(table string, own *table) string
	alias(own *table) string
}

// keyer names rows.
type keyer interface {
	// rowName returns the database's own name of a row of a table that has no key, empty
	// where there is none, and whether a row has another once it was changed.
	rowName() (name string, unstable bool)
	// keyText returns a key's column as a text by which keyed finds the row and no other,
	// and keyBytes such a text as a plan can have it. nameText returns the column as files'
	// names have it. By what ordered returns rows come in the order of the column's bytes.
	keyText(expr string, col column) string
	keyBytes(text string) string
	nameText(expr string, col column) string
	ordered(expr string, col column) string
	// keyed writes the condition that a row's key is among keys, of columns that a prefix
	// leads to, and keysAtOnce returns how many one statement takes.
	keyed(q *statement, d *dataset, keys []string, prefix string) error
	keysAtOnce() int
}

// comparer compares what columns hold with identifiers.
type comparer interface {
	// compares returns how a column is compared with identifiers that have no
	// equivalences of their own; must says of what type it must be where it can't.
	compares(col column) (as comparison, must string)
	// compared returns the expression by which a column is compared: what
	// [identifier.Plain] computes.
	compared(as comparison, expr string, col column) string
	// indexed returns the column, where an index on it as it stands narrows the search for
	// what it is compared as; else it is empty.
	indexed(ctx context.Context, s *System, table, expr string, col column, as comparison) string
	// among writes the condition that a row holds one of some values, and like that it
	// holds what a pattern matches in which likeEscape escapes.
	among(q *statement, s *subject, w *wanted)
	like(q *statement, expr, pattern string)
	// writings writes the question which of some values, and which texts of a table's column,
	// the database takes for equal by all of some ways ([column.alike]): the value, and the text.
	writings(q *statement, table string, col column, alike []string, values []string)
	// mentions writes the condition that a text has one of some values in it.
	mentions(q *statement, expr string, values []string)
	// valuesAtOnce returns how many values a statement can ask for.
	valuesAtOnce() int
	// serves reports whether an index serves looking a table up by an expression on a
	// column, of rows that fulfil a condition, and follows the same of columns that a join
	// compares. Where the database doesn't say, the answer is yes: nothing is asked for in
	// vain. index returns the statement that makes what serves.
	serves(ctx context.Context, s *System, table string, col column, as comparison, expr, where string) bool
	follows(ctx context.Context, s *System, table *table, name string, columns []string) bool
	index(s *System, sub *subject) string
}

// dater works out days.
type dater interface {
	// epochDay returns the day of a moment that is counted from the beginning of 1970, so
	// many in a second.
	epochDay(expr string, per int64) string
	// day returns the day that a column holds, in UTC, and whether its type is one that has
	// any.
	day(expr string, col column) (string, bool)
	// dayText returns a day as a text, and [unreadable] where expr holds none that can be
	// read.
	dayText(expr, day string) string
	// dayParameter returns the place of the n-th parameter, which is a day.
	dayParameter(n int) string
}

// maker makes the values that an erasure sets.
type maker interface {
	// takesText reports whether a column takes any text, and cast what follows a text that
	// is to be of the column's type.
	takesText(col column) bool
	cast(col column) string
	// trial returns a query that fails where a column doesn't take the text that is its
	// parameter; empty where none tells.
	trial(col column) string
	// hashes reports whether the database hashes; where it doesn't, statements have the
	// hashes of what a column holds as a parameter.
	hashes() bool
	// random writes 32 characters that nobody guesses, and hash the hash of held under the
	// statement's salt; timeForm is the form of a moment.
	random(q *statement)
	hash(q *statement, column, held string)
	timeForm() string
	// length returns how many characters a text has.
	length(expr string) string
	// isValue writes the condition that a column holds what an erasure sets it to, and
	// isConstant that it holds a value.
	isValue(q *statement, d *dataset, col column, value any)
	isConstant(q *statement, col column, value any)
}

// insider looks into columns: arrays, and JSON.
type insider interface {
	holdsJSON(col column) bool
	// jsonText returns the text of a part of the JSON in a column; NULL where there is
	// none.
	jsonText(expr string, col column, path []string) string
	// elements returns the join with the elements of an array, of the database's own type
	// or in JSON, as alias.value.
	elements(expr string, col column, path []string, alias string) string
	// change writes a column with parts of it changed.
	change(q *statement, d *dataset, col column, changes []change)
	// isOneOf writes the condition that an element is one of a list of values.
	isOneOf(q *statement, element string, as comparison, list []string)
}

// cataloguer reads what the database says of itself.
type cataloguer interface {
	// describe returns a table, or errNoTable.
	describe(ctx context.Context, on executor, schema, name string) (*table, error)
	// read reads the catalogue, and version tells one state of it from another, as far as
	// foreign keys, triggers and rules are concerned.
	read(ctx context.Context, on executor, schema string, c *catalogue) error
	version(ctx context.Context, on executor) (string, error)
	// filtered returns, by table or view, the tables of which it doesn't show all rows to the
	// connection's user.
	filtered(ctx context.Context, on executor, schema string, ids []string) (filters, error)
	// tables returns the tables of every schema that the connection's user may read, without
	// views, and without the database's own.
	tables(ctx context.Context, on executor, schema string) ([]placed, error)
	// size returns a query for how many rows a table has, and how large it is as a text, as
	// far as the database knows without looking; empty where it doesn't.
	size(t relation) (query string, args []any)
	// copies looks for what a dataset's table says elsewhere, which an erasure doesn't see.
	copies(ctx context.Context, s *System, d *dataset, add func(what, cure string)) error
	// wide says what the connection's user may do that no worker needs, of tables by the
	// database's own names.
	wide(ctx context.Context, on executor, ids []string) (may []string, err error)
}

// transactor keeps an erasure to what was counted.
type transactor interface {
	// begin returns how a transaction begins that erases what it has counted, whatever
	// others do meanwhile, and looking how one begins that changes nothing.
	begin() *sql.TxOptions
	looking() *sql.TxOptions
	// watch begins to count, on a connection, what a transaction does that the database doesn't count
	// itself. tallies finds it in the context that is returned; the function ends it.
	watch(ctx context.Context, conn *sql.Conn) (context.Context, func(), error)
	// tallies asks what the connection's transaction has done so far, by table, or under
	// the empty name the sum of all.
	tallies(ctx context.Context, on executor, schema string) (tallies, error)
	// written returns the condition that the transaction has written a row as it is; empty
	// where the database doesn't tell.
	written(alias string) string
	// keepsCount fails, with an *overreach, where the connection is set so that the database counts
	// less than it does, or leaves undone what the catalogue says.
	keepsCount(ctx context.Context, on executor) error
	// measures reports what of it is counted.
	measures(what measure) bool
	// beforeCommit has happen what is deferred to the end of a transaction, and dangling
	// counts, by table, the rows that refer to nothing, where such are found out at the
	// commit only.
	beforeCommit(ctx context.Context, tx *sql.Tx) error
	dangling(ctx context.Context, tx *sql.Tx) (map[string]int, error)
}

// errorReader reads errors. Those of other databases it leaves.
type errorReader interface {
	reason(err error) (reason, bool)
	// refusal words an error about a row, and cause says in fields what it is about.
	refusal(s *System, at rejected, err error) (string, bool)
	cause(s *System, at rejected, err error, c *dsar.Cause) bool
	// tableOf returns the table that an error names, as far as it does: others' words, that
	// may quote a row.
	tableOf(err error) string
	// hides says what else than a trigger leaves rows as they were without an error.
	hides() (what, cure string)
}

// likeEscape escapes in patterns: no character that a database takes for more in a
// constant.
const likeEscape = "!"

// statement is a SQL text and its parameters. What isn't a constant of this
// package or a quoted name of the manifest is a parameter.
type statement struct {
	strings.Builder
	dialect Dialect
	args    []any
	making  making // what an erasure makes for rows
}

// arg adds a parameter, and text one that is a text wherever it stands.
func (s *statement) arg(v any) {
	s.args = append(s.args, v)
	s.WriteString(s.dialect.parameter(len(s.args)))
}

func (s *statement) text(v string) {
	s.args = append(s.args, v)
	s.WriteString(s.dialect.textParameter(len(s.args)))
}

func (s *statement) add(parts ...string) {
	for _, p := range parts {
		s.WriteString(p)
	}
}

// concat writes texts that become one.
func (s *statement) concat(parts []manifest.Part, write func(manifest.Part)) {
	begin, between, end := s.dialect.concat()
	if len(parts) == 1 {
		begin, end = "", ""
	}
	s.WriteString(begin)
	for i, p := range parts {
		if i > 0 {
			s.WriteString(between)
		}
		write(p)
	}
	s.WriteString(end)
}
