package event

import (
	"bytes"
	"encoding/json"
	"strconv"
)

const (
	// maxDepth is how deep arrays and objects may be nested. The deepest data
	// of ours has 8 levels; a decoder that recurses mustn't be led to 100,000.
	maxDepth = 32
	// maxMembers is how many members one object may have. No object of ours
	// has more than 20; it bounds the search for names that come twice.
	maxMembers = 64
)

// checkShape looks over a JSON text, before anything recurses into it, for what
// decoders take in silence or at a price: nesting deeper than maxDepth,
// objects of more than maxMembers members, and a name that comes twice in one
// object (RFC 8259, section 4: which of the two counts differs by decoder).
// It doesn't prove that the text is JSON: a decoder does that after it.
func checkShape(data []byte) *DataError {
	var s shape
	for i := 0; i < len(data); i++ {
		switch data[i] {
		case '{', '[':
			if len(s.open) == maxDepth {
				return dataError(codeLimit, "nested deeper than "+strconv.Itoa(maxDepth)+" levels")
			}
			s.open = append(s.open, level{object: data[i] == '{', names: len(s.names), expectName: true})
		case '}', ']':
			if len(s.open) > 0 {
				s.names = s.names[:s.top().names]
				s.open = s.open[:len(s.open)-1]
			}
		case ',':
			if len(s.open) > 0 {
				s.top().expectName = true
			}
		case ':':
			if len(s.open) > 0 {
				s.top().expectName = false
			}
		case '"':
			end := stringEnd(data, i)
			if len(s.open) > 0 && s.top().object && s.top().expectName {
				if err := s.name(data[i:end]); err != nil {
					return err
				}
			}
			i = end - 1
		}
	}
	return nil
}

// shape is what is open at one place of a JSON text: arrays, and objects with their
// members' names.
type shape struct {
	open  []level
	names [][]byte // of all open objects, the innermost's last
}

type level struct {
	object     bool
	names      int // where its names begin
	expectName bool
}

func (s *shape) top() *level { return &s.open[len(s.open)-1] }

// name adds a member's name, quotes included, and returns an error if the object
// has it already. Names are compared by what they say, so that an escape can't hide
// a second one.
func (s *shape) name(quoted []byte) *DataError {
	name := unescape(quoted)
	mine := s.names[s.top().names:]
	if len(mine) == maxMembers {
		return dataError(codeLimit, "an object has more than "+strconv.Itoa(maxMembers)+" members")
	}
	for _, other := range mine {
		if string(other) == string(name) {
			return dataError(codeNotJSON, "a name comes twice in one object")
		}
	}
	s.names = append(s.names, name)
	return nil
}

// stringEnd returns the index after the string that begins at i.
func stringEnd(data []byte, i int) int {
	for i++; i < len(data); i++ {
		switch data[i] {
		case '\\':
			i++
		case '"':
			return i + 1
		}
	}
	return len(data)
}

// unescape returns what a quoted string says.
func unescape(quoted []byte) []byte {
	if len(quoted) < 2 {
		return quoted
	}
	if !bytes.ContainsRune(quoted, '\\') {
		return quoted[1 : len(quoted)-1]
	}
	var s string
	if json.Unmarshal(quoted, &s) != nil {
		return quoted
	}
	return []byte(s)
}
