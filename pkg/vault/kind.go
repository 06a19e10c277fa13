package vault

// Kind says what a small sealed value is. What was sealed as one kind opens as no
// other, nor for another request. The kinds are those below: a value of another
// can't be made outside of this package, and the zero Kind seals nothing.
type Kind struct {
	word string
	root Root
}

// The kinds. Their words are part of what is sealed: they never change.
var (
	// Identifier is the value of one of the subject's identifiers.
	Identifier = Kind{"identifier", SubjectRoot}
	// RequestDetails is what a request says beside its identifiers: what is to
	// be rectified, and to what.
	RequestDetails = Kind{"details", SubjectRoot}
	// ReportDetail is what a worker says of a case beside its code and reason: it
	// may quote what a system answered.
	ReportDetail = Kind{"detail", SubjectRoot}
	// Remark is what a person wrote into a fact in words of their own.
	Remark = Kind{"remark", SubjectRoot}
	// Letter is what was written to a person, once it was mailed.
	Letter = Kind{"letter", SubjectRoot}
	// Rejected is a message that wasn't taken in, as it came.
	Rejected = Kind{"rejected", SubjectRoot}
	// Receipt is what a request's receipt says, and the salt by which it is proven.
	Receipt = Kind{"receipt", SubjectRoot}
	// LaterBundleKey is the key of a bundle that is made after the records have ended: a
	// certificate of what had to stay before.
	LaterBundleKey = Kind{"later bundle", SubjectRoot}
	// BundleKey is the key that a bundle's file is encrypted with.
	BundleKey = Kind{"bundle", RecordsRoot}
)

// String returns the kind's word.
func (k Kind) String() string { return k.word }
