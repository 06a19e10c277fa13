// Package core is what happens to a request: a pure function from what is known
// and what is asked to the facts that follow.
//
// A request's [State] is the fold of its facts ([Event]) by [Evolve]; [Decide]
// says which facts follow from a [Command]. Neither has a clock, randomness, a
// context or I/O: time comes in with the command. The same facts always fold to
// the same state, and the same command on it always decides the same.
//
// # The life of a request
//
// A request is accepted once ([Submit]), then goes through the stages of its
// right ([Right.Stages]): an access is gathered and assembled; an erasure is
// planned, erased, proven (asked again) and assembled. A stage is
// over when every system has ended it. Within the first stage, systems that can
// find further identifiers are asked to resolve; a system is asked to act as
// soon as nobody who is still resolving could find an identifier that it needs.
// Erasing follows the order that the manifests declare.
//
// A worker ends a task with an [Outcome], fails it, parks it until a time, or
// says that it is still at it. A task that nothing is heard of is sent again
// when its lease is over: reports may be lost, doubled or late, and the request
// still ends once (TestSimulation in services, TestReportsInAnyOrder here).
// What can't go on by machine leaves the rest to go on; when nothing moves any
// more, the request needs attention ([AttentionNeeded]) until a person retries
// or cancels.
//
// A request that is overdue goes on exactly as before: the fact [Overdue] is
// recorded once, at the first [Tick] at or after the due date, and shows in
// [State] until the request ends. Being overdue never cancels, completes or
// shortens anything.
//
// [Wake] tells when the next [Tick] is due. Who runs the core keeps that time
// in its store; a lost tick is made up for by the next one.
package core
