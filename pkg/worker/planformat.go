package worker

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"iter"
	"strconv"
	"time"
	"unicode/utf8"

	"habeas.dev/pkg/dsar"
	"habeas.dev/pkg/telemetry"
)

// A plan is lines of JSON: one that says what it is, an object where another
// dataset begins, or records that were found in other ways, or that had to stay until now
// ("due"), and an array for each record: its key, and where it must stay the ground and, where it is known, the end.
// The last line counts the records, so that a plan that was cut short is told from one
// that ended.
//
//	{"habeas":"plan/1"}
//	{"dataset":"invoices"}
//	["F-2026-001"]
//	["F-2026-002","tax-records","2036-12-31T00:00:00Z"]
//	{"dataset":"posts","ways":"1f0c9a2e"}
//	["17"]
//	{"dataset":"invoices","due":true}
//	["F-2015-007"]
//	{"end":4}
const planMagic = `{"habeas":"plan/1"}`

const (
	// MaxKey is the longest key of a record, in bytes.
	MaxKey = 1024
	// MaxEntries is how many records one plan may name: more are a table, and no
	// person's.
	MaxEntries = 10_000_000
	// MaxPlanWays is how long the ways of an entry are, in bytes.
	MaxPlanWays = 1024

	// planFlush is when lines are passed on.
	planFlush = 32 << 10
	// maxPlanLine is longer than any line: a key, or ways, whose every byte is escaped, a
	// ground, a time.
	maxPlanLine = 6*MaxKey + 1024
)

// Entry is one record of a plan.
type Entry struct {
	Dataset string
	// Key is the system's own: see [Key].
	Key string
	// Keep tells that the record must stay, on the ground Ground until Until, the
	// zero time where no end is known.
	Keep   bool
	Ground string
	Until  time.Time
	// Ways are names, parted by blanks, of the ways in which the record was found: the
	// system's own, for one where they matter to what becomes of it. What led to it may be
	// gone when it is erased.
	Ways string
	// Due tells that no erasure has touched the record yet, though it was planned before: it had to
	// stay and may go by now, or an erasure that wasn't answered begins anew.
	Due bool
}

// Key returns the key of a record: the column itself where there is one, else the
// columns as a JSON array of texts. [KeyColumns] takes it apart.
func Key(columns ...string) string {
	if len(columns) == 1 {
		return columns[0]
	}
	b, _ := json.Marshal(columns) // texts: can't fail
	return string(b)
}

// KeyColumns takes a key of n columns apart. Its error doesn't quote the key.
func KeyColumns(key string, n int) ([]string, error) {
	if n == 1 {
		return []string{key}, nil
	}
	var columns []string
	if err := json.Unmarshal([]byte(key), &columns); err != nil || len(columns) != n {
		return nil, fmt.Errorf("worker: a key is not of %d columns", n)
	}
	return columns, nil
}

var errPlanMalformed = telemetry.Constant("worker: not a plan, or one that is cut short")

// appendEntry writes an entry as a line.
func appendEntry(b []byte, e *Entry) []byte {
	b = append(b, '[')
	b = appendText(b, e.Key)
	if e.Keep {
		b = append(b, ',')
		b = appendText(b, e.Ground)
		if !e.Until.IsZero() {
			b = append(b, ',', '"')
			b = e.Until.UTC().AppendFormat(b, time.RFC3339Nano)
			b = append(b, '"')
		}
	}
	return append(b, ']', '\n')
}

// appendText writes a JSON string. Most keys need no escape.
func appendText(b []byte, s string) []byte {
	for i := range len(s) {
		if c := s[i]; c < ' ' || c == '"' || c == '\\' || c >= utf8.RuneSelf {
			text, _ := json.Marshal(s) // a text: can't fail
			return append(b, text...)
		}
	}
	b = append(b, '"')
	b = append(b, s...)
	return append(b, '"')
}

// ReadPlan reads a plan, opened, from r: for people who may look at one, and for
// tests. A plan that is cut short ends in an error.
func ReadPlan(r io.Reader) iter.Seq2[Entry, error] {
	return func(yield func(Entry, error) bool) {
		if stopped, err := readEntries(r, func(e Entry) bool { return yield(e, nil) }); err != nil && !stopped {
			yield(Entry{}, err)
		}
	}
}

// WritePlan writes a plan of these entries to w, for tests.
func WritePlan(w io.Writer, entries []Entry) error {
	b := append([]byte(planMagic), '\n')
	var last planHead
	for i := range entries {
		if head := headOf(&entries[i]); head != last {
			b, last = appendHead(b, head), head
		}
		b = appendEntry(b, &entries[i])
	}
	_, err := w.Write(appendEnd(b, int64(len(entries))))
	return err
}

// readEntries hands the entries of a plan to f, one after the other, until f returns
// false. It reads to the end of r, so that whoever measures r has all of it; stopped
// tells that f ended it before.
func readEntries(r io.Reader, f func(Entry) bool) (stopped bool, err error) {
	lines := bufio.NewScanner(r)
	lines.Buffer(make([]byte, 0, 4<<10), maxPlanLine)
	if !lines.Scan() || lines.Text() != planMagic {
		return false, planError(lines.Err())
	}
	var of planHead
	var n int64
	for lines.Scan() {
		line := lines.Bytes()
		if len(line) > 0 && line[0] == '[' {
			e, ok := parseEntry(line)
			if !ok || of.Dataset == "" {
				return false, errPlanMalformed
			}
			n++
			e.Dataset, e.Ways, e.Due = of.Dataset, of.Ways, of.Due
			if !f(e) {
				return true, nil
			}
			continue
		}
		var head struct {
			planHead
			End *int64 `json:"end"`
		}
		if json.Unmarshal(line, &head) != nil || (head.End == nil) == (head.Dataset == "") {
			return false, errPlanMalformed
		}
		if of = head.planHead; head.End != nil {
			if *head.End != n || lines.Scan() {
				return false, errPlanMalformed
			}
			return false, lines.Err()
		}
	}
	return false, planError(lines.Err())
}

func planError(err error) error {
	if err == nil {
		return errPlanMalformed
	}
	return err
}

// parseEntry reads a line. Nearly all are one text without escapes.
func parseEntry(line []byte) (e Entry, ok bool) {
	if n := len(line); n >= 4 && line[1] == '"' && line[n-2] == '"' && plainText(line[2:n-2]) {
		return Entry{Key: string(line[2 : n-2])}, true
	}
	var parts []string
	if json.Unmarshal(line, &parts) != nil || len(parts) == 0 || len(parts) > 3 || parts[0] == "" {
		return e, false
	}
	e.Key = parts[0]
	if len(parts) > 1 {
		e.Keep, e.Ground = true, parts[1]
	}
	if len(parts) > 2 {
		until, err := time.Parse(time.RFC3339Nano, parts[2])
		if err != nil {
			return e, false
		}
		e.Until = until
	}
	return e, true
}

func plainText(b []byte) bool {
	for _, c := range b {
		if c == '"' || c == '\\' {
			return false
		}
	}
	return true
}

func appendEnd(b []byte, n int64) []byte {
	b = append(b, `{"end":`...)
	b = strconv.AppendInt(b, n, 10)
	return append(b, "}\n"...)
}

// planHead is what a plan's records have in common until the next one.
type planHead struct {
	Dataset string `json:"dataset"`
	Ways    string `json:"ways"`
	Due     bool   `json:"due"`
}

func headOf(e *Entry) planHead { return planHead{e.Dataset, e.Ways, e.Due} }

func appendHead(b []byte, head planHead) []byte {
	b = append(b, `{"dataset":`...)
	b = appendText(b, head.Dataset)
	if head.Ways != "" {
		b = append(b, `,"ways":`...)
		b = appendText(b, head.Ways)
	}
	if head.Due {
		b = append(b, `,"due":true`...)
	}
	return append(b, "}\n"...)
}

// countEntry adds an entry to what a plan counts.
func countEntry(counts []dsar.Counts, e *Entry) []dsar.Counts {
	last := len(counts) - 1
	if last < 0 || counts[last].Dataset != e.Dataset {
		last = -1
		for i := range counts {
			if counts[i].Dataset == e.Dataset {
				last = i
			}
		}
		if last < 0 {
			counts = append(counts, dsar.Counts{Dataset: e.Dataset})
			last = len(counts) - 1
		}
	}
	counts[last].Found++
	if e.Keep {
		counts[last].Retain(1, e.Ground, e.Until)
	}
	return counts
}
