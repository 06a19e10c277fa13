package truth

import (
	"slices"
	"strings"
	"testing"
	"time"

	"habeas.dev/pkg/dsar"
	"habeas.dev/pkg/event"
	"habeas.dev/services/internal/core"
)

// household is a shop in which Ann has account 5 and Bob has account 6. They live together.
func household(s *scene) {
	db := s.system(`
system: shop
needs: [account_id, phone, email]
scope: {account_id: given}
datasets:
- {name: acc, columns: [id, name], subject: {account_id: id}}
- {name: inv, columns: [id, what, "issued_on:date"], subject: {account_id: a}, keep: P10Y}
`, "CREATE TABLE acc(id INTEGER PRIMARY KEY, name TEXT)", "CREATE TABLE inv(id INTEGER PRIMARY KEY, a INTEGER, what TEXT, issued_on DATE)")
	db.row("acc", 5, "Ann")
	db.row("acc", 6, "Bob")
	db.row("inv", 1, 5, "ann pills", s.now.AddDate(-1, 0, 0).Format(time.DateOnly))
	db.row("inv", 2, 6, "bob tea", s.now.AddDate(-1, 0, 0).Format(time.DateOnly))
}

// doubts fails unless a request waits until a person has said whether some others are of the
// same person, and no system is asked for records; it returns the request as it is when that was said.
func (s *scene) doubts(state core.State, same bool, others ...core.State) core.State {
	s.Helper()
	id := state.Accepted.RequestID
	var want, got []string
	for _, o := range others {
		want = append(want, o.Accepted.RequestID)
	}
	for _, d := range state.InDoubt() {
		got = append(got, d.RequestID)
	}
	slices.Sort(want)
	slices.Sort(got)
	if needs := state.Needs(); !slices.Equal(got, want) || state.Status != core.StatusNeedsAttention || !slices.Contains(needs, core.Need{Kind: core.NeedTheirs}) || state.Attention.Code != core.CodePerhapsTheirs {
		s.Fatalf("%s is %s, needs %v, and is in doubt about %v, not %v: %s", id, state.Status, needs, got, want, ends(state))
	}
	if slices.ContainsFunc(state.Tasks, func(t *core.TaskState) bool { return t.Action != dsar.Resolve }) {
		s.Errorf("a system was asked: %s", ends(state))
	}
	for _, o := range got {
		s.do(id, core.JudgeEarlier{By: "lea", Request: o, Same: same, Reason: "looked at both", Now: s.now})
	}
	return s.play(id)
}

// TestHouseholdsHaveOwnRequests: what two people of a household have in common makes nobody's
// request the other's: what had to stay of one isn't shown or told to the other, and counts for
// nothing in their erasure, once somebody has said that they are two. It is asked once of an
// account (attack 11, 14).
func TestHouseholdsHaveOwnRequests(t *testing.T) {
	t.Parallel()
	for _, common := range []string{"phone +33612345678", "email family@example.com"} {
		onBoth(t, func(s *scene) {
			s.quiet = true
			household(s)
			s.begin()
			ann := s.asks(dsar.Erasure, common, "account_id 5")
			s.completed(ann)
			var early []core.State
			if strings.HasPrefix(common, "phone") { // nobody else with another account is known yet
				early = append(early, s.doubts(s.asks(dsar.Access, common), false, ann))
				s.silentOn(s.completed(early[0]), "ann pills", "earlier erasure")
			}
			saw := s.doubts(s.asks(dsar.Access, common, "account_id 6"), false, ann)
			a := s.completed(saw)
			s.shows(a, "shop", "inv", "2")
			s.silentOn(a, "ann pills", "earlier erasure")
			if saw.Accepted.EarlierRequests > 0 || len(saw.KeptElsewhere)+len(saw.Erasures) > 0 {
				s.Errorf("%d requests before, kept %v of %v", saw.Accepted.EarlierRequests, saw.KeptElsewhere, saw.Erasures)
			}

			// Nobody knows who asks by what they have in common alone.
			alone := s.doubts(s.asks(dsar.Access, common), false, ann)
			s.silentOn(s.completed(alone), "ann pills", "earlier erasure")

			erased := s.asks(dsar.Erasure, common, "account_id 6")
			if len(early) > 0 { // whose the copies by the telephone alone were, nobody knows
				erased = s.doubts(erased, false, append(early, alone)...)
			}
			s.numbers(s.completed(erased), "shop", "inv", 1, 0, 1)
			s.holds("shop", "SELECT id FROM inv", "1", "2")
			s.holds("shop", "SELECT id FROM acc")
		})
	}
}

// TestRegisteredAnew: who had to be kept something of under an account that they had is told of
// it, once somebody has said that they are the same person; until then nothing is said.
func TestRegisteredAnew(t *testing.T) {
	t.Parallel()
	onBoth(t, func(s *scene) {
		s.quiet = true
		household(s)
		s.begin()
		before := s.asks(dsar.Erasure, "email ann@example.com", "account_id 5")
		s.completed(before)
		now := s.doubts(s.asks(dsar.Access, "email ann@example.com", "account_id 6"), true, before)
		a := s.completed(now)
		s.shows(a, "shop", "inv", "1", "2")
		if !slices.Contains(now.Erasures, before.Accepted.RequestID) || len(now.KeptElsewhere) != 1 {
			s.Errorf("erasures %v, kept %v", now.Erasures, now.KeptElsewhere)
		}
		s.completes(dsar.Access, "email ann@example.com", "account_id 6") // nobody asks once more
	})
}

// TestAnAddressThatChangedHands: what had to stay of somebody who had an address before isn't
// shown, counted or corrected as another's who has it now, and whose own account is another one:
// somebody says first whether they are two (attack 12, 8).
func TestAnAddressThatChangedHands(t *testing.T) {
	t.Parallel()
	for _, same := range []bool{false, true} {
		onBoth(t, func(s *scene) {
			s.quiet = true
			db := s.system(`
system: shop
abilities: [resolve, gather, erase]
needs: [account_id, email]
finds: [account_id]
scope: {account_id: shared}
resolve: [{find: account_id, table: acc, column: id, by: {email: email}}]
datasets:
- {name: acc, columns: [id, email], subject: {account_id: id}}
- {name: inv, columns: [id, what, "issued_on:date"], subject: {account_id: a}, keep: P10Y}
`, "CREATE TABLE acc(id INTEGER PRIMARY KEY, email TEXT)", "CREATE TABLE inv(id INTEGER PRIMARY KEY, a INTEGER, what TEXT, issued_on DATE)")
			day := s.now.AddDate(-1, 0, 0).Format(time.DateOnly)
			db.row("acc", 5, "ann@example.com")
			db.row("inv", 1, 5, "ann pills", day)
			s.begin()
			ann := s.asks(dsar.Erasure, "email ann@example.com")
			s.completed(ann)
			again := s.asks(dsar.Erasure, "email ann@example.com")
			s.numbers(s.completed(again), "shop", "inv", 1, 0, 1) // it is still hers

			db.row("acc", 90, "ann@example.com")
			db.row("inv", 90, 90, "dora tea", day)
			shown, stay := []string{"90"}, int64(1)
			if same {
				shown, stay = []string{"1", "90"}, 2
			}
			dora := s.doubts(s.asks(dsar.Access, "email ann@example.com"), same, ann, again)
			a := s.completed(dora)
			s.shows(a, "shop", "inv", shown...)
			if !same {
				s.silentOn(a, "ann pills", "earlier erasure")
			}
			s.numbers(s.completes(dsar.Erasure, "email ann@example.com", "account_id 90"), "shop", "inv", stay, 0, stay) // of that account somebody has said
			s.holds("shop", "SELECT id FROM inv", "1", "90")
		})
	}
}

// TestHouseholdsAnswers: an erasure ends the answers of nobody else in the household, and tells
// nothing of them (attack 11, h21); and a hold on one of them keeps nothing of another's, who
// isn't told of it (24).
func TestHouseholdsAnswers(t *testing.T) {
	t.Parallel()
	for _, held := range []bool{false, true} {
		onBoth(t, func(s *scene) {
			s.quiet = true
			household(s)
			s.begin()
			ann := s.asks(dsar.Access, "phone +33612345678", "account_id 5")
			s.completed(ann)
			if held {
				s.do(ann.Accepted.RequestID, core.Hold{By: "lea", Reason: "a lawsuit", Now: s.now})
			}
			bob := s.doubts(s.asks(dsar.Erasure, "phone +33612345678", "account_id 6"), false, ann)
			a := s.completed(bob)
			s.holds("shop", "SELECT id FROM acc", "5")
			s.silentOn(a, "lawsuit", "nobody had fetched", "ann pills")
			if len(bob.Holds) > 0 || bob.OwnCopies != nil && bob.OwnCopies.Requests+bob.OwnCopies.Unfetched > 0 {
				s.Errorf("holds %v, copies %+v", bob.Holds, bob.OwnCopies)
			}
			if after, err := s.life.State(s.ctx(), ann.Accepted.RequestID); err != nil || !after.RecordsForgotten.IsZero() {
				s.Errorf("her answer ended: %v, %v", after.RecordsForgotten, err)
			}
		})
	}
}

// TestAnAddressThatWasCorrected: what a correction of somebody's address didn't reach, their later
// requests by the new one find by the old one; and who was given the old one since is shown, told
// and erased nothing of theirs, nor they of hers (attack 11, 27).
func TestAnAddressThatWasCorrected(t *testing.T) {
	t.Parallel()
	for name, recycled := range map[string]bool{"it is nobody's": false, "it is another's": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			onBoth(t, func(s *scene) {
				s.quiet = true
				db := s.system(`
system: shop
abilities: [resolve, gather, erase, rectify]
needs: [account_id, email]
finds: [account_id]
scope: {account_id: shared}
resolve: [{find: account_id, table: acc, column: id, by: {email: email}}]
datasets:
- {name: acc, columns: [id, email], concept: {email: contact.email}, subject: {account_id: id, email: email}, rectify: [email]}
- {name: news, columns: [id], technical: [email], subject: {email: email}}
`, "CREATE TABLE acc(id INTEGER PRIMARY KEY, email TEXT)", "CREATE TABLE news(id INTEGER PRIMARY KEY, email TEXT)")
				db.row("acc", 5, "anna@example.com")
				db.row("news", 1, "anna@example.com")
				s.begin()
				corrects := func(was, is string) core.State {
					r := mine("email "+was, "email "+is)
					r.Right, r.Details = dsar.Rectification, &event.Details{Corrections: []event.Correction{{Column: "contact.email", Value: is}}}
					state := s.play(s.submit(r))
					s.completed(state)
					s.holds("shop", "SELECT email FROM acc", is)
					return state
				}
				corrects("anna@example.com", "anna.new@example.com")
				db.row("news", 2, "anna.new@example.com")
				corrects("anna.new@example.com", "anna.last@example.com")
				if recycled {
					db.row("acc", 9, "anna@example.com")
					db.row("news", 9, "anna@example.com")
					zoe := s.completed(s.asks(dsar.Access, "email anna@example.com"))
					s.shows(zoe, "shop", "acc", "9")
					s.shows(zoe, "shop", "news", "1", "9") // under her address
					s.silentOn(zoe, "anna.new@", "anna.last@")
					a := s.completed(s.asks(dsar.Access, "email anna.last@example.com"))
					s.shows(a, "shop", "acc", "5")
					s.shows(a, "shop", "news", "2")
					if !strings.Contains(a.files["index.html"], "We looked for you without what you had corrected earlier (email address)") {
						s.Error("it isn’t said that her first address leads nowhere")
					}
					s.completed(s.asks(dsar.Erasure, "email anna.last@example.com", "account_id 5"))
					s.holds("shop", "SELECT id FROM acc", "9")
					s.holds("shop", "SELECT id FROM news", "1", "9")
					return
				}
				s.shows(s.completed(s.asks(dsar.Access, "email anna.last@example.com")), "shop", "news", "1", "2")
				s.completes(dsar.Erasure, "email anna.last@example.com")
				s.holds("shop", "SELECT id FROM acc")
				s.holds("shop", "SELECT id FROM news")
			})
		})
	}
}
