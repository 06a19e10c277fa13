package core_test

import (
	"slices"
	"testing"

	"pgregory.net/rapid"

	"habeas.dev/pkg/dsar"
	"habeas.dev/services/internal/core"
)

// The person of case 3: who asks owns the first address, and only says that the second
// is theirs.
var (
	mallory = dsar.Identifier{Type: "email", Fingerprint: "fp-mallory", Assurance: dsar.AssuranceVerified}
	camille = dsar.Identifier{Type: "email", Fingerprint: "fp-camille", Assurance: dsar.AssuranceClaimed}
	cookie  = dsar.Identifier{Type: "cookie_id", Fingerprint: "fp-cookie", Assurance: dsar.AssuranceVerified}
)

// asking returns a request with these identifiers.
func asking(t reporter, right dsar.Right, terms core.Terms, ids []dsar.Identifier, systems ...dsar.System) *desk {
	d := &desk{t: t, now: start}
	d.do(core.Submit{Accepted: core.Accepted{RequestID: "r1", Right: right, Jurisdiction: "EEA", ReceivedAt: start, AcceptedAt: start, DueAt: start.AddDate(0, 0, 30),
		Digest: "d1", Identifiers: ids, Systems: systems, Terms: terms}})
	return d
}

// handed returns the fingerprints that a system's task has.
func (d *desk) handed(system string, action dsar.Action) []string {
	var out []string
	for _, id := range d.state.NewTask(core.TaskSent{System: system, Action: action}).Identifiers {
		out = append(out, id.Fingerprint)
	}
	return out
}

func (d *desk) answer() *core.Answer {
	return d.state.NewTask(core.TaskSent{System: dsar.Aggregator, Action: dsar.Assemble}).Answer
}

// TestOneVerifiedIdentifierDoesNotOpenTheRest is case 3.
func TestOneVerifiedIdentifierDoesNotOpenTheRest(t *testing.T) {
	t.Parallel()
	identity := core.Terms{Checks: []dsar.Check{dsar.CheckIdentity}}
	for name, c := range map[string]struct {
		judge core.JudgeProof
		want  []string
	}{
		"proven":        {core.JudgeProof{Accepted: true}, []string{"fp-mallory", "fp-camille"}},
		"one is proven": {core.JudgeProof{Accepted: true, Identifiers: []string{"fp-mallory"}}, []string{"fp-mallory"}},
		"without":       {core.JudgeProof{Without: true}, []string{"fp-mallory"}},
	} {
		d := asking(t, dsar.Erasure, identity, []dsar.Identifier{mallory, camille}, account, events)
		d.wants()
		c.judge.By, c.judge.Calendar, c.judge.Now = "lea", calendar{}, d.now
		d.do(c.judge)
		d.wants("account resolve", "account plan", "events plan")
		if got := d.handed("events", dsar.Plan); !slices.Equal(got, c.want) {
			t.Errorf("%s: events is asked by %v, want %v", name, got, c.want)
		}
		without := len(d.answer().Without) > 0
		if without != (len(c.want) == 1) || len(d.answer().Identifiers) != len(c.want) {
			t.Errorf("%s: answered %+v", name, d.answer())
		}
	}
	// Nobody waits: the configuration goes on without what isn't verified.
	d := asking(t, dsar.Access, core.Terms{}, []dsar.Identifier{mallory, camille}, events)
	if got := d.handed("events", dsar.Gather); !slices.Equal(got, []string{"fp-mallory"}) {
		t.Errorf("asked by %v", got)
	}
	// A cookie that is verified opens no address.
	d = asking(t, dsar.Access, core.Terms{}, []dsar.Identifier{cookie, camille}, events)
	d.wants("aggregator assemble")
	if end := d.state.Task("events", dsar.Gather).End; end.Outcome != dsar.NotApplicable || end.Code != core.CodeNotProven {
		t.Errorf("%+v", end)
	}
}

func TestWhatAnAcceptedProofIsOf(t *testing.T) {
	t.Parallel()
	d := asking(t, dsar.Access, core.Terms{Checks: []dsar.Check{dsar.CheckIdentity}}, []dsar.Identifier{camille}, events)
	d.refuses(core.JudgeProof{Without: true, Calendar: calendar{}, Now: d.now}, core.ErrNotAllowed)
	d.refuses(core.JudgeProof{Accepted: true, Identifiers: []string{}, Calendar: calendar{}, Now: d.now}, core.ErrNotAllowed)
	d.refuses(core.JudgeProof{Accepted: true, Identifiers: []string{"fp-stranger"}, Calendar: calendar{}, Now: d.now}, core.ErrNotAllowed)
	d.refuses(core.JudgeProof{Failed: []dsar.Check{dsar.CheckGuardian}, Calendar: calendar{}, Now: d.now}, core.ErrNotAllowed)
	d.do(core.JudgeProof{By: "lea", Accepted: true, Calendar: calendar{}, Now: d.now})
	if d.state.Identifiers[0].Assurance != dsar.AssuranceProven {
		t.Errorf("%+v", d.state.Identifiers)
	}
	d.wants("events gather")
	d = asking(t, dsar.Access, core.Terms{Checks: []dsar.Check{dsar.CheckAgent}}, []dsar.Identifier{mallory}, events)
	d.refuses(core.JudgeProof{Without: true, Calendar: calendar{}, Now: d.now}, core.ErrNotAllowed) // not without a mandate
}

// TestImpostorLearnsNothing is case 4: after a proof that was rejected, nothing that was
// found is in the answer, whatever was asked and said before.
func TestImpostorLearnsNothing(t *testing.T) {
	t.Parallel()
	for _, check := range []dsar.Check{dsar.CheckIdentity, dsar.CheckAgent, dsar.CheckGuardian, dsar.CheckOrganisation} {
		d := asking(t, dsar.Access, core.Terms{Instead: dsar.KnowCategories}, []dsar.Identifier{mallory}, account, billing, events)
		d.report(dsar.Report{System: "account", Action: dsar.Resolve, Outcome: dsar.Found, Identifiers: []dsar.Identifier{{Type: "account_id", Fingerprint: "fp-acc", From: "fp-mallory"}}})
		d.report(dsar.Report{System: "events", Action: dsar.Gather, Outcome: dsar.Gathered, Counts: []dsar.Counts{{Dataset: "seen", Found: 7, Gathered: 7}}, Objects: []dsar.Object{{Name: "o"}}})
		d.do(core.AskProof{By: "lea", Checks: []dsar.Check{check}, Now: d.now})
		d.do(core.JudgeProof{By: "lea", Reason: "no", Calendar: calendar{}, Now: d.now})
		d.wants("aggregator assemble")
		a := d.answer()
		if len(a.Identifiers) > 0 || !slices.Equal(a.Unproven, []dsar.Check{check}) || a.Asked != dsar.Access {
			t.Errorf("%s: %+v", check, a)
		}
		for _, sys := range a.Systems {
			for _, end := range sys.Ends {
				if end.Outcome != dsar.NotApplicable || len(end.Counts)+len(end.Objects) > 0 {
					t.Errorf("%s: %s tells %+v", check, sys.System, end)
				}
			}
		}
		// What is still under way finds nothing any more.
		if facts := d.report(dsar.Report{System: "account", Action: dsar.Gather, Outcome: dsar.Gathered, Objects: []dsar.Object{{Name: "late"}}}); len(facts) > 0 {
			t.Errorf("%v", facts)
		}
		// Where the law has no lesser answer, the ground says what was not proven.
		d = asking(t, dsar.Access, core.Terms{Checks: []dsar.Check{check}}, []dsar.Identifier{mallory}, events)
		d.do(core.JudgeProof{By: "lea", Calendar: calendar{}, Now: d.now})
		if got := d.state.Refusal.Ground; got != string(check)+"-not-proven" {
			t.Errorf("%s is refused as %s", check, got)
		}
	}
}

// TestOptOutNeedsNoProof: where the law asks no proof, who is merely claimed is stopped
// to be processed, and nothing else: nobody resolves.
func TestOptOutNeedsNoProof(t *testing.T) {
	t.Parallel()
	account := dsar.System{Name: "account", Abilities: []dsar.Action{dsar.Resolve, dsar.Restrict}, Needs: []dsar.IdentifierType{"email"}, Finds: []dsar.IdentifierType{"account_id"}}
	d := asking(t, dsar.OptOut, core.Terms{NoProof: true}, []dsar.Identifier{camille}, account, billing)
	d.wants("account restrict")
	if got := d.handed("account", dsar.Restrict); !slices.Equal(got, []string{"fp-camille"}) {
		t.Errorf("asked by %v", got)
	}
	d = asking(t, dsar.OptOut, core.Terms{}, []dsar.Identifier{camille}, account)
	d.wants("aggregator assemble")
}

// desks is a system like that of case 2: what it finds leads it on.
var desks = dsar.System{Name: "desk", Abilities: all, Needs: []dsar.IdentifierType{"email", "desk.cart_no"}, Finds: []dsar.IdentifierType{"desk.user_no", "desk.cart_no"},
	Links: []dsar.Link{{Find: "desk.user_no", By: "email"}, {Find: "desk.cart_no", By: "desk.user_no"}}}

// TestToAFixedPoint is case 2: a system is asked again by what it found itself, until
// nothing further is found, and nothing that needs it goes out before.
func TestToAFixedPoint(t *testing.T) {
	t.Parallel()
	d := newDesk(t, dsar.Erasure, desks)
	find := func(typ dsar.IdentifierType, fp, from string) {
		d.report(dsar.Report{System: "desk", Action: dsar.Resolve, Outcome: dsar.Found, Identifiers: []dsar.Identifier{{Type: typ, Fingerprint: fp, From: from}}})
	}
	d.wants("desk resolve")
	find("desk.user_no", "fp-user", "fp-email")
	d.wants("desk resolve")
	if got := d.handed("desk", dsar.Resolve); !slices.Equal(got, []string{"fp-email", "fp-user"}) {
		t.Errorf("asked again by %v", got)
	}
	find("desk.cart_no", "fp-cart", "fp-user")
	d.wants("desk plan")
	if got := d.handed("desk", dsar.Plan); !slices.Equal(got, []string{"fp-email", "fp-cart"}) {
		t.Errorf("planned by %v", got)
	}
	// Links that never end stop for a person.
	circle := dsar.System{Name: "ring", Abilities: all, Needs: []dsar.IdentifierType{"email", "ring.next"}, Finds: []dsar.IdentifierType{"ring.next"}, Links: []dsar.Link{{Find: "ring.next", By: "email"}, {Find: "ring.next", By: "ring.next"}}}
	d = newDesk(t, dsar.Access, circle)
	from := "fp-email"
	for i := range core.MaxResolves {
		next := "fp-" + string(rune('a'+i))
		d.report(dsar.Report{System: "ring", Action: dsar.Resolve, Outcome: dsar.Found, Identifiers: []dsar.Identifier{{Type: "ring.next", Fingerprint: next, From: from}}})
		from = next
	}
	if end := d.state.Task("ring", dsar.Resolve).End; end.Code != core.CodeLinksGoOn || d.state.Status != core.StatusNeedsAttention {
		t.Fatalf("%+v, %s", end, d.state.Status)
	}
	d.do(core.Attest{By: "lea", Reason: "enough", System: "ring", Outcome: dsar.Found, Now: d.now})
	d.wants("ring gather")
}

// TestFoundByAClaimIsNobodys: what a worker says that it found by something which it
// wasn't asked by is left out.
func TestFoundByAClaimIsNobodys(t *testing.T) {
	t.Parallel()
	d := asking(t, dsar.Access, core.Terms{}, []dsar.Identifier{mallory, camille}, account, billing)
	d.report(dsar.Report{System: "account", Action: dsar.Resolve, Outcome: dsar.Found, Identifiers: []dsar.Identifier{
		{Type: "account_id", Fingerprint: "fp-1", From: "fp-camille", Assurance: dsar.AssuranceProven},
		{Type: "account_id", Fingerprint: "fp-2", From: "fp-unheard-of"},
		{Type: "tax_id", Fingerprint: "fp-3", From: "fp-mallory"}, // it doesn't say that it finds these
		{Type: "account_id", Fingerprint: "fp-4", From: "fp-mallory", Assurance: dsar.AssuranceProven},
	}})
	var usable []string
	for _, id := range d.state.Usable() {
		usable = append(usable, id.Fingerprint)
	}
	if !slices.Equal(usable, []string{"fp-mallory", "fp-4"}) || d.state.Identifiers[2].Assurance != dsar.AssuranceFound {
		t.Errorf("%v of %+v", usable, d.state.Identifiers)
	}
	notes := core.NotesOf(d.facts[len(d.facts)-2])
	for _, f := range d.facts {
		if e, ok := f.(core.TaskEnded); ok && e.Action == dsar.Resolve {
			notes = core.NotesOf(e)
		}
	}
	if len(notes) != 1 {
		t.Errorf("nobody is told that three were left out: %v", notes)
	}
}

// TestFoundAlong: a system isn't asked again for what it has found along with an identifier of
// its own, and is where a person had to say whether that is the right one.
func TestFoundAlong(t *testing.T) {
	t.Parallel()
	for from, again := range map[string]bool{"fp-mallory": false, "fp-phone": true} {
		shop := dsar.System{Name: "shop", Abilities: all, Needs: []dsar.IdentifierType{"email", "phone"}, Finds: []dsar.IdentifierType{"account_id", "cookie_id"},
			Links: []dsar.Link{{Find: "account_id", By: "phone", Weak: true}, {Find: "account_id", By: "email"}, {Find: "cookie_id", By: "account_id", Along: true}}}
		phone := dsar.Identifier{Type: "phone", Fingerprint: "fp-phone", Assurance: dsar.AssuranceProven}
		d := asking(t, dsar.Erasure, core.Terms{}, []dsar.Identifier{mallory, phone}, shop)
		d.report(dsar.Report{System: "shop", Action: dsar.Resolve, Outcome: dsar.Found, Identifiers: []dsar.Identifier{{Type: "account_id", Fingerprint: "fp-1", From: from}}})
		if again {
			d.do(core.Attest{By: "lea", Reason: "seen", System: "shop", Action: dsar.Resolve, Outcome: dsar.Found, Same: []string{"fp-1"}, Now: d.now})
		}
		if sent := d.state.Task("shop", dsar.Resolve).Status == core.TaskIsSent; sent != again {
			t.Errorf("found by %s: asked again is %t", from, sent)
		}
	}
}

// TestWeakLink: what was found by what several people may share waits for a person, and
// so does a link that may lead to one person and leads to several.
func TestWeakLink(t *testing.T) {
	t.Parallel()
	house := dsar.System{Name: "house", Abilities: all, Needs: []dsar.IdentifierType{"email"}, Finds: []dsar.IdentifierType{"account_id"},
		Links: []dsar.Link{{Find: "account_id", By: "phone", Weak: true}, {Find: "account_id", By: "email", One: true}}}
	phone := dsar.Identifier{Type: "phone", Fingerprint: "fp-phone", Assurance: dsar.AssuranceProven}
	found := func(fp, from string) dsar.Identifier {
		return dsar.Identifier{Type: "account_id", Fingerprint: fp, From: from}
	}
	for name, c := range map[string]struct {
		found []dsar.Identifier
		code  string
		same  []string
		want  []string
	}{
		"by a strong link":         {[]dsar.Identifier{found("fp-1", "fp-mallory")}, "", nil, []string{"fp-1"}},
		"by a weak link, the same": {[]dsar.Identifier{found("fp-1", "fp-phone")}, core.CodeWeakLink, []string{"fp-1"}, []string{"fp-1"}},
		"by a weak link, another":  {[]dsar.Identifier{found("fp-1", "fp-phone"), found("fp-2", "fp-mallory")}, core.CodeWeakLink, nil, []string{"fp-2"}},
		"by what nobody says":      {[]dsar.Identifier{found("fp-1", "")}, core.CodeWeakLink, nil, nil},
		"by both":                  {[]dsar.Identifier{found("fp-1", "fp-phone"), found("fp-1", "fp-mallory")}, "", nil, []string{"fp-1"}},
		"several":                  {[]dsar.Identifier{found("fp-1", "fp-mallory"), found("fp-2", "fp-mallory")}, core.CodeSeveral, []string{"fp-2"}, []string{"fp-2"}},
	} {
		d := asking(t, dsar.Erasure, core.Terms{}, []dsar.Identifier{mallory, phone}, house, billing)
		d.report(dsar.Report{System: "house", Action: dsar.Resolve, Outcome: dsar.Found, Identifiers: c.found})
		if end := d.state.Task("house", dsar.Resolve).End; end.Code != c.code {
			t.Fatalf("%s: %+v", name, end)
		}
		if c.code != "" {
			if len(d.open()) > 1 || d.state.Task("billing", dsar.Plan) != nil {
				t.Errorf("%s: went on: %v", name, d.open())
			}
			d.refuses(core.Attest{By: "lea", Reason: "seen", System: "house", Action: dsar.Resolve, Outcome: dsar.Found, Same: []string{"fp-9"}, Now: d.now}, core.ErrNotAllowed)
			outcome := dsar.Found
			if len(c.want) == 0 {
				outcome = dsar.NothingFound
			}
			d.do(core.Attest{By: "lea", Reason: "seen", System: "house", Action: dsar.Resolve, Outcome: outcome, Same: c.same, Now: d.now})
		}
		var got []string
		for _, id := range d.state.Usable()[2:] {
			got = append(got, id.Fingerprint)
		}
		if !slices.Equal(got, c.want) {
			t.Errorf("%s: found %v, want %v", name, got, c.want)
		}
	}
}

// TestWhatWasFoundLeadsAstray: what is found by an identifier that was found itself, where that
// may lead to one person only, is in doubt as soon as something else of its type is known:
// somebody may have written another's address into their own profile. Of two that were given,
// each may lead to an account of the person's.
func TestWhatWasFoundLeadsAstray(t *testing.T) {
	t.Parallel()
	const account, email = dsar.IdentifierType("users.user_id"), dsar.IdentifierType("email")
	users := dsar.System{Name: "users", Abilities: all, Needs: []dsar.IdentifierType{account}, Finds: []dsar.IdentifierType{account, email},
		Links: []dsar.Link{{Find: account, By: email, One: true}, {Find: email, By: account}}}
	second := dsar.Identifier{Type: email, Fingerprint: "fp-second", Assurance: dsar.AssuranceProven}
	found := func(typ dsar.IdentifierType, fp, from string) dsar.Identifier {
		return dsar.Identifier{Type: typ, Fingerprint: fp, From: from}
	}
	for name, c := range map[string]struct {
		given  []dsar.Identifier
		rounds [][]dsar.Identifier
		code   string
	}{
		"an address in the profile leads to another": {[]dsar.Identifier{mallory}, [][]dsar.Identifier{
			{found(account, "fp-5", "fp-mallory")}, {found(email, "fp-bob", "fp-5")}, {found(account, "fp-6", "fp-bob")}}, core.CodeSeveral},
		"it leads to the same": {[]dsar.Identifier{mallory}, [][]dsar.Identifier{
			{found(account, "fp-5", "fp-mallory")}, {found(email, "fp-also", "fp-5")}, {found(account, "fp-5", "fp-also")}}, ""},
		"at once with the address": {[]dsar.Identifier{mallory}, [][]dsar.Identifier{
			{found(account, "fp-5", "fp-mallory")}, {found(email, "fp-bob", "fp-5")}, {found(account, "fp-5", "fp-mallory"), found(account, "fp-6", "fp-bob")}}, core.CodeSeveral},
		"two that were given": {[]dsar.Identifier{mallory, second}, [][]dsar.Identifier{
			{found(account, "fp-5", "fp-mallory"), found(account, "fp-6", "fp-second")}}, ""},
	} {
		d := asking(t, dsar.Erasure, core.Terms{}, c.given, users)
		for _, ids := range c.rounds {
			d.report(dsar.Report{System: "users", Action: dsar.Resolve, Outcome: dsar.Found, Identifiers: ids})
		}
		end := d.state.Task("users", dsar.Resolve).End
		if end.Code != c.code {
			t.Errorf("%s: %+v", name, end)
		}
		if bob := slices.ContainsFunc(d.state.Usable(), func(id dsar.Identifier) bool { return id.Fingerprint == "fp-6" }); bob && c.code != "" {
			t.Errorf("%s: another's account may be used", name)
		}
	}
}

// TestClaimedIsNobody: whatever happens, no task that goes out holds an identifier that is
// merely claimed, or that was found by one; but for what stops processing where the law
// asks no proof.
func TestClaimedIsNobody(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		terms := core.Terms{NoProof: rapid.Bool().Draw(t, "no proof"), Instead: dsar.KnowCategories}
		if rapid.Bool().Draw(t, "wants proof") {
			terms.Checks = []dsar.Check{dsar.CheckIdentity}
		}
		w := newRandomRunUnder(t, map[string]bool{}, terms)
		for range rapid.IntRange(0, 60).Draw(t, "steps") {
			if rapid.IntRange(0, 3).Draw(t, "person") == 0 {
				w.person()
			} else {
				w.step()
			}
		}
		var s core.State
		for _, f := range w.facts {
			s = core.Evolve(s, f)
			sent, ok := f.(core.TaskSent)
			if !ok {
				continue
			}
			task := s.NewTask(sent)
			ids := task.Identifiers
			if task.Answer != nil {
				ids = task.Answer.Identifiers
			}
			free := terms.NoProof && s.Right.Stages()[0] == dsar.Restrict && sent.Action != dsar.Resolve
			for _, id := range ids {
				for chain := 0; !free; chain++ {
					if id.Assurance == dsar.AssuranceClaimed || chain > 10 {
						t.Fatalf("%+v of %+v is handed out with %+v", id, s.Identifiers, sent)
					}
					i := slices.IndexFunc(s.Identifiers, func(k dsar.Identifier) bool { return k.Fingerprint == id.From })
					if id.From == "" {
						break
					}
					id = s.Identifiers[i]
				}
			}
		}
	})
}

// TestNobodyAsked: a request of which no system can be asked anything isn't answered by
// itself: once, and not for each system, a person says what they found. One that some system
// was asked about is.
func TestNobodyAsked(t *testing.T) {
	t.Parallel()
	mails := []dsar.System{{Name: "news", Abilities: []dsar.Action{dsar.Gather, dsar.Plan, dsar.Erase, dsar.Prove, dsar.Restrict}, Needs: []dsar.IdentifierType{"email"}}, {Name: "post", Abilities: []dsar.Action{dsar.Gather, dsar.Erase, dsar.Restrict}, Needs: []dsar.IdentifierType{"email", "phone"}}}
	for _, right := range []dsar.Right{dsar.Access, dsar.Erasure, dsar.Objection} {
		d := asking(t, right, core.Terms{}, []dsar.Identifier{cookie}, mails...)
		first := right.Stages()[0]
		if end := d.state.Task("news", first).End; end.Outcome != dsar.NotApplicable || end.Code != "no-identifier" {
			t.Errorf("%s: %+v", right, end)
		}
		failed := d.state.Task("post", first)
		if d.state.Status != core.StatusNeedsAttention || failed.End.Code != core.CodeNobodyAsked || failed.End.Outcome != dsar.Manual {
			t.Errorf("%s: %s, %+v", right, d.state.Status, failed.End)
		}
		if _, err := core.Decide(d.state, core.Refuse{By: "lea", Ground: core.NotProven, Reason: "ask again with an address", Now: d.now}); err != nil {
			t.Errorf("%s: it can't be refused: %v", right, err)
		}
		d.do(core.Attest{System: "post", Action: first, Outcome: dsar.NothingFound, By: "lea", Reason: "looked by name", Now: d.now})
		if d.state.Status == core.StatusNeedsAttention || d.state.Stage != dsar.Assemble {
			t.Errorf("%s: %s after a person has looked, in %s", right, d.state.Status, d.state.Stage)
		}
	}
	d := asking(t, dsar.Access, core.Terms{}, []dsar.Identifier{cookie}, append(mails, dsar.System{Name: "ads", Abilities: []dsar.Action{dsar.Gather}, Needs: []dsar.IdentifierType{"cookie_id"}})...)
	if end := d.state.Task("post", dsar.Gather).End; end.Outcome != dsar.NotApplicable {
		t.Errorf("%+v", end)
	}
}
