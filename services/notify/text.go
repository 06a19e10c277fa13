package notify

import (
	"fmt"
	"strings"

	"habeas.dev/services/internal/words"
)

// Subject returns the message in one line, in a language.
func (m Message) Subject(l *words.Language) string {
	w := l.Mail
	var parts []string
	for _, t := range m.Totals {
		count := fmt.Sprint(t.Count)
		if t.More {
			count += "+"
		}
		text := w.Count[string(t.Kind)]
		if t.Count == 1 && !t.More {
			parts = append(parts, fmt.Sprintf(text[0], count))
		} else {
			parts = append(parts, fmt.Sprintf(text[1], count))
		}
	}
	return w.Subject + strings.Join(parts, ", ")
}

// Text returns the message as a mail says it, in a language.
func (m Message) Text(l *words.Language) string {
	w := l.Mail
	var b strings.Builder
	fmt.Fprintf(&b, "%s\n", m.Subject(l))
	last := Kind("")
	for _, one := range m.New {
		if one.Kind != last {
			fmt.Fprintf(&b, "\n%s\n", w.New[string(one.Kind)])
			last = one.Kind
		}
		fmt.Fprintf(&b, "- %s\n", matter(l, one))
		if one.URL != "" {
			fmt.Fprintf(&b, "  %s\n", one.URL)
		}
	}
	if m.Unlisted > 0 {
		fmt.Fprintf(&b, "- "+w.Unlisted+"\n", m.Unlisted)
	}
	if m.Console != "" {
		fmt.Fprintf(&b, "\n"+w.All+"\n", m.Console)
	}
	return b.String()
}

// matter returns one thing in a line.
func matter(l *words.Language, m Matter) string {
	w := l.Mail
	if m.Kind == SystemDown {
		return fmt.Sprintf(w.Silent, m.System, l.Moment(m.Since))
	}
	parts := []string{m.RequestID + w.Colon + l.Word(string(m.Right)), l.Word(m.Jurisdiction), l.Word(string(m.Status))}
	if !m.DueAt.IsZero() {
		parts = append(parts, fmt.Sprintf(w.Due, l.Date(m.DueAt)))
	}
	if len(m.Waiting) > 0 {
		parts = append(parts, fmt.Sprintf(w.Waits, strings.Join(m.Waiting, ", ")))
	}
	if m.Assignee != "" {
		parts = append(parts, fmt.Sprintf(w.Hands, m.Assignee))
	}
	return strings.Join(parts, ", ")
}
