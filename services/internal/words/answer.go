package words

import (
	"strings"

	"habeas.dev/pkg/dsar"
	"habeas.dev/pkg/manifest"
)

// Answer is everything that the page of an answer says, the manifests' and the
// law's own texts aside. A text that holds a %s or %d is a format.
type Answer struct {
	*Language `yaml:"-"`
	// Statements are the sentences of statements by their kinds (statements.yaml).
	Statements map[string]Sentence `yaml:"-"`
	// By right.
	Title map[dsar.Right]string `yaml:"title"`
	Lead  map[dsar.Right]string `yaml:"lead"`
	// Of an answer that may tell nothing of the person.
	UnprovenTitle      string `yaml:"unproven_title"`
	UnprovenCategories string `yaml:"unproven_categories"`

	// Instead of the right's, where it was undone.
	LiftedTitle string `yaml:"lifted_title"`
	LiftedLead  string `yaml:"lifted_lead"`
	Lifted      string `yaml:"lifted"`
	// FieldsChanged follows what was corrected.
	FieldsChanged string `yaml:"fields_changed"`
	// FieldWas says of a field what stood there before it was corrected, and what does now;
	// FieldSo, that it was so when it was looked at; FieldEmpty, that nothing stood there.
	FieldWas   string `yaml:"field_was"`
	FieldSo    string `yaml:"field_so"`
	FieldEmpty string `yaml:"field_empty"`
	Quoted     string `yaml:"quoted"`
	LegalHold  string `yaml:"legal_hold"`
	// ConcernsOthers is why something stays for the sake of somebody else's hold: it is true, and
	// tells of no lawsuit.
	ConcernsOthers string `yaml:"concerns_others"`
	Shared         string `yaml:"shared"`
	Purposes       string `yaml:"purposes"`

	// Around the page.
	Skip           string `yaml:"skip"`
	Contents       string `yaml:"contents"`
	RequestNumber  string `yaml:"request_number"`
	Received       string `yaml:"received"`
	AnsweredBy     string `yaml:"answered_by"`
	Law            string `yaml:"law"`
	Contact        string `yaml:"contact"`
	Address        string `yaml:"address"`
	Officer        string `yaml:"officer"`
	Representative string `yaml:"representative"`
	FoundIn        string `yaml:"found_in"` // "%s in %s": records, systems

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
	Sensitive     string `yaml:"sensitive"`
	Apart         string `yaml:"apart"`          // before what a column is, where it isn't what its dataset is; "%s": the column
	EmptyDatasets string `yaml:"empty_datasets"` // "%s": names
	Preview       string `yaml:"preview"`        // "%s of %s": numbers
	Files         string `yaml:"files"`
	AsTable       string `yaml:"as_table"`
	AsJSON        string `yaml:"as_json"`
	AsContacts    string `yaml:"as_contacts"`
	AsCalendar    string `yaml:"as_calendar"`
	AsMessages    string `yaml:"as_messages"`    // before a folder's name
	MessagesFirst string `yaml:"messages_first"` // behind it, where there are more: numbers
	MessageMade   string `yaml:"message_made"`   // in a message that was made of a record
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
	KeptUntil   string `yaml:"kept_until"`
	KeptNoEnd   string `yaml:"kept_no_end"`
	Own         string `yaml:"own"` // heads what Habeas says of itself
	KeptNote    string `yaml:"kept_note"`
	Limits      string `yaml:"limits"`
	ProvenTitle string `yaml:"proven_title"`

	// What was left out.
	LeftOut      string `yaml:"left_out"`
	LeftOutLead  string `yaml:"left_out_lead"`
	WithoutOther string `yaml:"without_other"` // "%s": a type that Without doesn't have

	// The table of categories.
	Categories     string `yaml:"categories"`
	CategoriesLead string `yaml:"categories_lead"`
	Sources        string `yaml:"sources"`
	// To whom data went, where a law wants what was sold or shared, and what was disclosed for
	// a business purpose, apart. Roles are those of recipients.
	Sold          string            `yaml:"sold"`
	NoneSold      string            `yaml:"none_sold"`
	Disclosed     string            `yaml:"disclosed"`
	NoneDisclosed string            `yaml:"none_disclosed"`
	Roles         map[string]string `yaml:"roles"`

	// How the person was found.
	Looked     string `yaml:"looked"`
	LookedLead string `yaml:"looked_lead"`
	Identifier string `yaml:"identifier"`
	HowKnown   string `yaml:"how_known"`

	// Rights.
	Rights           string `yaml:"rights"`
	RightsLead       string `yaml:"rights_lead"`
	Complaint        string `yaml:"complaint"`
	ComplaintLead    string `yaml:"complaint_lead"`
	ComplaintGeneral string `yaml:"complaint_general"`
	Automated        string `yaml:"automated"`
	Transfers        string `yaml:"transfers"`
	CountriesLead    string `yaml:"countries_lead"`
	RecipientsTold   string `yaml:"recipients_told"`
	Also             string `yaml:"also"`

	// The folder.
	Folder        string `yaml:"folder"`
	FolderLead    string `yaml:"folder_lead"`
	FolderCSV     string `yaml:"folder_csv"`
	FolderJSON    string `yaml:"folder_json"`
	FolderPackage string `yaml:"folder_package"`
	FolderAnswer  string `yaml:"folder_answer"`
	FolderCheck   string `yaml:"folder_check"`
	Colon         string `yaml:"colon"`
	// Semicolon stands behind each part of a list whose parts have commas.
	Semicolon string `yaml:"semicolon"`

	// The story, and the records with their search.
	Story        string `yaml:"story"`
	YouHave      string `yaml:"you_have"` // before what is held, where nobody says since when
	ByYear       string `yaml:"by_year"`
	NoDate       string `yaml:"no_date"`
	WhoHas       string `yaml:"who_has"`
	RecordsTitle string `yaml:"records_title"`
	RecordsLead  string `yaml:"records_lead"`
	Search       string `yaml:"search"`
	SearchHint   string `yaml:"search_hint"`
	WhichKind    string `yaml:"which_kind"`
	EveryKind    string `yaml:"every_kind"`
	WhichYear    string `yaml:"which_year"`
	EveryYear    string `yaml:"every_year"`
	SearchFound  string `yaml:"search_found"` // "%s": a number
	SearchNone   string `yaml:"search_none"`
	SearchReset  string `yaml:"search_reset"`
	More         string `yaml:"more"` // "%s": a number
	ShowIDs      string `yaml:"show_ids"`
	EmptyFields  string `yaml:"empty_fields"`
	Wrong        string `yaml:"wrong"`
	EraseThis    string `yaml:"erase_this"`
	ToTop        string `yaml:"to_top"`

	// The page beside the folder.
	ReadMeLead string `yaml:"read_me_lead"`
	ReadMeOpen string `yaml:"read_me_open"`
	ReadMeKeep string `yaml:"read_me_keep"`

	// The answer as one file that a passphrase opens (services/internal/onefile).
	OneTitle      string `yaml:"one_title"`
	OneLead       string `yaml:"one_lead"`
	OnePassphrase string `yaml:"one_passphrase"`
	OneOpen       string `yaml:"one_open"`
	OneWorking    string `yaml:"one_working"`
	OneWrong      string `yaml:"one_wrong"`
	OneOld        string `yaml:"one_old"`
	OneScript     string `yaml:"one_script"`
	OneSave       string `yaml:"one_save"`
	OneHow        string `yaml:"one_how"`

	// RightMeans completes "You can also ask us:".
	RightMeans   map[dsar.Right]string          `yaml:"right_means"`
	RightNames   map[dsar.Right]string          `yaml:"right_names"`
	Origins      map[manifest.Origin]string     `yaml:"origins"`
	Bases        map[string]string              `yaml:"bases"`
	CategoryName map[string]string              `yaml:"category_name"`
	HiddenKinds  map[string]string              `yaml:"hidden_kinds"`
	Identifiers  map[dsar.IdentifierType]string `yaml:"identifiers"`
	// Without completes "We looked for you without".
	Without  map[dsar.IdentifierType]string `yaml:"without"`
	GoesWith string                         `yaml:"goes_with"` // behind the title of a dataset that is erased with another
	Or       string                         `yaml:"or"`
	And      string                         `yaml:"and"`
	Plurals  map[string][2]string           `yaml:"plurals"`
}

// Count writes "1 record", "20 records"; noun is a key of Plurals.
func (a *Answer) Count(n int64, noun string) string {
	return a.Number(n) + "\u00a0" + a.Form(n, a.Plurals[noun])
}

// Period writes P10Y as "10 years", and P1Y6M as "1 year, 6 months"; what isn't a period as it
// is.
func (a *Answer) Period(text string) string {
	p, err := manifest.ParsePeriod(text)
	if err != nil {
		return text
	}
	var parts []string
	for _, part := range []struct {
		n    int
		noun string
	}{{p.Years, "year"}, {p.Months, "month"}, {p.Days, "day"}} {
		if part.n > 0 {
			parts = append(parts, a.Count(int64(part.n), part.noun))
		}
	}
	return strings.Join(parts, ", ")
}
