package pgjournal

import (
	"context"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5"
)

// Role is a component's user of the database, and what it may do to which tables; the
// rest of the schema's owner's. No component has more of it than its work needs, and none
// may alter or delete a fact (TestRoles).
type Role struct {
	Name   string
	Tables map[string]string // privileges by table
	// Notes are what the names of the notes begin with that it may write, where it writes
	// notes; empty: all of them. Callers' tokens and the log's checkpoint are notes.
	Notes string
}

// Roles returns the roles of those components that have the journal. Workers and the
// aggregator have none.
func Roles() []Role {
	appends := func(more map[string]string) map[string]string {
		all := map[string]string{
			"goose_db_version": "SELECT", "request": "SELECT, INSERT, UPDATE", "timer": "SELECT, INSERT, UPDATE, DELETE", "fact": "SELECT, INSERT",
			"fingerprint": "SELECT, INSERT", "queue": "INSERT", "note": "SELECT",
			"leaf": "SELECT, INSERT", "tree": "SELECT, INSERT", "tree_size": "SELECT, UPDATE",
		}
		for table, privileges := range more {
			all[table] = privileges
		}
		return all
	}
	return []Role{
		{Name: "habeas_intake", Tables: appends(nil)},
		{Name: "habeas_letters", Tables: appends(nil)},
		{Name: "habeas_console", Tables: appends(map[string]string{"note": "SELECT, INSERT, UPDATE", "search": "SELECT, INSERT"}), Notes: "console/"},
		{Name: "habeas_portal", Tables: appends(map[string]string{"proof": "SELECT, INSERT, UPDATE, DELETE"})},
		{Name: "habeas_coordinator", Tables: appends(map[string]string{"note": "SELECT, INSERT, UPDATE", "queue": "SELECT, INSERT, DELETE", "fingerprint": "SELECT, INSERT, DELETE"})},
	}
}

// Grant gives the roles that there are what they may do, and takes everything else from
// them. The connection MUST be the schema's owner's. It returns the roles that it found.
func Grant(ctx context.Context, url string) (found []string, err error) {
	conn, err := pgx.Connect(ctx, url)
	if err != nil {
		return nil, fmt.Errorf("journal: %w", err)
	}
	defer func() { _ = conn.Close(context.WithoutCancel(ctx)) }() // what it did is committed
	for _, r := range Roles() {
		var there bool
		if err := conn.QueryRow(ctx, "SELECT EXISTS (SELECT FROM pg_roles WHERE rolname = $1)", r.Name).Scan(&there); err != nil {
			return nil, fmt.Errorf("journal: %w", err)
		}
		if !there {
			continue
		}
		if _, err := conn.Exec(ctx, r.statements(), pgx.QueryExecModeSimpleProtocol); err != nil {
			return nil, fmt.Errorf("journal: grants of %s: %w; connect as the owner of the journal's tables", r.Name, err)
		}
		found = append(found, r.Name)
	}
	return found, nil
}

// statements returns the grants in one transaction.
func (r Role) statements() string {
	var b strings.Builder
	fmt.Fprintf(&b, "BEGIN; DO $$ BEGIN EXECUTE format('GRANT USAGE ON SCHEMA %%I TO %[1]s', current_schema()); EXECUTE format('REVOKE ALL ON ALL TABLES IN SCHEMA %%I FROM %[1]s', current_schema()); END $$;", r.Name)
	for table, privileges := range r.Tables {
		fmt.Fprintf(&b, " GRANT %s ON %s TO %s;", privileges, table, r.Name)
	}
	if r.Notes != "" {
		// Row security holds for whoever isn't the owner: everybody passes, but for what is
		// restricted.
		fmt.Fprintf(&b, " ALTER TABLE note ENABLE ROW LEVEL SECURITY; DROP POLICY IF EXISTS everybody ON note; DROP POLICY IF EXISTS %[1]s ON note;"+
			" CREATE POLICY everybody ON note USING (true) WITH CHECK (true);"+
			" CREATE POLICY %[1]s ON note AS RESTRICTIVE TO %[1]s USING (true) WITH CHECK (starts_with(name, '%[2]s'));", r.Name, r.Notes)
	}
	b.WriteString(" COMMIT")
	return b.String()
}
