package main

import (
	"path/filepath"
	"testing"

	"habeas.dev/pkg/manifest"
	"habeas.dev/pkg/sqlsystem"
	"habeas.dev/pkg/worker"
	"habeas.dev/pkg/worker/workertest"
)

// TestErasure asks the worker as Habeas will: old orders go, and those that tax law
// wants kept stay.
func TestErasure(t *testing.T) {
	shop := filepath.Join(t.TempDir(), "shop.db")
	if err := openShop(t.Context(), shop); err != nil {
		t.Fatal(err)
	}
	m, err := manifest.Parse("manifest.yaml", manifestYAML)
	if err != nil {
		t.Fatal(err)
	}
	system, err := sqlsystem.Open(t.Context(), m, shop)
	if err != nil {
		t.Fatal(err)
	}
	defer system.Close()
	w, err := worker.New(m, system)
	if err != nil {
		t.Fatal(err)
	}
	got := workertest.Ask(t, w, "erase", "anna@example.com")
	if c := got.Counts[0]; c.Erased != 1 || c.Kept() != 1 {
		t.Errorf("%v", got)
	}
}
