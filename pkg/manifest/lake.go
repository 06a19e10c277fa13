package manifest

import (
	"fmt"
	"maps"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"time"

	"habeas.dev/pkg/dsar"
)

// Lake says how a system is served whose records lie in tables of Apache Iceberg.
type Lake struct {
	// Catalogue is the address of the catalogue that knows the tables, unless the
	// configuration names another: sqlite:///path/of/catalogue.db,
	// postgres://user@host/database, or the https:// address of a REST catalogue.
	Catalogue string `yaml:"catalogue,omitempty"`
	// Name is what the catalogue is called; empty: lake. In a SQL catalogue that Spark
	// shares it is Spark's name of it, without which no table is found.
	Name string `yaml:"name,omitempty"`
	// Window is how often erasures are carried out, all that wait in one pass; 0 means as
	// they come. It runs from midnight, UTC, and divides a day, or is of whole days.
	Window time.Duration `yaml:"window,omitempty"`
	// Waiting is how many erasures are carried out before the next window, once so many wait:
	// an eighth of a window later at most. 0 means that all wait for it.
	Waiting int64 `yaml:"waiting,omitempty"`
	// Refs says what becomes of tags and branches that still hold what was erased:
	// [RefsName], which is the default, or [RefsRemove].
	Refs string `yaml:"refs,omitempty"`
}

// What becomes of tags and branches of a table that still hold what was erased.
const (
	RefsName   = "name"   // they are named, and hold the request open until a person has decided
	RefsRemove = "remove" // they are removed
)

// DatasetLake says where a dataset's records are in a lake.
type DatasetLake struct {
	// Table is the table, with its namespace: activity.clicks.
	Table string `yaml:"table"`
	// Key are the table's columns that tell its rows apart. Rows with one key are one
	// record: a lake refuses no duplicate.
	Key []string `yaml:"key"`
	// Subject maps each type of identifier to the column that holds it. E-mail addresses
	// and telephone numbers are compared by the equivalences of pkg/identifier, which reads
	// every file; any other type as it is stored, by which files are passed over.
	Subject map[dsar.IdentifierType]string `yaml:"subject"`
	// Columns maps columns of the dataset that have another name in the table.
	Columns map[string]string `yaml:"columns,omitempty"`
}

// Column returns what a column of the dataset is called in the table.
func (l *DatasetLake) Column(name string) string {
	if other := l.Columns[name]; other != "" {
		return other
	}
	return name
}

const (
	// minWindow and maxWindow bound a window: a pass rewrites files, and a task can't wait
	// for longer than a week.
	minWindow = time.Minute
	maxWindow = 7 * day
	day       = 24 * time.Hour
)

var (
	lakeTableForm  = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]{0,62}(\.[A-Za-z_][A-Za-z0-9_]{0,62}){1,4}$`)
	lakeColumnForm = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]{0,62}$`)
)

// lake checks what a manifest says of a lake.
func (v *validation) lake() {
	l := v.m.Lake
	if l == nil {
		for i := range v.m.Datasets {
			if v.m.Datasets[i].Lake != nil {
				v.add(index("datasets", i)+".lake", "a dataset has lake, the system hasn't", "add lake: {} to the system, or leave it out of the dataset")
			}
		}
		return
	}
	if v.m.SQL != nil || v.m.HTTP != nil {
		v.add("lake", "lake beside sql or http", "a system is served in one way: make two systems of it")
	}
	if u, err := url.Parse(l.Catalogue); l.Catalogue != "" && (err != nil || !slices.Contains(lakeSchemes(), u.Scheme)) {
		v.add("lake.catalogue", "lake.catalogue isn't the address of a catalogue", "write it as "+strings.Join(lakeSchemes(), "://…, ")+"://…")
	} else if err == nil && u.User != nil {
		if _, secret := u.User.Password(); secret {
			v.add("lake.catalogue", "lake.catalogue holds a password", "write the address in the configuration, under dsn")
		}
	}
	if l.Name != "" && !lakeColumnForm.MatchString(l.Name) {
		v.add("lake.name", fmt.Sprintf("%q isn't a catalogue's name", l.Name), "use letters, digits and underscores")
	}
	if l.Window != 0 && (l.Window < minWindow || l.Window > maxWindow) {
		v.add("lake.window", "lake.window is out of bounds", fmt.Sprintf("write a time from %s to %s, such as 24h", minWindow, maxWindow))
	} else if l.Window != 0 && day%l.Window != 0 && l.Window%day != 0 {
		v.add("lake.window", "lake.window doesn't divide a day: it would begin at another hour each day", "write one that does, such as 6h, 8h or 24h, or whole days, such as 48h")
	}
	if l.Waiting < 0 || l.Waiting > 0 && l.Window == 0 {
		v.add("lake.waiting", "lake.waiting isn't how many erasures wait for a window", "write a number, such as 100, beside window")
	}
	if l.Refs != "" {
		oneOf(v, "lake.refs", "refs", l.Refs, []string{RefsName, RefsRemove})
	}
	for i, a := range v.m.Abilities {
		if a != dsar.Gather && a != dsar.Erase {
			v.add(index("abilities", i), fmt.Sprintf("a lake can't %s", a), "leave it out: gather and erase are what is done in a lake, and a person does the rest")
		}
	}
	for i := range v.m.Datasets {
		d, path := &v.m.Datasets[i], index("datasets", i)
		if d.Lake == nil {
			v.add(path, fmt.Sprintf("dataset %s has no lake", d.Name), "say in which table it lies")
			continue
		}
		v.datasetLake(path+".lake", i)
	}
}

// lakeSchemes lists the schemes of catalogues' addresses.
func lakeSchemes() []string { return []string{"sqlite", "postgres", "postgresql", "https", "http"} }

// datasetLake checks where a dataset's records are in a lake.
func (v *validation) datasetLake(path string, i int) {
	d := &v.m.Datasets[i]
	l := d.Lake
	if !lakeTableForm.MatchString(l.Table) {
		v.missing(path+".table", l.Table, "table", "write its namespace and name: activity.clicks")
	}
	for _, o := range v.m.Datasets[:i] {
		if o.Lake != nil && o.Lake.Table == l.Table && l.Table != "" {
			v.add(path+".table", fmt.Sprintf("table %q is that of dataset %s already", l.Table, o.Name), "make it one dataset")
		}
	}
	if d.GoesWith != "" {
		v.add(path, fmt.Sprintf("dataset %s goes with another", d.Name), "leave goes_with out: in a lake nothing goes with anything else")
	}
	if len(l.Key) == 0 {
		v.add(path+".key", fmt.Sprintf("dataset %s has no key", d.Name), "name the columns that tell its rows apart: [click_id]")
	}
	v.list(path+".key", len(l.Key))
	for j, c := range l.Key {
		v.lakeColumn(index(path+".key", j), c)
		if slices.Contains(l.Key[:j], c) {
			v.add(index(path+".key", j), fmt.Sprintf("%q stands twice", c), "leave one")
		}
	}
	if len(l.Subject) == 0 {
		v.add(path+".subject", fmt.Sprintf("dataset %s has no subject", d.Name), "say which column holds which identifier: {account_id: account_id}")
	}
	v.list(path+".subject", len(l.Subject))
	for _, t := range slices.Sorted(maps.Keys(l.Subject)) {
		v.needed(path+".subject."+string(t), t)
		v.lakeColumn(path+".subject."+string(t), l.Subject[t])
	}
	v.list(path+".columns", len(l.Columns))
	for _, name := range slices.Sorted(maps.Keys(l.Columns)) {
		if d.Column(name) == nil {
			v.add(path+".columns."+name, fmt.Sprintf("%q isn't a column of dataset %s", name, d.Name), "name one of its columns: "+columnNames(d))
		}
		v.lakeColumn(path+".columns."+name, l.Columns[name])
	}
}

func (v *validation) lakeColumn(path, name string) {
	if !lakeColumnForm.MatchString(name) {
		v.add(path, fmt.Sprintf("%q isn't a column's name", name), "use letters, digits and underscores: only columns of the table itself can be named, and none within another")
	}
}
