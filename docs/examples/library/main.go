// Library is the worker of a lending library: Habeas asks it what it holds of a
// person, and to erase it.
package main

import (
	"context"
	_ "embed"
	"log"
	"os"

	"habeas.dev/pkg/manifest"
	"habeas.dev/pkg/worker"
)

//go:embed manifest.yaml
var manifestYAML []byte

func main() {
	m, err := readManifest()
	if err == nil {
		err = worker.Main(context.Background(), os.Args[1:], m, func(context.Context, worker.Settings) (any, error) {
			return NewLibrary(), nil
		})
	}
	if err != nil {
		log.Fatal(err)
	}
}

func readManifest() (*manifest.Manifest, error) { return manifest.Parse("manifest.yaml", manifestYAML) }
