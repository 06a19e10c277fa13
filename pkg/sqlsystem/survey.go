package sqlsystem

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"habeas.dev/pkg/manifest"
)

// lookTime bounds a look at what is in a table: a draft is made without what takes longer.
const lookTime = 20 * time.Second

// maxSampled is the most characters that are read of a value to tell its shape.
const maxSampled = 300

// Survey is a look at a database for which there is no manifest yet: its tables, and
// samples of them, for who drafts one. It changes nothing. Close closes its connections.
type Survey struct{ s *System }

// Surveyed is what a survey tells of a table.
type Surveyed struct {
	// Name is the table's, as a manifest has it.
	Name    string
	Columns []SurveyedColumn
	// Key are the columns of its primary key, or of another unique index that takes no
	// null; of a table without, ctid or rowid, where the database has
	// such.
	Key []string
	// Unique are the columns of each of its unique indexes, the primary key's among them.
	Unique [][]string
	// Refers are its foreign keys.
	Refers []SurveyedReference
}

// SurveyedColumn is a column of a table.
type SurveyedColumn struct {
	Name string
	// Type is the database's word for its type, below domains.
	Type    string
	NotNull bool
	// Made tells that the database makes what it holds: no value can be given to it.
	Made bool
}

// SurveyedReference is a foreign key: what its columns refer to, and what becomes of a row
// where that is deleted.
type SurveyedReference struct {
	Columns, Targets []string
	Table            string
	// OnDelete is cascade, unlink, where the reference becomes null, or empty, where the deletion
	// is refused: by the database, or, where the reference would be another row's by a default, by
	// an erasure.
	OnDelete string
}

// NewSurvey connects to a database as [Open] does, to look at a schema of PostgreSQL, or,
// where that is empty, at the connection's own.
func NewSurvey(ctx context.Context, source, schema string) (*Survey, error) {
	db, dialect, err := dial(ctx, source)
	if err != nil {
		return nil, fmt.Errorf("sqlsystem: %w", err)
	}
	s := &System{m: &manifest.Manifest{SQL: &manifest.SQL{Schema: schema}}, db: db, dialect: dialect, own: true, timeout: DefaultTimeout, statements: map[string]*sql.Stmt{}}
	ctx, cancel := context.WithTimeout(ctx, s.timeout)
	defer cancel()
	if err := db.PingContext(ctx); err != nil {
		_ = db.Close()
		return nil, fmt.Errorf("sqlsystem: %w: %w", ErrUnreachable, err)
	}
	if s.dialect, err = dialect.learn(ctx, db); err != nil {
		_ = db.Close()
		return nil, fmt.Errorf("sqlsystem: %w: %w", ErrUnreachable, err)
	}
	return &Survey{s}, nil
}

// Close closes the connections.
func (v *Survey) Close() error { return v.s.Close() }

// Dialect returns the database's kind.
func (v *Survey) Dialect() Dialect { return v.s.dialect }

// Tables looks at every table of the schema, sorted by name; views are left out. It calls
// each, where that isn't nil, after so many of all tables.
func (v *Survey) Tables(ctx context.Context, each func(done, all int)) ([]Surveyed, error) {
	if err := v.s.refresh(ctx, v.s.db); err != nil {
		return nil, fmt.Errorf("sqlsystem: the database doesn't tell its tables: %w", err)
	}
	names, err := v.s.ownTables(ctx)
	if err != nil {
		return nil, fmt.Errorf("sqlsystem: the database doesn't tell its tables: %w", err)
	}
	var out []Surveyed
	for i, name := range names {
		t, err := v.s.describe(ctx, name)
		if err != nil {
			return nil, fmt.Errorf("sqlsystem: the database doesn't tell what the table %s has: %w", name, err)
		}
		out = append(out, v.table(name, t))
		if each != nil {
			each(i+1, len(names))
		}
	}
	return out, nil
}

// Beside returns the further schemas of which the connection's user may read tables, sorted: none
// of them is looked at.
func (v *Survey) Beside(ctx context.Context) ([]string, error) {
	all, err := v.s.dialect.tables(ctx, v.s.db, v.s.m.SQL.Schema)
	if err != nil {
		return nil, fmt.Errorf("sqlsystem: the database doesn't tell its tables: %w", err)
	}
	var schemas []string
	for _, p := range all {
		if !p.own && !slices.Contains(schemas, p.schema) {
			schemas = append(schemas, p.schema)
		}
	}
	slices.Sort(schemas)
	return schemas, nil
}

func (v *Survey) table(name string, t *table) Surveyed {
	out := Surveyed{Name: name}
	for _, c := range t.columns {
		out.Columns = append(out.Columns, SurveyedColumn{Name: c.name, Type: c.typ, NotNull: c.notNull, Made: c.made != ""})
	}
	for _, x := range t.indexes {
		if x.text != "" || x.partial != "" || x.overlaps || len(x.columns) == 0 {
			continue
		}
		out.Unique = append(out.Unique, x.columns)
	}
	out.Key = v.key(t, out.Unique)
	for _, r := range v.s.catalogue().references {
		if r.from.id != t.id {
			continue
		}
		ref := SurveyedReference{Columns: r.columns, Targets: r.targets, Table: r.to.name}
		switch r.onDelete {
		case goes:
			ref.OnDelete = "cascade"
		case detaches:
			ref.OnDelete = "unlink"
		}
		out.Refers = append(out.Refers, ref)
	}
	return out
}

// key returns the columns that tell a table's rows apart: those of its primary key, or of
// the smallest other index that takes no null.
func (v *Survey) key(t *table, unique [][]string) []string {
	if i := slices.IndexFunc(t.indexes, func(x index) bool { return x.primary }); i >= 0 {
		return t.indexes[i].columns
	}
	var best []string
	for _, columns := range unique {
		null := slices.ContainsFunc(columns, func(name string) bool {
			c, ok := t.column(name, v.s.dialect)
			return !ok || !c.notNull
		})
		if !null && (best == nil || len(columns) < len(best)) {
			best = columns
		}
	}
	if best != nil {
		return best
	}
	if name, _ := v.s.dialect.rowName(); name != "" {
		return []string{name}
	}
	return nil
}

// Sample hands what some columns of a table hold to visit, in so many rows at most, as
// texts of no more than 300 characters; NULL is "". They are people's: no value may be
// told to anybody.
func (v *Survey) Sample(ctx context.Context, table string, columns []string, rows int, visit func(values []string)) error {
	if len(columns) == 0 {
		return nil
	}
	selected := make([]string, len(columns))
	for i, name := range columns {
		selected[i] = "substr(" + v.s.dialect.text(v.s.dialect.quote(name)) + ", 1, " + strconv.Itoa(maxSampled) + ")"
	}
	query := "SELECT " + strings.Join(selected, ", ") + " FROM " + v.s.table(table) + " LIMIT " + strconv.Itoa(rows)
	ctx, cancel := context.WithTimeout(ctx, lookTime)
	defer cancel()
	return v.s.looking(ctx, func(tx *sql.Tx) error { return each(ctx, tx, query, visit) })
}

// Holds reports whether a column holds a text in some row.
func (v *Survey) Holds(ctx context.Context, table, column, text string) (holds bool, err error) {
	q := &statement{dialect: v.s.dialect}
	q.add("SELECT 1 FROM ", v.s.table(table), " WHERE ", v.s.dialect.text(v.s.dialect.quote(column)), " = ")
	q.text(text)
	q.WriteString(" LIMIT 1")
	ctx, cancel := context.WithTimeout(ctx, lookTime)
	defer cancel()
	err = v.s.looking(ctx, func(tx *sql.Tx) error {
		return each(ctx, tx, q.String(), func([]string) { holds = true }, q.args...)
	})
	return holds, err
}
