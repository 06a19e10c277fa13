package manifest

import (
	"maps"
	"regexp"
	"slices"
)

// Concepts lists what columns commonly mean. An installation may have others of the same
// form: a group and a name.
func Concepts() []string {
	return []string{
		"person.name", "person.given_name", "person.family_name", birthDate, "person.language", "person.title",
		"contact.email", "contact.phone", "contact.postal_address", "contact.street", "contact.city", "contact.postal_code", "contact.country",
		"organisation.name", "organisation.department", "organisation.role", "tax.id",
	}
}

// birthDate is a date that no record is of.
const birthDate = "person.birth_date"

var conceptForm = regexp.MustCompile(`^[a-z][a-z0-9_]{0,49}\.[a-z][a-z0-9_]{0,49}$`)

// Fields returns what a correction can name in the systems of some manifests: columns by
// their names, and concepts.
func Fields(manifests []*Manifest) (columns, concepts []string) {
	names, meanings := map[string]bool{}, map[string]bool{}
	for _, m := range manifests {
		for i := range m.Datasets {
			for _, c := range m.Datasets[i].Columns {
				names[c.Name] = true
				if c.Concept != "" {
					meanings[c.Concept] = true
				}
			}
		}
	}
	return slices.Sorted(maps.Keys(names)), slices.Sorted(maps.Keys(meanings))
}
