//go:build !lake

package systems

import (
	"context"
	"fmt"

	"habeas.dev/pkg/identifier"
	"habeas.dev/pkg/manifest"
	"habeas.dev/services/internal/config"
)

// openLake fails: what reads lakes isn't in this program (docs/adr/0039).
func openLake(_ context.Context, _ config.System, m *manifest.Manifest, _ identifier.Rules) (impl any, closer func() error, err error) {
	return nil, nil, fmt.Errorf("system %s: its records lie in a lake, and this program is built without what reads them: build it with -tags lake (make lake)", m.System)
}
