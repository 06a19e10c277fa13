package console

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"habeas.dev/pkg/dsar"
	"habeas.dev/pkg/event"
	"habeas.dev/pkg/manifest"
	"habeas.dev/pkg/vault"
	"habeas.dev/services/internal/core"
	"habeas.dev/services/internal/correction"
	"habeas.dev/services/internal/journal"
	"habeas.dev/services/internal/letter"
	"habeas.dev/services/internal/links"
	"habeas.dev/services/internal/policy"
	"habeas.dev/services/internal/prints"
	"habeas.dev/services/internal/timeline"
	"habeas.dev/services/internal/words"
)

// requestBody is the data of a request's templates.
type requestBody struct {
	timeline.Trace
	Acts    int
	Version int
	Actions actions
	// Next is what the request wants now; Others are the other acts, and Endings those of
	// them that end it or take something away.
	Next            next
	Others, Endings []act
	Revealed        []revealed // set where somebody just asked to see them
	Message         string     // with Revealed: what the person wrote with what a person decides
	words           []said     // likewise
	// GoesOn are the person's other requests in which a hold goes on that was lifted on this;
	// GoesOnUnknown tells that they couldn't be looked for.
	GoesOn        goesOn
	GoesOnUnknown bool
	// Givable are the refused parts that a decision can give.
	Givable []core.RefusedPart
	// Corrections are what a correction would change; set where somebody just asked to see it
	// (Looked). CanLook tells that they can ask.
	Corrections     []correction.System
	Looked, CanLook bool
	Plans           []core.SystemPlan
	Keys            []planKeys // set where somebody just opened the plans
	// Sent is what the person has sent and nobody has judged; Opened when they opened the
	// answer, and Passphrase another one that was just made.
	Sent       []core.PersonSent
	Opened     []time.Time
	Passphrase string
	Traces     string
	Letters    []core.LetterSent
	Pauses     []core.Pause
	// Asked is what the person was last asked to prove, and Question what they were asked.
	Asked    []dsar.Check
	Question string
	// Language is the tag of the language in which the person is written to.
	Language string
	// Back is the list that it was opened from.
	Back string
	// Show is what of the timeline is shown: a name of a system, or one of the ways.
	Show string
	// Preview are the letters that the form would have the person written, and Phrases the
	// saved ones in their language.
	Preview  []letter.Letter
	Phrases  []Phrase
	Previews bool // letters can be previewed, and Reads that they can be read
	Reads    bool
	// Typed is what was written into a form that was refused.
	Typed map[string]string
	// chosen is all of it, with what was ticked.
	chosen url.Values

	// What the tracks and the clock are drawn from.
	events       []core.Event
	manifests    []*manifest.Manifest
	firstDue     time.Time
	awaitedSince time.Time
	law          policy.Jurisdiction
}

// GroundIn returns a ground of refusal in words: the law's, where it has some.
func (b requestBody) GroundIn(lang *words.Language, ground string) string {
	if r, ok := b.law.Refusal(ground); ok {
		return lang.Text(r.Title)
	}
	return lang.Word(ground)
}

// revealed is an identifier in the clear.
type revealed struct {
	Type  dsar.IdentifierType
	Value string
}

func (c *Console) request(w http.ResponseWriter, r *http.Request, u User) {
	id, ok := c.requestID(w, r, u)
	if !ok {
		return
	}
	b, err := c.body(r, id, u.Role)
	if err != nil {
		c.refused(w, r, u, err)
		return
	}
	c.render(w, r, http.StatusOK, "request.html", page{User: u, Title: "Request", Here: "requests", Notice: done(r.URL.Query().Get("done")), Body: b})
}

// titles returns what systems and datasets are called.
func (c *Console) titles(lang *words.Language) timeline.Titles {
	return func(system, dataset string) string {
		if dataset == "" {
			return c.titleOf(lang, system)
		}
		if d := c.dataset(system, dataset); d != nil {
			return lang.Text(d.Title)
		}
		return dataset
	}
}

// requestID returns the id in a path; where it is none, the answer is written.
func (c *Console) requestID(w http.ResponseWriter, r *http.Request, u User) (string, bool) {
	id, ok := dsar.ReadRequestID(r.PathValue("id"))
	if !ok {
		c.fail(w, r, u, http.StatusNotFound, words.English().Refusals["unknown"])
	}
	return id, ok
}

// body reads a request for its page.
func (c *Console) body(r *http.Request, id string, role core.Role) (requestBody, error) {
	read, err := c.read(r.Context(), id)
	if err != nil {
		return requestBody{}, err
	}
	b := c.bodyOf(languageOf(r), read, role)
	b.Show = showOf(r, b)
	on, err := links.GoesOn(r.Context(), folded{c}.State, c.Journal, prints.Prints{Vault: c.Vault}, read.state)
	if err != nil {
		c.trouble(r.Context(), err)
		b.GoesOnUnknown = true
	}
	shown := min(len(on), maxGoesOn)
	b.GoesOn = goesOn{on[:shown], len(on) - shown}
	b.Givable, err = c.givable(r.Context(), read.state)
	return b, err
}

// maxGoesOn is how many requests are named in which a hold goes on: more fill the page's head,
// and lifting it on these leads on to the others.
const maxGoesOn = 10

// goesOn are requests in which a hold goes on, and how many more there are.
type goesOn struct {
	In   []links.Going
	More int
}

// givable returns the parts of an earlier copy that were refused, where the request is about
// it and a person decides: each can be given where the request is upheld in part.
func (c *Console) givable(ctx context.Context, s core.State) ([]core.RefusedPart, error) {
	about := s.Accepted.About
	if about == nil || !s.Right.Decided() || s.Status.Ended() {
		return nil, nil
	}
	earlier, err := folded{c}.State(ctx, about.RequestID)
	if errors.Is(err, core.ErrUnknown) { // the page is there without it
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return earlier.RefusedParts(), nil
}

// showOf returns what of the timeline somebody wants to see; all of it where there is no
// such way.
func showOf(r *http.Request, b requestBody) string {
	show := r.URL.Query().Get("show")
	known := show == showPeople || show == showTrouble || slices.ContainsFunc(b.Systems, func(s timeline.System) bool { return s.System == show })
	if !known {
		return showAll
	}
	return show
}

// bodyOf returns what a request's page shows to somebody.
func (c *Console) bodyOf(lang *words.Language, r reading, role core.Role) requestBody {
	s := r.state
	t := timeline.BuildOpened(r.facts, r.events, lang.Word, c.titles(lang), c.Policy.Local)
	b := requestBody{Trace: t, Acts: s.Acts, Version: len(r.facts), Letters: s.Letters, Pauses: s.Pauses,
		events: r.events, manifests: c.Manifests, firstDue: s.Accepted.DueAt, awaitedSince: s.AwaitedSince}
	b.law, _ = c.Policy.Jurisdiction(s.Accepted.Jurisdiction) // where none is known, grounds go by their names
	b.Language = c.Languages.Pick(s.Accepted.Locale, b.law.Languages).Tag
	b.Phrases, b.Previews, b.Reads = c.Phrases[b.Language], c.Writer != nil, c.Letters != nil
	b.Actions, b.Plans = c.actionsOf(s, role), s.Plans()
	b.CanLook = c.previews(s)
	b.arrange(c, lang, s)
	b.Sent, b.Opened, b.Asked, b.Question = toJudge(s), s.Opened, s.Proof.Checks, s.Question
	if c.Traces != "" {
		b.Traces = strings.ReplaceAll(c.Traces, "{trace}", strings.ReplaceAll(t.RequestID, "-", ""))
	}
	return b
}

// LawName returns the name of the law by which the request goes; empty where none is known.
func (b requestBody) LawName(lang *words.Language) string { return lang.Text(b.law.Law.Name) }

// Besides returns what the law demands besides of such a request, and Habeas doesn't do; empty
// where nothing.
func (b requestBody) Besides(lang *words.Language) string {
	for _, g := range b.law.Rights {
		if g.Right == b.Right {
			return lang.Text(g.Besides)
		}
	}
	return ""
}

// Many reports whether more than one thing failed, so that each reason names its systems.
func (b requestBody) Many(lang *words.Language) bool {
	all := b.Wanted(lang)
	return len(all) > 1 || len(all) == 1 && len(all[0].Titles) > 1
}

// Tab returns the title by which a browser's tab of the request is known among others.
func (b requestBody) Tab(lang *words.Language) string {
	return lang.Word(string(b.Right)) + " " + b.RequestID[:8] + " · " + lang.Word(string(b.Status))
}

// listOf returns the list from which a page of a request was opened, at its row; the first
// list where it was opened otherwise.
func listOf(r *http.Request, id string) string {
	back := url.URL{Path: "/"}
	from, err := url.Parse(r.Referer())
	if err == nil && from.Host == r.Host && from.Path == "/" {
		back.RawQuery = with(with(with(from.Query(), "did", ""), "done", ""), "of", "").Encode()
		back.Fragment = "r-" + id[:8]
	}
	return back.String()
}

// Called returns what a dataset is called, or a system where no dataset is named.
func (b requestBody) Called(lang *words.Language, system, dataset string) string {
	if dataset == "" {
		return b.title(lang, system)
	}
	if m := b.manifest(system); m != nil {
		if d := m.Dataset(dataset); d != nil {
			return lang.Text(d.Title)
		}
	}
	return dataset
}

// Chose reports whether a choice is made in a form: as it was sent, where it comes back, or
// else as it comes first.
func (b requestBody) Chose(a act, name, value string, first bool) bool {
	if !a.Typed(b.Typed) {
		return first
	}
	return slices.Contains(b.chosen[name], value)
}

// Previewed reports whether somebody just asked to see what letter comes of a form.
func (b requestBody) Previewed() bool {
	return b.Typed["letter"] != "" && b.Typed["form"] == b.Typed["letter"]
}

// arrange puts the acts into their places: what is wanted now, the others, and those that
// end the request.
func (b *requestBody) arrange(c *Console, lang *words.Language, s core.State) {
	forms := b.Actions.forms(lang, c.titles(lang))
	b.Next = c.nextOf(lang, s, forms)
	for i := range forms {
		switch f := &forms[i]; {
		case f == b.Next.Act:
		case f.Ends():
			b.Endings = append(b.Endings, *f)
		default:
			b.Others = append(b.Others, *f)
		}
	}
}

// named reads the request that an address names; otherwise it has written why not.
func (c *Console) named(w http.ResponseWriter, r *http.Request, u User) (id string, read reading, ok bool) {
	if id, ok = c.requestID(w, r, u); !ok {
		return id, read, false
	}
	read, err := c.read(r.Context(), id)
	if err != nil {
		c.refused(w, r, u, err)
	}
	return id, read, err == nil
}

// show shows a request's page with something on it that only who asked for it sees.
func (c *Console) show(w http.ResponseWriter, r *http.Request, u User, id string, with func(*requestBody)) {
	b, err := c.body(r, id, u.Role)
	if err != nil {
		c.refused(w, r, u, err)
		return
	}
	with(&b)
	c.render(w, r, http.StatusOK, "request.html", page{User: u, Title: "Request", Here: "requests", Path: "/requests/" + id, Body: b})
}

// export is the trace as `habeas trace --json` prints it.
func (c *Console) export(w http.ResponseWriter, r *http.Request, u User) {
	id, read, ok := c.named(w, r, u)
	if !ok {
		return
	}
	t := timeline.BuildOpened(read.facts, read.events, timeline.English, timeline.ByName, c.Policy.Local)
	t.Allow(read.state.Allowed(u.Role, c.Policy, c.now()))
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Content-Disposition", `attachment; filename="trace-`+id+`.json"`)
	out := json.NewEncoder(w)
	out.SetIndent("", "  ")
	_ = out.Encode(t)
}

// refused writes why something can't be done.
func (c *Console) refused(w http.ResponseWriter, r *http.Request, u User, err error) {
	if errors.Is(err, core.ErrUnknown) {
		c.fail(w, r, u, http.StatusNotFound, words.English().Refusals["unknown"])
		return
	}
	c.broken(w, r, u, err)
}

// actions are what somebody may do about a request now, as the core says, with what
// the forms show besides.
type actions struct {
	core.Choices
	role   core.Role
	Manual []manual
	// Datasets are those of the systems of a copy that can be refused in part, and Fields those
	// that a correction can be refused of, by system: first what it has stopped for.
	Datasets []string
	Fields   []refusable
	// Erased are the systems in which more was erased than planned.
	Erased []string
}

func (a actions) isErased(system string) bool { return slices.Contains(a.Erased, system) }

// May returns the choice of a verb; nil where it may not be done.
func (a actions) May(verb core.Verb) *core.Choice {
	if c, ok := a.Find(verb); ok {
		return &c
	}
	return nil
}

// Reads reports whether whoever looks may only read.
func (a actions) Reads() bool { return a.role < core.Agent }

// manual is a task that a person has to do by hand.
type manual struct {
	core.ManualTask
	Datasets []string
	// Doubtful are the identifiers of which a person must say whether they are the
	// person's.
	Doubtful []doubtful
}

// doubtful is an identifier that may be somebody else's, and how it was found.
type doubtful struct {
	dsar.Identifier
	By dsar.IdentifierType // what it was found by; empty where its worker doesn't say
}

// doubtfulOf returns what a system has found and a person must decide on.
func doubtfulOf(s core.State, t core.ManualTask) (out []doubtful) {
	if t.Action != dsar.Resolve {
		return nil
	}
	for _, id := range s.Doubtful(t.System) {
		one := doubtful{Identifier: id}
		for _, known := range s.Identifiers {
			if known.Fingerprint == id.From {
				one.By = known.Type
			}
		}
		out = append(out, one)
	}
	return out
}

// Others says that a worker has gathered records that may tell of other people.
func (m manual) Others() bool { return m.End.Code == dsar.CodeOthers }

// Incomplete says that a worker has done only what it could reach.
func (m manual) Incomplete() bool { return slices.Contains(m.Outcomes, dsar.Incomplete) }

// Files reports whether records are handed over.
func (m manual) Files() bool { return m.Action == dsar.Gather }

func (c *Console) actionsOf(s core.State, role core.Role) actions {
	a := actions{Choices: s.Allowed(role, c.Policy, c.now()), role: role}
	if byHand, ok := a.Find(core.VerbAttest); ok {
		for _, t := range byHand.Tasks {
			a.Manual = append(a.Manual, manual{t, c.datasets(t.System), doubtfulOf(s, t)})
		}
	}
	for _, n := range s.Needs() {
		if n.Kind == core.NeedErased {
			a.Erased = append(a.Erased, n.System)
		}
	}
	if part, ok := a.Find(core.VerbRefusePart); ok {
		for _, system := range part.Systems {
			for _, d := range c.datasets(system) {
				if !slices.Contains(a.Datasets, d) {
					a.Datasets = append(a.Datasets, d)
				}
			}
		}
	}
	if field, ok := a.Find(core.VerbRefuseField); ok {
		a.Fields = c.refusable(s, field.Systems)
	}
	return a
}

// manifest returns a system's manifest; nil where there is none.
func (c *Console) manifest(system string) *manifest.Manifest {
	for _, m := range c.Manifests {
		if m.System == system {
			return m
		}
	}
	return nil
}

func (c *Console) datasets(system string) []string {
	var names []string
	for _, m := range c.Manifests {
		if m.System != system {
			continue
		}
		for _, d := range m.Datasets {
			names = append(names, d.Name)
		}
	}
	return names
}

// reveal shows the person's identifiers, and records that it did. The values are in
// this answer only: a reload shows the page without them.
func (c *Console) reveal(w http.ResponseWriter, r *http.Request, u User) {
	id, form, ok := c.form(w, r, u)
	if !ok {
		return
	}
	s, err := c.do(r.Context(), id, core.Reveal{By: u.By(), Reason: form.Get("reason"), Now: c.now()})
	if err != nil {
		c.again(w, r, u, id, form, err)
		return
	}
	b, err := c.body(r, id, u.Role)
	if err != nil {
		c.refused(w, r, u, err)
		return
	}
	keys, err := c.Vault.Keys(r.Context(), id)
	if err != nil {
		c.again(w, r, u, id, form, err)
		return
	}
	for _, one := range s.Identifiers {
		value, err := keys.Open(one.Sealed, vault.Identifier)
		if err != nil {
			c.again(w, r, u, id, form, err)
			return
		}
		b.Revealed = append(b.Revealed, revealed{one.Type, string(value)})
	}
	if b.Message, err = message(s, keys); err != nil {
		c.again(w, r, u, id, form, err)
		return
	}
	b.words = saidOf(keys, s)
	c.render(w, r, http.StatusOK, "request.html", page{User: u, Title: "Request", Here: "requests", Path: "/requests/" + id, Body: b})
}

// message returns what the person wrote with what a person decides.
func message(s core.State, keys *vault.Keys) (string, error) {
	if !s.Right.Decided() || len(s.Accepted.Details) == 0 {
		return "", nil
	}
	plain, err := keys.Open(s.Accepted.Details, vault.RequestDetails)
	if err != nil {
		return "", err
	}
	var details event.Details
	err = json.Unmarshal(plain, &details)
	return details.Message, err
}

// now returns the time as the journal keeps it.
func (c *Console) now() time.Time { return journal.Time(c.Now()) }
