package sqlsystem

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// table is what the database says of a table or view.
type table struct {
	columns []column
	unique  [][]string // columns that tell rows apart, each in lower case, sorted
	view    bool       // of a view nothing is known to be unique
	id      string     // the database's own name of it
	refers  []reference
}

// reference is a foreign key: the id of the table that it refers to, and whether
// a row goes with the one that it refers to.
type reference struct {
	to       string
	cascades bool
}

// column is what the database says of a column.
type column struct{ name, typ string }

// column finds a column by name. SQLite doesn't tell cases apart.
func (t *table) column(name string, d Dialect) (column, bool) {
	i := slices.IndexFunc(t.columns, func(c column) bool {
		return c.name == name || d == SQLite && strings.EqualFold(c.name, name)
	})
	if i < 0 {
		return column{}, false
	}
	return t.columns[i], true
}

func (t *table) names() string {
	names := make([]string, len(t.columns))
	for i, c := range t.columns {
		names[i] = c.name
	}
	return strings.Join(names, ", ")
}

// tells tells whether columns tell the rows apart.
func (t *table) tells(columns []string) bool {
	if t.view {
		return true // taken on trust
	}
	return slices.ContainsFunc(t.unique, func(unique []string) bool {
		return !slices.ContainsFunc(unique, func(u string) bool {
			return !slices.ContainsFunc(columns, func(c string) bool { return strings.EqualFold(c, u) })
		})
	})
}

var errNoTable = errors.New("no such table")

// describe asks the database about a table.
func (s *System) describe(ctx context.Context, name string) (*table, error) {
	if s.dialect == PostgreSQL {
		return s.describePostgres(ctx, name)
	}
	return s.describeSQLite(ctx, name)
}

func (s *System) describeSQLite(ctx context.Context, name string) (*table, error) {
	t := &table{}
	var kind string
	err := s.db.QueryRowContext(ctx, `SELECT type FROM sqlite_master WHERE name = ? COLLATE NOCASE AND type IN ('table', 'view')`, name).Scan(&kind)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, errNoTable
	}
	if err != nil {
		return nil, err
	}
	t.view = kind == "view"
	var key []string
	err = s.each(ctx, `SELECT name, type, pk FROM pragma_table_xinfo(?)`, name, func(rows *sql.Rows) error {
		var c column
		var pk int
		if err := rows.Scan(&c.name, &c.typ, &pk); err != nil {
			return err
		}
		t.columns = append(t.columns, c)
		if pk > 0 {
			key = append(key, c.name)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	if key != nil {
		t.unique = append(t.unique, key)
	}
	unique := map[string][]string{}
	err = s.each(ctx, `SELECT l.name, coalesce(i.name, '') FROM pragma_index_list(?) l, pragma_index_info(l.name) i WHERE l."unique" AND NOT l.partial`, name, func(rows *sql.Rows) error {
		var index, column string
		if err := rows.Scan(&index, &column); err != nil {
			return err
		}
		unique[index] = append(unique[index], column)
		return nil
	})
	if err != nil {
		return nil, err
	}
	for _, columns := range unique {
		if !slices.Contains(columns, "") { // an expression
			t.unique = append(t.unique, columns)
		}
	}
	t.id = strings.ToLower(name)
	err = s.each(ctx, `SELECT lower("table"), on_delete = 'CASCADE' FROM pragma_foreign_key_list(?)`, name, func(rows *sql.Rows) error {
		var r reference
		err := rows.Scan(&r.to, &r.cascades)
		t.refers = append(t.refers, r)
		return err
	})
	return t, err
}

func (s *System) describePostgres(ctx context.Context, name string) (*table, error) {
	t := &table{}
	qualified := s.table(name)
	var oid sql.NullInt64
	var kind sql.NullString
	err := s.db.QueryRowContext(ctx, `SELECT c.oid::bigint, c.relkind::text FROM (SELECT to_regclass($1::text) AS oid) r LEFT JOIN pg_class c ON c.oid = r.oid`, qualified).Scan(&oid, &kind)
	if err != nil {
		return nil, err
	}
	if !oid.Valid {
		return nil, errNoTable
	}
	t.id = strconv.FormatInt(oid.Int64, 10)
	t.view = kind.String == "v" || kind.String == "m" || kind.String == "f"
	err = s.each(ctx, `SELECT a.attname::text, format_type(a.atttypid, NULL) FROM pg_attribute a
		WHERE a.attrelid = $1::bigint::oid AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum`, oid.Int64, func(rows *sql.Rows) error {
		var c column
		if err := rows.Scan(&c.name, &c.typ); err != nil {
			return err
		}
		t.columns = append(t.columns, c)
		return nil
	})
	if err != nil {
		return nil, err
	}
	unique := map[int64][]string{}
	err = s.each(ctx, `SELECT i.indexrelid::bigint, a.attname::text FROM pg_index i
		JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = ANY(i.indkey[0:i.indnkeyatts - 1])
		WHERE i.indrelid = $1::bigint::oid AND i.indisunique AND i.indisvalid AND i.indpred IS NULL AND i.indexprs IS NULL`, oid.Int64, func(rows *sql.Rows) error {
		var index int64
		var column string
		if err := rows.Scan(&index, &column); err != nil {
			return err
		}
		unique[index] = append(unique[index], column)
		return nil
	})
	if err != nil {
		return nil, err
	}
	for _, columns := range unique {
		t.unique = append(t.unique, columns)
	}
	err = s.each(ctx, `SELECT confrelid::bigint, confdeltype = 'c' FROM pg_constraint WHERE conrelid = $1::bigint::oid AND contype = 'f'`, oid.Int64, func(rows *sql.Rows) error {
		var to int64
		var r reference
		err := rows.Scan(&to, &r.cascades)
		r.to = strconv.FormatInt(to, 10)
		t.refers = append(t.refers, r)
		return err
	})
	return t, err
}

func (s *System) each(ctx context.Context, query string, arg any, row func(*sql.Rows) error) error {
	rows, err := s.db.QueryContext(ctx, query, arg)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		if err := row(rows); err != nil {
			return err
		}
	}
	return rows.Err()
}

// table is a table's name in a statement.
func (s *System) table(name string) string {
	if s.dialect == PostgreSQL && s.m.SQL.Schema != "" {
		return quote(s.m.SQL.Schema) + "." + quote(name)
	}
	return quote(name)
}

// compiler looks at tables once, and words what they lack.
type compiler struct {
	*System
	seen map[string]*table
}

// look returns a table; path is the part of the manifest that names it.
func (c *compiler) look(ctx context.Context, path, name string) (*table, error) {
	if t := c.seen[name]; t != nil {
		return t, nil
	}
	t, err := c.describe(ctx, name)
	switch {
	case errors.Is(err, errNoTable):
		return nil, c.wrong(path, fmt.Sprintf("%sthe database has no table %q", c.of(path), name), "create it, or correct the name")
	case err != nil:
		return nil, fmt.Errorf("sqlsystem: %s: %w: it doesn't tell its tables: %w", c.m.System, ErrUnreachable, err)
	}
	c.seen[name] = t
	return t, nil
}

// find returns a column of a table.
func (c *compiler) find(ctx context.Context, path, tableName, name string) (column, error) {
	t, err := c.look(ctx, path, tableName)
	if err != nil {
		return column{}, err
	}
	col, ok := t.column(name, c.dialect)
	if !ok {
		return col, c.wrong(path, fmt.Sprintf("%stable %q has no column %q", c.of(path), tableName, name), "it has "+t.names())
	}
	return col, nil
}

func (c *compiler) wrong(path, what, cure string) error {
	return fmt.Errorf("%s: %s; %s", c.m.At(path), what, cure)
}

// of names the dataset that a path is part of.
func (c *compiler) of(path string) string {
	var i int
	if n, err := fmt.Sscanf(path, "datasets[%d]", &i); n == 1 && err == nil && i < len(c.m.Datasets) {
		return "dataset " + c.m.Datasets[i].Name + ": "
	}
	return ""
}
