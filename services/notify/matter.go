package notify

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"habeas.dev/pkg/dsar"
	"habeas.dev/services/internal/core"
	"habeas.dev/services/internal/journal"
)

// maxMatters bounds how many matters of each kind are looked at, the most urgent
// first. A message says that there are more.
const maxMatters = 500

// Kind says which kind of matter it is.
type Kind string

// The kinds, the most urgent first.
const (
	SystemDown Kind = "system-down"     // a system doesn't answer
	Overdue    Kind = "overdue"         // the due date has passed
	Attention  Kind = "needs-attention" // a person must act
	DueSoon    Kind = "due-soon"        // the due date comes near
)

func kinds() []Kind { return []Kind{SystemDown, Overdue, Attention, DueSoon} }

// Matter is one thing that people are told of: a request that needs them, or a
// system that doesn't answer.
type Matter struct {
	Kind Kind `json:"kind"`
	// System is the system that doesn't answer, with system-down.
	System string    `json:"system,omitempty"`
	Since  time.Time `json:"since,omitzero"`
	// RequestID is the request, with every other kind.
	RequestID    string      `json:"request_id,omitempty"`
	Right        dsar.Right  `json:"right,omitempty"`
	Jurisdiction string      `json:"jurisdiction,omitempty"`
	Status       core.Status `json:"status,omitempty"`
	// DueAt is in the time zone of the law, whose day it is the end of.
	DueAt    time.Time `json:"due_at,omitzero"`
	Waiting  []string  `json:"waiting,omitempty"`
	Assignee string    `json:"assignee,omitempty"`
	URL      string    `json:"url,omitempty"`
}

// key identifies a matter, so that it is told once. It holds the due date: an extended
// request's new one is told again.
func (m Matter) key() string {
	switch m.Kind {
	case SystemDown:
		return fmt.Sprintf("%s %s %d", m.Kind, m.System, m.Since.Unix())
	case Attention:
		return fmt.Sprintf("%s %s", m.Kind, m.RequestID)
	default:
		return fmt.Sprintf("%s %s %d", m.Kind, m.RequestID, m.DueAt.Unix())
	}
}

// Total counts the matters of a kind; with More there are at least so many.
type Total struct {
	Kind  Kind `json:"kind"`
	Count int  `json:"count"`
	More  bool `json:"more,omitempty"`
}

// matters returns what people are to be told of now, the most urgent first.
func (n *Notifier) matters(ctx context.Context, now time.Time) (all []Matter, totals []Total, err error) {
	down, err := n.down(ctx, now)
	if err != nil {
		return nil, nil, err
	}
	for _, name := range slices.Sorted(maps.Keys(down)) {
		all = append(all, Matter{Kind: SystemDown, System: name, Since: down[name].Silent})
	}
	due, err := n.list(ctx, journal.Filter{Statuses: core.OpenStatuses(), DueFirst: true, DueBefore: now.Add(n.DueWithin), Limit: maxMatters})
	if err != nil {
		return nil, nil, err
	}
	waiting, err := n.list(ctx, journal.Filter{Statuses: []core.Status{core.StatusNeedsAttention, core.StatusReviewing}, DueFirst: true, Limit: maxMatters})
	if err != nil {
		return nil, nil, err
	}
	for _, r := range due {
		switch {
		case r.Overdue:
			all = append(all, n.about(Overdue, r))
		case !r.DueAt.Before(now):
			all = append(all, n.about(DueSoon, r))
		}
		// Else it was answered in time, and goes on with what it had to keep.
	}
	for _, r := range waiting {
		all = append(all, n.about(Attention, r))
	}
	slices.SortStableFunc(all, func(a, b Matter) int { return slices.Index(kinds(), a.Kind) - slices.Index(kinds(), b.Kind) })
	for _, kind := range kinds() {
		t := Total{Kind: kind}
		for _, m := range all {
			if m.Kind == kind {
				t.Count++
			}
		}
		switch kind {
		case Attention:
			t.More = len(waiting) == maxMatters
		case DueSoon:
			t.More = len(due) == maxMatters
		case Overdue: // they come first: all are there where others are
			t.More = t.Count == maxMatters
		case SystemDown:
		}
		if t.Count > 0 {
			totals = append(totals, t)
		}
	}
	return all, totals, nil
}

func (n *Notifier) list(ctx context.Context, f journal.Filter) ([]journal.Row, error) {
	rows, err := n.Journal.List(ctx, f)
	if err != nil {
		return nil, fmt.Errorf("notify: %w", err)
	}
	return rows, nil
}

func (n *Notifier) about(kind Kind, r journal.Row) Matter {
	m := Matter{Kind: kind, RequestID: r.RequestID, Right: r.Right, Jurisdiction: r.Jurisdiction, Status: r.Status, Waiting: r.Waiting, Assignee: r.Assignee}
	if !r.DueAt.IsZero() {
		m.DueAt = n.Local(r.Jurisdiction, r.DueAt)
	}
	if n.Console != "" {
		m.URL = n.Console + "/requests/" + r.RequestID
	}
	return m
}
