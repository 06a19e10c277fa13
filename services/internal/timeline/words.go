package timeline

import (
	"cmp"
	"fmt"
	"strings"
	"time"

	"habeas.dev/pkg/dsar"
	"habeas.dev/services/internal/core"
)

// Say is a language: what a text in English is in it. A format keeps its verbs,
// in their order.
type Say func(english string) string

// English says every text as it is.
func English(text string) string { return text }

// f returns a format in the language, with its arguments.
func (say Say) f(format string, args ...any) string { return fmt.Sprintf(say(format), args...) }

// actor says who acted: by name, as the fact has the identity; of who hadn't signed in that
// is said.
func (say Say) actor(by string) string {
	switch host, local := core.LocalActor(by); {
	case local && host != "":
		return say.f("%s (local user of %s, not signed in)", core.ActorName(by), host)
	case local:
		return say.f("%s (local user, not signed in)", core.ActorName(by))
	default:
		return core.ActorName(by)
	}
}

// words says a fact in a sentence, with what the worker noted besides, and which
// system it is about. The state is the one that the fact has led to.
func (say Say) words(e core.Event, s core.State, titled Titles) (system, text string) {
	if e, ok := e.(core.AttentionNeeded); ok {
		return "", say.f("needs attention: %s", say.attention(e, s, titled))
	}
	if e, ok := e.(core.Overdue); ok && !e.DueAt.After(s.Accepted.AcceptedAt) {
		return "", say.f("overdue: the answer was due by %s, before the request came in", day(e.DueAt))
	}
	system, text = say.fact(e)
	if notes := core.NotesOf(e); len(notes) > 0 {
		text += say.f("; note: %s", strings.Join(notes, say("; ")))
	}
	for _, f := range core.FindingsOf(e) {
		text += say.f("; note: %s", cmp.Or(say.cause(f.Code, "", &f), f.Code))
	}
	return system, text
}

func (say Say) fact(e core.Event) (system, text string) {
	switch e := e.(type) {
	case core.Accepted:
		return "", say.f("accepted from %s: %s, %s, %s to ask", e.Source, say(string(e.Right)), say(e.Jurisdiction), say.plural(int64(len(e.Systems)), "%d system", "%d systems"))
	case core.StageStarted:
		return "", say.f("stage: %s", say(string(e.Stage)))
	case core.TaskSent:
		return e.System, say.sent(e)
	case core.TaskProgressed:
		return e.System, say.f("%s: still at it, %s so far", say(string(e.Action)), say.records(e.Records))
	case core.TaskParked:
		return e.System, say.f("%s: parked until %s", say(string(e.Action)), clock(e.Until)) + say.because(e.Code, say.cause(e.Code, e.Reason, e.Cause))
	case core.TaskEnded:
		return e.System, say.f("%s: %s", say(string(e.Action)), say(string(e.Outcome))) + say.end(e)
	case core.TaskFailed:
		text := say.f("%s: %s", say(string(e.Action)), say(string(e.Outcome)))
		if c := say.counts(e.Counts); c != "" && e.Outcome == dsar.Incomplete {
			text += say.f(": %s", c)
		}
		return e.System, text + say.because(e.Code, say.cause(e.Code, e.Reason, e.Cause))
	case core.MessageRejected:
		return e.System, say.rejected(e)
	case core.Retried:
		text := say.f("%s had %s taken up again", e.By, strings.Join(e.Systems, ", "))
		if e.AcceptPlan {
			text += say(" and accepted what is more than expected")
		}
		return "", text + say.because("", e.Reason)
	case core.Cancelled:
		return "", say.f("cancelled by %s", e.By) + say.because("", e.Reason)
	case core.Overdue:
		return "", say.f("overdue: the answer was due by %s", day(e.DueAt))
	case core.AnswerAvailable:
		return "", say.f("the answer is there: the bundle %s holds %s, %s; the person is to be told", e.Bundle.Name, say.records(e.Bundle.Records), ByteCount(e.Bundle.Bytes))
	case core.CallerTold:
		return "", say.f("the caller was told how the request stands, up to fact %d", e.Through)
	case core.CallerNotTold:
		if e.Until.IsZero() {
			return "", say.f("the caller couldn’t be told how the request stood up to fact %d, and isn’t called about that again: %s", e.Through, say(Cause(e.Code)))
		}
		if e.Code == core.CodeCallerRests {
			return "", say.f("the caller isn’t called now: %s; it is called at %s", say(Cause(e.Code)), clock(e.Until))
		}
		return "", say.f("the caller couldn’t be told how the request stands: %s; it is called again at %s", say(Cause(e.Code)), clock(e.Until))
	case core.Completed:
		return "", say.f("completed: the bundle %s holds %s, %s", e.Bundle.Name, say.records(e.Bundle.Records), ByteCount(e.Bundle.Bytes))
	default:
		return say.sentence(e)
	}
}

// sentence says what people and the law decided.
func (say Say) sentence(e core.Event) (system, text string) {
	switch e := e.(type) {
	case core.ProofAsked:
		return "", say.f("%s asked the person for proof (%s)", e.By, say.checks(e.Checks)) + say.standing(e.Pauses) + say.because("", e.Reason)
	case core.ProofJudged:
		return "", say.judged(e)
	case core.ClarificationAsked:
		return "", say.f("%s asked the person what is meant", e.By) + say.standing(e.Pauses) + say.because("", e.Reason)
	case core.ClarificationGiven:
		return "", say.f("the person said what is meant, %s noted", e.By) + say.because("", e.Reason) + say.due(e.DueAt)
	case core.Extended:
		return "", say.f("extended by %s: %s", e.By, e.Reason) + say.due(e.DueAt)
	case core.Refused:
		return "", say.f("refused by %s", e.By) + say.because(say(e.Ground), e.Reason)
	case core.PartRefused:
		if e.TakenBack {
			return e.System, say.f("%s is given after all, %s decided", e.Dataset, e.By) + say.because("", e.Reason)
		}
		return e.System, say.f("%s refused by %s", e.Dataset, e.By) + say.because(say(e.Ground), e.Reason)
	case core.FieldRefused:
		return e.System, say.f("the correction of %s refused by %s", e.Dataset+"."+e.Column, e.By) + say.because(say(e.Ground), e.Reason)
	case core.CorrectionApproved:
		if len(e.Let) == 0 {
			return "", say.f("the correction is approved by %s", e.By) + say.because("", e.Reason)
		}
		return "", say.f("%s has these corrected in spite of the doubt: %s", e.By, say.letGo(e.Let)) + say.because("", e.Reason)
	case core.SecondAsked:
		return "", say.f("%s wants %s; a second person must agree", e.By, say.Wanted(e.Matter)) + say.because("", e.Reason)
	case core.SecondJudged:
		if e.Agreed {
			return "", say.f("%s agrees", e.By) + say.because("", e.Reason)
		}
		return "", say.f("%s says no: it isn’t done", e.By) + say.because("", e.Reason)
	case core.GrievanceDecided:
		text := say.f("decided by %s: %s", e.By, say(string(e.Finding)))
		if e.Reopened {
			text += say("; the request that it is about was taken up again")
		}
		return "", text + say.because("", e.Reason)
	case core.Reopened:
		if len(e.Parts) > 0 {
			return "", say.f("%s is given after all, %s decided", strings.Join(e.Parts, ", "), e.By) + say.because("", e.Reason)
		}
		return "", say.f("taken up again by %s: request %s about it was upheld", e.By, e.Grievance) + say.because("", e.Reason)
	case core.TakenUp:
		return "", say.takenUp(e)
	case core.SystemMissing:
		return e.System, say("the configuration no longer has this system, and something is still to be asked of it")
	case core.SystemBack:
		return e.System, say("the configuration has this system again")
	case core.SystemRenamed:
		return e.To, say.f("%s is called %s now, %s noted: what is still to be asked of it is asked under that", e.System, e.To, e.By) + say.because("", e.Reason)
	case core.SystemRetired:
		return e.System, say.f("out of use since %s, %s noted: what was still to be asked of it is asked of nobody", e.On.Format(time.DateOnly), e.By) + say.because("", e.Reason)
	case core.Merged:
		return "", say.f("merged by %s into %s", e.By, e.Into) + say.because("", e.Reason)
	case core.Reminded:
		return "", say(reminder(e.About))
	case core.HoldPlaced:
		return e.System, say.f("legal hold on %s, put on by %s: %s", say.reach(e.Dataset), e.By, e.Reason)
	case core.HoldLifted:
		return e.System, say.f("legal hold on %s lifted by %s", say.reach(e.Dataset), e.By) + say.because("", e.Reason)
	case core.HoldReleased:
		if e.Of != "" {
			return "", say.f("a legal hold of request %s is over: what only it kept may go", e.Of)
		}
		return "", say.f("requests told that what the hold kept of theirs may go: %d", len(e.Requests))
	case core.RetentionEnded:
		if e.Of != "" {
			return "", say.f("taken up again, since the person asks once more (%s): what stayed in %s for other people’s records is looked at anew", e.Of, strings.Join(e.Systems, ", "))
		}
		return "", say.f("taken up again: what had to stay in %s may go", strings.Join(e.Systems, ", "))
	case core.IdentifiersRevealed:
		if e.Gathered != "" {
			return e.Gathered, say.f("%s looked at what was gathered", e.By) + say.because("", e.Reason)
		}
		return "", say.f("%s looked at the identifiers", e.By) + say.because("", e.Reason)
	case core.EarlierLookedUp:
		return "", say.f("looked for other requests of the person; identifiers taken over: %d", len(e.Identifiers))
	case core.EarlierDoubted:
		return "", say.f("it must be said whether request %s is of the same person: %s", e.Request, say.Doubt(e.Why))
	case core.EarlierJudged:
		if e.Same {
			return "", say.f("%s says that request %s is of the same person", e.By, e.Request) + say.because("", e.Reason)
		}
		return "", say.f("%s says that request %s is another person's", e.By, e.Request) + say.because("", e.Reason)
	case core.EarlierAwaited:
		if len(e.Open) == 0 {
			return "", say("no other request of the person is open: it goes on")
		}
		return "", say.f("nothing is erased while other requests of the person are open, or lack facts that a restored journal lost: %s", strings.Join(e.Open, ", "))
	case core.KeptLookedUp:
		return "", say.f("looked what other erasures of the person have left: %d datasets of %d requests", len(e.Kept), len(e.Of))
	case core.PlanOpened:
		return "", say.f("%s opened the plan of %s", e.By, strings.Join(e.Systems, ", ")) + say.because("", e.Reason)
	case core.AskedAgain:
		return "", say.askedAgain(e)
	case core.NoticeOwed:
		if e.By == core.WayNobody {
			return "", say.f("%s received data that was changed, and can't be told", e.Recipient)
		}
		return "", say.f("%s received data that was changed, and is to be told", e.Recipient)
	case core.NoticeSent:
		if e.Number > 1 {
			return "", say.f("%s is told once more what was changed (notice %d)", e.Recipient, e.Number)
		}
		return "", say.f("%s is told what was changed", e.Recipient)
	case core.NoticeFailed:
		if e.Until.IsZero() {
			return "", say.f("%s can't be told by machine: a person must", e.Recipient) + say.because("", say(Cause(e.Code)))
		}
		return "", say.f("%s couldn't be told; tried again at %s", e.Recipient, clock(e.Until)) + say.because("", say(Cause(e.Code)))
	case core.NoticeSettled:
		if e.Status == core.NoticeIsExcused {
			return "", say.f("%s says that %s can't be told", e.By, e.Recipient) + say.because("", e.Reason)
		}
		return "", say.f("%s told %s what was changed", e.By, e.Recipient) + say.because("", e.Reason)
	case core.NoticeAcknowledged:
		if e.By == "" {
			return "", say.f("%s has confirmed its notice", e.Recipient)
		}
		return "", say.f("%s says that %s has confirmed its notice", e.By, e.Recipient) + say.because("", e.Reason)
	case core.AddendumIssued:
		return "", say.f("addendum %d to the certificate: %s", e.Number, e.Addendum.Name)
	case core.Assigned:
		if e.To == "" {
			return "", say.f("%s gave it out of hand", e.By) + say.because("", e.Reason)
		}
		return "", say.f("%s assigned it to %s", e.By, e.To) + say.because("", e.Reason)
	case core.Noted:
		return "", say.f("%s noted: %s", e.By, e.Reason)
	case core.DeliveryAsked:
		if e.ByHand {
			return "", say.f("%s has told the person where the answer is", e.By) + say.because("", e.Reason)
		}
		return "", say.f("%s had the answer delivered again", e.By) + say.because("", e.Reason)
	case core.ReceiptIssued:
		return "", say("how it ended stands in the transparency log: habeas receipt")
	case core.ReceiptLeft:
		if e.Object == "" {
			return "", say("there is no receipt to be left for the person: no log is signed here")
		}
		return "", say("the receipt lies beside the answer, sealed for the person")
	case core.CopiesForgotten:
		text := say.f("the erasure has reached what Habeas held of %d earlier requests of the person", len(e.Requests))
		if e.Unfetched > 0 {
			text += say("; ") + say.f("answers that nobody has fetched yet, kept for the person until %s: %d", e.Until.UTC().Format(time.DateOnly), e.Unfetched)
		}
		return "", text
	case core.Forgotten:
		if e.Part == core.PartRecords {
			return "", say.f("%s: records and answer are destroyed, and can't be opened", say.destroyer(e.By)) + say.because("", e.Reason)
		}
		return "", say.f("%s: whom it was about is destroyed, and can't be opened", say.destroyer(e.By)) + say.because("", e.Reason)
	case core.PersonSent:
		switch e.What {
		case core.SentProof:
			return "", say("the person has sent proof")
		case core.SentClarification:
			return "", say("the person has answered the question")
		default:
			return "", say("the person has no passphrase for the answer, and needs one")
		}
	case core.AnswerOpened:
		return "", say("the person has opened the answer")
	case core.AnswerFetched:
		return "", say.f("%s fetched the answer, sealed", e.By)
	case core.AnswerKeyChanged:
		if e.Revoked {
			return "", say.f("%s revoked what opens the answer", e.By) + say.because("", e.Reason)
		}
		return "", say.f("%s made another passphrase for the answer", e.By) + say.because("", e.Reason)
	case core.LetterSent:
		return "", say.f("letter to the person: %s, in %s, by %s", say(string(e.Letter)), say(e.Language), say(string(e.Channel)))
	default:
		return "", core.TypeOf(e)
	}
}

// askedAgain says that an answered erasure is proven anew, by whom, and what becomes of
// what has come back.
func (say Say) askedAgain(e core.AskedAgain) string {
	text := say.f("asked again, by the plans' keys, whether anything has come back in %s", strings.Join(e.Systems, ", "))
	if e.By != core.ByPolicy {
		text = say.f("%s asked again, by the plans' keys, whether anything has come back in %s", e.By, strings.Join(e.Systems, ", "))
	}
	if e.Erase {
		text += say("; what has is erased again")
	}
	return text + say.because("", e.Reason)
}

// destroyer says who forgot: a person, or the end that was set.
func (say Say) destroyer(by string) string {
	if by == core.ByPolicy {
		return say("their time had come")
	}
	return say.f("forgotten by %s", by)
}

// letGo names the fields that are corrected in spite of a doubt, and the doubt.
func (say Say) letGo(all []core.LetGo) string {
	var names []string
	for _, l := range all {
		names = append(names, l.System+"/"+l.Dataset+"."+l.Column+" ("+say(l.Code)+")")
	}
	return strings.Join(names, ", ")
}

func (say Say) checks(checks []dsar.Check) string {
	var names []string
	for _, c := range checks {
		names = append(names, say(string(c)))
	}
	return strings.Join(names, ", ")
}

func (say Say) standing(pauses bool) string {
	if pauses {
		return say("; the clock stands")
	}
	return say("; the clock goes on")
}

func (say Say) due(due time.Time) string {
	if due.IsZero() {
		return ""
	}
	return say.f("; the answer is now due by %s", day(due))
}

// Wanted says what somebody wants done that a second person must agree to, after "wants":
// with the titles of [Titles.Matter].
func (say Say) Wanted(m core.Matter) string {
	//exhaustive:ignore
	switch m.Verb {
	case core.VerbRefuse:
		return say.f("to refuse the request (%s)", say(m.Ground))
	case core.VerbRefusePart:
		return say.f("to refuse %s of %s (%s)", m.Dataset, m.System, say(m.Ground))
	case core.VerbRefuseField:
		return say.f("to refuse to correct %s of %s (%s)", m.Dataset+"."+m.Column, m.System, say(m.Ground))
	case core.VerbJudgeProof:
		return say("to reject the proof")
	case core.VerbAcceptPlan:
		if len(m.Systems) > 0 {
			return say.f("to accept that more is erased than expected in %s", strings.Join(m.Systems, ", "))
		}
		return say("to accept that more is erased than expected")
	case core.VerbOpenPlan:
		return say("to look at the keys of the plan")
	default:
		if m.System != "" {
			return say.f("to look at what was gathered in %s", m.System)
		}
		return say("to look at the identifiers, and at what the person sent")
	}
}

func (say Say) judged(e core.ProofJudged) string {
	text := "%s refused the proof"
	if e.Accepted {
		text = "%s accepted the proof"
	}
	text = say.f(text, e.By) + say.because("", e.Reason)
	if e.Instead != "" {
		text += say.f("; answered instead: %s", say(string(e.Instead)))
	}
	return text + say.due(e.DueAt)
}

func reminder(about core.ReminderOf) string {
	//exhaustive:enforce
	switch about {
	case core.RemindDue:
		return "reminder: the answer is due soon"
	case core.RemindProof:
		return "reminder: the person has sent no proof"
	case core.RemindClarification:
		return "reminder: the person has not said what is meant"
	case core.RemindAttention:
		return "reminder: nobody has acted"
	case core.RemindTell:
		return "reminder: nobody has told the person, as far as is known"
	default:
		return "reminder"
	}
}

func (say Say) reach(dataset string) string {
	if dataset == "" {
		return say("everything")
	}
	return dataset
}

func (say Say) sent(e core.TaskSent) string {
	text := say(map[core.SendReason]string{
		core.SentUnheard:  "asked again, since nothing was heard",
		core.SentParked:   "asked again, as it was parked until now",
		core.SentRetried:  "asked again, since a person retried it",
		core.SentFurther:  "asked again, with what was found since",
		core.SentRestored: "asked again, since the journal was restored",
	}[e.Reason])
	if text == "" {
		text = say("asked")
	}
	text = say.f("%s: %s", say(string(e.Action)), text)
	if e.Attempt > 1 {
		text += say.f(" (attempt %d)", e.Attempt)
	}
	return text
}

func (say Say) end(e core.TaskEnded) string {
	var found []string
	for _, id := range e.Identifiers {
		found = append(found, string(id.Type))
	}
	text := ""
	if len(found) > 0 {
		text = " " + strings.Join(found, ", ")
	}
	if c := say.counts(e.Counts); c != "" {
		text += say.f(": %s", c)
	}
	if e.By != "" {
		text += say.f(" by the hand of %s", e.By)
	}
	text += say.redacted(e.Redacted)
	return text + say.fields(e.Counts) + say.because(e.Code, say.cause(e.Code, e.Reason, e.Cause))
}

func (say Say) plural(n int64, one, many string) string {
	if n == 1 {
		return say.f(one, n)
	}
	return say.f(many, n)
}

func (say Say) because(code, reason string) string {
	switch {
	case reason != "" && code != "":
		return say.f(": %s", reason) + " [" + code + "]"
	case reason != "":
		return say.f(": %s", reason)
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

// day writes the day of what is due, in the time zone in which it is.
func day(t time.Time) string { return t.Format(time.DateOnly) }

// ByteCount says how many bytes something takes, with two figures at least.
func ByteCount(n int64) string {
	units := []string{"B", "KiB", "MiB", "GiB", "TiB"}
	v, i := float64(n), 0
	for v >= 1024 && i < len(units)-1 {
		v, i = v/1024, i+1
	}
	if i == 0 || v >= 100 {
		return fmt.Sprintf("%.0f %s", v, units[i])
	}
	return fmt.Sprintf("%.1f %s", v, units[i])
}

// rejected says that a message wasn't believed.
func (say Say) rejected(e core.MessageRejected) string {
	text := say.f("%s: a report of attempt %d was not believed", say(string(e.Action)), e.Attempt)
	if e.Message == core.MessageTask {
		text = say.f("%s: what came as its attempt %d was not believed, and nothing was done", say(string(e.Action)), e.Attempt)
	}
	text += say.because(e.Code, say(Cause(e.Code)))
	if e.Last {
		text += say("; of further ones nothing is noted here")
	}
	return text
}

// takenUp says what a restored journal took up again of a request.
func (say Say) takenUp(e core.TakenUp) string {
	var text string
	switch e.From {
	case core.TakenFromEvents:
		text = say.f("the journal was restored from a backup: %s had its later facts taken in again (%d)", e.By, e.Facts)
	case core.TakenFromRequests:
		text = say.f("the journal was restored from a backup: %s had the request taken in again, as it was submitted", e.By)
	case core.TakenFromHeads:
		text = say.f("the journal was restored from a backup: facts of it that nobody has any more: %d; a hold, an answer or what was erased may be among them", e.Lost)
	default:
		text = say.f("the journal was restored from a backup: %s noted what had gone out", e.By)
	}
	if len(e.Letters) > 0 {
		text += say.f("; letters that had been written, and may have been mailed: %d", len(e.Letters))
	}
	switch {
	case e.Answer != nil:
		text += say.f("; it had been answered: %s", e.Answer.Name)
	case e.Refused:
		text += say("; it had been refused")
	}
	return text + say.because("", e.Reason)
}
