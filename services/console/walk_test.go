package console_test

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"habeas.dev/pkg/dsar"
	"habeas.dev/pkg/vault"
	"habeas.dev/services/console"
	"habeas.dev/services/internal/core"
	"habeas.dev/services/internal/core/coretest"
	"habeas.dev/services/internal/journal"
	"habeas.dev/services/internal/timeline"
)

// readers are the roles that see a request's page.
var readers = []console.Role{console.Viewer, console.Agent, console.Officer}

// exports holds what the exported trace says may be done to what the core allows.
func (w *walker) exports(allowed core.Choices) {
	w.t.Helper()
	text := w.d.call(w.d.as(w.role), "GET", "/requests/"+w.id+"/trace.json", nil).Body.Bytes()
	var got, want timeline.Trace
	if err := json.Unmarshal(text, &got); err != nil {
		w.t.Fatal(err)
	}
	want.Allow(allowed)
	if len(got.May) != len(allowed) || len(allowed) > 0 && !reflect.DeepEqual(got.May, want.May) {
		w.t.Fatalf("the trace of %s for %s says that there may be done %+v, want %+v", w.played.kind, w.role, got.May, want.May)
	}
}

// retriesWithOthers retries the request as one of many, which does it exactly where the
// core allows it, and refuses nobody else's.
func (w *walker) retriesWithOthers(may bool) {
	w.t.Helper()
	answer := w.d.call(w.d.as(w.role), "POST", "/retry", map[string][]string{"id": {w.id}, "reason": {"it is well again"}})
	done := strings.HasSuffix(answer.Header().Get("Location"), "done=1&of=1")
	none := strings.HasSuffix(answer.Header().Get("Location"), "done=0&of=1")
	switch {
	case w.role < core.Agent:
		if answer.Code != http.StatusForbidden {
			w.t.Fatalf("%s retries: %d", w.role, answer.Code)
		}
	case answer.Code != http.StatusSeeOther || done != may || none == may:
		w.t.Fatalf("%s in %s may retry: %v; of many: %d %q", w.role, w.played.kind, may, answer.Code, answer.Header().Get("Location"))
	case may:
		w.new()
	}
}

// TestPagesAreWhatTheCoreAllows holds pages to the core: in every kind of state that
// thousands of played requests come into, and for every role, an act's form is on the
// page with its systems, grounds, holds and tasks exactly where [core.State.Allowed] has
// its verb; what it has is done when it is sent, and what it hasn't is refused, and
// nothing happens.
func TestPagesAreWhatTheCoreAllows(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	d.systems = []string{"s", "t"}
	d.open()
	offered, sent, refused := map[core.Verb]int{}, map[core.Verb]int{}, map[core.Verb]int{}
	met := playedStates(200, d.book)
	for _, p := range met {
		d.mu.Lock()
		d.now = p.now
		d.mu.Unlock()
		for _, role := range readers {
			w := &walker{t: t, d: d, played: p, role: role}
			w.new()
			allowed := w.state().Allowed(role, d.book, p.now)
			page := d.call(d.as(role), "GET", "/requests/"+w.id, nil)
			if page.Code != http.StatusOK {
				t.Fatalf("the page of %s: %d", p.kind, page.Code)
			}
			got, want := formsOf(page.Body.String()), formsFor(allowed)
			if allowed.Has(core.VerbReveal) && uncorrected(w.state()) {
				want = append(want, form{act: "corrections"})
			}
			if diff := differ(got, want); diff != "" {
				t.Fatalf("the page of %s for %s: %s", p.kind, role, diff)
			}
			for _, c := range allowed {
				offered[c.Verb]++
			}
			w.exports(allowed)
			w.retriesWithOthers(allowed.Has(core.VerbRetry))
			for _, verb := range everyVerb {
				choice, may := allowed.Find(verb)
				for _, form := range w.tries(verb, choice) {
					code, happened := w.send(verb, form)
					switch {
					case may && (code != http.StatusSeeOther && code != http.StatusOK || !happened):
						t.Fatalf("%s by %s in %s is offered: %d, %v happened with %v", verb, role, p.kind, code, happened, form)
					case !may && (code != http.StatusForbidden && code != http.StatusConflict && code != http.StatusUnprocessableEntity || happened):
						t.Fatalf("%s by %s in %s isn't offered: %d, %v happened with %v", verb, role, p.kind, code, happened, form)
					case may:
						sent[verb]++
						w.new() // the next one finds it as it was
					default:
						refused[verb]++
					}
				}
			}
		}
	}
	for _, verb := range everyVerb {
		if offered[verb] == 0 || sent[verb] == 0 || refused[verb] == 0 {
			t.Errorf("%s was offered %d times, done %d and refused %d: the test proves nothing of it", verb, offered[verb], sent[verb], refused[verb])
		}
	}
	if len(met) < 40 {
		t.Errorf("only %d kinds of states were met", len(met))
	}
}

// everyVerb lists what can be done, as the core has it.
var everyVerb = core.Verbs()

// played is a state that a request came into, with the facts that led there.
type played struct {
	kind  string
	facts []core.Event
	now   time.Time
}

// playedStates plays requests and returns the first state of each kind: of each status,
// stage and awaited answer, and of each set of things that can be done there.
func playedStates(n int, book core.Calendar) []played {
	met := map[string]played{}
	var facts []core.Event
	coretest.PlayAll(n, func(s core.State, more []core.Event, now time.Time) {
		if !s.Exists() {
			facts = nil
		}
		facts = append(facts, more...)
		for _, f := range more {
			s = core.Evolve(s, f)
		}
		kind := fmt.Sprintf("%s, stage %s, awaited %q", s.Status, s.Stage, s.Awaited)
		for _, c := range s.Allowed(core.Officer, book, now) {
			if slices.Contains(marks, c.Verb) {
				kind += ", " + string(c.Verb)
			}
		}
		if _, ok := met[kind]; !ok {
			met[kind] = played{kind, slices.Clone(facts), now}
		}
	})
	return slices.SortedFunc(maps.Values(met), func(a, b played) int { return cmp.Compare(a.kind, b.kind) })
}

// marks are the verbs that tell states of one status apart.
var marks = []core.Verb{core.VerbAttest, core.VerbRetry, core.VerbAcceptPlan, core.VerbTryNow, core.VerbGatherAgain, core.VerbLift, core.VerbProveAgain, core.VerbSettleNotice, core.VerbGivePart, core.VerbSecond, core.VerbJudgeEarlier, core.VerbApprove, core.VerbRefuseField}

// walker acts on copies of a played request.
type walker struct {
	played
	t    *testing.T
	d    *desk
	role console.Role
	id   string
}

// new begins a copy, under an id of its own.
func (w *walker) new() { w.id = w.copy(w.facts) }

// copy appends facts of a played request under an id of its own, as one of the same person.
func (w *walker) copy(facts []core.Event) string {
	id := uuid.NewString()
	keys, err := w.d.vault.CreateKeys(context.Background(), id)
	if err != nil {
		w.t.Fatal(err)
	}
	sealed, err := keys.Seal([]byte(canary), vault.Identifier)
	if err != nil {
		w.t.Fatal(err)
	}
	a := journal.Append{RequestID: id}
	for _, f := range facts {
		if accepted, ok := f.(core.Accepted); ok {
			accepted.RequestID = id
			accepted.Identifiers = slices.Clone(accepted.Identifiers)
			accepted.Identifiers[0].Sealed, accepted.Identifiers[0].Fingerprint = sealed, w.d.vault.Fingerprint("email", canary)
			f = accepted
		}
		typ, data, err := core.Encode(f)
		if err != nil {
			w.t.Fatal(err)
		}
		a.Facts = append(a.Facts, journal.NewFact{Type: typ, At: w.now, Data: data})
	}
	if err := w.d.journal.Append(context.Background(), a); err != nil {
		w.t.Fatal(err)
	}
	return id
}

func (w *walker) state() core.State {
	s, err := w.d.requests.State(context.Background(), w.id)
	if err != nil {
		w.t.Fatal(err)
	}
	return s
}

// send sends a form, and tells whether a fact came of it.
func (w *walker) send(verb core.Verb, form url.Values) (code int, happened bool) {
	before := w.d.version(w.id)
	form.Set("reason", "because of ticket 4711")
	form.Set("acts", fmt.Sprint(w.d.acts(w.id)))
	path := "/requests/" + w.id + "/" + pathOf(verb)
	var answer *httptest.ResponseRecorder
	if verb == core.VerbAttest {
		answer = w.d.send(w.d.as(w.role), multipartForm(w.t, path, form))
	} else {
		answer = w.d.call(w.d.as(w.role), "POST", path, form)
	}
	return answer.Code, w.d.version(w.id) > before
}

// tries returns the forms that are sent: one of each thing that the act is offered for,
// and where it isn't offered, one of each thing that it could be about.
func (w *walker) tries(verb core.Verb, c core.Choice) (out []url.Values) {
	each := func(name string, values []string) {
		for _, v := range values {
			out = append(out, url.Values{name: {v}})
		}
	}
	s := w.state()
	if c.Verb == "" {
		c = core.Choice{Grounds: append([]string{core.NotProven}, s.Accepted.Terms.Refusals...), Holds: s.Holds}
		for _, sys := range s.Accepted.Systems {
			c.Systems = append(c.Systems, sys.Name)
		}
		for _, task := range s.Tasks {
			c.Tasks = append(c.Tasks, core.ManualTask{TaskState: *task, Outcomes: []dsar.Outcome{dsar.NothingFound}})
		}
		if len(c.Holds) == 0 {
			c.Holds = []core.Held{{System: "s"}}
		}
		c.Notices = []core.Notice{{Recipient: "r"}}
		c.Doubts = []core.Doubted{{RequestID: coretest.Other}}
		c.Parts = []core.RefusedPart{{System: "s", Dataset: "d"}}
	}
	switch verb {
	case core.VerbRetry, core.VerbAcceptPlan, core.VerbTryNow, core.VerbGatherAgain, core.VerbProveAgain:
		each("system", c.Systems)
	case core.VerbHold:
		for _, system := range c.Systems {
			if !slices.Contains(s.Holds, core.Held{System: system}) { // else it is on already, which is fine
				out = append(out, url.Values{"reach": {system}})
			}
		}
	case core.VerbSecond:
		asked := []core.Second{{Asked: 1}}
		if c.Verb != "" {
			asked = c.Seconds
		}
		for _, one := range asked {
			out = append(out, url.Values{"asked": {fmt.Sprint(one.Asked)}, "verdict": {"decline"}})
		}
	case core.VerbJudgeEarlier:
		for _, o := range c.Doubts {
			out = append(out, url.Values{"request": {o.RequestID}, "verdict": {"same"}}, url.Values{"request": {o.RequestID}, "verdict": {"another"}})
		}
	case core.VerbSettleNotice:
		for _, n := range c.Notices {
			out = append(out, url.Values{"recipient": {n.Recipient}, "status": {string(core.NoticeIsAnswered)}})
		}
	case core.VerbLift:
		for _, h := range c.Holds {
			out = append(out, url.Values{"system": {h.System}, "dataset": {h.Dataset}})
		}
	case core.VerbRefuse:
		each("ground", c.Grounds)
	case core.VerbRefusePart:
		ground := "rights-of-others"
		if len(c.Grounds) > 0 && c.Verb != "" {
			ground = c.Grounds[0]
		}
		out = append(out, url.Values{"system": {"s"}, "dataset": {"invoices"}, "ground": {ground}})
	case core.VerbRefuseField:
		ground := "rights-of-others"
		if len(c.Grounds) > 0 && c.Verb != "" {
			ground = c.Grounds[0]
		}
		system := "s"
		if len(c.Systems) > 0 && c.Verb != "" {
			system = c.Systems[0]
		}
		out = append(out, url.Values{"field": {system + "/invoices.note"}, "ground": {ground}})
	case core.VerbApprove:
		out = append(out, url.Values{})
	case core.VerbGivePart:
		for _, p := range c.Parts {
			out = append(out, url.Values{"system": {p.System}, "dataset": {p.Dataset}})
		}
	case core.VerbDecide:
		each("finding", []string{string(core.Dismissed)})
	case core.VerbAttest:
		for _, task := range c.Tasks {
			for _, outcome := range task.Outcomes {
				if outcome != dsar.Gathered { // that one comes with files
					out = append(out, url.Values{"system": {task.System}, "action": {string(task.Action)}, "outcome": {string(outcome)}})
				}
			}
		}
	case core.VerbJudgeProof:
		each("verdict", []string{"accept"})
	case core.VerbAskProof:
		each("check", []string{"identity", "guardian"})
	case core.VerbAssign:
		each("to", []string{"paul"})
	case core.VerbMerge:
		each("into", []string{w.copy(w.facts[:1])})
	default:
		out = append(out, url.Values{})
	}
	return out
}

// pathOf returns the end of the address at which an act is done.
func pathOf(verb core.Verb) string {
	if verb == core.VerbAttest {
		return "answer"
	}
	return string(verb)
}

// form is an act's form: what it is for, and what can be chosen in it.
type form struct{ act, choices string }

var (
	oneForm   = regexp.MustCompile(`(?s)<form method="post" action="/requests/[^/"]+/([a-z-]+)"[^>]*>(.*?)</form>`)
	oneChoice = regexp.MustCompile(`<select name="(\w+)"|<option value="([^"]*)"|<input type="(?:hidden|checkbox)" name="(system|dataset|action|recipient|request)" value="([^"]*)"`)
)

// formsOf reads the forms of a page.
func formsOf(page string) (out []form) {
	for _, f := range oneForm.FindAllStringSubmatch(page, -1) {
		one := form{act: f[1]}
		for _, c := range oneChoice.FindAllStringSubmatch(f[2], -1) {
			one.choices += strings.TrimSpace(c[1]+c[3]+"="+c[2]+c[4]) + "\n"
		}
		out = append(out, one)
	}
	return out
}

// uncorrected reports whether a correction has corrected nothing yet: whoever may see values
// can see what it would change.
func uncorrected(s core.State) bool {
	return s.Right == dsar.Rectification && !s.Status.Ended() && !slices.ContainsFunc(s.Tasks, func(t *core.TaskState) bool { return t.Action == dsar.Rectify && t.End.Outcome == dsar.Rectified })
}

// formsFor returns the forms that a page must have for what may be done.
func formsFor(allowed core.Choices) (out []form) {
	each := func(name string, values []string) (text string) {
		for _, v := range values {
			text += name + "=" + v + "\n"
		}
		return text
	}
	for _, c := range allowed {
		switch c.Verb {
		case core.VerbAttest:
			for _, task := range c.Tasks {
				text := "system=" + task.System + "\naction=" + string(task.Action) + "\noutcome=\n"
				for _, outcome := range task.Outcomes {
					text += "=" + string(outcome) + "\n"
				}
				out = append(out, form{"answer", text})
				if task.End.Code == dsar.CodeOthers && len(task.End.Objects) > 0 {
					out = append(out, form{"look", "system=" + task.System + "\n"})
				}
			}
		case core.VerbRetry, core.VerbAcceptPlan, core.VerbTryNow, core.VerbGatherAgain, core.VerbProveAgain:
			out = append(out, form{string(c.Verb), each("system", c.Systems)})
		case core.VerbHold:
			out = append(out, form{"hold", "reach=\n=\n" + each("", c.Systems)})
		case core.VerbSettleNotice:
			for _, n := range c.Notices {
				out = append(out, form{"settle-notice", "recipient=" + n.Recipient + "\nstatus=\n=" + string(core.NoticeIsSent) + "\n=" + string(core.NoticeIsAnswered) + "\n=" + string(core.NoticeIsExcused) + "\n"})
			}
		case core.VerbJudgeEarlier:
			for _, o := range c.Doubts {
				out = append(out, form{"judge-earlier", "request=" + o.RequestID + "\n"})
			}
		case core.VerbSecond:
			for range c.Seconds {
				out = append(out, form{act: "second"})
			}
		case core.VerbLift:
			for _, h := range c.Holds {
				out = append(out, form{"lift", "system=" + h.System + "\ndataset=" + h.Dataset + "\n"})
			}
		case core.VerbRefuse:
			out = append(out, form{"refuse", "ground=\n" + each("", c.Grounds)})
		case core.VerbRefusePart:
			out = append(out, form{"refuse-part", "system=\n" + each("", c.Systems) + "ground=\n" + each("", c.Grounds)})
		case core.VerbRefuseField:
			out = append(out, form{"refuse-field", "ground=\n" + each("", c.Grounds)})
		case core.VerbApprove:
			out = append(out, form{"approve", each("system", c.Systems)})
		case core.VerbGivePart:
			for _, p := range c.Parts {
				out = append(out, form{"give-part", "system=" + p.System + "\ndataset=" + p.Dataset + "\n"})
			}
		case core.VerbDecide:
			text := "finding=\n"
			for _, f := range c.Findings {
				text += "=" + string(f) + "\n"
			}
			out = append(out, form{"decide", text})
		default:
			out = append(out, form{act: string(c.Verb)})
		}
	}
	return out
}

// differ says which forms only one side has.
func differ(got, want []form) string {
	var out []string
	for _, f := range got {
		if i := slices.Index(want, f); i >= 0 {
			want = slices.Delete(slices.Clone(want), i, i+1)
		} else {
			out = append(out, fmt.Sprintf("it has %q, which the core doesn't allow", f))
		}
	}
	for _, f := range want {
		out = append(out, fmt.Sprintf("it lacks %q", f))
	}
	return strings.Join(out, "; ")
}
