package notify

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"habeas.dev/services/internal/journal"
)

// noteName is the journal's note in which the memory is stored.
const noteName = "notify"

// memory is what the notifier stores in the journal, since it must outlive a
// process.
type memory struct {
	// Holder is the process that does the work; the others leave it alone until
	// Until.
	Holder string    `json:"holder"`
	Until  time.Time `json:"until"`
	// Spoke is when people were last told something.
	Spoke time.Time `json:"spoke,omitzero"`
	// Told lists the matters that people were told of and that are still so, and
	// when.
	Told map[string]time.Time `json:"told,omitempty"`
	// Pending lists the deliveries that haven't arrived yet.
	Pending []delivery `json:"pending,omitempty"`
}

// delivery is one message on its way through one channel.
type delivery struct {
	Channel string    `json:"channel"`
	Message Message   `json:"message"`
	Since   time.Time `json:"since"`
	Tries   int       `json:"tries,omitempty"`
	Next    time.Time `json:"next,omitzero"`
}

func recall(ctx context.Context, notes journal.Notes) (*memory, int64, error) {
	m := &memory{}
	data, version, err := notes.Note(ctx, noteName)
	if err != nil {
		return nil, 0, fmt.Errorf("notify: %w", err)
	}
	if len(data) > 0 {
		if err := json.Unmarshal(data, m); err != nil {
			return nil, 0, fmt.Errorf("notify: what was told can't be read: %w", err)
		}
	}
	if m.Told == nil {
		m.Told = map[string]time.Time{}
	}
	return m, version, nil
}

// remember notes it; journal.ErrConflict where another process has taken over.
func remember(ctx context.Context, notes journal.Notes, m *memory, version int64) (int64, error) {
	data, err := json.Marshal(m)
	if err != nil {
		return version, fmt.Errorf("notify: %w", err)
	}
	if err := notes.SetNote(ctx, noteName, data, version); err != nil {
		return version, fmt.Errorf("notify: %w", err)
	}
	return version + 1, nil
}

// untold returns the matters that people weren't told of, or long ago. What is no
// longer so is forgotten: should it be so again, it is news.
func (m *memory) untold(matters []Matter, now time.Time) []Matter {
	var fresh []Matter
	still := map[string]time.Time{}
	for _, one := range matters {
		told, ok := m.Told[one.key()]
		if ok && now.Sub(told) < againAfter {
			still[one.key()] = told
			continue
		}
		fresh = append(fresh, one)
	}
	m.Told = still
	return fresh
}

func (m *memory) tell(matters []Matter, now time.Time) {
	m.Spoke = now
	for _, one := range matters {
		m.Told[one.key()] = now
	}
}

// add queues a delivery; the oldest makes room.
func (m *memory) add(d delivery) {
	m.Pending = append(m.Pending, d)
	if len(m.Pending) > maxPending {
		m.Pending = slices.Delete(m.Pending, 0, len(m.Pending)-maxPending)
	}
}

func (m *memory) due(now time.Time) []delivery {
	var due []delivery
	for _, d := range m.Pending {
		if !now.Before(d.Next) {
			due = append(due, d)
		}
	}
	return due
}

func (m *memory) drop(d delivery) {
	m.Pending = slices.DeleteFunc(m.Pending, func(p delivery) bool { return p.Channel == d.Channel && p.Message.ID == d.Message.ID })
}

// later postpones a delivery's next try, longer each time.
func (m *memory) later(d delivery, now time.Time) {
	for i := range m.Pending {
		if p := &m.Pending[i]; p.Channel == d.Channel && p.Message.ID == d.Message.ID {
			p.Next = now.Add(min(retryFirst<<min(p.Tries, 20), retryMost))
			p.Tries++
		}
	}
}
