package sqlsystem_test

import (
	"context"
	"database/sql"
	"fmt"
	"log"
	"os"
	"path/filepath"

	"habeas.dev/pkg/manifest"
	"habeas.dev/pkg/sqlsystem"
	"habeas.dev/pkg/worker"
	"habeas.dev/pkg/worker/workertest"
)

const shopManifest = `
system: shop
title: {en: Shop}
abilities: [gather, erase]
needs: [email]
sql: {}
datasets:
  - name: orders
    title: {en: Orders}
    category: commercial information
    origin: provided
    purpose: {en: To deliver}
    legal_basis: contract
    storage: {en: Ten years}
    columns: [{name: number}, {name: placed_on, type: date}]
    retention: [{ground: tax-records, source: Code de commerce, title: {en: Tax records}, column: placed_on, period: P10Y}]
    sql: {table: orders, key: [number], subject: {email: email}, erase: delete}
`

// shop makes a database of two orders, one of which must stay.
func shop(dir string) string {
	path := filepath.Join(dir, "shop.db")
	db, err := sql.Open("sqlite", path)
	if err != nil {
		log.Fatal(err)
	}
	defer db.Close()
	if _, err := db.Exec(`CREATE TABLE orders (number TEXT PRIMARY KEY, email TEXT, placed_on TEXT);
		INSERT INTO orders VALUES ('A-1', 'anna@example.com', '2001-05-01'), ('A-2', 'anna@example.com', '2999-01-01'), ('B-1', 'bob@example.com', '2001-01-01')`); err != nil {
		log.Fatal(err)
	}
	return path
}

// A system whose records lie in tables needs a manifest, and no code.
func Example() {
	dir, err := os.MkdirTemp("", "shop")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)
	m, err := manifest.Parse("shop.yaml", []byte(shopManifest))
	if err != nil {
		log.Fatal(err)
	}
	s, err := sqlsystem.Open(context.Background(), m, shop(dir))
	if err != nil {
		log.Fatal(err)
	}
	defer s.Close()
	w, err := worker.New(m, s)
	if err != nil {
		log.Fatal(err)
	}
	r := workertest.NewRequest(log.Default(), w, "ANNA@example.com")
	fmt.Println(r.Ask("gather"))
	for _, e := range r.Ask("plan").Plan {
		fmt.Println(e.Key, "must stay:", e.Keep)
	}
	fmt.Println(r.Ask("erase"))
	fmt.Println(r.Ask("prove"))
	// Output:
	// ended gathered; orders found 2 gathered 2
	// A-1 must stay: false
	// A-2 must stay: true
	// ended retained; orders found 2 erased 1 retained 1
	// ended proven; orders found 1 retained 1
}

// What doesn't fit the database is one line, before the first request.
func ExampleOpen() {
	dir, err := os.MkdirTemp("", "shop")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)
	m, err := manifest.Parse("shop.yaml", []byte(shopManifest))
	if err != nil {
		log.Fatal(err)
	}
	m.Datasets[0].SQL.Table = "sales"
	_, err = sqlsystem.Open(context.Background(), m, shop(dir))
	fmt.Println(err)
	// Output: shop.yaml:17: dataset orders: the database has no table "sales"; create it, or correct the name
}
