package policy_test

import (
	"regexp"
	"slices"
	"strings"
	"testing"

	"habeas.dev/pkg/dsar"
	"habeas.dev/services/internal/policy"
)

// TestLaw2026Contents holds what answers must say, whom the laws have told of a change, on what
// a part of a copy can be refused, and with which marks, to the same reading: a value of the
// table that a file lacks fails.
func TestLaw2026Contents(t *testing.T) {
	t.Parallel()
	book := load(t)
	law := func(id string) policy.Jurisdiction {
		j, ok := book.Jurisdiction(id)
		if !ok {
			t.Fatalf("there is no law %s", id)
		}
		return j
	}
	for _, c := range []struct {
		law    string
		item   policy.Item
		source string // it begins with this, or has it in it
		mark   policy.Read
	}{
		{"California", policy.ItemCategoryTables, "1798.115", policy.ReadText}, {"California", policy.ItemCategoryTables, "1798.130(a)(4)", policy.ReadText},
		{"California", policy.ItemStatement, "7024(h)", policy.ReadOf}, {"California", policy.ItemStatement, "1798.115(c)(1)", policy.ReadText}, {"California", policy.ItemStatement, "1798.125", policy.ReadText},
		{"EEA", policy.ItemPurposes, "15(1)(a)", policy.ReadText}, {"EEA", policy.ItemCategories, "15(1)(b)", policy.ReadText}, {"EEA", policy.ItemRecipients, "15(1)(c)", policy.ReadText},
		{"EEA", policy.ItemStorage, "15(1)(d)", policy.ReadText}, {"EEA", policy.ItemRights, "15(1)(e)", policy.ReadText}, {"EEA", policy.ItemComplaint, "15(1)(f)", policy.ReadText},
		{"EEA", policy.ItemOrigin, "15(1)(g)", policy.ReadText}, {"EEA", policy.ItemAutomated, "15(1)(h)", policy.ReadText}, {"EEA", policy.ItemTransfers, "15(2)", policy.ReadText},
		{"UK", policy.ItemAutomated, "22A to 22D", policy.ReadText}, {"UK", policy.ItemTransfers, "15(2)", policy.ReadText}, {"UK", policy.ItemStatement, "15(1A)", policy.ReadText},
		{"Canada", policy.ItemPurposes, "4.9.1", policy.ReadText}, {"Canada", policy.ItemRecipients, "4.9.3", policy.ReadText}, {"Canada", policy.ItemOrigin, "4.9.1", policy.ReadText},
		{"Japan", policy.ItemPurposes, "32(2)", policy.ReadMemory}, {"Japan", policy.ItemStatement, "32(1)", policy.ReadMemory}, {"Japan", policy.ItemRecipients, "33(5)", policy.ReadMemory}, {"Japan", policy.ItemOrigin, "30(3)", policy.ReadMemory},
		{"South Korea", policy.ItemPurposes, "41(1)", policy.ReadText}, {"South Korea", policy.ItemStorage, "41(1)", policy.ReadText}, {"South Korea", policy.ItemRecipients, "41(1)", policy.ReadText},
		{"South Korea", policy.ItemCategories, "41(1)", policy.ReadText}, {"South Korea", policy.ItemLegalBases, "41(1)", policy.ReadText}, {"South Korea", policy.ItemComplaint, "38(5)", policy.ReadText},
		{"Switzerland", policy.ItemPurposes, "25(2)(c)", policy.ReadText}, {"Switzerland", policy.ItemStorage, "25(2)(d)", policy.ReadText}, {"Switzerland", policy.ItemOrigin, "25(2)(e)", policy.ReadText},
		{"Switzerland", policy.ItemAutomated, "25(2)(f)", policy.ReadText}, {"Switzerland", policy.ItemRecipients, "25(2)(g)", policy.ReadText}, {"Switzerland", policy.ItemTransfers, "19(4)", policy.ReadText},
		{"South Korea", policy.ItemStatement, "37(5)", policy.ReadText}, {"South Korea", policy.ItemStatement, "35-2", policy.ReadText}, {"Switzerland", policy.ItemStatement, "32(4)", policy.ReadText},
		{"Brazil", policy.ItemLegalBases, "19, II", policy.ReadMemory}, {"Brazil", policy.ItemAutomated, "19, II", policy.ReadMemory},
		{"Brazil", policy.ItemOrigin, "19, II", policy.ReadMemory}, {"Brazil", policy.ItemPurposes, "19, II", policy.ReadMemory}, {"Brazil", policy.ItemRecipients, "18, VII", policy.ReadText},
		{"Colorado", policy.ItemRights, "6-1-1306", policy.ReadText}, {"Colorado", policy.ItemComplaint, "6-1-1306(3)", policy.ReadText},
	} {
		if !slices.ContainsFunc(law(c.law).AnswerSays, func(s policy.Content) bool {
			return s.Item == c.item && strings.Contains(s.Source, c.source) && s.Read == c.mark
		}) {
			t.Errorf("%s: no %s by %s, read %q", c.law, c.item, c.source, c.mark)
		}
	}
	// Who is told: each law's roles by right; none where the table has none.
	const all = "processor joint-controller third-party authority"
	for id, want := range map[string]map[dsar.Right]string{
		"EEA": {dsar.Erasure: all, dsar.Rectification: all, dsar.Restriction: all}, "UK": {dsar.Erasure: all, dsar.Rectification: all, dsar.Restriction: all},
		"California": {dsar.Erasure: "processor", dsar.Rectification: "processor", dsar.Restriction: "processor joint-controller third-party"},
		"Brazil":     {dsar.Erasure: all, dsar.Rectification: all}, "Canada": {dsar.Rectification: "processor joint-controller third-party"},
		"Switzerland": {}, "South Korea": {}, "Japan": {}, "Virginia": {}, "Colorado": {dsar.OptOut: "processor"}, "elsewhere": {},
	} {
		for _, right := range dsar.Rights() {
			var told []string
			for _, role := range strings.Fields(all) {
				if law(id).Tells(right, role, nil) {
					told = append(told, role)
				}
			}
			if got := strings.Join(told, " "); got != want[right] {
				t.Errorf("%s, %s: told are %q, want %q", id, right, got, want[right])
			}
		}
	}
	// 11 CCR 7026(f), 7022(b)(3): an opt-out and an erasure are told on to whom data was sold
	// to or shared with.
	ca := law("California")
	for _, role := range []string{"third-party", "joint-controller"} {
		for mark, told := range map[string]bool{"sale": true, "sharing": true, "marketing": false} {
			if ca.Tells(dsar.Erasure, role, []string{mark}) != told {
				t.Errorf("an erasure is told to a %s with %s: %v", role, mark, !told)
			}
		}
	}
	for _, c := range []struct {
		role, mark string
		told       bool
	}{{"third-party", "sale", true}, {"third-party", "sharing", true}, {"joint-controller", "sale", true}, {"third-party", "marketing", false}, {"processor", "sale", false}} {
		if ca.Tells(dsar.OptOut, c.role, []string{c.mark}) != c.told {
			t.Errorf("an opt-out is told to a %s with %s: %v", c.role, c.mark, !c.told)
		}
	}
	// Postponement in Korea, and of what else the law has its own words.
	for id, letters := range map[string][]string{"South Korea": {"art. 39"}, "Canada": {"s. 8(4)", "s. 14", "4.9.6"}, "EEA": {"12(4)"}, "UK": {"s. 167"}, "Japan": {"art. 39"}, "California": {"7022(g)", "7024(a)", "7024(b)"}, "Switzerland": {"32(3)"}} {
		for _, source := range letters {
			if !slices.ContainsFunc(law(id).Letters, func(p policy.Paragraph) bool { return strings.Contains(p.Source, source) }) {
				t.Errorf("%s: no letter has a paragraph by %s", id, source)
			}
		}
	}
	// What may not be told: that an institution of the state objects (PIPEDA s. 9(2.1) to (2.4)).
	if r, ok := law("Canada").Refusal("not-disclosable"); !ok || r.Read != policy.ReadText || r.Part != policy.PartOnly || !slices.Equal(r.Rights, []dsar.Right{dsar.Access}) || !strings.Contains(r.Source, "9(2.1) to (2.4)") {
		t.Errorf("Canada: %+v", r)
	} else if told := strings.ToLower(r.Title["en"] + r.Article["en"] + r.Title["fr"] + r.Article["fr"]); strings.Contains(told, "institution") || strings.Contains(told, "object") || strings.Contains(told, "9(2") {
		t.Errorf("Canada: the person is told %q", told)
	}
	// A clock of its own, and where it begins.
	if p := law("Colorado").Periods(dsar.OptOut); !p.Answer.Choice || p.Answer.Count > 15 || p.Extension != nil || p.Answer.Read != policy.ReadText || !strings.Contains(p.Answer.Source, "4.03(A)(1)") {
		t.Errorf("Colorado: an opt-out has %+v", p)
	}
	if s := law("California").Start; s.Rule != policy.StartDayOf || s.Read != policy.ReadText || !strings.Contains(s.Source, "7021(b)") {
		t.Errorf("California begins by %+v", s)
	}
	if a := law("South Korea").Accountability; a == nil || a.Count < 36 || a.Choice || !strings.Contains(a.Source, "35-2") || a.Read != policy.ReadText {
		t.Errorf("South Korea: the log of a transfer is kept %+v", a)
	}
	if r := law("Canada").Recourse; r == nil || !strings.Contains(r.Source, "8(8)") || r.Read != policy.ReadText {
		t.Errorf("Canada: what was asked for isn't kept: %+v", r)
	}
}

// TestArticlesAsPeopleReadThem: each ground of refusal has an article in English and French, as
// each language cites one, unless it is the operator's own; and who reads French is cited
// nothing in the English way.
func TestArticlesAsPeopleReadThem(t *testing.T) {
	t.Parallel()
	english := regexp.MustCompile(`art\. [0-9]+\([0-9]|\bGDPR\b|\bFADP\b|\bPIPEDA\b|\bs\. [0-9]|Civ\. Code|Sch\. `)
	book := load(t)
	for _, id := range book.IDs() {
		j, _ := book.Jurisdiction(id)
		for _, r := range j.Refusals {
			in := func(lang string) string {
				return r.Cited(func(t map[string]string) string { return t[lang] })
			}
			own := strings.HasPrefix(r.Source, "Policy choice")
			if own != (in("fr") == "") || own != (in("en") == "") || english.MatchString(in("fr")) {
				t.Errorf("%s, %s: cited as %q and %q", id, r.Ground, in("en"), in("fr"))
			}
		}
	}
}
