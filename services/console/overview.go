package console

import (
	"bytes"
	"cmp"
	"context"
	"maps"
	"net/http"
	"slices"
	"time"

	"habeas.dev/pkg/dsar"
	"habeas.dev/services/internal/article30"
	"habeas.dev/services/internal/core"
	"habeas.dev/services/internal/journal"
	"habeas.dev/services/internal/words"
)

const (
	// overviewDays is how far back the officer's page looks, and maxFolded how many requests
	// it reads of that: the newest ones. It says where it hasn't read all.
	overviewDays = 365
	maxFolded    = 2000
	// overviewFor is how old it may be: it reads the facts of each request.
	overviewFor = 5 * time.Minute
	// overviewTime bounds the reading.
	overviewTime = 2 * time.Minute
)

// overview is what the officer's page says.
type overview struct {
	Read    int  // requests
	All     bool // it read all of the time that it looks back on
	Grants  []grantFigures
	Systems []systemFigures
	Grounds []counter
	Ledger  []ledgerRow
	Beyond  []beyond
}

// grantFigures are those of one right under one law.
type grantFigures struct {
	Law      string
	Right    dsar.Right
	Received int
	Answered int // or refused
	OnTime   int
	Open     int
	Late     int // open ones that are overdue
	// Forecast is how many open ones will be late, if they take as long as half of them did.
	Forecast int
	Median   int // days; of Answered

	days []int
	open []core.State
}

// Share returns how many of a hundred were answered on time.
func (g grantFigures) Share() int { return 100 * g.OnTime / max(1, g.Answered) }

// Tone returns how the share looks: a law's date that is missed is never fine.
func (g grantFigures) Tone() string {
	switch {
	case g.Answered == 0:
		return "quiet"
	case g.OnTime == g.Answered:
		return "good"
	case g.Share() >= 95:
		return "warn"
	default:
		return "bad"
	}
}

// systemFigures say how long a system takes.
type systemFigures struct {
	Name            string
	Tasks           int
	Median, Slowest time.Duration

	took []time.Duration
}

// counter counts something by its name.
type counter struct {
	Name  string
	Count int
}

// ledgerRow says what became of the notices to one recipient of data.
type ledgerRow struct {
	Recipient                        string
	Owed, Sent, Answered, CantBeTold int
	Waits                            int // for a person
}

// beyond is something that Habeas holds longer than it said.
type beyond struct {
	RequestID string
	Duty      core.Duty
}

// readOverview reads the requests of a year.
func (c *Console) readOverview(ctx context.Context) (overview, error) {
	now := c.Now()
	o := overview{All: true}
	grants, systems, grounds, ledger := map[[2]string]*grantFigures{}, map[string]*systemFigures{}, map[string]int{}, map[string]*ledgerRow{}
	f := journal.Filter{Limit: min(maxFolded, journal.MaxList)}
	for {
		rows, err := c.Journal.List(ctx, f)
		if err != nil {
			return o, err
		}
		for _, r := range rows {
			if now.Sub(r.ReceivedAt) > overviewDays*24*time.Hour {
				rows = nil
				break
			}
			if o.Read == maxFolded {
				o.All, rows = false, nil
				break
			}
			read, err := c.readBy(ctx, r.RequestID, closed)
			if err != nil {
				return o, err
			}
			o.Read++
			s := read.state
			key := [2]string{r.Jurisdiction, string(s.Accepted.Right)}
			if grants[key] == nil {
				grants[key] = &grantFigures{Law: r.Jurisdiction, Right: s.Accepted.Right}
			}
			grants[key].add(s)
			timesOf(systems, read.events)
			if s.Refusal.Ground != "" {
				grounds[s.Refusal.Ground]++
			}
			for _, p := range s.Parts {
				grounds[p.Ground]++
			}
			enter(ledger, s.Notices)
			o.Beyond = append(o.Beyond, beyondOf(s, now)...)
		}
		if len(rows) < f.Limit {
			break
		}
		f.After = rows[len(rows)-1].Cursor()
	}
	for _, g := range grants {
		g.forecast(now)
		o.Grants = append(o.Grants, *g)
	}
	slices.SortFunc(o.Grants, func(a, b grantFigures) int { return cmp.Or(cmp.Compare(a.Law, b.Law), cmp.Compare(a.Right, b.Right)) })
	for _, s := range systems {
		slices.Sort(s.took)
		s.Tasks, s.Median, s.Slowest = len(s.took), s.took[len(s.took)/2], s.took[len(s.took)-1]
		o.Systems = append(o.Systems, *s)
	}
	slices.SortFunc(o.Systems, func(a, b systemFigures) int {
		return cmp.Or(cmp.Compare(b.Median, a.Median), cmp.Compare(a.Name, b.Name))
	})
	for name, n := range grounds {
		o.Grounds = append(o.Grounds, counter{name, n})
	}
	slices.SortFunc(o.Grounds, func(a, b counter) int { return cmp.Or(b.Count-a.Count, cmp.Compare(a.Name, b.Name)) })
	for _, name := range slices.Sorted(maps.Keys(ledger)) {
		o.Ledger = append(o.Ledger, *ledger[name])
	}
	return o, nil
}

// add counts a request. One that was merged or withdrawn is answered by nobody.
func (g *grantFigures) add(s core.State) {
	g.Received++
	at := s.AnsweredAt
	if at.IsZero() && s.Status == core.StatusRefused {
		at = s.EndedAt
	}
	switch {
	case !at.IsZero():
		g.Answered++
		if s.DueAt.IsZero() || !at.After(s.DueAt) {
			g.OnTime++
		}
		g.days = append(g.days, int(at.Sub(s.Accepted.ReceivedAt).Hours()/24))
	case !s.Status.Ended():
		g.Open++
		g.open = append(g.open, s)
	}
}

// forecast says which open requests will be late.
func (g *grantFigures) forecast(now time.Time) {
	slices.Sort(g.days)
	if len(g.days) > 0 {
		g.Median = g.days[len(g.days)/2]
	}
	for _, s := range g.open {
		switch expected := s.Accepted.ReceivedAt.AddDate(0, 0, g.Median); {
		case s.DueAt.IsZero():
		case now.After(s.DueAt):
			g.Late++
			g.Forecast++
		case len(g.days) > 0 && expected.After(s.DueAt), s.Status == core.StatusNeedsAttention && s.DueAt.Sub(now) < 24*time.Hour:
			g.Forecast++
		}
	}
}

// timesOf adds how long each of a request's tasks took: from when it was first asked to
// when it ended, waits included.
func timesOf(systems map[string]*systemFigures, events []core.Event) {
	began := map[[2]string]time.Time{}
	for _, e := range events {
		switch e := e.(type) {
		case core.TaskSent:
			if key := [2]string{e.System, string(e.Action)}; began[key].IsZero() {
				began[key] = e.At
			}
		case core.TaskEnded:
			key := [2]string{e.System, string(e.Action)}
			if began[key].IsZero() || e.System == dsar.Aggregator {
				continue
			}
			if systems[e.System] == nil {
				systems[e.System] = &systemFigures{Name: e.System}
			}
			systems[e.System].took = append(systems[e.System].took, e.At.Sub(began[key]))
			delete(began, key)
		}
	}
}

// enter adds a request's notices to the ledger of recipients.
func enter(ledger map[string]*ledgerRow, notices []core.Notice) {
	for _, n := range notices {
		if ledger[n.Recipient] == nil {
			ledger[n.Recipient] = &ledgerRow{Recipient: n.Recipient}
		}
		row := ledger[n.Recipient]
		switch n.Status {
		case core.NoticeIsOwed:
			row.Owed++
		case core.NoticeIsSent:
			row.Sent++
		case core.NoticeIsAnswered:
			row.Answered++
		default:
			row.CantBeTold++
		}
		if n.Waits() {
			row.Waits++
		}
	}
}

// beyondAfter is how long after its end something may still be there: forgetting is done
// by the next tick.
const beyondAfter = time.Hour

// beyondOf returns what of a request should have been forgotten.
func beyondOf(s core.State, now time.Time) (out []beyond) {
	for _, d := range s.Duties(now.Add(-beyondAfter)) {
		if d == core.DutyForgetRecords || d == core.DutyForgetSubject || d == core.DutyForgetCopies {
			out = append(out, beyond{s.Accepted.RequestID, d})
		}
	}
	return out
}

// coverage is which systems have data of which categories.
type coverage struct {
	Systems []string // titles
	Rows    []coverageRow
}

// coverageRow is one category: for each system the datasets that it has of it, by title.
type coverageRow struct {
	Category string
	Cells    [][]string
}

// coverage reads the manifests.
func (c *Console) coverage(lang *words.Language) coverage {
	var out coverage
	rows := map[string]*coverageRow{}
	for i, m := range c.Manifests {
		out.Systems = append(out.Systems, lang.Text(m.Title))
		for j := range m.Datasets {
			d := &m.Datasets[j]
			if rows[d.Category] == nil {
				rows[d.Category] = &coverageRow{Category: cmp.Or(lang.Answer.CategoryName[d.Category], d.Category), Cells: make([][]string, len(c.Manifests))}
			}
			rows[d.Category].Cells[i] = append(rows[d.Category].Cells[i], lang.Text(d.Title))
		}
	}
	for _, name := range slices.Sorted(maps.Keys(rows)) {
		out.Rows = append(out.Rows, *rows[name])
	}
	return out
}

// overviewBody is what the officer's page is given.
type overviewBody struct {
	overview
	Coverage  coverage
	Laws      []choice
	Registers []string // the laws under which there is a register
	titles    func(string) string
	grounds   func(string) string
}

// GroundOf returns a ground of refusal in words.
func (b overviewBody) GroundOf(ground string) string { return b.grounds(ground) }

// TitleOf returns a system's title.
func (b overviewBody) TitleOf(system string) string { return b.titles(system) }

// showOverview shows the officer's page.
func (c *Console) showOverview(w http.ResponseWriter, r *http.Request, u User) {
	lang := languageOf(r)
	b := overviewBody{overview: c.year.get(r.Context()), Coverage: c.coverage(lang), Laws: inWords(lang, choices(c.Policy.IDs(), ""))[1:], titles: func(system string) string { return c.titleOf(lang, system) }, grounds: func(ground string) string { return c.groundOf(lang, ground) }}
	c.render(w, r, http.StatusOK, "overview.html", page{User: u, Title: "Overview", Here: "overview", Body: b})
}

// groundOf returns a ground of refusal in words: those of the first law that has it.
func (c *Console) groundOf(lang *words.Language, ground string) string {
	for _, id := range c.Policy.IDs() {
		j, _ := c.Policy.Jurisdiction(id)
		if r, ok := j.Refusal(ground); ok {
			return lang.Text(r.Title)
		}
	}
	return lang.Word(ground)
}

// register hands out the record of processing activities under a law.
func (c *Console) register(w http.ResponseWriter, r *http.Request, u User) {
	j, ok := c.Policy.Jurisdiction(r.URL.Query().Get("law"))
	format := cmp.Or(r.URL.Query().Get("format"), "html")
	if !ok || format != "html" && format != "csv" {
		c.fail(w, r, u, http.StatusUnprocessableEntity, errChoice.Error())
		return
	}
	record := article30.RecordOf(j, c.Operator, languageOf(r), c.Manifests)
	write, kind := article30.WriteHTML, "text/html; charset=utf-8"
	if format == "csv" {
		write, kind = article30.WriteCSV, "text/csv; charset=utf-8"
	}
	var out bytes.Buffer
	if err := write(&out, record); err != nil {
		c.broken(w, r, u, err)
		return
	}
	w.Header().Set("Content-Type", kind)
	w.Header().Set("Content-Disposition", `attachment; filename="register.`+format+`"`)
	_, _ = out.WriteTo(w)
}
