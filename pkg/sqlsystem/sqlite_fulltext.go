package sqlsystem

import (
	"context"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"habeas.dev/pkg/manifest"
)

// fulltext is a full-text index of SQLite (FTS3, 4 or 5): a virtual table that keeps the words of
// rows of another table, or texts of its own.
type fulltext struct {
	name string
	// of is the table or view whose rows' words it keeps (content=), in lower case; empty where
	// its definition names none: triggers or a program fill it.
	of string
}

var (
	fulltextForm = regexp.MustCompile(`(?is)^\s*CREATE\s+VIRTUAL\s+TABLE\b.*?\bUSING\s+fts[345]\s*\((.*)\)\s*;?\s*$`)
	contentForm  = regexp.MustCompile(`(?i)\bcontent\s*=\s*(?:'([^']*)'|"([^"]*)"|([^\s,)'"]+))`)
)

// fulltextOf reads the text of CREATE VIRTUAL TABLE; false where it makes no full-text index.
func fulltextOf(name, text string) (fulltext, bool) {
	m := fulltextForm.FindStringSubmatch(commentForm.ReplaceAllString(text, " "))
	if m == nil {
		return fulltext{}, false
	}
	f := fulltext{name: name}
	if c := contentForm.FindStringSubmatch(m[1]); c != nil {
		f.of = strings.ToLower(c[1] + c[2] + c[3])
	}
	return f, true
}

func fulltexts(ctx context.Context, on executor) (all []fulltext, err error) {
	err = each(ctx, on, `SELECT name, sql FROM sqlite_master WHERE type = 'table' AND sql LIKE 'CREATE VIRTUAL%' ORDER BY name`, func(row []string) {
		if f, is := fulltextOf(row[0], row[1]); is {
			all = append(all, f)
		}
	})
	return all, err
}

// copies finds full-text indexes that nothing keeps in step with a dataset's table: they keep the
// words of what is erased, and which rows had them. SQLite has neither materialized views nor
// replicas of its own.
func (sqliteDialect) copies(ctx context.Context, s *System, d *dataset, add func(what, cure string)) error {
	all, err := fulltexts(ctx, s.db)
	for _, f := range all {
		if s.technical(placed{schema: "main", name: f.name, bare: true}) || s.datasetOf(strings.ToLower(f.name)) != nil {
			continue
		}
		var events []string
		for _, event := range d.unindexed(s.catalogue(), f) {
			events = append(events, "AFTER "+event+" ON "+doubleQuoted(d.relation.name))
		}
		if events != nil {
			add(fmt.Sprintf("the full-text index %s keeps the words of what is erased or changed of %s: no trigger takes them out", f.name, d.relation.name),
				fmt.Sprintf("add a trigger (%s) that does, as the FTS documentation has it for external content, and %s to the dataset's cascades; or, where the index is rebuilt daily, name it in the system's sql.technical", strings.Join(events, ", "), f.name))
		}
	}
	return err
}

// unindexed returns the events of a dataset's table of which a full-text index with words of its
// rows isn't told, of those that the manifest has happen.
func (d *dataset) unindexed(c *catalogue, f fulltext) (events []string) {
	var own []trigger
	for _, t := range c.triggers {
		if t.table == d.relation.id && t.writesTo(f.name) {
			own = append(own, t)
		}
	}
	if len(own) == 0 && (f.of == "" || !c.leads(d.relation.id, f.of)) {
		return nil
	}
	deletes := slices.ContainsFunc(d.alike(), func(o *dataset) bool { return o.SQL.Erases(manifest.EraseDelete) })
	if deletes && !slices.ContainsFunc(own, func(t trigger) bool { return t.deletes }) {
		events = append(events, "DELETE")
	}
	if d.rewrites() && !slices.ContainsFunc(own, func(t trigger) bool { return t.updates }) {
		events = append(events, "UPDATE")
	}
	return events
}
