package console

import (
	"net/http"
)

// Role is what somebody may do. Each may what the ones before it may.
type Role int

// The roles.
const (
	Nobody  Role = iota
	Viewer       // finds requests, and reads traces
	Agent        // acts on requests, and looks at what identifies the person
	Officer      // decides what the law leaves to a privacy officer: holds, refusals, plans that are too large
)

// The roles' names, in the configuration and on pages.
const (
	nameViewer  = "viewer"
	nameAgent   = "agent"
	nameOfficer = "privacy-officer"
)

// RoleOf returns the role of a name; Nobody for any other name.
func RoleOf(name string) Role {
	switch name {
	case nameViewer:
		return Viewer
	case nameAgent:
		return Agent
	case nameOfficer:
		return Officer
	default:
		return Nobody
	}
}

// String returns the role's name.
func (r Role) String() string { return [...]string{"nobody", nameViewer, nameAgent, nameOfficer}[r] }

// User is who is at the other end. Name is what the journal calls them by: the
// name that they sign in with, and no personal data of people whose requests
// these are.
type User struct {
	Name string
	Role Role
}

// SignIn tells who is at the other end.
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

// route is one page or call, and who may see or make it.
type route struct {
	pattern string
	role    Role
	serve   func(w http.ResponseWriter, r *http.Request, u User)
}

// routes lists everything that the console serves (TestWhoMayDoWhat).
func (c *Console) routes() []route {
	act := func(path string, role Role, a action) route {
		return route{"POST /requests/{id}/" + path, role, func(w http.ResponseWriter, r *http.Request, u User) { c.act(w, r, u, a) }}
	}
	many := func(name string, each together) route {
		return route{"POST /" + name, Agent, func(w http.ResponseWriter, r *http.Request, u User) { c.many(w, r, u, name, each) }}
	}
	return []route{
		{"GET /{$}", Viewer, c.list},
		{"POST /find", Viewer, c.find},
		many("retry", retryOne),
		many("assign", assignOne),
		{"GET /systems", Viewer, c.systems},
		{"POST /language", Viewer, c.setLanguage},
		{"GET /requests/{id}", Viewer, c.request},
		{"GET /requests/{id}/live", Viewer, c.live},
		{"GET /requests/{id}/trace.json", Viewer, c.export},
		{"POST /requests/{id}/reveal", Agent, c.reveal},
		{"POST /requests/{id}/answer", Agent, c.answer},
		act("retry", Agent, retry),
		act("accept-plan", Officer, acceptPlan),
		act("extend", Agent, extend),
		act("ask-proof", Agent, askProof),
		act("judge-proof", Agent, judgeProof),
		act("ask-clarification", Agent, askClarification),
		act("clarify", Agent, clarify),
		act("deliver", Agent, deliver),
		act("cancel", Agent, cancel),
		act("assign", Agent, assign),
		act("merge", Agent, merge),
		act("refuse", Officer, refuse),
		act("hold", Officer, hold),
		act("lift", Officer, lift),
	}
}

// guard serves a route to whoever has its role.
func (c *Console) guard(to route) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		u, ok := c.SignIn.User(w, r)
		switch {
		case !ok && r.Method == http.MethodGet && to.pattern != "GET /requests/{id}/live":
			c.SignIn.Begin(w, r, r.URL.RequestURI())
		case !ok:
			http.Error(w, say(languageOf(r), "your session is over: sign in again"), http.StatusUnauthorized)
		case u.Role < to.role:
			c.fail(w, r, u, http.StatusForbidden, "Your role doesn’t let you do this.")
		default:
			to.serve(w, r, u)
		}
	})
}
