package main

import (
	"database/sql"
	_ "embed"
	"path/filepath"
	"testing"

	"habeas.dev/pkg/sqlsystem"
	"habeas.dev/pkg/worker"
	"habeas.dev/pkg/worker/workertest"
)

//go:embed schema.sql
var schema string

// TestErasure asks the worker as Habeas will: old orders go, and those that tax law
// wants kept stay. The driver comes with sqlsystem.
func TestErasure(t *testing.T) {
	shop := filepath.Join(t.TempDir(), "shop.db")
	db, err := sql.Open("sqlite", shop)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if _, err := db.ExecContext(t.Context(), schema); err != nil {
		t.Fatal(err)
	}
	m, err := readManifest()
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
