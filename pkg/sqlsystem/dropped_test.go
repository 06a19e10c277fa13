package sqlsystem

import (
	"errors"
	"fmt"
	"testing"

	"github.com/jackc/pgx/v5/pgconn"
)

// TestDropped: a relation that somebody drops while the catalogue is read has it read
// anew, is told as passing, and is given up on in the end; nothing else is read twice.
func TestDropped(t *testing.T) {
	t.Parallel()
	vanished := fmt.Errorf("tables: %w", &pgconn.PgError{Code: "XX000", Message: "could not open relation with OID 21746"})
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
