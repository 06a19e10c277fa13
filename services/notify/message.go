package notify

import (
	"fmt"
	"strings"
	"time"

	"github.com/google/uuid"
)

// maxListed bounds what one message lists; its totals count the rest.
const maxListed = 50

// Message is what people are told at once.
type Message struct {
	// ID is the same whenever the message is delivered again.
	ID string    `json:"id"`
	At time.Time `json:"at"`
	// New is what wasn't told before, the most urgent first; Left is how much
	// more of it there is than is listed.
	New  []Matter `json:"new"`
	Left int      `json:"left,omitempty"`
	// Totals are how things stand, what was told before included.
	Totals  []Total `json:"totals"`
	Console string  `json:"console,omitempty"`
}

// space is where messages' ids are made.
var space = uuid.MustParse("5b1e8f0c-5c0b-4f4a-9d53-0f4f2d3a7c61")

func (n *Notifier) message(fresh []Matter, totals []Total, now time.Time) Message {
	var keys strings.Builder
	fmt.Fprintln(&keys, now.UnixMicro())
	for _, m := range fresh {
		fmt.Fprintln(&keys, m.key())
	}
	listed := fresh[:min(len(fresh), maxListed)]
	return Message{ID: uuid.NewSHA1(space, []byte(keys.String())).String(), At: now, New: listed, Left: len(fresh) - len(listed), Totals: totals, Console: n.Console}
}

// Subject says it in one line.
func (m Message) Subject() string {
	var parts []string
	for _, t := range m.Totals {
		count := fmt.Sprint(t.Count)
		if t.More {
			count += "+"
		}
		one := t.Count == 1 && !t.More
		switch t.Kind {
		case SystemDown:
			parts = append(parts, count+choose(one, " system doesn’t answer", " systems don’t answer"))
		case Overdue:
			parts = append(parts, count+" overdue")
		case Attention:
			parts = append(parts, count+choose(one, " needs attention", " need attention"))
		case DueSoon:
			parts = append(parts, count+" due soon")
		}
	}
	return "Habeas: " + strings.Join(parts, ", ")
}

func choose(one bool, singular, plural string) string {
	if one {
		return singular
	}
	return plural
}

// Text says it in a mail.
func (m Message) Text() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s\n", m.Subject())
	last := Kind("")
	for _, one := range m.New {
		if one.Kind != last {
			fmt.Fprintf(&b, "\nNew: %s\n", map[Kind]string{SystemDown: "systems that don’t answer", Overdue: "overdue", Attention: "needs a person", DueSoon: "due soon"}[one.Kind])
			last = one.Kind
		}
		if one.Kind == SystemDown {
			fmt.Fprintf(&b, "- %s, asked in vain since %s\n", one.System, one.Since.UTC().Format("2006-01-02 15:04 MST"))
			continue
		}
		fmt.Fprintf(&b, "- %s: %s, %s, %s", one.RequestID, one.Right, one.Jurisdiction, one.Status)
		if !one.DueAt.IsZero() {
			fmt.Fprintf(&b, ", due %s", one.DueAt.UTC().Format(time.DateOnly))
		}
		if len(one.Waiting) > 0 {
			fmt.Fprintf(&b, ", waits for %s", strings.Join(one.Waiting, ", "))
		}
		if one.Assignee != "" {
			fmt.Fprintf(&b, ", in the hands of %s", one.Assignee)
		}
		b.WriteByte('\n')
		if one.URL != "" {
			fmt.Fprintf(&b, "  %s\n", one.URL)
		}
	}
	if m.Left > 0 {
		fmt.Fprintf(&b, "- and %d more\n", m.Left)
	}
	if m.Console != "" {
		fmt.Fprintf(&b, "\nAll of them: %s/\n", m.Console)
	}
	return b.String()
}
