package notify_test

import (
	"strings"
	"testing"
	"time"

	"habeas.dev/pkg/dsar"
	"habeas.dev/services/internal/core"
	"habeas.dev/services/internal/words"
	"habeas.dev/services/notify"
)

// TestText says each kind, one and many, in every language: whole, in that
// language's words, and never with a format's verb left in it.
func TestText(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 11, 20, 9, 30, 0, 0, time.UTC)
	m := notify.Message{ID: "1", At: at, Unlisted: 12, Console: "https://habeas.example.com",
		Totals: []notify.Total{{Kind: notify.SystemDown, Count: 1}, {Kind: notify.Overdue, Count: 2}, {Kind: notify.Attention, Count: 1}, {Kind: notify.DueSoon, Count: 500, More: true}},
		New: []notify.Matter{{Kind: notify.SystemDown, System: "billing", Since: at},
			{Kind: notify.Overdue, RequestID: "r1", Right: "erasure", Jurisdiction: "EEA", Status: "erasing", DueAt: at, Waiting: []string{"billing", "events"}, Assignee: "lea", URL: "https://habeas.example.com/requests/r1"},
			{Kind: notify.Attention, RequestID: "r2", Right: "access", Jurisdiction: "UK", Status: "needs-attention"}, {Kind: notify.DueSoon, RequestID: "r3", Right: "access", Jurisdiction: "UK", Status: "gathering"}}}
	for lang, want := range map[string]string{
		"en": `Habeas: 1 system doesn’t answer, 2 overdue, 1 needs attention, 500+ due soon

New: systems that don’t answer
- billing, asked in vain since 20\u00a0November 2026, 09:30 UTC

New: overdue
- r1: erasure, EEA, erasing, due 20\u00a0November 2026, waits for billing, events, in the hands of lea
  https://habeas.example.com/requests/r1

New: needs a person
- r2: access, UK, needs attention

New: due soon
- r3: access, UK, gathering
- and 12 more

All of them: https://habeas.example.com/
`,
		"fr": `Habeas : 1 système ne répond pas, 2 en retard, 1 à traiter, 500+ bientôt à échéance

Nouveau : des systèmes qui ne répondent pas
- billing, interrogé en vain depuis le 20\u00a0novembre 2026 à 09:30 UTC

Nouveau : en retard
- r1 : effacement, EEA, effacement en cours, échéance le 20\u00a0novembre 2026, attend billing, events, en charge : lea
  https://habeas.example.com/requests/r1

Nouveau : à traiter
- r2 : accès, UK, à traiter

Nouveau : bientôt à échéance
- r3 : accès, UK, collecte
- et 12 de plus

Toutes : https://habeas.example.com/
`,
	} {
		want = strings.ReplaceAll(want, "\\u00a0", "\u00a0")
		if got := m.Text(words.For(lang)); got != words.For(lang).Bound(want) || !strings.HasPrefix(got, m.Subject(words.For(lang))+"\n") {
			t.Errorf("%s:\n%s", lang, got)
		}
	}
	if m.Text(words.For("")) != m.Text(words.For("en")) {
		t.Error("without a language it isn't English")
	}
}

// TestEveryWordIsFrench has French for every right and status.
func TestEveryWordIsFrench(t *testing.T) {
	t.Parallel()
	about := func(right, status string) string {
		m := notify.Message{New: []notify.Matter{{Kind: notify.Overdue, RequestID: "r", Right: dsar.Right(right), Jurisdiction: "EEA", Status: core.Status(status)}}}
		return m.Text(words.For("fr"))
	}
	for _, r := range dsar.Rights() {
		// Rectification is spelled alike.
		if strings.Contains(about(string(r), "x"), ": "+string(r)+",") && r != dsar.Rectification {
			t.Errorf("no French for the right %s", r)
		}
	}
	for _, s := range core.Statuses() {
		if strings.Contains(about("x", string(s)), ", "+string(s)+"\n") {
			t.Errorf("no French for the status %s", s)
		}
	}
}
