package memjournal

import (
	"cmp"
	"context"
	"slices"

	"habeas.dev/services/internal/journal"
)

// RequestKeys implements journal.Audited.
func (s *Store) RequestKeys(ctx context.Context, after int64, limit int) (keys []journal.RequestKey, err error) {
	err = s.call(ctx, OpList, func() error {
		for id, r := range s.requests {
			if int64(r.num) > after {
				keys = append(keys, journal.RequestKey{Num: int64(r.num), ID: id})
			}
		}
		slices.SortFunc(keys, func(a, b journal.RequestKey) int { return cmp.Compare(a.Num, b.Num) })
		keys = keys[:min(len(keys), journal.Filter{Limit: limit}.ListLimit())]
		return nil
	})
	return keys, err
}

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

// Reshaped implements journal.Audited. There is no schema.
func (s *Store) Reshaped(ctx context.Context) ([]string, error) {
	return nil, s.call(ctx, OpList, func() error { return nil })
}

// Strays implements journal.Audited. There can be none.
func (s *Store) Strays(ctx context.Context) (map[string]int64, error) {
	return map[string]int64{}, s.call(ctx, OpList, func() error { return nil })
}
