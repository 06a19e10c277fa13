package console

import (
	"slices"
	"strconv"
	"strings"

	"habeas.dev/pkg/dsar"
	"habeas.dev/services/internal/core"
	"habeas.dev/services/internal/timeline"
	"habeas.dev/services/internal/words"
)

// act is one form of a request's page: something that may be done now, to one thing.
type act struct {
	Verb core.Verb
	// Label is what its button says, in English, and Hint what to know before.
	Label, Hint string
	// Of is what it is about, where there are several of one verb.
	Of string
	// Person is what is asked for beside the reason, to be read by the person; it may be
	// left out unless Must.
	Person string
	Must   bool
	// Fixed are values that the form sends as they are, and Systems those to tick.
	Fixed   []field
	Systems []string
	Choice  core.Choice
	// Task is what a person has done by hand, with [core.VerbAttest].
	Task *manual
	// Second is what another person wants done, with [core.VerbSecond].
	Second *core.Second
	// Wanted says what that is, in the reader's language.
	Wanted string
	// Why is the reason that the form comes with: for acts that need none but that
	// somebody wants them.
	Why string
}

// field is one value of a form.
type field struct{ Name, Value string }

// Path returns the end of the address that the form is sent to.
func (a act) Path() string {
	if a.Verb == core.VerbAttest {
		return "answer"
	}
	return string(a.Verb)
}

// Is reports whether the act goes by a verb, by its name.
func (a act) Is(verb string) bool { return string(a.Verb) == verb }

// Typed reports whether a form that was refused was this one.
func (a act) Typed(typed map[string]string) bool {
	return typed["form"] == a.Path() && (a.Task == nil || typed["system"] == a.Task.System)
}

// Writes reports whether the act has the person written a letter.
func (a act) Writes() bool { return written()[a.Verb] != nil }

// Reason returns what stands in the form as its reason: what was typed into it, where it
// was refused.
func (a act) Reason(typed map[string]string) string {
	if a.Typed(typed) {
		return typed["reason"]
	}
	return a.Why
}

// Ends reports whether the act ends a request, or takes something away from the person.
func (a act) Ends() bool { return slices.Contains(ending, a.Verb) }

// ending are the verbs that are offered apart from the others, so that nobody takes one
// for another.
var ending = []core.Verb{core.VerbRevokeAnswer, core.VerbRefuse, core.VerbRefusePart, core.VerbRefuseField, core.VerbMerge, core.VerbCancel}

// labels has what a verb's button says; what has a form elsewhere on the page has none.
var labels = map[core.Verb]act{
	core.VerbSecond:           {Label: "Judge what a colleague wants done"},
	core.VerbDecide:           {Label: "Decide", Hint: "Who asked is told the reason. A refused request that it is about is taken up again where you uphold it."},
	core.VerbAttest:           {Label: "Note it"},
	core.VerbRetry:            {Label: "Retry what failed"},
	core.VerbAcceptPlan:       {Label: "Accept the plan, and erase"},
	core.VerbJudgeProof:       {Label: "Judge the proof"},
	core.VerbJudgeEarlier:     {Label: "Say whether the other request is of the same person"},
	core.VerbClarify:          {Label: "The person has answered: go on"},
	core.VerbTryNow:           {Label: "Try now what is parked"},
	core.VerbGatherAgain:      {Label: "Gather again what is lost"},
	core.VerbDeliver:          {Label: "Deliver again", Hint: "The person is written once more what became of their request."},
	core.VerbNewPassphrase:    {Label: "Make a new passphrase for the answer", Hint: "It is shown once. Give it to the person by another way than mail; the old one opens nothing any more."},
	core.VerbRevokeAnswer:     {Label: "Revoke what opens the answer", Hint: "The answer is then served to nobody, until you make a new passphrase."},
	core.VerbProveAgain:       {Label: "Ask again what was erased", Hint: "By the keys of the plan: what the person has given anew isn’t looked for."},
	core.VerbSettleNotice:     {Label: "Note what was done about the notice"},
	core.VerbAskProof:         {Label: "Ask for proof of identity"},
	core.VerbAskClarification: {Label: "Ask what is meant", Person: "The question, as the person reads it"},
	core.VerbExtend:           {Label: "Extend the due date", Person: "The reason, as the person reads it", Must: true},
	core.VerbHold:             {Label: "Put a legal hold on"},
	core.VerbLift:             {Label: "Lift the legal hold"},
	core.VerbRefuse:           {Label: "Refuse"},
	core.VerbRefusePart:       {Label: "Refuse a part of the copy", Hint: "One dataset. The answer names it and the ground; the rest is given."},
	core.VerbApprove:          {Label: "Have the correction made", Hint: "Look at what it changes first. Onto an address or a number of somebody else nothing is corrected."},
	core.VerbRefuseField:      {Label: "Refuse to correct a field", Hint: "One field of one system. The answer names it, the ground, and where to complain; the rest is corrected."},
	core.VerbGivePart:         {Label: "Give the part after all"},
	core.VerbAssign:           {Label: "Assign"},
	core.VerbNote:             {Label: "Note something", Hint: "For colleagues: the person never reads it. To hand the request over, assign it and say why."},
	core.VerbMerge:            {Label: "Merge into another request"},
	core.VerbCancel:           {Label: "Cancel the request", Hint: "What systems have done stays done."},
}

// about reports whether a form is about a system: what a person has done in it, or what it
// has to be accepted of.
func (a act) about(system string) bool {
	if a.Task != nil {
		return a.Task.System == system
	}
	return len(a.Systems) == 0 || slices.Contains(a.Systems, system)
}

// ticked are the verbs whose systems are ticked in the form.
var ticked = []core.Verb{core.VerbRetry, core.VerbAcceptPlan, core.VerbApprove, core.VerbTryNow, core.VerbGatherAgain, core.VerbProveAgain}

// forms returns what may be done, a form each, in the core's order.
func (a actions) forms(lang *words.Language, titled timeline.Titles) (out []act) {
	for _, c := range a.Choices {
		one, ok := labels[c.Verb]
		if !ok {
			continue
		}
		one.Verb, one.Choice = c.Verb, c
		if slices.Contains(ticked, c.Verb) {
			one.Systems = c.Systems
		}
		each := func(of string, fixed ...field) {
			this := one
			this.Of, this.Fixed = of, fixed
			out = append(out, this)
		}
		switch c.Verb {
		case core.VerbAttest:
			for i := range a.Manual {
				this := one
				this.Task = &a.Manual[i]
				out = append(out, this)
			}
		case core.VerbAcceptPlan:
			planned, erased := one, act{Verb: c.Verb, Label: "Accept it as it was done", Choice: c}
			planned.Systems = slices.DeleteFunc(slices.Clone(c.Systems), a.isErased)
			erased.Systems = slices.DeleteFunc(slices.Clone(c.Systems), func(system string) bool { return !a.isErased(system) })
			for _, this := range []act{planned, erased} {
				if len(this.Systems) > 0 {
					out = append(out, this)
				}
			}
		case core.VerbSettleNotice:
			for _, n := range c.Notices {
				each(n.Recipient, field{"recipient", n.Recipient})
			}
		case core.VerbSecond:
			for i := range c.Seconds {
				this := one
				this.Wanted = timeline.Say(lang.Word).Wanted(titled.Matter(c.Seconds[i].Matter))
				this.Second, this.Fixed = &c.Seconds[i], []field{{"asked", strconv.Itoa(c.Seconds[i].Asked)}}
				out = append(out, this)
			}
		case core.VerbJudgeEarlier:
			for _, o := range c.Doubts {
				each(o.RequestID, field{"request", o.RequestID})
			}
		case core.VerbLift:
			for _, h := range c.Holds {
				each(reach(lang, h), field{"system", h.System}, field{"dataset", h.Dataset})
			}
		case core.VerbGivePart:
			for _, p := range c.Parts {
				each(p.System+" · "+p.Dataset, field{"system", p.System}, field{"dataset", p.Dataset})
			}
		default:
			out = append(out, one)
		}
	}
	return out
}

// reach says what a hold is on.
func reach(lang *words.Language, h core.Held) string {
	switch {
	case h.System == "":
		return lang.Say("everything")
	case h.Dataset == "":
		return h.System
	default:
		return h.System + "/" + h.Dataset
	}
}

// next is what a request wants done now: one sentence, and the form that does it.
type next struct {
	Tone string
	Text string // in the reader's language
	Act  *act   // nil: nobody is to do anything, or not whoever looks
	// Sent says that what the person has sent belongs beside it.
	Sent bool
}

// nextOf returns the next step of a request, by the worst of what it needs.
func (c *Console) nextOf(lang *words.Language, s core.State, forms []act) next {
	find := func(verb core.Verb, system string) *act {
		for i := range forms {
			if f := forms[i]; f.Verb == verb && (system == "" || f.about(system)) {
				return &forms[i]
			}
		}
		return nil
	}
	needs := s.Needs()
	if len(needs) == 0 {
		return c.nextOfNobody(lang, s, find)
	}
	l, need := locale{lang: lang}, needs[0]
	title := c.titleOf(lang, need.System)
	//exhaustive:enforce
	switch need.Kind {
	case core.NeedTask, core.NeedStuck:
		if approve := find(core.VerbApprove, need.System); approve != nil && need.System != "" && slices.Contains(approve.Systems, need.System) {
			return next{Tone: "bad", Text: c.failedText(l, s, []string{need.System}), Act: approve}
		}
		retry := find(core.VerbRetry, "")
		if retry == nil {
			if need.System == "" {
				return next{Tone: "bad", Text: lang.Say("Nothing can go on, though no task has failed")}
			}
			return next{Tone: "bad", Text: c.failedText(l, s, []string{need.System})}
		}
		retry.Why = lang.Say("tried again")
		return next{Tone: "bad", Text: c.failedText(l, s, retry.Choice.Systems), Act: retry}
	case core.NeedHand:
		return next{Tone: "bad", Text: handText(l, s, need, title), Act: find(core.VerbAttest, need.System)}
	case core.NeedPlan:
		if accept := find(core.VerbAcceptPlan, need.System); accept != nil {
			return next{Tone: "bad", Text: l.f("More is to be erased in %s than expected: look at the plan, then accept it or refuse", title), Act: accept}
		}
		return next{Tone: "bad", Text: l.f("More is to be erased in %s than expected: a privacy officer decides", title)}
	case core.NeedErased:
		if accept := find(core.VerbAcceptPlan, need.System); accept != nil {
			return next{Tone: "bad", Text: l.f("More was erased in %s than planned: look at what the worker did, then accept it as it was done", title), Act: accept}
		}
		return next{Tone: "bad", Text: l.f("More was erased in %s than planned: a privacy officer decides", title)}
	case core.NeedUntold:
		return next{Tone: "bad", Text: lang.Say("It was answered before the journal was restored: look at the answer, and note that you did"), Act: find(core.VerbNote, "")}
	case core.NeedShort:
		return next{Tone: "bad", Text: lang.Say("A restored journal lacks facts of it: look whether a hold or an answer is among them, and note what you found"), Act: find(core.VerbNote, "")}
	case core.NeedJudge:
		return next{Tone: "bad", Text: lang.Say("A proof has come in: look at it, and judge it"), Act: find(core.VerbJudgeProof, ""), Sent: true}
	case core.NeedSecond:
		return next{Tone: "bad", Text: lang.Say("Somebody wants something done that a second person must agree to"), Act: find(core.VerbSecond, "")}
	case core.NeedTheirs:
		return next{Tone: "bad", Text: lang.Say("It waits until somebody says whose another request is"), Act: find(core.VerbJudgeEarlier, "")}
	case core.NeedKeys:
		return next{Tone: "bad", Text: lang.Say("Something of an earlier request is left, and its keys are lost: restore them, or look in the systems, then say whose it is"), Act: find(core.VerbJudgeEarlier, "")}
	case core.NeedApproval:
		return next{Tone: "bad", Text: lang.Say("Look at what the correction changes, then have it made, or refuse it"), Act: find(core.VerbApprove, "")}
	case core.NeedTell:
		return next{Tone: "bad", Text: unreached(lang, s), Act: find(core.VerbDeliver, "")}
	case core.NeedDecision:
		if decide := find(core.VerbDecide, ""); decide != nil {
			return next{Tone: "bad", Text: lang.Say("Read what the person writes, and decide"), Act: decide}
		}
		return next{Tone: "warn", Text: lang.Say("A privacy officer decides who hasn’t decided the request itself")}
	case core.NeedReply:
		return next{Tone: "bad", Text: lang.Say("The person has answered our question: read it, and go on"), Act: find(core.VerbClarify, ""), Sent: true}
	case core.NeedProof:
		return next{Tone: "warn", Text: lang.Say("The person’s proof is awaited: nothing to do until it comes")}
	case core.NeedAnswer:
		return next{Tone: "warn", Text: lang.Say("The person’s answer is awaited: nothing to do until it comes")}
	case core.NeedOverdue:
		if now := find(core.VerbTryNow, ""); now != nil {
			now.Why = lang.Say("tried again")
			return next{Tone: "bad", Text: lang.Say("It is late, and waits for what is parked: try it now"), Act: now}
		}
		return next{Tone: "bad", Text: lang.Say("It is late, and systems are still at it")}
	default:
		return next{Tone: "warn", Text: lang.Say("To be looked at after an update")}
	}
}

// nextOfNobody returns the next step of a request that needs no person.
func (c *Console) nextOfNobody(lang *words.Language, s core.State, find func(core.Verb, string) *act) next {
	l, parked := locale{lang: lang}, 0
	for _, t := range s.Tasks {
		if t.Status == core.TaskIsParked {
			parked++
		}
	}
	passphrase := slices.ContainsFunc(s.Sent, func(p core.PersonSent) bool { return p.What == core.SentNoPassphrase })
	notice := find(core.VerbSettleNotice, "")
	switch {
	case passphrase && find(core.VerbNewPassphrase, "") != nil:
		return next{Tone: "bad", Text: lang.Say("The person has no passphrase for the answer. Make sure who they are, then make one."), Act: find(core.VerbNewPassphrase, "")}
	case notice != nil && slices.ContainsFunc(s.Notices, core.Notice.Waits):
		return next{Tone: "warn", Text: lang.Say("A recipient of the data is to be told by a person"), Act: notice}
	case s.Status.Ended():
		return next{Tone: "quiet", Text: lang.Say("Nothing to do: it has ended")}
	case parked > 0:
		now := find(core.VerbTryNow, "")
		if now != nil {
			now.Why = lang.Say("tried again")
		}
		return next{Tone: "warn", Text: l.plural("%d system is parked, and is asked again by itself", "%d systems are parked, and are asked again by themselves", parked), Act: now}
	default:
		return next{Tone: "busy", Text: lang.Say("Nothing to do: it goes on by itself")}
	}
}

// failedText says how many systems have failed, and which where they are few.
func (c *Console) failedText(l locale, s core.State, systems []string) string {
	var titles []string
	for _, name := range systems {
		titles = append(titles, c.titleOf(l.lang, name))
	}
	if len(titles) == 1 {
		return l.f("%s has failed", titles[0])
	}
	text := l.f("%d of %d systems have failed", len(systems), len(s.Accepted.Systems))
	if len(titles) <= 3 {
		text += l.lang.Say(": ") + strings.Join(titles, ", ")
	}
	return text
}

// handText says what is to be done by a person's hand.
func handText(l locale, s core.State, n core.Need, title string) string {
	switch {
	case n.Code == dsar.CodeOthers:
		return l.f("%s has what may tell of other people: look at it, then say what is shown", title)
	case len(s.Doubtful(n.System)) > 0:
		return l.f("%s has found what may be somebody else’s: say which are the person’s", title)
	default:
		return l.f("%s is to be done by hand", title)
	}
}

// unreached says why nobody has told the person, and what is to be done.
func unreached(lang *words.Language, s core.State) string {
	why, _ := s.Unreached()
	//exhaustive:enforce
	switch why {
	case core.UnreachedMail:
		return lang.Say("The letter couldn’t be mailed: tell the person by another way, and note it")
	case core.UnreachedFound:
		return lang.Say("The journal was restored, and it isn’t known whether the letter was mailed: find out, tell the person where it wasn’t, and note it")
	case core.UnreachedCaller:
		return lang.Say("The caller tells its people itself, and couldn’t be told: tell the person by another way, and note it")
	case core.UnreachedLate:
		return lang.Say("Nobody has told the person for three days, as far as is known: see to it that they hear of it, and note it")
	default:
		return ""
	}
}
