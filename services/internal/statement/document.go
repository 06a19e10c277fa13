package statement

import (
	"slices"
	"time"

	"habeas.dev/pkg/dsar"
	"habeas.dev/services/internal/core"
)

// Format names the form of answer.json and certificate.json.
const Format = "habeas-answer/2"

// Document is an answer: the statements, and what is needed to render them. Page,
// letters and certificate are rendered from it alone (TestRenderersSeeNoState).
type Document struct {
	Format     string     `json:"format"`
	Request    Request    `json:"request"`
	Controller Controller `json:"controller"`
	// Language is the answer's (BCP 47).
	Language string `json:"language"`
	// Vocabulary has the prefixes of the terms.
	Vocabulary map[string]string `json:"vocabulary,omitempty"`
	// Systems are what the request had to reach, as their manifests describe them.
	Systems    []System    `json:"systems"`
	Statements []Statement `json:"statements"`
}

// Request is what was asked.
type Request struct {
	ID string `json:"id"`
	// Right is the one that is answered; Asked is the one that was asked for, where
	// that is another.
	Right dsar.Right `json:"right"`
	Asked dsar.Right `json:"asked,omitempty"`
	// RightTerm is the vocabulary's for the right; empty: it has none.
	RightTerm    string    `json:"right_term,omitempty"`
	Jurisdiction string    `json:"jurisdiction,omitempty"`
	ReceivedAt   time.Time `json:"received_at,omitzero"`
	// Lift tells that the right was undone, not exercised.
	Lift     bool     `json:"lift,omitempty"`
	Purposes []string `json:"purposes,omitempty"`
	// About is the earlier request that an appeal or a complaint is about; in letters only.
	About *core.About `json:"-"`
}

// Day returns a time of a statement as its day is told: in the time zone of the law where it is
// of the request itself, whose days the law counts. What a record is kept until, and what the
// operator has dated, are days in UTC.
func (d *Document) Day(k Kind, at time.Time) time.Time {
	if zone := d.Controller.Zone; zone != nil && k.OfRequest() {
		return at.In(zone)
	}
	return at.UTC()
}

// Controller is who answers, by which law, and what only they can say: plain texts, in
// the language of the answer. What is empty is left out of the page.
type Controller struct {
	// Law is the law's name, as told to the person: "General Data Protection
	// Regulation (GDPR)".
	Law string `json:"law,omitempty"`
	// Entity is who is responsible for the data in the person's region.
	Entity string `json:"entity,omitempty"`
	// Address is the postal address, and Contact how to reach them about this answer.
	Address string `json:"address,omitempty"`
	Contact string `json:"contact,omitempty"`
	// Officer is the data protection officer, and Representative the one in the region,
	// each with how to reach them.
	Officer        string `json:"officer,omitempty"`
	Representative string `json:"representative,omitempty"`
	// Zone is the time zone by whose days the law counts; nil: UTC.
	Zone *time.Location `json:"-"`
	// Grants are the rights that the law gives; the page says what each other one means.
	Grants []dsar.Right `json:"grants,omitempty"`
	// Rights are further things that the person can ask for: "to …", "de …".
	Rights []string `json:"rights,omitempty"`
	// Complaint says to whom the person can complain, one authority each.
	Complaint []Authority `json:"complaint_to,omitempty"`
	// Automated says whether decisions are made by machine alone, and on which
	// logic (GDPR art. 15(1)(h)).
	Automated string `json:"automated,omitempty"`
	// Transfers says to where data goes, and under which safeguards (art. 15(2)).
	Transfers string `json:"transfers,omitempty"`
	// Abroad reports whether the law wants it told that data is received in a country (ISO
	// 3166-1); nil: of none.
	Abroad func(country string) bool `json:"-"`
	// Also are further sentences that the law asks for, e.g. that nothing was sold
	// (California).
	Also []string `json:"also,omitempty"`
	// Categories asks for the table of categories, sources, purposes and recipients
	// (Civ. Code 1798.110). It is always there for know-categories.
	Categories bool `json:"categories,omitempty"`
	// Refusal names a ground on which the law lets a part be refused, with the article.
	Refusal func(ground string) (title, source string) `json:"-"`
}

// Authority is where a person can complain.
type Authority struct {
	Name    string `json:"name"`
	Address string `json:"address,omitempty"`
	URL     string `json:"url,omitempty"` // https://…; anything else is shown as text, not as a link
}

// System is a system as its manifest describes it, in the answer's language.
type System struct {
	System   string    `json:"system"`
	Title    string    `json:"title"`
	Datasets []Dataset `json:"datasets"`
	// Needs are the identifier types that it can be asked by, Finds those that it finds.
	Needs []dsar.IdentifierType `json:"-"`
	Finds []dsar.IdentifierType `json:"-"`
	// Limits says what the person can no longer use once the data is gone.
	Limits string `json:"-"`
	// Backups is for how long backups hold what was erased; empty: it isn't known.
	Backups string `json:"-"`
	// Uses are what its data is used for.
	Uses []Use `json:"-"`
}

// Dataset is a dataset as its manifest describes it.
type Dataset struct {
	Dataset  string `json:"dataset"`
	Title    string `json:"title"`
	Category string `json:"category"`
	Origin   string `json:"origin"`
	Purpose  string `json:"purpose"`
	// Purposes are the titles that Purpose joins.
	Purposes   []string `json:"-"`
	LegalBasis string   `json:"legal_basis"`
	Recipients []string `json:"recipients"`
	// Receives are those of the recipients that the catalogue has.
	Receives []Recipient `json:"-"`
	// Outside are the recipients that the catalogue doesn't have, by their names.
	Outside []string `json:"-"`
	// Marks are those of the purposes that it is used for ([manifest.PurposeMarks]); nil where
	// that isn't known.
	Marks     []string `json:"-"`
	Storage   string   `json:"storage"`
	Sensitive bool     `json:"sensitive,omitempty"`
	// Columns are those that differ from the dataset, whole: what they don't say
	// themselves is the dataset's.
	Columns []Differing `json:"columns,omitempty"`
	// Terms say the same in those of the vocabulary.
	Terms *Terms `json:"terms,omitempty"`
	// AllDiffer tells that there is no other column.
	AllDiffer bool `json:"-"`
	// GoesWith is the dataset with which its records are found and erased, uncounted.
	GoesWith string `json:"-"`
	// Column and Ground name a column, and a ground for keeping records, with the
	// article, as the manifest does.
	Column func(name string) string                   `json:"-"`
	Ground func(ground string) (title, source string) `json:"-"`
}

// Differing is a column that isn't in all what its dataset is.
type Differing struct {
	Column
	Category string `json:"category"`
	Origin   string `json:"origin"`
	Purpose  string `json:"purpose"`
	// Purposes are the titles that Purpose joins.
	Purposes   []string `json:"-"`
	LegalBasis string   `json:"legal_basis"`
	Sensitive  bool     `json:"sensitive,omitempty"`
}

// Basis returns the legal basis of columns that a statement names, or else the dataset's.
func (d *Dataset) Basis(of []Column) string {
	for _, c := range d.Columns {
		if len(of) > 0 && c.Column == of[0] {
			return c.LegalBasis
		}
	}
	return d.LegalBasis
}

// Of returns the statements of one of the kinds, in order.
func (d *Document) Of(kinds ...Kind) []Statement {
	var out []Statement
	for _, s := range d.Statements {
		if slices.Contains(kinds, s.Kind()) {
			out = append(out, s)
		}
	}
	return out
}

// Says reports whether there is a statement of the kind.
func (d *Document) Says(k Kind) bool {
	return slices.ContainsFunc(d.Statements, func(s Statement) bool { return s.Kind() == k })
}

// System returns a system's description; nil where there is none.
func (d *Document) System(name string) *System {
	for i := range d.Systems {
		if d.Systems[i].System == name {
			return &d.Systems[i]
		}
	}
	return nil
}

// Dataset returns a dataset's description; nil where there is none.
func (s *System) Dataset(name string) *Dataset {
	for i := range s.Datasets {
		if s.Datasets[i].Dataset == name {
			return &s.Datasets[i]
		}
	}
	return nil
}

// Undescribed returns systems as the journal knows them, for who has no manifests: their
// names, what they need and find, and the datasets that were counted.
func Undescribed(systems []dsar.System, told *core.Answer) []System {
	var out []System
	for _, sys := range systems {
		s := System{System: sys.Name, Title: sys.Name, Needs: sys.Needs, Finds: sys.Finds}
		add := func(name string) {
			if s.Dataset(name) == nil {
				s.Datasets = append(s.Datasets, Dataset{Dataset: name, Title: name})
			}
		}
		for _, part := range told.Systems {
			for _, end := range part.Ends {
				for _, c := range end.Counts {
					if part.System == sys.Name {
						add(c.Dataset)
					}
				}
			}
		}
		for _, k := range told.Kept {
			if k.System == sys.Name {
				add(k.Dataset)
			}
		}
		out = append(out, s)
	}
	return out
}
