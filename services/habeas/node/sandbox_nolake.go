//go:build !lake

package node

import (
	"context"
	"errors"

	"habeas.dev/services/internal/config"
	"habeas.dev/services/sandbox/people"
)

// lakes returns none: what writes lakes isn't in this program.
func lakes() []string { return nil }

func makeLake(context.Context, string, *people.Population, *config.Sandbox) (config.System, error) {
	return config.System{}, errors.New("the sandbox's system activity lies in a lake, which this program is built without: build it with -tags lake (make lake)")
}
