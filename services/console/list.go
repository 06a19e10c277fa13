package console

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"

	"habeas.dev/services/internal/core"
	"habeas.dev/services/internal/journal"
	"habeas.dev/services/internal/words"
)

// rowsOnPage is how many requests a page of the list has.
const rowsOnPage = 50

// maxFound bounds what a search by a person shows: no person has more requests.
const maxFound = 200

// view is one of the list's tabs.
type view struct {
	Name, Label string
	statuses    []core.Status
	dueFirst    bool
	mine        bool // of whoever looks; not counted
	needing     bool // whatever needs a person
	Count       int
	Href        string
	Current     bool
}

func views() []view {
	return []view{
		{Name: "person", Label: "Needs a person", statuses: core.OpenStatuses(), dueFirst: true, needing: true},
		{Name: "mine", Label: "Mine", statuses: core.OpenStatuses(), dueFirst: true, mine: true},
		{Name: "open", Label: "Open", statuses: core.OpenStatuses(), dueFirst: true},
		{Name: "ended", Label: "Ended", statuses: endedStatuses()},
		{Name: "all", Label: "All", statuses: core.Statuses()},
	}
}

func endedStatuses() []core.Status {
	return slices.DeleteFunc(core.Statuses(), func(s core.Status) bool { return !s.Ended() })
}

func wordsOf[T ~string](list []T) []string {
	var out []string
	for _, w := range list {
		out = append(out, string(w))
	}
	return out
}

// Counted reports whether the tab shows a number.
func (v view) Counted() bool { return !v.mine }

// listBody is what the list's template is given.
type listBody struct {
	Views    []view
	Causes   []cause // the inbox
	Cause    *cause  // the one that is shown; nil: all
	Rows     []row
	Statuses []choice
	Rights   []choice
	Laws     []choice
	Systems  []choice
	Due      []choice
	Filtered bool
	View     string
	Next     string
	First    string // the first page, where this isn't it
	// Total is how many requests the list has, over all its pages, and More that there are
	// still more.
	Total  int
	More   bool
	Sorts  []sorting
	Export string // the list as a table to take along
	Found  bool   // it is what a search found
}

// sorting is one order of the list.
type sorting struct {
	Name, Href string
	Current    bool
}

// The orders of the list, as its addresses have them.
const (
	byDue      = "due"
	byReceived = "received"
)

// maxCounted bounds how far a filtered list is counted: more than anybody goes through, and
// few enough rows for every page to count them.
const maxCounted = journal.MaxList

// row is a request of the list.
type row struct {
	journal.Row
	Needs []string // why it needs a person, in sentences
	Waits []string // the titles of the systems that it waits for
}

// Ended reports whether the request has ended.
func (r row) Ended() bool { return r.Status.Ended() }

// Selectable reports whether the request can be selected, to do something to many
// at once.
func (r row) Selectable() bool { return !r.Ended() }

// choice is an option of a filter.
type choice struct {
	Value, Label string
	Selected     bool
}

func (c *Console) list(w http.ResponseWriter, r *http.Request, u User) {
	q := r.URL.Query()
	b, filter, err := c.filter(q, u)
	if err != nil {
		c.fail(w, r, u, http.StatusBadRequest, "This list doesn’t exist: its address was changed by hand, or is of an older version.")
		return
	}
	counts := c.counts.get(r.Context())
	lang := languageOf(r)
	for i := range b.Views {
		if b.Views[i].needing {
			b.Views[i].Count = c.needed.get(r.Context())[""].Requests
			continue
		}
		for _, s := range b.Views[i].statuses {
			b.Views[i].Count += counts[s]
		}
	}
	if b.View == "person" {
		b.Causes = c.causes(r.Context(), lang, q)
		for i := range b.Causes {
			if b.Causes[i].Current {
				b.Cause = &b.Causes[i]
			}
		}
	}
	for i := range b.Statuses[1:] {
		b.Statuses[i+1].Label = lang.Word(b.Statuses[i+1].Value) + " · " + strconv.Itoa(counts[core.Status(b.Statuses[i+1].Value)])
	}
	b.Laws = inWords(lang, b.Laws)
	rows, err := c.rows(r.Context(), filter)
	if err == nil {
		err = c.total(r.Context(), &b, filter, len(rows))
	}
	if err != nil {
		c.broken(w, r, u, err)
		return
	}
	if len(rows) > rowsOnPage {
		rows = rows[:rowsOnPage]
		b.Next = "/?" + with(q, "after", cursorText(rows[rowsOnPage-1].Cursor())).Encode()
	}
	if q.Has("after") {
		b.First = "/?" + with(q, "after", "").Encode()
	}
	for _, one := range rows {
		b.Rows = append(b.Rows, c.row(lang, one))
	}
	b.Export = "/requests.csv?" + with(with(with(with(q, "after", ""), "did", ""), "done", ""), "of", "").Encode()
	c.render(w, r, http.StatusOK, "list.html", page{User: u, Title: "Requests", Tab: b.tab(lang), Here: "requests", Notice: didMany(lang, q), Body: b})
}

// tab returns the title by which a browser's tab of the list is known.
func (b listBody) tab(lang *words.Language) string {
	for _, v := range b.Views {
		if v.Current && v.Counted() {
			return lang.Say(v.Label) + " (" + strconv.Itoa(v.Count) + ")"
		}
		if v.Current {
			return lang.Say(v.Label)
		}
	}
	return lang.Say("Requests")
}

// total says how many requests the list has over all its pages: of a tab as a whole that is
// counted already, of a filtered one up to maxCounted.
func (c *Console) total(ctx context.Context, b *listBody, f journal.Filter, rows int) error {
	for _, v := range b.Views {
		if v.Current && v.Counted() && !b.Filtered {
			b.Total = v.Count
			return nil
		}
	}
	if b.Total = rows; rows <= rowsOnPage && f.After.IsZero() {
		return nil
	}
	f.After, f.Limit = journal.Cursor{}, maxCounted
	all, err := c.rows(ctx, f)
	b.Total, b.More = len(all), len(all) == maxCounted
	return err
}

// row returns a request of the list, with why it needs a person.
func (c *Console) row(lang *words.Language, r journal.Row) row {
	if !r.DueAt.IsZero() {
		r.DueAt = c.Policy.Local(r.Jurisdiction, r.DueAt)
	}
	out := row{Row: r}
	for _, system := range r.Waiting {
		out.Waits = append(out.Waits, c.titleOf(lang, system))
	}
	for _, name := range r.Needs {
		n, _ := core.ParseNeed(name)
		system, told := c.told(lang, n)
		if system != "" {
			told = system + lang.Say(": ") + told
		}
		out.Needs = append(out.Needs, told)
	}
	return out
}

// rows reads a list. A request that has ended waits for nobody.
func (c *Console) rows(ctx context.Context, f journal.Filter) ([]journal.Row, error) {
	if f.Waiting != "" {
		statuses := f.Statuses
		if statuses == nil {
			statuses = core.OpenStatuses()
		}
		if f.Statuses = c.waits.get(ctx).where(statuses, f.Waiting); f.Statuses == nil {
			return nil, nil
		}
	}
	return c.Journal.List(ctx, f)
}

// filter reads what a list's address asks for. Every value must be one that
// there is.
func (c *Console) filter(q url.Values, u User) (listBody, journal.Filter, error) {
	b := listBody{Views: views(), View: q.Get("view")}
	f := journal.Filter{Limit: rowsOnPage + 1}
	if b.View == "" {
		b.View = "person"
	}
	for i := range b.Views {
		v := &b.Views[i]
		v.Href = "/?" + with(with(with(q, "view", v.Name), "status", ""), "after", "").Encode()
		if v.Current = v.Name == b.View; v.Current {
			f.Statuses, f.DueFirst, f.Needing = v.statuses, v.dueFirst, v.needing
			if v.mine {
				f.Assignee = u.Name
			}
			b.Statuses = choices(wordsOf(v.statuses), q.Get("status"))
		}
	}
	if f.Statuses == nil {
		return b, f, errors.New("no such view")
	}
	if b.View == "all" || f.Needing {
		f.Statuses = nil
	}
	if need := q.Get("need"); need != "" {
		if _, ok := core.ParseNeed(need); !ok && need != journal.NeedUnknown {
			return b, f, errors.New("no such cause")
		}
		f.Need, b.Filtered = need, true
	}
	var systems []string
	for _, m := range c.Manifests {
		systems = append(systems, m.System)
	}
	b.Rights, b.Laws, b.Systems = choices(wordsOf(c.Policy.Rights()), q.Get("right")), choices(c.Policy.IDs(), q.Get("law")), choices(systems, q.Get("system"))
	for _, one := range []struct {
		name string
		from []choice
		to   *string
	}{{"right", b.Rights, (*string)(&f.Right)}, {"law", b.Laws, &f.Jurisdiction}, {"system", b.Systems, &f.Waiting}} {
		v := q.Get(one.name)
		if v == "" {
			continue
		}
		if !slices.ContainsFunc(one.from, func(c choice) bool { return c.Value == v }) {
			return b, f, errors.New("no such " + one.name)
		}
		*one.to, b.Filtered = v, true
	}
	if s := q.Get("status"); s != "" {
		if !slices.ContainsFunc(b.Statuses, func(c choice) bool { return c.Value == s }) {
			return b, f, errors.New("no such status")
		}
		f.Statuses, b.Filtered = []core.Status{core.Status(s)}, true
	}
	b.Due = choices([]string{"0", "2", "7", "30"}, q.Get("due"))
	if due := q.Get("due"); due != "" {
		if !slices.ContainsFunc(b.Due, func(c choice) bool { return c.Value == due }) {
			return b, f, errors.New("no such due date")
		}
		days, _ := strconv.Atoi(due) // it is one of those above
		f.DueBefore, b.Filtered = c.now().AddDate(0, 0, days), true
	}
	if sort := q.Get("sort"); sort != "" {
		if sort != byDue && sort != byReceived {
			return b, f, errors.New("no such order")
		}
		f.DueFirst = sort == byDue
	}
	for _, one := range []sorting{{Name: byDue, Current: f.DueFirst}, {Name: byReceived, Current: !f.DueFirst}} {
		one.Href = "/?" + with(with(q, "sort", one.Name), "after", "").Encode()
		b.Sorts = append(b.Sorts, one)
	}
	var err error
	if after := q.Get("after"); after != "" {
		f.After, err = parseCursor(after)
	}
	return b, f, err
}

// choices returns the options of a filter; the first selects everything.
func choices(values []string, selected string) []choice {
	out := []choice{{}}
	for _, v := range values {
		out = append(out, choice{Value: v, Label: v, Selected: v == selected})
	}
	return out
}

// inWords returns choices of laws by their titles, and in their order; the first is whatever
// there is.
func inWords(lang *words.Language, laws []choice) []choice {
	for i := range laws {
		laws[i].Label = lang.Word(laws[i].Value)
	}
	slices.SortFunc(laws[1:], func(a, b choice) int { return strings.Compare(a.Label, b.Label) })
	return laws
}

// with returns a query with one value changed; an empty one removes it.
func with(q url.Values, name, value string) url.Values {
	out := url.Values{}
	for k, v := range q {
		out[k] = v
	}
	if out.Del(name); value != "" {
		out.Set(name, value)
	}
	return out
}

// cursorText returns a list's cursor as text for an address: two times and an id.
func cursorText(c journal.Cursor) string {
	due := ""
	if !c.DueAt.IsZero() {
		due = strconv.FormatInt(c.DueAt.UnixMicro(), 10)
	}
	return strconv.FormatInt(c.ReceivedAt.UnixMicro(), 10) + "." + due + "." + c.RequestID
}

func parseCursor(text string) (journal.Cursor, error) {
	var c journal.Cursor
	parts := strings.SplitN(text, ".", 3)
	if len(parts) < 3 {
		return c, errors.New("no cursor")
	}
	received, err := micros(parts[0])
	if err != nil {
		return c, err
	}
	c.ReceivedAt = received
	if parts[1] != "" {
		if c.DueAt, err = micros(parts[1]); err != nil {
			return c, err
		}
	}
	if err := uuid.Validate(parts[2]); err != nil {
		return c, err
	}
	c.RequestID = parts[2]
	return c, nil
}

// micros returns the time of a number of microseconds, up to the year 9999.
func micros(text string) (time.Time, error) {
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil || n < 0 || n > 253402300799_000000 { // the end of the year 9999
		return time.Time{}, errors.New("no time")
	}
	return time.UnixMicro(n).UTC(), nil
}
