package pgjournal

// SchemaVersion is what the program takes for the newest migration.
const SchemaVersion = schemaVersion

// Migrations are the migrations' files.
var Migrations = migrations
