package sqlsystem

import (
	"context"
	"fmt"
	"strings"
)

// userCure is how a worker's user comes to have what it needs and no more.
const userCure = "a user of the worker's own, with SELECT, UPDATE and DELETE on the tables of its manifest alone"

// Wide names what the connection's user may do that no worker needs: a superuser, or one that
// makes users, reads the server's files, or owns the tables. Whoever takes the worker over may
// do it, too; and of an owner or a superuser, row security and triggers keep nothing. SQLite has
// no users.
func (s *System) Wide(ctx context.Context) ([]Advice, error) {
	ctx, cancel := context.WithTimeout(ctx, s.timeout)
	defer cancel()
	may, err := s.dialect.wide(ctx, s.db, s.relations())
	if err != nil || len(may) == 0 {
		return nil, err
	}
	return []Advice{{s.m.At("sql"), "the worker's user is wider than it must be: it " + strings.Join(may, ", "), userCure}}, nil
}

// relations returns what the database calls the datasets' tables.
func (s *System) relations() (ids []string) {
	s.eachTable(func(_ string, d *dataset) { ids = append(ids, d.relation.id) })
	return ids
}

// wide implements cataloguer. BYPASSRLS isn't named: where policies hide rows, a worker that
// is to answer for all of them needs it ([filteredCure]).
func (postgresDialect) wide(ctx context.Context, on executor, ids []string) (may []string, err error) {
	err = each(ctx, on, `SELECT says FROM pg_roles r CROSS JOIN LATERAL (VALUES
			(1, r.rolsuper, 'is a superuser'),
			(2, NOT r.rolsuper AND r.rolcreaterole, 'makes and alters users (CREATEROLE)'),
			(3, NOT r.rolsuper AND r.rolreplication, 'reads all there is as a replica (REPLICATION)'),
			(4, NOT r.rolsuper AND EXISTS (SELECT FROM pg_roles o WHERE o.rolname IN ('pg_read_server_files', 'pg_write_server_files', 'pg_execute_server_program') AND pg_has_role(r.oid, o.oid, 'MEMBER')), 'reaches the server''s files or programs'),
			(5, NOT r.rolsuper AND EXISTS (SELECT FROM pg_class c WHERE c.oid = ANY ($1::text::oid[]) AND pg_has_role(r.oid, c.relowner, 'USAGE')), 'owns tables of the manifest, and may drop or alter them')
		) AS wide(at, so, says) WHERE r.rolname = current_user AND wide.so ORDER BY at`, func(row []string) { may = append(may, row[0]) }, "{"+strings.Join(ids, ",")+"}")
	return may, err
}

// mysqlWide are the global privileges that no worker needs.
var mysqlWide = []string{"SUPER", "CREATE USER", "FILE", "SHUTDOWN", "REPLICATION SLAVE", "DROP"}

// wide implements cataloguer.
func (mysqlDialect) wide(ctx context.Context, on executor, _ []string) (may []string, err error) {
	err = each(ctx, on, `SELECT PRIVILEGE_TYPE FROM information_schema.USER_PRIVILEGES WHERE GRANTEE = CONCAT("'", SUBSTRING_INDEX(CURRENT_USER(), '@', 1), "'@'", SUBSTRING_INDEX(CURRENT_USER(), '@', -1), "'")
			AND PRIVILEGE_TYPE IN ('`+strings.Join(mysqlWide, "', '")+`') ORDER BY 1`, func(row []string) { may = append(may, row[0]) })
	if len(may) == 0 {
		return nil, err
	}
	return []string{fmt.Sprintf("has %s on the whole server", strings.Join(may, ", "))}, err
}

func (sqliteDialect) wide(context.Context, executor, []string) ([]string, error) { return nil, nil }
