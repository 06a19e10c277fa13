package bundle

import (
	"bytes"
	"encoding/json"
	"strings"

	"habeas.dev/pkg/record"
	"habeas.dev/services/internal/spreadsheet"
)

// hiddenCell stands in CSV and JSON where a value is held and never to be
// shown. The kind follows, e.g. "[held, not shown: government-id]".
const hiddenCell = "[held, not shown: "

// appendCSV adds one value to a CSV row. Null and the empty string are both an
// empty cell; objects and arrays are their JSON.
func appendCSV(dst []byte, raw json.RawMessage) []byte {
	switch {
	case len(raw) == 0 || raw[0] == 'n':
		return dst
	case raw[0] == '"':
		if plain, ok := plainString(raw); ok {
			if spreadsheet.FormulaLike(plain) {
				return appendQuoted(append(dst, '"', '\''), plain)
			}
			if !needsQuotes(plain) {
				return append(dst, plain...)
			}
			return appendQuoted(append(dst, '"'), plain)
		}
		text := []byte(record.Text(raw))
		if spreadsheet.FormulaLike(text) {
			return appendQuoted(append(dst, '"', '\''), text)
		}
		if !needsQuotes(text) {
			return append(dst, text...)
		}
		return appendQuoted(append(dst, '"'), text)
	case raw[0] == '{' || raw[0] == '[':
		return appendQuoted(append(dst, '"'), raw)
	default: // a number, true or false
		return append(dst, raw...)
	}
}

// appendQuoted adds the text with its quotes doubled, and the closing quote.
func appendQuoted(dst, text []byte) []byte {
	for {
		n := bytes.IndexByte(text, '"')
		if n < 0 {
			return append(append(dst, text...), '"')
		}
		dst = append(append(dst, text[:n+1]...), '"')
		text = text[n+1:]
	}
}

// needsQuotes reports whether a cell must be quoted: RFC 4180's characters, and
// white space at either end, which some readers cut off.
func needsQuotes(s []byte) bool {
	if len(s) == 0 {
		return false
	}
	if s[0] <= ' ' || s[len(s)-1] <= ' ' {
		return true
	}
	for _, c := range s {
		if quoted[c] {
			return true
		}
	}
	return false
}

// quoted are the characters for which a cell is quoted: the semicolon and the
// tab too, since readers that guess the separator may take them for one.
var quoted = [256]bool{',': true, '"': true, '\n': true, '\r': true, ';': true, '\t': true}

// plainString returns the text of a JSON string that holds no escape.
func plainString(raw json.RawMessage) ([]byte, bool) {
	if len(raw) < 2 {
		return nil, false
	}
	text := raw[1 : len(raw)-1]
	return text, bytes.IndexByte(text, '\\') < 0
}

// conforms reports whether a value is of a column's declared type, so that the
// table's schema can be trusted.
func conforms(typ string, raw json.RawMessage) bool {
	if len(raw) == 0 || raw[0] == 'n' {
		return true
	}
	switch typ {
	case "", "string":
		return raw[0] == '"'
	case "integer":
		return isNumber(raw) && !strings.ContainsAny(string(raw), ".eE")
	case "number":
		return isNumber(raw)
	case "boolean":
		return raw[0] == 't' || raw[0] == 'f'
	case "date":
		text, ok := plainString(raw)
		return ok && raw[0] == '"' && matches(text, "dddd-dd-dd")
	case "datetime":
		text, ok := plainString(raw)
		return ok && raw[0] == '"' && isDateTime(text)
	case "object":
		return raw[0] == '{'
	default:
		return false
	}
}

func isNumber(raw json.RawMessage) bool { return raw[0] == '-' || raw[0] >= '0' && raw[0] <= '9' }

// isDateTime reports whether a text is RFC 3339, with a zone.
func isDateTime(s []byte) bool {
	const whole = "dddd-dd-ddTdd:dd:dd"
	if len(s) <= len(whole) || !matches(s[:len(whole)], whole) {
		return false
	}
	zone := s[len(whole):]
	if zone[0] == '.' {
		n := 1
		for n < len(zone) && zone[n] >= '0' && zone[n] <= '9' {
			n++
		}
		if n == 1 || n > 7 { // readers know microseconds, not finer
			return false
		}
		zone = zone[n:]
	}
	return matches(zone, "Z") || matches(zone, "+dd:dd") || matches(zone, "-dd:dd")
}

// matches compares a text with a shape in which d is a digit.
func matches(s []byte, shape string) bool {
	if len(s) != len(shape) {
		return false
	}
	for i := range len(shape) {
		if shape[i] == 'd' {
			if s[i] < '0' || s[i] > '9' {
				return false
			}
		} else if s[i] != shape[i] {
			return false
		}
	}
	return true
}
