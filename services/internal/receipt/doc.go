// Package receipt proves afterwards how a request ended, with tools that aren't ours.
//
// Each ended request, and each forgetting, is a leaf of a transparency log: a random
// number to whoever hasn't its receipt and salt. The log's tree is in the journal's
// database ([journal.Tree]); [Log] signs its checkpoints (c2sp.org/tlog-checkpoint), has
// witnesses cosign them, and mirrors leaves, tiles and checkpoints outside
// (c2sp.org/tlog-tiles) before any proof leaves (c2sp.org/tlog-proof). A journal that was
// restored from a backup takes in from the mirror what it lacks, and where it has gone
// another way already, nothing is signed: that needs a log of a new name.
package receipt
