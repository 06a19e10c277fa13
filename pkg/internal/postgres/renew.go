// Package postgres has what is common to those who connect to PostgreSQL.
package postgres

import (
	"context"

	"github.com/jackc/pgx/v5"
)

// Renew returns what reads a data source's files anew before each connection: its passfile,
// its authorities, its client certificate. What can't be read now leaves the connection with
// what was read before.
func Renew(source string) func(ctx context.Context, c *pgx.ConnConfig) error {
	return func(_ context.Context, c *pgx.ConnConfig) error {
		now, err := pgx.ParseConfig(source)
		if err != nil {
			return nil //nolint:nilerr // a file is being exchanged
		}
		c.Password, c.TLSConfig, c.Fallbacks = now.Password, now.TLSConfig, now.Fallbacks
		return nil
	}
}
