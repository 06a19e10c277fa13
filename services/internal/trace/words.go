package trace

import (
	"fmt"
	"strings"
	"time"

	"habeas.dev/pkg/dsar"
)

// words says a fact in a sentence, and which system it is about.
func words(e dsar.Event) (system, text string) {
	switch e := e.(type) {
	case dsar.Accepted:
		return "", fmt.Sprintf("accepted from %s: %s, %s, %s to ask", e.Source, e.Right, e.Jurisdiction, plural(len(e.Systems), "system"))
	case dsar.StageStarted:
		return "", "stage: " + string(e.Stage)
	case dsar.TaskSent:
		return e.System, sentWords(e)
	case dsar.TaskProgressed:
		return e.System, fmt.Sprintf("%s: still at it, %s so far", e.Action, plural(int(e.Records), "record"))
	case dsar.TaskParked:
		return e.System, fmt.Sprintf("%s: parked until %s%s", e.Action, clock(e.Until), because(e.Code, e.Reason))
	case dsar.TaskEnded:
		return e.System, fmt.Sprintf("%s: %s%s", e.Action, e.Outcome, endWords(e))
	case dsar.TaskFailed:
		return e.System, fmt.Sprintf("%s: %s%s", e.Action, e.Outcome, because(e.Code, e.Reason))
	case dsar.AttentionNeeded:
		return "", "needs attention: " + e.Reason
	case dsar.Retried:
		text := fmt.Sprintf("%s had %s taken up again", e.By, strings.Join(e.Systems, ", "))
		if e.AcceptPlan {
			text += " and accepted the plan"
		}
		return "", text + because("", e.Reason)
	case dsar.Cancelled:
		return "", "cancelled by " + e.By + because("", e.Reason)
	case dsar.Overdue:
		return "", "overdue: the answer was due by " + clock(e.DueAt)
	case dsar.Completed:
		return "", fmt.Sprintf("completed: the bundle %s holds %s, %s", e.Bundle.Name, plural(int(e.Bundle.Records), "record"), size(e.Bundle.Bytes))
	default:
		return sentenceWords(e)
	}
}

// sentenceWords says what people and the law decided.
func sentenceWords(e dsar.Event) (system, text string) {
	switch e := e.(type) {
	case dsar.ProofAsked:
		return "", fmt.Sprintf("%s asked the person for proof (%s)%s", e.By, checkWords(e.Checks), standing(e.Pauses)) + because("", e.Reason)
	case dsar.ProofJudged:
		return "", judgedWords(e)
	case dsar.ClarificationAsked:
		return "", e.By + " asked the person what is meant" + standing(e.Pauses) + because("", e.Reason)
	case dsar.ClarificationGiven:
		return "", "the person said what is meant, " + e.By + " noted" + because("", e.Reason) + dueWords(e.DueAt)
	case dsar.Extended:
		return "", fmt.Sprintf("extended by %s: %s%s", e.By, e.Reason, dueWords(e.DueAt))
	case dsar.Refused:
		return "", fmt.Sprintf("refused by %s%s", e.By, because(e.Ground, e.Reason))
	case dsar.Merged:
		return "", fmt.Sprintf("merged by %s into %s%s", e.By, e.Into, because("", e.Reason))
	case dsar.Reminded:
		return "", reminderWords(e.About)
	case dsar.HoldPlaced:
		return e.System, fmt.Sprintf("legal hold on %s, put on by %s: %s", reachWords(e.Dataset), e.By, e.Reason)
	case dsar.HoldLifted:
		return e.System, fmt.Sprintf("legal hold on %s lifted by %s", reachWords(e.Dataset), e.By) + because("", e.Reason)
	case dsar.RetentionEnded:
		return "", "taken up again: what had to stay in " + strings.Join(e.Systems, ", ") + " may go"
	case dsar.IdentifiersRevealed:
		return "", e.By + " looked at the identifiers" + because("", e.Reason)
	case dsar.Assigned:
		if e.To == "" {
			return "", e.By + " gave it out of hand" + because("", e.Reason)
		}
		return "", e.By + " assigned it to " + e.To + because("", e.Reason)
	case dsar.DeliveryAsked:
		return "", e.By + " had the answer delivered again" + because("", e.Reason)
	case dsar.LetterSent:
		return "", fmt.Sprintf("letter to the person: %s, in %s, by %s", e.Letter, e.Language, e.Channel)
	default:
		return "", e.Type()
	}
}

// fieldWords names the columns that a rectification changed, and those that it
// left.
func fieldWords(counts []dsar.Counts) string {
	var changed, unchanged []string
	for _, c := range counts {
		for _, column := range c.Changed {
			changed = append(changed, c.Dataset+"."+column)
		}
		for _, column := range c.Unchanged {
			unchanged = append(unchanged, c.Dataset+"."+column)
		}
	}
	text := ""
	if len(changed) > 0 {
		text += "; changed " + strings.Join(changed, ", ")
	}
	if len(unchanged) > 0 {
		text += "; left as they were " + strings.Join(unchanged, ", ")
	}
	return text
}

func checkWords(checks []dsar.Check) string {
	var names []string
	for _, c := range checks {
		names = append(names, string(c))
	}
	return strings.Join(names, ", ")
}

func standing(pauses bool) string {
	if pauses {
		return "; the clock stands"
	}
	return "; the clock goes on"
}

func dueWords(due time.Time) string {
	if due.IsZero() {
		return ""
	}
	return "; the answer is now due by " + clock(due)
}

func judgedWords(e dsar.ProofJudged) string {
	text := e.By + " refused the proof"
	if e.Accepted {
		text = e.By + " accepted the proof"
	}
	text += because("", e.Reason)
	if e.Instead != "" {
		text += "; answered instead: " + string(e.Instead)
	}
	return text + dueWords(e.DueAt)
}

func reminderWords(about dsar.ReminderOf) string {
	//exhaustive:enforce
	switch about {
	case dsar.RemindDue:
		return "reminder: the answer is due soon"
	case dsar.RemindProof:
		return "reminder: the person has sent no proof"
	case dsar.RemindClarification:
		return "reminder: the person has not said what is meant"
	case dsar.RemindAttention:
		return "reminder: nobody has acted"
	default:
		return "reminder"
	}
}

func reachWords(dataset string) string {
	if dataset == "" {
		return "everything"
	}
	return dataset
}

func sentWords(e dsar.TaskSent) string {
	text := string(e.Action) + ": asked"
	switch e.Reason {
	case dsar.SentUnheard:
		text += " again, since nothing was heard"
	case dsar.SentParked:
		text += " again, as it was parked until now"
	case dsar.SentRetried:
		text += " again, since a person retried it"
	case dsar.SentFurther:
		text += " again, with what was found since"
	}
	if e.Attempt > 1 {
		text += fmt.Sprintf(" (attempt %d)", e.Attempt)
	}
	return text
}

func endWords(e dsar.TaskEnded) string {
	var found []string
	for _, id := range e.Identifiers {
		found = append(found, string(id.Type))
	}
	text := ""
	if len(found) > 0 {
		text = " " + strings.Join(found, ", ")
	}
	if c := CountWords(e.Counts); c != "" {
		text += ": " + c
	}
	if e.By != "" {
		text += " by the hand of " + e.By
	}
	text += fieldWords(e.Counts)
	if len(e.Notes) > 0 {
		text += "; note: " + strings.Join(e.Notes, "; ")
	}
	return text + because(e.Code, e.Reason)
}

// CountWords sums up counts: "14 records: profile 1, invoices 13 (6 retained
// until 2031-04-01, tax-records)".
func CountWords(counts []dsar.Counts) string {
	var parts []string
	total := int64(0)
	for _, c := range counts {
		n := max(c.Found, c.Gathered, c.Erased+c.Anonymised+c.Kept(), c.Rectified, c.Restricted)
		if n == 0 {
			continue
		}
		total += n
		parts = append(parts, fmt.Sprintf("%s %d%s", c.Dataset, n, keptWords(c.Retained)))
	}
	if total == 0 {
		return ""
	}
	return plural(int(total), "record") + ": " + strings.Join(parts, ", ")
}

func keptWords(retained []dsar.Retention) string {
	var kept []string
	for _, r := range retained {
		until := "with no end known"
		if !r.Until.IsZero() {
			until = "until " + r.Until.Format(time.DateOnly)
		}
		kept = append(kept, fmt.Sprintf("%d retained %s, %s", r.Records, until, r.Ground))
	}
	if len(kept) == 0 {
		return ""
	}
	return " (" + strings.Join(kept, "; ") + ")"
}

func because(code, reason string) string {
	switch {
	case reason != "" && code != "":
		return ": " + reason + " [" + code + "]"
	case reason != "":
		return ": " + reason
	case code != "":
		return " [" + code + "]"
	default:
		return ""
	}
}

func plural(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}

func clock(t time.Time) string { return t.UTC().Format("2006-01-02 15:04:05Z") }

func size(n int64) string {
	switch {
	case n >= 1<<30:
		return fmt.Sprintf("%.1f GiB", float64(n)/(1<<30))
	case n >= 1<<20:
		return fmt.Sprintf("%.1f MiB", float64(n)/(1<<20))
	case n >= 1<<10:
		return fmt.Sprintf("%.1f KiB", float64(n)/(1<<10))
	default:
		return fmt.Sprintf("%d bytes", n)
	}
}
