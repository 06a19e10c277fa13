package sqlsystem

import "time"

const (
	// sqliteMaxParameters is SQLITE_MAX_VARIABLE_NUMBER: a statement with more
	// is refused.
	sqliteMaxParameters = 32766
	// postgresMaxElements bounds the array that stands for a list of
	// parameters in PostgreSQL. The protocol's limit of 65,535 parameters
	// doesn't hold for arrays; it is kept so that a plan stays one of index
	// look-ups.
	postgresMaxElements = 65535
	// mysqlMaxValues and mysqlKeys bound the lists in MariaDB: they are part of the
	// statement's text, which its max_allowed_packet bounds (16 MiB), and a range each.
	mysqlMaxValues = 20_000
	mysqlKeys      = 1_000
	// sparedParameters are those of a statement that aren't identifiers: dates
	// from which records are kept, and values that columns are set to.
	sparedParameters = 200

	// DefaultTimeout bounds a call for one batch, over all of its datasets. It
	// is the default lease of a task.
	DefaultTimeout = 10 * time.Minute

	// maxKeys bounds the keys of one statement: they are one parameter, which costs
	// memory on both sides.
	maxKeys = 50_000
	// maxWays bounds the ways from one dataset to other tables that are looked at; more
	// are refused.
	maxWays = 1000
	// maxSteps bounds how far rows are followed that refer to rows of their own table: a
	// statement joins as many tables.
	maxSteps = 30

	// maxLookups bounds the ways by which a dataset's rows are found: each is a part of
	// one statement, and a bit of a row's.
	maxLookups = 31

	// maxRounds bounds how often identifiers are looked up by others that the same
	// system found: a longer chain of tables isn't known.
	maxRounds = 16

	// maxConnections is how many connections [Open] makes: one for each batch
	// that a worker has out at once, and some for starting and stopping.
	maxConnections = 8
	// maxStatements bounds the prepared statements that are kept: for each
	// dataset and action one for each power of two of identifiers. Beyond it
	// they are prepared anew.
	maxStatements = 512
)
