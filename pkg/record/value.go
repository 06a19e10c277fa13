package record

import (
	"bytes"
	"encoding/json"
	"math"
	"strconv"
	"time"
	"unicode/utf8"
)

// Text returns a value that [Reader.Row] handed out as a text: what a string says, and of
// anything else its JSON; "" where there is none, or null.
func Text(value json.RawMessage) string {
	var text string
	switch {
	case len(value) == 0 || value[0] == 'n':
		return ""
	case len(value) < 2 || value[0] != '"':
		return string(value)
	case bytes.IndexByte(value, '\\') < 0: // most are so, and cost no decoding
		return string(value[1 : len(value)-1])
	case json.Unmarshal(value, &text) != nil:
		return string(value)
	default:
		return text
	}
}

// appendValue writes what rows hold by hand, since it is most of the work, and
// leaves the rest to encoding/json. It appends a line break never: strings and
// whatever encoding/json writes have none.
func appendValue(b []byte, v any) ([]byte, error) {
	switch v := v.(type) {
	case nil:
		return append(b, "null"...), nil
	case string:
		return appendString(b, v), nil
	case bool:
		return strconv.AppendBool(b, v), nil
	case int64:
		return strconv.AppendInt(b, v, 10), nil
	case int:
		return strconv.AppendInt(b, int64(v), 10), nil
	case float64:
		return appendFloat(b, v)
	case time.Time:
		return appendTime(b, v)
	case json.Number:
		if !isNumber(string(v)) {
			return b, ErrValue
		}
		return append(b, v...), nil
	default:
		return appendAny(b, v)
	}
}

// appendFloat writes the shortest number that reads back the same, in the
// exponent's form only where the other would be long (as ECMAScript does).
func appendFloat(b []byte, f float64) ([]byte, error) {
	if math.IsNaN(f) || math.IsInf(f, 0) {
		return b, ErrValue
	}
	form := byte('f')
	if abs := math.Abs(f); abs != 0 && (abs < 1e-6 || abs >= 1e21) {
		form = 'e'
	}
	b = strconv.AppendFloat(b, f, form, -1, 64)
	if n := len(b); form == 'e' && b[n-4] == 'e' && b[n-3] == '-' && b[n-2] == '0' {
		b = append(b[:n-2], b[n-1]) // e-09 is e-9, as encoding/json has it
	}
	return b, nil
}

// appendTime refuses years that RFC 3339 can't write.
func appendTime(b []byte, t time.Time) ([]byte, error) {
	if y := t.Year(); y < 0 || y > 9999 {
		return b, ErrValue
	}
	b = append(b, '"')
	b = t.AppendFormat(b, time.RFC3339Nano)
	return append(b, '"'), nil
}

// appendAny drops the text of encoding/json's errors: it may quote the value.
func appendAny(b []byte, v any) ([]byte, error) {
	w := bytes.NewBuffer(b)
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return b, ErrValue
	}
	out := w.Bytes()
	return out[:len(out)-1], nil // without Encode's line break
}

const hexDigits = "0123456789abcdef"

// appendString writes a JSON string (RFC 8259). What isn't UTF-8 becomes U+FFFD,
// as encoding/json has it; U+2028 and U+2029 are escaped, since JavaScript once
// took them for line breaks.
func appendString(b []byte, s string) []byte {
	b = append(b, '"')
	start := 0
	for i := 0; i < len(s); {
		c := s[i]
		if c < utf8.RuneSelf {
			if c >= ' ' && c != '"' && c != '\\' && c != 0x7f {
				i++
				continue
			}
			b = append(b, s[start:i]...)
			switch c {
			case '"', '\\':
				b = append(b, '\\', c)
			case '\n':
				b = append(b, '\\', 'n')
			case '\r':
				b = append(b, '\\', 'r')
			case '\t':
				b = append(b, '\\', 't')
			default:
				b = append(b, '\\', 'u', '0', '0', hexDigits[c>>4], hexDigits[c&0xf])
			}
			i++
			start = i
			continue
		}
		r, n := utf8.DecodeRuneInString(s[i:])
		switch {
		case r == utf8.RuneError && n == 1:
			b = append(b, s[start:i]...)
			b = append(b, `\ufffd`...)
			start = i + n
		case r == '\u2028' || r == '\u2029':
			b = append(b, s[start:i]...)
			b = append(b, `\u202`...)
			b = append(b, hexDigits[r&0xf])
			start = i + n
		}
		i += n
	}
	b = append(b, s[start:]...)
	return append(b, '"')
}

// isNumber reports whether s is a number of JSON (RFC 8259, section 6), of any
// length.
func isNumber(s string) bool {
	s = cutByte(s, '-')
	if s == "" {
		return false
	}
	if s[0] == '0' {
		s = s[1:]
	} else {
		rest := cutDigits(s)
		if len(rest) == len(s) {
			return false
		}
		s = rest
	}
	if len(s) > 0 && s[0] == '.' {
		rest := cutDigits(s[1:])
		if len(rest) == len(s)-1 {
			return false
		}
		s = rest
	}
	if len(s) > 0 && (s[0] == 'e' || s[0] == 'E') {
		s = s[1:]
		if len(s) > 0 && (s[0] == '+' || s[0] == '-') {
			s = s[1:]
		}
		rest := cutDigits(s)
		if len(rest) == len(s) {
			return false
		}
		s = rest
	}
	return s == ""
}

func cutByte(s string, c byte) string {
	if s != "" && s[0] == c {
		return s[1:]
	}
	return s
}

func cutDigits(s string) string {
	for s != "" && '0' <= s[0] && s[0] <= '9' {
		s = s[1:]
	}
	return s
}
