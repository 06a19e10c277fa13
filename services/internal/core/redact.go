package core

// RedactReason is why somebody takes a value out of what a person is answered with.
type RedactReason string

// The reasons, each about other people (GDPR art. 15(4)).
const (
	RedactAnother    RedactReason = "another-person" // it is about somebody else
	RedactStaff      RedactReason = "staff"          // it is about one who works for the company
	RedactConfidence RedactReason = "in-confidence"  // somebody said it in confidence
)

// RedactReasons returns all of them.
func RedactReasons() []RedactReason {
	return []RedactReason{RedactAnother, RedactStaff, RedactConfidence}
}

// Redaction counts the values of a column that somebody has taken out, for one reason.
type Redaction struct {
	Dataset string       `json:"dataset"`
	Column  string       `json:"column"`
	Reason  RedactReason `json:"reason"`
	Values  int64        `json:"values"`
}
