package manifest

import (
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"habeas.dev/pkg/dsar"
)

// Finding is something that is wrong with several manifests together, although each
// can be read.
type Finding struct {
	*Error
	// Rule names the kind of finding.
	Rule string
	// Warning says that the finding harms nobody's rights yet.
	Warning bool
	// Refuses says that nothing starts with it: it would disclose or erase somebody else's,
	// or leave a person's without a word.
	Refuses bool
}

// Refused returns an error of what [Lint] finds in manifests with which nothing starts.
func Refused(ms []*Manifest) error {
	var errs []error
	for _, f := range Lint(ms, func(Text) []string { return nil }) {
		if f.Refuses {
			errs = append(errs, f.Error)
		}
	}
	return errors.Join(errs...)
}

// Lint checks that manifests cover what is held: it finds data that no worker can gather and
// erase, systems that nothing leads to, and what the person would not be told in
// their language (N7). Each finding names the place and the cure. That every
// dataset has a category, a purpose, a legal basis, an origin and a storage period,
// and through it each of its columns, [Parse] has seen to; what a database holds
// beside the columns that are declared, only the database can tell.
//
// lacks returns the languages that an installation speaks and that have no words for a text
// (BCP 47); nil: it speaks those in which the manifests themselves say anything.
func Lint(ms []*Manifest, lacks func(Text) []string) []Finding {
	l := linter{rule: "identifier-types", lacks: lacks}
	if l.lacks == nil {
		l.lacks = lacksOf(ms)
	}
	fail := func(m *Manifest, path, what, cure string) {
		l.m = m
		l.fail(path, what, cure)
	}
	namespaces(ms, fail, func(m *Manifest, path, what, cure string) {
		fail(m, path, what, cure)
		l.findings[len(l.findings)-1].Refuses = true
	})
	found := map[dsar.IdentifierType]bool{}
	for _, m := range ms {
		for _, t := range m.Finds {
			found[t] = true
		}
	}
	for _, m := range ms {
		l.m = m
		l.rule = "undecided"
		for _, e := range m.Undecided() {
			l.findings = append(l.findings, Finding{Error: e, Rule: l.rule})
		}
		l.abilities()
		l.reachable(found)
		l.processing()
		for i := range m.Datasets {
			l.dataset(index("datasets", i), &m.Datasets[i])
		}
		for _, t := range m.texts() {
			l.told(t.path, t.text)
		}
	}
	return l.findings
}

// LeadsLost finds the datasets whose way to the person lies in a table of another
// system that is erased before theirs: what comes after the plan couldn't be found
// any more. same reports whether two systems lie in one database, and whether that is
// known; where it isn't, tables of one name are warned of.
func LeadsLost(ms []*Manifest, same func(a, b *Manifest) (is, known bool)) []Finding {
	var l linter
	for _, m := range ms {
		l.m = m
		for i := range m.Datasets {
			d := &m.Datasets[i]
			if d.SQL == nil {
				continue
			}
			for _, via := range d.SQL.Joined() {
				for _, o := range ms {
					lead := o.erases(via.Table)
					is, known := same(m, o)
					if o == m || lead == nil || known && !is || !erasedAfter(ms, m, o.System) {
						continue
					}
					l.findings = append(l.findings, Finding{Warning: !known, Rule: "lead-lost", Error: m.problem(viaPath(index("datasets", i)+".sql", d.SQL, via)+".table",
						fmt.Sprintf("system %s is erased after %s, whose %s lead to its %s: they are gone by then", m.System, o.System, lead.Name, d.Name),
						fmt.Sprintf("take %s out of erase_after here, and add %s to that of %s", o.System, m.System, o.System))})
				}
			}
		}
	}
	return l.findings
}

// viaPath returns where a manifest has a join.
func viaPath(path string, s *DatasetSQL, via Via) string {
	is := func(v Via) bool { return v.Table == via.Table && v.As == via.As && maps.Equal(v.On, via.On) }
	if i := slices.IndexFunc(s.Via, is); i >= 0 {
		return index(path+".via", i)
	}
	for i, w := range s.Ways {
		if j := slices.IndexFunc(w.Via, is); j >= 0 {
			return index(index(path+".ways", i)+".via", j)
		}
	}
	return path
}

// erases returns the dataset of a table whose rows the system deletes; nil where
// there is none.
func (m *Manifest) erases(table string) *Dataset {
	for i := range m.Datasets {
		if s := m.Datasets[i].SQL; s != nil && s.Table == table && s.Erases(EraseDelete) {
			return &m.Datasets[i]
		}
	}
	return nil
}

// erasedAfter reports whether m waits, through any number of systems, for another's
// erasure.
func erasedAfter(ms []*Manifest, m *Manifest, other string) bool {
	waits := slices.Clone(m.EraseAfter)
	for i := 0; i < len(waits); i++ {
		if waits[i] == other {
			return true
		}
		for _, o := range ms {
			for _, next := range o.EraseAfter {
				if o.System == waits[i] && !slices.Contains(waits, next) {
					waits = append(waits, next)
				}
			}
		}
	}
	return false
}

// reserved matches the names that no file of Windows can have.
var reserved = regexp.MustCompile(`^(?i)(con|prn|aux|nul|com[0-9]|lpt[0-9])$`)

type linter struct {
	m        *Manifest
	rule     string
	findings []Finding
	lacks    func(Text) []string
}

func (l *linter) fail(path, what, cure string) {
	l.findings = append(l.findings, Finding{Error: l.m.problem(path, what, cure), Rule: l.rule})
}

func (l *linter) warn(path, what, cure string) {
	l.findings = append(l.findings, Finding{Error: l.m.problem(path, what, cure), Rule: l.rule, Warning: true})
}

// abilities reports categories that no worker can gather, or erase.
func (l *linter) abilities() {
	l.rule = "abilities"
	for _, a := range []dsar.Action{dsar.Gather, dsar.Erase} {
		if l.m.Can(a) {
			continue
		}
		var categories []string
		for _, d := range l.m.Datasets {
			if !slices.Contains(categories, d.Category) {
				categories = append(categories, d.Category)
			}
		}
		l.fail("abilities", fmt.Sprintf("system %s: no worker can %s these categories: %s", l.m.System, a, strings.Join(categories, "; ")),
			"add "+string(a)+" to abilities, with a worker that does it")
	}
}

// given returns the identifiers that people give themselves.
func given() []dsar.IdentifierType { return []dsar.IdentifierType{"email", "phone", "account_id"} }

// reachable reports systems that are asked only if an upstream knows an identifier
// that people don't.
func (l *linter) reachable(found map[dsar.IdentifierType]bool) {
	l.rule = "unreachable"
	for _, t := range l.m.Needs {
		if found[t] || slices.Contains(given(), t) {
			return
		}
	}
	l.warn("needs", fmt.Sprintf("system %s: people don't know their %s, and no system finds it: it is asked only where the request names one", l.m.System, join(l.m.Needs)),
		"have another system find one of them, or add an identifier that people know")
}

func (l *linter) processing() {
	l.rule = "processing"
	if p := l.m.Processing; p == nil {
		l.warn("processing", fmt.Sprintf("system %s: nothing says whose data it holds, which the record of processing needs (GDPR art. 30(1)(c))", l.m.System), "add processing: {subjects: …}")
		return
	}
}

// texts returns what a manifest says to people, by the place where it does.
func (m *Manifest) texts() []located {
	var out []located
	add := func(path string, t Text) { out = append(out, located{path, t}) }
	if p := m.Processing; p != nil {
		add("limits", m.Limits)
		add("processing.subjects", p.Subjects)
		add("processing.security", p.Security)
	}
	for i := range m.Datasets {
		d, path := &m.Datasets[i], index("datasets", i)
		add(path+".title", d.Title)
		add(path+".purpose", d.Purpose)
		add(path+".storage", d.Storage)
		for j, c := range d.Columns {
			add(index(path+".columns", j)+".title", c.Title)
		}
		if d.SQL != nil {
			add(path+".sql.why", d.SQL.Why)
			for j, w := range d.SQL.Ways {
				add(index(path+".sql.ways", j)+".why", w.Why)
			}
		}
		for j, r := range d.Retention {
			add(index(path+".retention", j)+".title", r.Title)
		}
	}
	return out
}

// located is a text and its place in a manifest.
type located struct {
	path string
	text Text
}

func (l *linter) dataset(path string, d *Dataset) {
	if reserved.MatchString(d.Name) {
		l.rule = "file-name"
		l.fail(path+".name", fmt.Sprintf("dataset %s: Windows has no file of that name, so the person can't unpack the answer", d.Name), "rename it; where the table is called so, sql.table says it")
	}
	for i, c := range d.Columns {
		if kind := suspect(c.Name); kind != "" && c.Secret == "" {
			l.rule = "secret"
			l.fail(index(path+".columns", i), fmt.Sprintf("dataset %s: by its name the column %s is a secret, which no answer may show", d.Name, c.Name), "add secret: "+kind+", or secret: false where it is none")
		}
	}
	l.biometric(path, d)
	l.passed(path, d)
	l.unmeant(path, d)
	l.unasked(path, d)
	l.movedBy(path, d)
}

// unmeant warns of columns by whose e-mail address or telephone number the person's rows are
// found, where no concept says what they mean: a correction of contact.email would be answered
// as if the system had no such field. What a message says of whom it went to, and what may be
// somebody else's, is left as it was.
func (l *linter) unmeant(path string, d *Dataset) {
	l.rule = "concept"
	if d.SQL == nil || !l.m.Can(dsar.Rectify) {
		return
	}
	for i, c := range d.Columns {
		for _, t := range []dsar.IdentifierType{"email", "phone"} {
			found := slices.ContainsFunc(d.SQL.AllWays(), func(w Way) bool { return w.Subject[t] != "" && w.Subject[t] == d.SQL.Source(c.Name) })
			if found && c.Concept == "" && !d.recordsOfThen(c.Name) {
				l.warn(index(path+".columns", i), fmt.Sprintf("dataset %s: people are found by their %s in the column %s, and a correction of it doesn't reach it", d.Name, t, c.Name),
					fmt.Sprintf("add concept: contact.%s; or a concept of your own, where it says what was so at the time", t))
			}
		}
	}
}

// recordsOfThen reports whether a column says where a message went, or may be others'.
func (d *Dataset) recordsOfThen(column string) bool {
	if m := d.Message; m != nil && (m.From == column || m.To == column) {
		return true
	}
	return slices.ContainsFunc(d.Others, func(o Others) bool { return slices.Contains(o.Columns, column) })
}

// biometric reports columns that hold what recognises a body, and say to be something else.
func (l *linter) biometric(path string, d *Dataset) {
	l.rule = "biometric"
	for i, c := range d.Columns {
		if c.Secret == Biometric && c.Category != "" && c.Category != CategoryBiometric {
			l.fail(index(path+".columns", i)+".category", fmt.Sprintf("dataset %s: the column %s is biometric, and said to be of the category %s", d.Name, c.Name, c.Category), "leave category out, or write biometric")
		}
	}
}

// passed reports data that is used to be sold or shared, and that nobody receives for whom it
// could be: an answer must say to whom it went (Civ. Code 1798.115(a)(2)).
func (l *linter) passed(path string, d *Dataset) {
	l.rule = "passed-to-nobody"
	marks := l.m.Marks(d)
	if !slices.Contains(marks, MarkSale) && !slices.Contains(marks, MarkSharing) {
		return
	}
	_, all := l.m.Receives(d)
	if !slices.ContainsFunc(all, func(r Recipient) bool { return r.Role == "" || r.Role == RoleThirdParty || r.Role == RoleJoint }) {
		l.fail(path+".recipients", fmt.Sprintf("dataset %s is used for something that is a sale or sharing, and no third party receives it", d.Name),
			"add who buys it or whom it is shared with to recipients, or take the mark from the purpose")
	}
}

// told warns of a text that isn't there in a language that people are answered in.
func (l *linter) told(path string, t Text) {
	l.rule = "translation"
	if len(t) == 0 {
		return
	}
	for _, tag := range l.lacks(t) {
		l.warn(path, label(path)+" has no text in "+tag+": who is answered in that language reads it in English", "add "+tag+":")
	}
}

// lacksOf returns which of the languages that manifests speak a text has no words in.
func lacksOf(ms []*Manifest) func(Text) []string {
	spoken := map[string]bool{}
	for _, m := range ms {
		for _, t := range m.texts() {
			for tag := range t.text {
				spoken[tag] = true
			}
		}
	}
	tags := slices.Sorted(maps.Keys(spoken))
	return func(t Text) []string {
		return slices.DeleteFunc(slices.Clone(tags), func(tag string) bool { return t[tag] != "" })
	}
}
