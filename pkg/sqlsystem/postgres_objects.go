package sqlsystem

import (
	"context"
	"fmt"
	"slices"
	"strings"
)

// largeObjects finds columns that may name large objects (of the type oid, or a domain of it, as
// the extension lo's): what is in one stays in the database when its row goes, unless a trigger for
// deletions unlinks it, and one for updates where an erasure sets the column. They are those of a
// dataset's table, of what a view reads, and of the tables whose rows go with the dataset's, but for
// those that the manifest calls technical.
func (p postgresDialect) largeObjects(ctx context.Context, s *System, d *dataset, add func(what, cure string)) error {
	ids := append([]string{d.relation.id}, s.catalogue().reads[d.relation.id]...)
	further, technical, set := []string{}, []string{}, []string{}
	for _, o := range d.alike() {
		for _, name := range o.SQL.Cascades {
			further = append(further, qualified(p, s.m.SQL.Schema, name))
		}
		technical = append(technical, o.SQL.Technical...)
		for _, l := range o.lookups {
			for column := range l.sets {
				set = append(set, column)
			}
		}
	}
	of := []string{} // which are looked at by themselves
	for _, o := range s.datasets {
		if o != d && !slices.Contains(d.siblings, o) {
			of = append(of, o.relation.id)
		}
	}
	return each(ctx, s.db, `WITH RECURSIVE whole(oid) AS (SELECT 'oid'::regtype::oid UNION SELECT y.oid FROM pg_type y JOIN whole w ON y.typbasetype = w.oid AND y.typtype = 'd')
		SELECT c.relname, a.attname FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid JOIN whole w ON w.oid = a.atttypid
		WHERE (c.oid::text = ANY ($1::text[]) OR c.oid IN (SELECT to_regclass(n) FROM unnest($2::text[]) n)) AND c.oid::text <> ALL ($3::text[]) AND c.relkind IN ('r', 'p') AND a.attnum > 0 AND NOT a.attisdropped
			AND NOT (a.attname = ANY ($4::text[]) AND c.oid::text = $6::text)
			AND (SELECT bit_or(t.tgtype) & CASE WHEN a.attname = ANY ($5::text[]) THEN 24 ELSE 8 END FROM pg_trigger t JOIN pg_proc f ON f.oid = t.tgfoid
				WHERE t.tgrelid = a.attrelid AND t.tgenabled IN ('O', 'A') AND (f.prosrc = 'lo_manage' AND encode(t.tgargs, 'escape') = a.attname || '\000' OR f.prosrc ~* '\mlo_unlink\M' AND f.prosrc ILIKE '%' || a.attname || '%'))
				IS DISTINCT FROM CASE WHEN a.attname = ANY ($5::text[]) THEN 24 ELSE 8 END
		ORDER BY 1, 2`, func(row []string) {
		add(fmt.Sprintf("%s.%s may name large objects, which stay in the database with all that is in them when their rows go, and are in no answer", row[0], row[1]),
			fmt.Sprintf("CREATE EXTENSION lo; CREATE TRIGGER %s BEFORE UPDATE OR DELETE ON %s FOR EACH ROW EXECUTE FUNCTION lo_manage(%s); or name the column in the technical columns of %s where it names none",
				strings.ToLower(row[1])+"_unlinks", p.quote(row[0]), p.quote(row[1]), d.Name))
	}, ids, further, of, technical, set, d.relation.id)
}
