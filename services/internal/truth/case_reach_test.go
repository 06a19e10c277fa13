package truth

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"habeas.dev/pkg/dsar"
	"habeas.dev/services/internal/statement"
)

// customers is a shop whose customers are deleted, with invoices that stay ten years.
const customers = `
system: shop
needs: [email, customer_no]
finds: [customer_no]
resolve: [{find: customer_no, table: customers, column: id, by: {email: email}}]
technical: [%s]
datasets:
- {name: customers, columns: [id, email], subject: {email: email, customer_no: id}%s}
- {name: invoices, columns: [id, 'issued_on:date'], subject: {customer_no: customer_id}, technical: [%s], keep: P10Y}
`

const customersTable = "CREATE TABLE customers(id INTEGER PRIMARY KEY, email TEXT)"

// untouched fails unless every table of a system has as many rows as before.
func (s *scene) untouched(system string, tables ...string) (check func()) {
	before := map[string][]string{}
	for _, table := range tables {
		before[table] = s.stores[system].list("SELECT id FROM " + table)
	}
	return func() {
		s.Helper()
		for table, was := range before {
			s.holds(system, "SELECT id FROM "+table, was...)
		}
	}
}

// TestCase07AKeptRecordGoesWithAnother: a chain of foreign keys from what is deleted to
// what must stay is found before the first row is touched, over however many tables,
// at start where it is there by then, and in the plan where it comes later.
func TestCase07AKeptRecordGoesWithAnother(t *testing.T) {
	t.Parallel()
	for hops := 0; hops <= 3; hops++ {
		t.Run(fmt.Sprintf("%d tables between", hops), func(t *testing.T) {
			t.Parallel()
			onBoth(t, func(s *scene) {
				names, ddl := []string{}, []string{customersTable}
				from := "customers"
				for i := range hops {
					name := fmt.Sprintf("between%d", i)
					ddl = append(ddl, "CREATE TABLE "+name+"(id INTEGER PRIMARY KEY, up_id INTEGER REFERENCES "+from+"(id) ON DELETE CASCADE)")
					names, from = append(names, name), name
				}
				ddl = append(ddl, "CREATE TABLE invoices(id INTEGER PRIMARY KEY, up_id INTEGER REFERENCES "+from+"(id) ON DELETE CASCADE, customer_id INTEGER, issued_on DATE)")
				s.system(fmt.Sprintf(customers, strings.Join(names, ", "), "", "up_id"), ddl...)
				s.refusedAtStart(append(names, "customers", "invoices", "ON DELETE CASCADE", "made anonymous")...)
			})
		})
	}
}

// TestCase07TheKeyComesLater: the same, with the foreign key made while the worker runs.
func TestCase07TheKeyComesLater(t *testing.T) {
	t.Parallel()
	onBoth(t, func(s *scene) {
		plain := "CREATE TABLE invoices(id INTEGER PRIMARY KEY, customer_id INTEGER, issued_on DATE)"
		db := s.system(fmt.Sprintf(customers, "", "", "customer_id"), customersTable, plain)
		s.begin()
		if s.kind == postgreSQL {
			db.exec("ALTER TABLE invoices ADD FOREIGN KEY (customer_id) REFERENCES customers(id) ON DELETE CASCADE")
		} else {
			db.exec("DROP TABLE invoices")
			db.exec(strings.Replace(plain, "customer_id INTEGER", "customer_id INTEGER REFERENCES customers(id) ON DELETE CASCADE", 1))
		}
		db.row("customers", 1, "anna@example.com")
		db.row("invoices", 1, 1, "2024-01-01")
		check := s.untouched("shop", "customers", "invoices")
		s.stops(s.asks(dsar.Erasure, "email anna@example.com"), "shop", "invoices", "must stay")
		check()
	})
}

// TestCase07UndeclaredTables: rows of tables that no dataset is of are refused with the
// way there, and let go, counted and named, where the manifest says that they may.
func TestCase07UndeclaredTables(t *testing.T) {
	t.Parallel()
	onBoth(t, func(s *scene) {
		const text = `
system: %s
technical: [reblogs, likes, stamps]
datasets:
- {name: posts, columns: [id, email], subject: {email: email}%s}
`
		ddl := []string{"CREATE TABLE posts(id INTEGER PRIMARY KEY, email TEXT)",
			"CREATE TABLE reblogs(id INTEGER PRIMARY KEY, post_id INTEGER REFERENCES posts(id) ON DELETE CASCADE)",
			"CREATE TABLE likes(id INTEGER PRIMARY KEY, reblog_id INTEGER REFERENCES reblogs(id) ON DELETE CASCADE)",
			"CREATE TABLE stamps(id INTEGER PRIMARY KEY, like_id INTEGER REFERENCES likes(id) ON DELETE SET NULL)"}
		for system, cascades := range map[string]string{"strict": "", "half": ", cascades: [reblogs, likes]", "lax": ", cascades: [reblogs, likes, stamps]"} {
			db := s.system(fmt.Sprintf(text, system, cascades), ddl...)
			for p, person := range []string{"anna", "sam"} {
				db.row("posts", 1+p, person+"@"+system+".example")
				db.row("reblogs", 11+p, 1+p)
				db.row("likes", 21+p, 11+p)
				db.row("stamps", 31+p, 21+p)
			}
		}
		s.begin()
		for system, way := range map[string][]string{"strict": {"reblogs", "← reblogs (post_id)"}, "half": {"stamps", "← reblogs (post_id) ← likes (reblog_id) ← stamps (like_id)"}} {
			check := s.untouched(system, "posts", "reblogs", "likes", "stamps")
			s.stops(s.asks(dsar.Erasure, "email anna@"+system+".example"), system, way...)
			check()
		}
		a := s.completes(dsar.Erasure, "email anna@lax.example")
		s.numbers(a, "lax", "posts", 1, 1, 0)
		s.holds("lax", "SELECT id FROM likes", "22")
		s.holds("lax", "SELECT like_id FROM stamps", "-", "22")
	})
}

// TestCase07SetNullOnAKeptRow: a record that must stay is not changed either by what is
// deleted: neither one that is to stay, nor one that goes with it in the same task.
func TestCase07SetNullOnAKeptRow(t *testing.T) {
	t.Parallel()
	onBoth(t, func(s *scene) {
		db := s.system(fmt.Sprintf(customers, "", "", "customer_id"), customersTable,
			"CREATE TABLE invoices(id INTEGER PRIMARY KEY, customer_id INTEGER REFERENCES customers(id) ON DELETE SET NULL, issued_on DATE)")
		db.row("customers", 1, "anna@example.com")
		db.row("invoices", 1, 1, "2024-01-01")
		db.row("invoices", 2, 1, "2009-01-01")
		db.row("customers", 2, "eve@example.com")
		db.row("invoices", 3, 2, "2009-01-01")
		s.begin()
		check := s.untouched("shop", "customers", "invoices")
		s.stops(s.asks(dsar.Erasure, "email anna@example.com"), "shop", "change", "invoices", "must stay")
		check()
		s.holds("shop", "SELECT customer_id FROM invoices", "1", "1", "2")
		s.numbers(s.completes(dsar.Erasure, "email eve@example.com"), "shop", "invoices", 1, 1, 0)
		s.holds("shop", "SELECT id FROM invoices", "1", "2")
	})
}

// TestCase07UnlinksAKeptRow: where the manifest says that a record which must stay may lose
// its reference, it stays without, and the certificate counts it.
func TestCase07UnlinksAKeptRow(t *testing.T) {
	t.Parallel()
	onBoth(t, func(s *scene) {
		db := s.system(fmt.Sprintf(customers, "", ", unlinks: [invoices]", "customer_id"), customersTable, "CREATE TABLE invoices(id INTEGER PRIMARY KEY, customer_id INTEGER REFERENCES customers(id) ON DELETE SET NULL, issued_on DATE)")
		db.row("customers", 1, "anna@example.com")
		db.row("invoices", 1, 1, "2024-01-01")
		db.row("invoices", 2, 1, "2009-01-01")
		db.row("customers", 2, "sam@example.com")
		db.row("invoices", 3, 2, "2024-01-01")
		s.quiet = true
		s.begin()
		a := s.completes(dsar.Erasure, "email anna@example.com")
		s.numbers(a, "shop", "invoices", 2, 1, 1)
		s.holds("shop", "SELECT id || ' ' || coalesce(customer_id, 0) FROM invoices", "1 0", "3 2")
		said := a.whole.About("shop", "customers", statement.Unlinked)
		if len(said) != 1 || said[0].Records != 1 || said[0].Table != "invoices" || len(a.whole.About("shop", "customers", statement.LetGo)) > 0 {
			s.Errorf("it is said that %+v", said)
		}
		// By its key it is found again, though nothing leads to it, when it may go.
		s.until(time.Date(2034, 2, 1, 0, 0, 0, 0, time.UTC))
		for s.deliver() {
		}
		s.holds("shop", "SELECT id FROM invoices", "3")
	})
}

// TestCase07TriggersAndRules: what a trigger or a rule deletes or changes beyond the plan
// is refused before, or undone as a whole.
func TestCase07TriggersAndRules(t *testing.T) {
	t.Parallel()
	onBoth(t, func(s *scene) {
		ddl := []string{customersTable, "CREATE TABLE invoices(id INTEGER PRIMARY KEY, customer_id INTEGER, issued_on DATE)", "CREATE TABLE journal(id INTEGER PRIMARY KEY, customer_id INTEGER)"}
		reaches := map[kind][]string{sqLite: {
			"CREATE TRIGGER taker AFTER DELETE ON customers BEGIN DELETE FROM invoices WHERE customer_id = old.id; END",
			"CREATE TRIGGER taker BEFORE DELETE ON customers BEGIN DELETE FROM journal WHERE customer_id = old.id; END",
			"CREATE TRIGGER taker AFTER DELETE ON customers BEGIN UPDATE journal SET customer_id = NULL; END",
		}, postgreSQL: {
			"CREATE FUNCTION taker() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN DELETE FROM invoices WHERE customer_id = OLD.id; RETURN OLD; END $$; CREATE TRIGGER taker AFTER DELETE ON customers FOR EACH ROW EXECUTE FUNCTION taker()",
			"CREATE FUNCTION taker() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN EXECUTE 'DELETE FROM jour' || 'nal'; RETURN OLD; END $$; CREATE TRIGGER taker BEFORE DELETE ON customers FOR EACH ROW EXECUTE FUNCTION taker()",
			"CREATE RULE taker AS ON DELETE TO customers DO ALSO DELETE FROM invoices WHERE customer_id = OLD.id",
			"CREATE RULE taker AS ON DELETE TO customers DO ALSO UPDATE journal SET customer_id = NULL WHERE customer_id = OLD.id",
			"CREATE FUNCTION taker() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN DELETE FROM journal; RETURN NULL; END $$; CREATE TRIGGER taker AFTER DELETE ON customers FOR EACH STATEMENT EXECUTE FUNCTION taker()",
			"CREATE FUNCTION taker() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN DELETE FROM invoices; RETURN NULL; END $$; CREATE CONSTRAINT TRIGGER taker AFTER DELETE ON customers INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION taker()",
		}}[s.kind]
		for i := range reaches {
			db := s.system(strings.Replace(fmt.Sprintf(customers, "journal", "", "customer_id"), "system: shop", fmt.Sprintf("system: shop%d", i), 1), ddl...)
			db.row("customers", 1, fmt.Sprintf("anna@shop%d.example", i))
			db.row("customers", 2, "sam@example.com")
			db.row("invoices", 1, 1, "2024-01-01")
			db.row("journal", 1, 1)
		}
		s.begin()
		for i, reach := range reaches {
			system := fmt.Sprintf("shop%d", i)
			s.stores[system].exec(reach)
			check := s.untouched(system, "customers", "invoices", "journal")
			s.stops(s.asks(dsar.Erasure, fmt.Sprintf("email anna@shop%d.example", i)), system)
			check()
			s.holds(system, "SELECT customer_id FROM journal", "1")
			if s.Failed() {
				s.Log(reach)
			}
		}
	})
}

// TestCase07ATriggerThatIsLet: what a trigger deletes as the manifest lets it is counted for
// whose row took it, and told; where the manifest lets rows only lose their reference, it is
// refused. (SQLite and MariaDB count all tables together: there it isn't told.)
func TestCase07ATriggerThatIsLet(t *testing.T) {
	t.Parallel()
	s := newScene(t, postgreSQL)
	s.quiet = true
	const trigger = "CREATE FUNCTION taker() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN EXECUTE 'DELETE FROM journal WHERE customer_id = ' || OLD.id; RETURN OLD; END $$; CREATE TRIGGER taker BEFORE DELETE ON customers FOR EACH ROW EXECUTE FUNCTION taker()"
	for system, lets := range map[string]string{"shop": ", cascades: [journal]", "store": ", unlinks: [journal]"} {
		db := s.system(strings.Replace(fmt.Sprintf(customers, "journal", lets, "customer_id"), "system: shop", "system: "+system, 1), customersTable,
			"CREATE TABLE invoices(id INTEGER PRIMARY KEY, customer_id INTEGER, issued_on DATE)", "CREATE TABLE journal(id INTEGER PRIMARY KEY, customer_id INTEGER)", trigger)
		for i, name := range []string{"anna", "sam", "eve"} {
			db.row("customers", 1+i, name+"@"+system+".example")
			db.row("journal", 1+i, 1+i)
			db.row("journal", 10+i, 1+i)
		}
	}
	s.begin()
	first, second := s.submits(dsar.Erasure, "email anna@shop.example"), s.submits(dsar.Erasure, "email sam@shop.example")
	for _, id := range []string{first, second} {
		a := s.completed(s.play(id))
		if gone := a.whole.About("shop", "customers", statement.LetGo); len(gone) != 1 || gone[0].Records != 2 || gone[0].Table != "journal" {
			s.Errorf("what the trigger took is told as %+v", gone)
		}
	}
	s.holds("shop", "SELECT id FROM journal", "3", "12")
	check := s.untouched("store", "customers", "journal")
	s.stops(s.asks(dsar.Erasure, "email anna@store.example"), "store", "journal", "cascades")
	check()
}

// TestCase07OtherSchema: a cascade into another schema of PostgreSQL's is seen.
func TestCase07OtherSchema(t *testing.T) {
	t.Parallel()
	s := newScene(t, postgreSQL)
	elsewhere := newStore(t, postgreSQL)
	db := s.system(fmt.Sprintf(customers, "", "", "customer_id"), customersTable, "CREATE TABLE invoices(id INTEGER PRIMARY KEY, customer_id INTEGER, issued_on DATE)")
	elsewhere.exec("CREATE TABLE ledger(id INTEGER PRIMARY KEY, customer_id INTEGER REFERENCES " + db.schema + ".customers(id) ON DELETE CASCADE)")
	db.row("customers", 1, "anna@example.com")
	elsewhere.row("ledger", 1, 1)
	s.begin()
	check := s.untouched("shop", "customers")
	s.stops(s.asks(dsar.Erasure, "email anna@example.com"), "shop", elsewhere.schema+".ledger", "(customer_id)")
	check()
	if got := elsewhere.list("SELECT id FROM ledger"); len(got) != 1 {
		t.Errorf("the ledger has %v", got)
	}
	elsewhere.exec("DROP TABLE ledger")
}
