package draft

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"habeas.dev/pkg/dsar"
	"habeas.dev/pkg/manifest"
)

// lineLength is where lists are broken.
const lineLength = 118

// YAML returns the draft as a file.
func (d *Draft) YAML() string {
	var b strings.Builder
	all := d.reached()
	common := d.defaults(all)
	var from []string
	for _, r := range d.roots {
		if !r.derived {
			from = append(from, r.table.Name+"."+r.column.Name)
		}
	}
	fmt.Fprintf(&b, "# Drafted from %s by the tables and their names: %d of %d tables are datasets. What says %s only a\n# person knows, and habeas lint fails until it is said; what says \"decide\" is a guess to be checked.\n", strings.Join(from, ", "), len(all), len(d.tables), manifest.Todo)
	fmt.Fprintf(&b, "system: %s\ntitle: {en: %s}\n", d.options.System, scalar(title(manifest.NameWords(d.options.System))))
	d.head(&b)
	fmt.Fprintf(&b, "datasets:\n")
	for _, t := range all {
		d.dataset(&b, t, common)
	}
	d.rest(&b)
	return b.String()
}

// head writes what holds for the whole system.
func (d *Draft) head(b *strings.Builder) {
	var needs, finds, given []string
	for _, r := range d.roots {
		add := func(list *[]string, typ dsar.IdentifierType) {
			if typ != "" && !slices.Contains(*list, string(typ)) {
				*list = append(*list, string(typ))
			}
		}
		add(&needs, r.typ)
		add(&needs, r.found)
		add(&finds, r.found)
		if r.typ != "email" && r.typ != "phone" && !r.derived {
			add(&given, r.typ)
		}
	}
	if len(finds) > 0 {
		fmt.Fprintf(b, "abilities: [resolve, gather, erase]\nneeds: [%s]\nfinds: [%s]\n", strings.Join(needs, ", "), strings.Join(finds, ", "))
	} else {
		fmt.Fprintf(b, "abilities: [gather, erase]\nneeds: [%s]\n", strings.Join(needs, ", "))
	}
	if len(given) > 0 {
		fmt.Fprintf(b, "scope: {%s: given}\n", strings.Join(given, ": given, "))
	}
	fmt.Fprintf(b, "processing: {subjects: {en: %s}}        # whose data it is\n", manifest.Todo)
	common := d.defaults(d.reached())
	fmt.Fprintf(b, "defaults:                                # of every dataset that doesn't say otherwise\n  category: %s\n  origin: %s\n", common.category, common.origin)
	fmt.Fprintf(b, "  purposes: [%s]                       # ids of the catalogue of purposes, which have the legal basis\n", manifest.TodoPurpose)
	fmt.Fprintf(b, "  storage: {en: %s}                    # for how long it is kept, or by what that is decided\n", manifest.Todo)
	subject := ""
	if common.subject != "" {
		subject = ", subject: {" + common.subject + "}"
	}
	fmt.Fprintf(b, "  sql: {key: [%s]%s, erase: delete}\n", join(common.key), subject)
	if tenant := d.tenant(); tenant != "" {
		fmt.Fprintf(b, "# decide: where several companies share these tables, say whose this is: sql: {where: {%s: 1}}\n", scalar(tenant))
	}
	var technical []string
	for _, t := range d.tables {
		if t.state == technicalState {
			technical = append(technical, scalar(t.Name))
		}
	}
	if len(finds) == 0 && len(technical) == 0 && d.options.Schema == "" {
		b.WriteString("sql: {}\n")
		return
	}
	b.WriteString("sql:\n")
	if d.options.Schema != "" {
		fmt.Fprintf(b, "  schema: %s\n", scalar(d.options.Schema))
	}
	if len(finds) > 0 {
		b.WriteString("  resolve:\n")
		for _, r := range d.roots {
			one := ""
			if r.table.unique(r.column.Name) {
				one = ", one: true"
			}
			find := func(typ dsar.IdentifierType, column string) {
				fmt.Fprintf(b, "    - {find: %s, table: %s, column: %s, by: {%s: %s}%s}\n", typ, scalar(r.table.Name), scalar(column), r.typ, scalar(r.column.Name), one)
			}
			if r.found != "" {
				find(r.found, r.key.Name)
			}
			for _, e := range r.leads {
				find(e.to.root.found, e.near())
			}
		}
	}
	if len(technical) > 0 {
		list(b, "  technical: ", technical, "    ", "   # by their columns they say nothing of a person: check")
	}
}

// tenant returns the column by which most tables say whose they are; empty: there is none.
func (d *Draft) tenant() string {
	for _, t := range d.tables {
		for _, c := range t.columns {
			if !said(c.words, "tenant", "org", "organization", "organisation", "company", "site", "shop", "store", "workspace", "team") || !c.refers() {
				continue
			}
			n := 0
			for _, o := range d.tables {
				if o.column(c.Name) != nil {
					n++
				}
			}
			if n*2 > len(d.tables) {
				return c.Name
			}
		}
	}
	return ""
}

const technicalState = technical

// common is what most datasets say.
type common struct {
	category, origin, subject string
	key                       []string
}

func (d *Draft) defaults(all []*table) common {
	count := func(of func(*table) string) string {
		n, best := map[string]int{}, ""
		for _, t := range all {
			if v := of(t); v != "" {
				if n[v]++; best == "" || n[v] > n[best] || n[v] == n[best] && v < best {
					best = v
				}
			}
		}
		return best
	}
	c := common{category: count(func(t *table) string { return category(t.stem) }), origin: count(func(t *table) string { return origin(t.stem) })}
	c.subject = count(func(t *table) string {
		short := t.subject()
		if len(short) == 0 || t.root != nil {
			return ""
		}
		return pairs(short)
	})
	c.key = strings.Split(count(func(t *table) string { return strings.Join(t.Key, "\x00") }), "\x00")
	return c
}

// subject returns the short form of those ways that have one, as pairs of a type and a
// column; a second column of a type is a way of its own.
func (t *table) subject() [][2]string {
	var out [][2]string
	for _, w := range t.ways {
		if w.short() && !slices.ContainsFunc(out, func(p [2]string) bool { return p[0] == string(w.typ) }) {
			out = append(out, [2]string{string(w.typ), w.source})
		}
	}
	return out
}

// long returns the ways that have no short form.
func (t *table) long() []*way {
	var out []*way
	seen := map[string]bool{}
	for _, w := range t.ways {
		if w.short() && !seen[string(w.typ)] {
			seen[string(w.typ)] = true
			continue
		}
		out = append(out, w)
	}
	return out
}

func pairs(of [][2]string) string {
	var parts []string
	for _, p := range of {
		parts = append(parts, scalar(p[0])+": "+scalar(p[1]))
	}
	return strings.Join(parts, ", ")
}

var datasetForm = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9_-]{0,63}$`)

// dataset writes one dataset.
func (d *Draft) dataset(b *strings.Builder, t *table, c common) {
	name := datasetName(t.Name)
	fmt.Fprintf(b, "  - name: %s\n    title: {en: %s}\n", name, scalar(title(manifest.NameWords(strings.TrimPrefix(t.Name, d.prefix)))))
	if v := category(t.stem); v != c.category {
		fmt.Fprintf(b, "    category: %s\n", v)
	}
	if v := origin(t.stem); v != c.origin {
		fmt.Fprintf(b, "    origin: %s\n", v)
	}
	var columns, renamed, technical []string
	for _, col := range t.columns {
		if col.searched() {
			technical = append(technical, scalar(col.Name))
			continue
		}
		text, rename := t.columnText(col)
		columns = append(columns, text)
		if rename != "" {
			renamed = append(renamed, rename)
		}
	}
	list(b, "    columns: ", columns, "      ", "")
	if special := specials(t); special != "" {
		t.notes = append(t.notes, "decide: "+special+" may be of a special category of data: sensitive: true")
	}
	for _, n := range slices.Compact(t.notes) {
		fmt.Fprintf(b, "    # %s\n", n)
	}
	d.sql(b, t, name, c, renamed, technical)
}

func specials(t *table) string {
	var out []string
	for _, c := range t.columns {
		if c.special() {
			out = append(out, c.Name)
		}
	}
	return strings.Join(out, ", ")
}

// sql writes where a dataset's records lie.
func (d *Draft) sql(b *strings.Builder, t *table, name string, c common, renamed, technical []string) {
	var parts []string
	if name != t.Name {
		parts = append(parts, "table: "+scalar(t.Name))
	}
	if !slices.Equal(t.Key, c.key) {
		parts = append(parts, "key: ["+join(t.Key)+"]")
	}
	short, long := t.subject(), t.long()
	if s := pairs(short); len(short) > 0 && (s != c.subject || len(long) > 0) {
		parts = append(parts, "subject: {"+s+"}")
	}
	if len(renamed) > 0 {
		parts = append(parts, "columns: {"+strings.Join(renamed, ", ")+"}")
	}
	if len(technical) > 0 {
		parts = append(parts, "technical: ["+strings.Join(technical, ", ")+"]")
	}
	if len(t.cascades) > 0 {
		parts = append(parts, "cascades: ["+join(t.cascades)+"]")
	}
	if len(t.unlinks) > 0 {
		parts = append(parts, "unlinks: ["+join(t.unlinks)+"]")
	}
	if c.key == nil && t.owned() && t.set == nil { // no defaults say so
		parts = append(parts, "erase: delete")
	}
	if t.set != nil && t.owned() {
		var set []string
		for _, col := range t.columns {
			if v, ok := t.set[col.Name]; ok {
				set = append(set, scalar(col.Name)+": "+v)
			}
		}
		parts = append(parts, "set: {"+strings.Join(set, ", ")+"}")
	}
	if len(t.shared) > 0 {
		var shared []string
		for _, e := range t.shared {
			shared = append(shared, "{table: "+scalar(e.from.Name)+", on: {"+pairs(e.on)+"}}")
		}
		parts = append(parts, "unless_shared: ["+strings.Join(shared, ", ")+"]")
	}
	oneLine := "    sql: {" + strings.Join(parts, ", ") + "}"
	if len(parts) == 0 && len(long) == 0 {
		return
	}
	if len(long) == 0 && len(oneLine) <= lineLength {
		b.WriteString(oneLine + "\n")
		return
	}
	b.WriteString("    sql:\n")
	for _, p := range parts {
		wrapped(b, "      ", p)
	}
	if len(long) > 0 {
		b.WriteString("      ways:\n")
		for _, w := range long {
			wrapped(b, "        ", "- {"+w.text()+"}")
		}
	}
}

// text writes a way.
func (w *way) text() string {
	var parts []string
	if len(w.via) > 0 {
		var joins []string
		for _, v := range w.via {
			j := "table: " + scalar(v.table)
			if v.as != "" {
				j += ", as: " + scalar(v.as)
			}
			j += ", on: {" + pairs(v.on) + "}"
			if len(v.where) > 0 {
				j += ", where: {" + where(v.where) + "}"
			}
			joins = append(joins, "{"+j+"}")
		}
		parts = append(parts, "via: ["+strings.Join(joins, ", ")+"]")
	}
	if len(w.where) > 0 {
		parts = append(parts, "where: {"+where(w.where)+"}")
	}
	parts = append(parts, "subject: {"+scalar(string(w.typ))+": "+scalar(w.source)+"}")
	switch {
	case w.keep:
		parts = append(parts, "erase: keep, why: {en: "+manifest.Todo+"}")
	case w.set != nil:
		var set []string
		for _, k := range sortedKeys(w.set) {
			set = append(set, scalar(k)+": "+w.set[k])
		}
		parts = append(parts, "set: {"+strings.Join(set, ", ")+"}")
	}
	return strings.Join(parts, ", ")
}

func where(of map[string]string) string {
	var parts []string
	for _, k := range sortedKeys(of) {
		parts = append(parts, scalar(k)+": "+scalar(of[k]))
	}
	return strings.Join(parts, ", ")
}

var columnForm = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]{0,62}$`)
var notColumn = regexp.MustCompile(`[^A-Za-z0-9_]+`)

// columnText writes a column, and where it lies if it needs another name.
func (t *table) columnText(c *column) (text, renamed string) {
	name := c.Name
	if !columnForm.MatchString(name) {
		if name = strings.Trim(notColumn.ReplaceAllString(name, "_"), "_"); name == "" || name[0] >= '0' && name[0] <= '9' {
			name = "c_" + name
		}
		renamed = name + ": " + scalar(c.Name)
	}
	typ, unit := c.typ()
	if typ == "integer" && slices.ContainsFunc(t.edges, func(e *edge) bool { return e.near() == c.Name }) {
		typ = ""
	}
	var more []string
	if c.secret != "" {
		more = append(more, "secret: "+string(c.secret))
	}
	if unit != "" {
		more = append(more, "unit: "+unit)
	}
	switch {
	case len(more) == 0 && typ == "":
		return scalar(name), renamed
	case len(more) == 0 && name != "name":
		return "{" + scalar(name) + ": " + typ + "}", renamed
	}
	if typ != "" {
		more = append([]string{"type: " + typ}, more...)
	}
	return "{name: " + scalar(name) + ", " + strings.Join(more, ", ") + "}", renamed
}

func datasetName(table string) string {
	if datasetForm.MatchString(table) {
		return table
	}
	name := strings.Trim(regexp.MustCompile(`[^A-Za-z0-9_-]+`).ReplaceAllString(table, "_"), "_-")
	if name == "" || name[0] >= '0' && name[0] <= '9' {
		name = "t_" + name
	}
	return name[:min(len(name), 64)]
}

// rest writes which tables nothing leads to, and which schemas weren't looked at.
func (d *Draft) rest(b *strings.Builder) {
	if len(d.beside) > 0 {
		defer func() {
			b.WriteString("\n# Not looked at: the tables of other schemas. Those of people's become datasets (table: schema.table) or a system\n# of their own (habeas manifest init --schema); the others, or all of a schema (schema.*), stand in sql.technical.\n")
			comment(b, "# ", d.beside)
		}()
	}
	var personal, others []string
	for _, t := range d.tables {
		switch {
		case t.state != unreached:
		case t.personal():
			personal = append(personal, t.Name)
		default:
			others = append(others, t.Name)
		}
	}
	if len(personal)+len(others) == 0 {
		return
	}
	b.WriteString("\n# Not reached: nothing leads from a person to these tables. habeas lint fails until each is a dataset, of this\n# manifest or of another with a root of its own, or stands in sql.technical.\n")
	if len(personal) > 0 {
		comment(b, "# seem to say something of people: ", personal)
	}
	if len(others) > 0 {
		comment(b, "# seem to say nothing of people: ", others)
	}
}

func comment(b *strings.Builder, begin string, names []string) {
	line := begin
	for i, n := range names {
		if i > 0 {
			n = ", " + n
		}
		if len(line)+len(n) > lineLength {
			b.WriteString(line + "\n")
			line, n = "#   ", strings.TrimPrefix(n, ", ")
		}
		line += n
	}
	b.WriteString(line + "\n")
}

// list writes a list in one line, or in several where it is long.
func list(b *strings.Builder, begin string, entries []string, indent, after string) {
	line := begin + "["
	for i, e := range entries {
		if i > 0 {
			e = ", " + e
		}
		if len(line)+len(e) > lineLength {
			b.WriteString(line + ",\n")
			line, e = indent, strings.TrimPrefix(e, ", ")
		}
		line += e
	}
	b.WriteString(line + "]" + after + "\n")
}

// wrapped writes a part in one line, or in several, broken where a comma stands.
func wrapped(b *strings.Builder, indent, text string) {
	line := indent
	for i, part := range strings.SplitAfter(text, ", ") {
		if i > 0 && len(line)+len(strings.TrimRight(part, " ")) > lineLength {
			b.WriteString(strings.TrimRight(line, " ") + "\n")
			line = indent + "   "
		}
		line += part
	}
	b.WriteString(line + "\n")
}

var plainForm = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_. ()'/-]*$`)

// scalar writes a text of YAML, in quotes where it needs some.
func scalar(s string) string {
	if plainForm.MatchString(s) && strings.TrimSpace(s) == s && !slices.Contains([]string{"true", "false", "null", "yes", "no", "on", "off", "y", "n"}, strings.ToLower(s)) {
		return s
	}
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(s) + `"`
}

func join(names []string) string {
	out := make([]string, len(names))
	for i, n := range names {
		out[i] = scalar(n)
	}
	return strings.Join(out, ", ")
}

// title writes words as a title.
func title(of []string) string {
	s := strings.Join(of, " ")
	if s == "" {
		return "Data"
	}
	return strings.ToUpper(s[:1]) + s[1:]
}
