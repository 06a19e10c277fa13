//go:build lake

package node

import (
	"cmp"
	"context"

	"habeas.dev/services/internal/config"
	"habeas.dev/services/sandbox/activitylake"
	"habeas.dev/services/sandbox/people"
)

// lakes returns the sandbox's systems that lie in lakes.
func lakes() []string { return []string{people.Activity} }

// makeLake makes the lake of activity, and says how to reach it.
func makeLake(ctx context.Context, dir string, p *people.Population, s *config.Sandbox) (config.System, error) {
	at, err := activitylake.Create(ctx, dir, p, s.Seed, cmp.Or(s.ActivityRows, activitylake.DefaultRows))
	return config.System{DSN: at.URL, Options: at.Properties}, err
}
