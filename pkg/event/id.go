package event

import (
	"strconv"
	"strings"

	"github.com/google/uuid"

	"habeas.dev/pkg/dsar"
)

// namespace is the UUID under which all ids of messages are made. It is a
// constant of the wire: with another one, what was sent before a restart and
// after it would no longer be the same.
//
// It is uuid.NewSHA1(uuid.NameSpaceURL, "https://habeas.dev/messages"), which
// TestNamespace checks.
var namespace = uuid.UUID{0xe0, 0x10, 0x6e, 0x08, 0xfc, 0x00, 0x5a, 0xed, 0xa3, 0xca, 0x3c, 0xe3, 0x65, 0x93, 0x49, 0xbc}

// ID returns a deterministic message id, a UUID of version 5 over its parts: who
// says the same thing twice says it under the same id, so that readers can drop the
// second. Parts are kept apart: ("a","bc") is not ("ab","c").
func ID(parts ...string) string {
	var b strings.Builder
	for _, p := range parts {
		b.WriteString(strconv.Itoa(len(p)))
		b.WriteByte(':')
		b.WriteString(p)
	}
	return uuid.NewSHA1(namespace, []byte(b.String())).String()
}

// TaskID returns the id of the message that sends a task for the nth time.
func TaskID(requestID, system string, action dsar.Action, attempt int) string {
	return ID(requestID, system, string(action), strconv.Itoa(attempt))
}

// ReportID returns the id of a report of one attempt. There is one report of each
// kind, except for progress, which n counts; n is 0 for the others.
func ReportID(requestID, system string, action dsar.Action, attempt int, kind dsar.ReportKind, n int) string {
	return ID(requestID, system, string(action), strconv.Itoa(attempt), string(kind), strconv.Itoa(n))
}

// FactID returns the id of the message that tells a fact of the journal.
func FactID(requestID string, version int) string {
	return ID(requestID, "fact", strconv.Itoa(version))
}
