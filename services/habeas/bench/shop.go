package bench

import (
	"context"
	"database/sql"
	_ "embed"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	_ "github.com/jackc/pgx/v5/stdlib" // the driver "pgx"
	_ "modernc.org/sqlite"             // the driver "sqlite"

	"habeas.dev/services/internal/config"
)

// The shop is the one system of the second load. A peer that connects to databases
// can be given the same tables and the same people.
var (
	//go:embed shop.yaml
	shopManifest []byte
	//go:embed shop.sql
	shopTables string
)

const (
	shopName = "shop"
	// shopRows is how many rows the six tables have of each person.
	shopRows = 20
	// seedBatch is how many people are written by one statement.
	seedBatch = 250
)

// shopEmail returns the address of a person of the shop, from 0.
func shopEmail(person int) string { return fmt.Sprintf("customer-%d@example.org", person) }

// makeShop writes the shop's manifest into dir, and its tables with so many people
// into the database: a PostgreSQL URL, or, where it is empty, a file of SQLite in
// dir. It returns the system as a configuration names it.
func makeShop(ctx context.Context, dir, database string, persons int) (config.System, error) {
	s := config.System{Manifest: filepath.Join(dir, shopName+".yaml"), DSN: database}
	if err := os.WriteFile(s.Manifest, shopManifest, 0o600); err != nil {
		return s, err
	}
	driver, dsn := "pgx", database
	if database == "" {
		driver, dsn = "sqlite", filepath.Join(dir, shopName+".db")
		s.DSN = "sqlite://" + filepath.ToSlash(dsn)
	}
	db, err := sql.Open(driver, dsn)
	if err != nil {
		return s, err
	}
	return s, errors.Join(fillShop(ctx, db, persons), db.Close())
}

// fillShop makes the tables and the people.
func fillShop(ctx context.Context, db *sql.DB, persons int) error {
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		return fmt.Errorf("the shop's database: %w", err)
	}
	defer tx.Rollback() //nolint:errcheck // committed, or the error is told
	if _, err := tx.ExecContext(ctx, shopTables); err != nil {
		return fmt.Errorf("the shop's tables: %w", err)
	}
	for first := 0; first < persons; first += seedBatch {
		for _, insert := range shopPeople(first, min(first+seedBatch, persons)) {
			if _, err := tx.ExecContext(ctx, insert); err != nil {
				return fmt.Errorf("the shop's people: %w", err)
			}
		}
	}
	return tx.Commit()
}

// shopPeople returns the statements that insert some people, each with one
// customer, two addresses, three orders of two items, three payments and five
// visits. All values are made here: none needs quoting.
func shopPeople(first, end int) []string {
	rows := map[string][]string{}
	add := func(table, format string, values ...any) {
		rows[table] = append(rows[table], fmt.Sprintf("("+format+")", values...))
	}
	for p := first; p < end; p++ {
		ref := fmt.Sprintf("'C%07d'", p)
		add("customers", "%s, '%s', 'Customer %d', '+3526210%05d', '2024-03-01 09:%02d:00'", ref, shopEmail(p), p, p, p%60)
		for n := range 2 {
			add("addresses", "%d, %s, '%d Example Street', 'Luxembourg', 'LU'", p*2+n, ref, p%200+n)
		}
		for n := range 3 {
			order := p*3 + n
			add("orders", "%d, %s, '2025-0%d-1%d 10:00:00', %d.50", order, ref, n+1, p%10, 20+n)
			add("payments", "%d, %d, %s, '2025-0%d-1%d 10:05:00', %d.50", order, order, ref, n+1, p%10, 20+n)
			for i := range 2 {
				add("order_items", "%d, %d, %s, 'Product %d', %d", order*2+i, order, ref, (p+i)%97, i+1)
			}
		}
		for n := range 5 {
			add("visits", "%d, %s, '2025-06-0%d 08:30:00', '/products/%d', '203.0.113.%d'", p*5+n, ref, n+1, (p+n)%97, p%256)
		}
	}
	var out []string
	for _, table := range []string{"customers", "addresses", "orders", "order_items", "payments", "visits"} { // what others point to first
		out = append(out, "INSERT INTO "+table+" VALUES "+strings.Join(rows[table], ", "))
	}
	return out
}
