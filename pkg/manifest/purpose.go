package manifest

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// Purpose is one thing that data is used for, and the ground on which it may be.
type Purpose struct {
	// Title says what for: it completes nothing, and stands by itself in an answer.
	Title Text `yaml:"title"`
	// Basis is one of [legalBases].
	Basis string `yaml:"legal_basis"`
	// Marks are those of [PurposeMarks] that the purpose has.
	Marks []string `yaml:"marks,omitempty"`
	// Logic says what a decision by machine alone goes by and what follows from it (GDPR
	// art. 15(1)(h)); only with the mark automated-decision, which needs it.
	Logic Text `yaml:"logic,omitempty"`
	// Within names the purpose without which this one can't go on, such as measuring who reads
	// messages without sending any: it ends with that.
	Within string `yaml:"within,omitempty"`
	// Compelling says why the use goes on where somebody objects to it (GDPR art.
	// 21(1)); none: it ends. Direct marketing always ends.
	Compelling Text `yaml:"compelling,omitempty"`

	within Error // where Within stands
}

// Marks of a purpose.
const (
	MarkMarketing     = "marketing"     // direct marketing (GDPR art. 21(2))
	MarkNotifications = "notifications" // messages within the product
	MarkCookies       = "cookies"       // what a browser keeps, beyond what the service needs
	MarkSale          = "sale"          // Civ. Code 1798.140(ad)
	MarkSharing       = "sharing"       // Civ. Code 1798.140(ah)
	MarkAdvertising   = "advertising"   // interest-based
	MarkProfiling     = "profiling"
	MarkSensitive     = "sensitive" // beyond what Civ. Code 1798.121 allows
	// MarkAutomated marks decisions by machine alone that have legal or similar effects (GDPR art. 22).
	MarkAutomated = "automated-decision"
)

// PurposeMarks lists the marks.
func PurposeMarks() []string {
	return []string{MarkMarketing, MarkNotifications, MarkCookies, MarkSale, MarkSharing, MarkAdvertising, MarkProfiling, MarkSensitive, MarkAutomated}
}

// Purposes is a catalogue of purposes, by their ids: lower-case letters, digits, hyphens
// and underscores.
type Purposes map[string]Purpose

// LoadPurposes reads a catalogue's file.
func LoadPurposes(file string) (Purposes, error) {
	data, err := read(file)
	if err != nil {
		return nil, err
	}
	return ParsePurposes(file, data)
}

// ParsePurposes reads a catalogue, as strictly as [Parse] reads a manifest. The error is
// an [Error].
func ParsePurposes(file string, data []byte) (Purposes, error) {
	var doc struct {
		Purposes Purposes `yaml:"purposes"`
	}
	at := positions{file: file, of: document{name: "a catalogue of purposes", begin: "begin with purposes:", form: "see docs/law.md"}}
	if err := at.decode(data, &doc); err != nil {
		return nil, err
	}
	v := &validation{at: &at}
	for _, id := range doc.Purposes.IDs() {
		v.purpose("purposes."+id, id, doc.Purposes[id])
	}
	if err := v.err(); err != nil {
		return nil, err
	}
	for id, p := range doc.Purposes {
		p.within = *at.problem("purposes."+id+".within", "", "")
		doc.Purposes[id] = p
	}
	return doc.Purposes, nil
}

// Whole returns an [Error] where a purpose is within one that there isn't, with which it would
// never end: a catalogue is whole once it has all that its files add.
func (c Purposes) Whole() error {
	for _, id := range c.IDs() {
		p := c[id]
		if _, there := c[p.Within]; there || p.Within == "" {
			continue
		}
		e := p.within
		e.What = fmt.Sprintf("purpose %s: within names %q, which there isn't", id, p.Within)
		e.Cure = "name one of the catalogue: " + strings.Join(slices.DeleteFunc(c.IDs(), func(o string) bool { return o == id }), ", ") + "; or add it there"
		return &e
	}
	return nil
}

func (v *validation) purpose(path, id string, p Purpose) {
	if !purposeForm.MatchString(id) {
		v.add(path, fmt.Sprintf("%q isn't the name of a purpose", id), "use lower-case letters, digits, hyphens and underscores, such as marketing")
	}
	if p.Title["en"] == "" {
		v.add(path+".title", "purpose "+id+" has no title in English", "add title: {en: …, fr: …}")
	} else {
		v.text(path+".title", p.Title, true)
	}
	if !slices.Contains(legalBases(), p.Basis) {
		v.add(path+".legal_basis", fmt.Sprintf("purpose %s: unknown legal_basis %q", id, p.Basis), "allowed: "+join(legalBases()))
	}
	for i, mark := range p.Marks {
		if !slices.Contains(PurposeMarks(), mark) {
			v.add(index(path+".marks", i), fmt.Sprintf("purpose %s: unknown mark %q", id, mark), "allowed: "+join(PurposeMarks()))
		}
	}
	if p.Within == id || p.Within != "" && !purposeForm.MatchString(p.Within) {
		v.add(path+".within", fmt.Sprintf("purpose %s: within names %q", id, p.Within), "name another purpose, without which this one can't go on")
	}
	v.text(path+".compelling", p.Compelling, false)
	switch automated := slices.Contains(p.Marks, MarkAutomated); {
	case automated:
		v.text(path+".logic", p.Logic, true)
	case len(p.Logic) > 0:
		v.add(path+".logic", "purpose "+id+" has a logic and isn't marked "+MarkAutomated, "mark it, or leave the logic out")
	}
}

// Bases returns every legal basis that a dataset rests on, in the order of its purposes: each
// of them may have another. LegalBasis is the first.
func (d *Dataset) Bases() []string {
	if len(d.bases) == 0 {
		return []string{d.LegalBasis}
	}
	return slices.Clone(d.bases)
}

// Ending returns some purposes with those that can't go on without them, sorted.
func (c Purposes) Ending(ids []string) []string {
	out := slices.Clone(ids)
	for more := true; more; {
		more = false
		for id, p := range c {
			if slices.Contains(out, p.Within) && !slices.Contains(out, id) {
				out, more = append(out, id), true
			}
		}
	}
	slices.Sort(out)
	return out
}

// IDs returns the purposes' ids, sorted.
func (c Purposes) IDs() []string { return slices.Sorted(maps.Keys(c)) }

// Resolve looks the manifest's purposes up in a catalogue: what its datasets are used
// for, and on which grounds, is there from then on. An error names a purpose that the
// catalogue doesn't have.
func (m *Manifest) Resolve(c Purposes) error {
	for i := range m.Datasets {
		d, path := &m.Datasets[i], index("datasets", i)
		if len(d.Purposes) > 0 {
			if err := m.known(path+".purposes", d.Purposes, c); err != nil {
				return err
			}
			d.Purpose, d.LegalBasis = c.told(d.Purposes)
			d.bases = nil
			for _, id := range d.Purposes {
				if !slices.Contains(d.bases, c[id].Basis) {
					d.bases = append(d.bases, c[id].Basis)
				}
			}
		}
		for j := range d.Columns {
			col := &d.Columns[j]
			if len(col.Purposes) == 0 {
				continue
			}
			if err := m.known(index(path+".columns", j)+".purposes", col.Purposes, c); err != nil {
				return err
			}
			col.purpose, col.legalBasis = c.told(col.Purposes)
		}
	}
	for i := range m.Datasets {
		if m.Datasets[i].SQL == nil {
			continue
		}
		for j, r := range m.Datasets[i].SQL.Restrict {
			if err := m.known(fmt.Sprintf("datasets[%d].sql.restrict[%d].stops", i, j), r.Stops, c); err != nil {
				return err
			}
		}
	}
	m.purposes = c
	return nil
}

// told returns the titles of purposes that the catalogue has, one after the other, and the
// ground of the first.
func (c Purposes) told(ids []string) (Text, string) {
	purpose := Text{}
	for _, id := range ids {
		for lang, title := range c[id].Title {
			purpose[lang] = joined(purpose[lang], title)
		}
	}
	return purpose, c[ids[0]].Basis
}

// known fails at the first purpose that a catalogue doesn't have.
func (m *Manifest) known(path string, ids []string, c Purposes) error {
	for i, id := range ids {
		if _, ok := c[id]; !ok {
			return m.problem(index(path, i), fmt.Sprintf("unknown purpose %q", id), "name one of the catalogue: "+strings.Join(c.IDs(), ", ")+"; or add it there")
		}
	}
	return nil
}

// WorkerStops checks the purposes that a flag under worker: stops, for a worker whose
// settings have flags, as [Manifest.Resolve] checks those of sql.restrict: nil where the
// catalogue has them, or where none was looked at.
func (m *Manifest) WorkerStops(dataset int, stops []string) error {
	if m.purposes == nil {
		return nil
	}
	return m.known(index("datasets", dataset)+".worker.restrict", stops, m.purposes)
}

// joined puts titles of purposes one after the other.
func joined(before, title string) string {
	if before == "" {
		return title
	}
	return before + "; " + title
}

// UsedFor returns what the system's data is used for, by id. A dataset that names no
// purpose of the catalogue has one of its own, system.dataset, on its own ground.
func (m *Manifest) UsedFor() Purposes {
	out := Purposes{}
	for i := range m.Datasets {
		d := &m.Datasets[i]
		for _, id := range m.UsesOf(d) {
			out[id] = m.purposes[id]
		}
		if len(d.Purposes) == 0 {
			out[m.UsesOf(d)[0]] = Purpose{Title: d.Purpose, Basis: d.LegalBasis}
		}
	}
	return out
}

// UsesOf returns the ids of the purposes for which a dataset of the manifest, or a column of
// it, is used: where the dataset names none of the catalogue, its own comes first.
func (m *Manifest) UsesOf(d *Dataset) []string {
	ids := slices.Clone(d.Purposes)
	if len(ids) == 0 {
		ids = []string{m.System + "." + d.Name}
	}
	for _, c := range d.Columns {
		for _, id := range c.Purposes {
			if !slices.Contains(ids, id) {
				ids = append(ids, id)
			}
		}
	}
	return ids
}

// Marks returns the marks of what a dataset of the manifest, or a column of it, is used for,
// sorted; once the manifest was resolved.
func (m *Manifest) Marks(d *Dataset) []string {
	var out []string
	purposes := slices.Clone(d.Purposes)
	for _, c := range d.Columns {
		purposes = append(purposes, c.Purposes...)
	}
	for _, id := range purposes {
		out = append(out, m.purposes[id].Marks...)
	}
	slices.Sort(out)
	return slices.Compact(out)
}
