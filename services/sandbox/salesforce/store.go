package salesforce

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"habeas.dev/services/sandbox/people"
)

// store holds the objects and their rows. Values are encoded once, when they
// are seeded or changed: an answer is put together by copying.
type store struct {
	objects map[string]*object // by lower-case name
	order   []*object
	byID    map[string]*row // by the first 15 characters
}

type object struct {
	definition
	number map[string]int      // of a field, by lower-case name
	rows   []*row              // in the order of seeding
	index  []map[string][]*row // by field number; nil where there is none
}

type row struct {
	object    *object
	seq       int
	id        string // 18 characters
	values    []value
	deletedAt time.Time // zero while it isn't in the recycle bin
	purged    bool
	purgedAt  time.Time
}

// value is one field's content: as it is compared, and as it is sent.
type value struct {
	null    bool
	key     string // text: folded; id: 15 characters
	number  float64
	at      time.Time
	yes     bool
	encoded []byte
	blob    []byte
}

func (s *store) object(name string) *object { return s.objects[fold(name)] }

func (o *object) field(name string) (int, bool) {
	n, ok := o.number[fold(name)]
	return n, ok
}

// lookup returns the rows whose indexed field has a key.
func (o *object) lookup(name, key string) []*row {
	n, ok := o.field(name)
	if !ok || o.index[n] == nil {
		return nil
	}
	return o.index[n][key]
}

// seed fills a store with a population. The digest tells populations apart.
func seed(p *people.Population, hidden []string, custom []Custom) (*store, string, error) {
	s := &store{objects: map[string]*object{}, byID: map[string]*row{}}
	byDataset := map[string]*object{}
	all, err := withCustom(definitions(), custom)
	if err != nil {
		return nil, "", err
	}
	for _, d := range all {
		if slices.Contains(hidden, d.name) {
			continue
		}
		o := &object{definition: d, number: map[string]int{}}
		o.fields = slices.DeleteFunc(o.fields, func(f field) bool { return slices.Contains(hidden, d.name+"."+f.name) })
		o.index = make([]map[string][]*row, len(o.fields))
		for i, f := range o.fields {
			o.number[fold(f.name)] = i
			if f.indexed {
				o.index[i] = map[string][]*row{}
			}
		}
		s.objects[fold(d.name)] = o
		s.order = append(s.order, o)
		byDataset[d.dataset] = o
	}
	digest := digestOf(func(write func(string)) {
		for r := range p.All(people.Salesforce) {
			email, _ := r.Values["Email"].(string)
			write(r.Key + " " + email)
			o := byDataset[r.Dataset]
			if o == nil {
				if slices.ContainsFunc(definitions(), func(d definition) bool { return d.dataset == r.Dataset }) {
					continue // hidden
				}
				err = fmt.Errorf("dataset %s of the population has no object here", r.Dataset)
				return
			}
			if err = s.seedRow(o, r, hidden); err != nil {
				return
			}
		}
	})
	if err == nil {
		err = s.seedCustom(custom)
	}
	return s, digest, err
}

// seedRow adds a record of the population, and what Salesforce makes of it.
func (s *store) seedRow(o *object, from people.Row, hidden []string) error {
	values := map[string]any{}
	for name, content := range from.Values {
		if !slices.Contains(hidden, o.name+"."+name) {
			values[name] = content
		}
	}
	r := s.blank(o, from.Key)
	s.place(r)
	if err := s.fill(r, values); err != nil {
		return err
	}
	switch o.name {
	case "ContentVersion":
		id, _ := values["ContentDocumentId"].(string)
		if d := s.object("ContentDocument"); d != nil && s.byID[id[:15]] == nil {
			document := s.blank(d, id)
			s.place(document)
			return s.fill(document, map[string]any{"Id": id, "Title": values["Title"], "CreatedDate": values["CreatedDate"]})
		}
	case "Account":
		id, _ := values["PersonContactId"].(string)
		if c := s.byID[id[:min(15, len(id))]]; c != nil {
			return s.fill(c, map[string]any{"AccountId": r.id, "IsPersonAccount": true})
		}
	}
	return nil
}

// blank makes an empty record.
func (s *store) blank(o *object, id string) *row {
	r := &row{object: o, seq: len(o.rows), id: id, values: make([]value, len(o.fields))}
	for i := range r.values {
		r.values[i] = value{null: true, encoded: []byte("null")}
	}
	return r
}

// place adds a record to its object.
func (s *store) place(r *row) {
	r.object.rows = append(r.object.rows, r)
	s.byID[r.id[:15]] = r
}

// fill sets fields of a record.
func (s *store) fill(r *row, values map[string]any) error {
	o := r.object
	for name, content := range values {
		n, ok := o.field(name)
		if !ok {
			if (name == "AccountId" || name == "IsPersonAccount") && o.name == "Contact" {
				continue // hidden
			}
			return fmt.Errorf("%s has no field %s", o.name, name)
		}
		v, err := encode(o.fields[n], content)
		if err != nil {
			return fmt.Errorf("%s.%s of %s: %w", o.name, name, r.id, err)
		}
		r.set(n, v)
	}
	o.derive(r)
	return nil
}

// derive fills the fields that Salesforce makes of others.
func (o *object) derive(r *row) {
	set := func(name string, v value) {
		if n, ok := o.field(name); ok {
			r.values[n] = v
		}
	}
	get := func(name string) *value {
		if n, ok := o.field(name); ok && !r.values[n].null {
			return &r.values[n]
		}
		return nil
	}
	set("IsDeleted", flag(!r.deletedAt.IsZero()))
	if v := get("LastModifiedDate"); v != nil {
		set("SystemModstamp", *v)
	} else if v := get("CreatedDate"); v != nil {
		set("SystemModstamp", *v)
		set("LastModifiedDate", *v)
	}
	for i, f := range o.fields {
		if f.typ == boolType && r.values[i].null {
			r.values[i] = flag(false)
		}
	}
	if o.name == "Account" && get("PersonEmail") != nil {
		set("IsPersonAccount", flag(true))
	}
	_, ok1 := o.field("LastName")
	if _, ok := o.field("Name"); ok && ok1 && (o.name != "Account" || get("LastName") != nil) {
		var parts []string
		for _, n := range []string{"FirstName", "LastName"} {
			if v := get(n); v != nil {
				var s string
				if json.Unmarshal(v.encoded, &s) == nil {
					parts = append(parts, s)
				}
			}
		}
		name := strings.Join(parts, " ")
		b, _ := json.Marshal(name)
		set("Name", value{key: fold(name), encoded: b})
	}
}

func flag(yes bool) value {
	if yes {
		return value{yes: true, encoded: []byte("true")}
	}
	return value{encoded: []byte("false")}
}

// wireTime is how Salesforce writes an instant.
const wireTime = "2006-01-02T15:04:05.000-0700"

// encode reads a field's content, as the population or a caller gives it.
func encode(f field, content any) (value, error) {
	b, err := json.Marshal(content)
	if err != nil {
		return value{}, err
	}
	v := value{encoded: b}
	if content == nil {
		v.null = true
		return v, nil
	}
	var ok bool
	switch f.typ {
	case boolType:
		v.yes, ok = content.(bool)
	case numberType:
		switch n := content.(type) {
		case float64:
			v.number, ok = n, true
		case int64:
			v.number, ok = float64(n), true
		}
	case blobType:
		var s string
		if s, ok = content.(string); ok {
			v.blob, err = base64.StdEncoding.DecodeString(s)
		}
	default:
		var s string
		if s, ok = content.(string); !ok {
			break
		}
		switch f.typ {
		case idType:
			if !isID(s) {
				return v, fmt.Errorf("not an id")
			}
			v.key = s[:15]
		case dateType:
			v.at, err = time.Parse(time.DateOnly, s)
		case timeType:
			for _, layout := range []string{wireTime, time.RFC3339} {
				if v.at, err = time.Parse(layout, s); err == nil {
					v.encoded, _ = json.Marshal(v.at.UTC().Format(wireTime))
					break
				}
			}
		default:
			v.key = fold(s)
			// An empty text is found as null is, as in Salesforce; but Salesforce
			// would also answer null, and seeds must come back as they are.
			v.null = s == ""
		}
	}
	if !ok {
		return v, fmt.Errorf("a value of this type doesn't fit")
	}
	return v, err
}

// isID reports whether a text has the form of an id: 15 or 18 letters and digits.
func isID(s string) bool {
	if len(s) != 15 && len(s) != 18 {
		return false
	}
	for i := range len(s) {
		c := s[i]
		if !(c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z') {
			return false
		}
	}
	return true
}
