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
	err = each(ctx, on, `SELECT m.name, f.id, f."table", f."from", coalesce(f."to", ''), f.on_delete FROM sqlite_master m, pragma_foreign_key_list(m.name) f WHERE m.type = 'table' ORDER BY m.name, f.id, f.seq`, func(row []string) {
		if this := row[0] + "\x00" + row[1]; this != last {
			last = this
			r := reference{from: liteRelation(row[0]), to: liteRelation(row[2])}
			switch strings.ToUpper(row[5]) {
			case "CASCADE":
				r.onDelete = goes
			case "SET NULL", "SET DEFAULT":
				r.onDelete = detaches
			}
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
		c.triggers = append(c.triggers, trigger{name: row[0], table: row[1], deletes: event == "DELETE", updates: event == "UPDATE",
			mayDrop: !strings.HasPrefix(strings.ToUpper(m[1]), "AFTER"), writes: written(m[3]), literals: literals(m[3])})
	})
	if err != nil {
		return err
	}
	return c.readLiteViews(ctx, on)
}

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

func (sqliteDialect) tables(ctx context.Context, on executor, _ string) (names []string, err error) {
	err = each(ctx, on, `SELECT name FROM sqlite_master WHERE type = 'table' AND substr(name, 1, 7) <> 'sqlite_'`, func(row []string) { names = append(names, row[0]) })
	return names, err
}

// copies finds none: SQLite has neither materialized views nor replicas of its own.
func (sqliteDialect) copies(context.Context, *System, *dataset, func(what, cure string)) error {
	return nil
}

// size implements cataloguer: the highest number of a row, which tells how many there were
// at most.
func (sqliteDialect) size(t relation) (query string, args []any) {
	return "SELECT max(rowid) FROM " + t.sql, nil
}
