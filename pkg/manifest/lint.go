package manifest

import (
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
}

// Lint checks that manifests cover what is held: it finds data that no worker can gather and
// erase, systems that nothing leads to, and what the person would not be told in
// their language (N7). Each finding names the place and the cure. That every
// dataset has a category, a purpose, a legal basis, an origin and a storage period,
// and through it each of its columns, [Parse] has seen to; what a database holds
// beside the columns that are declared, only the database can tell.
func Lint(ms []*Manifest) []Finding {
	l := linter{rule: "identifier-types"}
	namespaces(ms, func(m *Manifest, path, what, cure string) {
		l.m = m
		l.fail(path, what, cure)
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
	l.french("limits", l.m.Limits)
	l.french("processing.subjects", l.m.Processing.Subjects)
	l.french("processing.security", l.m.Processing.Security)
}

func (l *linter) dataset(path string, d *Dataset) {
	if reserved.MatchString(d.Name) {
		l.rule = "file-name"
		l.fail(path+".name", fmt.Sprintf("dataset %s: Windows has no file of that name, so the person can't unpack the answer", d.Name), "rename it; where the table is called so, sql.table says it")
	}
	l.french(path+".title", d.Title)
	l.french(path+".purpose", d.Purpose)
	l.french(path+".storage", d.Storage)
	for i, c := range d.Columns {
		l.french(index(path+".columns", i)+".title", c.Title)
		if kind := suspect(c.Name); kind != "" && c.Secret == "" {
			l.rule = "secret"
			l.fail(index(path+".columns", i), fmt.Sprintf("dataset %s: by its name the column %s is a secret, which no answer may show", d.Name, c.Name), "add secret: "+kind+", or secret: false where it is none")
		}
	}
	if d.SQL != nil {
		l.french(path+".sql.why", d.SQL.Why)
		for i, w := range d.SQL.Ways {
			l.french(index(path+".sql.ways", i)+".why", w.Why)
		}
	}
	for i, r := range d.Retention {
		l.french(index(path+".retention", i)+".title", r.Title)
	}
}

func (l *linter) french(path string, t Text) {
	l.rule = "translation"
	if len(t) > 0 && t["fr"] == "" {
		l.warn(path, label(path)+" has no French text: who is answered in French reads it in English", "add fr:")
	}
}
