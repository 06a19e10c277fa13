package words

import (
	"slices"
	"strings"
	"testing"
	"time"

	"habeas.dev/pkg/dsar"
	"habeas.dev/services/internal/statement"
)

// TestEveryKindHasASentence: whatever may be stated has its sentence in each language, how a
// system answered has a badge as well, and every value in braces is one.
func TestEveryKindHasASentence(t *testing.T) {
	t.Parallel()
	kinds := statement.Kinds()
	for _, l := range All() {
		for _, k := range kinds {
			found := 0
			for key, s := range l.Answer.Statements {
				if base, _, _ := strings.Cut(key, "."); base == string(k) && s.Sentence != "" {
					found++
					if (s.Badge != "") != k.Answers() {
						t.Errorf("%s: %s has the badge %q", l.Tag, key, s.Badge)
					}
				}
			}
			if found == 0 {
				t.Errorf("%s: %s has no sentence", l.Tag, k)
			}
		}
		for key, s := range l.Answer.Statements {
			base, _, _ := strings.Cut(key, ".")
			if !slices.Contains(kinds, statement.Kind(base)) {
				t.Errorf("%s: a sentence for %s, which is no kind", l.Tag, key)
			}
			said := statement.Said{Kind: statement.Kind(base), Values: statement.Values{Records: 2, Days: 2, Months: 2, Requests: 2, Source: "s", Right: "access", Number: "n", Reason: "r", Ground: "g", Title: "t", Why: "w", Types: []dsar.IdentifierType{"email"}, Systems: []string{"s"}, Uses: []statement.Use{{Title: "T", LegalBasis: "contract"}}, With: "d", Table: "t", At: time.Unix(0, 0), Years: []statement.Year{{Year: 2024, Records: 1}}, Corrections: []statement.Correction{{Column: statement.Column{Title: "T"}, Is: "i", IsShown: "i"}}, Country: "US", Safeguard: "s", Recipients: []statement.Recipient{{Recipient: "r", Name: "R"}}, Checks: []dsar.Check{"identity"}, Identifier: &statement.Identifier{FoundBy: "s", FromType: "email", FromValue: "v"}}}
			d := &statement.Document{Systems: []statement.System{{System: "", Datasets: []statement.Dataset{{LegalBasis: "contract"}}}}}
			for _, one := range named.FindAllStringSubmatch(s.Sentence, -1) {
				if l.Answer.value(d, said, one[1]) == "" {
					t.Errorf("%s: %s: {%s} is no value", l.Tag, key, one[1])
				}
			}
		}
	}
}
