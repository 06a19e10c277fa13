package ledger_test

import (
	"path/filepath"
	"strconv"
	"sync"
	"testing"
	"time"

	"habeas.dev/pkg/vendorapi/ledger"
)

// TestOpenedAtOnce: those that meet a new file together all get it, also while
// others let go of it, and no count is lost between them.
func TestOpenedAtOnce(t *testing.T) {
	t.Parallel()
	const files, each = 20, 8
	for i := range files {
		path := filepath.Join(t.TempDir(), strconv.Itoa(i)+".db")
		var all sync.WaitGroup
		for range each {
			all.Go(func() {
				s, err := ledger.Open(t.Context(), path)
				if err != nil {
					t.Error(err)
					return
				}
				if err := s.Update(t.Context(), "a", more); err != nil {
					t.Error(err)
				}
				if err := s.Close(); err != nil {
					t.Error(err)
				}
			})
		}
		all.Wait()
		s := open(t, path)
		if err := s.Update(t.Context(), "a", func(_ time.Time, state []byte) []byte {
			if len(state) != each {
				t.Errorf("%d of %d updates are there", len(state), each)
			}
			return state
		}); err != nil {
			t.Error(err)
		}
	}
}

func more(_ time.Time, state []byte) []byte { return append(state, 'x') }
