// Package link is what lies between the coordinator and one worker: a keyset that
// nobody else has ([Key]), by which every task and every report between the two is
// sealed, and nothing else is believed.
//
// A topic shows of such a message what it is about ([Envelope]); the rest is sealed, and
// bound to that, to its topic and to its direction, so that nothing of it can be changed,
// swapped or sent back. A task says until when it is good, and holds a nonce that its
// report repeats: only who was sent the task can report of it.
//
// What a task's worker may open of the vault comes in a [Grant]: an object of the vault,
// of which the task has the key. It is forgotten with its request.
//
// The coordinator's end of all links is a [Hub]; a worker's end is its key.
//
// Stability: none: Habeas' services and the SDK share it, and it changes with them.
package link
