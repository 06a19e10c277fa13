package memjournal

import (
	"bytes"
	"context"
	"time"

	"habeas.dev/services/internal/journal"
)

// proof is one that was begun.
type proof struct {
	journal.Proof
	tried int
	spent bool
}

// AddProof implements journal.Proofs.
func (s *Store) AddProof(ctx context.Context, p journal.Proof, l journal.ProofLimits) error {
	if err := journal.CheckProof(p); err != nil {
		return err
	}
	return s.call(ctx, OpNote, func() error {
		day, failed := 0, 0
		for id, other := range s.proofs {
			if other.At.Before(p.At.Add(-journal.ProofsKept)) {
				delete(s.proofs, id)
				continue
			}
			if other.Who != p.Who {
				continue
			}
			if other.At.After(p.At.Add(-24*time.Hour)) && id != p.ID {
				day++
			}
			if failed += other.tried; other.spent {
				failed--
			}
		}
		if day >= l.PerDay || failed >= l.Failed {
			return journal.ErrOften
		}
		if s.proofs == nil {
			s.proofs = map[string]*proof{}
		}
		if s.proofs[p.ID] == nil {
			s.proofs[p.ID] = &proof{Proof: p}
		}
		return nil
	})
}

// TryProof implements journal.Proofs.
func (s *Store) TryProof(ctx context.Context, id string, hash []byte, now time.Time) (spent, live bool, err error) {
	err = s.call(ctx, OpNote, func() error {
		p := s.proofs[id]
		if p == nil || p.spent || !p.Ends.After(now) || p.tried >= p.Tries {
			return nil
		}
		p.tried++
		p.spent = bytes.Equal(p.Hash, hash)
		spent, live = p.spent, true
		return nil
	})
	return spent, live, err
}
