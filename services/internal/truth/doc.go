// Package truth holds what Habeas says to a person against what is really there.
//
// Each run makes databases of random shape, with people who share numbers,
// records that lead to others, records that must stay, and foreign keys that
// reach further than they look. People then ask for access or erasure, and the
// real pipeline answers: intake, core, SDK, pkg/sqlsystem, vault, aggregator,
// bundle, with messages that come twice and reports that get lost. An oracle
// reads the databases by itself, knows from the seeding whose each row is, and
// never looks at a manifest: it holds every statement of every answer against
// the rows before and after. One false statement is a failure, with its seed.
//
// There is nothing here but tests:
//
//	go test ./services/internal/truth -runs=10000    more runs
//	go test ./services/internal/truth -seed=N         one run
//
// TestMutants proves that the oracle can see: each mutant breaks one promise of
// the worker, and must be caught within a few seeds.
package truth
