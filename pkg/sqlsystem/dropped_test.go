package sqlsystem

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"testing"

	"github.com/jackc/pgx/v5/pgconn"

	"habeas.dev/pkg/dsar"
)

// errVanished is what PostgreSQL says of a relation that somebody drops while its catalogue is
// read.
func errVanished() error {
	return fmt.Errorf("tables: %w", &pgconn.PgError{Code: "XX000", Message: "could not open relation with OID 21746"})
}

// TestDropped: a relation that somebody drops while the catalogue is read has it read
// anew, is told as passing, and is given up on in the end; nothing else is read twice.
func TestDropped(t *testing.T) {
	t.Parallel()
	vanished := errVanished()
	if reasonOf(vanished) != passing {
		t.Error("a relation that was dropped meanwhile isn't told as passing")
	}
	other := errors.New("no connection")
	for name, c := range map[string]struct {
		errs  []error // of each reading; the last one of all further ones
		want  error
		reads int
	}{
		"dropped once":    {[]error{vanished, nil}, nil, 2},
		"dropped always":  {[]error{vanished}, vanished, catalogueTries},
		"another error":   {[]error{other}, other, 1},
		"nothing happens": {[]error{nil}, nil, 1},
	} {
		reads := 0
		err := undropped(func() error {
			reads++
			return c.errs[min(reads, len(c.errs))-1]
		})
		if !errors.Is(err, c.want) || (err == nil) != (c.want == nil) || reads != c.reads {
			t.Errorf("%s: %v after %d readings", name, err, reads)
		}
	}
}

// TestDroppedInTransaction: a transaction in which a relation vanished is taken back and begun
// anew, for a batch and for each of it alone, without what it counted; in the end it is given up
// on.
func TestDroppedInTransaction(t *testing.T) {
	t.Parallel()
	everyDatabase(t, "CREATE TABLE people (id INTEGER PRIMARY KEY, email VARCHAR(100))", func(t *testing.T, d database) {
		s := open(t, d, small(t, "abilities: [gather, erase]\nneeds: [email]\nsql: {}", "people | table: people, key: [id], subject: {email: email}, erase: delete"))
		for name, c := range map[string]struct {
			vanishes int  // how many transactions fail so
			refuses  bool // of the batch, which is done one by one then
			fails    bool
		}{
			"once":                       {vanishes: 1},
			"as often as it is tried":    {vanishes: catalogueTries - 1},
			"always":                     {vanishes: catalogueTries, fails: true},
			"once, where one is refused": {vanishes: 1, refuses: true},
		} {
			d.run(t, "DELETE FROM people")
			jobs := jobsOf(dsar.Erasure, ids("email ann@example.com"), ids("email bob@example.com"))
			begun := 0
			err := s.transact(t.Context(), jobs, func(ctx context.Context, tx *sql.Tx, jobs []*counted, _ lacks) error {
				if c.refuses && len(jobs) > 1 {
					return &shortfall{s.datasets[0], deleting, 1, true}
				}
				begun++
				for _, j := range jobs {
					j.Counts = append(j.Counts, dsar.Counts{Dataset: "people", Erased: 1})
				}
				if _, err := tx.ExecContext(ctx, fmt.Sprintf("INSERT INTO people (id) VALUES (%d)", begun)); err != nil {
					return err
				}
				if begun <= c.vanishes {
					return errVanished()
				}
				return nil
			})
			if (err != nil) != c.fails || jobs[0].Err != nil || jobs[1].Err != nil {
				t.Errorf("%s: %v, %v, %v", name, err, jobs[0].Err, jobs[1].Err)
			}
			want := map[bool]int{false: 1}[c.fails]
			if len(jobs[0].Counts) != want || len(jobs[1].Counts) != want {
				t.Errorf("%s: counted %+v and %+v", name, jobs[0].Counts, jobs[1].Counts)
			}
			var kept []string
			for i := c.vanishes + 1; i <= begun; i++ {
				kept = append(kept, fmt.Sprint(i))
			}
			if got := d.column(t, "SELECT id FROM people ORDER BY id"); !slices.Equal(got, kept) || (len(kept) == 0) != c.fails {
				t.Errorf("%s: committed %v of %d, want %v", name, got, begun, kept)
			}
		}
	})
}
