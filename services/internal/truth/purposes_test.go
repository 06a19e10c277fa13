package truth

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"habeas.dev/pkg/dsar"
	"habeas.dev/pkg/manifest"
	"habeas.dev/services/internal/core"
	"habeas.dev/services/internal/statement"
)

// TestTruthOfPurposes plays seeds in which datasets serve purposes, have recipients and
// hold secrets, until one makes Habeas end a use that the right doesn't end, leave one that
// it does, show a secret, or name a recipient who received nothing of the person's.
func TestTruthOfPurposes(t *testing.T) {
	t.Parallel()
	plays(t, kind(*on), *runs/5, playPurposes)
}

// used is a table whose rows serve purposes. Each row has a person's address, a text, a
// secret, and the flags of the table.
type used struct {
	system, table string
	purposes      []string
	recipients    []string
	secret        string   // its kind
	flags         []string // what each stops; "" stops everything
}

// owned is a row of such a table, and whose it is.
type owned struct {
	*used
	id, person int
}

// world is what a seed makes of them.
type world struct {
	*scene
	rng    *rand.Rand
	tables []*used
	rows   []owned
}

// wishes are what is asked for, and by which law. Of one that goes by purpose, ends says
// which purposes the law has it end, by the catalogue alone.
var wishes = []struct {
	right dsar.Right
	law   string
	ends  func(manifest.Purpose) bool
}{
	{dsar.Access, "EEA", nil},
	{dsar.Access, "California", nil},
	{dsar.Portability, "EEA", nil},
	{dsar.Restriction, "EEA", nil},
	{dsar.Objection, "EEA", func(p manifest.Purpose) bool {
		return slices.Contains(p.Marks, manifest.MarkMarketing) || p.Basis == "legitimate-interest" && p.Compelling == nil
	}},
	{dsar.ConsentWithdrawal, "EEA", func(p manifest.Purpose) bool { return p.Basis == "consent" }},
	{dsar.OptOut, "California", func(p manifest.Purpose) bool { return slices.Contains(p.Marks, manifest.MarkSale) }},
	{dsar.OptOut, "EEA", func(p manifest.Purpose) bool { return slices.Contains(p.Marks, manifest.MarkMarketing) }},
}

// playPurposes is one run: three people ask, one after the other.
func playPurposes(t testing.TB, k kit, on kind, seed uint64, m mutant) outcome {
	s := &scene{kind: on, stores: map[string]*store{}, pipeline: newPipeline(k, t, seed)}
	w := &world{scene: s, rng: rand.New(rand.NewPCG(seed, 4))}
	w.make()
	if w.start(m); w.refused != nil {
		t.Fatalf("seed %d: %v", seed, w.refused)
	}
	out := outcome{on: on}
	for person := range 3 {
		wish := wishes[w.rng.IntN(len(wishes))]
		var named []string
		if ended := w.ends(wish.ends, nil); wish.ends != nil && len(ended) > 0 && w.rng.IntN(2) == 0 {
			named = ended[:1+w.rng.IntN(len(ended))]
		}
		lie := func(format string, args ...any) {
			out.lies = append(out.lies, fmt.Sprintf("%s of person %d by the law of %s, of %v: ", wish.right, person, wish.law, named)+fmt.Sprintf(format, args...))
		}
		before := w.there()
		ask := asking(wish.right, wish.law, named...)
		ask.Subject.Identifiers[0].Value = email(person)
		state := w.play(w.submit(ask))
		w.judgeFlags(lie, before, wish.right, person, w.ends(wish.ends, named), state)
		if state.Status == core.StatusCompleted {
			out.completed++
			w.judgeAnswer(lie, wish.right, wish.law, person, w.read(state))
		}
		if len(out.lies) > 0 {
			out.told = w.described()
			break
		}
	}
	return out
}

// make makes systems, their tables, and people's rows.
func (w *world) make() {
	ids := []string{}
	for id := range purposes() {
		ids = append(ids, id)
	}
	slices.Sort(ids)
	receivers := []string{"broker", "carrier", "host", "publisher"}
	secrets := []string{"password", "payment-card", "government-id", "biometric"}
	some := func(of []string, n int) []string {
		var out []string
		for _, i := range w.rng.Perm(len(of))[:n] {
			out = append(out, of[i])
		}
		return out
	}
	for i := range 1 + w.rng.IntN(3) {
		var tables []*used
		for j := range 1 + w.rng.IntN(3) {
			u := &used{system: fmt.Sprintf("s%d", i), table: fmt.Sprintf("t%d", j), purposes: some(ids, 1+w.rng.IntN(2)), recipients: some(receivers, w.rng.IntN(3)), secret: secrets[w.rng.IntN(len(secrets))]}
			if w.rng.IntN(3) > 0 {
				u.flags = append(u.flags, u.purposes...)
			}
			if w.rng.IntN(2) == 0 {
				u.flags = append(u.flags, "")
			}
			tables = append(tables, u)
		}
		w.tables = append(w.tables, tables...)
		db := w.system(manifestOf(tables), ddlOf(tables)...)
		for _, u := range tables {
			for n, id := range w.rng.Perm(9)[:w.rng.IntN(6)] {
				r := owned{u, id + 1, n % 4}
				w.rows = append(w.rows, r)
				values := []any{r.id, email(r.person), fmt.Sprintf("%s%d-", mark, r.person), r.hidden()}
				for range u.flags {
					values = append(values, 0)
				}
				db.row(u.table, values...)
			}
		}
	}
}

// hidden is the secret of a row.
func (r owned) hidden() string {
	if r.secret == "payment-card" {
		return fmt.Sprintf("4000%04d%04d7899", r.person*100+r.id, 8200+r.id)
	}
	return fmt.Sprintf("hush-%s-%s-%d-%d", r.system, r.table, r.id, r.person)
}

// betrays reports whether a text has the secret, or of a card more than four digits.
func (r owned) betrays(text string) bool { return strings.Contains(text, r.hidden()[:12]) }

func (u *used) flag(i int) string { return fmt.Sprintf("f%d", i) }

func manifestOf(tables []*used) string {
	var b strings.Builder
	restrict := ""
	for _, u := range tables {
		if len(u.flags) > 0 {
			restrict = ", restrict"
		}
	}
	fmt.Fprintf(&b, "system: %s\nabilities: [gather, erase%s]\ndatasets:\n", tables[0].system, restrict)
	for _, u := range tables {
		fmt.Fprintf(&b, "- {name: %s, columns: [id, email, body, hidden], subject: {email: email}, purposes: [%s], recipients: [%s], secret: {hidden: %s}",
			u.table, strings.Join(u.purposes, ", "), strings.Join(u.recipients, ", "), u.secret)
		var technical, flags []string
		for i, stops := range u.flags {
			technical = append(technical, u.flag(i))
			if stops != "" {
				stops = ", stops: [" + stops + "]"
			}
			flags = append(flags, fmt.Sprintf("{column: %s, value: 1, lifted: 0%s}", u.flag(i), stops))
		}
		if len(flags) > 0 {
			fmt.Fprintf(&b, ", technical: [%s], restrict: [%s]", strings.Join(technical, ", "), strings.Join(flags, ", "))
		}
		b.WriteString("}\n")
	}
	return b.String()
}

func ddlOf(tables []*used) (out []string) {
	for _, u := range tables {
		flags := ""
		for i := range u.flags {
			flags += ", " + u.flag(i) + " INTEGER"
		}
		out = append(out, "CREATE TABLE "+u.table+"(id INTEGER PRIMARY KEY, email TEXT, body TEXT, hidden TEXT"+flags+")")
	}
	return out
}

// described tells whoever looks into a failure what the systems were.
func (w *world) described() string {
	var b strings.Builder
	for _, u := range w.tables {
		fmt.Fprintf(&b, "%s of %s: purposes %v, flags that stop %q, recipients %v\n", u.table, u.system, u.purposes, u.flags, u.recipients)
	}
	for _, r := range w.rows {
		fmt.Fprintf(&b, "row %d of %s in %s is person %d's\n", r.id, r.table, r.system, r.person)
	}
	return b.String()
}

// ends are the purposes that a right ends: of those that a table serves and that the law has
// it end those that are named, by id or by mark, or all.
func (w *world) ends(by func(manifest.Purpose) bool, named []string) []string {
	if by == nil {
		return nil
	}
	var out []string
	for id, p := range purposes() {
		served := slices.ContainsFunc(w.tables, func(u *used) bool { return slices.Contains(u.purposes, id) })
		isNamed := len(named) == 0 || slices.Contains(named, id) || slices.ContainsFunc(p.Marks, func(m string) bool {
			_, isID := purposes()[m] // what is both names the purpose
			return slices.Contains(named, "mark:"+m) || !isID && slices.Contains(named, m)
		})
		if served && by(p) && isNamed {
			out = append(out, id)
		}
	}
	slices.Sort(out)
	return out
}

// there is what the databases hold now: of each row its text, its secret and its flags.
func (w *world) there() map[owned]string {
	out := map[owned]string{}
	for _, r := range w.rows {
		columns := "email || body || hidden"
		for i := range r.flags {
			columns += " || ' ' || " + r.flag(i)
		}
		got := w.stores[r.system].list(fmt.Sprintf("SELECT %s FROM %s WHERE id = %d", columns, r.table, r.id))
		out[r] = strings.Join(got, "|")
	}
	return out
}

// judgeFlags: of the person's rows those flags are set that the right has set, and no
// others; nobody else's row changes; and where the request is completed, no use goes on
// that was to end.
func (w *world) judgeFlags(lie func(string, ...any), before map[owned]string, right dsar.Right, person int, ends []string, state core.State) {
	after := w.there()
	for _, r := range w.rows {
		where := fmt.Sprintf("row %d of %s in %s", r.id, r.table, r.system)
		was, is := strings.Fields(before[r]), strings.Fields(after[r])
		if r.person != person || !slices.Contains(right.Stages(), dsar.Restrict) {
			if before[r] != after[r] {
				lie("%s, person %d's, was %q and is %q", where, r.person, before[r], after[r])
			}
			continue
		}
		done := state.Status == core.StatusCompleted
		for i, stops := range r.flags {
			sets := slices.Contains(ends, stops)
			if right == dsar.Restriction {
				sets = stops == "" || !slices.Contains(r.flags, "")
			}
			set, was := is[1+i] == "1", was[1+i] == "1"
			if set && !was && !sets || done && sets && !set {
				lie("the flag of %s that stops %q is set: %t, and was: %t", where, stops, set, was)
			}
		}
		for _, p := range r.purposes {
			ended := slices.Contains(ends, p) || right == dsar.Restriction
			if done && ended && !w.stopped(after, r, p) {
				lie("the request is completed, and %s is used for %q, which no flag stops", where, p)
			}
		}
	}
}

// stopped reports whether a flag that is set on a row of the same person, in the same system,
// stops a use, or all use: a flag speaks for its system.
func (w *world) stopped(after map[owned]string, of owned, purpose string) bool {
	for _, r := range w.rows {
		if r.system != of.system || r.person != of.person {
			continue
		}
		for i, stops := range r.flags {
			if set := strings.Fields(after[r])[1+i] == "1"; set && (stops == "" || stops == purpose) {
				return true
			}
		}
	}
	return false
}

// judgeAnswer: no file and no letter has a secret; of a dataset that has one, that is said;
// and a copy names who receives rows of the person's, and nobody else.
func (w *world) judgeAnswer(lie func(string, ...any), right dsar.Right, law string, person int, a answer) {
	texts := []string{}
	for name, text := range a.files {
		texts = append(texts, text)
		if strings.Contains(text, mark) && strings.Contains(strings.ReplaceAll(text, fmt.Sprintf("%s%d-", mark, person), ""), mark) {
			lie("the file %s holds what is another's", name)
		}
	}
	receives := map[string]bool{}
	for _, r := range w.rows {
		if slices.ContainsFunc(texts, r.betrays) {
			lie("the secret (%s) of row %d of %s in %s is shown", r.secret, r.id, r.table, r.system)
		}
		if r.person != person {
			continue
		}
		for _, id := range r.recipients {
			receives[id] = true
		}
		if right == dsar.Access && len(a.whole.About(r.system, r.table, statement.NotShown)) != 1 {
			lie("it isn't said that a secret of %s in %s is held", r.table, r.system)
		}
	}
	if right != dsar.Access || law != "EEA" {
		return
	}
	for id, who := range recipients() {
		if named := strings.Contains(a.page(), who.Name["en"]); named != receives[id] {
			lie("%s is named: %t; rows of theirs go to it: %t", id, named, receives[id])
		}
	}
}
