package words

import (
	"habeas.dev/pkg/dsar"
	"habeas.dev/pkg/manifest"
)

// Answer is everything that the page of an answer says, the manifests' and the
// law's own texts aside. A text that holds a %s or %d is a format.
type Answer struct {
	*Language `yaml:"-"`
	// By right.
	Title map[dsar.Right]string `yaml:"title"`
	Lead  map[dsar.Right]string `yaml:"lead"`
	// Of an answer that may tell nothing of the person.
	UnprovenTitle      string `yaml:"unproven_title"`
	UnprovenLead       string `yaml:"unproven_lead"`
	UnprovenCategories string `yaml:"unproven_categories"`

	// Instead of the right's, where it was undone.
	LiftedTitle   string  `yaml:"lifted_title"`
	LiftedLead    string  `yaml:"lifted_lead"`
	Lifted        string  `yaml:"lifted"`
	LiftedOutcome Outcome `yaml:"lifted_outcome"`
	// What was corrected, and what was left as it was.
	FieldsChanged string `yaml:"fields_changed"`
	LeftUnchanged string `yaml:"left_unchanged"`
	LegalHold     string `yaml:"legal_hold"`
	Purposes      string `yaml:"purposes"`
	// Nothing replaces the lead where no system holds anything.
	Nothing        string `yaml:"nothing"`
	NothingChanged string `yaml:"nothing_changed"`
	// NothingElse does where an earlier erasure had to keep something.
	NothingElse string `yaml:"nothing_else"`
	// NothingWithout follows them where identifiers were not used.
	NothingWithout string `yaml:"nothing_without"`

	// Around the page.
	Skip          string `yaml:"skip"`
	Contents      string `yaml:"contents"`
	RequestNumber string `yaml:"request_number"`
	Received      string `yaml:"received"`
	AnsweredBy    string `yaml:"answered_by"`
	Law           string `yaml:"law"`
	Contact       string `yaml:"contact"`
	FoundIn       string `yaml:"found_in"` // "%s in %s": records, systems

	// At a glance.
	Overview string `yaml:"overview"`
	System   string `yaml:"system"`
	Result   string `yaml:"result"`
	Records  string `yaml:"records"`
	Kept     string `yaml:"kept"`

	// A system and its datasets.
	Systems       string `yaml:"systems"`
	Category      string `yaml:"category"`
	Origin        string `yaml:"origin"`
	Purpose       string `yaml:"purpose"`
	LegalBasis    string `yaml:"legal_basis"`
	Recipients    string `yaml:"recipients"`
	Storage       string `yaml:"storage"`
	NoRecipients  string `yaml:"no_recipients"`
	EmptyDatasets string `yaml:"empty_datasets"` // "%s": names
	Preview       string `yaml:"preview"`        // "%s of %s": numbers
	Files         string `yaml:"files"`
	AsTable       string `yaml:"as_table"`
	AsJSON        string `yaml:"as_json"`
	Field         string `yaml:"field"`
	Value         string `yaml:"value"`
	Yes           string `yaml:"yes"`
	No            string `yaml:"no"`
	Hidden        string `yaml:"hidden"`
	OthersHidden  string `yaml:"others_hidden"`
	NoValue       string `yaml:"no_value"`

	// Erasure and the rights that change something.
	Dataset     string `yaml:"dataset"`
	Found       string `yaml:"found"`
	Erased      string `yaml:"erased"`
	Anonymised  string `yaml:"anonymised"`
	Gone        string `yaml:"gone"`
	Rectified   string `yaml:"rectified"`
	Restricted  string `yaml:"restricted"`
	KeptTitle   string `yaml:"kept_title"`
	KeptLead    string `yaml:"kept_lead"`
	KeptLocked  string `yaml:"kept_locked"` // where all of it is flagged
	KeptSince   string `yaml:"kept_since"`  // of what an earlier erasure had to keep
	KeptUntil   string `yaml:"kept_until"`
	KeptNoEnd   string `yaml:"kept_no_end"`
	KeptNote    string `yaml:"kept_note"`
	Limits      string `yaml:"limits"`
	Proven      string `yaml:"proven"`      // "%s": a time
	ProvenKept  string `yaml:"proven_kept"` // "%s": a time
	ProvenTitle string `yaml:"proven_title"`
	NotProven   string `yaml:"not_proven"`

	// What was left out.
	LeftOut        string `yaml:"left_out"`
	LeftOutLead    string `yaml:"left_out_lead"`
	LeftDerived    string `yaml:"left_derived"`
	LeftReceived   string `yaml:"left_received"`
	LeftBasis      string `yaml:"left_basis"`
	LeftHidden     string `yaml:"left_hidden"`
	LeftOthers     string `yaml:"left_others"`
	LeftUncovered  string `yaml:"left_uncovered"`
	LeftKept       string `yaml:"left_kept"`
	LeftWithout    string `yaml:"left_without"`  // "%s": one of Without
	WithoutOther   string `yaml:"without_other"` // "%s": a type that Without doesn't have
	NothingLeftOut string `yaml:"nothing_left_out"`

	// The table of categories.
	Categories     string `yaml:"categories"`
	CategoriesLead string `yaml:"categories_lead"`
	Sources        string `yaml:"sources"`

	// How the person was found.
	Looked              string `yaml:"looked"`
	LookedLead          string `yaml:"looked_lead"`
	Identifier          string `yaml:"identifier"`
	HowKnown            string `yaml:"how_known"`
	FromRequest         string `yaml:"from_request"`
	FromRequestVerified string `yaml:"from_request_verified"`
	FromSystem          string `yaml:"from_system"`
	FromSystemBy        string `yaml:"from_system_by"`

	// Rights.
	Rights           string `yaml:"rights"`
	RightsLead       string `yaml:"rights_lead"`
	Complaint        string `yaml:"complaint"`
	ComplaintLead    string `yaml:"complaint_lead"`
	ComplaintGeneral string `yaml:"complaint_general"`
	Automated        string `yaml:"automated"`
	Transfers        string `yaml:"transfers"`
	Statements       string `yaml:"statements"`

	// The folder.
	Folder        string `yaml:"folder"`
	FolderLead    string `yaml:"folder_lead"`
	FolderCSV     string `yaml:"folder_csv"`
	FolderJSON    string `yaml:"folder_json"`
	FolderPackage string `yaml:"folder_package"`
	FolderAnswer  string `yaml:"folder_answer"`
	FolderCheck   string `yaml:"folder_check"`
	Colon         string `yaml:"colon"`

	// RightMeans completes "You can also ask us:".
	RightMeans   map[dsar.Right]string          `yaml:"right_means"`
	RightNames   map[dsar.Right]string          `yaml:"right_names"`
	Outcomes     map[dsar.Outcome]Outcome       `yaml:"outcomes"`
	Origins      map[manifest.Origin]string     `yaml:"origins"`
	Bases        map[string]string              `yaml:"bases"`
	CategoryName map[string]string              `yaml:"category_name"`
	HiddenKinds  map[string]string              `yaml:"hidden_kinds"`
	Identifiers  map[dsar.IdentifierType]string `yaml:"identifiers"`
	// Without completes "We looked for you without".
	Without      map[dsar.IdentifierType]string `yaml:"without"`
	KeptEarlier  Outcome                        `yaml:"kept_earlier"`  // instead of Retained's, where an earlier erasure had to keep it
	AllKept      Outcome                        `yaml:"all_kept"`      // instead of Retained's, Gathered's and Failed's
	OnlyLeftOut  Outcome                        `yaml:"only_left_out"` // instead of Retained's, Gathered's and Failed's
	NotDone      Outcome                        `yaml:"not_done"`      // instead of Retained's, Gathered's and Failed's
	NothingToDo  Outcome                        `yaml:"nothing_to_do"` // instead of NothingFound's, where something was to be changed
	GoesWith     string                         `yaml:"goes_with"`     // behind the title of a dataset that is erased with another
	Unproven     Outcome                        `yaml:"unproven"`      // instead of NotApplicable's, where the identifiers were claimed and not proven
	KnownNowhere Outcome                        `yaml:"known_nowhere"` // instead of NotApplicable's, where others were asked for the identifiers
	Or           string                         `yaml:"or"`
	And          string                         `yaml:"and"`
	Plurals      map[string][2]string           `yaml:"plurals"`
}

// Outcome is the badge and the sentence for how a system ended.
type Outcome struct {
	Badge    string `yaml:"badge"`
	Sentence string `yaml:"sentence"`
}

// Count writes "1 record", "20 records"; noun is a key of Plurals.
func (a *Answer) Count(n int64, noun string) string {
	return a.Number(n) + "\u00a0" + a.Form(n, a.Plurals[noun])
}
