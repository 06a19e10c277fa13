package sqlitejournal

import (
	"context"
	"fmt"
)

// LimitPages makes the file full at so many pages. The store must be at rest.
func (s *Store) LimitPages(n int) error {
	_, err := s.tx.conn.ExecContext(context.Background(), fmt.Sprintf("PRAGMA max_page_count = %d", n))
	return err
}

// SchemaVersion is what the program takes for the newest migration.
const SchemaVersion = schemaVersion

// Migrations are the migrations' files.
var Migrations = migrations
