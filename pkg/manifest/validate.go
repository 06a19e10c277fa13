package manifest

import (
	"cmp"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"habeas.dev/pkg/dsar"
)

// The limits of a manifest. They keep a report, a page and a query to a size
// that can be read; schemas/manifest.schema.json has the same.
const (
	maxName     = 63   // a system's, which is part of a topic's name; a column's, as PostgreSQL has it
	maxDataset  = 64   // part of file names
	maxText     = 2000 // characters of one text
	maxDatasets = 100
	maxColumns  = 200
	maxList     = 50 // of everything else
	minLease    = time.Second
)

var (
	datasetForm    = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9_-]{0,63}$`)
	columnForm     = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]{0,62}$`)
	identifierForm = regexp.MustCompile(`^([a-z][a-z0-9_-]{0,62}\.)?[a-z][a-z0-9_]{0,63}$`)
	groundForm     = regexp.MustCompile(`^[a-z][a-z0-9-]{0,63}$`)
	purposeForm    = regexp.MustCompile(`^[a-z][a-z0-9_-]{0,99}$`)
	languageForm   = regexp.MustCompile(`^[a-z]{2,3}(-[A-Za-z0-9]{2,8})*$`)
)

// Validate checks everything about a manifest that can be checked without the
// system itself. The error is an [Error] about the first problem of the file. A
// manifest of [Parse] has passed it.
func (m *Manifest) Validate() error {
	v := &validation{m: m, at: &m.at}
	v.manifest()
	return v.err()
}

type validation struct {
	m        *Manifest // nil where it is of another document
	at       *positions
	problems []*Error
}

// err returns the first problem of the file, with the others; nil where there is none.
func (v *validation) err() error {
	if len(v.problems) == 0 {
		return nil
	}
	slices.SortStableFunc(v.problems, func(a, b *Error) int {
		switch {
		case a.File == b.File:
			return cmp.Compare(a.Line, b.Line)
		case a.File == v.at.file:
			return -1
		case b.File == v.at.file:
			return 1
		default:
			return cmp.Compare(a.File, b.File)
		}
	})
	first := v.problems[0]
	first.More, first.rest = len(v.problems)-1, v.problems[1:]
	return first
}

func (v *validation) add(path, what, cure string) {
	v.problems = append(v.problems, v.at.problem(path, what, cure))
}

func (v *validation) manifest() {
	m := v.m
	switch {
	case m.System == "":
		v.add("system", "system is missing", "give the system a name")
	case !dsar.ValidSystem(m.System):
		v.add("system", fmt.Sprintf("system %q isn't a name", m.System), "use lower-case letters, digits, hyphens and underscores, a letter first, at most "+strconv.Itoa(maxName))
	case m.System == dsar.Habeas:
		v.add("system", "no system may be called "+dsar.Habeas, "that is who handles the requests; choose another name")
	case m.System == dsar.Aggregator:
		v.add("system", "no system may be called "+dsar.Aggregator, "that is who assembles the answers; choose another name")
	}
	v.text("title", m.Title, true)
	if len(m.Abilities) == 0 {
		v.add("abilities", "abilities are missing", "name at least one of "+join(abilities()))
	}
	for i, a := range m.Abilities {
		path := index("abilities", i)
		if !slices.Contains(abilities(), a) {
			v.add(path, fmt.Sprintf("unknown ability %q", a), "allowed: "+join(abilities()))
		}
		if slices.Contains(m.Abilities[:i], a) {
			v.add(path, fmt.Sprintf("ability %q stands twice", a), "leave one")
		}
	}
	if len(m.Needs) == 0 {
		v.add("needs", "needs is missing", "name the identifier types that the system can be asked by, such as email")
	}
	v.identifierTypes("needs", m.Needs)
	v.identifierTypes("finds", m.Finds)
	v.scopes()
	if len(m.Finds) > 0 && !slices.Contains(m.Abilities, dsar.Resolve) {
		v.add("finds", "finds without the ability resolve", "add resolve to abilities, or leave finds out")
	}
	if slices.Contains(m.Abilities, dsar.Resolve) && len(m.Finds) == 0 {
		v.add("abilities", "resolve without finds", "list the identifier types that it can find, or leave resolve out")
	}
	v.list("erase_after", len(m.EraseAfter))
	for i, name := range m.EraseAfter {
		path := index("erase_after", i)
		switch {
		case !dsar.ValidSystem(name):
			v.add(path, fmt.Sprintf("erase_after %q isn't a system's name", name), "write the name that is in that system's manifest")
		case name == m.System:
			v.add(path, "a system can't be erased after itself", "leave it out")
		case slices.Contains(m.EraseAfter[:i], name):
			v.add(path, fmt.Sprintf("%q stands twice", name), "leave one")
		}
	}
	if m.MaxRecords < 0 {
		v.add("max_records", "max_records is negative", "write how many records of one person may be erased before someone looks, or leave it out")
	}
	if m.Lease != 0 && (m.Lease < minLease || m.Lease > dsar.MaxLease) {
		v.add("lease", fmt.Sprintf("lease %s is out of bounds", m.Lease), fmt.Sprintf("write a time from %s to %s, such as 10m", minLease, dsar.MaxLease))
	}
	v.text("limits", m.Limits, false)
	if _, err := ParsePeriod(m.Backups); m.Backups != "" && err != nil {
		v.add("backups", "backups "+err.Error(), "write for how long backups hold what was erased, as P35D, or leave it out")
	}
	if _, err := lastDay(m.FinancialYearEnds); err != nil {
		v.add("financial_year_ends", err.Error(), "or leave it out: it ends with December")
	}
	if m.Processing != nil {
		v.processing(m.Processing)
	}
	if len(m.Datasets) == 0 {
		v.add("datasets", "datasets are missing", "describe at least one")
	}
	if len(m.Datasets) > maxDatasets {
		v.add("datasets", "too many datasets", "a system has at most "+strconv.Itoa(maxDatasets))
	}
	for i := range m.Datasets {
		v.dataset(index("datasets", i), i)
	}
	v.sql()
	v.http()
	v.lake()
}

func (v *validation) dataset(path string, i int) {
	d := &v.m.Datasets[i]
	if !datasetForm.MatchString(d.Name) {
		v.missing(path+".name", d.Name, "dataset name", "use letters, digits, hyphens and underscores, a letter first, at most "+strconv.Itoa(maxDataset))
	}
	for j := range i {
		// File systems that don't tell cases apart would lose one of the two.
		if strings.EqualFold(v.m.Datasets[j].Name, d.Name) {
			v.add(path+".name", fmt.Sprintf("dataset %q is there already", d.Name), "rename one")
		}
	}
	v.text(path+".title", d.Title, true)
	oneOf(v, path+".category", "category", d.Category, Categories())
	oneOf(v, path+".origin", "origin", d.Origin, origins())
	v.usedFor(path, d)
	v.list(path+".recipients", len(d.Recipients))
	for j, r := range d.Recipients {
		v.words(index(path+".recipients", j), "recipient", r)
	}
	v.text(path+".storage", d.Storage, true)
	v.stored(path+".storage", d)
	for _, lang := range slices.Sorted(maps.Keys(d.Counted)) {
		at := path + ".counted." + lang
		if !languageForm.MatchString(lang) {
			v.add(at, fmt.Sprintf("%q isn't a language", lang), "use a tag such as en or fr")
		}
		if len(d.Counted[lang]) != 2 {
			v.add(at, "counted must be two words: of one record, and of several", "write it as [invoice, invoices]")
			continue
		}
		v.words(at+"[0]", "counted", d.Counted[lang][0])
		v.words(at+"[1]", "counted", d.Counted[lang][1])
	}
	if len(d.Counted) > 0 && d.Counted["en"] == nil {
		v.add(path+".counted", "counted lacks English", "add en: [invoice, invoices]")
	}
	for field, name := range map[string]string{"dated": d.Dated, "since": d.Since} {
		if name != "" && d.Column(name) == nil {
			v.add(path+"."+field, fmt.Sprintf("%s names the unknown column %q", field, name), "name one of its columns: "+columnNames(d))
		}
	}
	if f := d.File; f != nil {
		if d.Column(f.Content) == nil {
			v.add(path+".file.content", fmt.Sprintf("file names the unknown column %q", f.Content), "name the column with its content: "+columnNames(d))
		}
		if f.Name != "" && d.Column(f.Name) == nil {
			v.add(path+".file.name", fmt.Sprintf("file names the unknown column %q", f.Name), "name the column with its name: "+columnNames(d))
		}
	}
	v.apps(path, d)
	if d.GoesWith != "" {
		if other := v.m.Dataset(d.GoesWith); other == nil || other == d || other.GoesWith != "" {
			v.add(path+".goes_with", fmt.Sprintf("goes_with %q names no other dataset that is erased by itself", d.GoesWith), "name the dataset whose erasure takes these records along")
		}
	}
	if len(d.Columns) == 0 {
		v.add(path+".columns", "columns are missing", "list the columns that the person is shown")
	}
	if len(d.Columns) > maxColumns {
		v.add(path+".columns", "too many columns", "a dataset has at most "+strconv.Itoa(maxColumns))
	}
	for j, c := range d.Columns {
		at := index(path+".columns", j)
		if !columnForm.MatchString(c.Name) {
			v.missing(at+".name", c.Name, "column name", "use letters, digits and underscores, at most "+strconv.Itoa(maxName)+"; where the table's column has another name, sql.columns says so")
		}
		for _, o := range d.Columns[:j] {
			if o.Name == c.Name {
				v.add(at+".name", fmt.Sprintf("column %q stands twice", c.Name), "leave one")
			}
		}
		v.text(at+".title", c.Title, false)
		if c.Type != "" {
			oneOf(v, at+".type", "type", c.Type, ColumnTypes())
		}
		if c.Category != "" {
			oneOf(v, at+".category", "category", c.Category, Categories())
		}
		if c.Origin != "" {
			oneOf(v, at+".origin", "origin", c.Origin, origins())
		}
		if c.Purposes != nil && len(c.Purposes) == 0 {
			v.add(at+".purposes", fmt.Sprintf("column %s names no purpose", c.Name), "name what it is used for, or leave purposes out: it has its dataset's")
		}
		v.purposes(at+".purposes", c.Purposes)
		v.written(at, d, &d.Columns[j])
		if c.Concept != "" && !conceptForm.MatchString(c.Concept) {
			v.add(at+".concept", fmt.Sprintf("%q isn't a concept", c.Concept), "write a group and a name, such as contact.phone")
		}
		if c.Secret != "" && c.Secret != NoSecret {
			oneOf(v, at+".secret", "secret", c.Secret, SecretKinds())
		}
	}
	v.list(path+".others", len(d.Others))
	for j := range d.Others {
		v.others(index(path+".others", j), d, &d.Others[j])
	}
	v.list(path+".retention", len(d.Retention))
	for j := range d.Retention {
		v.retention(index(path+".retention", j), d, &d.Retention[j])
	}
}

func (v *validation) others(path string, d *Dataset, o *Others) {
	if len(o.Columns) == 0 {
		v.add(path+".columns", "columns are missing", "name those that are about other people")
	}
	v.list(path+".columns", len(o.Columns))
	known := func(at, name string) {
		if d.Column(name) == nil {
			v.add(at, fmt.Sprintf("others of %s names the unknown column %q", d.Name, name), "name one of its columns: "+columnNames(d))
		}
	}
	for i, name := range o.Columns {
		known(index(path+".columns", i), name)
	}
	v.list(path+".when", len(o.When))
	for _, name := range slices.Sorted(maps.Keys(o.When)) {
		known(path+".when."+name, name)
		v.words(path+".when."+name, "when", o.When[name])
	}
	v.list(path+".unless", len(o.Unless))
	for _, t := range slices.Sorted(maps.Keys(o.Unless)) {
		at := path + ".unless." + string(t)
		if !slices.Contains(v.m.Needs, t) {
			v.add(at, fmt.Sprintf("%q isn't among the system's needs, so it is never told", t), "add it to needs")
		}
		known(at, o.Unless[t])
	}
	if o.Then != "" {
		oneOf(v, path+".then", "then", o.Then, othersChoices())
	}
}

func (v *validation) processing(p *Processing) {
	v.text("processing.subjects", p.Subjects, true)
	v.text("processing.security", p.Security, false)
}

// stored checks a storage period that is data.
func (v *validation) stored(path string, d *Dataset) {
	s := d.Stored
	if s == nil {
		return
	}
	if _, err := ParsePeriod(s.Period); err != nil {
		v.add(path+".period", "storage of "+d.Name+": "+err.Error(), "write a period such as P6M, and from which date it runs")
	}
	if s.ToEndOf != "" {
		oneOf(v, path+".to_end_of", "to_end_of", s.ToEndOf, roundings())
	}
	if c := d.Column(s.From); c == nil || c.Type != "date" && c.Type != "datetime" {
		v.add(path+".from", fmt.Sprintf("storage of %s runs from %q, which is no column with a date", d.Name, s.From), "name one of type date or datetime")
	}
}

func (v *validation) retention(path string, d *Dataset, r *Retention) {
	if !groundForm.MatchString(r.Ground) {
		v.missing(path+".ground", r.Ground, "ground", "use a short name such as tax-records, accounting or legal-claims")
	}
	v.words(path+".source", "source", r.Source)
	v.text(path+".title", r.Title, true)
	if _, err := ParsePeriod(r.Period); err != nil {
		if r.Period == "" {
			v.add(path+".period", "period is missing", "write a period such as P10Y")
		} else {
			v.add(path+".period", err.Error(), "write a period such as P10Y")
		}
	}
	v.list(path+".periods", len(r.Periods))
	for law, period := range r.Periods {
		if _, err := ParsePeriod(period); err != nil && period != NoPeriod {
			v.add(path+".periods."+law, err.Error(), "write a period such as P10Y, or "+NoPeriod)
		}
	}
	if r.Undated != "" {
		oneOf(v, path+".undated", "undated", r.Undated, undatedChoices())
	}
	if r.ToEndOf != "" {
		oneOf(v, path+".to_end_of", "to_end_of", r.ToEndOf, roundings())
	}
	v.list(path+".sources", len(r.Sources))
	for law, source := range r.Sources {
		v.words(path+".sources."+law, "source", source)
	}
	c := d.Column(r.Column)
	switch {
	case r.From != "":
		v.add(path+".from", "retention of "+d.Name+" says twice from which date it runs", "leave column out")
	case r.Column == "":
		v.add(path+".column", "column is missing", "name the date column from which the period runs")
	case c == nil:
		v.add(path+".column", fmt.Sprintf("retention of %s names the unknown column %q", d.Name, r.Column), "name one of its columns: "+columnNames(d))
	case c.Type != "date" && c.Type != "datetime":
		v.add(path+".column", fmt.Sprintf("retention of %s runs from %q, which isn't a date", d.Name, r.Column), "give the column the type date or datetime, or name another")
	}
}

func (v *validation) identifierTypes(path string, types []dsar.IdentifierType) {
	v.list(path, len(types))
	for i, t := range types {
		if !identifierForm.MatchString(string(t)) {
			v.add(index(path, i), fmt.Sprintf("%q isn't an identifier type", t), "use lower-case letters, digits and underscores, a letter first, at most 64, such as email or account_id")
		}
		if slices.Contains(types[:i], t) {
			v.add(index(path, i), fmt.Sprintf("%q stands twice", t), "leave one")
		}
	}
}

// text checks a text by language.
func (v *validation) text(path string, t Text, required bool) {
	if len(t) == 0 {
		if required {
			v.add(path, label(path)+" is missing", "write it in English at least: {en: …, fr: …}")
		} else if t != nil {
			v.add(path, label(path)+" is empty", "write it in English at least, or leave it out")
		}
		return
	}
	if t["en"] == "" {
		v.add(path, label(path)+" has no English text", "add en:")
	}
	for lang, s := range t {
		if !languageForm.MatchString(lang) {
			v.add(path, fmt.Sprintf("%q isn't a language", lang), "write a BCP 47 tag such as en or fr")
		}
		v.words(path+"."+lang, label(path)+" in "+lang, s)
	}
}

// words checks a text that people read.
func (v *validation) words(path, what, s string) {
	switch {
	case strings.TrimSpace(s) == "":
		v.add(path, what+" is missing", "write it, or leave the field out where it isn't required")
	case utf8.RuneCountInString(s) > maxText:
		v.add(path, what+" is too long", "at most "+strconv.Itoa(maxText)+" characters")
	case strings.ContainsFunc(s, func(r rune) bool { return unicode.IsControl(r) && r != '\n' }):
		v.add(path, what+" holds control characters", "take them out")
	}
}

func (v *validation) missing(path, value, what, cure string) {
	if value == "" {
		v.add(path, what+" is missing", cure)
		return
	}
	v.add(path, fmt.Sprintf("%q isn't a %s", value, what), cure)
}

func (v *validation) list(path string, n int) {
	if n > maxList {
		v.add(path, label(path)+" is too long", "at most "+strconv.Itoa(maxList))
	}
}

func oneOf[T ~string](v *validation, path, what string, value T, allowed []T) {
	switch {
	case value == "":
		v.add(path, what+" is missing", "allowed: "+join(allowed))
	case !slices.Contains(allowed, value):
		v.add(path, fmt.Sprintf("unknown %s %q", what, value), "allowed: "+join(allowed))
	}
}

func join[T ~string](list []T) string {
	var b strings.Builder
	for i, s := range list {
		if i > 0 {
			b.WriteString(", ")
		}
		// A category holds commas itself.
		if strings.Contains(string(s), ",") {
			b.WriteString(strconv.Quote(string(s)))
		} else {
			b.WriteString(string(s))
		}
	}
	return b.String()
}

func columnNames(d *Dataset) string {
	names := make([]string, len(d.Columns))
	for i, c := range d.Columns {
		names[i] = c.Name
	}
	return strings.Join(names, ", ")
}

func index(path string, i int) string { return path + "[" + strconv.Itoa(i) + "]" }

// usedFor checks what a dataset is used for: purposes of the catalogue, or one in the
// manifest's own words.
func (v *validation) usedFor(path string, d *Dataset) {
	if len(d.Purposes) == 0 {
		v.text(path+".purpose", d.Purpose, true)
		oneOf(v, path+".legal_basis", "legal_basis", d.LegalBasis, legalBases())
		return
	}
	if len(d.Purpose) > 0 || d.LegalBasis != "" {
		v.add(path+".purposes", "purposes come with a purpose or legal_basis of the manifest's own", "leave those out: the catalogue of purposes says them")
	}
	v.purposes(path+".purposes", d.Purposes)
}

// purposes checks the names of purposes; whether the catalogue has them, Resolve says.
func (v *validation) purposes(path string, ids []string) {
	v.list(path, len(ids))
	for i, id := range ids {
		if !purposeForm.MatchString(id) {
			v.add(index(path, i), fmt.Sprintf("%q isn't the name of a purpose", id), "use lower-case letters, digits, hyphens and underscores, such as marketing")
		}
		if slices.Contains(ids[:i], id) {
			v.add(index(path, i), fmt.Sprintf("%q stands twice", id), "leave one")
		}
	}
}
