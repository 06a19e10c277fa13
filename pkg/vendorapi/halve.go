package vendorapi

import "habeas.dev/pkg/worker"

// maxHalvings bounds what it costs to find out who stands in the way of many: one
// among 250 takes eight.
const maxHalvings = 32

// Halve calls ask for all items together and, where its error may be about one of
// them, for halves of them, down to that one: what a vendor doesn't take of one
// person must not stand in the others' way. It returns an error that is of all of
// them; failed gets the items for which, on the way down, an error remains. Where
// many stand in the way, the rest is told to come again, when the others have been
// answered.
func Halve[T any](items []T, ask func([]T) error, ofOne func(error) bool, failed func([]T, error)) error {
	if len(items) == 0 {
		return nil
	}
	err := ask(items)
	if err == nil || len(items) == 1 || !ofOne(err) {
		return err
	}
	left := maxHalvings
	var split func([]T, error)
	split = func(some []T, err error) {
		if left--; left < 0 {
			failed(some, worker.Transient("others-first", "the vendor refuses to be asked for several people at once; they are asked for again without the others", err))
			return
		}
		for _, half := range [][]T{some[:len(some)/2], some[len(some)/2:]} {
			switch err := ask(half); {
			case err == nil:
			case len(half) == 1 || !ofOne(err):
				failed(half, err)
			default:
				split(half, err)
			}
		}
	}
	split(items, err)
	return nil
}
