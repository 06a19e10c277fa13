package policy_test

import (
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"habeas.dev/pkg/dsar"
	"habeas.dev/pkg/manifest"
)

// TestGroundsByRight holds every right of every law to the grounds on which the reading of the
// laws of 29 November 2026 lets it be refused, beside that identity isn't proven: first the
// whole, and after a stroke a dataset of a copy, or a field of a correction. A right that isn't here is refused on none.
func TestGroundsByRight(t *testing.T) {
	t.Parallel()
	const unfounded = "excessive manifestly-unfounded"
	europe := map[dsar.Right]string{
		dsar.Access: unfounded + " | rights-of-others trade-secret", dsar.Portability: unfounded + " | rights-of-others trade-secret",
		dsar.Rectification: unfounded + " not-correct | not-correct", dsar.Erasure: "excessive legal-claims legal-duty manifestly-unfounded no-case",
		dsar.Restriction: unfounded + " no-case", dsar.Objection: "excessive legal-claims manifestly-unfounded",
	}
	states := func(grounds, copies string) map[dsar.Right]string {
		return map[dsar.Right]string{dsar.Access: copies, dsar.Portability: copies, dsar.Rectification: copies, dsar.Erasure: grounds, dsar.OptOut: grounds}
	}
	const swiss = "law manifestly-unfounded own-interests querulous rights-of-others | law own-interests rights-of-others"
	for id, want := range map[string]map[dsar.Right]string{
		"EEA": europe, "UK": maps.Clone(europe),
		"California": {
			dsar.Access: "excessive exempt manifestly-unfounded twice-a-year | exempt rights-of-others", dsar.Portability: "excessive exempt manifestly-unfounded twice-a-year | exempt rights-of-others",
			dsar.KnowCategories: "excessive exempt manifestly-unfounded twice-a-year", dsar.Erasure: "excessive exempt manifestly-unfounded",
			dsar.Rectification: "excessive exempt impossible manifestly-unfounded not-correct | exempt impossible not-correct",
			dsar.OptOut:        "fraudulent", dsar.Restriction: "fraudulent", "automated-opt-out": "fraudulent", "automated-explanation": unfounded,
		},
		"Canada": {
			dsar.Access:        "| confidential danger disclosure dispute investigation not-disclosable privileged third-party",
			dsar.Rectification: "not-correct | not-correct", dsar.Erasure: "legal-duty", dsar.ConsentWithdrawal: "bound",
		},
		"Japan": {
			dsar.Access: "business harm unlawful | business harm unlawful", dsar.Rectification: "not-correct other-procedure | not-correct other-procedure",
			dsar.Erasure: "costly no-case", dsar.Restriction: "costly no-case",
		},
		"South Korea": {
			dsar.Access: "| harm unlawful", dsar.Portability: "repeated vague | harm", dsar.Rectification: "not-correct | not-correct", dsar.Erasure: "legal-duty",
			dsar.Restriction: "contract harm unlawful", dsar.ConsentWithdrawal: "contract harm unlawful", "automated-refusal": "agreed harm", "automated-explanation": "harm",
		},
		"Switzerland": {
			dsar.Access: swiss, dsar.Portability: swiss, dsar.Rectification: "not-correct unchangeable | not-correct unchangeable",
			dsar.Erasure: "legal-duty overriding", dsar.Restriction: "legal-duty overriding", dsar.Objection: "legal-duty overriding",
		},
		"Brazil": {
			dsar.Access: "not-controller | trade-secret", dsar.Portability: "not-controller | trade-secret", dsar.Rectification: "not-controller not-correct | not-correct",
			dsar.Erasure: "legal-duty no-case not-controller", dsar.ConsentWithdrawal: "not-controller", dsar.Objection: "lawful not-controller",
		},
		"Virginia":  states("excessive exempt manifestly-unfounded", "excessive exempt manifestly-unfounded | exempt"),
		"Colorado":  states("exempt", "exempt | exempt"),
		"elsewhere": {dsar.Access: unfounded + " | rights-of-others", dsar.Rectification: unfounded, dsar.Erasure: unfounded},
	} {
		j, _ := load(t).Jurisdiction(id)
		for _, g := range j.Rights {
			terms := j.Terms(g.Right, time.Now(), nil)
			slices.Sort(terms.Refusals)
			got := strings.Join(terms.Refusals, " ")
			if slices.Sort(terms.PartRefusals); len(terms.PartRefusals) > 0 {
				got = strings.TrimSpace(got + " | " + strings.Join(terms.PartRefusals, " "))
			}
			if got != want[g.Right] {
				t.Errorf("%s, %s: refused on %q, want %q", id, g.Right, got, want[g.Right])
			}
			delete(want, g.Right)
		}
		for right := range want {
			t.Errorf("%s doesn't grant %s", id, right)
		}
	}
	for _, id := range []string{"EEA", "UK"} {
		j, _ := load(t).Jurisdiction(id)
		purposes := manifest.Purposes{"newsletter": {Marks: []string{"marketing"}}, "fraud": {Basis: "legitimate-interest"}}
		terms := j.Terms(dsar.Objection, time.Now(), nil)
		for _, c := range []struct {
			ids []string
			may bool
		}{{[]string{"fraud"}, true}, {[]string{"newsletter"}, false}, {[]string{"fraud", "newsletter"}, false}} {
			if may := slices.Contains(j.Ending(terms, c.ids, purposes).Refusals, "legal-claims"); may != c.may {
				t.Errorf("%s: an objection to %v is refused for legal claims: %v", id, c.ids, may)
			}
		}
	}
}
