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
// issuer and the subject of who signed in, or "local" for a user of the machine. Both
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

// actorForm drops what a name can't hold, and what is too long of it.
func actorForm(s string, most int) string {
	s = strings.Join(strings.FieldsFunc(strings.ToValidUTF8(s, ""), func(r rune) bool { return r < ' ' || r == 0x7f || r == '<' || r == '>' }), "")
	for len(s) > most {
		_, size := utf8.DecodeLastRuneInString(s)
		s = s[:len(s)-size]
	}
	return strings.TrimSpace(s)
}
