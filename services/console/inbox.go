package console

import (
	"cmp"
	"context"
	"net/http"
	"net/url"
	"slices"
	"strconv"

	"habeas.dev/pkg/dsar"
	"habeas.dev/services/internal/core"
	"habeas.dev/services/internal/journal"
	"habeas.dev/services/internal/timeline"
	"habeas.dev/services/internal/words"
)

// cause is one thing that requests need a person for: an entry of the inbox.
type cause struct {
	journal.Needed
	Need core.Need
	// Name is what addresses and forms call it.
	Name string
	// System is the title of the system that it is about, and Told the sentence that says it.
	System, Told string
	Href         string
	Current      bool
	// Retries tells that all of them can be taken up again together.
	Retries bool
}

// maxTogether is how many requests one act on a cause takes up: what is beyond is left to
// the next.
const maxTogether = 1000

// told says a need in a sentence.
func (c *Console) told(lang *words.Language, n core.Need) (system, text string) {
	if n.System != "" {
		system = c.titleOf(lang, n.System)
	}
	//exhaustive:enforce
	switch n.Kind {
	case core.NeedOverdue:
		return system, lang.Say("Late, though nothing has failed")
	case core.NeedStuck:
		return system, lang.Say("Nothing can go on, though no task has failed")
	case core.NeedUntold:
		return system, lang.Say("It was answered before the journal was restored: look at the answer, and note that you did")
	case core.NeedShort:
		return system, lang.Say("A restored journal lacks facts of it: look whether a hold or an answer is among them, and note what you found")
	case core.NeedTask, core.NeedHand:
		return system, cmp.Or(lang.Say(timeline.Cause(n.Code)), n.Code)
	case core.NeedPlan:
		return system, lang.Say("more is to be erased than expected: look at the plan")
	case core.NeedErased:
		return system, lang.Say("more was erased than planned: look at what the worker did")
	case core.NeedJudge:
		return system, lang.Say("A proof has come in, and is to be judged")
	case core.NeedSecond:
		return system, lang.Say("A second person is to agree to what somebody wants done")
	case core.NeedTheirs:
		return system, lang.Say(timeline.Cause(core.CodePerhapsTheirs))
	case core.NeedKeys:
		return system, lang.Say(timeline.Cause(core.CodeEarlierNoKeys))
	case core.NeedApproval:
		return system, lang.Say(timeline.Cause(core.CodeCorrectionReview))
	case core.NeedTell:
		return system, lang.Say("Nobody has told the person what became of their request, as far as is known")
	case core.NeedDecision:
		return system, lang.Say("A person is to decide")
	case core.NeedReply:
		return system, lang.Say("A person has answered our question")
	case core.NeedProof:
		return system, lang.Say("A person’s proof is awaited")
	case core.NeedAnswer:
		return system, lang.Say("A person’s answer to our question is awaited")
	default: // from before the update, until the coordinator has looked
		return system, lang.Say("To be looked at after an update")
	}
}

// titleOf returns a system's title in a language; its name where it isn't known here.
func (c *Console) titleOf(lang *words.Language, system string) string {
	for _, m := range c.Manifests {
		if m.System == system {
			return lang.Text(m.Title)
		}
	}
	if system == dsar.Aggregator {
		return lang.Say("Answer")
	}
	return system
}

// causes returns the inbox, the worst first: what is late, then by kind, then by how many.
func (c *Console) causes(ctx context.Context, lang *words.Language, q url.Values) []cause {
	var out []cause
	for name, n := range c.needed.get(ctx) {
		if name == "" {
			continue
		}
		need, _ := core.ParseNeed(name)
		one := cause{Needed: n, Need: need, Name: name, Href: "/?" + with(with(with(q, "view", "person"), "after", ""), "need", name).Encode(), Current: q.Get("need") == name}
		one.System, one.Told = c.told(lang, need)
		one.Retries = need.Kind == core.NeedTask
		out = append(out, one)
	}
	slices.SortFunc(out, func(a, b cause) int {
		return cmp.Or(-cmp.Compare(min(a.Overdue, 1), min(b.Overdue, 1)), cmp.Compare(a.Need.Rank(), b.Need.Rank()), -cmp.Compare(a.Requests, b.Requests), cmp.Compare(a.Name, b.Name))
	})
	return out
}

// retryCause takes up again what failed for one cause in all requests, the most urgent
// first.
func (c *Console) retryCause(w http.ResponseWriter, r *http.Request, u User) {
	form, err := readForm(w, r, maxForm)
	need, known := core.ParseNeed(form.Get("need"))
	if err == nil && (!known || need.Kind != core.NeedTask) {
		err = errChoice
	}
	var rows []journal.Row
	if err == nil {
		rows, err = c.Journal.List(r.Context(), journal.Filter{Need: need.String(), DueFirst: true, Limit: maxTogether})
	}
	done := 0
	for i := 0; err == nil && i < len(rows); i++ {
		var did bool
		if did, err = c.retrySystem(r.Context(), u, rows[i].RequestID, need.System, form); did {
			done++
		}
	}
	if err != nil {
		text, status := explain(err)
		if status == http.StatusServiceUnavailable {
			c.trouble(r.Context(), err)
		}
		c.fail(w, r, u, status, text)
		return
	}
	c.needed.expire()
	q := url.Values{"did": {"retry"}, "done": {strconv.Itoa(done)}, "of": {strconv.Itoa(len(rows))}}
	http.Redirect(w, r, "/?"+q.Encode(), http.StatusSeeOther)
}

// retrySystem retries what failed of one system in a request, where the core allows it.
func (c *Console) retrySystem(ctx context.Context, u User, id, system string, f values) (bool, error) {
	may, err := c.mayRetry(ctx, u, id)
	if err != nil || !slices.Contains(may, system) {
		return false, err
	}
	_, err = c.do(ctx, id, core.Retry{By: u.By(), Reason: f.Get("reason"), Systems: []string{system}, Now: c.now()})
	if err == nil {
		return true, nil
	}
	// What failed may have been taken up again since the core was asked.
	if may, unknown := c.mayRetry(ctx, u, id); unknown == nil && !slices.Contains(may, system) {
		return false, nil
	}
	return false, err
}
