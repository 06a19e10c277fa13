package bundle

import (
	"bytes"
	"encoding/json"
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"habeas.dev/pkg/manifest"
	"habeas.dev/pkg/record"
)

// A value on the page is in the words of its language: dates, numbers, countries, yes and
// no. CSV and JSON have it as it is held.

const (
	// maxDepth bounds how deep the page looks into a JSON value, and maxItems how much of
	// one list or object it shows; the files have the whole.
	maxDepth = 4
	maxItems = 50
)

// meaning is what a column's name and concept say of how its values are read.
type meaning struct {
	number   bool // declared as one
	country  bool // codes of ISO 3166-1
	language bool // tags of BCP 47
	id       bool // the name is one of an identifier that only programs use
}

// idName matches names of columns whose values programs tell records apart by.
var idName = regexp.MustCompile(`(?:^|_)(?:[iI][dD]|guid|uuid|ref)$|[a-z](?:Id|ID|GUID|Guid|UUID|Uuid|RefNum)$`)

func meaningOf(c *manifest.Column) meaning {
	name := strings.ToLower(c.Name)
	return meaning{
		number:   c.Type == "integer" || c.Type == "number",
		country:  c.Concept == "contact.country" || strings.HasSuffix(name, "country") || strings.HasSuffix(name, "country_code") || strings.HasSuffix(name, "countrycode"),
		language: c.Concept == "person.language" || name == "language" || name == "locale",
		id:       c.Concept == "" && name != "tax_id" && idName.MatchString(c.Name),
	}
}

// opaque reports whether a value means something to programs only: a number that counts
// records, or a token.
func opaque(raw json.RawMessage) bool {
	if len(raw) == 0 || raw[0] == 'n' || isNumber(raw) {
		return true
	}
	text, plain := plainString(raw)
	if !plain || raw[0] != '"' {
		return false
	}
	digits, letters := 0, 0
	for _, c := range text {
		switch {
		case c >= '0' && c <= '9':
			digits++
		case c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z':
			letters++
		case c != '-' && c != '_' && c != '.' && c != ':':
			return false
		}
	}
	return digits > 0 && (letters == 0 || len(text) >= 8) || len(text) == 0
}

// class returns the class of a value's cell.
func (p *preview) class(raw json.RawMessage, c *column) string {
	switch {
	case missing(raw), bytes.Equal(raw, othersCell), c.secret != "":
		return "nil"
	case isNumber(raw):
		return "num"
	default:
		return ""
	}
}

// missing reports whether nothing is held: null, or an empty text.
func missing(raw json.RawMessage) bool {
	return len(raw) == 0 || raw[0] == 'n' || len(raw) == 2 && raw[0] == '"'
}

// value adds a value as people read it.
func (p *preview) value(html []byte, raw json.RawMessage, c *column) []byte {
	switch {
	case missing(raw):
		return append(html, "–"...)
	case bytes.Equal(raw, othersCell):
		return appendEscaped(html, p.w.OthersHidden)
	case c.secret != "":
		html = appendEscaped(html, p.w.Hidden)
		if digits := c.ending(raw); digits != "" {
			html = append(append(html, " (… "...), digits+")"...)
		}
		return html
	case c.file != "" && raw[0] == '"':
		if name, is := strings.CutPrefix(record.Text(raw), c.file); is && !strings.Contains(name, "/") {
			return appendFile(html, c.file+name)
		}
	}
	return p.plain(html, raw, c.meaning, 0)
}

// plain adds a value of any kind.
func (p *preview) plain(html []byte, raw json.RawMessage, m meaning, depth int) []byte {
	switch {
	case missing(raw):
		return append(html, "–"...)
	case raw[0] == '"':
		text, ok := plainString(raw)
		if !ok {
			text = []byte(record.Text(raw))
		}
		return p.text(html, text, m)
	case raw[0] == 't':
		return appendEscaped(html, p.w.Yes)
	case raw[0] == 'f':
		return appendEscaped(html, p.w.No)
	case raw[0] == '{' || raw[0] == '[':
		return p.parts(html, raw, depth)
	case m.number:
		return appendEscaped(html, p.w.Literal(string(raw)))
	default:
		return appendCut(html, raw)
	}
}

// text adds a text: a date, the code of a country or a language in words, anything else as
// it is.
func (p *preview) text(html, text []byte, m meaning) []byte {
	switch {
	case len(text) >= len(time.DateOnly) && text[4] == '-' && text[7] == '-':
		if at, day, ok := readTime(text); ok && day {
			return appendEscaped(html, p.w.Date(at))
		} else if ok {
			return appendEscaped(html, p.w.Moment(at))
		}
	case m.country && (len(text) == 2 || len(text) == 3) && bytes.Equal(text, bytes.ToUpper(text)):
		return appendEscaped(html, p.w.Country(string(text)))
	case m.language && len(text) >= 2 && len(text) <= 10:
		return appendEscaped(html, p.w.LanguageName(string(text)))
	}
	return appendCut(html, text)
}

// moments are the forms of a moment: RFC 3339, and with an offset without a colon, as
// Salesforce writes it.
var moments = []string{time.RFC3339Nano, "2006-01-02T15:04:05.999999999Z0700"}

// readTime reads a text that is a day, or a moment, and nothing else.
func readTime(text []byte) (at time.Time, day, ok bool) {
	if len(text) == len(time.DateOnly) {
		at, err := time.Parse(time.DateOnly, string(text))
		return at, true, err == nil
	}
	if len(text) > len(time.RFC3339Nano) {
		return at, false, false
	}
	for _, form := range moments {
		if at, err := time.Parse(form, string(text)); err == nil {
			return at, false, true
		}
	}
	return at, false, false
}

// yearOf returns the year that a value is of; 0 where it is no date of our time.
func yearOf(raw json.RawMessage) int {
	text, ok := plainString(raw)
	if !ok || raw[0] != '"' || len(text) < len(time.DateOnly) || !matches(text[:len(time.DateOnly)], "dddd-dd-dd") {
		return 0
	}
	year := int(text[0]-'0')*1000 + int(text[1]-'0')*100 + int(text[2]-'0')*10 + int(text[3]-'0')
	if year < 1900 || year >= 2200 {
		return 0
	}
	return year
}

// part is a member of an object, or an element of a list, which has no key.
type part struct {
	key string
	raw json.RawMessage
}

// partsOf takes a JSON object or list apart, in order, as far as it is shown; more tells
// that there is more.
func partsOf(raw json.RawMessage) (all []part, more bool) {
	d := json.NewDecoder(bytes.NewReader(raw))
	if _, err := d.Token(); err != nil {
		return nil, false
	}
	for d.More() {
		if len(all) == maxItems {
			return all, true
		}
		var one part
		if raw[0] == '{' {
			key, err := d.Token()
			if err != nil {
				return all, false
			}
			one.key, _ = key.(string)
		}
		if d.Decode(&one.raw) != nil {
			return all, false
		}
		all = append(all, one)
	}
	return all, false
}

// parts adds what a JSON object or list holds, as a list; what says of itself that it is a
// name and a value is shown as such.
func (p *preview) parts(html []byte, raw json.RawMessage, depth int) []byte {
	all, more := partsOf(raw)
	if len(all) == 0 {
		return append(html, "–"...)
	}
	if depth == maxDepth {
		return append(html, "…"...)
	}
	from := len(html)
	html = append(html, `<ul class="parts">`...)
	for _, one := range all {
		if one.key == "" && len(one.raw) > 0 && one.raw[0] == '{' {
			one = named(one)
		}
		html = append(html, "<li>"...)
		if one.key != "" {
			html = appendEscaped(append(html, "<b>"...), readable(one.key)+p.w.Colon)
			html = append(html, "</b> "...)
		}
		html = append(p.plain(html, one.raw, meaning{}, depth+1), "</li>"...)
		if len(html)-from > 2*previewCell {
			more = true
			break
		}
	}
	if more {
		html = append(html, "<li>…</li>"...)
	}
	return append(html, "</ul>"...)
}

// named turns {"name": "plan", "value": 3} into the member plan of an object.
func named(one part) part {
	members, _ := partsOf(one.raw)
	if len(members) != 2 {
		return one
	}
	slices.SortFunc(members, func(a, b part) int { return strings.Compare(a.key, b.key) })
	if members[0].key == "name" && members[1].key == "value" && len(members[0].raw) > 2 && members[0].raw[0] == '"' {
		return part{record.Text(members[0].raw), members[1].raw}
	}
	return one
}

// readable makes words of a name that programs use: account_id, leadSource, Note__c.
func readable(name string) string {
	name = strings.TrimSuffix(name, "__c")
	var b strings.Builder
	runes := []rune(name)
	for i, r := range runes {
		switch {
		case r == '_':
			r = ' '
		case i > 0 && unicode.IsUpper(r) && unicode.IsLower(runes[i-1]):
			b.WriteByte(' ')
			if i+1 == len(runes) || !unicode.IsUpper(runes[i+1]) {
				r = unicode.ToLower(r)
			}
		}
		b.WriteRune(r)
	}
	s := strings.TrimSpace(b.String())
	if r, n := utf8.DecodeRuneInString(s); n > 0 {
		s = string(unicode.ToUpper(r)) + s[n:]
	}
	return s
}
