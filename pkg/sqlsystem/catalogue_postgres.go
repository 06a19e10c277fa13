package sqlsystem

import "context"

// readPostgres reads PostgreSQL's catalogue. The copies of foreign keys and
// triggers that partitions carry are left out. Tables of other schemas than the
// given one, or the connection's own, are called schema.table.
func (c *catalogue) readPostgres(ctx context.Context, on executor, schema string) error {
	const relations = `f.oid::text, format('%I.%I', fn.nspname, f.relname), CASE WHEN fn.nspname = coalesce(nullif($1::text, ''), current_schema()) THEN f.relname ELSE fn.nspname || '.' || f.relname END`
	const targets = `t.oid::text, format('%I.%I', tn.nspname, t.relname), CASE WHEN tn.nspname = coalesce(nullif($1::text, ''), current_schema()) THEN t.relname ELSE tn.nspname || '.' || t.relname END`
	err := each(ctx, on, `SELECT c.conname, c.confdeltype,
		(SELECT json_agg(a.attname ORDER BY k.n)::text FROM unnest(c.conkey) WITH ORDINALITY k(num, n) JOIN pg_attribute a ON a.attrelid = c.conrelid AND a.attnum = k.num),
		(SELECT json_agg(a.attname ORDER BY k.n)::text FROM unnest(c.confkey) WITH ORDINALITY k(num, n) JOIN pg_attribute a ON a.attrelid = c.confrelid AND a.attnum = k.num),
		`+relations+`, `+targets+`
		FROM pg_constraint c JOIN pg_class f ON f.oid = c.conrelid JOIN pg_namespace fn ON fn.oid = f.relnamespace
		JOIN pg_class t ON t.oid = c.confrelid JOIN pg_namespace tn ON tn.oid = t.relnamespace
		WHERE c.contype = 'f' AND c.conparentid = 0 ORDER BY fn.nspname, f.relname, c.conname`, func(row []string) {
		r := reference{name: row[0], columns: list(row[2]), targets: list(row[3]), from: relation{row[4], row[5], row[6]}, to: relation{row[7], row[8], row[9]}}
		switch row[1] {
		case "c":
			r.onDelete = goes
		case "n", "d":
			r.onDelete = detaches
		}
		c.references = append(c.references, r)
	}, schema)
	if err != nil {
		return err
	}
	err = each(ctx, on, `SELECT conrelid::text, conname FROM pg_constraint WHERE conrelid <> 0 AND contype IN ('c', 'u', 'p', 'x')
		UNION SELECT i.indrelid::text, x.relname FROM pg_index i JOIN pg_class x ON x.oid = i.indexrelid WHERE i.indisunique`, func(row []string) {
		c.constraints[row[0]] = append(c.constraints[row[0]], row[1])
	})
	if err != nil {
		return err
	}
	// tgtype: 2 before, 8 delete, 16 update, 64 instead of (pg_trigger.h). A
	// replica's triggers don't run here.
	err = each(ctx, on, `SELECT t.tgname, t.tgrelid::text, (t.tgtype & 8) > 0, (t.tgtype & 16) > 0, (t.tgtype & 66) > 0, p.proname, n.nspname, p.prosrc
		FROM pg_trigger t JOIN pg_proc p ON p.oid = t.tgfoid JOIN pg_namespace n ON n.oid = p.pronamespace
		WHERE NOT t.tgisinternal AND t.tgenabled IN ('O', 'A') AND (t.tgtype & 24) > 0 ORDER BY t.tgname`, func(row []string) {
		c.triggers = append(c.triggers, trigger{name: row[0], table: row[1], deletes: yes(row[2]), updates: yes(row[3]), mayDrop: yes(row[4]), function: row[5], schema: row[6], writes: written(row[7]), literals: literals(row[7])})
	})
	if err != nil {
		return err
	}
	// pg_get_ruledef: CREATE RULE r AS ON DELETE TO t DO INSTEAD UPDATE …
	err = each(ctx, on, `SELECT rulename, ev_class::text, ev_type = '4', ev_type = '2', is_instead, split_part(pg_get_ruledef(oid), ' DO ', 2)
		FROM pg_rewrite WHERE ev_type IN ('2', '4') AND ev_enabled IN ('O', 'A') ORDER BY rulename`, func(row []string) {
		c.triggers = append(c.triggers, trigger{rule: true, name: row[0], table: row[1], deletes: yes(row[2]), updates: yes(row[3]), mayDrop: yes(row[4]), writes: written(row[5])})
	})
	if err != nil {
		return err
	}
	err = each(ctx, on, `WITH RECURSIVE part(root, rel) AS (SELECT inhparent, inhrelid FROM pg_inherits
		UNION SELECT p.root, i.inhrelid FROM part p JOIN pg_inherits i ON i.inhparent = p.rel)
		SELECT root::oid::text, rel::oid::text FROM part JOIN pg_class c ON c.oid = part.root WHERE c.relkind IN ('r', 'p')`, func(row []string) {
		c.parts[row[0]] = append(c.parts[row[0]], row[1])
	})
	if err != nil {
		return err
	}
	return each(ctx, on, `WITH RECURSIVE uses(root, rel) AS (SELECT c.oid, c.oid FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.relkind IN ('v', 'm') AND n.nspname NOT IN ('pg_catalog', 'information_schema')
		UNION SELECT u.root, d.refobjid FROM uses u JOIN pg_rewrite r ON r.ev_class = u.rel AND r.ev_type = '1'
		JOIN pg_depend d ON d.classid = 'pg_rewrite'::regclass AND d.objid = r.oid AND d.refclassid = 'pg_class'::regclass AND d.refobjid <> u.rel)
		SELECT root::oid::text, rel::oid::text, c.relname FROM uses JOIN pg_class c ON c.oid = uses.rel WHERE root <> rel`, func(row []string) {
		c.reads[row[0]] = append(c.reads[row[0]], row[1])
		c.names[row[1]] = row[2]
	})
}
