// Package intake is the door: it takes requests in, over HTTP and from the
// topic dsar.requests, and answers both the same.
//
// A request that is taken in is checked to the last member, its identifiers and
// details are sealed under keys of its own, and it stands in the journal before
// the answer goes out. By itself, intake has a key that opens none of it ([Vault]). What can't be taken in is refused with a reason that
// names places and rules, and never quotes what was sent (TestCanary): over HTTP
// as problem details, from the topic as an event on dsar.rejected with the record
// sealed in it.
//
// A refusal is final: the same again is refused again. Everything else that goes
// wrong (the journal is down, the vault's disk is full) is an error that says
// try again, and MUST NOT lose or refuse a request (TestDownIsNotRefused).
package intake
