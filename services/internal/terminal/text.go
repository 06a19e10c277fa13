package terminal

import (
	"fmt"
	"io"
	"reflect"
	"strconv"
	"strings"
	"unicode"
)

// Text returns a text as a terminal may show it in a line: whatever isn't seen as it is,
// line ends, escapes, what turns the direction of writing, broken UTF-8, is written as Go
// writes it. Ids, reasons and notes of a journal may hold anything, also what would forge a
// line or move the cursor.
func Text(s string) string {
	if plain(s) {
		return s
	}
	var b strings.Builder
	for len(s) > 0 {
		quoted := strconv.QuoteToGraphic(s[:next(s)])
		if part := s[:next(s)]; plain(part) {
			b.WriteString(part)
		} else {
			b.WriteString(quoted[1 : len(quoted)-1])
		}
		s = s[next(s):]
	}
	return b.String()
}

// next returns the length of a text's first character.
func next(s string) int {
	for i := range s {
		if i > 0 {
			return i
		}
	}
	return len(s)
}

// plain reports whether each character of a text is seen as it is.
func plain(s string) bool {
	for i, r := range s {
		if !unicode.IsGraphic(r) || r == unicode.ReplacementChar && !strings.HasPrefix(s[i:], string(unicode.ReplacementChar)) {
			return false
		}
	}
	return true
}

// Written is text whose line ends and escapes are the program's own: [Printf] writes it as
// it is. What comes from a journal or from outside MUST NOT be in it, but by [Text].
type Written string

// Printf writes as fmt.Fprintf does, each argument that is a text by [Text], so that only
// the format and what is [Written] begin a line. Everything that a command says goes through
// it (TestEverythingIsSaidByTerminal).
func Printf(w io.Writer, format string, args ...any) (int, error) {
	if false {
		_ = fmt.Sprintf(format, args...) // go vet holds calls against their formats by this
	}
	safe := make([]any, len(args))
	for i, a := range args {
		safe[i] = shown(a)
	}
	return fmt.Fprintf(w, format, safe...)
}

// shown returns an argument as Printf writes it.
func shown(a any) any {
	switch a := a.(type) {
	case nil:
		return nil
	case Written:
		return string(a)
	case []byte:
		return Text(string(a))
	case string:
		return Text(a)
	case error:
		return Text(a.Error())
	}
	v := reflect.ValueOf(a)
	switch v.Kind() {
	case reflect.String:
		return Text(v.String())
	case reflect.Bool, reflect.Float32, reflect.Float64, reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64,
		reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		return a // its String, where it has one, is the program's own words
	default:
		return Text(fmt.Sprint(a))
	}
}

// Lines returns a text of several lines with each by [Text], and those after the first set
// in, so that none of them can pass for another line of the program's.
func Lines(s string) Written {
	lines := strings.Split(strings.TrimRight(s, "\n"), "\n")
	for i := range lines {
		lines[i] = Text(lines[i])
	}
	return Written(strings.Join(lines, "\n  "))
}
