package manifest

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"habeas.dev/pkg/dsar"
)

// maxSQLName is the longest name of a table or column, in bytes; PostgreSQL
// cuts off at 63.
const maxSQLName = 63

// sql checks the part for pkg/sqlsystem.
func (v *validation) sql() {
	m := v.m
	if m.SQL == nil {
		for i := range m.Datasets {
			if m.Datasets[i].SQL != nil {
				v.add(index("datasets", i)+".sql", "a dataset has sql, the system hasn't", "add sql: {} to the system, or leave it out of the dataset")
			}
		}
		return
	}
	if m.SQL.Schema != "" {
		v.sqlName("sql.schema", m.SQL.Schema)
	}
	v.resolve()
	v.where("sql.where", m.SQL.Where)
	v.sqlTables("sql.technical", m.SQL.Technical)
	v.sqlTables("sql.shows_all", m.SQL.ShowsAll)
	for i := range m.Datasets {
		path := index("datasets", i)
		if m.Datasets[i].SQL == nil {
			v.add(path, fmt.Sprintf("dataset %s has no sql", m.Datasets[i].Name), "say in which table it lies")
			continue
		}
		v.datasetSQL(path+".sql", &m.Datasets[i])
	}
	v.able(dsar.Rectify, "rectify", func(d *DatasetSQL) bool { return len(d.Corrigible()) > 0 || len(d.Rectify) > 0 })
	v.able(dsar.Restrict, "restrict", func(d *DatasetSQL) bool { return len(d.Restrict) > 0 })
	if _, circle := m.EraseOrder(); circle != nil {
		v.add("datasets", "datasets are to be erased in a circle: "+strings.Join(circle, " after "), "leave out one after:")
	}
}

// sqlTables checks a list of tables, each of which stands once.
func (v *validation) sqlTables(path string, names []string) {
	for i, name := range names {
		v.sqlTable(index(path, i), name)
		if slices.Contains(names[:i], name) {
			v.add(index(path, i), fmt.Sprintf("%q stands twice", name), "leave one")
		}
	}
}

// able checks that an ability is declared where the datasets say how, and the other
// way round.
func (v *validation) able(ability dsar.Action, field string, says func(*DatasetSQL) bool) {
	var any bool
	for i, d := range v.m.Datasets {
		if d.SQL == nil || !says(d.SQL) {
			continue
		}
		any = true
		if !slices.Contains(v.m.Abilities, ability) {
			v.add(index("datasets", i)+".sql."+field, fmt.Sprintf("dataset %s has %s, the system lacks the ability", d.Name, field), "add "+field+" to abilities, or leave it out")
		}
	}
	if !any && slices.Contains(v.m.Abilities, ability) {
		v.add("abilities", fmt.Sprintf("the system is able to %s, and no dataset says how", ability), "add sql."+field+" to a dataset, or leave the ability out")
	}
}

func (v *validation) resolve() {
	m := v.m
	can := slices.Contains(m.Abilities, dsar.Resolve)
	if can && len(m.SQL.Resolve) == 0 {
		v.add("sql", "the system is able to resolve, and sql doesn't say how", "add sql.resolve, or leave the ability out")
	}
	if !can && len(m.SQL.Resolve) > 0 {
		v.add("sql.resolve", "sql.resolve without the ability resolve", "add resolve to abilities, or leave it out")
	}
	v.list("sql.resolve", len(m.SQL.Resolve))
	for i, r := range m.SQL.Resolve {
		path := index("sql.resolve", i)
		if !slices.Contains(m.Finds, r.Find) {
			v.add(path+".find", fmt.Sprintf("resolve finds %q, which isn't in finds", r.Find), "add it to finds")
		}
		if r.Strength != "" {
			oneOf(v, path+".strength", "strength", r.Strength, strengths())
		}
		v.sqlTable(path+".table", r.Table)
		v.sqlColumn(path+".column", r.Table, nil, r.Column)
		v.via(path, r.Table, r.Via)
		v.where(path+".where", r.Where)
		if len(r.By) == 0 {
			v.add(path+".by", "by is missing", "name the column of an identifier that is known: {email: email}")
		}
		v.list(path+".by", len(r.By))
		for _, t := range slices.Sorted(maps.Keys(r.By)) {
			if !slices.Contains(m.Finds, t) { // what it finds itself, it needn't be told
				v.needed(path+".by."+string(t), t)
			}
			v.sqlColumn(path+".by."+string(t), r.Table, r.Via, r.By[t])
			if t == r.Find {
				v.add(path+".by."+string(t), fmt.Sprintf("%q is found by itself", t), "name another identifier")
			}
		}
	}
	for _, f := range m.Finds {
		if can && !slices.ContainsFunc(m.SQL.Resolve, func(r SQLResolve) bool { return r.Find == f }) {
			v.add("sql.resolve", fmt.Sprintf("nothing in sql.resolve finds %q", f), "add it there, or take it out of finds")
		}
	}
}

func (v *validation) needed(path string, t dsar.IdentifierType) {
	if !slices.Contains(v.m.Needs, t) {
		v.add(path, fmt.Sprintf("%q isn't among the system's needs, so it is never told", t), "add it to needs")
	}
}

func (v *validation) datasetSQL(path string, d *Dataset) {
	s := d.SQL
	v.sqlTable(path+".table", s.Table)
	for _, o := range v.m.Datasets {
		if o.SQL == s {
			break
		}
		if o.SQL != nil && o.SQL.Table == s.Table && !slices.Equal(o.SQL.Key, s.Key) {
			v.add(path+".key", fmt.Sprintf("dataset %s of the same table has another key", o.Name), "give both the same")
		}
		if o.SQL != nil && o.SQL.Table == s.Table && s.Table != "" && !s.Where.excludes(o.SQL.Where) {
			v.add(path+".table", fmt.Sprintf("table %q is that of dataset %s already", s.Table, o.Name), "make it one dataset, or give both a where by which no row is in both: {kind: note} and {kind: {not: note}}")
		}
	}
	if len(s.Key) == 0 {
		v.add(path+".key", "key is missing", "name the columns that tell the table's rows apart")
	}
	v.list(path+".key", len(s.Key))
	v.beside(path+".files", d)
	for i, k := range s.Key {
		v.sqlName(index(path+".key", i), k)
		if slices.Contains(s.Key[:i], k) {
			v.add(index(path+".key", i), fmt.Sprintf("%q stands twice", k), "leave one")
		}
	}
	for _, name := range slices.Sorted(maps.Keys(s.Columns)) {
		if d.Column(name) == nil {
			v.add(path+".columns."+name, fmt.Sprintf("unknown column %q", name), "name one of the dataset's columns: "+columnNames(d))
		}
		v.sqlColumn(path+".columns."+name, s.Table, s.Via, s.Columns[name])
		if ParseSource(s.Columns[name]).Each {
			v.add(path+".columns."+name, "a column of a record is one value", "name the array itself, with the type object")
		}
	}
	v.list(path+".after", len(s.After))
	for i, name := range s.After {
		switch {
		case v.m.Dataset(name) == nil:
			v.add(index(path+".after", i), fmt.Sprintf("after names the unknown dataset %q", name), "name one of this system's datasets")
		case name == d.Name:
			v.add(index(path+".after", i), "a dataset can't be erased after itself", "leave it out")
		}
	}
	v.waysSQL(path, d)
	v.shared(path, d)
	v.mentions(path+".mentions", d)
	v.cascades(path, d)
	v.rectify(path+".rectify", d, d.SQL.Rectify)
	for i, w := range d.SQL.Ways {
		v.rectify(index(path+".ways", i)+".rectify", d, w.Rectify)
	}
	if s := d.SQL; len(s.Rectify) > 0 && len(s.Subject) == 0 && len(s.Ways) > 1 {
		v.add(path+".rectify", fmt.Sprintf("several ways lead to rows of dataset %s, and rectify doesn't say by which of them a row is the person's own to correct", d.Name), "write rectify in those ways: where another leads to a row, what it says may be of somebody else")
	}
	v.restrict(path, d)
	v.list(path+".technical", len(d.SQL.Technical))
	for i, name := range d.SQL.Technical {
		v.sqlName(index(path+".technical", i), name)
		if slices.Contains(d.SQL.Technical[:i], name) {
			v.add(index(path+".technical", i), fmt.Sprintf("%q stands twice", name), "leave one")
		}
	}
}

// constant checks a value that columns of a database are set to.
func (v *validation) constant(path string, value any) {
	switch value := value.(type) {
	case nil, bool, int, int64, float64:
	case string:
		if len(value) > maxText || strings.ContainsRune(value, 0) {
			v.add(path, "the text is too long or holds a NUL", "write a short text")
		}
	default:
		v.add(path, "it must be null, a text, a number, true or false", "quote a date")
	}
}

// on checks by which columns one table leads to another.
func (v *validation) on(at string, pairs map[string]string, cure string) {
	if len(pairs) == 0 {
		v.add(at, "on is missing", cure)
	}
	v.list(at, len(pairs))
	for from, to := range pairs {
		v.sqlName(at, from)
		v.sqlName(at, to)
	}
}

// shared checks the tables whose rows keep the dataset's.
func (v *validation) shared(path string, d *Dataset) {
	v.list(path+".unless_shared", len(d.SQL.UnlessShared))
	for i, s := range d.SQL.UnlessShared {
		at := index(path+".unless_shared", i)
		v.sqlTable(at+".table", s.Table)
		v.on(at+".on", s.On, "say which column of the table refers to which of the dataset's: {address_id: id}")
		v.where(at+".where", s.Where)
	}
}

// mentions checks the columns of free text, and that a person sees what they say.
func (v *validation) mentions(path string, d *Dataset) {
	v.list(path, len(d.SQL.Mentions))
	for _, t := range slices.Sorted(maps.Keys(d.SQL.Mentions)) {
		at := path + "." + string(t)
		v.needed(at, t)
		v.list(at, len(d.SQL.Mentions[t]))
		for i, column := range d.SQL.Mentions[t] {
			v.sqlName(index(at, i), column)
		}
	}
	if len(d.SQL.Mentions) > 0 && !slices.ContainsFunc(d.Others, func(o Others) bool { return o.NeedsPerson() }) {
		v.add(path, fmt.Sprintf("rows of %s that mention somebody would be disclosed to them unseen", d.Name), "add others: [{columns: [the text], unless: {email: the author's column}, then: person}]")
	}
}

// cascades checks the tables that may lose rows with the dataset's, or their references to
// them.
func (v *validation) cascades(path string, d *Dataset) {
	v.tables(path+".cascades", d.SQL.Cascades)
	v.tables(path+".unlinks", d.SQL.Unlinks)
	for i, name := range d.SQL.Cascades {
		for _, o := range v.m.Datasets {
			if o.SQL != nil && o.SQL.Table == name && len(o.Retention) > 0 {
				v.add(index(path+".cascades", i), fmt.Sprintf("rows of %s must stay: they can't go with those of %s", o.Name, d.Name), "leave it out; where they only lose their reference, name it in unlinks")
			}
		}
	}
}

// tables checks a list of tables.
func (v *validation) tables(path string, names []string) {
	v.list(path, len(names))
	v.sqlTables(path, names)
}

// rectify checks the columns that may be corrected by a way.
func (v *validation) rectify(path string, d *Dataset, columns []string) {
	v.list(path, len(columns))
	for i, name := range columns {
		at := index(path, i)
		switch c := d.Column(name); {
		case c == nil:
			v.add(at, fmt.Sprintf("rectify names the unknown column %q", name), "name one of the dataset's columns: "+columnNames(d))
		case ParseSource(d.SQL.Source(name)).Within():
			v.add(at, fmt.Sprintf("column %q is a part of what a column of the table holds", name), "have it corrected by hand")
		case ParseSource(d.SQL.Source(name)).Table != "":
			v.add(at, fmt.Sprintf("column %q lies in another table", name), "rectify it in that table's dataset")
		case slices.Contains(d.SQL.Key, d.SQL.Source(name)):
			v.add(at, fmt.Sprintf("column %q is part of the key", name), "a key isn't corrected")
		case slices.Contains(columns[:i], name):
			v.add(at, fmt.Sprintf("%q stands twice", name), "leave one")
		case v.m.steers(d, name) != "":
			v.add(at, fmt.Sprintf("column %q decides %s: whoever has it corrected would decide that", name, v.m.steers(d, name)), "leave it out, and have it corrected by hand")
		}
	}
}

func (v *validation) restrict(path string, d *Dataset) {
	v.list(path+".restrict", len(d.SQL.Restrict))
	for i, r := range d.SQL.Restrict {
		at := index(path+".restrict", i)
		v.sqlName(at+".column", r.Column)
		if slices.Contains(d.SQL.Key, r.Column) {
			v.add(at+".column", fmt.Sprintf("column %q is part of the key", r.Column), "name the flag that stops processing")
		}
		if r.Value == nil {
			v.add(at+".value", "value is missing", "write the value that stops processing, such as true")
		} else {
			v.constant(at+".value", r.Value)
		}
		if r.Lifted != nil {
			v.constant(at+".lifted", r.Lifted)
		}
		v.purposes(at+".stops", r.Stops)
	}
}

func (v *validation) sqlName(path, name string) {
	switch {
	case name == "":
		v.add(path, label(path)+" is missing", "write the name that it has in the database")
	case len(name) > maxSQLName, strings.ContainsFunc(name, func(r rune) bool { return r < ' ' || r == 0x7f || r == '.' }):
		v.add(path, fmt.Sprintf("%q isn't a name in a database", name), fmt.Sprintf("at most %d bytes, no dots, no control characters", maxSQLName))
	}
}

// sqlTable checks the name of a table, or schema.table.
func (v *validation) sqlTable(path, name string) {
	schema, table, there := strings.Cut(name, ".")
	v.sqlName(path, schema)
	if there {
		v.sqlName(path, table)
	}
}

// sqlColumn checks the name of a column, or table.column for a table of joins.
func (v *validation) sqlColumn(path, own string, via []Via, name string) {
	source := ParseSource(name)
	v.sqlName(path, source.Column)
	for _, key := range source.Path {
		v.sqlName(path, key)
	}
	if source.Table != "" && !slices.ContainsFunc(via, func(via Via) bool { return via.Name() == source.Table }) {
		v.add(path, fmt.Sprintf("%q names a table that isn't in via", name), "add via, or name a column of "+own)
	}
}
