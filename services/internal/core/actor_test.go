package core_test

import (
	"strings"
	"testing"
	"unicode/utf8"

	"pgregory.net/rapid"

	"habeas.dev/services/internal/core"
)

// TestActor: whatever somebody is called, it fits a fact, and the name can be told from
// the identity, which nobody gets by their name.
func TestActor(t *testing.T) {
	t.Parallel()
	const lea = "https://login.example.com#00u1"
	if by := core.Actor("lea", lea); by != "lea <"+lea+">" || core.ActorName(by) != "lea" {
		t.Errorf("%q", by)
	}
	for _, plain := range []string{"lea", "", "policy", "a <", "<b>"} {
		if got := core.ActorName(plain); got != plain {
			t.Errorf("%q is %q", plain, got)
		}
	}
	for by, want := range map[string]string{"paul <local>": "", "paul <local@desk>": "desk", core.Actor("paul", core.LocalUser("a>b")): "ab"} {
		if host, local := core.LocalActor(by); !local || host != want {
			t.Errorf("%q: %q, %v", by, host, local)
		}
	}
	for _, by := range []string{"lea <" + lea + ">", "local", "local@desk", "", "a <locally>", core.Actor("lea <local>", lea)} {
		if _, local := core.LocalActor(by); local {
			t.Errorf("%q is no user of a machine", by)
		}
	}
	if by := core.Actor("paul\u202e\x1b", lea); by != "paul <"+lea+">" {
		t.Errorf("%q", by)
	}
	if by := core.Actor("paul <"+lea+">", "https://login.example.com#00u2"); strings.Contains(by, "<"+lea) {
		t.Errorf("by a name somebody is another: %q", by)
	}
	rapid.Check(t, func(t *rapid.T) {
		name, id := rapid.String().Draw(t, "name"), rapid.String().Draw(t, "id")
		by := core.Actor(name, id)
		if len(by) > 500 || by == "" || !utf8.ValidString(by) || strings.ContainsAny(by, "\n\x00") || strings.Count(by, "<") > 1 {
			t.Fatalf("%q", by)
		}
		if got := core.ActorName(by); !strings.HasPrefix(by, got) || strings.Contains(got, "<") {
			t.Fatalf("%q is %q", by, got)
		}
	})
}
