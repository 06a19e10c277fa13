package journal

import (
	"context"
	"fmt"
	"time"

	"habeas.dev/pkg/telemetry"
)

const (
	// MaxTries is how often a proof may be tried: enough for a slip of the finger, and one in
	// ten million for who guesses eight digits.
	MaxTries = 10
	// ProofsKept is how long proofs are remembered, so that tries count over days.
	ProofsKept = 30 * 24 * time.Hour
)

// ErrOften says that as many proofs were begun, or tries failed, as may be.
var ErrOften = telemetry.Constant("journal: too many proofs")

// Proof is something that a person is asked for once: a code that was mailed to them. Of it
// and of whom it asks only keyed hashes are kept.
type Proof struct {
	ID   string
	Who  string // a keyed hash of the mailbox, or another name for whom it asks
	Hash []byte // a keyed hash of what is right
	At   time.Time
	Ends time.Time
	// Tries is how often it may be tried, at most [MaxTries].
	Tries int
}

// ProofLimits bounds the proofs of one Who.
type ProofLimits struct {
	PerDay int // begun within a day
	Failed int // tries that failed within [ProofsKept]
}

// Proofs keeps what people are asked for once. What a proof is of MUST NOT be in it.
type Proofs interface {
	// AddProof begins a proof. ErrOften: there were as many as the limits allow, and nothing
	// is begun. One that has the same ID stays as it is.
	AddProof(ctx context.Context, p Proof, l ProofLimits) error
	// TryProof counts a try of a proof that is neither spent nor ended nor tried too often,
	// and spends it where the hash is the right one. Of two at the same time one spends it.
	// Live is false where the try didn't count.
	TryProof(ctx context.Context, id string, hash []byte, now time.Time) (spent, live bool, err error)
}

// CheckProof returns what is wrong with a proof, wrapped in [ErrInvalid].
func CheckProof(p Proof) error {
	if err := checkTime("a proof", p.At); err != nil {
		return err
	}
	if err := checkTime("a proof's end", p.Ends); err != nil {
		return err
	}
	if p.Tries < 1 || p.Tries > MaxTries || len(p.Hash) == 0 {
		return fmt.Errorf("%w: a proof with %d tries, and a hash of %d bytes", ErrInvalid, p.Tries, len(p.Hash))
	}
	if err := checkName("a proof's id", p.ID, true); err != nil {
		return err
	}
	return checkName("whom a proof asks", p.Who, true)
}
