package console

import (
	"cmp"
	"context"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"habeas.dev/pkg/dsar"
	"habeas.dev/pkg/vault"
	"habeas.dev/services/internal/core"
	"habeas.dev/services/internal/duplicate"
	"habeas.dev/services/internal/journal"
	"habeas.dev/services/internal/prints"
	"habeas.dev/services/internal/words"
)

// What a form can be wrong about, in words that are shown.
var (
	errTooLarge  = errors.New("This is more than a form takes.")                                              //nolint:staticcheck // shown as it is
	errNoReason  = errors.New("Say why: the reason stays in the trace.")                                      //nolint:staticcheck // shown as it is
	errPersonal  = errors.New("A reason holds no personal data, and stays for ever: leave out the address.")  //nolint:staticcheck // shown as it is
	errChoice    = errors.New("This choice doesn’t exist.")                                                   //nolint:staticcheck // shown as it is
	errSent      = errors.New("This isn’t there any more: it was judged.")                                    //nolint:staticcheck // shown as it is
	errFileParts = errors.New("This form can’t be read: send it again, with the files last.")                 //nolint:staticcheck // shown as it is
	errTwice     = errors.New("Some files were too large together, or a dataset came twice: send each once.") //nolint:staticcheck // shown as it is
)

// What a request that an agent takes in can be wrong about.
var (
	errNobody = errors.New("Say whom it is about: an e-mail address, a telephone number, or a number of theirs.")            //nolint:staticcheck // shown as it is
	errDay    = errors.New("Say on which day it came: today, or earlier.")                                                   //nolint:staticcheck // shown as it is
	errOften  = errors.New("As many requests of this person were taken in today as there may be: see those that there are.") //nolint:staticcheck // shown as it is
	errRight  = errors.New("This law doesn’t grant this right.")                                                             //nolint:staticcheck // shown as it is
	errNotIn  = errors.New("The request can’t be taken in as it stands: look at whom it is about, and at the right.")        //nolint:staticcheck // shown as it is
)

// What can be wrong with looking at what was gathered.
var (
	errNotReviewed = errors.New("Nothing that was gathered waits here for somebody to look at it.")                                                            //nolint:staticcheck // shown as it is
	errReviewLarge = errors.New("There is more than a page shows: use habeas review on the command line, and hand over what may be shown with habeas answer.") //nolint:staticcheck // shown as it is
)

// values holds a form's values.
type values struct{ url.Values }

// readForm reads a form of at most so many bytes that has a reason, and checks the reason. What
// was written is there also where it can't be taken, so that nobody writes it again; there is
// nothing where the form couldn't be read.
func readForm(w http.ResponseWriter, r *http.Request, most int64) (values, error) {
	r.Body = http.MaxBytesReader(w, r.Body, most)
	if err := r.ParseForm(); err != nil {
		return values{url.Values{}}, errTooLarge
	}
	f := values{r.PostForm}
	f.Set("reason", strings.TrimSpace(f.Get("reason")))
	return f, f.check()
}

// check refuses a reason that must not stay in a journal for ever. What looks like
// an address is refused: the journal, the topics and the trace hold no personal
// data.
func (f values) check() error {
	reason := f.Get("reason")
	for _, list := range f.Values {
		for _, v := range list {
			if !utf8.ValidString(v) || strings.ContainsRune(v, 0) {
				return errChoice
			}
		}
	}
	switch {
	case reason == "":
		return errNoReason
	case utf8.RuneCountInString(reason) > maxReason:
		return errTooLarge
	case utf8.RuneCountInString(f.toPerson()) > maxReason:
		return errTooLarge
	case strings.Contains(reason, "@"), strings.Contains(f.toPerson(), "@"):
		return errPersonal
	}
	return nil
}

// toPerson returns what the person is told, in an agent's words: what was written, or else
// the saved phrase that was chosen.
func (f values) toPerson() string {
	return cmp.Or(strings.TrimSpace(f.Get("to_person")), strings.TrimSpace(f.Get("phrase")))
}

// action returns the command that a form asks for.
type action func(c *Console, u User, f values, now time.Time) (core.Command, error)

// form returns the request's id and what was filled in; where one of them is no
// good, the answer is written.
func (c *Console) form(w http.ResponseWriter, r *http.Request, u User) (id string, form values, ok bool) {
	if id, ok = c.requestID(w, r, u); !ok {
		return "", form, false
	}
	form, err := readForm(w, r, maxForm)
	if err != nil {
		c.again(w, r, u, id, form, err)
	}
	return id, form, err == nil
}

// act applies an action, unless somebody else has acted since the page was read.
func (c *Console) act(w http.ResponseWriter, r *http.Request, u User, verb core.Verb, a action) {
	id, form, ok := c.form(w, r, u)
	if !ok {
		return
	}
	command, err := a(c, u, form, c.now())
	do := core.IfUnchanged{Acts: form.acts(), Command: command}
	if err == nil {
		err = c.possible(r.Context(), id, verb, do)
	}
	if err == nil {
		_, err = c.do(r.Context(), id, do)
	}
	if err != nil {
		c.again(w, r, u, id, form, err)
		return
	}
	name := r.URL.Path[strings.LastIndexByte(r.URL.Path, '/')+1:]
	if verb == core.VerbSecond && form.Get("verdict") == "decline" {
		name = "second-declined"
	}
	http.Redirect(w, r, "/requests/"+id+"?done="+name, http.StatusSeeOther)
}

// acts returns what had been done when the page was read.
func (f values) acts() int {
	n, err := strconv.Atoi(f.Get("acts"))
	if err != nil {
		return -1
	}
	return n
}

// again shows a request's page with the reason why an act was refused, and with
// what was written into its form.
func (c *Console) again(w http.ResponseWriter, r *http.Request, u User, id string, form values, why error) {
	if errors.Is(why, errAsked) {
		http.Redirect(w, r, "/requests/"+id+"?done=second-asked", http.StatusSeeOther)
		return
	}
	b, err := c.body(r, id, u.Role)
	if err != nil {
		c.refused(w, r, u, err)
		return
	}
	name := r.URL.Path[strings.LastIndexByte(r.URL.Path, '/')+1:]
	if name == "preview" {
		name = form.Get("letter")
	}
	b.typed(name, form)
	text, status := explain(why)
	if status == http.StatusServiceUnavailable {
		c.trouble(r.Context(), why)
	}
	c.render(w, r, status, "request.html", page{User: u, Title: "Request", Here: "requests", Path: "/requests/" + id, Error: text, Body: b})
}

// typed keeps what was written into a form, by the end of the address that it is sent to.
func (b *requestBody) typed(name string, form values) {
	b.Typed = map[string]string{"form": name}
	b.chosen = form.Values
	for field := range form.Values {
		b.Typed[field] = form.Get(field)
	}
}

// explain returns the sentence that says why something wasn't done, in English, and
// the status of the page with it.
func explain(err error) (text string, status int) {
	for _, own := range []error{errTooLarge, errNoReason, errPersonal, errChoice, errFileParts, errTwice, errSent, errNobody, errDay, errOften, errRight, errNotIn, errNotReviewed, errReviewLarge} {
		if errors.Is(err, own) {
			return own.Error(), http.StatusUnprocessableEntity
		}
	}
	text, ok := words.English().Refusal(err)
	switch {
	case !ok, errors.Is(err, journal.ErrUnavailable):
		return words.English().Refusals["unavailable"], http.StatusServiceUnavailable
	case errors.Is(err, core.ErrNotAllowed), errors.Is(err, vault.ErrShredded):
		return text, http.StatusUnprocessableEntity
	case errors.Is(err, core.ErrUnknown), errors.Is(err, journal.ErrNotFound):
		return text, http.StatusNotFound
	default:
		return text, http.StatusConflict
	}
}

// done returns the sentence about what was done, for the page that follows.
func done(act string) string {
	return map[string]string{
		"new": "The request is taken in, and assigned to you.", "retry": "Taken up again.", "try-now": "Taken up again.", "gather-again": "Taken up again.", "accept-plan": "It is accepted.", "extend": "The due date is extended; the person is told.",
		"ask-proof": "The person is asked for proof.", "judge-proof": "The proof is judged.", "judge-earlier": "It is noted.", "ask-clarification": "The person is asked what is meant.",
		"clarify": "It goes on.", "deliver": "It is noted; where you haven’t told the person yourself, a letter goes.", "cancel": "The request is cancelled.",
		"assign": "It is assigned.", "note": "It is noted.", "merge": "The request is merged.", "refuse": "The request is refused; the person is told why.", "refuse-part": "That part is refused; the answer says why.", "refuse-field": "That field is not corrected; the answer says why.", "approve": "The correction goes on.", "give-part": "That part is given after all.", "hold": "The hold is on.",
		"second": "It is noted. What you agreed to is done; to look, your colleague has a day.", "second-declined": "It is noted: it isn’t done.", "second-asked": "It isn’t done yet: a second person is asked to agree.",
		"prove-again": "The systems are asked again.", "settle-notice": "Noted.", "lift": "The hold is lifted.", "answer": "Noted as done by hand.", "revoke-answer": "The answer is served to nobody any more.",
	}[act]
}

func retry(_ *Console, u User, f values, now time.Time) (core.Command, error) {
	return core.Retry{By: u.By(), Reason: f.Get("reason"), Systems: f.Values["system"], Now: now}, nil
}

func acceptPlan(_ *Console, u User, f values, now time.Time) (core.Command, error) {
	return core.Retry{By: u.By(), Reason: f.Get("reason"), Systems: f.Values["system"], AcceptPlan: true, Now: now}, nil
}

func extend(c *Console, u User, f values, now time.Time) (core.Command, error) {
	return core.Extend{By: u.By(), Reason: f.Get("reason"), ToPerson: f.toPerson(), Calendar: c.Policy, Now: now}, nil
}

func askProof(_ *Console, u User, f values, now time.Time) (core.Command, error) {
	var checks []dsar.Check
	for _, v := range f.Values["check"] {
		switch check := dsar.Check(v); check {
		case dsar.CheckIdentity, dsar.CheckAgent, dsar.CheckOrganisation, dsar.CheckGuardian, dsar.CheckHeir:
			checks = append(checks, check)
		default:
			return nil, errChoice
		}
	}
	return core.AskProof{By: u.By(), Reason: f.Get("reason"), Checks: checks, Now: now}, nil
}

func judgeProof(c *Console, u User, f values, now time.Time) (core.Command, error) {
	verdict := f.Get("verdict")
	if verdict != "accept" && verdict != "reject" && verdict != "without" {
		return nil, errChoice
	}
	return core.JudgeProof{By: u.By(), Accepted: verdict == "accept", Without: verdict == "without", Reason: f.Get("reason"), Calendar: c.Policy, Now: now}, nil
}

// judgeEarlier says whether another request is of the same person.
func judgeEarlier(_ *Console, u User, f values, now time.Time) (core.Command, error) {
	other, ok := dsar.ReadRequestID(f.Get("request"))
	verdict := f.Get("verdict")
	if !ok || verdict != "same" && verdict != "another" {
		return nil, errChoice
	}
	return core.JudgeEarlier{By: u.By(), Request: other, Same: verdict == "same", Reason: f.Get("reason"), Now: now}, nil
}

func askClarification(_ *Console, u User, f values, now time.Time) (core.Command, error) {
	return core.AskClarification{By: u.By(), Reason: f.Get("reason"), ToPerson: f.toPerson(), Now: now}, nil
}

func clarify(c *Console, u User, f values, now time.Time) (core.Command, error) {
	return core.Clarify{By: u.By(), Reason: f.Get("reason"), Calendar: c.Policy, Now: now}, nil
}

func deliver(_ *Console, u User, f values, now time.Time) (core.Command, error) {
	return core.DeliverAgain{By: u.By(), Reason: f.Get("reason"), ByHand: f.Get("by_hand") == "yes", Now: now}, nil
}

func cancel(_ *Console, u User, f values, now time.Time) (core.Command, error) {
	return core.Cancel{By: u.By(), Reason: f.Get("reason"), Now: now}, nil
}

func assign(_ *Console, u User, f values, now time.Time) (core.Command, error) {
	to := strings.TrimSpace(f.Get("to"))
	if utf8.RuneCountInString(to) > maxName {
		return nil, errTooLarge
	}
	return core.Assign{By: u.By(), To: to, Reason: f.Get("reason"), Now: now}, nil
}

// noteDown writes something down for colleagues.
func noteDown(_ *Console, u User, f values, now time.Time) (core.Command, error) {
	return core.Note{By: u.By(), Reason: f.Get("reason"), Now: now}, nil
}

func merge(_ *Console, u User, f values, now time.Time) (core.Command, error) {
	into, ok := dsar.ReadRequestID(f.Get("into"))
	if !ok {
		return nil, duplicate.ErrUnanswered
	}
	return core.Merge{By: u.By(), Into: into, Reason: f.Get("reason"), Now: now}, nil
}

// possible refuses commands that are wrong for reasons outside of the core: to merge
// into a request that answers nothing, to name as an agent what the person is known by,
// to hold or refuse what there isn't, and to take up again what another form does.
func (c *Console) possible(ctx context.Context, id string, verb core.Verb, do core.IfUnchanged) error {
	switch command := do.Command.(type) {
	case core.Retry:
		s, err := c.state(ctx, id)
		if err != nil {
			return err
		}
		return c.takesUp(s, verb, command, do)
	case core.Hold:
		s, err := c.state(ctx, id)
		if err != nil {
			return err
		}
		return c.reaches(s, command)
	case core.RefusePart:
		if m := c.manifest(command.System); !command.TakenBack && m != nil && m.Dataset(command.Dataset) == nil {
			return errChoice
		}
		return nil
	case core.RefuseField:
		if m := c.manifest(command.System); m != nil && (m.Dataset(command.Dataset) == nil || m.Dataset(command.Dataset).Column(command.Column) == nil) {
			return errChoice
		}
		return nil
	case core.Merge:
		return c.answeredBy(ctx, id, command)
	case core.Assign:
		s, err := c.state(ctx, id)
		if err != nil {
			return err
		}
		return c.agentsName(ctx, s, command.To)
	default:
		return nil
	}
}

// answeredBy refuses a merge into a request that doesn't ask for the same, or answers nothing.
func (c *Console) answeredBy(ctx context.Context, id string, merge core.Merge) error {
	s, err := c.state(ctx, id)
	if err != nil {
		return err
	}
	other, err := c.state(ctx, merge.Into)
	if err != nil && !errors.Is(err, core.ErrUnknown) {
		return err
	}
	return duplicate.Check(ctx, prints.Prints{Vault: c.Vault, Index: c.Journal}, s, merge, other)
}

// takesUp refuses a retry of a system that the core doesn't offer with this verb: one
// command takes up what has failed, what is parked, and what is lost, and each has a
// form of its own. Only what failed can be left unnamed: it is all of it then.
func (c *Console) takesUp(s core.State, verb core.Verb, command core.Retry, do core.IfUnchanged) error {
	if _, err := core.Decide(s, do); err != nil && !errors.Is(err, core.ErrSecond) {
		return err
	}
	choice, ok := s.Allowed(core.Officer, c.Policy, command.Now).Find(verb)
	unnamed := len(command.Systems) == 0 && verb != core.VerbRetry && verb != core.VerbAcceptPlan
	foreign := slices.ContainsFunc(command.Systems, func(name string) bool { return !slices.Contains(choice.Systems, name) })
	if !ok || unnamed || foreign {
		return core.ErrNothingToRetry
	}
	return nil
}

// reaches refuses a hold on a system that the request isn't about, and on a dataset
// that no manifest has.
func (c *Console) reaches(s core.State, command core.Hold) error {
	known := slices.ContainsFunc(s.Accepted.Systems, func(sys dsar.System) bool { return sys.Name == command.System })
	if command.System != "" && (!known || command.Dataset != "" && c.dataset(command.System, command.Dataset) == nil) {
		return errChoice
	}
	return nil
}

// agentsName refuses an agent's name that is one of the person's identifiers: it
// would stay in the journal.
func (c *Console) agentsName(ctx context.Context, s core.State, name string) error {
	for _, one := range s.Identifiers {
		if name == "" {
			return nil
		}
		same, err := prints.Prints{Vault: c.Vault}.Among(ctx, s, []dsar.Identifier{one}, one.Type, name)
		if err != nil {
			return err
		}
		if same {
			return errPersonal
		}
	}
	return nil
}

func refuse(_ *Console, u User, f values, now time.Time) (core.Command, error) {
	ground := f.Get("ground")
	if ground == "" {
		ground = core.NotProven
	}
	return core.Refuse{By: u.By(), Ground: ground, Reason: f.Get("reason"), Now: now}, nil
}

// refusePart refuses a dataset of a copy, and givePart gives it after all.
func refusePart(_ *Console, u User, f values, now time.Time) (core.Command, error) {
	return core.RefusePart{By: u.By(), Reason: f.Get("reason"), System: f.Get("system"), Dataset: f.Get("dataset"), Ground: f.Get("ground"), Now: now}, nil
}

// refuseField refuses to correct one field, and approve has a correction made that waits.
func refuseField(_ *Console, u User, f values, now time.Time) (core.Command, error) {
	system, rest, _ := strings.Cut(f.Get("field"), "/")
	dataset, column, _ := strings.Cut(rest, ".")
	return core.RefuseField{By: u.By(), Reason: f.Get("reason"), System: system, Dataset: dataset, Column: column, Ground: f.Get("ground"), Now: now}, nil
}

func approve(_ *Console, u User, f values, now time.Time) (core.Command, error) {
	return core.ApproveCorrection{By: u.By(), Reason: f.Get("reason"), Systems: f.Values["system"], Now: now}, nil
}

func givePart(_ *Console, u User, f values, now time.Time) (core.Command, error) {
	return core.RefusePart{By: u.By(), Reason: f.Get("reason"), System: f.Get("system"), Dataset: f.Get("dataset"), TakenBack: true, Now: now}, nil
}

func decide(_ *Console, u User, f values, now time.Time) (core.Command, error) {
	return core.DecideGrievance{By: u.By(), Finding: core.Finding(f.Get("finding")), Give: f.Values["give"], Reason: f.Get("reason"), Now: now}, nil
}

func hold(_ *Console, u User, f values, now time.Time) (core.Command, error) {
	system, dataset, _ := strings.Cut(f.Get("reach"), "/")
	return core.Hold{By: u.By(), Reason: f.Get("reason"), System: system, Dataset: dataset, Now: now}, nil
}

func lift(_ *Console, u User, f values, now time.Time) (core.Command, error) {
	return core.Lift{By: u.By(), Reason: f.Get("reason"), System: f.Get("system"), Dataset: f.Get("dataset"), Now: now}, nil
}

// settleNotice notes what was done about a notice to a recipient of data.
func settleNotice(_ *Console, u User, f values, now time.Time) (core.Command, error) {
	switch core.NoticeStatus(f.Get("status")) {
	case core.NoticeIsSent, core.NoticeIsAnswered, core.NoticeIsExcused:
	default:
		return nil, errChoice
	}
	return core.SettleNotice{By: u.By(), Reason: f.Get("reason"), Recipient: f.Get("recipient"), Status: core.NoticeStatus(f.Get("status")), Now: now}, nil
}
