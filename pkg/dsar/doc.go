// Package dsar is the vocabulary that Habeas and the workers share: the rights,
// the actions that a system is asked for, the identifiers of a subject, and what
// is said of a task ([Task], [Report], [Outcome], [Counts]). It is data and its
// names; who decides what follows from it is Habeas itself.
//
// Stability: stable: a name that changes stands in the CHANGELOG.
package dsar
