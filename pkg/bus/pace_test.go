package bus

import (
	"context"
	"testing"
	"testing/synctest"
	"time"
)

func TestPace(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := pace{every: 2 * time.Millisecond, burst: 20}
		turns := func(n int) time.Duration {
			began := time.Now()
			for range n {
				if err := p.wait(t.Context()); err != nil {
					t.Fatal(err)
				}
			}
			return time.Since(began)
		}
		if took := turns(20); took != 0 {
			t.Errorf("a burst took %v", took)
		}
		if took := turns(100); took != 200*time.Millisecond {
			t.Errorf("100 turns took %v", took)
		}
		time.Sleep(time.Hour)
		if took := turns(21); took != 2*time.Millisecond {
			t.Errorf("21 turns after an hour took %v", took)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
		defer cancel()
		if err := p.wait(ctx); err == nil {
			t.Error("it went on after its context")
		}
		if err := p.wait(ctx); err == nil {
			t.Error("it began after its context")
		}
	})
}
