package console

import (
	"slices"
	"time"

	"habeas.dev/services/internal/timeline"
	"habeas.dev/services/internal/words"
)

// chapter is a stretch of the timeline: what machines did in one stage, or what one person
// did.
type chapter struct {
	// By is who did it, by name; Person tells that it was the person whom the request is of.
	// With neither, machines did, in a Stage.
	By     string
	Person bool
	Stage  string
	// Systems are the titles of those that it is about.
	Systems []string
	Moments []timeline.Moment
	// Trouble tells that something of it went wrong, and Open that all of it is shown.
	Trouble, Open bool
}

// From returns when the chapter began.
func (c chapter) From() time.Time { return c.Moments[0].At }

// Until returns when it ended.
func (c chapter) Until() time.Time { return c.Moments[len(c.Moments)-1].At }

// People reports whether a person did it.
func (c chapter) People() bool { return c.By != "" || c.Person }

// The ways of showing a timeline, beside the names of systems.
const (
	showAll     = ""
	showPeople  = "people"
	showTrouble = "trouble"
)

// Shows returns the ways of showing the timeline.
func (b requestBody) Shows(lang *words.Language) []choice {
	out := []choice{{Value: showAll, Label: lang.Say("everything that happened")}, {Value: showPeople, Label: lang.Say("what people did")}, {Value: showTrouble, Label: lang.Say("what went wrong")}}
	for _, sys := range b.Systems {
		out = append(out, choice{Value: sys.System, Label: b.title(lang, sys.System)})
	}
	for i := range out {
		out[i].Selected = out[i].Value == b.Show
	}
	return out
}

// shown reports whether a moment is shown.
func (b requestBody) shown(m timeline.Moment) bool {
	switch b.Show {
	case showAll:
		return true
	case showPeople:
		return m.By != "" || m.Person
	case showTrouble:
		return m.Trouble
	default:
		return m.System == b.Show
	}
}

// Chapters returns the timeline, by stage and person. Of what machines did without trouble
// only the last chapter is open: the others are a line each.
func (b requestBody) Chapters(lang *words.Language) []chapter {
	var out []chapter
	for _, m := range b.Moments {
		if !b.shown(m) {
			continue
		}
		last := len(out) - 1
		stage := string(m.Stage)
		if m.By != "" || m.Person {
			stage = ""
		}
		if last < 0 || out[last].By != m.By || out[last].Person != m.Person || out[last].Stage != stage {
			out = append(out, chapter{By: m.By, Person: m.Person, Stage: stage})
			last++
		}
		c := &out[last]
		if m.System != "" {
			m.System = b.title(lang, m.System)
			if !slices.Contains(c.Systems, m.System) {
				c.Systems = append(c.Systems, m.System)
			}
		}
		c.Moments, c.Trouble = append(c.Moments, m), c.Trouble || m.Trouble
	}
	for i := range out {
		c := &out[i]
		c.Open = b.Show != showAll || c.People() || c.Trouble || len(c.Moments) == 1 || i == len(out)-1
	}
	return out
}
