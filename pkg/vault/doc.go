// Package vault keeps what is personal: the sealed records of a request, and
// the keys that open them.
//
// Every request has two secrets of its own, its roots: one of what was gathered and
// of the answer, one of whom it is about and of what is planned. All keys come of them by
// HKDF: one for small values ([Keys.Seal]), one for the objects of each attempt of each
// action of each system ([Keys.ObjectKey]), which is all that a worker is given. The
// roots lie wrapped by the master key in a store of their own ([KeyStore]), apart from
// the objects. [Vault.End] destroys one, and with it everything that was ever sealed by
// what comes of it, wherever copies of that lie: in the journal, in topics, in backups.
//
// The cryptography is Tink's (AES-256-GCM-HKDF streaming) and the standard library's
// (AES-256-GCM, HKDF with SHA-256); this package binds every sealed thing to its
// request and its place, so that nothing can be moved and still open.
//
// # What callers rely on
//
// The conformance suite in vaulttest holds each of these, for every store:
//
//   - What comes of one root ends with it, and what comes of the other goes on
//     (RootsEndApart). The key of an attempt's objects opens and seals no others
//     (ScopesApart).
//   - A mark is left once (MarkedOnce).
//   - A key set is created once. Of many that create it at the same time, in
//     one process or in several, all MUST get the same one (CreatedOnce).
//   - A key set that was shredded MUST NOT open again nor be created again, in
//     the process that shredded it at once, in another one within [CacheTTL]
//     (Shredded, ShreddedElsewhere).
//   - An object is visible whole or not at all. Nothing of a writer that was
//     aborted, failed or died is ever read as an object (Atomic).
//   - A reader MUST see [ErrCorrupt] instead of [io.EOF] where an object was
//     changed, cut short or put in another's place (Tampered).
//   - No name in the store and no error holds anything of what was sealed
//     (Names).
//
// # Limits
//
// A power cut can lose objects that were committed in the last seconds (they
// are read as [ErrCorrupt] or [ErrNoObject]); it can't lose a key set or a
// shredding, which are synced to the disk before the call returns. What a
// store in the cloud promises is the cloud's.
//
// Stability: stable: a name that changes stands in the CHANGELOG.
package vault
