package sqlsystem

import (
	"context"
	"fmt"
	"regexp"
	"strconv"
	"strings"
)

// lengthForm matches the length in character varying(200).
var lengthForm = regexp.MustCompile(`^character(?: varying)?\((\d+)\)$`)

func (p postgresDialect) describe(ctx context.Context, on executor, schema, name string) (*table, error) {
	t := &table{}
	bare := schema == "" && !strings.Contains(name, ".")
	err := each(ctx, on, `SELECT c.oid::text, format('%I.%I', n.nspname, c.relname), CASE WHEN n.nspname = coalesce(nullif($2::text, ''), current_schema()) THEN c.relname ELSE n.nspname || '.' || c.relname END, c.relkind IN ('v', 'm', 'f'),
		(SELECT json_agg(format('%I.%I', m.nspname, o.relname) ORDER BY m.nspname)::text FROM pg_class o JOIN pg_namespace m ON m.oid = o.relnamespace
			WHERE $3::text::bool AND o.relname = c.relname AND o.oid <> c.oid AND o.relkind IN ('r', 'p', 'v', 'm', 'f') AND m.nspname = ANY(current_schemas(false))),
		(WITH RECURSIVE part(rel) AS (SELECT c.oid UNION SELECT i.inhrelid FROM part p JOIN pg_inherits i ON i.inhparent = p.rel) SELECT bool_or(k.relkind = 'f') FROM part JOIN pg_class k ON k.oid = part.rel)
		FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.oid = to_regclass($1::text)`, func(row []string) {
		t.relation, t.view, t.hides = relation{row[0], row[1], row[2]}, yes(row[3]), list(row[4])
		if yes(row[5]) {
			t.unfit, t.cure = "they lie in another database (a foreign table), and what that deletes or changes with them isn't seen here", "serve that database by a system of its own, and have no dataset of it here, or one that only gathers, in a system without erase"
		}
	}, qualified(p, schema, name), schema, fmt.Sprint(bare))
	if err != nil {
		return nil, err
	}
	if t.id == "" {
		return nil, errNoTable
	}
	// The type below domains, and NOT NULL of the column or of any of them.
	err = each(ctx, on, `SELECT a.attname, format_type(a.atttypid, a.atttypmod), CASE WHEN cx.oid IS NOT NULL THEN 'citext' ELSE format_type(b.base, NULL) END, a.attnotnull OR b.nn, a.attidentity, a.attgenerated, NOT k.collisdeterministic,
			CASE WHEN cx.oid IS NOT NULL THEN format('::%I.citext', xn.nspname) WHEN NOT k.collisdeterministic THEN format(' COLLATE %I.%I', kn.nspname, k.collname) END
		FROM pg_attribute a CROSS JOIN LATERAL (
			WITH RECURSIVE r(oid, nn) AS (SELECT a.atttypid, false
				UNION ALL SELECT t.typbasetype, r.nn OR t.typnotnull FROM r JOIN pg_type t ON t.oid = r.oid AND t.typtype = 'd')
			SELECT r.oid AS base, bool_or(r.nn) OVER () OR t.typnotnull AS nn FROM r JOIN pg_type t ON t.oid = r.oid AND t.typtype <> 'd') b
		LEFT JOIN pg_collation k ON k.oid = a.attcollation LEFT JOIN pg_namespace kn ON kn.oid = k.collnamespace LEFT JOIN pg_type cx ON cx.oid = b.base AND cx.typname = 'citext' LEFT JOIN pg_namespace xn ON xn.oid = cx.typnamespace
		WHERE a.attrelid = $1::text::oid AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum`, func(row []string) {
		c := column{name: row[0], full: row[1], typ: row[2], notNull: yes(row[3]), collated: yes(row[6]), alike: row[7]}
		if m := lengthForm.FindStringSubmatch(c.full); m != nil {
			c.length, _ = strconv.Atoi(m[1])
		}
		switch {
		case row[4] == "a":
			c.made = "the database numbers it by itself (identity)"
		case row[5] != "":
			c.made = "the database works it out of others (generated)"
		}
		t.columns = append(t.columns, c)
	}, t.id)
	if err != nil {
		return nil, err
	}
	err = each(ctx, on, `SELECT x.relname, (SELECT json_agg(a.attname)::text FROM pg_attribute a WHERE a.attrelid = i.indrelid AND a.attnum = ANY(i.indkey[0:i.indnkeyatts - 1])),
		CASE WHEN i.indexprs IS NOT NULL THEN pg_get_indexdef(i.indexrelid) END, pg_get_expr(i.indpred, i.indrelid), to_jsonb(i) ->> 'indnullsnotdistinct', o.overlaps, i.indisprimary,
		(SELECT bool_or(k.coll <> a.attcollation OR NOT o.opcdefault) FROM unnest(i.indkey::int2[], i.indcollation::oid[], i.indclass::oid[]) AS k(num, coll, class)
			JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = k.num JOIN pg_opclass o ON o.oid = k.class)
		FROM pg_index i JOIN pg_class x ON x.oid = i.indexrelid CROSS JOIN LATERAL (SELECT bool_or(p.oprname = '&&') AS overlaps, bool_and(p.oprname IN ('=', '&&')) AS alike
			FROM pg_constraint k CROSS JOIN unnest(k.conexclop) u(oid) JOIN pg_operator p ON p.oid = u.oid WHERE k.conindid = i.indexrelid AND k.contype = 'x') o
		WHERE i.indrelid = $1::text::oid AND (i.indisunique OR i.indisexclusion AND o.alike) AND i.indisvalid`, func(row []string) {
		t.indexes = append(t.indexes, index{name: row[0], columns: list(row[1]), text: row[2], partial: row[3], nullsEqual: yes(row[4]), overlaps: yes(row[5]), primary: yes(row[6]), otherwise: yes(row[7])})
	}, t.id)
	if err != nil {
		return nil, err
	}
	err = each(ctx, on, `SELECT conname, pg_get_expr(conbin, conrelid), (SELECT json_agg(a.attname)::text FROM pg_attribute a WHERE a.attrelid = conrelid AND a.attnum = ANY(conkey))
		FROM pg_constraint WHERE conrelid = $1::text::oid AND contype = 'c'`, func(row []string) {
		t.checks = append(t.checks, check{name: row[0], expr: row[1], columns: list(row[2])})
	}, t.id)
	return t, err
}
