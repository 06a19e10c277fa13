package dsar

import (
	"cmp"
	"slices"
	"strconv"
	"strings"
)

// Cause says in fields what stood in the way of a task, or what a worker noticed of its
// system. It stays in the open, in the journal too, so each field is a name that somebody
// can look up: of the manifest, of the database's catalogue, of a list. Whatever else is
// to be said of a case are words, which are sealed ([Report].Reason).
type Cause struct {
	// Code is what was noticed, with [Report].Findings and [Counts].Cause; a report's own
	// cause has none, as the report has it.
	Code string `json:"code,omitempty"`
	// System is another system that it is about, with the aggregator's tasks.
	System string `json:"system,omitempty"`
	// Dataset, Table and Object are names of the manifest. Object is a vendor's, as Contact.
	Dataset string `json:"dataset,omitempty"`
	Table   string `json:"table,omitempty"`
	Object  string `json:"object,omitempty"`
	// Columns are columns or fields, of the manifest; with [CodeUndeclaredColumn] those
	// that it lacks.
	Columns []string `json:"columns,omitempty"`
	// Constraint is the constraint, trigger or rule that refuses, by its name in the
	// database's catalogue.
	Constraint string `json:"constraint,omitempty"`
	// SQLState is the database's code: five digits and capitals.
	SQLState string `json:"sqlstate,omitempty"`
	// Permission is what is to be granted: one of [Permissions], or a name of the
	// manifest.
	Permission string `json:"permission,omitempty"`
	// Answer is the vendor's own code, in capitals, digits, hyphens and underscores, and
	// Status the HTTP status that came with it.
	Answer string `json:"answer,omitempty"`
	Status int    `json:"status,omitempty"`
}

// CodeUndeclaredColumn is the code of a column that a system has and its manifest
// doesn't declare.
const CodeUndeclaredColumn = "undeclared-column"

// Permissions are the permissions that a [Cause] may name besides those of a manifest.
var Permissions = []string{"SELECT", "INSERT", "UPDATE", "DELETE", "BYPASSRLS", "read", "create", "update", "delete", "bulk-delete"}

// IsZero reports whether nothing is said.
func (c Cause) IsZero() bool {
	return c.Code == "" && c.System == "" && c.Dataset == "" && c.Table == "" && c.Object == "" && len(c.Columns) == 0 && c.Constraint == "" &&
		c.SQLState == "" && c.Permission == "" && c.Answer == "" && c.Status == 0
}

// String returns the names as they are, in no language: users.email, users_email_key,
// SQLSTATE 23505. It is empty where there are none.
func (c Cause) String() string {
	of, parts := cmp.Or(c.Table, c.Object, c.Dataset, c.System), []string{}
	for _, column := range c.Columns {
		parts = append(parts, strings.TrimPrefix(of+"."+column, "."))
	}
	if len(parts) == 0 {
		parts = append(parts, of)
	}
	parts = append(parts, c.Constraint, c.Permission)
	if c.SQLState != "" {
		parts = append(parts, "SQLSTATE "+c.SQLState)
	}
	if c.Status != 0 {
		parts = append(parts, "HTTP "+strconv.Itoa(c.Status))
	}
	parts = append(parts, c.Answer)
	return strings.Join(slices.DeleteFunc(parts, func(p string) bool { return p == "" }), ", ")
}

// Said returns what a cause that there may be says; empty where there is none.
func (c *Cause) Said() string {
	if c == nil {
		return ""
	}
	return c.String()
}

// The bounds of a cause: a name's bytes, as PostgreSQL has them and twice over for a
// schema before it, and how many columns.
const (
	maxName    = 127
	maxColumns = 50
)

// Fits reports whether every field of a cause has the form of what it should be. That
// the manifest has the name is for who has the manifest to look.
func (c Cause) Fits() bool {
	for _, name := range append([]string{c.System, c.Dataset, c.Table, c.Object, c.Permission, c.Constraint}, c.Columns...) {
		if !isName(name) {
			return false
		}
	}
	return len(c.Columns) <= maxColumns && (c.Code == "" || isWord(c.Code)) &&
		(c.SQLState == "" || len(c.SQLState) == 5 && capitals(c.SQLState, "")) &&
		len(c.Answer) <= 60 && capitals(c.Answer, "-_") &&
		(c.Status == 0 || c.Status >= 100 && c.Status <= 599)
}

// Unknown returns the names of a cause that its manifest should have and hasn't, where
// known are those that it has. A constraint's is the database's own.
func (c Cause) Unknown(known map[string]bool) []string {
	names := []string{c.Dataset, c.Table, c.Object}
	if c.Code != CodeUndeclaredColumn {
		names = append(names, c.Columns...)
	}
	if !slices.Contains(Permissions, c.Permission) {
		names = append(names, c.Permission)
	}
	return slices.DeleteFunc(names, func(n string) bool { return n == "" || known[n] })
}

// isName reports whether s may be a name of a schema: letters, digits and what stands
// between them, and neither blank nor sign of an address.
func isName(s string) bool {
	if len(s) > maxName {
		return false
	}
	for _, r := range s {
		if (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') && r != '_' && r != '$' && r != '.' && r != '-' && r < 0x80 {
			return false
		}
	}
	return true
}

// isWord reports whether s is a word of lower-case letters, digits and hyphens.
func isWord(s string) bool {
	if s == "" || len(s) > 64 || s[0] < 'a' || s[0] > 'z' {
		return false
	}
	for i := range len(s) {
		if c := s[i]; (c < 'a' || c > 'z') && (c < '0' || c > '9') && c != '-' {
			return false
		}
	}
	return true
}

// capitals reports whether s holds capitals, digits and what is in also, and nothing else.
func capitals(s, also string) bool {
	for i := range len(s) {
		if c := s[i]; (c < 'A' || c > 'Z') && (c < '0' || c > '9') && !slices.Contains([]byte(also), c) {
			return false
		}
	}
	return true
}
