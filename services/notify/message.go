package notify

import (
	"fmt"
	"strings"
	"time"

	"github.com/google/uuid"
)

// maxListed bounds what one message lists; its totals count the rest.
const maxListed = 50

// Message is one message to people: what is new, and how things stand.
type Message struct {
	// ID identifies the message. It is the same whenever the message is delivered
	// again.
	ID string    `json:"id"`
	At time.Time `json:"at"`
	// New lists the matters that weren't told before, the most urgent first; Unlisted
	// counts those that the list has no room for.
	New      []Matter `json:"new"`
	Unlisted int      `json:"unlisted,omitempty"`
	// Totals counts all matters by kind, those that were told before included.
	Totals  []Total `json:"totals"`
	Console string  `json:"console,omitempty"`
}

// space is the UUID namespace of messages' ids.
var space = uuid.MustParse("5b1e8f0c-5c0b-4f4a-9d53-0f4f2d3a7c61")

func (n *Notifier) message(fresh []Matter, totals []Total, now time.Time) Message {
	var keys strings.Builder
	fmt.Fprintln(&keys, now.UnixMicro())
	for _, m := range fresh {
		fmt.Fprintln(&keys, m.key())
	}
	listed := fresh[:min(len(fresh), maxListed)]
	return Message{ID: uuid.NewSHA1(space, []byte(keys.String())).String(), At: now, New: listed, Unlisted: len(fresh) - len(listed), Totals: totals, Console: n.Console}
}
