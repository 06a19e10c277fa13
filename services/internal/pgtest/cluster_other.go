//go:build !unix

package pgtest

import (
	"context"
	"errors"
	"net/url"
)

// cluster isn't built on this system.
type cluster struct{}

func newCluster(context.Context, []string) (*cluster, error) {
	return nil, errors.New("a cluster of the tests' own needs a Unix")
}

func (*cluster) url() *url.URL               { return nil }
func (*cluster) start(context.Context) error { return nil }
func (*cluster) stop(context.Context) error  { return nil }
func (*cluster) crash(context.Context) error { return nil }
func (*cluster) remove()                     {}
