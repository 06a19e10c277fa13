// Package truth holds what Habeas says to a person against what is really there.
//
// Each run makes databases of random shape, with people who share numbers, rows and
// households, records that lead to others, records that must stay, foreign keys that
// reach further than they look, triggers that refuse without a word. People then ask
// for access, erasure, restriction and so on, some of them by mandates that are
// forged, some with an address that isn't theirs; holds are put on; rows come, go and
// change owners between plan and erasure; years pass. The real pipeline answers:
// intake, core, SDK, pkg/sqlsystem, vault, aggregator, bundle, letters, with messages
// that come twice, reports that get lost, and workers that die between any two calls
// of their database. An oracle reads the databases by itself, knows from the seeding
// whose each row is, and never looks at a manifest: it holds every statement of every
// answer and letter against the rows before and after. One false statement is a
// failure, with its seed. TestVendorsTruth does the same with the vendors' stand-ins, and
// TestMeanwhile while an erasure of the same person is on the way.
//
// The tests named TestCase… are inputs that once had Habeas say what isn't so, each
// with others of its kind, on both databases.
//
// Apart from mutants, there is nothing here but tests:
//
//	go test ./services/internal/truth -run 'TestTruth$' -runs=10000     more runs
//	go test ./services/internal/truth -run 'TestTruth$' -from=20001     others
//	go test ./services/internal/truth -run 'TestTruth$' -seed=N         one run
//	go test ./services/internal/truth -run 'TestTruth$' -on PostgreSQL  on that
//
// TestMutants proves that the oracle can see: each mutant breaks one promise of
// the worker, and must be caught within a few seeds. The command mutants takes each
// rule out of the source itself.
package truth
