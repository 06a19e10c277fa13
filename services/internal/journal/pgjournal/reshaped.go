package pgjournal

import (
	"context"
	"errors"
	"io/fs"
	"regexp"
	"slices"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// foreign lists what can swallow or hide rows of the journal's tables, and isn't made by
// migrations or grants: triggers, also those of foreign keys that are off; rules; policies, and
// row security that holds for the tables' owner too, by whom the journal is audited.
const foreign = `
WITH ours AS (SELECT c.oid, c.relname, c.relforcerowsecurity FROM pg_class c WHERE c.relnamespace = (SELECT relnamespace FROM pg_class WHERE oid = 'fact'::regclass) AND c.relkind IN ('r', 'p', 'v')),
made AS (SELECT t.oid FROM pg_trigger t JOIN pg_proc p ON p.oid = t.tgfoid WHERE t.tgrelid = 'fact'::regclass AND t.tgname = 'fact_unlisted' AND t.tgenabled IN ('O', 'A')
	AND t.tgtype = 4 AND t.tgqual IS NULL AND t.tgnewtable = 'added' AND p.prosrc = $2)
SELECT 'trigger ' || t.tgname || ' on ' || o.relname FROM pg_trigger t JOIN ours o ON o.oid = t.tgrelid
	WHERE (NOT t.tgisinternal OR t.tgenabled NOT IN ('O', 'A')) AND t.oid NOT IN (SELECT oid FROM made)
UNION ALL SELECT 'trigger fact_unlisted on fact' WHERE NOT EXISTS (SELECT FROM pg_trigger WHERE tgrelid = 'fact'::regclass AND tgname = 'fact_unlisted')
UNION ALL SELECT 'rule ' || r.rulename || ' on ' || o.relname FROM pg_rewrite r JOIN ours o ON o.oid = r.ev_class WHERE r.rulename <> '_RETURN'
UNION ALL SELECT 'policy ' || p.polname || ' on ' || o.relname FROM pg_policy p JOIN ours o ON o.oid = p.polrelid WHERE NOT p.polname = ANY ($1)
UNION ALL SELECT 'forced row security of ' || o.relname FROM ours o WHERE o.relforcerowsecurity`

// Reshaped implements journal.Audited. It looks for what can swallow or hide rows, and compares
// the view for people with one that is made anew and dropped.
func (s *Store) Reshaped(ctx context.Context) ([]string, error) {
	policies := []string{"everybody"}
	for _, r := range Roles() {
		for _, command := range []string{"insert", "update", "delete"} {
			policies = append(policies, r.Name+"_"+command)
		}
	}
	text, err := fs.ReadFile(migrations, "migrations/00012_heads.sql")
	if err != nil {
		return nil, err
	}
	noting := unlistedBody.FindSubmatch(text)
	if noting == nil {
		return nil, errors.New("journal: the migration of the list of heads makes no function")
	}
	out, err := query(ctx, s, pgx.RowTo[string], foreign, policies, string(noting[1]))
	if err != nil {
		return nil, err
	}
	same, err := s.viewIsOurs(ctx)
	if err != nil {
		return nil, err
	}
	if !same {
		out = append(out, "view trace")
	}
	slices.Sort(out)
	return out, nil
}

// unlistedBody is what the one function of the migrations does, by which the one trigger notes
// what is to be listed.
var unlistedBody = regexp.MustCompile(`(?s)\$\$(.*?)\$\$`)

// traceView is how the first migration makes the view.
var traceView = regexp.MustCompile(`(?s)CREATE VIEW trace AS\n(.*?);`)

// viewIsOurs reports whether the view for people shows what migrations have it show. Who may
// make no view of their own can't compare, and is told nothing.
func (s *Store) viewIsOurs(ctx context.Context) (same bool, err error) {
	text, err := fs.ReadFile(migrations, "migrations/00001_journal.sql")
	if err != nil {
		return false, err
	}
	made := traceView.FindSubmatch(text)
	if made == nil {
		return false, errors.New("journal: the first migration makes no view")
	}
	tx, err := s.pool.Begin(ctx)
	if err != nil {
		return false, s.explain(ctx, err)
	}
	defer func() { _ = tx.Rollback(ctx) }() // it changes nothing
	if _, err = tx.Exec(ctx, "CREATE TEMPORARY VIEW trace_as_made AS "+string(made[1])); err == nil {
		err = tx.QueryRow(ctx, "SELECT to_regclass('trace') IS NOT NULL AND coalesce(pg_get_viewdef(to_regclass('trace')), '') = pg_get_viewdef('trace_as_made'::regclass)").Scan(&same)
	}
	var refused *pgconn.PgError
	if errors.As(err, &refused) && refused.Code == "42501" {
		return true, nil
	}
	return same, s.explain(ctx, err)
}
