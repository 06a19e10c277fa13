package manifest

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// What a template can make for each row, in braces.
const (
	MakeRandom = "random" // 32 hexadecimal digits that nobody knows before
	MakeNow    = "now"    // when it is erased
	MakeHash   = "hash"   // 64 hexadecimal digits, the same for equal values of one erasure, under a key that is forgotten
	MakeRemove = "remove" // nothing: a part of JSON, or the person's elements of an array, are taken out
	MakeFirst  = "first"  // so many of the first characters of what the column holds
)

// Part is a part of a template: a text, the value of a column of the key, or what is made
// for the row.
type Part struct {
	Text, Column string
	Make         string // MakeRandom, …
	Characters   int    // of MakeFirst
}

var braces = regexp.MustCompile(`\{([\pL_][\pL\pN_]*)(?: ([0-9]{1,3}))?\}`)

// Template takes a text of set apart, in which {id} stands for the row's column id, and
// {random}, {now}, {hash} and {first 3} for what they make. It returns nil for a constant.
func (s *DatasetSQL) Template(value any) []Part {
	text, ok := value.(string)
	if !ok {
		return nil
	}
	var parts []Part
	rest := 0
	for _, at := range braces.FindAllStringSubmatchIndex(text, -1) {
		number := ""
		if at[4] >= 0 {
			number = text[at[4]:at[5]]
		}
		part, ok := s.part(text[at[2]:at[3]], number)
		if !ok {
			continue
		}
		if at[0] > rest {
			parts = append(parts, Part{Text: text[rest:at[0]]})
		}
		parts = append(parts, part)
		rest = at[1]
	}
	if parts != nil && rest < len(text) {
		parts = append(parts, Part{Text: text[rest:]})
	}
	return parts
}

// part returns what stands in braces: a column of the key before all.
func (s *DatasetSQL) part(word, number string) (Part, bool) {
	n, _ := strconv.Atoi(number) // digits
	switch {
	case number == "" && slices.Contains(s.Key, word):
		return Part{Column: word}, true
	case number == "" && slices.Contains([]string{MakeRandom, MakeNow, MakeHash, MakeRemove}, word):
		return Part{Make: word}, true
	case n > 0 && word == MakeFirst:
		return Part{Make: word, Characters: n}, true
	default:
		return Part{}, false
	}
}

// template checks what a value of set has in braces.
func (v *validation) template(path string, s *DatasetSQL, column string, value any) {
	text, ok := value.(string)
	if ParseSource(column).Each && text != "{"+MakeRemove+"}" {
		v.add(path, "of the elements of an array only the person's own can be taken out", `write "{remove}"`)
	}
	if !ok {
		return
	}
	for _, m := range braces.FindAllStringSubmatch(text, -1) {
		if _, ok := s.part(m[1], m[2]); !ok {
			v.add(path, fmt.Sprintf("%s names no column of the key", m[0]), "name one of "+strings.Join(s.Key, ", ")+", or write {random}, {now}, {hash} or {first 3}")
		}
	}
	for _, part := range s.Template(value) {
		if slices.Contains(s.back(), part.Column) {
			v.add(path, fmt.Sprintf("the value keeps %s, by which the person is found", part.Column), "use a column that says nothing of a person")
		}
		within := ParseSource(column).Within()
		switch {
		case part.Make == MakeRemove && (!within || len(s.Template(value)) > 1):
			v.add(path, "{remove} takes out a part of what a column holds", `write it alone, of a part: "meta->email": "{remove}", or "member_ids[]": "{remove}"`)
		case within && part.Text == "" && part.Make != MakeRemove:
			v.add(path, "a part of a column takes null, a constant or {remove}", "write one of those, or set the column")
		}
		if part.Make == MakeFirst && slices.Contains(s.back(), column) {
			v.add(path, fmt.Sprintf("the value keeps a part of %s, by which the person is found", column), "write null, or {random}")
		}
	}
}
