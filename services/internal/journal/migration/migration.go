// Package migration says what a journal's migrations would do before they run: whether
// they only add, and how long they may hold others up.
//
// It reads the very files that run: what it says can't part from them.
package migration

import (
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strconv"
	"strings"
	"time"

	"habeas.dev/services/internal/journal"
)

// Plan is what bringing a journal up to date would do.
type Plan struct {
	// Schema is the version that the journal has, 0 where there is none yet, and Newest the
	// one that this program brings it to.
	Schema int64  `json:"schema"`
	Newest int64  `json:"newest"`
	Steps  []Step `json:"steps"`
}

// Step is one migration that would run: one transaction.
type Step struct {
	Number int64  `json:"number"`
	Name   string `json:"name"`
	What   string `json:"what"`
	// Adds tells that it only adds: programs of the version before that run go on.
	Adds bool `json:"only_adds"`
	// Changes are the statements that do more than add, as they begin.
	Changes []string `json:"changes,omitempty"`
	Locks   []Lock   `json:"locks,omitempty"`
}

// Lock is what a step holds up: who uses a table that is there already.
type Lock struct {
	Table string `json:"table"`
	Mode  Mode   `json:"mode"`
	// Rows and Bytes are how large the table is, and Seconds about how long it is locked,
	// by [ReadRate] and [WriteRate]; 0: for a moment.
	Rows    int64   `json:"rows"`
	Bytes   int64   `json:"bytes"`
	Seconds float64 `json:"seconds"`
}

// Mode is who waits for a lock.
type Mode string

// The modes, the weakest first.
const (
	Rows  Mode = "rows"  // who writes the rows that it writes
	Write Mode = "write" // who writes the table
	All   Mode = "all"   // who reads the table, too
)

var modes = []Mode{Rows, Write, All}

// Table is how large a table is.
type Table struct{ Rows, Bytes int64 }

// Tables returns a journal's tables by name.
func Tables(sizes []journal.Size) map[string]Table {
	all := make(map[string]Table, len(sizes))
	for _, s := range sizes {
		all[s.Table] = Table{Rows: s.Rows, Bytes: s.Bytes}
	}
	return all
}

const (
	// ReadRate is how many bytes of a table an index is made of in a second, and WriteRate
	// how many rows are written anew: half of what two slow processors do
	// (docs/benchmarks.md), so that what is said is rather too long.
	ReadRate  = 50 << 20
	WriteRate = 10_000
)

// Read returns what the files would do to a journal with a schema's version and the given
// tables.
func Read(files fs.FS, schema int64, tables map[string]Table) (Plan, error) {
	names, err := fs.Glob(files, "*.sql")
	if err != nil {
		return Plan{}, err
	}
	slices.Sort(names)
	p := Plan{Schema: schema, Steps: []Step{}}
	for _, name := range names {
		number, rest, _ := strings.Cut(strings.TrimSuffix(path.Base(name), ".sql"), "_")
		n, err := strconv.ParseInt(number, 10, 64)
		if err != nil {
			return Plan{}, fmt.Errorf("migration %s has no number: %w", name, err)
		}
		if p.Newest = n; n <= schema {
			continue
		}
		text, err := fs.ReadFile(files, name)
		if err != nil {
			return Plan{}, err
		}
		step := read(string(text), tables)
		step.Number, step.Name = n, rest
		p.Steps = append(p.Steps, step)
	}
	return p, nil
}

// up and down begin the parts of a file, as goose has them.
const up, down = "-- +goose Up", "-- +goose Down"

// read reads one file.
func read(text string, tables map[string]Table) Step {
	head, body, _ := strings.Cut(text, up)
	body, _, _ = strings.Cut(body, down)
	s := Step{What: firstSentence(head), Adds: true}
	added := map[string]bool{} // columns, as table.column
	held := map[string]*Lock{} // by table
	order := make([]string, 0) // of held
	var since time.Duration    // what the statements so far take
	from := map[string]time.Duration{}
	for _, words := range statements(body) {
		st := classify(words, added)
		if !st.adds {
			s.Adds, s.Changes = false, append(s.Changes, strings.Join(words[:min(len(words), 6)], " "))
		}
		t, there := tables[st.table]
		if !there || st.mode == "" {
			continue
		}
		l := held[st.table]
		if l == nil {
			l = &Lock{Table: st.table, Mode: st.mode, Rows: t.Rows, Bytes: t.Bytes}
			held[st.table], from[st.table] = l, since
			order = append(order, st.table)
		}
		if slices.Index(modes, st.mode) > slices.Index(modes, l.Mode) {
			l.Mode = st.mode
		}
		since += st.takes(t)
	}
	for _, name := range order { // each is held until the transaction ends
		held[name].Seconds = (since - from[name]).Round(100 * time.Millisecond).Seconds()
		s.Locks = append(s.Locks, *held[name])
	}
	return s
}

// firstSentence returns what a file's comment says of it.
func firstSentence(head string) string {
	var lines []string
	for line := range strings.Lines(head) {
		if text, ok := strings.CutPrefix(strings.TrimSpace(line), "--"); ok {
			lines = append(lines, strings.TrimSpace(text))
		}
	}
	text, _, _ := strings.Cut(strings.Join(lines, " ")+" ", ". ")
	return strings.TrimSuffix(strings.TrimSpace(text), ".")
}

// begin and end stand around a statement that has semicolons of its own, as goose has them.
const begin, end = "-- +goose StatementBegin", "-- +goose StatementEnd"

// statements returns the words of each statement, without comments.
func statements(body string) (out [][]string) {
	for {
		before, rest, found := strings.Cut(body, begin)
		out = append(out, plain(before)...)
		if !found {
			return out
		}
		var one string
		one, body, _ = strings.Cut(rest, end)
		out = append(out, strings.Fields(one))
	}
}

// plain returns the words of statements that have no semicolon of their own.
func plain(body string) (out [][]string) {
	var code strings.Builder
	for line := range strings.Lines(body) {
		line, _, _ = strings.Cut(strings.TrimRight(line, "\n"), "--")
		code.WriteString(line + "\n")
	}
	for one := range strings.SplitSeq(code.String(), ";") {
		if words := strings.Fields(one); len(words) > 0 {
			out = append(out, words)
		}
	}
	return out
}

// statement is what one statement does to one table.
type statement struct {
	table string
	mode  Mode
	adds  bool
	takes func(Table) time.Duration
}

func aMoment(Table) time.Duration { return 0 }

func readAll(t Table) time.Duration {
	return time.Duration(float64(t.Bytes) / ReadRate * float64(time.Second))
}

func writeAll(t Table) time.Duration {
	return time.Duration(float64(t.Rows) / WriteRate * float64(time.Second))
}

// classify returns what a statement does. One that it doesn't know changes its table, with
// everybody waiting for as long as writing all of it takes.
func classify(words []string, added map[string]bool) statement {
	word := func(i int) string {
		if i < len(words) {
			return strings.ToUpper(words[i])
		}
		return ""
	}
	name := func(i int) string {
		if i < len(words) {
			n, _, _ := strings.Cut(words[i], "(")
			return strings.Trim(n, `"`)
		}
		return ""
	}
	switch word(0) + " " + word(1) {
	case "CREATE TABLE", "CREATE VIEW":
		return statement{table: name(2), adds: true, takes: aMoment}
	case "CREATE INDEX": // CREATE INDEX name ON table (…)
		return statement{table: name(4), mode: Write, adds: word(3) == "ON", takes: readAll}
	case "CREATE FUNCTION":
		return statement{adds: true, takes: aMoment}
	case "CREATE TRIGGER": // CREATE TRIGGER name AFTER INSERT ON table …
		return statement{table: name(6), mode: Write, adds: word(3)+" "+word(5) == "AFTER ON", takes: aMoment}
	case "INSERT INTO":
		return statement{table: name(2), mode: Rows, adds: true, takes: aMoment}
	case "ALTER TABLE":
		return alter(words, name(2), word, name, added)
	}
	if word(0) == "UPDATE" && word(2) == "SET" { // what no program but the new one knows may be written
		return statement{table: name(1), mode: Rows, adds: word(4) == "=" && added[name(1)+"."+name(3)] && onlyOne(words), takes: writeAll}
	}
	return statement{table: name(2), mode: All, takes: writeAll}
}

// onlyOne reports whether an update sets one column.
func onlyOne(words []string) bool {
	for _, w := range words[3:] {
		if strings.EqualFold(w, "WHERE") {
			return true
		}
		if strings.HasSuffix(w, ",") {
			return false
		}
	}
	return true
}

// alter classifies ALTER TABLE.
func alter(words []string, table string, word, name func(int) string, added map[string]bool) statement {
	all := " " + strings.ToUpper(strings.Join(words, " ")) + " "
	st := statement{table: table, mode: All, takes: writeAll}
	switch {
	case word(3) == "ADD" && word(4) == "COLUMN":
		// A constant default writes no row; a column that may not be empty needs one.
		if st.adds = strings.Contains(all, " DEFAULT ") || !strings.Contains(all, " NOT NULL "); st.adds {
			added[table+"."+name(5)], st.takes = true, aMoment
		}
	case word(3) == "SET", word(3) == "ALTER" && strings.Contains(all, " SET STORAGE "):
		// How rows are stored from now on: none is written.
		st.adds, st.takes = true, aMoment
		if word(3) == "SET" {
			st.mode = Rows // autovacuum and other changes of the table wait, and nobody else
		}
	}
	return st
}
