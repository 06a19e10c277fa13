// Package manifest reads what a system says of itself: what it can do, which
// identifiers it needs and finds, and which datasets it holds.
//
// A manifest is a YAML file, schemas/manifest.schema.json is its contract for
// editors, and [Parse] is the judge: it accepts nothing that the schema refuses
// (TestSchemaAgrees) and checks besides what a schema can't, such as a retention
// rule that names a column which isn't there. What it refuses, it refuses in one
// line that says where, what, and what to do.
//
// Stability: stable: a name that changes stands in the CHANGELOG.
package manifest

import (
	"slices"
	"time"

	"go.yaml.in/yaml/v3"

	"habeas.dev/pkg/dsar"
)

// Text is a text by language (BCP 47: en, fr). English is always there.
type Text map[string]string

// In returns the text in a language, or in English where it lacks that one.
func (t Text) In(lang string) string {
	if s := t[lang]; s != "" {
		return s
	}
	return t["en"]
}

// Origin says where a dataset's content comes from (GDPR art. 15(1)(g)).
// Portability covers what was provided or observed only (art. 20).
type Origin string

// The origins.
const (
	Provided Origin = "provided" // by the person
	Observed Origin = "observed" // of what the person did
	Received Origin = "received" // from somebody else
	Derived  Origin = "derived"  // worked out from other data
)

// Manifest is one system's declaration.
type Manifest struct {
	// System is the system's name: lower-case letters, digits, hyphens and
	// underscores, at most 63; it is part of its topic's name. Not "aggregator".
	System string `yaml:"system"`
	Title  Text   `yaml:"title"`
	// Abilities lists what its worker can do: resolve, gather, erase, rectify,
	// restrict. What a system can't do, a person must.
	Abilities []dsar.Action `yaml:"abilities"`
	// Needs lists the identifier types that the system can be asked by: one is
	// enough.
	Needs []dsar.IdentifierType `yaml:"needs"`
	// Finds lists the identifier types that the system's resolve can return.
	Finds []dsar.IdentifierType `yaml:"finds,omitempty"`
	// Scope says whose an identifier type is: [ScopeShared], [ScopeOwn] or [ScopeGiven].
	// A type that the system finds and that isn't shared is its own: [Parse] writes it
	// with the system's name before it, desk.user_id, wherever the manifest has it.
	Scope map[dsar.IdentifierType]string `yaml:"scope,omitempty"`
	// EraseAfter lists the systems that must have been erased before this one.
	EraseAfter []string `yaml:"erase_after,omitempty"`
	// MaxRecords is the number of one person's records from which an erasure stops
	// for a person to look; 0 means [dsar.DefaultMaxRecords].
	MaxRecords int64 `yaml:"max_records,omitempty"`
	// Lease is how long a task may go unheard of, written as 10m; 0 means
	// [dsar.DefaultLease], and [dsar.MaxLease] is the longest.
	Lease time.Duration `yaml:"lease,omitempty"`
	// Constraints lists names of constraints, triggers and rules that may stand in the open
	// where one refuses. One that is made of names of the manifest and of what databases
	// add (users_email_key) needn't be listed; any other is sealed with the worker's words.
	Constraints []string `yaml:"constraints,omitempty"`
	// Holds tells that its worker keeps a single dataset from being erased where
	// a task asks for it; those of databases and lakes always do. Where a worker doesn't, a
	// hold on one dataset is one on the whole system.
	Holds bool `yaml:"holds,omitempty"`
	// RestrictsForGood says that its worker can't undo a restriction: where it is
	// to be lifted, a person must.
	RestrictsForGood bool `yaml:"restricts_for_good,omitempty"`
	// Limits says what the person can no longer use where what this system holds is
	// restricted or erased: the answer tells them (privacy notice, N14).
	Limits Text `yaml:"limits,omitempty"`
	// Backups is for how long, at most, backups of the system hold what was erased in it:
	// a period such as P35D. The certificate says until when that is; empty: it says
	// nothing of backups.
	Backups string `yaml:"backups,omitempty"`
	// FinancialYearEnds is the last day of the company's financial year, as 12-31, which it
	// is where nothing is said.
	FinancialYearEnds string `yaml:"financial_year_ends,omitempty"`
	// Processing is what the record of processing activities (GDPR art. 30) says
	// of the system beside its datasets.
	Processing *Processing `yaml:"processing,omitempty"`
	Datasets   []Dataset   `yaml:"datasets"`
	// SQL is set where the system is served by pkg/sqlsystem.
	SQL *SQL `yaml:"sql,omitempty"`
	// HTTP is set where the system is served by a service that is called over HTTP.
	HTTP *HTTP `yaml:"http,omitempty"`
	// Lake is set where the system's records lie in tables of Apache Iceberg.
	Lake *Lake `yaml:"lake,omitempty"`

	at       positions
	purposes Purposes // set by Resolve

	recipients Recipients // set by ResolveRecipients
}

// Processing is what the record of processing activities (GDPR art. 30) says of a
// system beside its datasets.
type Processing struct {
	// Subjects lists the categories of people whose data it is (art. 30(1)(c)).
	Subjects Text `yaml:"subjects"`
	// Security is what protects it, in general (art. 30(1)(g)).
	Security Text `yaml:"security,omitempty"`
}

// Dataset is one kind of record that a system holds of a person.
type Dataset struct {
	// Name is part of file names in the bundle: letters, digits, hyphens and
	// underscores, at most 64.
	Name     string `yaml:"name"`
	Title    Text   `yaml:"title"`
	Category string `yaml:"category"` // one of [Categories]
	Origin   Origin `yaml:"origin"`
	// Purposes names what it is used for, of the installation's catalogue ([Purposes]).
	Purposes []string `yaml:"purposes,omitempty"`
	// Purpose and LegalBasis say the same in words of the manifest's own, where it names
	// no purpose of the catalogue; [Manifest.Resolve] fills them in where it does.
	Purpose    Text   `yaml:"purpose"`
	LegalBasis string `yaml:"legal_basis"` // consent, contract, legal-obligation, vital-interest, public-task or legitimate-interest
	bases      []string
	// Recipients names who receives it, of the installation's catalogue ([Recipients]).
	Recipients []string `yaml:"recipients,omitempty"`
	Storage    Text     `yaml:"storage"` // storage period or its criteria, as told to the person
	// Stored is the same as data, where it is one period from one date: a manifest writes it
	// beside the texts, storage: {en: Six months, period: P6M, from: called_at}.
	Stored *Stored `yaml:"-"`
	// Sensitive marks data of a special category (GDPR art. 9; Civ. Code 1798.140(ae)).
	Sensitive bool `yaml:"sensitive,omitempty"`
	// Counted is what one record is called, and several, by language: [invoice, invoices].
	// The answer's story counts them so; a dataset without is one of "others" there.
	Counted map[string][]string `yaml:"counted,omitempty"`
	// Dated is the column with the date that a record is of, by which an answer puts it into a
	// year; empty: the first of type date or datetime, see [Dataset.DateColumn].
	Dated string `yaml:"dated,omitempty"`
	// File says which of its columns hold a file: the answer has it as one.
	File *File `yaml:"file,omitempty"`
	// Contact, Event and Message say what programs its records are for, besides: those that the
	// person has open them.
	Contact *Contact `yaml:"contact,omitempty"`
	Event   *Event   `yaml:"event,omitempty"`
	Message *Message `yaml:"message,omitempty"`
	// Since is the column with the day since which the person is a customer, where this dataset
	// says it.
	Since string `yaml:"since,omitempty"`
	// GoesWith names a dataset of the same system with whose records this one's
	// are erased. They are gathered, and not counted by themselves.
	GoesWith string   `yaml:"goes_with,omitempty"`
	Columns  []Column `yaml:"columns"`
	// Retention lists the duties and claims under which records must stay; a record
	// stays as long as the longest of them.
	Retention []Retention `yaml:"retention,omitempty"`
	// Others says what of the records is about other people (GDPR art. 15(4),
	// 20(4)).
	Others []Others `yaml:"others,omitempty"`
	// SQL says how pkg/sqlsystem reads and erases it.
	SQL *DatasetSQL `yaml:"sql,omitempty"`
	// Lake says in which table of a lake it lies.
	Lake *DatasetLake `yaml:"lake,omitempty"`
	// Worker is what the system's own worker wants to know of the dataset, in that
	// worker's words and checked by it: see [Manifest.WorkerSettings].
	Worker yaml.Node `yaml:"worker,omitempty"`
}

// File says that a dataset's records hold a file each.
type File struct {
	// Content is the column with what is in it, in base64.
	Content string `yaml:"content"`
	// Name is the column with its name; empty: it has none.
	Name string `yaml:"name,omitempty"`
}

// Column is one field of a dataset's records. The order of the columns is the
// order in every bundle.
type Column struct {
	Name  string `yaml:"name"`
	Title Text   `yaml:"title,omitempty"`
	Type  string `yaml:"type,omitempty"` // one of [ColumnTypes]; empty means string
	// Unit is that in which a database's column counts moments from the beginning of 1970
	// on: one of [Units]. Empty: it holds dates.
	Unit string `yaml:"unit,omitempty"`
	// Encoding is how a database's column writes its content: some of [Encodings], the
	// outermost first.
	Encoding []string `yaml:"encoding,omitempty"`
	// Concept is what the column means, such as contact.phone, by which a correction reaches
	// it whatever its name is: one of [Concepts], or one of the installation's own.
	Concept string `yaml:"concept,omitempty"`
	// Secret marks what no answer discloses, under any law.
	Secret Secret `yaml:"secret,omitempty"`
	// Category, Origin, Purposes and Sensitive are the column's own, where it differs from
	// its dataset in them; its legal basis is that of its purposes. [Dataset.NatureOf] has
	// the whole.
	Category  string   `yaml:"category,omitempty"`
	Origin    Origin   `yaml:"origin,omitempty"`
	Purposes  []string `yaml:"purposes,omitempty"`
	Sensitive bool     `yaml:"sensitive,omitempty"`

	// Set by Resolve where Purposes are.
	purpose    Text
	legalBasis string
}

// Others is a rule about other people's data in a record, as in a ticket that
// several write to. Nobody is answered with that.
type Others struct {
	// Columns are the columns with data about others.
	Columns []string `yaml:"columns"`
	// When says to which records the rule applies, by what columns hold; none: to
	// all of them.
	When map[string]string `yaml:"when,omitempty"`
	// Unless says which records are the person's own: those in which one of these
	// columns holds the person's identifier of that type. None: no record is.
	Unless map[dsar.IdentifierType]string `yaml:"unless,omitempty"`
	// Then is [OthersRedact] or [OthersPerson]: the columns are redacted, which is the
	// default, or a person looks at the records before anything is disclosed.
	Then string `yaml:"then,omitempty"`
}

// Retention is a duty or claim under which records must stay for a while.
type Retention struct {
	Ground string `yaml:"ground"` // tax-records, accounting, legal-claims
	Source string `yaml:"source"` // the law's article
	// Sources are the articles by the ids of laws (EEA, California), where laws have their
	// own: who asks under one that isn't there is told none, instead of another's.
	Sources map[string]string `yaml:"sources,omitempty"`
	Title   Text              `yaml:"title"`
	// Column is the date from which the period runs; a manifest may write it as from.
	Column string `yaml:"column"`
	From   string `yaml:"from,omitempty"`
	// ToEndOf has the period run from the end of the [Year], [FinancialYear] or [Month] that
	// the date is in; empty: from the date.
	ToEndOf string `yaml:"to_end_of,omitempty"`
	Period  string `yaml:"period"` // see [ParsePeriod] and [Manifest.Span]
	// Periods are the periods by the ids of laws, where laws have their own: [NoPeriod] where a
	// law has no such duty ([Manifest.SpanUnder]). Under any other Period counts.
	Periods map[string]string `yaml:"periods,omitempty"`
	// Undated says what happens to a record without that date. It must stay, with
	// no known end, which is the default: what is still open has no date yet. Or
	// it may go, since without a date (of a dispute, say) there is no duty.
	Undated string `yaml:"undated,omitempty"` // [UndatedStay] or [UndatedGo]
}

// Stored is a storage period as data: what lies beyond it should be gone ([Period]).
type Stored struct {
	Period  string // see [ParsePeriod]
	From    string // the column with the date from which it runs
	ToEndOf string // as [Retention.ToEndOf]
}

// StoredAsData reports whether some dataset says its storage period as data.
func (m *Manifest) StoredAsData() bool {
	return slices.ContainsFunc(m.Datasets, func(d Dataset) bool { return d.Stored != nil })
}

// Rule returns the period as a rule of retention has it, without a ground.
func (s *Stored) Rule() *Retention {
	return &Retention{Column: s.From, Period: s.Period, ToEndOf: s.ToEndOf, Undated: UndatedGo}
}

// SourceUnder returns the article that is quoted to who asks under a law; empty: none.
func (r *Retention) SourceUnder(law string) string {
	if len(r.Sources) > 0 {
		return r.Sources[law]
	}
	return r.Source
}

// Definition returns the part of the manifest that the core needs; it is recorded
// with each request.
func (m *Manifest) Definition() dsar.System {
	return dsar.System{
		Name:       m.System,
		Abilities:  slices.Clone(m.Abilities),
		Needs:      slices.Clone(m.Needs),
		Finds:      slices.Clone(m.Finds),
		Links:      m.links(),
		EraseAfter: slices.Clone(m.EraseAfter),
		MaxRecords: m.MaxRecords,
		Lease:      m.Lease,
		Holds:      m.KeepsSingle(),
		Purposes:   m.UsedFor().IDs(),
	}
}

// KeepsSingle reports whether the system's worker keeps single datasets and records from
// being erased.
func (m *Manifest) KeepsSingle() bool { return m.Holds || m.SQL != nil || m.Lake != nil }

// Can reports whether the system has the ability that an action takes.
func (m *Manifest) Can(a dsar.Action) bool { return slices.Contains(m.Abilities, a.Ability()) }

// Dataset returns a dataset by name, or nil.
func (m *Manifest) Dataset(name string) *Dataset {
	for i := range m.Datasets {
		if m.Datasets[i].Name == name {
			return &m.Datasets[i]
		}
	}
	return nil
}

// DateColumn returns the column with the date that a record is of; empty where there is none.
func (d *Dataset) DateColumn() string {
	if d.Dated != "" {
		return d.Dated
	}
	for _, c := range d.Columns {
		if (c.Type == "date" || c.Type == "datetime") && c.Concept != birthDate && c.Secret == "" {
			return c.Name
		}
	}
	return ""
}

// Column returns a column by name, or nil.
func (d *Dataset) Column(name string) *Column {
	for i := range d.Columns {
		if d.Columns[i].Name == name {
			return &d.Columns[i]
		}
	}
	return nil
}
