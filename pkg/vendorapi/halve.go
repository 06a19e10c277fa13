package vendorapi

import "habeas.dev/pkg/worker"

// maxHalvings bounds what it costs to find out who stands in the way of many: one
// among 250 takes eight.
const maxHalvings = 32

// Halve calls ask for all items together and, where its error may be about one of
// them, for halves of them, down to that one: what a vendor doesn't take of one
// person must not stand in the others' way. failed gets the items for which an
// error remains. Many who stand in the way are told to be asked for again, without
// the others, who have been answered by then.
func Halve[T any](items []T, ask func([]T) error, ofOne func(error) bool, failed func([]T, error)) {
	left := maxHalvings
	var in func([]T)
	in = func(some []T) {
		err := ask(some)
		switch {
		case err == nil:
		case len(some) < 2 || !ofOne(err):
			failed(some, err)
		case left == 0:
			failed(some, worker.Transient("others-first", "the vendor refuses to be asked for several people at once; they are asked for again without the others", err))
		default:
			left--
			in(some[:len(some)/2])
			in(some[len(some)/2:])
		}
	}
	if len(items) > 0 {
		in(items)
	}
}
