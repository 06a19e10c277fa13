package simulation

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"

	"habeas.dev/pkg/event"
	"habeas.dev/services/internal/journal"
)

// canary is in every personal value of the run: addresses, numbers, notes,
// corrections, and the texts of the vendors' errors. In lower case, as
// identifiers are normalised.
const canary = "kanarienvogel"

// spy reads everything that must not hold personal data.
type spy struct {
	canaries [][]byte // the canary, plain and in the ways in which bytes are written as text
	log      bytes.Buffer
	sent     map[string]int  // messages, by event id
	over     map[string]bool // messages of tasks that were no more to be done when they were to be carried
	facts    map[string][]byte
	order    map[string][]string // fact ids by request, as they were first published
}

func newCanaries() [][]byte {
	all := [][]byte{[]byte(canary), []byte(hex.EncodeToString([]byte(canary)))}
	for shift := range 3 {
		// What is the same in base64, whatever stands before and after.
		text := base64.StdEncoding.EncodeToString(append(make([]byte, shift), canary+"..."...))
		all = append(all, []byte(text[4:4+4*((len(canary)-3)/3)]))
	}
	return all
}

// look fails the run if personal data is in the open.
func (s *spy) look(w *simulation, where string, text []byte) {
	for _, c := range s.canaries {
		if bytes.Contains(text, c) {
			w.fail("%s holds personal data", where)
			return
		}
	}
}

// published reads a message that goes onto the bus.
func (s *spy) published(w *simulation, m journal.Message) {
	if m.Topic == event.TopicRequests {
		return // upstream's own words
	}
	s.look(w, "a message's key on "+m.Topic, []byte(m.Key))
	s.look(w, "a message on "+m.Topic, m.Payload)
	for _, v := range m.Headers {
		s.look(w, "a header on "+m.Topic, []byte(v))
	}
	if s.sent == nil {
		s.sent, s.facts, s.order = map[string]int{}, map[string][]byte{}, map[string][]string{}
	}
	id := m.Headers[event.HeaderID]
	if s.sent[id]++; s.sent[id] == 1 && m.Topic == event.TopicEvents {
		s.facts[id] = m.Payload
		s.order[m.Key] = append(s.order[m.Key], id)
	}
	if m.Topic == event.TopicRejected {
		var r event.Rejected
		w.must(unmarshal(m.Payload, &r))
		if r.Topic != event.TopicRequests || r.Code != "conflict" {
			w.fail("a good message was rejected: %s", m.Payload)
		}
	}
}

func unmarshal(data []byte, v any) error { return json.Unmarshal(data, v) }
