package console

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"habeas.dev/pkg/dsar"
	"habeas.dev/services/internal/core"
	"habeas.dev/services/internal/journal"
	"habeas.dev/services/internal/words"
)

// together is an act that can be done to many requests at once. It says of each
// whether it was done.
type together func(ctx context.Context, c *Console, u User, id string, f values) (did bool, err error)

// many does something about the requests that were selected. What was done stays
// done where another one can't be.
func (c *Console) many(w http.ResponseWriter, r *http.Request, u User, name string, each together) {
	form, err := readForm(w, r, maxForm)
	ids := form.Values["id"]
	if err == nil && (len(ids) == 0 || len(ids) > rowsOnPage) {
		err = errChoice
	}
	for _, id := range ids {
		if _, ok := dsar.ReadRequestID(id); !ok {
			err = errChoice
		}
	}
	done := 0
	for i := 0; err == nil && i < len(ids); i++ {
		var did bool
		if did, err = each(r.Context(), c, u, strings.ToLower(ids[i]), form); did {
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
	back, err := url.Parse(ownPage(form.Get("page")))
	if err != nil || back.Path != "/" {
		back = &url.URL{Path: "/"}
	}
	q := with(with(back.Query(), "did", name), "done", strconv.Itoa(done))
	back.RawQuery = with(q, "of", strconv.Itoa(len(ids))).Encode()
	http.Redirect(w, r, back.String(), http.StatusSeeOther)
}

// didMany says what was done about many, from the address of the list that follows.
func didMany(lang *words.Language, q url.Values) string {
	texts, ok := map[string][2]string{
		"retry":  {"%d taken up again.", "%d of %d taken up again; the others had nothing to retry."},
		"assign": {"%d assigned.", "%d of %d assigned; the others were changed by somebody else in between."},
	}[q.Get("did")]
	if !ok {
		return ""
	}
	done, _ := strconv.Atoi(q.Get("done"))
	of, _ := strconv.Atoi(q.Get("of"))
	if done == of {
		return fmt.Sprintf(lang.Say(texts[0]), done)
	}
	return fmt.Sprintf(lang.Say(texts[1]), done, of)
}

// retryOne retries what failed in one of many requests, where the core allows it.
func retryOne(ctx context.Context, c *Console, u User, id string, f values) (bool, error) {
	may, err := c.mayRetry(ctx, u, id)
	if err != nil || len(may) == 0 {
		return false, err
	}
	_, err = c.do(ctx, id, core.Retry{By: u.By(), Reason: f.Get("reason"), Now: c.now()})
	if err == nil {
		return true, nil
	}
	// What failed may have been taken up again since the core was asked.
	if may, unknown := c.mayRetry(ctx, u, id); unknown == nil && len(may) == 0 {
		return false, nil
	}
	return false, err
}

// mayRetry returns the systems of which the core lets somebody retry what failed in a
// request.
func (c *Console) mayRetry(ctx context.Context, u User, id string) ([]string, error) {
	s, err := c.state(ctx, id)
	if errors.Is(err, core.ErrUnknown) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	choice, _ := s.Allowed(u.Role, c.Policy, c.now()).Find(core.VerbRetry)
	return choice.Systems, nil
}

// assignOne assigns one of many requests, unless somebody else has been assigned
// since the list was read.
func assignOne(ctx context.Context, c *Console, u User, id string, f values) (bool, error) {
	s, err := c.state(ctx, id)
	if errors.Is(err, core.ErrUnknown) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	if s.Assignee != f.Get("was:"+id) {
		return false, nil
	}
	command, err := assign(c, u, f, c.now())
	if err != nil {
		return false, err
	}
	if err := c.agentsName(ctx, s, strings.TrimSpace(f.Get("to"))); err != nil {
		return false, err
	}
	_, err = c.do(ctx, id, core.IfUnchanged{Acts: s.Acts, Command: command})
	if errors.Is(err, core.ErrChanged) {
		return false, nil
	}
	return err == nil, err
}

// assignees returns who has open requests in hand, of the most urgent ones, by name.
func (c *Console) assignees(ctx context.Context) ([]string, error) {
	rows, err := c.Journal.List(ctx, journal.Filter{Statuses: core.OpenStatuses(), DueFirst: true, Limit: journal.MaxList})
	var names []string
	for _, r := range rows {
		if r.Assignee != "" && !slices.Contains(names, r.Assignee) {
			names = append(names, r.Assignee)
		}
	}
	slices.Sort(names)
	return names, err
}
