package manifest

import (
	"bytes"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

// Purpose is one thing that data is used for, and the ground on which it may be.
type Purpose struct {
	// Title says what for: it completes nothing, and stands by itself in an answer.
	Title Text `yaml:"title"`
	// Basis is one of [legalBases].
	Basis string `yaml:"legal_basis"`
	// Marks are those of [PurposeMarks] that the purpose has.
	Marks []string `yaml:"marks,omitempty"`
	// Compelling says why the use goes on where somebody objects to it (GDPR art.
	// 21(1)); none: it ends. Direct marketing always ends.
	Compelling Text `yaml:"compelling,omitempty"`
}

// Marks of a purpose.
const (
	MarkMarketing   = "marketing"   // direct marketing (GDPR art. 21(2))
	MarkSale        = "sale"        // Civ. Code 1798.140(ad)
	MarkSharing     = "sharing"     // Civ. Code 1798.140(ah)
	MarkAdvertising = "advertising" // interest-based
	MarkProfiling   = "profiling"
	MarkSensitive   = "sensitive" // beyond what Civ. Code 1798.121 allows
)

// PurposeMarks lists the marks.
func PurposeMarks() []string {
	return []string{MarkMarketing, MarkSale, MarkSharing, MarkAdvertising, MarkProfiling, MarkSensitive}
}

// Purposes is a catalogue of purposes, by their ids: lower-case letters, digits, hyphens
// and underscores.
type Purposes map[string]Purpose

// LoadPurposes reads a catalogue's file.
func LoadPurposes(path string) (Purposes, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	return ParsePurposes(path, text)
}

// ParsePurposes reads a catalogue. An error names the file, the purpose, and the cure.
func ParsePurposes(file string, text []byte) (Purposes, error) {
	var doc struct {
		Purposes Purposes `yaml:"purposes"`
	}
	d := yaml.NewDecoder(bytes.NewReader(text))
	d.KnownFields(true)
	if err := d.Decode(&doc); err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	for _, id := range doc.Purposes.IDs() {
		if err := doc.Purposes[id].check(id); err != nil {
			return nil, fmt.Errorf("%s: %w", file, err)
		}
	}
	return doc.Purposes, nil
}

func (p Purpose) check(id string) error {
	switch {
	case !purposeForm.MatchString(id):
		return fmt.Errorf("%q isn't the name of a purpose; use lower-case letters, digits, hyphens and underscores, such as marketing", id)
	case p.Title["en"] == "":
		return fmt.Errorf("purpose %s has no title; add title: {en: …, fr: …}", id)
	case !slices.Contains(legalBases(), p.Basis):
		return fmt.Errorf("purpose %s: unknown legal_basis %q; allowed: %s", id, p.Basis, join(legalBases()))
	}
	for _, mark := range p.Marks {
		if !slices.Contains(PurposeMarks(), mark) {
			return fmt.Errorf("purpose %s: unknown mark %q; allowed: %s", id, mark, join(PurposeMarks()))
		}
	}
	return nil
}

// IDs returns the purposes' ids, sorted.
func (c Purposes) IDs() []string { return slices.Sorted(maps.Keys(c)) }

// Resolve looks the manifest's purposes up in a catalogue: what its datasets are used
// for, and on which grounds, is there from then on. An error names a purpose that the
// catalogue doesn't have.
func (m *Manifest) Resolve(c Purposes) error {
	for i := range m.Datasets {
		d := &m.Datasets[i]
		if len(d.Purposes) == 0 {
			continue
		}
		d.Purpose, d.LegalBasis = Text{}, ""
		for j, id := range d.Purposes {
			p, ok := c[id]
			if !ok {
				return m.problem(index(fmt.Sprintf("datasets[%d].purposes", i), j), fmt.Sprintf("unknown purpose %q", id), "name one of the catalogue: "+strings.Join(c.IDs(), ", ")+"; or add it there")
			}
			for lang, title := range p.Title {
				d.Purpose[lang] = joined(d.Purpose[lang], title)
			}
			if j == 0 {
				d.LegalBasis = p.Basis
			}
		}
	}
	for i := range m.Datasets {
		if s := m.Datasets[i].SQL; s != nil {
			for j, r := range s.Restrict {
				for k, id := range r.Stops {
					if _, ok := c[id]; !ok {
						return m.problem(index(fmt.Sprintf("datasets[%d].sql.restrict[%d].stops", i, j), k), fmt.Sprintf("unknown purpose %q", id), "name one of the catalogue: "+strings.Join(c.IDs(), ", ")+"; or add it there")
					}
				}
			}
		}
	}
	m.purposes = c
	return nil
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
		if len(d.Purposes) == 0 {
			out[m.System+"."+d.Name] = Purpose{Title: d.Purpose, Basis: d.LegalBasis}
		}
		for _, id := range d.Purposes {
			out[id] = m.purposes[id]
		}
	}
	return out
}
