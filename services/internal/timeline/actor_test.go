package timeline_test

import (
	"strings"
	"testing"
	"time"

	"habeas.dev/pkg/dsar"
	"habeas.dev/services/internal/core"
	"habeas.dev/services/internal/journal"
	"habeas.dev/services/internal/timeline"
	"habeas.dev/services/internal/words"
)

// TestLocalUserIsSaid: of who acted without signing in that is said, with the machine, in
// each language; and what somebody writes isn't taken for who acted.
func TestLocalUserIsSaid(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 11, 20, 9, 30, 0, 0, time.UTC)
	for by, want := range map[string][2]string{
		"paul <local@desk>":          {"paul (local user of desk, not signed in)", "paul (utilisateur local de desk, sans connexion)"},
		"paul <local>":               {"paul (local user, not signed in)", "paul (utilisateur local, sans connexion)"},
		"lea <https://id.example#1>": {"lea", "lea"},
		"lea":                        {"lea", "lea"},
	} {
		var facts []journal.Fact
		for i, e := range []core.Event{
			core.Accepted{RequestID: "9f0d6c0e-6f0f-4b43-9f0f-3a9c3c0f7a11", Right: dsar.Access, ReceivedAt: at, AcceptedAt: at},
			core.Noted{ReasonedAct: core.ReasonedAct{By: by, Reason: "as in the mail <local>", At: at}},
		} {
			typ, data, err := core.Encode(e)
			if err != nil {
				t.Fatal(err)
			}
			facts = append(facts, journal.Fact{RequestID: "9f0d6c0e-6f0f-4b43-9f0f-3a9c3c0f7a11", Version: i + 1, Type: typ, At: at, Data: data})
		}
		for i, say := range []timeline.Say{timeline.English, (*words.Languages)(nil).For("fr").Word} {
			trace, err := timeline.BuildIn(facts, say, timeline.ByName, timeline.InUTC)
			if err != nil {
				t.Fatal(err)
			}
			if m := trace.Moments[1]; m.By != want[i] || !strings.HasPrefix(m.Text, want[i]+" ") || !strings.HasSuffix(m.Text, "as in the mail <local>") {
				t.Errorf("%s: by %q: %s", by, m.By, m.Text)
			}
		}
	}
}
