package manifest

import "fmt"

// Contact says which columns of a dataset say how somebody is reached: the answer has its
// records as cards of an address book, too. Where a dataset says nothing, the concepts of its
// columns do ([Dataset.AsContact]).
type Contact struct {
	Name         string `yaml:"name,omitempty"`
	GivenName    string `yaml:"given_name,omitempty"`
	FamilyName   string `yaml:"family_name,omitempty"`
	BirthDate    string `yaml:"birth_date,omitempty"`
	Email        string `yaml:"email,omitempty"`
	Phone        string `yaml:"phone,omitempty"`
	Address      string `yaml:"address,omitempty"` // the whole of it, in one column
	Street       string `yaml:"street,omitempty"`
	City         string `yaml:"city,omitempty"`
	PostalCode   string `yaml:"postal_code,omitempty"`
	Country      string `yaml:"country,omitempty"`
	Organisation string `yaml:"organisation,omitempty"`
	Department   string `yaml:"department,omitempty"`
	Role         string `yaml:"role,omitempty"`
	Note         string `yaml:"note,omitempty"`
}

// Event says which columns of a dataset say what takes place and when: the answer has its
// records as entries of a calendar, too.
type Event struct {
	Title string `yaml:"title"`
	Start string `yaml:"start"` // a date, or a moment
	End   string `yaml:"end,omitempty"`
	Place string `yaml:"place,omitempty"`
	Text  string `yaml:"text,omitempty"`
}

// Message says which columns of a dataset hold messages: the answer has its records as
// files that mail programs open, too.
type Message struct {
	Sent    string `yaml:"sent"` // a date, or a moment
	Subject string `yaml:"subject,omitempty"`
	Text    string `yaml:"text,omitempty"`
	From    string `yaml:"from,omitempty"`
	To      string `yaml:"to,omitempty"`
}

// AsContact returns which columns say how somebody is reached: as the dataset says, or else by
// the concepts of its columns, where they have a name and a way to reach who bears it; nil
// where there are none, or the records are events or messages.
func (d *Dataset) AsContact() *Contact {
	if d.Contact != nil || d.Event != nil || d.Message != nil {
		return d.Contact
	}
	c := &Contact{}
	for i := range d.Columns {
		if of := c.field(d.Columns[i].Concept); of != nil && *of == "" {
			*of = d.Columns[i].Name
		}
	}
	if named := c.Name != "" || c.GivenName != "" || c.FamilyName != ""; !named || c.Email == "" && c.Phone == "" && c.Address == "" && c.Street == "" {
		return nil
	}
	return c
}

// field returns the field of a concept; nil: a card has none for it.
func (c *Contact) field(concept string) *string {
	switch concept {
	case "person.name":
		return &c.Name
	case "person.given_name":
		return &c.GivenName
	case "person.family_name":
		return &c.FamilyName
	case birthDate:
		return &c.BirthDate
	case "contact.email":
		return &c.Email
	case "contact.phone":
		return &c.Phone
	case "contact.postal_address":
		return &c.Address
	case "contact.street":
		return &c.Street
	case "contact.city":
		return &c.City
	case "contact.postal_code":
		return &c.PostalCode
	case "contact.country":
		return &c.Country
	case "organisation.name":
		return &c.Organisation
	case "organisation.department":
		return &c.Department
	case "organisation.role":
		return &c.Role
	default:
		return nil
	}
}

// apps checks what a dataset says of itself as contacts, events or messages.
func (v *validation) apps(path string, d *Dataset) {
	said := map[string][][2]string{}
	if c := d.Contact; c != nil {
		said["contact"] = [][2]string{{"name", c.Name}, {"given_name", c.GivenName}, {"family_name", c.FamilyName}, {"birth_date", c.BirthDate}, {"email", c.Email}, {"phone", c.Phone}, {"address", c.Address}, {"street", c.Street},
			{"city", c.City}, {"postal_code", c.PostalCode}, {"country", c.Country}, {"organisation", c.Organisation}, {"department", c.Department}, {"role", c.Role}, {"note", c.Note}}
		if c.Name == "" && c.GivenName == "" && c.FamilyName == "" && c.Organisation == "" {
			v.add(path+".contact", "contact names no column with a name", "add name:, given_name: and family_name:, or organisation:")
		}
	}
	if e := d.Event; e != nil {
		said["event"] = [][2]string{{"title", e.Title}, {"start", e.Start}, {"end", e.End}, {"place", e.Place}, {"text", e.Text}}
		v.must(path+".event", "title", e.Title)
		v.must(path+".event", "start", e.Start)
	}
	if m := d.Message; m != nil {
		said["message"] = [][2]string{{"sent", m.Sent}, {"subject", m.Subject}, {"text", m.Text}, {"from", m.From}, {"to", m.To}}
		v.must(path+".message", "sent", m.Sent)
	}
	for kind, fields := range said {
		for _, f := range fields {
			if f[1] == "" {
				continue
			}
			switch c := d.Column(f[1]); {
			case c == nil:
				v.add(path+"."+kind+"."+f[0], fmt.Sprintf("%s names the unknown column %q", kind, f[1]), "name one of its columns: "+columnNames(d))
			case c.Secret.Hides():
				v.add(path+"."+kind+"."+f[0], fmt.Sprintf("%s names the column %q, which is a secret", kind, f[1]), "leave it out: it is shown nowhere")
			}
		}
	}
	if len(said) > 1 {
		v.add(path, "the records are several of contact, event and message", "leave the one that they are foremost")
	}
}

// must reports a column that isn't named.
func (v *validation) must(path, field, name string) {
	if name == "" {
		v.add(path+"."+field, field+" is missing", "name its column")
	}
}
