package timeline

import (
	"cmp"
	"strings"

	"habeas.dev/pkg/dsar"
	"habeas.dev/services/internal/core"
	"habeas.dev/services/internal/words"
)

// Cause says in a sentence what a code of Habeas's own means for whoever reads a
// trace, and what they do about it; empty for the code of somebody else's worker,
// whose own words are all there is to say.
func Cause(code string) string { return words.English().Causes[code] }

// SaysMore reports whether what was said of a case holds more than the sentence of
// its code.
func SaysMore(code, reason string) bool {
	return reason != "" && straight.Replace(reason) != straight.Replace(Cause(code))
}

// straight writes every apostrophe as a typewriter does.
var straight = strings.NewReplacer("’", "'")

// cause returns why something stands as it does: in another language by the
// sentence of its code, beside which stands what was said of the case where that
// says more.
//
// Of what a worker said, only names are in the open: they stand behind the sentence.
func (say Say) cause(code, reason string, c *dsar.Cause) string {
	told := say(Cause(code))
	if names := c.Said(); reason == "" && names != "" {
		if told == "" {
			return names
		}
		return told + " (" + names + ")"
	}
	switch {
	case reason == "":
		return told
	case told == Cause(code): // in English, what was said says it best
		return reason
	case SaysMore(code, reason):
		return told + " (" + reason + ")"
	default:
		return told
	}
}

// Doubt says why nobody knows whether another request is of the same person.
func (say Say) Doubt(d core.Doubt) string {
	//exhaustive:enforce
	switch d {
	case core.DoubtAccounts:
		return say("both know an account, and not the same: two people, or one who registered anew")
	case core.DoubtRivals:
		return say("another request has as much in common with this one, and knows another account than that one")
	case core.DoubtNoKeys:
		return say("it has an identifier in common with this one, and its keys are lost: nobody can open what it goes by")
	case core.DoubtNumber:
		return say("all that they have in common is a number that an erasure has taken since: it may have been given to somebody else")
	case core.DoubtShared:
	}
	return say("all that they have in common is what several people may have, such as a telephone")
}

// attention returns which system a person is wanted for, and why.
func (say Say) attention(e core.AttentionNeeded, s core.State, titled Titles) string {
	why := e.Reason
	if core.Judges(e.Code) {
		why = say(Cause(e.Code))
		for _, d := range s.InDoubt() {
			why += say("; ") + say.f("request %s: %s", d.RequestID, say.Doubt(d.Why))
		}
		return why
	}
	if e.Code != "" {
		return say(Cause(e.Code))
	}
	for _, t := range s.Tasks {
		if t.Status == core.TaskIsFailed && t.End.IsAttention(t.System, e) {
			why = say.f("%s: %s", titled(t.System, ""), cmp.Or(say.cause(t.End.Code, t.End.Reason, t.End.Cause), t.End.Code))
			break
		}
	}
	return why
}
