package vendorapi_test

import (
	"context"
	"errors"
	"net/http"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"habeas.dev/pkg/vendorapi"
)

// mortal is the store as a process sees it that may die.
type mortal struct {
	vendorapi.Store
	dead atomic.Bool
}

func (m *mortal) Update(ctx context.Context, account string, f func(time.Time, []byte) []byte) error {
	if m.dead.Load() {
		return errors.New("nobody is there any more")
	}
	return m.Store.Update(ctx, account, f)
}

// TestPlacesOfTheDead: a call that may last half an hour keeps its place for as long as it
// lasts, and no more than half a minute beyond its process.
func TestPlacesOfTheDead(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		store := vendorapi.MemoryStore(time.Now)
		process := &mortal{Store: store}
		of := func(s vendorapi.Store) func(*vendorapi.Config) {
			return func(c *vendorapi.Config) {
				c.Account, c.Timeout, c.Concurrent, c.Host.Store = "acme", 30*time.Minute, 1, s
			}
		}
		long, stop := context.WithCancel(t.Context())
		hangs, _ := client(t, func(_ int, r *http.Request) (*http.Response, error) {
			<-r.Context().Done()
			return nil, r.Context().Err()
		}, of(process))
		ended := make(chan struct{})
		go func() {
			defer close(ended)
			_ = hangs.Do(long, get) // what it comes to doesn't matter
		}()
		synctest.Wait()
		other, _ := client(t, func(int, *http.Request) (*http.Response, error) { return answer(http.StatusOK, ""), nil }, of(store))
		for range 10 { // some five minutes
			err := other.Do(t.Context(), get)
			steers(t, err, "busy", false, 5*time.Second)
		}
		process.dead.Store(true)
		died := time.Now()
		for other.Do(t.Context(), get) != nil {
			if time.Since(died) > time.Minute {
				t.Fatal("its place isn't given back")
			}
		}
		stop()
		<-ended
	})
}
