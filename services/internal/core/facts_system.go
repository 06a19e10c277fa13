package core

import (
	"slices"
	"time"

	"habeas.dev/pkg/dsar"
)

// systemFacts are the facts of systems that are no longer what they were when the request
// was accepted.
var systemFacts = []factType{
	fact[SystemMissing]("system.missing"),
	fact[SystemBack]("system.back"),
	fact[SystemRenamed]("system.renamed"),
	fact[SystemRetired]("system.retired"),
}

// SystemMissing says that the configuration no longer has a system that is still to be
// asked.
type SystemMissing struct {
	System string `json:"system"`
	Moment
}

func (e SystemMissing) evolve(s State) State {
	s.Missing = append(slices.Clip(s.Missing), e.System)
	return s
}

// SystemBack says that the configuration has a system again that was missing.
type SystemBack struct {
	System string `json:"system"`
	Moment
}

func (e SystemBack) evolve(s State) State { return s.there(e.System, e.At) }

// SystemRenamed says that a system has another name now: whatever is still to be asked of
// it is asked under that.
type SystemRenamed struct {
	ReasonedAct
	System string `json:"system"`
	To     string `json:"to"`
}

func (e SystemRenamed) evolve(s State) State {
	s = s.renamed(e.System, e.To)
	s.Renamed = append(slices.Clip(s.Renamed), Renamed{From: e.System, To: e.To})
	// What it was asked under the other name nobody answers.
	s = s.changeEach(func(_ int, t *TaskState) {
		if t.System == e.To && t.Status == TaskIsSent {
			t.Status, t.Until = TaskIsParked, e.At
		}
	})
	return s.there(e.To, e.At)
}

// SystemRetired says that a system is out of use: what was still to be asked of it is asked
// of nobody.
type SystemRetired struct {
	ReasonedAct
	System string `json:"system"`
	// On is the day from which on it is out of use.
	On time.Time `json:"on"`
}

func (e SystemRetired) evolve(s State) State {
	s.Retired = append(slices.Clip(s.Retired), Retired{System: e.System, On: e.On, Fact: s.Version})
	s.Missing = slices.DeleteFunc(slices.Clone(s.Missing), func(name string) bool { return name == e.System })
	if len(s.provable()) == 0 { // nobody is left to be asked again
		s.AgainAt = time.Time{}
	}
	if s.Status == StatusNeedsAttention {
		s = s.attended()
	}
	return s
}

// Renamed is a name that a system had, and the one that it has since.
type Renamed struct{ From, To string }

// Retired is a system that is out of use, since when, and the version of the fact that
// says so.
type Retired struct {
	System string
	On     time.Time
	Fact   int
}

// there returns the state with a system that isn't missing any more: what failed for that
// alone waits for its turn.
func (s State) there(system string, at time.Time) State {
	s.Missing = slices.DeleteFunc(slices.Clone(s.Missing), func(name string) bool { return name == system })
	s = s.changeEach(func(_ int, t *TaskState) {
		if t.System == system && t.Status == TaskIsFailed && t.End.Code == CodeMissing {
			t.Status, t.Until = TaskIsParked, at
		}
	})
	if s.Status == StatusNeedsAttention {
		s = s.attended()
	}
	return s
}

// renamed returns the state with a system under another name, wherever it stands; what
// addenda have told stays as it was told, and objects keep their names
// (TestARenamedSystemHasOneName).
func (s State) renamed(from, to string) State {
	name := func(n *string) {
		if *n == from {
			*n = to
		}
	}
	names := func(all []string) []string {
		all = slices.Clone(all)
		for i := range all {
			name(&all[i])
		}
		return all
	}
	identifiers := func(all []dsar.Identifier) []dsar.Identifier {
		all = slices.Clone(all)
		for i := range all {
			name(&all[i].FoundBy)
		}
		return all
	}
	holds := func(all []Held) []Held {
		all = slices.Clone(all)
		for i := range all {
			name(&all[i].System)
		}
		return all
	}
	kept := func(all []KeptEarlier) []KeptEarlier {
		all = slices.Clone(all)
		for i := range all {
			name(&all[i].System)
		}
		return all
	}
	s.Accepted.Systems = slices.Clone(s.Accepted.Systems)
	for i := range s.Accepted.Systems {
		sys := &s.Accepted.Systems[i]
		name(&sys.Name)
		sys.EraseAfter = names(sys.EraseAfter)
	}
	s.Fields, s.Let = slices.Clone(s.Fields), slices.Clone(s.Let)
	for i := range s.Fields {
		name(&s.Fields[i].System)
	}
	for i := range s.Let {
		name(&s.Let[i].System)
	}
	s.Accepted.Identifiers, s.Identifiers = identifiers(s.Accepted.Identifiers), identifiers(s.Identifiers)
	s.Accepted.Kept, s.KeptThen, s.KeptElsewhere = kept(s.Accepted.Kept), kept(s.KeptThen), kept(s.KeptElsewhere)
	s.Holds, s.Placed, s.Over = holds(s.Holds), holds(s.Placed), holds(s.Over)
	s.CameOver = slices.Clone(s.CameOver)
	for i := range s.CameOver {
		name(&s.CameOver[i].System)
	}
	s.Untold = slices.Clone(s.Untold)
	for i := range s.Untold {
		name(&s.Untold[i].System)
	}
	s.Parts = slices.Clone(s.Parts)
	for i := range s.Parts {
		name(&s.Parts[i].System)
	}
	s.Seconds = slices.Clone(s.Seconds)
	for i := range s.Seconds {
		name(&s.Seconds[i].System)
		s.Seconds[i].Systems = names(s.Seconds[i].Systems)
	}
	s.Notices = slices.Clone(s.Notices)
	for i := range s.Notices {
		s.Notices[i].Datasets = slices.Clone(s.Notices[i].Datasets)
		for j := range s.Notices[i].Datasets {
			name(&s.Notices[i].Datasets[j].System)
		}
	}
	s.Retired = slices.Clone(s.Retired)
	for i := range s.Retired {
		name(&s.Retired[i].System)
	}
	s.Missing, s.Attention.Systems = names(s.Missing), names(s.Attention.Systems)
	if s.Again != nil {
		again := *s.Again
		again.Systems, again.Erased, again.Back = names(again.Systems), names(again.Erased), slices.Clone(again.Back)
		for i := range again.Back {
			name(&again.Back[i].System)
		}
		s.Again = &again
	}
	return s.changeEach(func(_ int, t *TaskState) {
		name(&t.System)
		t.Candidates = identifiers(t.Candidates)
	})
}
