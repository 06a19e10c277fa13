package audit

import (
	"bytes"
	"context"
	"time"

	"habeas.dev/services/internal/journal"
	"habeas.dev/services/internal/receipt"
)

// signedWithin is within what time the first search's end is signed: coordinators do it every
// ten seconds.
const signedWithin = time.Minute

// searches walks the chain of the journal of searches, and holds its end against what was
// signed and mirrored.
func (a *audit) searches(ctx context.Context) error {
	signed, err := a.signedSearches(ctx)
	if err != nil {
		return err
	}
	head, err := a.Journal.SearchHead(ctx)
	if err != nil {
		return err
	}
	end, err := a.walk(ctx, head, signed)
	if err != nil {
		return err
	}
	switch {
	case end.Size < head.Size:
		a.find("search", "", "Searches %d to %d are missing: they were deleted.", end.Size+1, head.Size)
	case !bytes.Equal(end.Chain, head.Chain):
		a.find("search", "", "The end of the journal of searches was altered: it isn't that of its search %d.", end.Size)
	}
	more, err := a.Journal.SearchLinks(ctx, head.Size+1, 1)
	if err != nil {
		return err
	}
	if now, err := a.Journal.SearchHead(ctx); err != nil {
		return err
	} else if len(more) > 0 && now.Size == head.Size {
		a.find("search", "", "There are searches beyond the %d that are counted.", head.Size)
	}
	first, err := a.Journal.SearchLinks(ctx, 1, 1)
	if err != nil {
		return err
	}
	due := len(first) > 0 && first[0].At.Before(a.Now.Add(-signedWithin))
	for _, s := range signed {
		due = due || s.Size > 0 // elsewhere it was signed
	}
	for where, s := range signed {
		switch {
		case s.Size > head.Size:
			a.find("search", "", "There are %d searches, and %d were signed, as the %s says: they were cut off, or the journal was restored from an older copy.", head.Size, s.Size, where)
		case s.Size == 0 && head.Size > 0 && due:
			a.find("search", "", "The %s has no signed end of the journal of searches, which has %d: it was removed, or the log has never run.", where, head.Size)
		}
	}
	a.report.Searches, a.report.Unchained = end.Size, head.Unchained
	return nil
}

// signedSearches returns the ends that were signed, by where they are.
func (a *audit) signedSearches(ctx context.Context) (map[string]journal.SearchHead, error) {
	signed := map[string]journal.SearchHead{}
	if a.Log == nil {
		return signed, nil
	}
	add := func(where string, h journal.SearchHead, err error) error {
		if receipt.ErrNotSigned(err) {
			a.find("search", "", "The %s's end of the journal of searches isn't signed by the log's key.", where)
			return nil
		}
		signed[where] = h
		return err
	}
	h, err := receipt.ReadSearches(ctx, a.Journal, a.Log)
	if err := add("journal", h, err); err != nil || a.Mirror == nil {
		return signed, err
	}
	h, err = receipt.MirroredSearches(ctx, a.Mirror, a.Log)
	return signed, add("mirror", h, err)
}

// walk computes the chain anew up to its head, and returns where it ends.
func (a *audit) walk(ctx context.Context, head journal.SearchHead, signed map[string]journal.SearchHead) (end journal.SearchHead, err error) {
	for end.Size < head.Size {
		page, err := a.Journal.SearchLinks(ctx, end.Size+1, journal.MaxList)
		if err != nil || len(page) == 0 {
			return end, err
		}
		for _, l := range page {
			if l.Place > head.Size {
				return end, nil
			}
			whole := l.Place == end.Size+1 // the search before is there
			if !whole {
				a.find("search", "", "Searches %d to %d are missing: they were deleted.", end.Size+1, l.Place-1)
			}
			if whole && !bytes.Equal(l.Chain, journal.NextSearch(end.Chain, l.Place, l.Search)) {
				a.find("search", "", "Search %d was altered, or put in the place of another.", l.Place)
			}
			end.Size, end.Chain = l.Place, l.Chain
			for where, s := range signed {
				if s.Size == l.Place && !bytes.Equal(s.Chain, l.Chain) {
					a.find("search", "", "The first %d searches aren't those that were signed, as the %s says: they were written anew.", s.Size, where)
				}
			}
			if a.export != nil {
				if err := a.export.search(l); err != nil {
					return end, err
				}
			}
		}
	}
	return end, nil
}
