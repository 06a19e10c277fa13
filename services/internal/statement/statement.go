package statement

import (
	"encoding/json"
	"time"

	"habeas.dev/pkg/dsar"
	"habeas.dev/services/internal/core"
)

// Kind is what a statement says, apart from its values.
type Kind string

// Statement is one sentence of an answer, with the facts that it rests on. Only this
// package makes one, and only where its condition holds of those facts ([Make],
// TestNoFactNoStatement); who reads an answer.json reads plain [Said] values.
type Statement struct{ said Said }

// Said is a statement as answer.json has it.
type Said struct {
	Kind Kind `json:"kind"`
	// System, Dataset and Column say of what; empty where it is of the request.
	System  string `json:"system,omitempty"`
	Dataset string `json:"dataset,omitempty"`
	Values
	// Text is the sentence, in the answer's language.
	Text string `json:"text,omitempty"`
	// Facts are what it rests on, by their places in the request's journal.
	Facts []core.Cited `json:"facts"`
}

// Values are what a statement says beside its kind; each kind has its own
// (schemas/answer.schema.json).
type Values struct {
	Records int64 `json:"records,omitempty"`
	// At is when it was done, Until when it ends or is due; both to the second.
	At    time.Time `json:"at,omitzero"`
	Until time.Time `json:"until,omitzero"`
	// Ground is why something must stay, or is refused: the manifest's or the law's name
	// for it, its title in the answer's language, and the article.
	Ground string `json:"ground,omitempty"`
	Title  string `json:"title,omitempty"`
	Source string `json:"source,omitempty"`
	// Why is a code: why records are left out, or of what kind a hidden column is.
	Why     string                `json:"why,omitempty"`
	Types   []dsar.IdentifierType `json:"types,omitempty"`
	Systems []string              `json:"systems,omitempty"`
	Columns []Column              `json:"columns,omitempty"`
	// Corrections are old and new of fields that were corrected, where that is known.
	Corrections []Correction `json:"corrections,omitempty"`
	Uses        []Use        `json:"uses,omitempty"`
	// Recipients receive data, in Country (ISO 3166-1), under Safeguard.
	Recipients []Recipient `json:"recipients,omitempty"`
	Country    string      `json:"country,omitempty"`
	Safeguard  string      `json:"safeguard,omitempty"`
	Files      []string    `json:"files,omitempty"`
	// Years are how many records are of each year, in order; those without a date are of none.
	Years  []Year       `json:"years,omitempty"`
	Checks []dsar.Check `json:"checks,omitempty"`
	// Days and Months are how long something is kept, Requests how many requests it was of.
	Days     int `json:"days,omitempty"`
	Months   int `json:"months,omitempty"`
	Requests int `json:"requests,omitempty"`
	// Right is what was asked for, or is answered instead.
	Right dsar.Right `json:"right,omitempty"`
	// With is the dataset that something goes with; Table one that isn't declared.
	With  string `json:"with,omitempty"`
	Table string `json:"table,omitempty"`
	// Reason is in the words of the person who wrote it, or of the operator.
	Reason     string      `json:"reason,omitempty"`
	Identifier *Identifier `json:"identifier,omitempty"`
	// Paused tells that the clock stands, Starts that it begins with the proof, and
	// MayExtend that the law lets it run longer.
	Paused    bool `json:"paused,omitempty"`
	Starts    bool `json:"starts,omitempty"`
	MayExtend bool `json:"may_extend,omitempty"`
	// Number is the id of an earlier request. Another tells that somebody else decides than
	// did then, Reopened that it was taken up again.
	Number   string `json:"number,omitempty"`
	Another  bool   `json:"another,omitempty"`
	Reopened bool   `json:"reopened,omitempty"`
}

// Use is what data is used for, with its title and the reason why it goes on in spite of
// an objection, where it does, in the answer's language.
type Use struct {
	Purpose    string `json:"purpose"`
	Title      string `json:"title"`
	LegalBasis string `json:"legal_basis"`
	Compelling string `json:"compelling,omitempty"`
	// Logic says what a decision by machine alone goes by.
	Logic string `json:"logic,omitempty"`
	// Marks are the purpose's ([manifest.PurposeMarks]).
	Marks []string `json:"-"`
}

// Recipient is somebody who receives data, as the catalogue of recipients has it, in the
// answer's language.
type Recipient struct {
	Recipient string `json:"recipient"`
	Name      string `json:"name"`
	Role      string `json:"role"`
	Does      string `json:"does,omitempty"`
	// Country (ISO 3166-1) and Safeguard are of the transfer to it.
	Country   string `json:"-"`
	Safeguard string `json:"-"`
	// Why says why it can't be told of changes; empty: it can.
	Why string `json:"-"`
}

// Year is how many records are of a year.
type Year struct {
	Year    int   `json:"year"`
	Records int64 `json:"records"`
}

// Column is a column of a dataset, with its title in the answer's language.
type Column struct {
	Column string `json:"column"`
	Title  string `json:"title"`
}

// Correction is what a field held before it was corrected, and what was written into it.
// What is never shown is masked in both.
type Correction struct {
	Column
	// Was are the other values that were held, each once; the empty text where nothing was,
	// and no value where it was so already.
	Was []string `json:"was"`
	Is  string   `json:"is"`
	// WasShown and IsShown are the same as people read it.
	WasShown []string `json:"-"`
	IsShown  string   `json:"-"`
}

// Identifier is one of the identifiers by which the person was looked for, in the
// clear, and how it became known.
type Identifier struct {
	Type     dsar.IdentifierType `json:"type"`
	Value    string              `json:"value"`
	Verified bool                `json:"verified"`
	// FoundBy is the system that found it; empty where the request gave it.
	FoundBy string `json:"found_by,omitempty"`
	// FromType and FromValue are the identifier that it was found by.
	FromType  dsar.IdentifierType `json:"from_type,omitempty"`
	FromValue string              `json:"from_value,omitempty"`
}

// Kind returns what it says.
func (s Statement) Kind() Kind { return s.said.Kind }

// System returns the system that it speaks of; empty where it speaks of the request.
func (s Statement) System() string { return s.said.System }

// Dataset returns the dataset that it speaks of; empty where it speaks of more.
func (s Statement) Dataset() string { return s.said.Dataset }

// Values returns what it says beside its kind.
func (s Statement) Values() Values { return s.said.Values }

// Facts returns what it rests on.
func (s Statement) Facts() []core.Cited { return s.said.Facts }

// Said returns it as answer.json has it.
func (s Statement) Said() Said { return s.said }

// Encode writes it as answer.json has it, with the encoder's own manners: most of an answer
// is statements, which a marshaler would write twice.
func (s *Statement) Encode(to *json.Encoder) error { return to.Encode(&s.said) }

// MarshalJSON writes it as answer.json has it.
func (s Statement) MarshalJSON() ([]byte, error) { return json.Marshal(s.said) }
