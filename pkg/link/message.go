package link

import (
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"time"

	"habeas.dev/pkg/dsar"
	"habeas.dev/pkg/event"
	"habeas.dev/pkg/telemetry"
)

// Envelope is the data of a task and of a report as a topic has them: what it is about,
// and the rest sealed.
type Envelope struct {
	RequestID string      `json:"request_id"`
	System    string      `json:"system"`
	Action    dsar.Action `json:"action"`
	Attempt   int         `json:"attempt"`
	Sealed    []byte      `json:"sealed"`
}

// direction tells a task from a report in what is bound.
type direction string

const (
	toWorker      direction = "task"
	toCoordinator direction = "report"
)

// bound returns the associated data: what the sealed part is bound to.
func (e Envelope) bound(d direction) []byte {
	topic := event.TopicReports
	if d == toWorker {
		topic = event.TopicTasks(e.System)
	}
	b := make([]byte, 0, 160)
	for _, part := range [...]string{"habeas link 1", topic, string(d), e.RequestID, e.System, string(e.Action)} {
		b = append(append(b, part...), 0)
	}
	return strconv.AppendInt(b, int64(e.Attempt), 10)
}

// Task is what a task's envelope has sealed.
type Task struct {
	Envelope `json:"-"`
	// Data is what to do: a dsar.Task without identifiers.
	Data json.RawMessage `json:"data,omitempty"`
	// Nonce is what its report MUST repeat.
	Nonce []byte `json:"nonce"`
	// Expires is when it is good no more; by then it is sent anew.
	Expires time.Time `json:"expires"`
	Grant   GrantRef  `json:"grant,omitzero"`
	// Lost says why there is no grant: one of the Lost… words.
	Lost string `json:"lost,omitempty"`
}

// Why a task comes without a grant.
const (
	LostShredded   = "shredded"   // the request's keys were destroyed
	LostNoKeys     = "no-keys"    // it has none
	LostUnreadable = "unreadable" // an identifier or a detail doesn't open
	LostFormer     = "former"     // an earlier erasure keeps records, and which can't be read any more
	LostHeld       = "held"       // a hold is on, and whom it concerns can't be read any more
)

// The errors by which a message isn't believed. Their texts hold nothing of it.
var (
	// ErrNotSealed says that a message isn't one of this link: its seal doesn't open.
	ErrNotSealed = telemetry.Constant("it is not sealed by the link key for what it says to be")
	// ErrExpired says that a task was good until before now.
	ErrExpired = telemetry.Constant("it has expired")
	// ErrNonce says that a report doesn't repeat what its task said.
	ErrNonce = telemetry.Constant("it doesn't repeat its task's nonce")
	// ErrNotPlain says that what was sealed isn't what it should be.
	ErrNotPlain = telemetry.Constant("what it has sealed can't be read")
)

// Skew is how far the clocks of coordinator and worker may be apart.
const Skew = 2 * time.Minute

// maxAttempt bounds an attempt, as schemas/ does.
const maxAttempt = 1_000_000

// Parse reads the open part of a message. What it says to be about has the form that it
// should have, and is believed only once the rest opens (TestStrangersNameNoFile).
func Parse(data []byte) (Envelope, error) {
	e, ok := parseJSON(data)
	if !ok {
		e = Envelope{}
		if err := json.Unmarshal(data, &e); err != nil { // the decoder's words may quote the data
			return e, errors.New("the data is no JSON of a sealed message")
		}
	}
	switch {
	case !dsar.ValidRequestID(e.RequestID):
		return e, errors.New("its request_id is none")
	case !dsar.ValidSystem(e.System):
		return e, errors.New("its system is no system's name")
	case e.Attempt < 1 || e.Attempt > maxAttempt || len(e.Sealed) == 0:
		return e, errors.New("it lacks attempt or seal")
	}
	return e, nil
}

// OpenTask opens a task that came. It is good until Expires, give or take [Skew].
func (k *Key) OpenTask(e Envelope, now time.Time) (Task, error) {
	plain, err := k.open(e.Sealed, e.bound(toWorker))
	if err != nil {
		return Task{}, ErrNotSealed
	}
	t := Task{Envelope: e}
	if err := unmarshal(plain, &t, &t.Data); err != nil {
		return Task{}, ErrNotPlain
	}
	if now.After(t.Expires.Add(Skew)) {
		return t, ErrExpired
	}
	return t, nil
}

// report is what a report's envelope has sealed.
type report struct {
	Data  json.RawMessage `json:"data,omitempty"`
	Nonce []byte          `json:"nonce,omitempty"`
}

// SealReport returns the data of a report of a task; data is a dsar.Report.
func (k *Key) SealReport(about Envelope, nonce []byte, data []byte) ([]byte, error) {
	plain, err := joined(data, report{Nonce: nonce})
	if err != nil {
		return nil, err
	}
	return k.sealed(about, toCoordinator, plain)
}

// sealed returns an envelope's JSON.
func (k *Key) sealed(about Envelope, d direction, plain []byte) ([]byte, error) {
	sealed, err := k.seal(plain, about.bound(d))
	if err != nil {
		return nil, fmt.Errorf("link: %w", err)
	}
	about.Sealed = sealed
	return about.appendJSON(nil), nil
}

// openReport opens a report that came.
func (k *Key) openReport(e Envelope) (report, error) {
	var r report
	plain, err := k.open(e.Sealed, e.bound(toCoordinator))
	if err != nil {
		return r, ErrNotSealed
	}
	if err := unmarshal(plain, &r, &r.Data); err != nil {
		return r, ErrNotPlain
	}
	return r, nil
}
