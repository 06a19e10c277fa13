package memjournal

import (
	"cmp"
	"context"
	"slices"

	"habeas.dev/services/internal/journal"
)

// Sizes implements journal.Sized: of requests and facts, which are what it keeps.
func (s *Store) Sizes(ctx context.Context) (sizes []journal.Size, err error) {
	all, err := s.Largest(ctx, -1)
	facts, requests := journal.Size{Table: "fact"}, journal.Size{Table: "request", Rows: int64(len(all))}
	for _, one := range all {
		facts.Rows += one.Facts
		facts.Bytes += one.Bytes
	}
	return []journal.Size{facts, requests}, err
}

// Largest implements journal.Sized.
func (s *Store) Largest(ctx context.Context, limit int) (all []journal.RequestSize, err error) {
	err = s.call(ctx, OpList, func() error {
		for id, r := range s.requests {
			one := journal.RequestSize{RequestID: id, Facts: int64(len(r.facts))}
			for _, f := range r.facts {
				one.Bytes += int64(len(f.Data) + len(f.Hash) + len(f.Type))
			}
			all = append(all, one)
		}
		slices.SortFunc(all, func(a, b journal.RequestSize) int {
			return cmp.Or(cmp.Compare(b.Bytes, a.Bytes), cmp.Compare(a.RequestID, b.RequestID))
		})
		if limit >= 0 {
			all = all[:min(limit, len(all))]
		}
		return nil
	})
	return all, err
}
