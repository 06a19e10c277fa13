package bundle

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"

	"habeas.dev/pkg/dsar"
	"habeas.dev/pkg/manifest"
	"habeas.dev/pkg/telemetry"
	"habeas.dev/services/internal/statement"
	"habeas.dev/services/internal/words"
)

// The files of the payload beside the datasets.
const (
	pageFile        = "index.html"
	packageFile     = "datapackage.json"
	answerFile      = "answer.json"
	certificateFile = "certificate.json"
)

// AnswerFile returns the name of the file that has the answer to a right.
func AnswerFile(right dsar.Right) string {
	if right == dsar.Erasure {
		return certificateFile
	}
	return answerFile
}

// Describe returns a system as its manifest describes it, in a language, to who asks under a
// law.
func Describe(m *manifest.Manifest, lang *words.Language, law string) statement.System {
	s := statement.System{System: m.System, Title: titleOr(lang.Text(m.Title), m.System), Needs: m.Needs, Finds: m.Finds, Limits: lang.Text(m.Limits), Backups: m.Backups, Datasets: make([]statement.Dataset, len(m.Datasets))}
	used := m.UsedFor()
	for _, id := range used.IDs() {
		s.Uses = append(s.Uses, statement.Use{Purpose: id, Title: lang.Text(used[id].Title), LegalBasis: used[id].Basis, Compelling: lang.Text(used[id].Compelling), Logic: lang.Text(used[id].Logic), Marks: used[id].Marks})
	}
	for i := range m.Datasets {
		ds := &m.Datasets[i]
		s.Datasets[i] = statement.Dataset{
			Dataset: ds.Name, Title: titleOr(lang.Text(ds.Title), ds.Name), Category: ds.Category, Origin: string(ds.Origin), Purpose: lang.Text(ds.Purpose), Purposes: titles(used, ds.Nature(), lang),
			LegalBasis: ds.LegalBasis, Recipients: recipients(m, ds, lang), Receives: receives(m, ds, lang, law), Storage: lang.Text(ds.Storage), GoesWith: ds.GoesWith,
			Sensitive: ds.Sensitive, Marks: marks(m, ds), Outside: outside(m, ds, lang), Columns: differing(ds, used, lang), AllDiffer: !slices.ContainsFunc(ds.Columns, func(c manifest.Column) bool { return !c.Differs() }),
			Column: func(name string) string {
				if c := ds.Column(name); c != nil {
					return columnTitle(c, lang)
				}
				return name
			},
			Ground: func(ground string) (title, source string) {
				text, source := ds.Ground(ground, law)
				return lang.Text(text), source
			},
		}
		var marks []string
		for _, id := range ds.Purposes {
			marks = append(marks, used[id].Marks...)
		}
		s.Datasets[i].Terms = statement.TermsOf(&s.Datasets[i], marks, law)
	}
	return s
}

// recipients returns who receives a dataset, as people read it.
func recipients(m *manifest.Manifest, ds *manifest.Dataset, w *words.Language) []string {
	out := []string{}
	_, all := m.Receives(ds)
	for _, r := range all {
		out = append(out, w.Recipient(w.Text(r.Name), w.Text(r.Does), r.Country))
	}
	return out
}

// outside returns the names of those who receive a dataset and aren't in the catalogue.
func outside(m *manifest.Manifest, ds *manifest.Dataset, lang *words.Language) []string {
	var out []string
	ids, all := m.Receives(ds)
	for i, r := range all {
		if ids[i] == "" {
			out = append(out, lang.Text(r.Name))
		}
	}
	return out
}

// marks returns those of what a dataset is used for; nil where it names no purpose of the
// catalogue, which may have any.
func marks(m *manifest.Manifest, ds *manifest.Dataset) []string {
	if len(ds.Purposes) == 0 {
		return nil
	}
	return append([]string{}, m.Marks(ds)...)
}

// receives returns those who receive a dataset that the catalogue has.
func receives(m *manifest.Manifest, ds *manifest.Dataset, lang *words.Language, law string) []statement.Recipient {
	var out []statement.Recipient
	ids, all := m.Receives(ds)
	for i, r := range all {
		if ids[i] != "" {
			out = append(out, statement.Recipient{Recipient: ids[i], Name: lang.Text(r.Name), Role: r.Role, Does: lang.Text(r.Does), Country: r.Country, Safeguard: safeguard(r, lang, law), Why: lang.Text(r.Told.Why)})
		}
	}
	return out
}

// safeguard names that of a transfer to a recipient; empty where none is known under the law.
func safeguard(r manifest.Recipient, lang *words.Language, law string) string {
	if t := r.SafeguardUnder(law); len(t) > 0 {
		return lang.Text(t)
	}
	return ""
}

// titles returns what data is used for, one by one: where the catalogue has none of it, in the
// manifest's own words.
func titles(used manifest.Purposes, n manifest.Nature, lang *words.Language) []string {
	if len(n.Purposes) == 0 {
		return []string{lang.Text(n.Purpose)}
	}
	var out []string
	for _, id := range n.Purposes {
		out = append(out, lang.Text(used[id].Title))
	}
	return out
}

// differing returns the columns that aren't in all what their dataset is.
func differing(ds *manifest.Dataset, used manifest.Purposes, lang *words.Language) []statement.Differing {
	var out []statement.Differing
	for i := range ds.Columns {
		c := &ds.Columns[i]
		if !c.Differs() {
			continue
		}
		n := ds.NatureOf(c)
		out = append(out, statement.Differing{
			Column:   statement.Column{Column: c.Name, Title: columnTitle(c, lang)},
			Category: n.Category, Origin: string(n.Origin), Purpose: lang.Text(n.Purpose), Purposes: titles(used, n, lang), LegalBasis: n.LegalBasis, Sensitive: n.Sensitive,
		})
	}
	return out
}

// readings returns what was read of every dataset of which there is something.
func (b *build) readings() []statement.Reading {
	var out []statement.Reading
	for _, part := range b.systems {
		for i := range part.Manifest.Datasets {
			name := part.Manifest.Datasets[i].Name
			r := statement.Reading{System: part.name, Dataset: name, LeftOut: part.leftOut[name], Corrections: part.corrections[name], FormerUnread: part.unread}
			if t := part.table(name); t != nil {
				r.Records, r.Files = t.records, []string{t.csvName(), t.jsonName()}
				r.Uncovered, r.Years, r.Since = t.uncovered, t.years, t.sinceDay
				for _, c := range t.columns {
					if c.held {
						r.Hidden = append(r.Hidden, statement.Hidden{Column: statement.Column{Column: c.name, Title: c.title}, Kind: c.kind})
					}
					if c.others {
						r.Others = append(r.Others, statement.Column{Column: c.name, Title: c.title})
					}
				}
			}
			if r.Records+r.LeftOut > 0 || len(r.Corrections) > 0 || r.FormerUnread {
				out = append(out, r)
			}
		}
	}
	return out
}

// table returns what was read of a dataset; nil where nothing is in it.
func (p *systemPart) table(dataset string) *table {
	for _, t := range p.tables {
		if t.dataset.Name == dataset && t.records > 0 {
			return t
		}
	}
	return nil
}

// tableOf returns what was read of a system's dataset; nil where nothing is in it.
func (b *build) tableOf(system, dataset string) *table {
	for _, part := range b.systems {
		if part.name == system {
			return part.table(dataset)
		}
	}
	return nil
}

// encode adds an answer to dst, with a line for each system, dataset and statement, since
// people look into it.
func encode(dst []byte, d *statement.Document) ([]byte, error) {
	bare := *d
	bare.Statements = []statement.Statement{}
	text, err := marshal(&bare)
	if err != nil {
		return nil, err
	}
	// A quotation mark within a text has a backslash before it: these are keys.
	for _, key := range []string{`{"system":`, `{"dataset":`} {
		text = bytes.ReplaceAll(text, []byte(key), []byte("\n"+key))
	}
	head, closed := bytes.CutSuffix(text, []byte("]}"))
	if !closed {
		return nil, errLast
	}
	out := bytes.NewBuffer(append(dst, head...))
	to := json.NewEncoder(out)
	to.SetEscapeHTML(false)
	for i := range d.Statements {
		if i > 0 {
			out.WriteByte(',')
		}
		out.WriteByte('\n')
		if err := d.Statements[i].Encode(to); err != nil {
			return nil, fmt.Errorf("bundle: %w", err)
		}
		out.Truncate(out.Len() - 1) // the line's end
	}
	out.WriteString("]}\n")
	return out.Bytes(), nil
}

// errLast says that a document's statements aren't what it ends in any more.
var errLast = telemetry.Constant("bundle: an answer doesn't end in its statements")

func titleOr(title, name string) string {
	if title != "" {
		return title
	}
	return name
}

// marshal returns v as JSON with <, > and & as they are, since it goes to a file
// and no script.
func marshal(v any) ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return nil, fmt.Errorf("bundle: %w", err)
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n")), nil
}
