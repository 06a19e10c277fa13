package dsar

// IdentifierType names a kind of identifier: email, phone, account_id,
// customer_ref, cookie_id, tax_id, or one that a manifest declares.
// Lower-case letters, digits and underscores, at most 64. One that belongs to the
// system which finds it has that system's name and a dot before it: desk.user_id.
type IdentifierType string

// Assurance is why an identifier is believed to be the person's.
type Assurance string

// The assurances.
const (
	AssuranceClaimed  Assurance = "claimed"  // somebody says so
	AssuranceVerified Assurance = "verified" // an upstream system whose word is believed has checked it
	AssuranceProven   Assurance = "proven"   // the person proved it to us
	AssuranceFound    Assurance = "found"    // a system led to it, from one of those that aren't claimed
)

// Assurances lists them, the weakest first.
func Assurances() []Assurance {
	return []Assurance{AssuranceClaimed, AssuranceVerified, AssuranceProven, AssuranceFound}
}

// Identifier is one identifier of a subject as the journal and the topics may
// hold it: its value is sealed under the request's own key.
type Identifier struct {
	Type IdentifierType `json:"type"`
	// Fingerprint is the keyed hash of type and normalised value, in hex, by a key of the
	// request's own. Two identifiers of one request are the same if and only if their
	// fingerprints are; in another request they have others.
	Fingerprint string `json:"fingerprint"`
	// Sealed is the value, sealed under the request's key.
	Sealed []byte `json:"sealed"`
	// Assurance is why it is believed to be the person's. A worker MUST NOT be sent
	// one that is claimed with anything but restrict (TestClaimedIsNobody in core).
	Assurance Assurance `json:"assurance"`
	// FoundBy is the system that found it; empty where the request gave it.
	FoundBy string `json:"found_by,omitempty"`
	// From is the fingerprint of the identifier that it was found by.
	From string `json:"from,omitempty"`
}

// EarlierRequest stands for a system in [Identifier.FoundBy]: the identifier was known of
// the same person from a request of theirs that had to keep something.
const EarlierRequest = "earlier-request"

// Object names a sealed object in the vault: what one attempt of one task left
// there. It holds no personal data.
type Object struct {
	// Name is the object's path below the request's own prefix.
	Name string `json:"name"`
	// Bytes is the length of the plaintext.
	Bytes int64 `json:"bytes"`
	// Records is how many records it holds, over all datasets.
	Records int64 `json:"records"`
	// SHA256 is of the plaintext, in hex; empty where nobody needs it.
	SHA256 string `json:"sha256,omitempty"`
}
