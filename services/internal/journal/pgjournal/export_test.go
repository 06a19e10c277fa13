package pgjournal

import "time"

// SchemaVersion is what the program takes for the newest migration.
const SchemaVersion = schemaVersion

// Migrations are the migrations' files.
var Migrations = migrations

// SetSilence is for before the first Pending.
func SetSilence(s *Store, d time.Duration) { s.relay.silence = d }
