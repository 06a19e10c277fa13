package bundle_test

import (
	"strings"
	"testing"
	"time"

	"habeas.dev/pkg/dsar"
	"habeas.dev/services/internal/bundle/bundletest"
	"habeas.dev/services/internal/core"
	"habeas.dev/services/internal/statement"
)

// keptBefore is what an earlier erasure had to keep in the fixture's billing.
func keptBefore() []core.KeptEarlier {
	return []core.KeptEarlier{{RequestID: "r", System: "billing", Dataset: "invoices",
		Retained: []dsar.Retention{{Records: 8, Ground: "accounting", Until: time.Date(2036, 12, 31, 0, 0, 0, 0, time.UTC)}}}}
}

// erasure returns the ends of one that was proven.
func erasure(o dsar.Outcome, counts ...dsar.Counts) []core.ActionEnd {
	return []core.ActionEnd{ended(dsar.Plan, dsar.Found), ended(dsar.Erase, o, counts...), ended(dsar.Prove, dsar.Proven)}
}

// TestKeptEarlierIsNeverNothing: of a system that keeps something of an earlier erasure
// no answer to any right says that it holds nothing, or that all of it is gone, and the
// page doesn't say so of all systems; it says what is kept, why and until when.
func TestKeptEarlierIsNeverNothing(t *testing.T) {
	t.Parallel()
	nothing := func(a dsar.Action) []core.ActionEnd { return []core.ActionEnd{ended(a, dsar.NothingFound)} }
	for name, c := range map[string]struct {
		right   dsar.Right
		billing []core.ActionEnd
	}{
		"nothing to copy":    {dsar.Access, nothing(dsar.Gather)},
		"nothing to take":    {dsar.Portability, nothing(dsar.Gather)},
		"no kinds":           {dsar.KnowCategories, nothing(dsar.Plan)},
		"nothing to erase":   {dsar.Erasure, erasure(dsar.NothingFound)},
		"nothing to stop":    {dsar.Restriction, nothing(dsar.Restrict)},
		"not known there":    {dsar.Access, []core.ActionEnd{{Action: dsar.Gather, Outcome: dsar.NotApplicable, Code: "no-identifier"}}},
		"the rest is erased": {dsar.Erasure, erasure(dsar.Erased, dsar.Counts{Dataset: "payment_methods", Found: 1, Erased: 1})},
		"the rest is gone":   {dsar.Erasure, erasure(dsar.NothingFound, dsar.Counts{Dataset: "payment_methods", Gone: 1})},
	} {
		in := accessInput(t)
		in.Right, in.Kept = c.right, keptBefore()
		others := nothing(c.billing[0].Action)
		if c.right == dsar.Erasure {
			others = erasure(dsar.NothingFound)
		}
		in.Systems = []part{
			{Manifest: accountManifest(), Ends: append(nothing(dsar.Resolve), others...)},
			{Manifest: billingManifest(), Ends: c.billing},
			{Manifest: eventsManifest(), Ends: others},
		}
		for _, in := range []input{in, inFrench(in)} {
			data, _ := write(t, in)
			verifies(t, data)
			files := unpack(t, data)
			page := bundletest.ReadAloud(t, files["data/index.html"])
			for _, lie := range []string{
				"None of them holds any. Below", "Aucun n’en contient. Voici", "Billing Nothing held", "Billing Rien", "Billing Nothing left", "Billing Erased", "Billing Effacé",
				"They are locked away", "Ils ne servent plus", "and empty: Invoices", "sans résultat : Factures",
			} {
				if strings.Contains(page, lie) {
					t.Errorf("%s: the page says %q", name, lie)
				}
			}
			says := []string{"An earlier erasure of your data had to keep this.", "The law makes us keep our books", "Kept until 31 December 2036"}
			if in.Locale != "en" {
				says = []string{"Un effacement précédent de vos données a dû les conserver.", "La loi nous oblige à conserver nos comptes", "Conservés jusqu’au 31 décembre 2036"}
			}
			for _, s := range says {
				if !strings.Contains(page, s) {
					t.Errorf("%s: the page doesn't say %q:\n%s", name, s, page)
				}
			}
			a := answerOf(t, files)
			kept := a.About("billing", "invoices", statement.KeptEarlier)
			if of := a.AnswerOf("billing"); of != statement.OnlyKeptEarlier && of != statement.PartlyKept || len(kept) != 1 || kept[0].Records != 8 {
				t.Errorf("%s: %s, %+v", name, of, kept)
			}
		}
	}
}

// TestKeptEarlierAlone: where nothing else is held, the page begins with what is kept.
func TestKeptEarlierAlone(t *testing.T) {
	t.Parallel()
	in := accessInput(t)
	in.Kept = keptBefore()
	for i := range in.Systems {
		in.Systems[i].Ends, in.Systems[i].Sources = []core.ActionEnd{ended(dsar.Gather, dsar.NothingFound)}, nil
	}
	golden(t, "kept-earlier-en", in, []string{"Beside what an earlier erasure of your data had to keep, none of them holds any.", "Billing · Invoices (8 records) An earlier erasure of your data had to keep this."}, []string{"Nothing was left out."})
	golden(t, "kept-earlier-fr", inFrench(in), []string{"Hormis ce qu’un effacement précédent de vos données a dû conserver, aucun n’en contient."}, nil)
}

// TestUnfinishedBeside: while an erasure of the person is on the way elsewhere, the page says
// what is kept and may be among the copies, what had to stay for a time, and what may be
// there still; and not that nothing was left out.
func TestUnfinishedBeside(t *testing.T) {
	t.Parallel()
	in := accessInput(t)
	year := func(y int) time.Time { return time.Date(y, 12, 31, 0, 0, 0, 0, time.UTC) }
	in.Kept = []core.KeptEarlier{
		{RequestID: "r", System: "account", Dataset: "profiles", Retained: []dsar.Retention{{Records: 1, Ground: "accounting", Until: year(2036)}}},
		{RequestID: "r", System: "billing", Dataset: "invoices", Then: []dsar.Retention{{Records: 8, Ground: "accounting", Until: year(2025)}}},
		{RequestID: "r", System: "billing", Dataset: "payment_methods", Unfinished: 2},
	}
	for i := range in.Systems {
		if in.Systems[i].Manifest.System == "billing" {
			in.Systems[i].Ends, in.Systems[i].Sources = []core.ActionEnd{ended(dsar.Gather, dsar.NothingFound)}, nil
		}
	}
	golden(t, "unfinished-en", in, []string{
		"Your profile (1 record) An earlier erasure of your data had to keep this. The records in this folder may be those, or newer ones; we can’t tell.",
		"Invoices (8 records) An earlier erasure of your data had to keep this. Whether it is still there, we can’t tell.",
		"Of what it is to erase, up to 2 records may still be there.", "may still be in this system.",
	}, []string{"Nothing was left out.", "was not found by what we looked for you by", "Kept until 31 December 2025"})
	golden(t, "unfinished-fr", inFrench(in), []string{
		"Un effacement précédent de vos données a dû les conserver. Les enregistrements de ce dossier sont peut-être ceux-là",
		"Un effacement précédent de vos données a dû les conserver. Nous ne pouvons pas dire s’ils s’y trouvent encore.", "il peut encore s’y trouver au plus 2 enregistrements",
	}, nil)
}

// TestOwnCopiesOpen: the certificate says that Habeas still holds copies for a request of the
// person that it is answering.
func TestOwnCopiesOpen(t *testing.T) {
	t.Parallel()
	in := erasureInput(t)
	in.Keep, in.Copies = &core.Keep{AnswerDays: 30, AccountabilityMonths: 24}, &core.OwnCopies{Open: 1, At: in.ReceivedAt, Fact: 1}
	golden(t, "own-open-en", in, []string{"Its copies for that are not destroyed yet"}, nil)
	golden(t, "own-open-fr", inFrench(in), []string{"ne sont pas encore détruites"}, nil)
}

// TestOwnUnfetched: the certificate says that an answer which nobody has fetched is kept for the
// person, and until when.
func TestOwnUnfetched(t *testing.T) {
	t.Parallel()
	in := erasureInput(t)
	in.Keep, in.Copies = &core.Keep{AnswerDays: 30, AccountabilityMonths: 24}, &core.OwnCopies{Unfetched: 1, Until: in.ReceivedAt.AddDate(0, 0, 30), At: in.ReceivedAt, Fact: 1}
	golden(t, "own-unfetched-en", in, []string{"had an answer that nobody had fetched yet"}, nil)
	golden(t, "own-unfetched-fr", inFrench(in), []string{"n’avait pas encore été retirée"}, nil)
}

// TestKeptIsLockedWhereItIsFlagged: that nothing else is done with what stays is said
// only where it is so.
func TestKeptIsLockedWhereItIsFlagged(t *testing.T) {
	t.Parallel()
	for _, locked := range []bool{false, true} {
		in := erasureInput(t)
		if locked {
			in.Systems[1].Ends[1].Counts[0].Restricted = 8
		}
		for _, in := range []input{in, inFrench(in)} {
			data, _ := write(t, in)
			files := unpack(t, data)
			page := bundletest.ReadAloud(t, files["data/index.html"])
			if said := strings.Contains(page, "They are locked away from every other use.") || strings.Contains(page, "Ils ne servent plus à rien d’autre."); said != locked {
				t.Errorf("locked %t: said %t", locked, said)
			}
			a := answerOf(t, files)
			if said := len(a.About("", "", statement.KeptUnused)) > 0; said != locked {
				t.Errorf("locked %t: certified %t", locked, said)
			}
		}
	}
}

// TestWithout: what the person gave and was not looked for by is named by kind, and
// nothing is said to be all where it isn't.
func TestWithout(t *testing.T) {
	t.Parallel()
	in := accessInput(t)
	in.Without = []dsar.IdentifierType{"phone", "desk.user_id"}
	for i := range in.Systems {
		in.Systems[i].Ends, in.Systems[i].Sources = []core.ActionEnd{ended(dsar.Gather, dsar.NothingFound)}, nil
	}
	files := golden(t, "without-en", in, []string{
		"We looked for you without the phone number that you gave: it was not proven to be yours.",
		"We looked for you without what you gave as your desk.user id: it was not proven to be yours.",
		"We looked without some of what you gave us.",
	}, []string{"Nothing was left out."})
	a := answerOf(t, files)
	if without := a.About("", "", statement.WentWithout); len(without) != 2 || without[0].Types[0] != "phone" || without[1].Types[0] != "desk.user_id" {
		t.Error("answer.json doesn't name it")
	}
	golden(t, "without-fr", inFrench(in), []string{
		"Nous vous avons cherché sans le numéro de téléphone que vous nous avez indiqué, faute de preuve que cet identifiant est bien le vôtre.",
		"Nous vous avons cherché sans l’identifiant que vous nous avez indiqué (desk.user id), faute de preuve",
	}, []string{"Rien n’a été omis."})
	in.Unproven = []dsar.Check{dsar.CheckIdentity}
	data, _ := write(t, in)
	if page := bundletest.ReadAloud(t, unpack(t, data)["data/index.html"]); strings.Contains(page, "We looked for you without") {
		t.Error("nobody was looked for")
	}
}
