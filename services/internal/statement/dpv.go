package statement

import (
	"slices"

	"habeas.dev/pkg/dsar"
	"habeas.dev/pkg/manifest"
)

// Vocabulary has the prefixes of the terms by which an answer says for programs what it says
// in words: W3C's Data Privacy Vocabulary, version 2 (https://w3id.org/dpv).
func Vocabulary() map[string]string {
	return map[string]string{"dpv": "https://w3id.org/dpv#", "pd": "https://w3id.org/dpv/pd#", "eu-gdpr": "https://w3id.org/dpv/legal/eu/gdpr#"}
}

// Terms say what a dataset is, in terms of the vocabulary.
type Terms struct {
	PersonalData []string `json:"personal_data"`
	Purposes     []string `json:"purposes"`
	LegalBasis   string   `json:"legal_basis,omitempty"`
	Recipients   []string `json:"recipients,omitempty"`
	Source       string   `json:"source,omitempty"`
}

// gdpr is the id of the law whose articles the vocabulary has.
const gdpr = "EEA"

// TermsOf returns the terms for a dataset with the marks of its purposes, under a law. Where
// the vocabulary has nothing narrower, they are its most general ones.
func TermsOf(d *Dataset, marks []string, law string) *Terms {
	t := &Terms{PersonalData: []string{term(categories, d.Category, "dpv:PersonalData")}, Source: sources[manifest.Origin(d.Origin)], LegalBasis: bases[d.LegalBasis]}
	if law == gdpr {
		t.LegalBasis = articles[d.LegalBasis]
	}
	if d.Origin == string(manifest.Derived) && !slices.Contains(t.PersonalData, "dpv:InferredPersonalData") {
		t.PersonalData = append(t.PersonalData, "dpv:DerivedPersonalData")
	}
	if d.Sensitive {
		t.PersonalData = append(t.PersonalData, "dpv:SpecialCategoryPersonalData")
	}
	for _, mark := range marks {
		if p := purposes[mark]; p != "" && !slices.Contains(t.Purposes, p) {
			t.Purposes = append(t.Purposes, p)
		}
	}
	if len(t.Purposes) == 0 {
		t.Purposes = []string{term(purposes, d.LegalBasis, "dpv:Purpose")}
	}
	for _, r := range d.Receives {
		if role := term(roles, r.Role, "dpv:Recipient"); !slices.Contains(t.Recipients, role) {
			t.Recipients = append(t.Recipients, role)
		}
	}
	if len(d.Recipients) > len(d.Receives) && len(t.Recipients) == 0 {
		t.Recipients = []string{"dpv:Recipient"}
	}
	return t
}

// RightTerm returns the vocabulary's term for a right under a law; empty: it has none.
func RightTerm(right dsar.Right, law string) string {
	if law != gdpr {
		return ""
	}
	return rights[right]
}

func term(all map[string]string, of, general string) string {
	if t := all[of]; t != "" {
		return t
	}
	return general
}

// The terms, by the words of manifests.
var (
	categories = map[string]string{
		"identifiers": "pd:Identifying", "customer records": "pd:Contact", "protected characteristics": "pd:Demographic", "commercial information": "pd:Transactional",
		"internet or network activity": "pd:Behavioral", "biometric": "pd:Biometric", "geolocation": "pd:Location", "professional or employment": "pd:Professional",
		"inferences": "dpv:InferredPersonalData", "education": "pd:Education",
	}
	sources = map[manifest.Origin]string{
		manifest.Provided: "dpv:DataSubjectDataSource", manifest.Observed: "dpv:DataControllerDataSource", manifest.Received: "dpv:ThirdPartyDataSource", manifest.Derived: "dpv:DataControllerDataSource",
	}
	bases = map[string]string{
		"consent": "dpv:Consent", "contract": "dpv:Contract", "legal-obligation": "dpv:LegalObligation", "vital-interest": "dpv:VitalInterest", "public-task": "dpv:PublicInterest", "legitimate-interest": "dpv:LegitimateInterest",
	}
	articles = map[string]string{
		"consent": "eu-gdpr:A6-1-a", "contract": "eu-gdpr:A6-1-b", "legal-obligation": "eu-gdpr:A6-1-c", "vital-interest": "eu-gdpr:A6-1-d", "public-task": "eu-gdpr:A6-1-e", "legitimate-interest": "eu-gdpr:A6-1-f",
	}
	// purposes are of marks, and of legal bases where no mark says more.
	purposes = map[string]string{
		manifest.MarkMarketing: "dpv:DirectMarketing", manifest.MarkAdvertising: "dpv:Advertising",
		"contract": "dpv:FulfilmentOfContractualObligation", "legal-obligation": "dpv:LegalCompliance",
	}
	roles = map[string]string{
		"processor": "dpv:DataProcessor", "joint-controller": "dpv:JointDataControllers", "third-party": "dpv:ThirdParty", "authority": "dpv:Authority",
	}
	rights = map[dsar.Right]string{
		dsar.Access: "eu-gdpr:A15", dsar.Rectification: "eu-gdpr:A16", dsar.Erasure: "eu-gdpr:A17", dsar.Restriction: "eu-gdpr:A18", dsar.Portability: "eu-gdpr:A20", dsar.Objection: "eu-gdpr:A21", dsar.ConsentWithdrawal: "eu-gdpr:A7-3",
	}
)
