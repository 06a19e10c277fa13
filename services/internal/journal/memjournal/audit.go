package memjournal

import (
	"context"
	"slices"
)

// Fingerprints implements journal.Audited.
func (s *Store) Fingerprints(ctx context.Context, requestID string) (prints []string, err error) {
	err = s.call(ctx, OpList, func() error {
		for print, ids := range s.prints {
			if slices.Contains(ids, requestID) {
				prints = append(prints, print)
			}
		}
		slices.Sort(prints)
		return nil
	})
	return prints, err
}

// Strays implements journal.Audited. There can be none.
func (s *Store) Strays(ctx context.Context) (map[string]int64, error) {
	return map[string]int64{}, s.call(ctx, OpList, func() error { return nil })
}
