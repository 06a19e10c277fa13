package pgjournal

import (
	"context"
	"fmt"
	"slices"
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
	// Facts are the types of facts that it may append, which are those that follow from what
	// its service decides; nil: all of them but Never.
	Facts, Never []string
}

// MayAppend reports whether a role may append facts of a type.
func (r Role) MayAppend(typ string) bool {
	return (r.Facts == nil || slices.Contains(r.Facts, typ)) && !slices.Contains(r.Never, typ)
}

// The types of facts by service. Who reports, what becomes of a request in time, and what is
// destroyed is the coordinator's to say; of the rest, what people decide is the console's.
var (
	intakeFacts = []string{
		"request.accepted", "proof.asked", "hold.placed", "request.cancelled", "answer.fetched",
		// What follows by itself where a request is taken in.
		"stage.started", "task.sent", "task.ended", "task.failed", "request.attention-needed", "request.overdue", "addendum.issued", "answer.available", "request.completed", "notice.owed",
	}
	lettersFacts = []string{"letter.sent", "request.completed", "request.attention-needed"}
	portalFacts  = []string{"person.sent", "answer.opened", "request.cancelled", "request.completed", "request.attention-needed"}
	notOfPeople  = []string{
		"task.progressed", "task.parked", "message.rejected", "system.missing", "system.back", "system.renamed", "system.retired", "receipt.issued", "receipt.left",
		"data.forgotten", "copies.forgotten", "caller.told", "caller.not-told", "notice.sent", "notice.failed", "letter.sent", "person.sent", "answer.opened",
		"answer.fetched", "request.taken-up", "request.reminded", "earlier.looked-up", "earlier.doubted", "earlier.awaited", "kept.looked-up", "hold.released",
	}
)

// Roles returns the roles of those components that have the journal. Workers and the
// aggregator have none.
func Roles() []Role {
	appends := func(more map[string]string) map[string]string {
		all := map[string]string{
			"goose_db_version": "SELECT", "request": "SELECT, INSERT, UPDATE", "timer": "SELECT, INSERT, UPDATE, DELETE", "fact": "SELECT, INSERT",
			// Who appends doesn't choose the number of a row, behind or before all others.
			"fingerprint": "SELECT, INSERT", "queue": "INSERT (shard, messages)", "note": "SELECT",
			"leaf": "SELECT", "tree": "SELECT", "tree_size": "SELECT",
		}
		for table, privileges := range more {
			all[table] = privileges
		}
		return all
	}
	return []Role{
		{Name: "habeas_intake", Tables: appends(nil), Facts: intakeFacts},
		{Name: "habeas_letters", Tables: appends(nil), Facts: lettersFacts},
		{Name: "habeas_console", Tables: appends(map[string]string{"note": "SELECT, INSERT, UPDATE", "search": "SELECT, INSERT, UPDATE (place, chain)", "search_head": "SELECT, UPDATE"}), Notes: "console/", Never: notOfPeople},
		{Name: "habeas_portal", Tables: appends(map[string]string{"proof": "SELECT, INSERT, UPDATE, DELETE"}), Facts: portalFacts},
		{Name: "habeas_coordinator", Tables: appends(map[string]string{"note": "SELECT, INSERT, UPDATE", "queue": "SELECT, INSERT (shard, messages), DELETE", "fingerprint": "SELECT, INSERT, DELETE", "search": "SELECT", "search_head": "SELECT",
			"leaf": "SELECT, INSERT", "tree": "SELECT, INSERT", "tree_size": "SELECT, UPDATE", "heads": "SELECT, INSERT", "heads_end": "SELECT, UPDATE", "unlisted": "SELECT, DELETE"})},
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
	// Row security holds for whoever isn't the owner: everybody passes, but for what is
	// restricted. A row that a role may not write it may not turn into one of its own either.
	if r.Notes != "" {
		own := "starts_with(name, '" + r.Notes + "')"
		restrict(&b, "note", r.Name, "INSERT", "WITH CHECK ("+own+")")
		restrict(&b, "note", r.Name, "UPDATE", "USING ("+own+") WITH CHECK ("+own+")")
		restrict(&b, "note", r.Name, "DELETE", "USING ("+own+")")
	}
	switch {
	case r.Facts != nil:
		restrict(&b, "fact", r.Name, "INSERT", "WITH CHECK (type = ANY ('{"+strings.Join(r.Facts, ",")+"}'))")
	case r.Never != nil:
		restrict(&b, "fact", r.Name, "INSERT", "WITH CHECK (type <> ALL ('{"+strings.Join(r.Never, ",")+"}'))")
	}
	b.WriteString(" COMMIT")
	return b.String()
}

// restrict lets a role do something to those rows of a table alone that the rule names.
func restrict(b *strings.Builder, table, role, command, rule string) {
	name := role + "_" + strings.ToLower(command)
	fmt.Fprintf(b, " ALTER TABLE %[1]s ENABLE ROW LEVEL SECURITY; DROP POLICY IF EXISTS everybody ON %[1]s; CREATE POLICY everybody ON %[1]s USING (true) WITH CHECK (true);"+
		" DROP POLICY IF EXISTS %[2]s ON %[1]s; DROP POLICY IF EXISTS %[3]s ON %[1]s; CREATE POLICY %[3]s ON %[1]s AS RESTRICTIVE FOR %[4]s TO %[2]s %[5]s;",
		table, role, name, command, rule)
}
