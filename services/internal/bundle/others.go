package bundle

import (
	"bytes"
	"encoding/json"
	"maps"
	"slices"

	"habeas.dev/pkg/manifest"
	"habeas.dev/pkg/record"
)

// othersCell stands in CSV and JSON in the place of what is about other people
// (GDPR art. 15(4) and 20(4)).
var othersCell = json.RawMessage(`"` + record.AboutOthers + `"`)

// others is a rule of the manifest, on a section's columns.
type others struct {
	rule    *manifest.Others
	columns []int
	told    map[string]int // the columns by which the rule decides
}

// newOthers finds the columns that the dataset's rules name.
func newOthers(ds *manifest.Dataset, names []string) []others {
	var out []others
	for i := range ds.Others {
		o := others{rule: &ds.Others[i], told: map[string]int{}}
		for at, name := range names {
			if slices.Contains(o.rule.Columns, name) {
				o.columns = append(o.columns, at)
			}
		}
		for _, name := range slices.Concat(slices.Collect(maps.Values(o.rule.Unless)), slices.Collect(maps.Keys(o.rule.When))) {
			if at := slices.Index(names, name); at >= 0 {
				o.told[name] = at
			}
		}
		out = append(out, o)
	}
	return out
}

// withoutOthers redacts what of a row is about other people. What a person must
// look at stays only where one has, and released it; where one has looked at each value, that
// says it.
func (t *table) withoutOthers(b *build, row []json.RawMessage) []json.RawMessage {
	if t.reviewed {
		t.noteRedacted(row)
		return row
	}
	var redacted []json.RawMessage
	for i := range t.others {
		o := &t.others[i]
		if o.rule.NeedsPerson() && t.released || !o.rule.Concern(b.person(), func(column string) string {
			if at, ok := o.told[column]; ok {
				return record.Text(row[at])
			}
			return ""
		}) {
			continue
		}
		for _, at := range o.columns {
			if record.Text(row[at]) == "" {
				continue
			}
			if redacted == nil {
				redacted = slices.Clone(row)
			}
			redacted[at] = othersCell
			if c := t.columnAt(at); c != nil {
				c.others = true
			}
		}
	}
	if redacted == nil {
		return row
	}
	return redacted
}

// noteRedacted notes of which columns a person has taken out single values.
func (t *table) noteRedacted(row []json.RawMessage) {
	for at := range row {
		if c := t.columnAt(at); c != nil && bytes.Equal(row[at], othersCell) {
			c.others = true
		}
	}
}

// person returns the identifiers by which the person was looked for.
func (b *build) person() manifest.Person {
	if b.persons == nil {
		b.persons = manifest.Person{}
		for _, id := range b.in.Identifiers {
			b.persons.Add(id.Type, id.Value)
		}
	}
	return b.persons
}
