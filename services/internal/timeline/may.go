package timeline

import (
	"habeas.dev/pkg/dsar"
	"habeas.dev/services/internal/core"
)

// May is something that a person may do about the request now, with what it can be
// done to.
type May struct {
	Verb core.Verb `json:"verb"`
	// Systems are those whose tasks can be taken up again, of which records can be
	// held, or whose plans can be accepted.
	Systems []string `json:"systems,omitempty"`
	// Grounds are those on which the request, or a dataset of it, can be refused.
	Grounds []string `json:"grounds,omitempty"`
	// Holds are those that can be lifted.
	Holds []Hold `json:"holds,omitempty"`
	// Parts are the datasets, as system/dataset, that are refused and can be given after all.
	Parts []string `json:"parts,omitempty"`
	// Tasks are those that a person can end by hand.
	Tasks []ManualTask `json:"tasks,omitempty"`
	// Notices are the recipients whose notices can be settled.
	Notices []string `json:"notices,omitempty"`
}

// ManualTask is a task that waits for a person's hand.
type ManualTask struct {
	System   string         `json:"system"`
	Action   dsar.Action    `json:"action"`
	Outcomes []dsar.Outcome `json:"outcomes"` // that can be attested, the one that claims the least first
}

// Allow adds to the trace what may be done now, as [core.State.Allowed] says.
func (t *Trace) Allow(all core.Choices) {
	t.May = []May{}
	for _, c := range all {
		may := May{Verb: c.Verb, Systems: c.Systems, Grounds: c.Grounds}
		for _, h := range c.Holds {
			may.Holds = append(may.Holds, Hold(h))
		}
		for _, p := range c.Parts {
			may.Parts = append(may.Parts, p.System+"/"+p.Dataset)
		}
		for _, m := range c.Tasks {
			may.Tasks = append(may.Tasks, ManualTask{System: m.System, Action: m.Action, Outcomes: m.Outcomes})
		}
		for _, n := range c.Notices {
			may.Notices = append(may.Notices, n.Recipient)
		}
		t.May = append(t.May, may)
	}
}
