package manifest

import (
	"fmt"
	"maps"
	"net/mail"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"habeas.dev/pkg/dsar"
)

// Recipient is somebody outside of the company who receives data.
type Recipient struct {
	// Name is what the person is told: of one that can't be named yet, what kind it is.
	Name Text `yaml:"name"`
	// Role is one of [RecipientRoles].
	Role string `yaml:"role"`
	// Does says for what it receives data; it stands in brackets behind the name.
	Does Text `yaml:"does,omitempty"`
	// Country is where it receives data (ISO 3166-1, two letters); empty where it isn't one.
	Country string `yaml:"country,omitempty"`
	// Safeguard is that of a transfer to its country (GDPR art. 46), or the decision that
	// makes one needless (art. 45).
	Safeguard Text `yaml:"safeguard,omitempty"`
	// Safeguards are those by law, by the laws' ids, instead of Safeguard: one law's clauses
	// are none under another.
	Safeguards map[string]Text `yaml:"safeguards,omitempty"`
	// Knows lists the types of identifiers by which it knows people: a notice holds those,
	// and no others.
	Knows []dsar.IdentifierType `yaml:"knows,omitempty"`
	// Told says how it learns of an erasure, a correction or a restriction (GDPR art. 19).
	Told Told `yaml:"told"`
}

// SafeguardUnder returns the safeguard of a transfer to the recipient under a law; nil where
// none is known.
func (r Recipient) SafeguardUnder(law string) Text {
	if len(r.Safeguards) > 0 {
		return r.Safeguards[law]
	}
	return r.Safeguard
}

// The roles of a recipient.
const (
	RoleProcessor  = "processor" // GDPR art. 4(8); a service provider or contractor of Civ. Code 1798.140
	RoleJoint      = "joint-controller"
	RoleThirdParty = "third-party"
	RoleAuthority  = "authority"
)

// RecipientRoles lists the roles.
func RecipientRoles() []string {
	return []string{RoleProcessor, RoleJoint, RoleThirdParty, RoleAuthority}
}

// Told is how a recipient is told.
type Told struct {
	By string `yaml:"by"` // one of [Ways]
	// URL is a webhook's, and Secret the file of what signs notices by webhook and by mail, as
	// Standard Webhooks have it.
	URL    string `yaml:"url,omitempty"`
	Secret string `yaml:"secret_file,omitempty"`
	// Address is where mail goes, and Key the age public key (age1…) to which what mail says
	// of a person is sealed: mail itself is open to who carries it.
	Address string `yaml:"address,omitempty"`
	Key     string `yaml:"key,omitempty"`
	// Language is that of mail to it (BCP 47); empty: English.
	Language string `yaml:"language,omitempty"`
	// System is the installation's system that is with the recipient.
	System string `yaml:"system,omitempty"`
	// Why says, with [TellNobody], why it can't be told or that would be out of proportion:
	// it completes "since", and the person reads it.
	Why Text `yaml:"why,omitempty"`
}

// The ways by which a recipient is told.
const (
	TellWebhook = "webhook"
	TellMail    = "mail"
	TellByHand  = "hand"   // by a person, whom the console shows it to
	TellSystem  = "system" // it needn't be: what is done in one of the installation's systems is done at it
	TellNobody  = "nobody" // it isn't possible, or out of proportion
)

// Ways lists them.
func Ways() []string { return []string{TellWebhook, TellMail, TellByHand, TellSystem, TellNobody} }

// Recipients is a catalogue of recipients, by their ids: lower-case letters, digits,
// hyphens and underscores.
type Recipients map[string]Recipient

// IDs returns the recipients' ids, sorted.
func (c Recipients) IDs() []string { return slices.Sorted(maps.Keys(c)) }

var (
	countryForm = regexp.MustCompile(`^[A-Z]{2}$`)
	ageForm     = regexp.MustCompile(`^age1[a-z0-9]{58}$`)
)

// LoadRecipients reads a catalogue's file.
func LoadRecipients(file string) (Recipients, error) {
	data, err := read(file)
	if err != nil {
		return nil, err
	}
	return ParseRecipients(file, data)
}

// ParseRecipients reads a catalogue, as strictly as [Parse] reads a manifest. The error is
// an [Error].
func ParseRecipients(file string, data []byte) (Recipients, error) {
	var doc struct {
		Recipients Recipients `yaml:"recipients"`
	}
	at := positions{file: file, of: document{name: "a catalogue of recipients", begin: "begin with recipients:", form: "see docs/law.md"}}
	if err := at.decode(data, &doc); err != nil {
		return nil, err
	}
	v := &validation{at: &at}
	for _, id := range doc.Recipients.IDs() {
		v.recipient("recipients."+id, id, doc.Recipients[id])
	}
	if err := v.err(); err != nil {
		return nil, err
	}
	return doc.Recipients, nil
}

func (v *validation) recipient(path, id string, r Recipient) {
	if !purposeForm.MatchString(id) {
		v.add(path, fmt.Sprintf("%q isn't the name of a recipient", id), "use lower-case letters, digits, hyphens and underscores, such as parcel-service")
	}
	v.text(path+".name", r.Name, true)
	v.text(path+".does", r.Does, false)
	v.text(path+".safeguard", r.Safeguard, false)
	for _, law := range slices.Sorted(maps.Keys(r.Safeguards)) {
		v.text(path+".safeguards."+law, r.Safeguards[law], true)
	}
	oneOf(v, path+".role", "role", r.Role, RecipientRoles())
	if r.Country != "" && !countryForm.MatchString(r.Country) {
		v.add(path+".country", fmt.Sprintf("%q isn't a country", r.Country), "write its two letters of ISO 3166-1, such as US")
	}
	if len(r.Safeguard) > 0 && len(r.Safeguards) > 0 {
		v.add(path+".safeguards", "recipient "+id+" has safeguard and safeguards", "write each under its law, in safeguards")
	}
	if r.Country == "" && len(r.Safeguard)+len(r.Safeguards) > 0 {
		v.add(path+".safeguard", "recipient "+id+" has a safeguard and no country", "say to which country the data goes")
	}
	v.identifierTypes(path+".knows", r.Knows)
	if machine := r.Told.By == TellWebhook || r.Told.By == TellMail; machine && len(r.Knows) == 0 {
		v.add(path+".knows", fmt.Sprintf("recipient %s is told by %s, and it isn't said by what it knows people", id, r.Told.By), "add knows: [email], or what else it has of them")
	}
	v.told(path+".told", id, r.Told)
}

func (v *validation) told(path, id string, t Told) {
	oneOf(v, path+".by", "way to tell", t.By, Ways())
	only := func(field, value string, ways ...string) {
		switch is := slices.Contains(ways, t.By); {
		case is && value == "":
			v.add(path, fmt.Sprintf("recipient %s is told by %s, and %s is missing", id, t.By, field), "add "+field+":")
		case !is && value != "":
			v.add(path+"."+field, fmt.Sprintf("recipient %s has a %s and is told by %s", id, field, t.By), "leave it out, or write by: "+strings.Join(ways, " or "))
		}
	}
	only("url", t.URL, TellWebhook)
	only("secret_file", t.Secret, TellWebhook, TellMail)
	only("address", t.Address, TellMail)
	only("key", t.Key, TellMail)
	only("system", t.System, TellSystem)
	only("why", t.Why["en"], TellNobody)
	v.text(path+".why", t.Why, false)
	if u, err := url.Parse(t.URL); t.URL != "" && (err != nil || u.Host == "" || u.Scheme != "https" && u.Hostname() != "localhost" && u.Hostname() != "127.0.0.1") {
		v.add(path+".url", fmt.Sprintf("recipient %s: its url isn't one of https", id), "write https://…; http only to localhost or 127.0.0.1")
	}
	if t.Key != "" && !ageForm.MatchString(t.Key) {
		v.add(path+".key", fmt.Sprintf("recipient %s: its key isn't one of age", id), "write its public key, as age-keygen prints it: age1…")
	}
	if t.Language != "" && !languageForm.MatchString(t.Language) {
		v.add(path+".language", fmt.Sprintf("%q isn't a language", t.Language), "write a BCP 47 tag such as en or fr")
	}
	if a, err := mail.ParseAddress(t.Address); t.Address != "" && (err != nil || a.Address != t.Address) {
		v.add(path+".address", fmt.Sprintf("recipient %s: its address isn't one that mail goes to", id), "write one as in privacy@example.com")
	}
}

// ResolveRecipients looks the manifest's recipients up in a catalogue. What a dataset has
// among them that isn't the form of an id is the manifest's own words, as before there was
// a catalogue: the person reads them, and nobody can be told. An error names a recipient
// that the catalogue doesn't have.
func (m *Manifest) ResolveRecipients(c Recipients) error {
	for i, d := range m.Datasets {
		for j, r := range d.Recipients {
			if _, ok := c[r]; !ok && purposeForm.MatchString(r) {
				return m.problem(index(index("datasets", i)+".recipients", j), fmt.Sprintf("unknown recipient %q", r),
					"name one of the catalogue: "+strings.Join(c.IDs(), ", ")+"; or add it there")
			}
		}
	}
	m.recipients = c
	return nil
}

// Receives returns who receives a dataset, in its order, and their ids; an own word's id is
// empty.
func (m *Manifest) Receives(d *Dataset) (ids []string, all []Recipient) {
	for _, r := range d.Recipients {
		known, ok := m.recipients[r]
		if !ok {
			ids, all = append(ids, ""), append(all, Recipient{Name: Text{"en": r}})
			continue
		}
		ids, all = append(ids, r), append(all, known)
	}
	return ids, all
}

// Receivers returns the recipients of the catalogue that receive data of the system.
func (m *Manifest) Receivers() Recipients {
	out := Recipients{}
	for i := range m.Datasets {
		ids, all := m.Receives(&m.Datasets[i])
		for j, id := range ids {
			if id != "" {
				out[id] = all[j]
			}
		}
	}
	return out
}
