package core

import (
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"time"
)

// Event is a fact of a request's life, as the journal keeps it. The set is closed:
// only this package has the types, each with what it changes, and [facts] lists
// them.
type Event interface {
	// When returns when it happened.
	When() time.Time
	// Who returns the person who did it, or [ByPolicy]; empty where nobody did.
	Who() string
	// evolve returns the state after the fact. It never fails and never judges.
	evolve(s State) State
}

// Moment is when something happened; a fact that no person makes embeds it.
type Moment struct {
	At time.Time `json:"at"`
}

// When implements Event.
func (m Moment) When() time.Time { return m.At }

// Who implements Event.
func (m Moment) Who() string { return "" }

// Act is what somebody did, and when; a fact that a person makes embeds it.
type Act struct {
	By     string    `json:"by"`
	Reason string    `json:"reason,omitempty"`
	At     time.Time `json:"at"`
}

// When implements Event.
func (a Act) When() time.Time { return a.At }

// Who implements Event.
func (a Act) Who() string { return a.By }

// ReasonedAct is an [Act] whose reason MUST be said.
type ReasonedAct struct {
	By     string    `json:"by"`
	Reason string    `json:"reason"`
	At     time.Time `json:"at"`
}

// When implements Event.
func (a ReasonedAct) When() time.Time { return a.At }

// Who implements Event.
func (a ReasonedAct) Who() string { return a.By }

// factType is one kind of fact: its name in the journal, and how it is read.
type factType struct {
	name   string
	goType reflect.Type
	decode func(data []byte) (Event, error)
}

// facts lists every kind of fact. On dsar.events the CloudEvent's type is "dsar." +
// name + ".v1". A name never changes: what a fact says is changed by a new name and
// an upcaster. A new fact is its type with what it changes and its row, in one of the
// files facts_*.go; its schema, with an example; and its sentence, in timeline.
var facts = slices.Concat(requestFacts, taskFacts, personFacts, holdFacts, erasureFacts, noticeFacts, callerFacts, endFacts, portalFacts, grievanceFacts, restoreFacts, systemFacts, secondFacts, doubtFacts, correctionFacts)

func fact[E Event](name string) factType {
	return factType{name, reflect.TypeFor[E](), func(data []byte) (Event, error) {
		var e E
		if err := json.Unmarshal(data, &e); err != nil {
			return nil, fmt.Errorf("core: decode %s: %w", name, err)
		}
		return e, nil
	}}
}

// byName and nameOf are [facts] by name, and the names by Go type.
var byName, nameOf = func() (map[string]factType, map[reflect.Type]string) {
	byName, nameOf := make(map[string]factType, len(facts)), make(map[reflect.Type]string, len(facts))
	for _, f := range facts {
		byName[f.name], nameOf[f.goType] = f, f.name
	}
	return byName, nameOf
}()

// FactTypes returns the Go type of every kind of fact by its name in the journal.
func FactTypes() map[string]reflect.Type {
	types := make(map[string]reflect.Type, len(facts))
	for _, f := range facts {
		types[f.name] = f.goType
	}
	return types
}

// TypeOf returns a fact's name in the journal. Every Event has one
// (TestEveryFactIsListed).
func TypeOf(e Event) string { return nameOf[reflect.TypeOf(e)] }

// Encode returns a fact's form in the journal: its type and its JSON.
func Encode(e Event) (typ string, data []byte, err error) {
	typ = TypeOf(e)
	data, err = json.Marshal(e)
	if err != nil {
		return "", nil, fmt.Errorf("core: encode %s: %w", typ, err)
	}
	return typ, data, nil
}

// Decode reads a fact of the journal. An unknown type is an error: a journal
// written by a newer Habeas must not be folded without what it says.
func Decode(typ string, data []byte) (Event, error) {
	f, known := byName[typ]
	if !known {
		return nil, fmt.Errorf("core: unknown fact %q; it was written by a newer version", typ)
	}
	return f.decode(data)
}
