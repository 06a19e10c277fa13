package timeline

import (
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"time"

	"habeas.dev/pkg/dsar"
	"habeas.dev/services/internal/core"
	"habeas.dev/services/internal/terminal"
)

// Write prints a trace for a terminal: the head, the identifiers, a track per
// system, and the timeline. Times are in UTC, or since the request was accepted; the
// day on which the answer is due is in the time zone of its law.
func Write(w io.Writer, t Trace, now time.Time) error {
	out := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	terminal.Printf(out, "Request %s\n", t.RequestID)
	terminal.Printf(out, "%s · %s · from %s\n", t.Right, t.Jurisdiction, t.Source)
	terminal.Printf(out, "%s\n", headline(t, now))
	terminal.Printf(out, "\nClock\n  received\t%s\n  accepted\t%s\n", clock(t.ReceivedAt), clock(t.AcceptedAt))
	if !t.DueAt.IsZero() {
		terminal.Printf(out, "  due\t%s%s\n", t.DueAt.Format("2006-01-02 MST"), daysLeft(t, now))
	}
	notes(out, t)
	terminal.Printf(out, "\nIdentifiers\n")
	for _, id := range t.Identifiers {
		terminal.Printf(out, "  %s\t%s\n", id.Type, whence(id))
	}
	terminal.Printf(out, "\nSystems\n")
	for _, sys := range t.Systems {
		name := sys.System
		for _, step := range sys.Steps {
			row(out, name, string(step.Action), stepState(step, t.Status), took(step), stepNote(step))
			name = ""
		}
		if len(sys.Steps) == 0 {
			row(out, name, "", unasked(t.Status))
		}
	}
	if err := out.Flush(); err != nil {
		return err
	}
	terminal.Printf(out, "\nTimeline\n")
	when := timeline(t)
	for _, m := range t.Moments {
		row(out, when(m.At), m.System, m.Text)
	}
	terminal.Printf(out, "\nJournal: %s, chain %s\n", plural(len(t.Facts), "fact"), t.Chain)
	return out.Flush()
}

// notes prints what is out of the ordinary about a request.
func notes(out io.Writer, t Trace) {
	var lines [][]string
	if t.Instead != "" {
		lines = append(lines, []string{"answered instead", string(t.Instead)})
	}
	if t.Ground != "" {
		lines = append(lines, []string{"refused on the ground", t.Ground})
	}
	if t.MergedInto != "" {
		lines = append(lines, []string{"merged into", t.MergedInto})
	}
	if t.EarlierRequests > 0 {
		lines = append(lines, []string{"earlier requests", t.EarlierCount() + " in twelve months"})
	}
	if t.About != nil {
		lines = append(lines, []string{"about", t.About.RequestID})
	}
	if t.DuplicateOf != "" {
		lines = append(lines, []string{"same as", t.DuplicateOf})
	}
	for _, h := range t.Holds {
		lines = append(lines, []string{"legal hold on", strings.TrimSpace(h.System + " " + Say(English).reach(h.Dataset))})
	}
	for _, n := range t.Notices {
		stands := string(n.Status) + ", by " + string(n.By)
		if n.Waits {
			stands += ": waits for a person"
		}
		lines = append(lines, []string{"notice to " + n.Recipient, stands})
	}
	if len(lines) == 0 {
		return
	}
	terminal.Printf(out, "\nNotes\n")
	for _, line := range lines {
		row(out, line...)
	}
}

// row prints cells, without blanks behind the last one.
func row(w io.Writer, cells ...string) {
	for i := range cells {
		cells[i] = terminal.Text(cells[i])
	}
	terminal.Printf(w, "  %s\n", terminal.Written(strings.TrimRight(strings.Join(cells, "\t"), "\t")))
}

// timeline says how moments are told: since the request was accepted where its
// whole life is short, and else by the clock, by which a person looks for them
// elsewhere.
func timeline(t Trace) func(time.Time) string {
	if n := len(t.Moments); n == 0 || t.Moments[n-1].At.Sub(t.AcceptedAt) >= longLife {
		return clock
	}
	return func(at time.Time) string { return since(at.Sub(t.AcceptedAt)) }
}

// longLife is more than machines need for a request when nothing is wrong.
const longLife = 10 * time.Minute

func unasked(s core.Status) string {
	if s.Ended() {
		return "was never asked"
	}
	return "waits for its turn"
}

// asksAboutOthers reports whether records wait for a person who looks at them.
func (t Trace) asksAboutOthers() bool {
	for _, s := range t.Systems {
		for _, step := range s.Steps {
			if step.Outcome == dsar.Manual && step.Code == dsar.CodeOthers {
				return true
			}
		}
	}
	return false
}

// isIncomplete reports whether a person is to see what could not be reached.
func (t Trace) isIncomplete() bool {
	for _, s := range t.Systems {
		for _, step := range s.Steps {
			if step.Status == core.TaskIsFailed && step.Outcome == dsar.Incomplete {
				return true
			}
		}
	}
	return false
}

func headline(t Trace, now time.Time) string {
	switch {
	case t.Status == core.StatusCompleted:
		return fmt.Sprintf("completed in %s", since(t.EndedAt.Sub(t.AcceptedAt)))
	case t.Status.Ended():
		return fmt.Sprintf("%s after %s", t.Status, since(t.EndedAt.Sub(t.AcceptedAt)))
	case len(t.InDoubt) > 0:
		return fmt.Sprintf("%s: %s (say it with: habeas earlier %s, and --same or --another)", t.Status, t.Attention, t.RequestID)
	case t.Attention != "" && t.asksAboutOthers():
		return fmt.Sprintf("%s: %s (look with: habeas review %s SYSTEM -o FILE)", t.Status, t.Attention, t.RequestID)
	case t.Attention != "" && t.isIncomplete():
		return fmt.Sprintf("%s: %s (take it up again with: habeas retry %s, or leave it at that with: habeas answer %[3]s SYSTEM --outcome incomplete)", t.Status, t.Attention, t.RequestID)
	case t.Attention != "":
		return fmt.Sprintf("%s: %s (take it up again with: habeas retry %s)", t.Status, t.Attention, t.RequestID)
	case t.Awaited != "":
		return fmt.Sprintf("%s: the person is to send %s (go on with: habeas %s %s)", t.Status, t.Awaited, goOnWith(t.Awaited), t.RequestID)
	case t.Status == core.StatusDelivering:
		return fmt.Sprintf("%s for %s: the answer is there, and nobody is known to have told the person yet (who has: habeas deliver %s --told)", t.Status, since(now.Sub(t.AcceptedAt)), t.RequestID)
	default:
		return fmt.Sprintf("%s for %s, waits for %s", t.Status, since(now.Sub(t.AcceptedAt)), strings.Join(t.Waiting, ", "))
	}
}

func goOnWith(awaited core.ReminderOf) string {
	if awaited == core.RemindProof {
		return "identity"
	}
	return "clarify"
}

func daysLeft(t Trace, now time.Time) string {
	switch left := t.DueAt.Sub(now); {
	case t.Status.Ended():
		return ""
	case t.Paused:
		return "  the clock stands"
	case left < 0:
		return fmt.Sprintf("  OVERDUE by %s", plural(int(-left.Hours()/24), "day"))
	default:
		return fmt.Sprintf("  in %s", plural(int(left.Hours()/24), "day"))
	}
}

func whence(id Identifier) string {
	switch {
	case id.FoundBy != "" && id.From != "":
		return fmt.Sprintf("found by %s from the %s", id.FoundBy, id.From)
	case id.FoundBy != "":
		return "found by " + id.FoundBy
	case id.Assurance == dsar.AssuranceProven:
		return "given with the request, proven"
	case id.Assurance == dsar.AssuranceVerified:
		return "given with the request, verified"
	default:
		return "given with the request, not verified"
	}
}

func stepState(s Step, request core.Status) string {
	open := s.Status == core.TaskIsSent || s.Status == core.TaskIsParked
	switch {
	case open && request.Ended():
		return "given up"
	case s.Status == core.TaskIsSent:
		return "running"
	case s.Status == core.TaskIsParked:
		return "parked until " + clock(s.Until)
	default:
		return string(s.Outcome)
	}
}

func stepNote(s Step) string {
	note := CountWords(s.Counts)
	if why := stepWhy(s); why != "" {
		if note != "" {
			note += "; "
		}
		note += why
	}
	if s.Attempts > 1 {
		note = strings.TrimSpace(fmt.Sprintf("%s (%d attempts)", note, s.Attempts))
	}
	return note
}

// stepWhy returns why a step stands as it does: the core's own sentence, or that of the
// code with the names that were said.
func stepWhy(s Step) string {
	switch told := Cause(s.Code); {
	case told == "" || strings.Contains(s.Reason, " ") && !strings.Contains(s.Reason, ", "):
		return s.Reason
	case s.Reason == "":
		return told
	default:
		return told + " (" + s.Reason + ")"
	}
}

func took(s Step) string {
	if s.SentAt.IsZero() || s.EndedAt.IsZero() {
		return ""
	}
	return since(s.EndedAt.Sub(s.SentAt))
}

// since returns a duration as a person reads it.
func since(d time.Duration) string {
	switch {
	case d < 0:
		return "0 ms"
	case d < 10*time.Second:
		return fmt.Sprintf("%d ms", d.Milliseconds())
	case d < 10*time.Minute:
		return fmt.Sprintf("%.0f s", d.Seconds())
	case d < time.Hour:
		return fmt.Sprintf("%.0f min", d.Minutes())
	case d < 48*time.Hour:
		d = d.Round(time.Minute)
		return fmt.Sprintf("%d h %d min", int(d.Hours()), int(d.Minutes())%60)
	default:
		return plural(int(d.Hours()/24), "day")
	}
}
