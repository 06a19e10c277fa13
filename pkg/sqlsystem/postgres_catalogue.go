package sqlsystem

import (
	"context"
	"fmt"
	"strings"
)

// read reads PostgreSQL's catalogue. The copies of foreign keys and
// triggers that partitions carry are left out. Tables of other schemas than the
// given one, or the connection's own, are called schema.table.
func (postgresDialect) read(ctx context.Context, on executor, schema string, c *catalogue) error {
	const relations = `f.oid::text, format('%I.%I', fn.nspname, f.relname), CASE WHEN fn.nspname = coalesce(nullif($1::text, ''), current_schema()) THEN f.relname ELSE fn.nspname || '.' || f.relname END`
	const targets = `t.oid::text, format('%I.%I', tn.nspname, t.relname), CASE WHEN tn.nspname = coalesce(nullif($1::text, ''), current_schema()) THEN t.relname ELSE tn.nspname || '.' || t.relname END`
	const action = `CASE %s WHEN 'c' THEN 'CASCADE' WHEN 'n' THEN 'SET NULL' WHEN 'd' THEN 'SET DEFAULT' END`
	const defaults = `EXISTS (SELECT FROM pg_attribute a LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum JOIN pg_type y ON y.oid = a.atttypid
		WHERE a.attrelid = c.conrelid AND a.attnum = ANY(c.conkey) AND (a.attidentity <> '' OR coalesce(pg_get_expr(d.adbin, d.adrelid), y.typdefault, 'NULL') !~* '^null(::|$)')`
	err := each(ctx, on, `SELECT c.conname, `+fmt.Sprintf(action, "c.confdeltype")+`,
		(SELECT json_agg(a.attname ORDER BY k.n)::text FROM unnest(c.conkey) WITH ORDINALITY k(num, n) JOIN pg_attribute a ON a.attrelid = c.conrelid AND a.attnum = k.num),
		(SELECT json_agg(a.attname ORDER BY k.n)::text FROM unnest(c.confkey) WITH ORDINALITY k(num, n) JOIN pg_attribute a ON a.attrelid = c.confrelid AND a.attnum = k.num),
		`+relations+`, `+targets+`, `+fmt.Sprintf(action, "c.confupdtype")+`,
		`+defaults+` AND (jsonb_typeof(to_jsonb(c) -> 'confdelsetcols') IS DISTINCT FROM 'array' OR to_jsonb(c) -> 'confdelsetcols' @> to_jsonb(a.attnum))), `+defaults+`)
		FROM pg_constraint c JOIN pg_class f ON f.oid = c.conrelid JOIN pg_namespace fn ON fn.oid = f.relnamespace
		JOIN pg_class t ON t.oid = c.confrelid JOIN pg_namespace tn ON tn.oid = t.relnamespace
		WHERE c.contype = 'f' AND c.conparentid = 0 ORDER BY fn.nspname, f.relname, c.conname`, func(row []string) {
		r := reference{name: row[0], columns: list(row[2]), targets: list(row[3]), from: relation{row[4], row[5], row[6]}, to: relation{row[7], row[8], row[9]}}
		r.onDelete, r.onUpdate = onDeleteOf(row[1], yes(row[11])), onDeleteOf(row[10], yes(row[12]))
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
	// tgtype: 2 before, 4 insert, 8 delete, 16 update, 64 instead of (pg_trigger.h). A
	// replica's triggers don't run here. The functions are looked through once, and not for each
	// trigger.
	err = each(ctx, on, `WITH sets AS MATERIALIZED (`+setsCount+`) SELECT t.tgname, t.tgrelid::text, (t.tgtype & 8) > 0, (t.tgtype & 16) > 0, (t.tgtype & 66) > 0, p.proname, n.nspname, p.prosrc, f.relname, (t.tgtype & 4) > 0,
		(SELECT s.says FROM sets s WHERE s.oid = p.oid OR p.prosrc ~* ('\m' || regexp_replace(s.name, '(\W)', '\\\1', 'g') || '"?\s*\(') ORDER BY 1 LIMIT 1), (t.tgtype & 64) > 0
		FROM pg_trigger t JOIN pg_proc p ON p.oid = t.tgfoid JOIN pg_namespace n ON n.oid = p.pronamespace JOIN pg_class f ON f.oid = t.tgrelid
		WHERE NOT t.tgisinternal AND t.tgenabled IN ('O', 'A') AND (t.tgtype & 28) > 0 ORDER BY t.tgname`, func(row []string) {
		c.triggers = append(c.triggers, trigger{name: row[0], table: row[1], deletes: yes(row[2]), updates: yes(row[3]), mayDrop: yes(row[4]), function: row[5], schema: row[6], of: row[8], inserts: yes(row[9]), deeds: deedsOf(row[7]), literals: literals(row[7]), uncounts: row[10], instead: yes(row[11]), runs: runForm.MatchString(code(row[7]))})
	})
	if err != nil {
		return err
	}
	// pg_get_ruledef: CREATE RULE r AS ON DELETE TO t DO INSTEAD UPDATE …
	err = each(ctx, on, `SELECT rulename, ev_class::text, ev_type = '4', ev_type = '2', is_instead, substring(pg_get_ruledef(r.oid) FROM position(' DO ' IN pg_get_ruledef(r.oid))), relname, ev_type = '3'
		FROM pg_rewrite r JOIN pg_class f ON f.oid = ev_class WHERE ev_type IN ('2', '3', '4') AND ev_enabled IN ('O', 'A') ORDER BY rulename`, func(row []string) {
		c.triggers = append(c.triggers, trigger{rule: true, name: row[0], table: row[1], deletes: yes(row[2]), updates: yes(row[3]), mayDrop: yes(row[4]), instead: yes(row[4]), of: row[6], inserts: yes(row[7]), deeds: deedsOf(row[5])})
	})
	if err != nil {
		return err
	}
	err = each(ctx, on, `WITH RECURSIVE part(root, rel) AS (SELECT inhparent, inhrelid FROM pg_inherits
		UNION SELECT p.root, i.inhrelid FROM part p JOIN pg_inherits i ON i.inhparent = p.rel)
		SELECT t.relkind, `+targets+`, `+relations+` FROM part JOIN pg_class t ON t.oid = part.root JOIN pg_namespace tn ON tn.oid = t.relnamespace
		JOIN pg_class f ON f.oid = part.rel JOIN pg_namespace fn ON fn.oid = f.relnamespace WHERE t.relkind IN ('r', 'p')`, func(row []string) {
		root, part := relation{row[1], row[2], row[3]}, relation{row[4], row[5], row[6]}
		c.roots[root.id], c.parts[root.id] = root, append(c.parts[root.id], part.id)
		if row[0] == "r" {
			c.heirs[root.id] = append(c.heirs[root.id], part)
		}
	}, schema)
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

// setsCount selects the functions that turn off, by their own settings or their text, on what the
// count rests: what is deleted while one runs isn't counted.
const setsCount = `SELECT q.oid, lower(q.proname) AS name, substring(concat_ws(' ', array_to_string(q.proconfig, ' '), q.prosrc) FROM '(?i)(track_counts|session_replication_role)') AS says, q.xmin
	FROM pg_proc q JOIN pg_namespace qn ON qn.oid = q.pronamespace WHERE qn.nspname NOT IN ('pg_catalog', 'information_schema')
	AND (q.prosrc ~* '(set_config\s*\(\s*''+|\mset\s+(local\s+|session\s+)?)(track_counts|session_replication_role)\M' OR array_to_string(q.proconfig, ' ') ~* '\m(track_counts|session_replication_role)=')`

func (postgresDialect) version(ctx context.Context, on executor) (version string, err error) {
	err = each(ctx, on, `SELECT md5(concat_ws(' ', current_schema(), (SELECT string_agg(concat(oid, confdeltype, confupdtype), ',' ORDER BY oid) FROM pg_constraint WHERE contype = 'f'),
			(SELECT string_agg(DISTINCT d.oid::text, ',') FROM pg_attrdef d JOIN pg_constraint c ON c.conrelid = d.adrelid AND d.adnum = ANY(c.conkey) AND 'd' IN (c.confdeltype, c.confupdtype)),
			(SELECT string_agg(concat(oid, tgenabled, tgfoid, (SELECT p.xmin FROM pg_proc p WHERE p.oid = tgfoid)), ',' ORDER BY oid) FROM pg_trigger WHERE NOT tgisinternal),
			(SELECT string_agg(concat(oid, ev_enabled), ',' ORDER BY oid) FROM pg_rewrite WHERE ev_type IN ('2', '3', '4')), (SELECT string_agg(concat(oid, xmin), ',' ORDER BY oid) FROM (`+setsCount+`) s), (SELECT string_agg(concat(inhrelid, ' ', inhparent), ',' ORDER BY inhrelid, inhparent) FROM pg_inherits)))`,
		func(row []string) { version = row[0] })
	return version, err
}

// tables leaves out, of other schemas than the system's own, what belongs to an extension.
func (postgresDialect) tables(ctx context.Context, on executor, schema string) (out []placed, err error) {
	err = each(ctx, on, `SELECT c.oid::text, n.nspname, c.relname, n.nspname = own.schema, n.nspname = own.schema OR $1::text = '' AND pg_table_is_visible(c.oid), c.relkind = 'f'
		FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace CROSS JOIN (SELECT coalesce(nullif($1::text, ''), current_schema()::text) AS schema) own
		WHERE c.relkind IN ('r', 'p', 'f') AND NOT c.relispartition AND (n.nspname = own.schema OR n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
			AND has_schema_privilege(n.oid, 'USAGE') AND (has_table_privilege(c.oid, 'SELECT') OR has_any_column_privilege(c.oid, 'SELECT'))
			AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e'))`,
		func(row []string) {
			out = append(out, placed{id: row[0], schema: row[1], name: row[2], own: yes(row[3]), bare: yes(row[4]), foreign: yes(row[5])})
		}, schema)
	return out, err
}

// copies finds materialized views, and replicas that aren't told of deletions.
func (p postgresDialect) copies(ctx context.Context, s *System, d *dataset, add func(what, cure string)) error {
	err := each(ctx, s.db, `SELECT c.oid::text, n.nspname, c.relname, n.nspname = own.schema, n.nspname = own.schema OR $1::text = '' AND pg_table_is_visible(c.oid), format('%I.%I', n.nspname, c.relname)
			FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace CROSS JOIN (SELECT coalesce(nullif($1::text, ''), current_schema()::text) AS schema) own WHERE c.relkind = 'm' ORDER BY 2, 3`, func(row []string) {
		view := placed{id: row[0], schema: row[1], name: row[2], own: yes(row[3]), bare: yes(row[4])}
		if s.catalogue().leads(d.relation.id, view.id) && view.id != d.relation.id && !s.technical(view) && s.datasetOf(view.id) == nil {
			add(fmt.Sprintf("the materialized view %s keeps what is erased of %s until it is refreshed", view, d.relation.name), "have it refreshed daily, as by REFRESH MATERIALIZED VIEW "+row[5]+", and name it in the system's sql.technical")
		}
	}, s.m.SQL.Schema)
	if err != nil {
		return err
	}
	ids := "{" + strings.Join(append([]string{d.relation.id}, s.catalogue().parts[d.relation.id]...), ",") + "}" // a partition is told of by its own name, or the whole's
	err = each(ctx, s.db, `SELECT DISTINCT p.pubname, NOT p.pubdelete FROM pg_publication p JOIN pg_publication_tables t ON t.pubname = p.pubname JOIN pg_namespace n ON n.nspname = t.schemaname
			JOIN pg_class c ON c.relnamespace = n.oid AND c.relname = t.tablename WHERE (NOT p.pubdelete OR NOT p.pubupdate AND $2::text::bool) AND c.oid = ANY($1::text::oid[]) ORDER BY 1`, func(row []string) {
		what := "changed"
		if yes(row[1]) {
			what = "deleted"
		}
		add(fmt.Sprintf("the publication %s tells replicas of %s, and not what is %s there: they keep it", row[0], d.relation.name, what), fmt.Sprintf("ALTER PUBLICATION %s SET (publish = 'insert, update, delete, truncate'), or serve the replica by a system of its own", p.quote(row[0])))
	}, ids, fmt.Sprint(d.rewrites()))
	if err != nil {
		return err
	}
	return p.largeObjects(ctx, s, d, add)
}

// filtered finds the tables of which policies of row security may hide rows: all that have an
// active one, unless a policy says true and none restricts it. A view asks as its owner does, or, with
// security_invoker, as who asks it does; what a table shows to whom is as in PostgreSQL's
// check_enable_rls.
func (postgresDialect) filtered(ctx context.Context, on executor, schema string, ids []string) (filters, error) {
	found := filters{}
	err := each(ctx, on, `WITH RECURSIVE uses(root, rel, who) AS (
			SELECT c.oid, c.oid, (SELECT oid FROM pg_roles WHERE rolname = current_user) FROM pg_class c WHERE c.oid = ANY ($1::text::oid[])
			UNION SELECT u.root, d.refobjid, CASE WHEN EXISTS (SELECT FROM pg_options_to_table(v.reloptions) o WHERE o.option_name = 'security_invoker' AND o.option_value::boolean) THEN u.who ELSE v.relowner END
			FROM uses u JOIN pg_class v ON v.oid = u.rel AND v.relkind IN ('v', 'm') JOIN pg_rewrite r ON r.ev_class = v.oid AND r.ev_type = '1'
			JOIN pg_depend d ON d.classid = 'pg_rewrite'::regclass AND d.objid = r.oid AND d.refclassid = 'pg_class'::regclass AND d.refobjid <> v.oid)
		SELECT DISTINCT u.root::text, CASE WHEN n.nspname = coalesce(nullif($2::text, ''), current_schema()) THEN t.relname ELSE n.nspname || '.' || t.relname END
		FROM uses u JOIN pg_class t ON t.oid = u.rel AND t.relrowsecurity JOIN pg_namespace n ON n.oid = t.relnamespace JOIN pg_roles w ON w.oid = u.who
		CROSS JOIN LATERAL (SELECT coalesce(bool_or(p.polpermissive AND p.says = 'true'), false) AND NOT coalesce(bool_or(NOT p.polpermissive AND p.says <> 'true'), false) AS all_rows
			FROM (SELECT polpermissive, pg_get_expr(polqual, polrelid) AS says FROM pg_policy
				WHERE polrelid = t.oid AND polcmd IN ('r', '*') AND EXISTS (SELECT FROM unnest(polroles) role WHERE role = 0 OR pg_has_role(u.who, role, 'USAGE'))) p) policies
		WHERE NOT w.rolsuper AND NOT w.rolbypassrls AND (t.relforcerowsecurity OR NOT pg_has_role(u.who, t.relowner, 'USAGE')) AND NOT policies.all_rows ORDER BY 2`, func(row []string) {
		found[row[0]] = append(found[row[0]], row[1])
	}, "{"+strings.Join(ids, ",")+"}", schema)
	return found, err
}

// size implements cataloguer: what was counted when the table was last analysed, of all of
// its parts.
func (postgresDialect) size(t relation) (query string, args []any) {
	return `SELECT sum(CASE WHEN c.reltuples < 0 THEN NULL ELSE c.reltuples END)::bigint, pg_size_pretty(sum(pg_relation_size(c.oid))) FROM pg_class c
		WHERE c.oid = $1::text::oid OR c.oid IN (SELECT relid FROM pg_partition_tree($1::text::oid::regclass) WHERE isleaf)`, []any{t.id}
}
