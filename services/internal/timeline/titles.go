package timeline

import (
	"slices"

	"habeas.dev/pkg/dsar"
	"habeas.dev/services/internal/core"
)

// Titles returns what readers call a dataset of a system; the system itself where no
// dataset is named.
type Titles func(system, dataset string) string

// ByName calls everything by the name that it has in manifests.
func ByName(system, dataset string) string {
	if dataset == "" {
		return system
	}
	return dataset
}

// of returns a fact whose systems and datasets are called by their titles, to be said in
// words. It is no fact any more.
func (titled Titles) of(e core.Event) core.Event {
	switch e := e.(type) {
	case core.TaskEnded:
		e.Counts = titled.counts(e.System, e.Counts)
		return e
	case core.TaskFailed:
		e.Counts = titled.counts(e.System, e.Counts)
		return e
	case core.PartRefused:
		e.Dataset = titled(e.System, e.Dataset)
		return e
	case core.FieldRefused:
		e.Dataset = titled(e.System, e.Dataset)
		return e
	case core.CorrectionApproved:
		e.Let = slices.Clone(e.Let)
		for i := range e.Let {
			l := &e.Let[i]
			l.Dataset = titled(l.System, l.Dataset)
			l.System = titled(l.System, "")
		}
		return e
	case core.SecondAsked:
		e.Matter = titled.Matter(e.Matter)
		return e
	case core.HoldPlaced:
		e.Dataset = titled.dataset(e.System, e.Dataset)
		return e
	case core.HoldLifted:
		e.Dataset = titled.dataset(e.System, e.Dataset)
		return e
	case core.Retried:
		e.Systems = titled.systems(e.Systems)
		return e
	case core.PlanOpened:
		e.Systems = titled.systems(e.Systems)
		return e
	case core.AskedAgain:
		e.Systems = titled.systems(e.Systems)
		return e
	case core.RetentionEnded:
		e.Systems = titled.systems(e.Systems)
		return e
	default:
		return e
	}
}

// Matter returns what a second person is asked about, with systems and datasets called by their
// titles.
func (titled Titles) Matter(m core.Matter) core.Matter {
	m.Dataset, m.Systems = titled.dataset(m.System, m.Dataset), titled.systems(m.Systems)
	if m.System != "" {
		m.System = titled(m.System, "")
	}
	return m
}

func (titled Titles) counts(system string, counts []dsar.Counts) []dsar.Counts {
	out := slices.Clone(counts)
	for i := range out {
		out[i].Dataset = titled(system, out[i].Dataset)
	}
	return out
}

// dataset returns a dataset's title, and nothing for none.
func (titled Titles) dataset(system, dataset string) string {
	if dataset == "" {
		return ""
	}
	return titled(system, dataset)
}

func (titled Titles) systems(names []string) []string {
	out := slices.Clone(names)
	for i := range out {
		out[i] = titled(out[i], "")
	}
	return out
}

// who returns who did what a fact tells: somebody of the company by name, or the person.
func (say Say) who(e core.Event) (by string, person bool) {
	switch e.(type) {
	case core.PersonSent, core.AnswerOpened:
		return "", true
	case core.AnswerFetched: // by a system of the company
		return "", false
	}
	if by := e.Who(); by != "" && by != core.ByPolicy {
		return say.actor(by), false
	}
	return "", false
}

// isTrouble reports whether a fact tells of something that went wrong, or late.
func isTrouble(e core.Event) bool {
	switch e := e.(type) {
	case core.TaskFailed, core.AttentionNeeded, core.Overdue, core.MessageRejected, core.NoticeFailed, core.TaskParked:
		return true
	case core.TaskSent:
		return e.Reason == core.SentUnheard
	default:
		return false
	}
}
