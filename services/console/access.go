package console

import (
	"net/http"

	"habeas.dev/services/internal/core"
)

// Role is what somebody may do; the core says what.
type Role = core.Role

// The roles.
const (
	Nobody  = core.Nobody
	Viewer  = core.Viewer
	Agent   = core.Agent
	Officer = core.Officer
)

// RoleOf returns the role of a name; Nobody for any other name.
func RoleOf(name string) Role {
	for _, r := range []Role{Viewer, Agent, Officer} {
		if r.String() == name {
			return r
		}
	}
	return Nobody
}

// User is the person who uses the console. Name is what colleagues call them by: the
// name that they sign in with, and no personal data of people whose requests these are.
// ID is the identity that it rests on, which no other person has: issuer#subject.
type User struct {
	Name string
	Role Role
	ID   string
}

// By returns what facts call the user.
func (u User) By() string { return core.Actor(u.Name, u.ID) }

// SignIn identifies the person who uses the console.
type SignIn interface {
	// User is who sends a request; false where nobody has signed in, or the
	// session is over. It may renew the session's cookie.
	User(w http.ResponseWriter, r *http.Request) (User, bool)
	// Begin has somebody sign in, and come back to a page of the console.
	Begin(w http.ResponseWriter, r *http.Request, page string)
	// Routes are the calls that signing in and out needs.
	Routes() map[string]http.Handler
	// CanSignOut tells whether there is a session to end.
	CanSignOut() bool
}

// route is one page or call, and the role that it needs.
type route struct {
	pattern string
	role    Role
	serve   func(w http.ResponseWriter, r *http.Request, u User)
}

// routes lists everything that the console serves (TestWhoMayDoWhat).
func (c *Console) routes() []route {
	act := func(verb core.Verb, a action) route {
		return route{"POST /requests/{id}/" + string(verb), core.RoleFor(verb), func(w http.ResponseWriter, r *http.Request, u User) { c.act(w, r, u, verb, a) }}
	}
	many := func(verb core.Verb, each together) route {
		name := string(verb)
		return route{"POST /" + name, core.RoleFor(verb), func(w http.ResponseWriter, r *http.Request, u User) { c.many(w, r, u, name, each) }}
	}
	return []route{
		{"GET /{$}", Viewer, c.list},
		{"GET /requests.csv", Viewer, c.exportList},
		{"GET /new", Agent, c.whereTakenIn(c.newForm)},
		{"POST /new", Agent, c.whereTakenIn(c.takeIn)},
		{"POST /new/known", Agent, c.whereTakenIn(c.showKnown)},
		{"POST /find", Viewer, c.find},
		many(core.VerbRetry, retryOne),
		many(core.VerbAssign, assignOne),
		{"POST /retry-cause", Agent, c.retryCause},
		{"GET /systems", Viewer, c.systems},
		{"GET /figures", Viewer, c.figures},
		{"GET /overview", Officer, c.showOverview},
		{"GET /register", Officer, c.register},
		{"POST /language", Viewer, c.setLanguage},
		{"GET /requests/{id}", Viewer, c.request},
		{"GET /requests/{id}/live", Viewer, c.live},
		{"GET /requests/{id}/trace.json", Viewer, c.export},
		{"GET /requests/{id}/evidence.zip", Officer, c.packEvidence},
		{"GET /requests/{id}/letters/{cause}/{kind}", Viewer, c.readLetter},
		{"POST /requests/{id}/preview", Agent, c.previewLetter},
		{"POST /requests/{id}/reveal", core.RoleFor(core.VerbReveal), c.reveal},
		{"POST /requests/{id}/corrections", core.RoleFor(core.VerbReveal), c.showCorrections},
		{"POST /requests/{id}/open-plan", core.RoleFor(core.VerbOpenPlan), c.openPlan},
		{"POST /requests/{id}/new-passphrase", core.RoleFor(core.VerbNewPassphrase), c.newPassphrase},
		{"POST /requests/{id}/revoke-answer", core.RoleFor(core.VerbRevokeAnswer), c.revokeAnswer},
		{"POST /requests/{id}/sent", core.RoleFor(core.VerbReveal), c.showSent},
		{"POST /requests/{id}/answer", core.RoleFor(core.VerbAttest), c.answer},
		{"POST /requests/{id}/look", core.RoleFor(core.VerbReveal), c.look},
		{"POST /requests/{id}/redact", core.RoleFor(core.VerbAttest), c.redact},
		act(core.VerbSecond, second),
		act(core.VerbDecide, decide),
		act(core.VerbRetry, retry),
		act(core.VerbAcceptPlan, acceptPlan),
		act(core.VerbTryNow, retry),
		act(core.VerbGatherAgain, retry),
		act(core.VerbExtend, extend),
		act(core.VerbAskProof, askProof),
		act(core.VerbJudgeProof, judgeProof),
		act(core.VerbJudgeEarlier, judgeEarlier),
		act(core.VerbAskClarification, askClarification),
		act(core.VerbClarify, clarify),
		act(core.VerbDeliver, deliver),
		act(core.VerbProveAgain, proveAgain),
		act(core.VerbSettleNotice, settleNotice),
		act(core.VerbCancel, cancel),
		act(core.VerbAssign, assign),
		act(core.VerbNote, noteDown),
		act(core.VerbMerge, merge),
		act(core.VerbRefuse, refuse),
		act(core.VerbRefusePart, refusePart),
		act(core.VerbRefuseField, refuseField),
		act(core.VerbApprove, approve),
		act(core.VerbGivePart, givePart),
		act(core.VerbHold, hold),
		act(core.VerbLift, lift),
	}
}

// guard serves a route to users who have its role.
func (c *Console) guard(to route) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		u, ok := c.SignIn.User(w, r)
		switch {
		case !ok && r.Method == http.MethodGet && to.pattern != "GET /requests/{id}/live":
			c.SignIn.Begin(w, r, r.URL.RequestURI())
		case !ok:
			http.Error(w, languageOf(r).Say("your session is over: sign in again"), http.StatusUnauthorized)
		case u.Role < to.role:
			c.fail(w, r, u, http.StatusForbidden, "Your role doesn’t let you do this.")
		default:
			to.serve(w, r, u)
		}
	})
}
