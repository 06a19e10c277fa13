package journal

import "habeas.dev/services/internal/core"

// Events returns what facts say, each as reads returns it.
func Events(facts []Fact, reads func(core.Event) (core.Event, error)) ([]core.Event, error) {
	events := make([]core.Event, len(facts))
	for i, f := range facts {
		e, err := core.Decode(f.Type, f.Data)
		if err == nil {
			e, err = reads(e)
		}
		if err != nil {
			return nil, err
		}
		events[i] = e
	}
	return events, nil
}
