package memjournal

import (
	"bytes"
	"context"
	"slices"

	"habeas.dev/services/internal/journal"
)

// AddHeads implements journal.Heads.
func (s *Store) AddHeads(ctx context.Context) (n int, err error) {
	err = s.call(ctx, OpNote, func() error {
		var heads []journal.Head
		for _, id := range s.unlisted[:min(len(s.unlisted), journal.MaxHeads)] {
			row := s.requests[id].row
			heads = append(heads, journal.Head{RequestID: id, Version: row.Version, Hash: row.Hash})
		}
		if n = len(heads); n == 0 {
			return nil
		}
		s.unlisted = slices.Clone(s.unlisted[n:])
		l := journal.HeadsLink{Place: int64(len(s.heads)) + 1, Heads: journal.EncodeHeads(heads)}
		l.Chain = journal.NextHeads(s.headsEnd().Chain, l.Place, l.Heads)
		s.heads = append(s.heads, l)
		return nil
	})
	return n, err
}

// HeadsEnd implements journal.Heads.
func (s *Store) HeadsEnd(ctx context.Context) (e journal.HeadsEnd, err error) {
	err = s.call(ctx, OpList, func() error {
		e = s.headsEnd()
		return nil
	})
	return e, err
}

func (s *Store) headsEnd() journal.HeadsEnd {
	e := journal.HeadsEnd{Size: int64(len(s.heads)), Waiting: int64(len(s.unlisted))}
	if e.Size > 0 {
		e.Chain = s.heads[e.Size-1].Chain
	}
	return e
}

// HeadsLinks implements journal.Heads.
func (s *Store) HeadsLinks(ctx context.Context, from int64, limit int) (list []journal.HeadsLink, err error) {
	err = s.call(ctx, OpList, func() error {
		list = slices.Clone(s.heads[min(max(from-1, 0), int64(len(s.heads))):])
		list = list[:min(len(list), journal.HeadsLimit(limit))]
		return nil
	})
	return list, err
}

// HeadsWaiting implements journal.Heads.
func (s *Store) HeadsWaiting(ctx context.Context, requestIDs []string) (waiting []string, err error) {
	err = s.call(ctx, OpList, func() error {
		for _, id := range requestIDs {
			if slices.Contains(s.unlisted, id) {
				waiting = append(waiting, id)
			}
		}
		return nil
	})
	return waiting, err
}

// HeadsAstray implements journal.Heads.
func (s *Store) HeadsAstray(ctx context.Context, heads []journal.Head) (astray []journal.Head, err error) {
	err = s.call(ctx, OpList, func() error {
		for _, h := range heads {
			r := s.requests[h.RequestID]
			if r == nil || h.Version < 1 || h.Version > len(r.facts) || !bytes.Equal(r.facts[h.Version-1].Hash, h.Hash) {
				astray = append(astray, h)
			}
		}
		return nil
	})
	return astray, err
}
