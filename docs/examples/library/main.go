// Library is the worker of a lending library: Habeas asks it what it holds of a
// person, and to erase it.
package main

import (
	"context"
	_ "embed"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"habeas.dev/pkg/bus"
	"habeas.dev/pkg/manifest"
	"habeas.dev/pkg/vault"
	"habeas.dev/pkg/worker"
)

//go:embed manifest.yaml
var manifestYAML []byte

func readManifest() (*manifest.Manifest, error) { return manifest.Parse("manifest.yaml", manifestYAML) }

func main() {
	broker := flag.String("broker", "localhost:9092", "Kafka, as HOST:PORT")
	bucket := flag.String("vault", "/var/lib/habeas/vault", "the vault's folder")
	key := flag.String("key", "/etc/habeas/master.key", "the file of its master key")
	flag.Parse()
	if err := run(*broker, *bucket, *key); err != nil {
		fmt.Fprintln(os.Stderr, "library:", err)
		os.Exit(1)
	}
}

func run(broker, bucket, key string) error {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	m, err := readManifest()
	if err != nil {
		return err
	}
	w, err := worker.New(m, NewLibrary())
	if err != nil {
		return err
	}
	v, err := vault.Open(ctx, vault.Config{Bucket: bucket, Key: key})
	if err != nil {
		return err
	}
	defer v.Close()
	return w.Run(ctx, worker.Config{Kafka: bus.Files{Brokers: []string{broker}}, Vault: v})
}
