package vendorapi_test

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"habeas.dev/pkg/vendorapi"
)

// TestStoreIsDown: without the store that holds the limits, nothing is called.
func TestStoreIsDown(t *testing.T) {
	t.Parallel()
	cl, calls := client(t, func(int, *http.Request) (*http.Response, error) { return answer(http.StatusOK, ""), nil },
		func(c *vendorapi.Config) { c.Host.Store = down{} })
	err := cl.Do(t.Context(), get)
	steers(t, err, "no-limits", false, 0)
	if calls.n.Load() != 0 || strings.Contains(err.Error(), "secret") {
		t.Errorf("%d calls; %v", calls.n.Load(), err)
	}
}

type down struct{}

func (down) Update(context.Context, string, func(time.Time, []byte) []byte) error {
	return errors.New("secret host is down")
}

func (down) Each(context.Context, func(time.Time, string, []byte) error) error { return nil }
