package vendorapi

import (
	"encoding/json"
	"strconv"
	"unicode/utf8"

	"habeas.dev/pkg/telemetry"
)

// Scanner reads JSON in one pass and without copying: it hands values out as
// slices of the text. Answers hold thousands of records whose fields go to the
// vault as they came; decoding them into Go values and back would cost ten
// times as much (BenchmarkScanner).
//
// After the first error every method does nothing; Err tells it.
type Scanner struct {
	b   []byte
	at  int
	err error
}

// maxDepth bounds nesting: a hostile answer must not exhaust the stack.
const maxDepth = 64

var errJSON = telemetry.Constant("the answer is not whole JSON")

// NewScanner returns a scanner of one JSON text.
func NewScanner(b []byte) *Scanner {
	s := &Scanner{b: b}
	if !utf8.Valid(b) {
		s.err = errJSON
	}
	return s
}

// Err returns the first error.
func (s *Scanner) Err() error { return s.err }

func (s *Scanner) fail() { s.err = errJSON }

func (s *Scanner) space() {
	for s.at < len(s.b) {
		switch s.b[s.at] {
		case ' ', '\n', '\r', '\t':
			s.at++
		default:
			return
		}
	}
}

// peek returns the next byte that isn't space, 0 at the end. A zero byte in the
// text looks the same; [Scanner.End] tells them apart.
func (s *Scanner) peek() byte {
	s.space()
	if s.err != nil || s.at >= len(s.b) {
		return 0
	}
	return s.b[s.at]
}

func (s *Scanner) eat(c byte) bool {
	if s.peek() != c {
		return false
	}
	s.at++
	return true
}

// Object calls f with each key of an object. f MUST read the value: by Value,
// Object, Array or Skip. The key is raw: escapes are not undone.
func (s *Scanner) Object(f func(key []byte)) {
	if !s.eat('{') {
		s.fail()
		return
	}
	if s.eat('}') {
		return
	}
	for s.err == nil {
		key := s.text()
		if !s.eat(':') {
			s.fail()
			return
		}
		f(key)
		if s.eat(',') {
			if s.peek() != '"' {
				s.fail()
			}
			continue
		}
		if !s.eat('}') {
			s.fail()
		}
		return
	}
}

// Array calls f for each element of an array. f MUST read it.
func (s *Scanner) Array(f func()) {
	if !s.eat('[') {
		s.fail()
		return
	}
	if s.eat(']') {
		return
	}
	for s.err == nil {
		f()
		if s.eat(',') {
			continue
		}
		if !s.eat(']') {
			s.fail()
		}
		return
	}
}

// IsArray and IsObject tell what comes next.
func (s *Scanner) IsArray() bool  { return s.peek() == '[' }
func (s *Scanner) IsObject() bool { return s.peek() == '{' }

// Value reads one value of any kind and returns it raw.
func (s *Scanner) Value() []byte {
	s.space()
	from := s.at
	s.skip(0)
	if s.err != nil {
		return nil
	}
	return s.b[from:s.at:s.at]
}

// Skip reads one value and drops it.
func (s *Scanner) Skip() { s.skip(0) }

// String reads a string and undoes its escapes; null and other kinds are
// empty.
func (s *Scanner) String() string { return Text(s.Value()) }

// Bool reads a boolean.
func (s *Scanner) Bool() bool { return string(s.Value()) == "true" }

// Int reads a whole number, or a string that holds one.
func (s *Scanner) Int() int64 { return Int(s.Value()) }

// End fails unless the text is at its end.
func (s *Scanner) End() {
	if s.space(); s.at < len(s.b) {
		s.fail()
	}
}

// Text returns the content of a raw string; empty where it isn't one.
func Text(raw []byte) string {
	if len(raw) < 2 || raw[0] != '"' {
		return ""
	}
	for _, c := range raw {
		if c == '\\' {
			var t string
			if json.Unmarshal(raw, &t) != nil {
				return ""
			}
			return t
		}
	}
	return string(raw[1 : len(raw)-1])
}

// Int returns a raw number's value, or that of a string that holds one; 0
// where it is neither.
func Int(raw []byte) int64 {
	if len(raw) >= 2 && raw[0] == '"' {
		raw = raw[1 : len(raw)-1]
	}
	n, err := strconv.ParseInt(string(raw), 10, 64)
	if err != nil {
		return 0
	}
	return n
}

// text reads a string and returns what is between its quotes.
func (s *Scanner) text() []byte {
	if !s.eat('"') {
		s.fail()
		return nil
	}
	from := s.at
	for i := from; i < len(s.b); i++ {
		switch c := s.b[i]; {
		case c == '"':
			s.at = i + 1
			return s.b[from:i]
		case c == '\\':
			i++
			if i >= len(s.b) {
				break
			}
			switch s.b[i] {
			case '"', '\\', '/', 'b', 'f', 'n', 'r', 't':
			case 'u':
				if i+4 >= len(s.b) || !hex4(s.b[i+1:i+5]) {
					s.fail()
					return nil
				}
				i += 4
			default:
				s.fail()
				return nil
			}
		case c < 0x20:
			s.fail()
			return nil
		}
	}
	s.fail()
	return nil
}

func hex4(b []byte) bool {
	for _, c := range b {
		if !(c >= '0' && c <= '9' || c >= 'a' && c <= 'f' || c >= 'A' && c <= 'F') {
			return false
		}
	}
	return true
}

func (s *Scanner) skip(depth int) {
	if s.err != nil {
		return
	}
	if depth > maxDepth {
		s.fail()
		return
	}
	switch c := s.peek(); {
	case c == '"':
		s.text()
	case c == '{':
		s.Object(func([]byte) { s.skip(depth + 1) })
	case c == '[':
		s.Array(func() { s.skip(depth + 1) })
	case c == 't':
		s.word("true")
	case c == 'f':
		s.word("false")
	case c == 'n':
		s.word("null")
	default:
		s.number()
	}
}

func (s *Scanner) word(w string) {
	if len(s.b)-s.at < len(w) || string(s.b[s.at:s.at+len(w)]) != w {
		s.fail()
		return
	}
	s.at += len(w)
}

// number reads a number by JSON's grammar (RFC 8259, 6).
func (s *Scanner) number() {
	b, i := s.b, s.at
	digits := func() bool {
		from := i
		for i < len(b) && b[i] >= '0' && b[i] <= '9' {
			i++
		}
		return i > from
	}
	if i < len(b) && b[i] == '-' {
		i++
	}
	zero := i < len(b) && b[i] == '0'
	from := i
	ok := digits() && !(zero && i > from+1)
	if ok && i < len(b) && b[i] == '.' {
		i++
		ok = digits()
	}
	if ok && i < len(b) && (b[i] == 'e' || b[i] == 'E') {
		i++
		if i < len(b) && (b[i] == '+' || b[i] == '-') {
			i++
		}
		ok = digits()
	}
	if !ok {
		s.fail()
		return
	}
	s.at = i
}

// CheckJSON returns an error unless a text is one whole JSON value.
func CheckJSON(b []byte) error {
	s := NewScanner(b)
	s.Skip()
	s.End()
	return s.err
}

// RecordValue returns a raw value as records hold it: a string, a bool, an int64, a
// [json.Number], nil, or, of objects and arrays, a copy of the raw text.
func RecordValue(raw []byte) any {
	if len(raw) == 0 {
		return nil
	}
	switch raw[0] {
	case '"':
		return Text(raw)
	case 't', 'f':
		return raw[0] == 't'
	case 'n':
		return nil
	case '{', '[':
		return json.RawMessage(append([]byte(nil), raw...))
	}
	if n, err := strconv.ParseInt(string(raw), 10, 64); err == nil {
		return n
	}
	return json.Number(raw)
}
