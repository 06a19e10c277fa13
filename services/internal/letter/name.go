package letter

import (
	"strconv"

	"habeas.dev/services/internal/core"
)

// ObjectName returns the name of a letter's object in the outbox, by the fact that it is
// about, its kind and its language. A request has no folder of its own: to make one takes as
// long as the letter.
func ObjectName(requestID string, cause int, kind core.Letter, language string) string {
	return "letters/" + requestID + "." + strconv.Itoa(cause) + "-" + string(kind) + "." + language + ".txt"
}
