package notify

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// Subject returns the message in one line, in a language of [Languages].
func (m Message) Subject(language string) string {
	w := wordsOf(language)
	var parts []string
	for _, t := range m.Totals {
		count := fmt.Sprint(t.Count)
		if t.More {
			count += "+"
		}
		text := w.count[t.Kind]
		if t.Count == 1 && !t.More {
			parts = append(parts, fmt.Sprintf(text.one, count))
		} else {
			parts = append(parts, fmt.Sprintf(text.many, count))
		}
	}
	return w.habeas + strings.Join(parts, ", ")
}

// Text returns the message as a mail says it, in a language of [Languages].
func (m Message) Text(language string) string {
	w := wordsOf(language)
	var b strings.Builder
	fmt.Fprintf(&b, "%s\n", m.Subject(language))
	last := Kind("")
	for _, one := range m.New {
		if one.Kind != last {
			fmt.Fprintf(&b, "\n%s\n", w.fresh[one.Kind])
			last = one.Kind
		}
		fmt.Fprintf(&b, "- %s\n", w.matter(one))
		if one.URL != "" {
			fmt.Fprintf(&b, "  %s\n", one.URL)
		}
	}
	if m.Left > 0 {
		fmt.Fprintf(&b, "- "+w.left+"\n", m.Left)
	}
	if m.Console != "" {
		fmt.Fprintf(&b, "\n"+w.all+"\n", m.Console)
	}
	return b.String()
}

// matter returns one thing in a line.
func (w words) matter(m Matter) string {
	if m.Kind == SystemDown {
		return fmt.Sprintf(w.silent, m.System, m.Since.UTC().Format("2006-01-02 15:04 MST"))
	}
	parts := []string{m.RequestID + w.colon + w.word(string(m.Right)), m.Jurisdiction, w.word(string(m.Status))}
	if !m.DueAt.IsZero() {
		parts = append(parts, fmt.Sprintf(w.due, m.DueAt.UTC().Format(time.DateOnly)))
	}
	if len(m.Waiting) > 0 {
		parts = append(parts, fmt.Sprintf(w.waits, strings.Join(m.Waiting, ", ")))
	}
	if m.Assignee != "" {
		parts = append(parts, fmt.Sprintf(w.hands, m.Assignee))
	}
	return strings.Join(parts, ", ")
}

// Languages returns the languages that mail is written in; the first is used where
// none is chosen.
func Languages() []string { return []string{english.language, french.language} }

func wordsOf(language string) words {
	all := []words{english, french}
	return all[max(0, slices.IndexFunc(all, func(w words) bool { return w.language == language }))]
}
