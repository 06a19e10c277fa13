package statement

import (
	"regexp"
	"slices"
	"testing"

	"habeas.dev/pkg/manifest"
)

// TestTerms: every category, origin and legal basis of manifests has a term, of a prefix that is
// explained; and what a dataset is, is said.
func TestTerms(t *testing.T) {
	t.Parallel()
	form := regexp.MustCompile(`^(dpv|pd|eu-gdpr):[A-Z][A-Za-z0-9-]+$`)
	for _, law := range []string{"EEA", "UK"} {
		for _, category := range manifest.Categories() {
			for _, origin := range []manifest.Origin{manifest.Provided, manifest.Observed, manifest.Received, manifest.Derived} {
				for _, basis := range []string{"consent", "contract", "legal-obligation", "vital-interest", "public-task", "legitimate-interest"} {
					d := &Dataset{Category: category, Origin: string(origin), LegalBasis: basis, Recipients: []string{"x"}}
					got := TermsOf(d, nil, law)
					for _, term := range slices.Concat(got.PersonalData, got.Purposes, got.Recipients, []string{got.LegalBasis, got.Source}) {
						if !form.MatchString(term) {
							t.Errorf("%s, %s, %s: %q", category, origin, basis, term)
						}
					}
				}
			}
		}
	}
	for prefix := range Vocabulary() {
		if !form.MatchString(prefix + ":Xx") {
			t.Error(prefix)
		}
	}
	d := &Dataset{Category: "commercial information", Origin: "provided", LegalBasis: "consent", Sensitive: true, Recipients: []string{"A", "B"}, Receives: []Recipient{{Role: "processor"}, {Role: "authority"}}}
	got := TermsOf(d, []string{manifest.MarkMarketing, manifest.MarkSale}, "EEA")
	if !slices.Equal(got.PersonalData, []string{"pd:Transactional", "dpv:SpecialCategoryPersonalData"}) || !slices.Equal(got.Purposes, []string{"dpv:DirectMarketing"}) || got.LegalBasis != "eu-gdpr:A6-1-a" || !slices.Equal(got.Recipients, []string{"dpv:DataProcessor", "dpv:Authority"}) || got.Source != "dpv:DataSubjectDataSource" {
		t.Errorf("%+v", got)
	}
	if RightTerm("access", "EEA") != "eu-gdpr:A15" || RightTerm("access", "California") != "" {
		t.Error("the right's term")
	}
}
