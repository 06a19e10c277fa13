package sqlsystem

import (
	"context"
	"fmt"
	"slices"
)

// Copies looks for what the datasets' tables say elsewhere, or to others, that an erasure
// and a search don't see, as far as the catalogue knows: materialized views, replicas that
// aren't told of deletions, policies that hide rows from the worker. Only PostgreSQL has
// them.
func (s *System) Copies(ctx context.Context) ([]Advice, error) {
	if s.dialect != PostgreSQL {
		return nil, nil
	}
	ctx, cancel := context.WithTimeout(ctx, s.timeout)
	defer cancel()
	if err := s.freshen(ctx, s.db); err != nil {
		return nil, err
	}
	var out []Advice
	for i, d := range s.datasets {
		at := s.m.At(fmt.Sprintf("datasets[%d].sql.table", i))
		if len(d.siblings) > 0 && slices.Index(s.datasets, d.siblings[0]) < i {
			continue // said already
		}
		add := func(what, cure string) { out = append(out, Advice{Where: at, What: what, Cure: cure}) }
		err := each(ctx, s.db, `SELECT c.oid::text, CASE WHEN n.nspname = coalesce(nullif($1::text, ''), current_schema()) THEN c.relname ELSE n.nspname || '.' || c.relname END, format('%I.%I', n.nspname, c.relname)
			FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.relkind = 'm' ORDER BY 2`, func(row []string) {
			if s.catalogue().leads(d.relation.id, row[0]) && row[0] != d.relation.id && !slices.Contains(s.m.SQL.Technical, row[1]) && s.datasetOf(row[0]) == nil {
				add(fmt.Sprintf("the materialized view %s keeps what is erased of %s until it is refreshed", row[1], d.relation.name), "have it refreshed daily, as by REFRESH MATERIALIZED VIEW "+row[2]+", and name it in the system's sql.technical")
			}
		}, s.m.SQL.Schema)
		if err != nil {
			return nil, err
		}
		err = each(ctx, s.db, `SELECT DISTINCT p.pubname FROM pg_publication p JOIN pg_publication_tables t ON t.pubname = p.pubname JOIN pg_namespace n ON n.nspname = t.schemaname
			JOIN pg_class c ON c.relnamespace = n.oid AND c.relname = t.tablename WHERE NOT p.pubdelete AND c.oid = $1::text::oid ORDER BY 1`, func(row []string) {
			add(fmt.Sprintf("the publication %s tells replicas of %s, and not what is deleted there: they keep it", row[0], d.relation.name), fmt.Sprintf("ALTER PUBLICATION %s SET (publish = 'insert, update, delete, truncate'), or serve the replica by a system of its own", quote(row[0])))
		}, d.relation.id)
		if err != nil {
			return nil, err
		}
		err = each(ctx, s.db, `SELECT row_security_active($1::text::oid)`, func(row []string) {
			if yes(row[0]) {
				add(fmt.Sprintf("policies of row security hide rows of %s from the worker: they are neither found nor missed", d.relation.name), "give its user a policy for all rows, or BYPASSRLS")
			}
		}, d.relation.id)
		if err != nil {
			return nil, err
		}
	}
	return out, nil
}
