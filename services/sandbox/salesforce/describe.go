package salesforce

import (
	"slices"
	"strings"
)

// describedType returns a field's type in Salesforce's words.
func describedType(f field) string {
	switch f.typ {
	case idType:
		if f.name == "Id" {
			return "id"
		}
		return "reference"
	case longType:
		return "textarea"
	case boolType:
		return "boolean"
	case numberType:
		return "double"
	case dateType:
		return "date"
	case timeType:
		return "datetime"
	case blobType:
		return "base64"
	default:
		return "string"
	}
}

// describe answers /sobjects/{object}/describe.
func (s *Server) describe(o *object) answer {
	type described struct {
		Name         string   `json:"name"`
		Label        string   `json:"label"`
		Type         string   `json:"type"`
		Length       int      `json:"length"`
		Custom       bool     `json:"custom"`
		Createable   bool     `json:"createable"`
		Updateable   bool     `json:"updateable"`
		Filterable   bool     `json:"filterable"`
		Sortable     bool     `json:"sortable"`
		Groupable    bool     `json:"groupable"`
		Nillable     bool     `json:"nillable"`
		ReferenceTo  []string `json:"referenceTo"`
		Relationship *string  `json:"relationshipName"`
	}
	type below struct {
		Child   string `json:"childSObject"`
		Field   string `json:"field"`
		Name    string `json:"relationshipName"`
		Cascade bool   `json:"cascadeDelete"`
	}
	fields := make([]described, 0, len(o.fields))
	for _, f := range o.fields {
		short := f.typ != longType && f.typ != blobType
		d := described{Name: f.name, Label: f.name, Type: describedType(f), Length: 255, Custom: strings.HasSuffix(f.name, "__c"),
			Createable: !derived(o, f.name), Updateable: !derived(o, f.name), Filterable: short, Sortable: short, Groupable: short, Nillable: f.name != "Id", ReferenceTo: []string{}}
		if f.relation != "" {
			d.ReferenceTo, d.Relationship = []string{f.target}, &f.relation
		}
		fields = append(fields, d)
	}
	relations := []below{}
	for _, r := range childRelations() {
		if r.parent == o.name && s.store.object(r.child) != nil {
			relations = append(relations, below{r.child, r.field, r.name, slices.Contains(cascades(), cascade{r.parent, r.child, r.field})})
		}
	}
	return reply(map[string]any{"name": o.name, "label": o.name, "labelPlural": o.name, "keyPrefix": o.prefix, "custom": strings.HasSuffix(o.name, "__c"),
		"queryable": true, "createable": true, "deletable": o.name != "ContentVersion", "updateable": true, "retrieveable": true, "fields": fields, "childRelationships": relations})
}

// describeGlobal answers /sobjects.
func (s *Server) describeGlobal(request) answer {
	type described struct {
		Name      string `json:"name"`
		Label     string `json:"label"`
		KeyPrefix string `json:"keyPrefix"`
		Custom    bool   `json:"custom"`
		Queryable bool   `json:"queryable"`
	}
	var list []described
	for _, o := range s.store.order {
		list = append(list, described{o.name, o.name, o.prefix, strings.HasSuffix(o.name, "__c"), true})
	}
	return reply(map[string]any{"encoding": "UTF-8", "maxBatchSize": MaxCollection, "sobjects": list})
}
