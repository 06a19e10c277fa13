package sqlsystem

import (
	"regexp"
	"slices"
	"strings"
)

// deed is what a trigger's text says that it does to the rows of a table.
type deed struct {
	table                              string // in lower case, without its schema
	inserts, updates, deletes, empties bool
}

const tableForm = "(?:\"[^\"]+\"|`[^`]+`|\\[[^\\]]+\\]|[\\pL_$][\\pL\\pN_$]*)"

var (
	literalForm = regexp.MustCompile(`'((?:[^']|'')*)'`)
	commentForm = regexp.MustCompile(`(?s)/\*.*?\*/|--[^\n]*`)
	// upsertForm matches where an INSERT changes the row that stands in its way.
	upsertForm = regexp.MustCompile(`(?i)\bon\s+duplicate\s+key\s+update\b|\bon\s+conflict\b`)
	// lockForm matches where a SELECT locks rows, which changes none: FOR UPDATE LOOP, NOWAIT, OF t.
	lockForm = regexp.MustCompile(`(?i)\bfor\s+(?:no\s+key\s+)?update\b`)
	deedForm = regexp.MustCompile(`(?i)\b(insert(?:\s+or\s+\w+|\s+ignore|\s+low_priority|\s+high_priority|\s+delayed)*(?:\s+into)?|update(?:\s+or\s+\w+|\s+ignore|\s+low_priority)*(?:\s+only)?|delete(?:\s+low_priority|\s+quick|\s+ignore)*\s+from(?:\s+only)?|replace(?:\s+low_priority|\s+delayed)*(?:\s+into)?|truncate(?:\s+table)?(?:\s+only)?|merge\s+into)\s+(` + tableForm + `(?:\s*\.\s*` + tableForm + `)?)`)
	// spanForm matches the tables of an UPDATE or DELETE that may be of several.
	spanForm = regexp.MustCompile(`(?is)\bupdate\b([^;]*?)\bset\b|\bdelete\b(.*?)(?:\bwhere\b|;|$)`)
	nameForm = regexp.MustCompile(tableForm)
)

// noTable are words that may stand where a table does, and are none: of MERGE's INSERT VALUES
// and UPDATE SET, of AFTER UPDATE ON, of CREATE OR REPLACE FUNCTION.
var noTable = []string{"set", "of", "into", "on", "or", "function", "procedure", "view", "trigger", "table", "values", "default", "overriding"}

// deedsOf returns what a body says that it does. What it does by texts made at run time isn't
// among that: [System.settle] finds it, where the database has such in triggers.
func deedsOf(body string) (out []deed) {
	body = code(body)
	upserts := upsertForm.MatchString(body)
	for _, m := range deedForm.FindAllStringSubmatch(verbs(body), -1) {
		verb, name := strings.ToLower(m[1]), bareName(m[2])
		if !strings.HasSuffix(verb, "into") && slices.Contains(noTable, strings.ToLower(m[2])) { // quoted, it is one
			continue
		}
		d := deed{table: name}
		replaces := strings.Contains(verb, "replace")
		switch {
		case strings.HasPrefix(verb, "insert"), strings.HasPrefix(verb, "replace"):
			d.inserts, d.updates, d.deletes = true, upserts, replaces
		case strings.HasPrefix(verb, "update"):
			d.updates, d.deletes = true, replaces
		case strings.HasPrefix(verb, "delete"):
			d.deletes = true
		case strings.HasPrefix(verb, "truncate"):
			d.deletes, d.empties = true, true
		default: // MERGE
			d.inserts, d.updates, d.deletes = true, true, true
		}
		out = addDeed(out, d)
	}
	return out
}

// deedsOfSeveral adds the tables of statements on several, by which MariaDB writes to any of
// them. known tells which names are tables'.
func deedsOfSeveral(body string, known map[string]bool) []deed {
	out := deedsOf(body)
	for _, m := range spanForm.FindAllStringSubmatch(verbs(code(body)), -1) {
		for _, name := range nameForm.FindAllString(m[1]+" "+m[2], -1) {
			if name = bareName(name); known[name] {
				out = addDeed(out, deed{table: name, updates: m[1] != "", deletes: m[1] == ""})
			}
		}
	}
	return out
}

func addDeed(all []deed, d deed) []deed {
	for i := range all {
		if o := &all[i]; o.table == d.table {
			o.inserts, o.updates, o.deletes, o.empties = o.inserts || d.inserts, o.updates || d.updates, o.deletes || d.deletes, o.empties || d.empties
			return all
		}
	}
	return append(all, d)
}

// verbs returns code without the clauses that have an UPDATE which is no statement.
func verbs(code string) string {
	return lockForm.ReplaceAllString(upsertForm.ReplaceAllString(code, " "), " ")
}

// code returns a body without its comments and the texts in it.
func code(body string) string {
	return literalForm.ReplaceAllString(commentForm.ReplaceAllString(body, " "), "''")
}

// bareName returns a name in lower case, without its schema and what it may be quoted by.
func bareName(name string) string {
	return strings.ToLower(unquoted(strings.TrimSpace(name[strings.LastIndexByte(name, '.')+1:])))
}

// literals returns the texts that a body holds as constants.
func literals(body string) []string {
	var out []string
	for _, m := range literalForm.FindAllStringSubmatch(commentForm.ReplaceAllString(body, " "), -1) {
		out = append(out, strings.ReplaceAll(m[1], "''", "'"))
	}
	return out
}

// routine is a procedure or function that a trigger may call.
type routine struct {
	name, text string // no text: it may not be read
}

var callForm = regexp.MustCompile(`(?i)\bcall\s+(` + tableForm + `(?:\s*\.\s*` + tableForm + `)?)|(` + tableForm + `)\s*\(`)

// withCalled returns a body and the texts of all that it calls, and the names of such as may
// not be read.
func withCalled(body string, routines []routine) (text string, unread []string) {
	text = body
	seen := map[string]bool{}
	var add func(string)
	add = func(body string) {
		for _, m := range callForm.FindAllStringSubmatch(code(body), -1) {
			name := bareName(m[1] + m[2])
			if seen[name] {
				continue
			}
			seen[name] = true
			found := false
			for _, r := range routines {
				if r.name != name {
					continue
				}
				found = true
				if r.text == "" {
					unread = append(unread, name)
					continue
				}
				text += ";\n" + r.text
				add(r.text)
			}
			if !found && m[1] != "" {
				unread = append(unread, name)
			}
		}
	}
	add(body)
	return text, unread
}
