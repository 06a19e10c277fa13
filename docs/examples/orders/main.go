// Orders is a worker from a manifest alone: what its system holds, where, and
// what must stay is in manifest.yaml.
package main

import (
	"context"
	_ "embed"
	"log"
	"os"
	"strings"

	"habeas.dev/pkg/manifest"
	"habeas.dev/pkg/sqlsystem"
	"habeas.dev/pkg/worker"
)

//go:embed manifest.yaml
var manifestYAML []byte

func main() {
	m, err := readManifest()
	if err == nil {
		err = worker.Main(context.Background(), os.Args[1:], m, func(ctx context.Context, s worker.Settings) (any, error) {
			return sqlsystem.Open(ctx, m, strings.TrimPrefix(s.DSN, "sqlite://"))
		})
	}
	if err != nil {
		log.Fatal(err)
	}
}

func readManifest() (*manifest.Manifest, error) { return manifest.Parse("manifest.yaml", manifestYAML) }
