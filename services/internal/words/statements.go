package words

import (
	"fmt"
	"strconv"
	"strings"

	"habeas.dev/pkg/dsar"
	"habeas.dev/pkg/manifest"
	"habeas.dev/services/internal/statement"
)

// Sentence is what a kind of statement says: the sentence, with the names of values in
// braces, and the badge that heads it in a table, where it has one.
type Sentence struct {
	Badge    string `yaml:"badge"`
	Sentence string `yaml:"sentence"`
}

// Of returns the sentence of a statement. A kind that has several says by its values which
// it is.
func (a *Answer) Of(s statement.Said) Sentence { return a.Statements[variant(s)] }

// variant returns the key of a statement's sentence.
func variant(s statement.Said) string {
	switch id := s.Identifier; {
	case s.Kind == statement.ReceivedIn && s.Safeguard != "":
		return string(s.Kind) + ".safe"
	case s.Kind == statement.NotTold && s.Reason != "":
		return string(s.Kind) + ".why"
	case s.Kind == statement.LeftOut, s.Kind == statement.ColumnsLeftOut, s.Kind == statement.Decided:
		return string(s.Kind) + "." + s.Why
	case s.Kind != statement.LookedBy || id == nil:
		return string(s.Kind)
	case id.FoundBy != "" && id.FromValue != "":
		return string(s.Kind) + ".found-by"
	case id.FoundBy != "":
		return string(s.Kind) + ".found"
	case id.Verified:
		return string(s.Kind) + ".verified"
	default:
		return string(s.Kind) + ".given"
	}
}

// Say returns the sentence of a statement with its values in place, as plain text. The
// document has the titles of the systems and datasets that it names.
func (a *Answer) Say(d *statement.Document, s statement.Said) string {
	text := a.Of(s).Sentence
	if !strings.Contains(text, "{") {
		return text
	}
	var b strings.Builder
	for {
		before, rest, found := strings.Cut(text, "{")
		b.WriteString(before)
		if !found {
			return strings.TrimSpace(b.String())
		}
		name, after, _ := strings.Cut(rest, "}")
		b.WriteString(a.value(d, s, name))
		text = after
	}
}

// value returns a value of a statement in words, by its name in the sentences.
func (a *Answer) value(d *statement.Document, s statement.Said, name string) string {
	switch name {
	case "records":
		return a.Count(s.Records, "record")
	case "corrections":
		return a.corrections(s.Corrections)
	case "at":
		return a.PlainDate(d.Day(s.Kind, s.At))
	case "until":
		return a.PlainDate(d.Day(s.Kind, s.Until))
	case "month":
		return a.Month(s.At)
	case "years":
		return a.years(s.Years)
	case "moment":
		return a.Moment(s.At)
	case "days":
		return a.Count(int64(s.Days), "day")
	case "months":
		return a.Count(int64(s.Months), "month")
	case "requests":
		return a.Count(int64(s.Requests), "request")
	case "law":
		if s.Source != "" {
			return " " + Cited(s.Source)
		}
	case "right":
		return a.Language.Letters.Rights[s.Right]
	case "ground":
		return a.Ground(s)
	case "number":
		return s.Number
	case "reason":
		return s.Reason
	case "table":
		return s.Table
	case "hidden":
		return Named(a.HiddenKinds, s.Why)
	case "without":
		return a.without(s)
	case "types":
		var names []string
		for _, t := range s.Types {
			names = append(names, Named(a.Identifiers, t))
		}
		return Listed(names, a.Or)
	case "uses":
		var titles []string
		for _, u := range s.Uses {
			titles = append(titles, a.use(s.Kind, u))
		}
		return strings.Join(titles, a.Semicolon+" ")
	case "recipients":
		var names []string
		for _, r := range s.Recipients {
			names = append(names, a.Recipient(r.Name, r.Does, ""))
		}
		return Listed(names, a.And)
	case "country":
		return a.Country(s.Country)
	case "safeguard":
		return s.Safeguard
	case "checks":
		var names []string
		for _, c := range s.Checks {
			names = append(names, a.Language.Letters.Checks[c])
		}
		return strings.Join(names, a.Semicolon+" ")
	case "basis":
		if of := description(d, s); of != nil {
			return LowerFirst(Named(a.Bases, of.Basis(s.Columns)))
		}
	case "with":
		if sys := d.System(s.System); sys != nil {
			if of := sys.Dataset(s.With); of != nil {
				return of.Title
			}
		}
		return s.With
	case "identifier":
		return Named(a.Identifiers, s.Identifier.FromType) + " " + s.Identifier.FromValue
	case "system":
		return title(d, s.Identifier.FoundBy)
	case "systems":
		var titles []string
		for _, name := range s.Systems {
			titles = append(titles, title(d, name))
		}
		return Listed(titles, a.And)
	}
	return ""
}

// years writes how many records are of each year: "2024: 3, 2025: 1".
func (a *Answer) years(all []statement.Year) string {
	parts := make([]string, len(all))
	for i, y := range all {
		parts[i] = strconv.Itoa(y.Year) + a.Colon + " " + a.Number(y.Records)
	}
	return strings.Join(parts, ", ")
}

// Ground returns the title of the ground of a statement.
func (a *Answer) Ground(s statement.Said) string {
	switch {
	case s.Title != "":
		return s.Title
	case s.Ground == dsar.LegalHold:
		return a.LegalHold
	case s.Ground == dsar.ConcernsOthers:
		return a.ConcernsOthers
	case s.Ground == manifest.GroundShared:
		return a.Shared
	default:
		return Named[string](nil, s.Ground)
	}
}

// use returns what data is used for; of what goes on also the ground, and why it goes on
// in spite of an objection.
func (a *Answer) use(kind statement.Kind, u statement.Use) string {
	title := LowerFirst(u.Title)
	if kind == statement.DecidedByMachine && u.Logic != "" {
		return title + " (" + LowerFirst(u.Logic) + ")"
	}
	if kind != statement.UsesGoOn {
		return title
	}
	ground := LowerFirst(Named(a.Bases, u.LegalBasis))
	if u.Compelling != "" {
		ground += ", " + u.Compelling
	}
	return title + " (" + ground + ")"
}

// without returns the identifier that was not used, by its type.
func (a *Answer) without(s statement.Said) string {
	if len(s.Types) == 0 {
		return ""
	}
	if text := a.Without[s.Types[0]]; text != "" {
		return text
	}
	return fmt.Sprintf(a.WithoutOther, Named(a.Identifiers, s.Types[0]))
}

func title(d *statement.Document, system string) string {
	if s := d.System(system); s != nil {
		return s.Title
	}
	return system
}

func description(d *statement.Document, s statement.Said) *statement.Dataset {
	if sys := d.System(s.System); sys != nil {
		return sys.Dataset(s.Dataset)
	}
	return nil
}

// corrections says of each field what stood there before, and what does now.
func (a *Answer) corrections(all []statement.Correction) string {
	var said []string
	for _, c := range all {
		var before []string
		for i, was := range c.Was {
			if was == "" {
				before = append(before, a.FieldEmpty)
			} else {
				before = append(before, fmt.Sprintf(a.Quoted, c.WasShown[i]))
			}
		}
		is := fmt.Sprintf(a.Quoted, c.IsShown)
		if c.IsShown == "" {
			is = a.FieldEmpty
		}
		if len(before) == 0 {
			said = append(said, fmt.Sprintf(a.FieldSo, c.Title, is))
		} else {
			said = append(said, fmt.Sprintf(a.FieldWas, c.Title, Listed(before, a.And), is))
		}
	}
	return strings.Join(said, " ")
}
