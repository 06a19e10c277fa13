package sqlsystem

import (
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"

	"habeas.dev/pkg/dsar"
	"habeas.dev/pkg/worker"
)

// TestSharedAtOnce: of two people who are erased at once, in transactions of their own, the last one
// takes what only their rows referred to: it neither stays with nobody's, nor is it said to.
func TestSharedAtOnce(t *testing.T) {
	t.Parallel()
	const schema = "CREATE TABLE places (id INTEGER PRIMARY KEY, name VARCHAR(20)); CREATE TABLE orders (id INTEGER PRIMARY KEY, user_id INTEGER, place INTEGER REFERENCES places (id))"
	everyDatabase(t, schema, func(t *testing.T, d database) {
		m := small(t, "abilities: [gather, erase]\nneeds: [user]\nsql: {}",
			"places | table: places, key: [id], via: [{table: orders, on: {id: place}}], subject: {user: orders.user_id}, unless_shared: [{table: orders, on: {place: id}}], erase: delete",
			"orders | table: orders, key: [id], subject: {user: user_id}, erase: delete")
		workers := []*System{open(t, d, m), open(t, d, m)}
		const places = 5
		for round := range 10 {
			for id := range places {
				d.insert(t, "places", id, "p")
				d.insert(t, "orders", 2*id, 1, id)
				d.insert(t, "orders", 2*id+1, 2, id)
			}
			var both sync.WaitGroup
			var told [2]dsar.Counts
			for i, s := range workers {
				both.Go(func() {
					for {
						jobs := jobsOf(dsar.Erasure, ids(fmt.Sprint("user ", i+1)))
						err := errors.Join(s.eraseAll(t.Context(), jobs), jobs[0].Err)
						var typed *worker.Error
						if errors.As(err, &typed) && !typed.Permanent() { // the other was in the way
							continue
						}
						if err != nil {
							t.Error(err)
							return
						}
						at := slices.IndexFunc(jobs[0].Counts, func(c dsar.Counts) bool { return c.Dataset == "places" })
						if at >= 0 {
							told[i] = jobs[0].Counts[at]
						}
						return
					}
				})
			}
			both.Wait()
			if left := d.column(t, "SELECT count(*) FROM places"); left[0] != "0" || told[0].Erased+told[1].Erased != places || told[0].Kept()+told[1].Kept() != places {
				t.Fatalf("round %d: %s places stay; told %+v", round, left[0], told)
			}
		}
	})
}
