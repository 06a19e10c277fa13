// Package statement has what an answer may say, and when.
//
// An answer to a person is a list of statements: each says one thing of the request, of a
// system or of a dataset, and names the facts of the journal that it rests on, by version
// and hash. Page, letters and certificate are rendered from them alone.
//
//	kinds.go       what can be said
//	conditions.go  when it may be said: every condition, in one file
//	evidence.go    what conditions look at: how tasks ended, what was read
//	erasure.go     how the numbers of an erasure add up
//	ask.go         what conditions ask of a system and a dataset
//	make.go        the one way to a statement
//	document.go    an answer: the statements, and what is needed to render them
//	read.go        answer.json as somebody else reads it
//
// Guarantees, each with the test that holds it:
//   - A statement MUST rest on at least one fact of which the hash is known; of all but
//     one of its facts it isn't made (TestNoFactNoStatement).
//   - A statement that says that nothing is there, or that everything is done, MUST NOT be
//     made while a task of what it speaks of is open, failed, or short of its plan, or
//     something is kept that it doesn't name (TestSweepingOnlyOnceAllIsOver).
//   - What renders an answer MUST NOT see the state of a request (TestRenderersSeeNoState).
//
// The package is pure: the standard library, pkg/dsar and the core; no clock, no
// randomness, no I/O.
package statement
