package truth

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"habeas.dev/pkg/dsar"
	"habeas.dev/services/internal/core"
	"habeas.dev/services/internal/statement"
)

// numbered is a system that has a number of its own for each person, of the name that
// other systems have for theirs.
const numbered = `
system: %s
needs: [email, user_id]
finds: [user_id]
%sresolve: [{find: user_id, table: users, column: id, by: {email: email}}]
datasets:
- {name: users, columns: [id, email, name], subject: {email: email, user_id: id}, after: [notes]}
- {name: notes, columns: [id, body], subject: {user_id: user_id}, technical: [user_id]}
`

func numberedTables(notes string) []string {
	return []string{"CREATE TABLE users(id INTEGER PRIMARY KEY, email TEXT, name TEXT)", "CREATE TABLE " + notes + "(id INTEGER PRIMARY KEY, user_id INTEGER, body TEXT)"}
}

// TestCase01TwoNumbersOfOneName: each system is asked with its own number only, whoever
// has it elsewhere.
func TestCase01TwoNumbersOfOneName(t *testing.T) {
	t.Parallel()
	onBoth(t, func(s *scene) {
		for _, name := range []string{"forum", "desk", "shop"} {
			db := s.system(fmt.Sprintf(numbered, name, ""), numberedTables("notes")...)
			// Anna, Sam and Eve have three numbers, dealt anew in each system.
			for i, person := range []string{"anna", "sam", "eve"} {
				id := map[string][]int{"forum": {1, 2, 3}, "desk": {2, 1, 3}, "shop": {3, 1, 2}}[name][i]
				db.row("users", id, person+"@example.com", "name of "+person)
				db.row("notes", 10+id, id, "note of "+person)
			}
		}
		s.begin()
		a := s.completes(dsar.Access, "email anna@example.com")
		s.shows(a, "forum", "users", "1")
		s.shows(a, "desk", "users", "2")
		s.shows(a, "desk", "notes", "12")
		s.shows(a, "shop", "notes", "13")
		s.silentOn(a, "note of sam", "note of eve", "name of sam")
		s.completes(dsar.Erasure, "email anna@example.com")
		s.holds("forum", "SELECT name FROM users", "name of sam", "name of eve")
		s.holds("desk", "SELECT name FROM users", "name of sam", "name of eve")
		s.holds("shop", "SELECT body FROM notes", "note of sam", "note of eve")
	})
}

// TestCase01SharedNumber: a number that all declare shared leads from one to the others,
// and one that a third declares its own, of the same name, does not.
func TestCase01SharedNumber(t *testing.T) {
	t.Parallel()
	onBoth(t, func(s *scene) {
		shared := "scope: {user_id: shared}\n"
		for name, scope := range map[string]string{"forum": shared, "desk": shared, "till": "scope: {user_id: own}\n"} {
			db := s.system(fmt.Sprintf(numbered, name, scope), numberedTables("notes")...)
			if name == "forum" { // the one that knows addresses
				db.row("users", 7, "anna@example.com", "ANNA")
			}
			db.row("users", 8, "sam@example.com", "SAM")
			if name != "forum" {
				db.row("users", 7, "another-7@example.com", "of 7")
			}
			db.row("notes", 1, 7, "of 7")
			db.row("notes", 2, 8, "of 8")
		}
		// The till's 7 is somebody else: Anna's number there would be 9.
		s.stores["till"].row("users", 9, "anna@example.com", "ANNA")
		s.stores["till"].row("notes", 3, 9, "of 9")
		s.begin()
		a := s.completes(dsar.Access, "email anna@example.com")
		s.shows(a, "desk", "notes", "1") // by the forum's number
		s.shows(a, "till", "notes", "3")
		s.completes(dsar.Erasure, "email anna@example.com")
		s.holds("desk", "SELECT body FROM notes", "of 8")
		s.holds("till", "SELECT body FROM notes", "of 7", "of 8")
	})
}

// TestCase01GivenNumber: a number that the request brings under a name that two systems
// have for their own is refused at the door, not tried on both.
func TestCase01GivenNumber(t *testing.T) {
	t.Parallel()
	onBoth(t, func(s *scene) {
		for _, name := range []string{"forum", "desk"} {
			db := s.system(fmt.Sprintf(numbered, name, ""), numberedTables("notes")...)
			db.row("users", 1, name+"-one@example.com", "ONE")
		}
		s.begin()
		body := `{"request_id":"6f1c1c50-0000-4000-8000-000000000001","right":"access","jurisdiction":"EEA","source":"truth","received_at":"2026-11-20T09:00:00Z","subject":{"identifiers":[{"type":"user_id","value":"1","verified":true}]}}`
		if code, says := s.post("/v1/requests", []byte(body)); code != 400 || !strings.Contains(says, "a type that some system knows") {
			s.Errorf("the door says %d: %s", code, says)
		}
		a := s.completes(dsar.Access, "forum.user_id 1")
		s.shows(a, "forum", "users", "1")
		s.shows(a, "desk", "users")
	})
}

// TestCase01NumberGivenAnew: a number that an erased person had, and that is given anew to
// somebody else, leads a later request of the first to nothing of theirs; that something of
// the first may lie there is named.
func TestCase01NumberGivenAnew(t *testing.T) {
	t.Parallel()
	onBoth(t, func(s *scene) {
		db := s.system(fmt.Sprintf(numbered, "forum", "")+`- {name: orders, columns: [id, 'issued_on:date', what], subject: {user_id: user_id}, technical: [user_id], keep: P10Y}
`, append(numberedTables("notes"), "CREATE TABLE orders(id INTEGER PRIMARY KEY, user_id INTEGER, issued_on DATE, what TEXT)")...)
		db.row("users", 1, "anna@example.com", "ANNA")
		db.row("notes", 11, 1, "note of anna")
		db.row("orders", 21, 1, "2026-01-01", "order of anna")
		s.begin()
		s.numbers(s.completes(dsar.Erasure, "email anna@example.com"), "forum", "orders", 1, 0, 1)
		s.shows(s.completes(dsar.Access, "email anna@example.com"), "forum", "orders", "21") // nobody else has the number yet
		db.row("users", 1, "sam@example.com", "SAM")
		db.row("notes", 11, 1, "note of sam")
		db.row("orders", 22, 1, "2026-02-01", "order of sam")
		s.stops(s.asks(dsar.Access, "email anna@example.com"), "forum", "leads to somebody else by now")
		s.stops(s.asks(dsar.Erasure, "email anna@example.com"), "forum", "leads to somebody else by now")
		s.holds("forum", "SELECT body FROM notes", "note of sam")
		s.holds("forum", "SELECT what FROM orders", "order of anna", "order of sam")
	})
}

// TestCase02OwnFinds: what a system finds leads it on, over chains of any length and in
// whatever order the rules stand.
func TestCase02OwnFinds(t *testing.T) {
	t.Parallel()
	onBoth(t, func(s *scene) {
		db := s.system(`
system: shop
needs: [email, user_no, cart_no]
finds: [user_no, cart_no]
resolve: [{find: user_no, table: users, column: id, by: {email: email}}, {find: cart_no, table: carts, column: id, by: {user_no: user_id}}]
datasets:
- {name: users, columns: [id, email], subject: {email: email}, after: [carts]}
- {name: carts, columns: [id, user_id], subject: {user_no: user_id}, after: [cart_events]}
- {name: cart_events, columns: [id, what], subject: {cart_no: cart_id}, technical: [cart_id]}
`, "CREATE TABLE users(id INTEGER PRIMARY KEY, email TEXT)", "CREATE TABLE carts(id INTEGER PRIMARY KEY, user_id INTEGER)", "CREATE TABLE cart_events(id INTEGER PRIMARY KEY, cart_id INTEGER, what TEXT)")
		for p, person := range []string{"anna", "sam"} {
			db.row("users", 1+p, person+"@example.com")
			db.row("carts", 11+p, 1+p)
			db.row("cart_events", 21+p, 11+p, person)
		}
		s.begin()
		s.shows(s.completes(dsar.Access, "email anna@example.com"), "shop", "cart_events", "21")
		s.completes(dsar.Erasure, "email anna@example.com")
		s.holds("shop", "SELECT what FROM cart_events", "sam")
	})
}

// TestCase02ChainOfFour: four hops in one system, in the wrong order, and a fifth in
// another, by the last one's number.
func TestCase02ChainOfFour(t *testing.T) {
	t.Parallel()
	onBoth(t, func(s *scene) {
		var ddl, rules, types []string
		for i := 4; i >= 1; i-- { // the rule that is needed last stands first
			by := fmt.Sprintf("{n%d: ref}", i-1)
			if i == 1 {
				by = "{email: ref}"
			}
			rules = append(rules, fmt.Sprintf("{find: n%d, table: t%d, column: id, by: %s}", i, i, by))
			types = append(types, fmt.Sprintf("n%d", i))
			ddl = append(ddl, fmt.Sprintf("CREATE TABLE t%d(id INTEGER PRIMARY KEY, ref TEXT)", i))
		}
		db := s.system(`
system: chain
needs: [email, `+strings.Join(types, ", ")+`]
finds: [`+strings.Join(types, ", ")+`]
scope: {n4: shared}
technical: [t1, t2, t3, t4]
resolve: [`+strings.Join(rules, ", ")+`]
datasets:
- {name: ends, columns: [id, body], subject: {n4: ref}, technical: [ref]}
`, append(ddl, "CREATE TABLE ends(id INTEGER PRIMARY KEY, ref INTEGER, body TEXT)")...)
		far := s.system(`
system: far
needs: [n4]
datasets:
- {name: logs, columns: [id, body], subject: {n4: ref}, technical: [ref]}
`, "CREATE TABLE logs(id INTEGER PRIMARY KEY, ref INTEGER, body TEXT)")
		for p, person := range []string{"anna", "sam"} {
			db.row("t1", 1+p, person+"@example.com")
			db.row("t2", 2-p, fmt.Sprint(1+p)) // crossed at each hop
			db.row("t3", 1+p, fmt.Sprint(2-p))
			db.row("t4", 2-p, fmt.Sprint(1+p))
			db.row("ends", 31+p, 2-p, person)
			far.row("logs", 41+p, 2-p, person)
		}
		s.begin()
		a := s.completes(dsar.Access, "email anna@example.com")
		s.shows(a, "chain", "ends", "31")
		s.shows(a, "far", "logs", "41")
		s.completes(dsar.Erasure, "email anna@example.com")
		s.holds("chain", "SELECT body FROM ends", "sam")
		s.holds("far", "SELECT body FROM logs", "sam")
	})
}

// TestCase02RoundInACircle: links that lead back come to an end, and those that fan out
// to several people wait for a person.
func TestCase02RoundInACircle(t *testing.T) {
	t.Parallel()
	onBoth(t, func(s *scene) {
		manifest := `
system: circle
needs: [email, a_no, b_no]
finds: [a_no, b_no]
resolve:
- {find: a_no, table: links, column: a, by: {email: email, b_no: b}%s}
- {find: b_no, table: links, column: b, by: {a_no: a}}
datasets:
- {name: links, columns: [id, a, b, email], subject: {email: email, a_no: a}}
`
		table := "CREATE TABLE links(id INTEGER PRIMARY KEY, email TEXT, a INTEGER, b INTEGER)"
		one := s.system(fmt.Sprintf(manifest, ""), table)
		one.row("links", 1, "anna@example.com", 1, 2)
		one.row("links", 2, nil, 2, 2)
		one.row("links", 3, nil, 2, 1)
		one.row("links", 4, "sam@example.com", 5, 6)
		only := s.system(strings.ReplaceAll(fmt.Sprintf(manifest, ", one: true"), "system: circle", "system: only"), table)
		only.row("links", 1, "eve@example.com", 1, 1)
		only.row("links", 2, "eve@example.com", 2, 2)
		s.begin()
		s.shows(s.completes(dsar.Access, "email anna@example.com"), "circle", "links", "1", "2", "3")
		s.stops(s.asks(dsar.Erasure, "email eve@example.com"), "only", "2 people have this")
		s.holds("only", "SELECT id FROM links", "1", "2")
	})
}

// TestCase05Writings: one writing of an address or number is as good as another.
func TestCase05Writings(t *testing.T) {
	t.Parallel()
	emails := map[string][]string{ // asked: stored
		"anna@example.com": {"anna@example.com ", "\tanna@example.com", "\u00a0anna@example.com\u00a0", "anna@example.com\r\n", "ANNA@EXAMPLE.COM", "\u200banna@example.com\ufeff", "anna@example.com\u3000"},
		// Case of letters beyond ASCII, composed and decomposed.
		"jörg@example.com":     {"JÖRG@example.com", "jo\u0308rg@example.com", "JO\u0308RG@EXAMPLE.COM"},
		"ana@bücher.example":   {"ana@xn--bcher-kva.example", "ANA@BÜCHER.EXAMPLE", "ana@XN--BCHER-KVA.example"},
		"bo@xn--strae-oqa.com": {"bo@straße.com", "bo@STRAßE.com"},
		" Max@Example.com":     {"max@example.com", "max@example.com\v"},
	}
	phones := map[string][]string{
		"+33612345678":      {"+33 6 12 34 56 78", "0033612345678", "+33 (0)6 12 34 56 78", "+33-6-12-34-56-78", "00 33 6.12.34.56.78", "\u00a0+33\u202f6\u00a012 34 56 78 "},
		"0033 6 98 76 54 3": {"+33 6 98 76 54 3"},
	}
	onBoth(t, func(s *scene) {
		db := s.system(`
system: desk
needs: [email, phone]
datasets:
- {name: people, columns: [id, email, phone], subject: {email: email, phone: phone}}
`, "CREATE TABLE people(id INTEGER PRIMARY KEY, email TEXT, phone TEXT)")
		want, id := map[string][]string{}, 0
		store := func(typ string, writings map[string][]string) {
			for asked, stored := range writings {
				for _, w := range append([]string{asked}, stored...) {
					id++
					if typ == "email" {
						db.row("people", id, w, nil)
					} else {
						db.row("people", id, nil, w)
					}
					want[typ+" "+asked] = append(want[typ+" "+asked], fmt.Sprint(id))
				}
			}
		}
		store("email", emails)
		store("phone", phones)
		// Near, and other people.
		db.row("people", 1001, "anna+x@example.com", "+33612345679")
		db.row("people", 1002, "an.na@example.com", "+34612345678")
		db.row("people", 1003, "jorg@example.com", "+3361234567")
		db.row("people", 1004, "anna@example.com.net", "12345678")
		s.begin()
		saw := map[string]core.State{}
		for who, ids := range want {
			saw[who] = s.asks(dsar.Access, who)
			s.shows(s.completed(saw[who]), "desk", "people", ids...)
		}
		for who := range want {
			state := s.asks(dsar.Erasure, who)
			if strings.HasPrefix(who, "phone") { // a household's, maybe
				state = s.doubts(state, true, saw[who])
			}
			s.completed(state)
		}
		s.holds("desk", "SELECT id FROM people", "1001", "1002", "1003", "1004")
	})
}

// TestCase05AskedInEveryWriting: the same the other way round: stored in one form, asked
// in every other.
func TestCase05AskedInEveryWriting(t *testing.T) {
	t.Parallel()
	onBoth(t, func(s *scene) {
		db := s.system(`
system: desk
needs: [email, phone]
datasets:
- {name: people, columns: [id, email, phone], subject: {email: email, phone: phone}}
`, "CREATE TABLE people(id INTEGER PRIMARY KEY, email TEXT, phone TEXT)")
		db.row("people", 1, "jörg@bücher.example", "+33612345678")
		db.row("people", 2, "sam@example.com", "+33698765432")
		s.begin()
		for _, asked := range []string{"email JÖRG@Bücher.example", "email jo\u0308rg@xn--bcher-kva.example", "email \u00a0jörg@bücher.example\u3000",
			"phone +33 (0)6 12 34 56 78", "phone 0033 6 12 34 56 78", "phone ＋３３ ６ １２ ３４ ５６ ７８", "phone \u200e+33612345678", "phone tel:+33-6-12-34-56-78"} {
			s.shows(s.completes(dsar.Access, asked), "desk", "people", "1")
		}
	})
}

// TestFormersRecordsAreNotTheirs: what had to stay under a number that is given anew is neither
// shown to whoever has it now, nor corrected, planned or counted as theirs; that it is there is
// told. Of an erasure somebody says first whose it is (attack 11, 10). Who had the number is still
// told what had to stay, and it goes when it may.
func TestFormersRecordsAreNotTheirs(t *testing.T) {
	t.Parallel()
	onBoth(t, func(s *scene) {
		s.quiet = true
		db := s.system(fmt.Sprintf(numbered, "forum", "")+`- {name: orders, columns: [id, 'issued_on:date', what], subject: {user_id: user_id}, technical: [user_id], keep: P10Y}
`, append(numberedTables("notes"), "CREATE TABLE orders(id INTEGER PRIMARY KEY, user_id INTEGER, issued_on DATE, what TEXT)")...)
		db.row("users", 1, "anna@example.com", "ANNA")
		db.row("orders", 21, 1, s.now.AddDate(-1, 0, 0).Format(time.DateOnly), "pills of anna")
		s.begin()
		anna := s.asks(dsar.Erasure, "email anna@example.com")
		s.numbers(s.completed(anna), "forum", "orders", 1, 0, 1)
		s.shows(s.completes(dsar.Access, "email anna@example.com"), "forum", "orders", "21") // nobody has the number yet
		db.row("users", 1, "dora@example.com", "DORA")
		a := s.completes(dsar.Access, "email dora@example.com")
		s.shows(a, "forum", "orders")
		s.says(a, "forum", []statement.Kind{statement.OfFormer}, nil)
		db.row("orders", 22, 1, s.now.AddDate(-1, 0, 0).Format(time.DateOnly), "tea of dora")
		a = s.completes(dsar.Access, "email dora@example.com")
		s.shows(a, "forum", "orders", "22")
		s.silentOn(a, "pills", "nothing was left out")
		s.says(a, "forum", []statement.Kind{statement.OfFormer}, nil)

		dora := s.asks(dsar.Erasure, "email dora@example.com")
		if got := dora.InDoubt(); len(got) != 1 || got[0].RequestID != anna.Accepted.RequestID || got[0].Why != core.DoubtNumber {
			t.Fatalf("in doubt about %v: %s", got, ends(dora))
		}
		s.do(dora.Accepted.RequestID, core.JudgeEarlier{By: "lea", Request: anna.Accepted.RequestID, Reason: "another", Now: s.now})
		a = s.completed(s.play(dora.Accepted.RequestID))
		s.numbers(a, "forum", "orders", 1, 0, 1)
		s.says(a, "forum", []statement.Kind{statement.OfFormer}, nil)
		s.holds("forum", "SELECT what FROM orders", "pills of anna", "tea of dora")
		s.passed(s.now.AddDate(10, 0, 0))
		s.holds("forum", "SELECT what FROM orders")
	})
}

// TestFormersRecordsAreTheirs: who proves the address that they had is the same person, whatever
// number they have now, and so is who somebody says to be.
func TestFormersRecordsAreTheirs(t *testing.T) {
	t.Parallel()
	onBoth(t, func(s *scene) {
		s.quiet = true
		db := s.system(fmt.Sprintf(numbered, "forum", "")+`- {name: orders, columns: [id, 'issued_on:date', what], subject: {user_id: user_id}, technical: [user_id], keep: P10Y}
`, append(numberedTables("notes"), "CREATE TABLE orders(id INTEGER PRIMARY KEY, user_id INTEGER, issued_on DATE, what TEXT)")...)
		db.row("users", 1, "anna@example.com", "ANNA")
		db.row("orders", 21, 1, s.now.AddDate(-1, 0, 0).Format(time.DateOnly), "pills of anna")
		s.begin()
		anna := s.asks(dsar.Erasure, "email anna@example.com")
		s.numbers(s.completed(anna), "forum", "orders", 1, 0, 1)
		db.row("users", 1, "new@example.com", "ANNA")
		s.shows(s.completes(dsar.Access, "email anna@example.com", "email new@example.com"), "forum", "orders", "21")

		again := s.asks(dsar.Erasure, "email new@example.com")
		again = s.do(again.Accepted.RequestID, core.JudgeEarlier{By: "lea", Request: anna.Accepted.RequestID, Same: true, Reason: "she showed the old letter", Now: s.now})
		s.completed(s.play(again.Accepted.RequestID))
		db.row("users", 1, "new@example.com", "ANNA")
		s.shows(s.completes(dsar.Access, "email new@example.com"), "forum", "orders", "21") // it isn't asked twice
	})
}
