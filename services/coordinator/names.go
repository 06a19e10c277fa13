package coordinator

import (
	"slices"
	"strings"

	"habeas.dev/pkg/dsar"
	"habeas.dev/pkg/manifest"
)

// names are those of a manifest; nil where there is none to look at.
type names struct {
	all map[string]bool
	// words are the words that tables, columns and datasets are named by.
	words map[string]bool
}

// newNames returns the names of a manifest.
func newNames(m *manifest.Manifest) *names {
	n := &names{all: m.Names(), words: map[string]bool{}}
	for name := range n.all {
		if !strings.ContainsAny(name, " \t\n") { // a sentence's words name nothing
			for _, w := range wordsOf(name) {
				n.words[w] = true
			}
		}
	}
	return n
}

// have reports whether a cause, which there needn't be, may stand in the open: each field
// has the form of what it should be, and what should be a name of the manifest is one.
func (n *names) have(c *dsar.Cause) bool {
	return c == nil || c.Fits() && (n == nil || len(c.Unknown(n.all)) == 0)
}

// haveTable reports whether the manifest names a table, with its schema before it or not.
func (n *names) haveTable(table string) bool {
	return n.all[table] || n.all[table[strings.LastIndexByte(table, '.')+1:]]
}

// haveConstraint reports whether a constraint's or trigger's name may stand in the open: the
// manifest lists it, or has each word of it but what databases and their habits add.
func (n *names) haveConstraint(name string) bool {
	return n == nil || n.all[name] || !slices.ContainsFunc(wordsOf(name), func(w string) bool {
		base := strings.TrimRight(w, "0123456789")
		known := base == "" || n.words[base] || slices.Contains(habits, base)
		return !n.words[w] && (!known || len(w)-len(base) > maxNumber)
	})
}

// maxNumber is how many digits may end a word that the manifest hasn't: databases number
// names that would be the same, and no date or telephone number is so short.
const maxNumber = 3

// habits are what PostgreSQL (ChooseConstraintName) and MySQL add to the names that they
// make, and people to theirs.
var habits = []string{"after", "before", "check", "chk", "ck", "constraint", "delete", "excl", "fk", "fkey", "ibfk", "idx", "index", "insert", "ix",
	"key", "no", "not", "null", "on", "pk", "pkey", "primary", "ref", "seq", "trg", "trigger", "uidx", "uk", "uniq", "unique", "update", "uq"}

// wordsOf returns the words of a name, in lower case.
func wordsOf(name string) []string {
	return strings.FieldsFunc(strings.ToLower(name), func(r rune) bool { return strings.ContainsRune("_-.$", r) })
}

// sealed returns a report without the names of constraints that its manifest doesn't know:
// they stand in the worker's own words, which are sealed.
func (n *names) sealed(r dsar.Report) dsar.Report {
	without := func(c *dsar.Cause) *dsar.Cause {
		if c == nil || c.Constraint == "" || n.haveConstraint(c.Constraint) {
			return c
		}
		less := *c
		less.Constraint = ""
		return &less
	}
	r.Cause = without(r.Cause)
	r.Findings, r.Counts = slices.Clone(r.Findings), slices.Clone(r.Counts)
	for i := range r.Findings {
		r.Findings[i] = *without(&r.Findings[i])
	}
	for i := range r.Counts {
		r.Counts[i].Cause = without(r.Counts[i].Cause)
	}
	return r
}
