package sqlsystem

import (
	"cmp"
	"context"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// cutSchema takes schema.table apart; a table without belongs to the given one.
func cutSchema(schema, name string) (string, string) {
	if own, table, there := strings.Cut(name, "."); there {
		return own, table
	}
	return schema, name
}

func (m mysqlDialect) describe(ctx context.Context, on executor, schema, name string) (*table, error) {
	t := &table{}
	schema, name = cutSchema(schema, name)
	var kind, engine string
	err := each(ctx, on, `SELECT TABLE_SCHEMA, TABLE_NAME, TABLE_TYPE, COALESCE(ENGINE, ''), TABLE_SCHEMA = COALESCE(NULLIF(?, ''), DATABASE())
		FROM information_schema.TABLES WHERE TABLE_SCHEMA = COALESCE(NULLIF(?, ''), DATABASE()) AND TABLE_NAME = ?`, func(row []string) {
		t.relation, kind, engine = m.relation(row[0], row[1], yes(row[4])), row[2], row[3]
	}, "", schema, name)
	if err != nil {
		return nil, err
	}
	if t.id == "" {
		return nil, errNoTable
	}
	t.view = strings.HasSuffix(kind, "VIEW")
	transactional := t.view
	err = each(ctx, on, "SELECT TRANSACTIONS FROM information_schema.ENGINES WHERE ENGINE = ?", func(row []string) { transactional = row[0] == "YES" }, engine)
	if err != nil {
		return nil, err
	}
	switch {
	case kind == "SYSTEM VERSIONED":
		t.unfit, t.cure = "the table keeps what is deleted or changed (SYSTEM VERSIONED), for all who ask for it", "ALTER TABLE "+t.sql+" DROP SYSTEM VERSIONING, or serve the system by a worker of its own"
	case !transactional:
		t.unfit, t.cure = "the table knows no transactions (ENGINE="+engine+"): what is erased halfway stays so, and a rehearsal would erase", "ALTER TABLE "+t.sql+" ENGINE=InnoDB"
	}
	err = each(ctx, on, `SELECT COLUMN_NAME, DATA_TYPE, COLUMN_TYPE, IS_NULLABLE, EXTRA, COALESCE(COLLATION_NAME, ''), COALESCE(CHARACTER_MAXIMUM_LENGTH, 0)
		FROM information_schema.COLUMNS WHERE TABLE_SCHEMA = COALESCE(NULLIF(?, ''), DATABASE()) AND TABLE_NAME = ? ORDER BY ORDINAL_POSITION`, func(row []string) {
		c := column{name: row[0], typ: strings.ToLower(row[1]), full: row[2], notNull: row[3] == "NO", collation: row[5], collated: true}
		if mysqlText(c.typ) && !strings.HasSuffix(c.collation, "_bin") {
			c.alike = c.collation
		}
		extra := strings.ToLower(row[4])
		if strings.HasSuffix(c.typ, "char") {
			c.length, _ = strconv.Atoi(row[6])
		}
		if strings.Contains(extra, "generated") {
			c.made = "the database works it out of others (generated)"
		}
		c.virtual = strings.Contains(extra, "virtual")
		c.selfSet = strings.Contains(extra, "on update")
		t.columns = append(t.columns, c)
	}, schema, name)
	if err != nil {
		return nil, err
	}
	last := ""
	err = each(ctx, on, `SELECT INDEX_NAME, COALESCE(COLUMN_NAME, '') FROM information_schema.STATISTICS
		WHERE TABLE_SCHEMA = COALESCE(NULLIF(?, ''), DATABASE()) AND TABLE_NAME = ? AND NON_UNIQUE = 0 ORDER BY INDEX_NAME, SEQ_IN_INDEX`, func(row []string) {
		if row[0] != last {
			last = row[0]
			t.indexes = append(t.indexes, index{name: row[0], primary: row[0] == "PRIMARY"})
		}
		x := &t.indexes[len(t.indexes)-1]
		if row[1] == "" {
			x.text = "an expression" // MySQL's; which columns it is of, isn't known
		} else {
			x.columns = append(x.columns, row[1])
		}
	}, schema, name)
	if err != nil {
		return nil, err
	}
	checks := `SELECT CONSTRAINT_NAME, CHECK_CLAUSE FROM information_schema.CHECK_CONSTRAINTS WHERE CONSTRAINT_SCHEMA = COALESCE(NULLIF(?, ''), DATABASE()) AND TABLE_NAME = ?`
	if m.mysql {
		checks = `SELECT c.CONSTRAINT_NAME, c.CHECK_CLAUSE FROM information_schema.CHECK_CONSTRAINTS c JOIN information_schema.TABLE_CONSTRAINTS t USING (CONSTRAINT_SCHEMA, CONSTRAINT_NAME)
			WHERE t.CONSTRAINT_SCHEMA = COALESCE(NULLIF(?, ''), DATABASE()) AND t.TABLE_NAME = ?`
	}
	err = each(ctx, on, checks, func(row []string) {
		c := check{name: row[0], expr: row[1]}
		for _, col := range t.columns {
			if wordsHave(c.expr, col.name) {
				c.columns = append(c.columns, col.name)
			}
		}
		t.checks = append(t.checks, c)
	}, schema, name)
	return t, err
}

// relation returns a table of a schema; one of the connection's own goes by its name alone.
func (m mysqlDialect) relation(schema, name string, own bool) relation {
	called := schema + "." + name
	if own {
		called = name
	}
	return relation{id: strings.ToLower(schema + "." + name), sql: m.quote(schema) + "." + m.quote(name), name: called}
}

// read reads the catalogue of the system's schema, and of foreign keys that lead there
// from others what the server tells: without the right PROCESS, nothing.
func (m mysqlDialect) read(ctx context.Context, on executor, schema string, c *catalogue) error {
	own := ""
	if err := each(ctx, on, "SELECT COALESCE(NULLIF(?, ''), DATABASE())", func(row []string) { own = row[0] }, schema); err != nil {
		return err
	}
	last := ""
	err := each(ctx, on, `SELECT c.CONSTRAINT_NAME, c.TABLE_NAME, c.DELETE_RULE, k.COLUMN_NAME, k.REFERENCED_TABLE_SCHEMA, k.REFERENCED_TABLE_NAME, k.REFERENCED_COLUMN_NAME, c.UPDATE_RULE
		FROM information_schema.REFERENTIAL_CONSTRAINTS c JOIN information_schema.KEY_COLUMN_USAGE k ON k.CONSTRAINT_SCHEMA = c.CONSTRAINT_SCHEMA AND k.CONSTRAINT_NAME = c.CONSTRAINT_NAME AND k.TABLE_NAME = c.TABLE_NAME
		WHERE c.CONSTRAINT_SCHEMA = ? AND k.TABLE_SCHEMA = ? AND k.REFERENCED_TABLE_NAME IS NOT NULL ORDER BY c.TABLE_NAME, c.CONSTRAINT_NAME, k.ORDINAL_POSITION`, func(row []string) {
		if this := row[1] + "\x00" + row[0]; this != last {
			last = this
			r := reference{name: row[0], from: m.relation(own, row[1], true), to: m.relation(row[4], row[5], row[4] == own)}
			r.onDelete, r.onUpdate = onDeleteOf(row[2], true), onDeleteOf(row[7], true) // InnoDB refuses SET DEFAULT
			c.references = append(c.references, r)
		}
		r := &c.references[len(c.references)-1]
		r.columns, r.targets = append(r.columns, row[3]), append(r.targets, row[6])
	}, own, own)
	if err != nil {
		return err
	}
	if err := m.readForeign(ctx, on, own, c); err != nil && reasonOf(err) != forbidden {
		return err
	}
	// A trigger, and what it calls, has no statements that are made at run time (error 1336).
	known, routines := map[string]bool{}, []routine(nil)
	if err := each(ctx, on, "SELECT LOWER(TABLE_NAME) FROM information_schema.TABLES WHERE TABLE_SCHEMA NOT IN ("+mysqlOwn+")", func(row []string) { known[row[0]] = true }); err != nil {
		return err
	}
	err = each(ctx, on, "SELECT LOWER(ROUTINE_NAME), COALESCE(ROUTINE_DEFINITION, '') FROM information_schema.ROUTINES WHERE ROUTINE_SCHEMA NOT IN ("+mysqlOwn+")", func(row []string) {
		routines = append(routines, routine{row[0], row[1]})
	})
	if err != nil {
		return err
	}
	err = each(ctx, on, `SELECT TRIGGER_NAME, EVENT_OBJECT_TABLE, EVENT_MANIPULATION, ACTION_STATEMENT FROM information_schema.TRIGGERS WHERE EVENT_OBJECT_SCHEMA = ? ORDER BY TRIGGER_NAME`, func(row []string) {
		text, unread := withCalled(row[3], routines)
		c.triggers = append(c.triggers, trigger{name: row[0], table: m.relation(own, row[1], true).id, of: row[1], deletes: row[2] == "DELETE", updates: row[2] == "UPDATE", inserts: row[2] == "INSERT",
			deeds: deedsOfSeveral(text, known), unread: unread, literals: literals(row[3]), uncounts: strings.ToLower(keysForm.FindString(code(text)))})
	}, own)
	if err != nil {
		return err
	}
	err = each(ctx, on, `SELECT TABLE_NAME, CONSTRAINT_NAME FROM information_schema.TABLE_CONSTRAINTS WHERE CONSTRAINT_SCHEMA = ? AND TABLE_SCHEMA = ?`, func(row []string) {
		id := m.relation(own, row[0], true).id
		c.constraints[id] = append(c.constraints[id], row[1])
	}, own, own)
	if err != nil {
		return err
	}
	texts := map[string]string{}
	err = each(ctx, on, `SELECT TABLE_NAME, VIEW_DEFINITION FROM information_schema.VIEWS WHERE TABLE_SCHEMA = ?`, func(row []string) {
		texts[m.relation(own, row[0], true).id] = row[1]
	}, own)
	var visit func(root, view string)
	visit = func(root, view string) {
		for _, found := range viewTable.FindAllStringSubmatch(texts[view], -1) {
			if id := strings.ToLower(found[1] + "." + found[2]); id != root && !slices.Contains(c.reads[root], id) {
				c.reads[root] = append(c.reads[root], id)
				c.names[id] = found[2]
				visit(root, id)
			}
		}
	}
	for view := range texts {
		visit(view, view)
	}
	return err
}

// keysForm matches where a body names the variable by which foreign keys are run.
var keysForm = regexp.MustCompile(`(?i)\bforeign_key_checks\b`)

// mysqlOwn are the server's own schemas.
const mysqlOwn = "'mysql', 'sys', 'information_schema', 'performance_schema'"

// viewTable matches a table in the text of a view, as the server writes it. A column of
// three parts matches too: one table too many does no harm.
var viewTable = regexp.MustCompile("`([^`]+)`\\.`([^`]+)`")

// readForeign reads the foreign keys of other schemas that lead to the own.
func (m mysqlDialect) readForeign(ctx context.Context, on executor, own string, c *catalogue) error {
	keys, columns := "INNODB_SYS_FOREIGN", "INNODB_SYS_FOREIGN_COLS"
	if m.mysql {
		keys, columns = "INNODB_FOREIGN", "INNODB_FOREIGN_COLS"
	}
	last := ""
	return each(ctx, on, `SELECT f.ID, f.FOR_NAME, f.REF_NAME, f.TYPE, k.FOR_COL_NAME, k.REF_COL_NAME FROM information_schema.`+keys+` f JOIN information_schema.`+columns+` k ON k.ID = f.ID
		WHERE f.REF_NAME LIKE ? AND f.FOR_NAME NOT LIKE ? ORDER BY f.ID, k.POS`, func(row []string) {
		if row[0] != last {
			last = row[0]
			from, table, _ := strings.Cut(decodedName(row[1]), "/")
			_, target, _ := strings.Cut(decodedName(row[2]), "/")
			_, name, _ := strings.Cut(row[0], "/")
			r := reference{name: name, from: m.relation(from, table, false), to: m.relation(own, target, true)}
			switch kind := whole(row[3]); {
			case kind&1 > 0:
				r.onDelete = goes
			case kind&2 > 0:
				r.onDelete = detaches
			}
			switch kind := whole(row[3]); {
			case kind&4 > 0:
				r.onUpdate = goes
			case kind&8 > 0:
				r.onUpdate = detaches
			}
			c.references = append(c.references, r)
		}
		r := &c.references[len(c.references)-1]
		r.columns, r.targets = append(r.columns, row[4]), append(r.targets, row[5])
	}, likeName(own), likeName(own))
}

// likeName returns the pattern of a schema's tables.
func likeName(schema string) string {
	return strings.NewReplacer(`\`, `\\`, `%`, `\%`, `_`, `\_`).Replace(encodedName(schema)) + "/%"
}

var encodedForm = regexp.MustCompile(`@([0-9a-f]{4})`)

// decodedName reads a name as InnoDB writes it for files: @0020 is a space.
func decodedName(name string) string {
	return encodedForm.ReplaceAllStringFunc(name, func(code string) string {
		n, _ := strconv.ParseUint(code[1:], 16, 32) // four digits, as matched
		return string(rune(n))
	})
}

// encodedName writes a name as InnoDB does.
func encodedName(name string) string {
	var b strings.Builder
	for _, r := range name {
		if r == '_' || r >= '0' && r <= '9' || r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' {
			b.WriteRune(r)
		} else {
			fmt.Fprintf(&b, "@%04x", r)
		}
	}
	return b.String()
}

func (m mysqlDialect) version(ctx context.Context, on executor) (string, error) {
	var out []string
	for _, query := range []string{
		"SELECT DATABASE()",
		"SELECT MD5(GROUP_CONCAT(TABLE_NAME, CONSTRAINT_NAME, DELETE_RULE, UPDATE_RULE ORDER BY TABLE_NAME, CONSTRAINT_NAME)) FROM information_schema.REFERENTIAL_CONSTRAINTS WHERE CONSTRAINT_SCHEMA = DATABASE()",
		"SELECT MD5(GROUP_CONCAT(TRIGGER_NAME, EVENT_OBJECT_TABLE, EVENT_MANIPULATION, MD5(ACTION_STATEMENT) ORDER BY TRIGGER_NAME)) FROM information_schema.TRIGGERS WHERE TRIGGER_SCHEMA = DATABASE()",
		"SELECT MD5(GROUP_CONCAT(ROUTINE_SCHEMA, ROUTINE_NAME, LAST_ALTERED ORDER BY ROUTINE_SCHEMA, ROUTINE_NAME)) FROM information_schema.ROUTINES WHERE ROUTINE_SCHEMA NOT IN (" + mysqlOwn + ")",
	} {
		if err := each(ctx, on, query, func(row []string) { out = append(out, cmp.Or(row[0], "none")) }); err != nil {
			return "", err
		}
	}
	return strings.Join(out, " "), nil
}

// filtered implements cataloguer: such a database shows all rows of a table, or none.
func (mysqlDialect) filtered(context.Context, executor, string, []string) (filters, error) {
	return filters{}, nil
}

// tables returns those of other databases, too, as far as the server shows them.
func (m mysqlDialect) tables(ctx context.Context, on executor, schema string) (out []placed, err error) {
	err = each(ctx, on, "SELECT TABLE_SCHEMA, TABLE_NAME, TABLE_SCHEMA = COALESCE(NULLIF(?, ''), DATABASE()) FROM information_schema.TABLES WHERE TABLE_SCHEMA NOT IN ("+mysqlOwn+") AND TABLE_TYPE NOT LIKE '%VIEW'", func(row []string) {
		own := yes(row[2])
		out = append(out, placed{id: m.relation(row[0], row[1], own).id, schema: row[0], name: row[1], own: own, bare: own, apart: !own})
	}, schema)
	return out, err
}

// copies finds what isn't told: foreign keys of other schemas.
func (m mysqlDialect) copies(ctx context.Context, s *System, d *dataset, add func(what, cure string)) error {
	err := m.readForeign(ctx, s.db, "none", &catalogue{})
	if reasonOf(err) != forbidden {
		return err
	}
	if d == s.datasets[0] {
		add("the server doesn't tell the worker of foreign keys that lead here from other databases: what they take along isn't known", "GRANT PROCESS ON *.* to its user")
	}
	return nil
}

// size implements cataloguer: what the engine estimates.
func (mysqlDialect) size(t relation) (query string, args []any) {
	return `SELECT TABLE_ROWS, CONCAT(ROUND(DATA_LENGTH / 1048576), ' MiB') FROM information_schema.TABLES WHERE LOWER(CONCAT(TABLE_SCHEMA, '.', TABLE_NAME)) = ?`, []any{t.id}
}
