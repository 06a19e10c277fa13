package event

import "fmt"

// Upcaster reads data of an old version of a type as the next one. It is pure
// and never fails on data that the old version's schema allows.
type Upcaster struct {
	From, To string // event types, e.g. dsar.request.submitted.v1 and .v2
	Up       func(data []byte) ([]byte, error)
}

// Upcasters are the ways from old versions to the present ones. There are none
// today: every type is at its first version. A type that gets a second one adds
// its way here, keeps the old schema, and no reader has to know both.
type Upcasters []Upcaster

// Read brings an event to the version that a reader wants: the data as it is
// where the type is wanted, else through one upcaster after the other. It fails
// with errUnknownVersion where no way leads there.
func (u Upcasters) Read(e Event, want string) (Event, error) {
	for range len(u) + 1 { // a way is never longer; ends a circle
		if e.Type == want {
			return e, nil
		}
		step, ok := u.from(e.Type)
		if !ok {
			break
		}
		data, err := step.Up(e.Data)
		if err != nil {
			return Event{}, fmt.Errorf("event: %s to %s: %w", step.From, step.To, err)
		}
		e.Type, e.Data = step.To, data
	}
	name, _, _ := splitType(want)
	if got, _, ok := splitType(e.Type); ok && got == name {
		return Event{}, fmt.Errorf("%w of %s: %s is read here", errUnknownVersion, name, want)
	}
	return Event{}, fmt.Errorf("%w: %s is read here", errUnknownType, want)
}

func (u Upcasters) from(typ string) (Upcaster, bool) {
	for _, step := range u {
		if step.From == typ {
			return step, true
		}
	}
	return Upcaster{}, false
}
