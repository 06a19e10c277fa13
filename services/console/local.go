package console

import (
	"net/http"

	"habeas.dev/services/internal/callers"
	"habeas.dev/services/internal/core"
)

// Local lets everyone in under one name: for the demo, on one's own machine. It
// answers on loopback only, and only by a loopback name: a page from elsewhere that
// has its own name resolve to this machine is refused (TestLocalIsLocal).
type Local struct{ Name string }

// User returns the same user for everyone on this machine.
func (l Local) User(_ http.ResponseWriter, r *http.Request) (User, bool) {
	if !callers.OnThisMachine(r) {
		return User{}, false
	}
	return User{Name: l.Name, Role: Officer, ID: core.LocalUser("")}, true
}

// Begin refuses: there is nothing to sign in to.
func (Local) Begin(w http.ResponseWriter, r *http.Request, _ string) {
	http.Error(w, languageOf(r).Say("this console answers on its own machine only, under localhost; configure sign-in for others"), http.StatusForbidden)
}

// Routes returns nothing.
func (Local) Routes() map[string]http.Handler { return nil }

// CanSignOut returns false.
func (Local) CanSignOut() bool { return false }
