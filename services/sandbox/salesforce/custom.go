package salesforce

import (
	"fmt"
	"slices"
	"strings"
)

// Custom is an object of the org's own, or fields of its own on a standard one.
type Custom struct {
	// Name is that of the object: Warranty__c, or Contact.
	Name   string
	Fields []CustomField
	// Rows are its records, with an Id each; of an object that is there already,
	// what is set on the record of that Id.
	Rows []map[string]any
}

// CustomField is a field of the org's own. Type is string, textarea, boolean,
// double, date, datetime, or reference, with the object that is referred to.
type CustomField struct{ Name, Type, ReferenceTo string }

// field returns what the schema has of it.
func (f CustomField) field() (field, error) {
	types := map[string]fieldType{"string": textType, "email": textType, "phone": textType, "textarea": longType, "boolean": boolType, "double": numberType, "date": dateType, "datetime": timeType, "reference": idType}
	t, ok := types[f.Type]
	if !ok || !strings.HasSuffix(f.Name, "__c") {
		return field{}, fmt.Errorf("custom field %s of type %s: its name ends in __c, and its type is one that is known", f.Name, f.Type)
	}
	out := field{name: f.Name, typ: t, indexed: t == textType || t == idType}
	if t == idType {
		out.relation, out.target = strings.TrimSuffix(f.Name, "c")+"r", f.ReferenceTo
	}
	return out, nil
}

// withCustom adds the org's own to the standard objects.
func withCustom(standard []definition, custom []Custom) ([]definition, error) {
	for n, c := range custom {
		i := slices.IndexFunc(standard, func(d definition) bool { return strings.EqualFold(d.name, c.Name) })
		if i < 0 {
			standard = append(standard, definition{name: c.Name, prefix: fmt.Sprintf("a%02d", n), fields: slices.Concat(
				[]field{{name: "Id", typ: idType}, {name: "IsDeleted", typ: boolType}, {name: "SystemModstamp", typ: timeType}}, text("Name"), instant("CreatedDate", "LastModifiedDate"))})
			i = len(standard) - 1
		}
		for _, f := range c.Fields {
			made, err := f.field()
			if err != nil {
				return nil, err
			}
			standard[i].fields = append(slices.Clone(standard[i].fields), made)
		}
	}
	return standard, nil
}

// seedCustom adds the records of the org's own.
func (s *store) seedCustom(custom []Custom) error {
	for _, c := range custom {
		o := s.object(c.Name)
		if o == nil {
			continue // hidden
		}
		for _, values := range c.Rows {
			id, _ := values["Id"].(string)
			if !isID(id) {
				return fmt.Errorf("a record of %s has no id", c.Name)
			}
			r := s.byID[id[:15]]
			if r == nil {
				r = s.blank(o, id)
				s.place(r)
			}
			if err := s.fill(r, values); err != nil {
				return err
			}
		}
	}
	return nil
}
