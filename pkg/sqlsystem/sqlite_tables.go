package sqlsystem

import (
	"cmp"
	"context"
	"fmt"
	"regexp"
	"slices"
	"strings"
)

func (sqliteDialect) describe(ctx context.Context, on executor, _, name string) (*table, error) {
	t := &table{}
	var text string
	err := each(ctx, on, `SELECT name, type, sql FROM sqlite_master WHERE name = ? COLLATE NOCASE AND type IN ('table', 'view')`, func(row []string) {
		t.relation, t.view, text = liteRelation(row[0]), row[1] == "view", row[2]
	}, name)
	if err != nil {
		return nil, err
	}
	if t.id == "" {
		return nil, errNoTable
	}
	collated := t.view || strings.Contains(strings.ToUpper(text), "COLLATE")
	key := index{primary: true, otherwise: true} // of texts another of its own says it
	err = each(ctx, on, `SELECT name, type, pk, "notnull", hidden FROM pragma_table_xinfo(?) ORDER BY cid`, func(row []string) {
		c := column{name: row[0], typ: row[1], full: row[1], notNull: yes(row[3]), collated: collated}
		if row[4] == "2" || row[4] == "3" {
			c.made = "the database works it out of others (generated)"
		}
		t.columns = append(t.columns, c)
		if row[2] != "0" {
			key.columns = append(key.columns, c.name)
		}
	}, name)
	if err != nil {
		return nil, err
	}
	upper := strings.ToUpper(commentForm.ReplaceAllString(text, " "))
	if len(key.columns) == 1 && !t.view && !strings.Contains(upper, "AUTOINCREMENT") && !withoutRowid.MatchString(upper) {
		c := &t.columns[slices.IndexFunc(t.columns, func(c column) bool { return c.name == key.columns[0] })]
		c.anew = strings.EqualFold(c.typ, "INTEGER")
	}
	if collated {
		if err := alikeInSQLite(ctx, on, t); err != nil {
			return nil, err
		}
	}
	if key.columns != nil {
		t.indexes = append(t.indexes, key)
	}
	last := ""
	err = each(ctx, on, `SELECT l.name, i.name, l.partial, coalesce(m.sql, ''), i.coll FROM pragma_index_list(?) l, pragma_index_xinfo(l.name) i LEFT JOIN sqlite_master m ON m.name = l.name
		WHERE l."unique" AND i.key ORDER BY l.name, i.seqno`, func(row []string) {
		if row[0] != last {
			last = row[0]
			t.indexes = append(t.indexes, index{name: row[0]})
		}
		x := &t.indexes[len(t.indexes)-1]
		if row[1] == "" { // an expression
			x.text = row[3]
		} else {
			x.columns = append(x.columns, row[1])
			col, _ := t.column(row[1], sqliteDialect{})
			x.otherwise = x.otherwise || !strings.EqualFold(row[4], cmp.Or(col.alike, "BINARY"))
		}
		if yes(row[2]) {
			_, x.partial, _ = cutWord(row[3], "WHERE")
		}
	}, name)
	for i, c := range checksOf(text) {
		c.name = cmp.Or(c.name, fmt.Sprintf("CHECK %d", i+1))
		for _, col := range t.columns {
			if wordsHave(c.expr, col.name) {
				c.columns = append(c.columns, col.name)
			}
		}
		t.checks = append(t.checks, c)
	}
	return t, err
}

var withoutRowid = regexp.MustCompile(`\bWITHOUT\s+ROWID\b`)

// alikeInSQLite asks by which of SQLite's collations columns take texts for equal: no pragma
// tells them, and a view has none in its text.
func alikeInSQLite(ctx context.Context, on executor, t *table) error {
	for i := range t.columns {
		c := &t.columns[i]
		if as, must := (sqliteDialect{}).compares(*c); as != asTrimmed || must != "" {
			continue
		}
		name := doubleQuoted(c.name)
		err := each(ctx, on, "SELECT x.c = 'A', x.c = 'a ' FROM (SELECT "+name+" AS c FROM "+t.sql+" WHERE 0 UNION ALL SELECT 'a') AS x", func(row []string) {
			switch {
			case yes(row[0]):
				c.alike = "NOCASE"
			case yes(row[1]):
				c.alike = "RTRIM"
			}
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// cutWord cuts a text at a word's last place, without regard to case.
func cutWord(text, word string) (before, after string, found bool) {
	all := regexp.MustCompile(`(?i)\b`+word+`\b`).FindAllStringIndex(text, -1)
	if all == nil {
		return text, "", false
	}
	at := all[len(all)-1]
	return text[:at[0]], strings.TrimSpace(text[at[1]:]), true
}

// wordsHave reports whether a name stands as a word in a text, quoted or not.
func wordsHave(text, name string) bool {
	return slices.ContainsFunc(wordForm.FindAllString(literalForm.ReplaceAllString(text, "''"), -1), func(w string) bool { return strings.EqualFold(w, name) }) ||
		strings.Contains(strings.ToLower(text), strings.ToLower(doubleQuoted(name)))
}

var checkForm = regexp.MustCompile(`(?i)(?:\bCONSTRAINT\s+("[^"]+"|\w+)\s+)?\bCHECK\s*\(`)

// checksOf finds the CHECK constraints in the text of CREATE TABLE, which is all
// that SQLite tells of them.
func checksOf(text string) []check {
	text = commentForm.ReplaceAllString(text, " ")
	var out []check
	for {
		at := checkForm.FindStringSubmatchIndex(text)
		if at == nil {
			return out
		}
		var c check
		if at[2] >= 0 {
			c.name = strings.Trim(text[at[2]:at[3]], `"`)
		}
		text = text[at[1]:]
		end := closing(text)
		if end < 0 {
			return out
		}
		c.expr = strings.TrimSpace(text[:end])
		text = text[end:]
		out = append(out, c)
	}
}

// closing returns where the bracket closes that was opened before text, or -1.
func closing(text string) int {
	depth, in := 1, byte(0)
	for i := range len(text) {
		c := text[i]
		switch {
		case in != 0:
			if c == in {
				in = 0
			}
		case c == '\'' || c == '"' || c == '`':
			in = c
		case c == '(':
			depth++
		case c == ')':
			if depth--; depth == 0 {
				return i
			}
		}
	}
	return -1
}
