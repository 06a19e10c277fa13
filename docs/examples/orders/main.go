// Orders is a worker from a manifest alone: what its system holds, where, and
// what must stay is in manifest.yaml.
package main

import (
	"context"
	"database/sql"
	_ "embed"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"habeas.dev/pkg/bus"
	"habeas.dev/pkg/manifest"
	"habeas.dev/pkg/sqlsystem"
	"habeas.dev/pkg/vault"
	"habeas.dev/pkg/worker"
)

//go:embed manifest.yaml
var manifestYAML []byte

//go:embed schema.sql
var schema string

func main() {
	broker := flag.String("broker", "localhost:9092", "Kafka, as HOST:PORT")
	bucket := flag.String("vault", "/var/lib/habeas/vault", "the vault's folder")
	key := flag.String("key", "/etc/habeas/master.key", "the file of its master key")
	shop := flag.String("shop", "shop.db", "the shop's database; a new one is made where there is none")
	flag.Parse()
	if err := run(*broker, *bucket, *key, *shop); err != nil {
		fmt.Fprintln(os.Stderr, "orders:", err)
		os.Exit(1)
	}
}

func run(broker, bucket, key, shop string) error {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := openShop(ctx, shop); err != nil {
		return err
	}
	m, err := manifest.Parse("manifest.yaml", manifestYAML)
	if err != nil {
		return err
	}
	system, err := sqlsystem.Open(ctx, m, shop)
	if err != nil {
		return err
	}
	defer system.Close()
	w, err := worker.New(m, system)
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

// openShop makes the shop's database where there is none. sqlsystem brings the
// driver along.
func openShop(ctx context.Context, path string) error {
	if _, err := os.Stat(path); err == nil {
		return nil
	}
	db, err := sql.Open("sqlite", path)
	if err != nil {
		return err
	}
	defer db.Close()
	_, err = db.ExecContext(ctx, schema)
	return err
}
