package receipt

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"

	"gocloud.dev/blob"
	"golang.org/x/mod/sumdb/note"

	"habeas.dev/services/internal/journal"
)

// The list of heads is mirrored with its signed end: of a journal that was restored from an older
// copy it so is known which requests lack facts (docs/adr/0056). Each file has as many places as
// are read of the journal at once; the last one is written anew as it grows.

// maxHeadsFile bounds a file of the mirrored list: places whose heads are as many as there may be.
const maxHeadsFile = journal.MaxHeadsLinks * (journal.MaxHeads*(2+journal.MaxName+4+journal.HashSize) + 4 + journal.HashSize)

func headsFile(n int64) string { return fmt.Sprintf("heads-list/%d", n) }

// headsFileOf returns which file a place is in, and the file's first place.
func headsFileOf(place int64) (n, first int64) {
	n = (place - 1) / journal.MaxHeadsLinks
	return n, n*journal.MaxHeadsLinks + 1
}

// mirrorHeads writes the places of the list of heads that follow one.
func (l *Log) mirrorHeads(ctx context.Context, after, to int64) error {
	for place := after + 1; place <= to; {
		n, first := headsFileOf(place)
		links, err := l.journal.HeadsLinks(ctx, first, journal.MaxHeadsLinks)
		if err != nil {
			return err
		}
		var b []byte
		for _, link := range links {
			b = binary.BigEndian.AppendUint32(b, uint32(len(link.Heads)))
			b = append(append(b, link.Heads...), link.Chain...)
		}
		if err := l.mirror.write(ctx, headsFile(n), b); err != nil {
			return err
		}
		place = first + journal.MaxHeadsLinks
	}
	return nil
}

// readHeads returns the places of one file of the mirrored list, from its first on; those that
// can be read.
func (m *mirror) readHeads(ctx context.Context, n int64) (links []journal.HeadsLink, err error) {
	b, err := m.readUpTo(ctx, headsFile(n), maxHeadsFile)
	if err != nil {
		return nil, err
	}
	for place := n*journal.MaxHeadsLinks + 1; len(b) >= 4; place++ {
		size := int(binary.BigEndian.Uint32(b))
		if b = b[4:]; size > len(b)-journal.HashSize {
			break
		}
		links = append(links, journal.HeadsLink{Place: place, Heads: b[:size], Chain: b[size : size+journal.HashSize]})
		b = b[size+journal.HashSize:]
	}
	return links, nil
}

// Beyond is what was listed of requests' heads, signed and mirrored, and the journal's list lacks.
type Beyond struct {
	// Has is how many places the journal's list has, and Signed how many were signed.
	Has, Signed int64
	// Heads are the last ones of each request in the places that it lacks.
	Heads []journal.Head
	// Unread is how many of those places the mirror hasn't, or not as they were signed: whose
	// heads they had nobody knows.
	Unread int64
}

// HeadsBeyond returns what the mirror's list of heads has beyond a journal's; a zero Beyond where
// the journal's goes on from the end that was signed, or none was. Nothing is believed but what
// the signed end has in its hash.
func HeadsBeyond(ctx context.Context, j journal.Heads, b *blob.Bucket, v note.Verifier) (out Beyond, err error) {
	signed, err := MirroredHeads(ctx, b, v)
	if err != nil || signed.Size == 0 {
		if ErrHeadsNotSigned(err) {
			err = nil // the audit names it
		}
		return out, err
	}
	has, err := j.HeadsEnd(ctx)
	if err != nil {
		return out, err
	}
	out = Beyond{Has: has.Size, Signed: signed.Size}
	w := walkBack{mirror: newMirror(b, v.Name()), last: map[string]bool{}}
	chain := signed.Chain
	for place := signed.Size; place > 0; place-- {
		if place <= has.Size {
			own, err := j.HeadsLinks(ctx, place, 1)
			if err != nil {
				return out, err
			}
			if len(own) == 1 && own[0].Place == place && bytes.Equal(own[0].Chain, chain) {
				if place == signed.Size {
					return Beyond{}, nil
				}
				break
			}
		}
		var ok bool
		if chain, ok, err = w.take(ctx, place, chain); err != nil {
			return out, err
		}
		if !ok {
			out.Unread = max(1, place-has.Size)
			break
		}
	}
	out.Heads = w.heads
	return out, nil
}

// walkBack reads the mirrored list from its end.
type walkBack struct {
	mirror *mirror
	heads  []journal.Head
	last   map[string]bool // requests whose last head is known
	file   int64           // which was read; from 1
	links  []journal.HeadsLink
}

// take takes the heads of a place whose chain is known, and returns the chain of the one before;
// false where it can't be read as it was signed.
func (w *walkBack) take(ctx context.Context, place int64, chain []byte) (prev []byte, ok bool, err error) {
	link, err := w.link(ctx, place)
	if err != nil || link == nil {
		return nil, false, err
	}
	if place > 1 {
		before, err := w.link(ctx, place-1)
		if err != nil || before == nil {
			return nil, false, err
		}
		prev = before.Chain
	}
	heads, ok := journal.DecodeHeads(link.Heads)
	if !ok || !bytes.Equal(journal.NextHeads(prev, place, link.Heads), chain) {
		return nil, false, nil
	}
	for _, h := range heads {
		if !w.last[h.RequestID] {
			w.last[h.RequestID] = true
			w.heads = append(w.heads, h)
		}
	}
	return prev, true, nil
}

func (w *walkBack) link(ctx context.Context, place int64) (*journal.HeadsLink, error) {
	n, first := headsFileOf(place)
	if w.file != n+1 {
		links, err := w.mirror.readHeads(ctx, n)
		if err != nil {
			return nil, err
		}
		w.file, w.links = n+1, links
	}
	if i := place - first; i < int64(len(w.links)) {
		return &w.links[i], nil
	}
	return nil, nil
}
