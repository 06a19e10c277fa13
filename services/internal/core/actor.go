package core

import (
	"strings"
	"unicode/utf8"
)

// maxActor bounds the name and the identity of who acts, in bytes: together they fit
// what the schemas call by.
const (
	maxActorName = 120
	maxActorID   = 360
)

// Actor returns what facts call somebody who acts: their name, and in pointed brackets
// the identity that it rests on, which another person of the same name doesn't have: the
// issuer and the subject of who signed in, or [LocalUser] for a user of the machine. Both
// are held to a form: no brackets, no control characters, so many bytes (TestActor).
func Actor(name, id string) string {
	name, id = actorForm(name, maxActorName), actorForm(id, maxActorID)
	if name == "" {
		name = "nobody"
	}
	if id == "" {
		return name
	}
	return name + " <" + id + ">"
}

// ActorName returns the name of who acted, without the identity.
func ActorName(by string) string {
	if at := strings.LastIndex(by, " <"); at > 0 && strings.HasSuffix(by, ">") {
		return by[:at]
	}
	return by
}

// localUser begins the identity of a user of a machine.
const localUser = "local"

// LocalUser returns the identity of a user of a machine who hasn't signed in: nobody but the
// machine says who that is.
func LocalUser(host string) string {
	if host == "" {
		return localUser
	}
	return localUser + "@" + host
}

// LocalActor reports whether who acted hadn't signed in, and on which machine that was; empty
// where the fact doesn't say.
func LocalActor(by string) (host string, local bool) {
	id, ok := strings.CutSuffix(strings.TrimPrefix(strings.TrimPrefix(by, ActorName(by)), " <"), ">")
	if !ok {
		return "", false
	}
	if id == localUser {
		return "", true
	}
	return strings.CutPrefix(id, localUser+"@")
}

// actorForm drops what a name can't hold, and what is too long of it.
func actorForm(s string, most int) string {
	s = strings.Join(strings.FieldsFunc(Plain(s), func(r rune) bool { return r == '\n' || r == '<' || r == '>' }), "")
	for len(s) > most {
		_, size := utf8.DecodeLastRuneInString(s)
		s = s[:len(s)-size]
	}
	return strings.TrimSpace(s)
}
