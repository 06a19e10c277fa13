// Package vault keeps what is personal: the sealed records of a request, and
// the keys that open them.
//
// Every request has a key set of its own: one key for small values
// ([Keys.Seal]), one for objects ([Vault.Create]). The key set lies in the
// bucket, wrapped by the master key. [Vault.Shred] destroys it, and with it everything
// that was ever sealed for that request, wherever copies of it lie: in the
// journal, in topics, in backups.
//
// The cryptography is Tink's (AES-256-GCM, AES-256-GCM-HKDF streaming) and the
// standard library's (the master key); this package binds every sealed thing to its
// request and its place, so that nothing can be moved and still open.
//
// # What callers rely on
//
// The conformance suite in vaulttest holds each of these, for every store:
//
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
