package internaldb_test

import (
	"flag"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"habeas.dev/pkg/dsar"
	"habeas.dev/pkg/manifest"
	"habeas.dev/pkg/vault"
	"habeas.dev/pkg/worker"
	"habeas.dev/pkg/worker/workertest"
	"habeas.dev/services/sandbox/internaldb"
	"habeas.dev/services/sandbox/people"
)

// crowdSize is how many people TestIdentity has: make test-identity has 100,000.
var crowdSize = flag.Int("crowd", 300, "how many people TestIdentity tells apart")

// TestIdentity: of people who share telephones and addresses, who are each other's contacts and
// write to each other, who have several accounts, and whose numbers are elsewhere the numbers
// of others, each is given everything of their own and nothing of anybody else's; and an erasure
// takes that, and leaves every other row as it was.
func TestIdentity(t *testing.T) {
	t.Parallel()
	c := newCrowd(1, *crowdSize)
	files := c.databases(t)
	w := newFixture(t, &people.Population{}, func(system string) string { return files[system] })
	ms := map[string]*manifest.Manifest{}
	for _, m := range manifests(t) {
		ms[m.System] = m
	}
	for i, p := range c.people {
		for _, e := range p.emails {
			w.known[i] = append(w.known[i], worker.Identifier{Type: "email", Value: e, Assurance: dsar.AssuranceVerified})
		}
		w.known[i] = append(w.known[i], worker.Identifier{Type: "phone", Value: p.phone, Assurance: dsar.AssuranceVerified})
	}
	held := c.heldBy()
	all := make([]int, len(c.people))
	for i := range all {
		all[i] = i
	}
	for batch := range slices.Chunk(all, 50) {
		w.resolveSurely(ms, batch...)
		for _, system := range internaldb.Systems() {
			for i, r := range w.do(system, dsar.Gather, dsar.Access, w.askable(ms[system], batch)...) {
				if got := c.gathered(w, r); !slices.Equal(got, held[system][i]) {
					t.Errorf("%s: person %d: %s", system, i, different(got, held[system][i]))
				}
			}
		}
	}
	c.erasesItsOwn(w, ms, files)
}

// askable returns those of whom one of a system's identifiers is known; of the others it has
// nothing.
func (w *fixture) askable(m *manifest.Manifest, persons []int) []int {
	return slices.DeleteFunc(slices.Clone(persons), func(i int) bool {
		return !slices.ContainsFunc(w.known[i], func(id worker.Identifier) bool { return slices.Contains(m.Needs, id.Type) })
	})
}

// resolveSurely finds what account and billing find of some people, by the identifiers that
// lead to one person: what a weak link finds waits for somebody to look.
func (w *fixture) resolveSurely(ms map[string]*manifest.Manifest, persons ...int) {
	w.Helper()
	for _, system := range []string{people.Account, people.Billing} {
		links := ms[system].Definition().Links
		known := maps.Clone(w.known)
		for _, i := range persons {
			w.known[i] = slices.DeleteFunc(slices.Clone(w.known[i]), func(id worker.Identifier) bool {
				return !slices.ContainsFunc(links, func(l dsar.Link) bool { return l.By == id.Type && !l.Weak })
			})
		}
		reports := w.do(system, dsar.Resolve, dsar.Access, w.askable(ms[system], persons)...)
		w.known = known
		for i, r := range reports {
			keys, err := w.vault.Keys(w.Context(), r.RequestID)
			if err != nil {
				w.Fatal(err)
			}
			for _, id := range r.Identifiers {
				value, err := keys.Open(id.Sealed, vault.Identifier)
				if err != nil {
					w.Fatal(err)
				}
				if found := (worker.Identifier{Type: id.Type, Value: string(value)}); !slices.Contains(w.known[i], found) {
					w.known[i] = append(w.known[i], found)
				}
			}
		}
	}
}

// gathered returns the names of a report's records, sorted.
func (c *crowd) gathered(w *fixture, r dsar.Report) (names []string) {
	w.Helper()
	for _, rec := range workertest.RecordsOf(w, w.vault, r) {
		names = append(names, fmt.Sprint(rec.Dataset, " ", rec.Values[c.tells[r.System+" "+rec.Dataset]]))
	}
	slices.Sort(names)
	return names
}

// different returns what of two sorted lists is in one of them only.
func different(got, want []string) string {
	only := func(a, b []string) []string {
		return slices.DeleteFunc(slices.Clone(a), func(s string) bool { return slices.Contains(b, s) })
	}
	return fmt.Sprintf("of others or twice %v, missing %v", only(got, want), only(want, got))
}

// erasesItsOwn erases one of seven, in batches, and looks at every row.
func (c *crowd) erasesItsOwn(w *fixture, ms map[string]*manifest.Manifest, files map[string]string) {
	w.Helper()
	gone := map[int]bool{}
	var all []int
	for i := 0; i < len(c.people); i += 7 {
		gone[i], all = true, append(all, i)
	}
	before := c.texts(w, files)
	for batch := range slices.Chunk(all, 50) {
		for _, system := range internaldb.Systems() {
			askable := w.askable(ms[system], batch)
			if len(askable) == 0 {
				continue
			}
			for _, action := range []dsar.Action{dsar.Plan, dsar.Erase, dsar.Prove} {
				for i, r := range w.do(system, action, dsar.Erasure, askable...) {
					if action == dsar.Prove && r.Outcome != dsar.Proven {
						w.Errorf("%s: person %d: %s", system, i, r.Outcome)
					}
				}
			}
		}
	}
	after := c.texts(w, files)
	for system, rows := range c.rows {
		for _, r := range rows {
			of := system + " " + r.name()
			mine := slices.ContainsFunc(r.owners, func(i int) bool { return gone[i] })
			switch {
			case !mine && after[of] != before[of]:
				w.Errorf("%s is nobody's who was erased, and isn't as it was: %s", of, after[of])
			case mine && after[of] != "" && c.names(r, after[of], gone):
				w.Errorf("%s still says whose it was: %s", of, after[of])
			}
		}
	}
}

// names reports whether the text of a row still holds a number or an address by which one of
// its owners who are gone is found.
func (c *crowd) names(r crowdRow, text string, gone map[int]bool) bool {
	words := strings.Fields(strings.Trim(text, "[]"))
	for _, i := range r.owners {
		p := c.people[i]
		if gone[i] && slices.ContainsFunc(words, func(w string) bool {
			return slices.Contains(p.emails, strings.ToLower(w)) || slices.Contains(p.accounts, w) || slices.Contains(p.cookies, w) || slices.Contains(p.refs, w) || slices.Contains(p.taxes, w)
		}) {
			return true
		}
	}
	return false
}

// texts returns every row of the databases as text, by system and name.
func (c *crowd) texts(w *fixture, files map[string]string) map[string]string {
	w.Helper()
	out := map[string]string{}
	for system := range c.rows {
		db := open(w, files[system])
		for of, id := range c.tells {
			if !strings.HasPrefix(of, system+" ") {
				continue
			}
			for key, text := range textOf(w, db, c.tables[of], id) {
				out[of+" "+key] = text
			}
		}
		if err := db.Close(); err != nil {
			w.Fatal(err)
		}
	}
	return out
}
