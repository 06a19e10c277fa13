package sqlsystem

import (
	"cmp"
	"context"
	"regexp"
	"slices"
	"strings"
)

// triggerForm matches how a trigger begins, down to the table that it is on.
var triggerForm = regexp.MustCompile(`(?is)^\s*CREATE\s+(?:TEMP\s+|TEMPORARY\s+)?TRIGGER\s+.*?\b(BEFORE\s+|AFTER\s+|INSTEAD\s+OF\s+)?(DELETE|INSERT|UPDATE)\b.*?\bBEGIN\b(.*)$`)

// read reads SQLite's catalogue: the foreign keys of all tables, the triggers,
// and, from their text, what the views read.
func (sqliteDialect) read(ctx context.Context, on executor, _ string, c *catalogue) error {
	keys := map[string][]string{} // the primary key of each table
	err := each(ctx, on, `SELECT lower(m.name), i.name FROM sqlite_master m, pragma_table_xinfo(m.name) i WHERE m.type = 'table' AND i.pk > 0 ORDER BY m.name, i.pk`, func(row []string) {
		keys[row[0]] = append(keys[row[0]], row[1])
	})
	if err != nil {
		return err
	}
	last := ""
	err = each(ctx, on, `SELECT m.name, f.id, f."table", f."from", coalesce(f."to", ''), f.on_delete, f.on_update,
		EXISTS (SELECT 1 FROM pragma_foreign_key_list(m.name) o JOIN pragma_table_xinfo(m.name) x ON lower(x.name) = lower(o."from") WHERE o.id = f.id AND upper(trim(x.dflt_value, ' ()')) <> 'NULL')
		FROM sqlite_master m, pragma_foreign_key_list(m.name) f WHERE m.type = 'table' ORDER BY m.name, f.id, f.seq`, func(row []string) {
		if this := row[0] + "\x00" + row[1]; this != last {
			last = this
			r := reference{from: liteRelation(row[0]), to: liteRelation(row[2])}
			r.onDelete, r.onUpdate = onDeleteOf(row[5], yes(row[7])), onDeleteOf(row[6], yes(row[7]))
			c.references = append(c.references, r)
		}
		r := &c.references[len(c.references)-1]
		target := row[4]
		if own := keys[r.to.id]; target == "" && len(r.targets) < len(own) {
			target = own[len(r.targets)]
		}
		r.columns, r.targets = append(r.columns, row[3]), append(r.targets, target)
	})
	if err != nil {
		return err
	}
	err = each(ctx, on, `SELECT lower(name), sql FROM sqlite_master WHERE type = 'table' AND sql IS NOT NULL`, func(row []string) {
		for _, check := range checksOf(row[1]) { // SQLite names one without a name by its text
			c.constraints[row[0]] = append(c.constraints[row[0]], cmp.Or(check.name, check.expr))
		}
	})
	if err != nil {
		return err
	}
	err = each(ctx, on, `SELECT name, lower(tbl_name), sql FROM sqlite_master WHERE type = 'trigger' ORDER BY name`, func(row []string) {
		m := triggerForm.FindStringSubmatch(commentForm.ReplaceAllString(row[2], " "))
		if m == nil {
			return
		}
		event := strings.ToUpper(m[2])
		c.triggers = append(c.triggers, trigger{name: row[0], table: row[1], of: row[1], inserts: event == "INSERT", deletes: event == "DELETE", updates: event == "UPDATE",
			mayDrop: !strings.HasPrefix(strings.ToUpper(m[1]), "AFTER"), instead: strings.HasPrefix(strings.ToUpper(m[1]), "INSTEAD"), deeds: deedsOf(m[3]), literals: literals(m[3]), touch: touchOf(row[1], row[2])})
	})
	if err != nil {
		return err
	}
	return c.readLiteViews(ctx, on)
}

const liteName = "(\"[^\"]+\"|`[^`]+`|\\[[^\\]]+\\]|[\\pL_][\\pL\\pN_$]*)"

var (
	// bodyForm matches a trigger of a single statement, an UPDATE.
	bodyForm = regexp.MustCompile(`(?is)^(.*?)\bBEGIN\s+UPDATE\s+(?:OR\s+\w+\s+)?` + liteName + `\s+SET\b([^;]*);\s*END\s*;?\s*$`)
	// rowForm matches the condition that a row is the one which set the trigger off, and
	// possibly more.
	rowForm    = regexp.MustCompile(`(?is)^\s*(?:` + liteName + `\s*\.\s*)?` + liteName + `\s*=\s*(?:NEW|OLD)\s*\.\s*` + liteName + `(\s+AND\b.*)?\s*$`)
	depthForm  = regexp.MustCompile(`(?i)[()]|\bWHERE\b`)
	orForm     = regexp.MustCompile(`(?i)\bOR\b`)
	partlyForm = regexp.MustCompile(`(?i)\bWHEN\b|\bUPDATE\s+OF\b`)
)

// touchOf judges a trigger of a table by its text. What isn't plainly one that writes to its own
// row is none; one too many would change more rows than are counted for it.
func touchOf(table, text string) touch {
	m := bodyForm.FindStringSubmatch(literalForm.ReplaceAllString(commentForm.ReplaceAllString(text, " "), "''"))
	if m == nil || !strings.EqualFold(unquoted(m[2]), table) {
		return touch{}
	}
	depth, where := 0, -1
	for _, at := range depthForm.FindAllStringIndex(m[3], -1) {
		switch m[3][at[0]] {
		case '(':
			depth++
		case ')':
			depth--
		default:
			if depth == 0 {
				where = at[1]
			}
		}
	}
	if where < 0 || depth != 0 {
		return touch{}
	}
	row := rowForm.FindStringSubmatch(m[3][where:])
	if row == nil || orForm.MatchString(row[4]) {
		return touch{}
	}
	near, far := strings.ToLower(unquoted(row[2])), strings.ToLower(unquoted(row[3]))
	if near == "_rowid_" || near == "oid" {
		near = rowidName
	}
	if far == "_rowid_" || far == "oid" {
		far = rowidName
	}
	if near != far {
		return touch{}
	}
	return touch{column: near, sometimes: row[4] != "" || partlyForm.MatchString(m[1])}
}

// unquoted returns a name without what it may be quoted by.
func unquoted(name string) string { return strings.Trim(name, "\"`[]") }

func liteRelation(name string) relation {
	return relation{id: strings.ToLower(name), sql: doubleQuoted(name), name: name}
}

var wordForm = regexp.MustCompile(`[\pL_][\pL\pN_$]*`)

// readLiteViews finds the tables of views by their names' standing in the text:
// one too many does no harm.
func (c *catalogue) readLiteViews(ctx context.Context, on executor) error {
	texts, known := map[string]string{}, map[string]bool{}
	err := each(ctx, on, `SELECT lower(name), type, sql FROM sqlite_master WHERE type IN ('table', 'view')`, func(row []string) {
		known[row[0]] = true
		if row[1] == "view" {
			texts[row[0]] = strings.ToLower(commentForm.ReplaceAllString(row[2], " "))
		}
	})
	var visit func(root, view string)
	visit = func(root, view string) {
		for _, word := range wordForm.FindAllString(texts[view], -1) {
			if known[word] && word != root && !slices.Contains(c.reads[root], word) {
				c.reads[root] = append(c.reads[root], word)
				c.names[word] = word
				visit(root, word)
			}
		}
	}
	for view := range texts {
		visit(view, view)
	}
	return err
}

func (sqliteDialect) version(ctx context.Context, on executor) (version string, err error) {
	err = each(ctx, on, `PRAGMA schema_version`, func(row []string) { version = row[0] })
	return version, err
}

// filtered implements cataloguer: such a database shows all rows of a table, or none.
func (sqliteDialect) filtered(context.Context, executor, string, []string) (filters, error) {
	return filters{}, nil
}

// tables leaves out the tables in which a virtual one keeps what is its own, and the full-text
// indexes of other tables, which have no rows of theirs (content=).
func (sqliteDialect) tables(ctx context.Context, on executor, _ string) (out []placed, err error) {
	all, err := fulltexts(ctx, on)
	if err != nil {
		return nil, err
	}
	err = each(ctx, on, `SELECT name FROM pragma_table_list WHERE schema = 'main' AND type IN ('table', 'virtual') AND substr(name, 1, 7) <> 'sqlite_'`, func(row []string) {
		if !slices.ContainsFunc(all, func(f fulltext) bool { return f.name == row[0] && f.of != "" }) {
			out = append(out, placed{id: liteRelation(row[0]).id, schema: "main", name: row[0], own: true, bare: true})
		}
	})
	return out, err
}

// size implements cataloguer: the highest number of a row, which tells how many there were
// at most.
func (sqliteDialect) size(t relation) (query string, args []any) {
	return "SELECT max(rowid) FROM " + t.sql, nil
}
