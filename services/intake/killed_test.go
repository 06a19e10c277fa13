package intake_test

import (
	"context"
	"errors"
	"testing"

	"habeas.dev/pkg/vault"
	"habeas.dev/services/intake"
	"habeas.dev/services/internal/core"
)

// killed is a journal before whose every append the intake is killed.
type killed struct{ intake.Requests }

var errKilled = errors.New("killed")

// Do implements intake.Requests.
func (killed) Do(context.Context, string, core.Command) (core.State, error) {
	return core.State{}, errKilled
}

// TestKilledBeforeTheJournal: an intake that is killed after it has made keys leaves them; the
// same request sent again is taken in by them, and once they were destroyed, as they are after a
// day, it is refused, by a code that says to use another id.
func TestKilledBeforeTheJournal(t *testing.T) {
	t.Parallel()
	for _, swept := range []bool{false, true} {
		w := newFixture(t)
		const id = "0192f0c1-0000-7000-8000-0000000000aa"
		data := text(t, request(with("request_id", id)))
		alive := w.Requests
		w.Requests = killed{alive}
		if _, err := w.Submit(t.Context(), data); !errors.Is(err, errKilled) {
			t.Fatal(err)
		}
		if _, err := w.vault.Keys(t.Context(), id); err != nil {
			t.Fatalf("it leaves no keys, and nothing is tested here: %v", err)
		}
		var want error
		if w.Requests = alive; swept {
			want = intake.ErrShredded
			must(t, w.vault.Shred(t.Context(), id))
		}
		if _, err := w.Submit(t.Context(), data); !errors.Is(err, want) {
			t.Errorf("swept %v: %v", swept, err)
		}
		if _, err := w.vault.Keys(t.Context(), id); errors.Is(err, vault.ErrShredded) != swept {
			t.Errorf("swept %v: %v", swept, err)
		}
	}
}
