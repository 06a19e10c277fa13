package journal

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
)

// Head is a request's last fact at one moment: whatever the request's facts were until then
// is in its hash.
type Head struct {
	RequestID string
	Version   int
	Hash      []byte
}

// HeadsLink is one place of the list of heads: those of requests that changed since the one
// before.
type HeadsLink struct {
	Place int64  // from 1, without a gap
	Heads []byte // as [EncodeHeads] writes them
	Chain []byte
}

// HeadsEnd is the end of the list of heads.
type HeadsEnd struct {
	Size  int64
	Chain []byte // empty where there is none
	// Waiting is how many requests have changed and aren't in the list as they are.
	Waiting int64
}

// Heads keeps a list of the heads of all requests, which only grows, and each of whose places
// has in its hash all before it, by [NextHeads]. Who signs its end, and keeps that elsewhere,
// can tell later whether facts that were there by then were cut off, written anew or deleted.
// An append costs it one small row; what it lists is added by and by.
type Heads interface {
	// AddHeads adds a place with the heads of requests that have changed since they were
	// listed, at most [MaxHeads], and returns how many; 0: none has, and nothing is added.
	// Fewer than that doesn't say that no more have: one that has changed often is taken
	// with each of its changes. Several processes may call it at once.
	AddHeads(ctx context.Context) (int, error)
	// HeadsEnd returns the list's end.
	HeadsEnd(ctx context.Context) (HeadsEnd, error)
	// HeadsLinks returns the list from a place on, in order: at most limit places, and at
	// most [MaxHeadsLinks].
	HeadsLinks(ctx context.Context, from int64, limit int) ([]HeadsLink, error)
	// HeadsWaiting returns those of some requests that have changed and aren't listed as they
	// are, in any order. At most [MaxHeads] are asked for.
	HeadsWaiting(ctx context.Context, requestIDs []string) ([]string, error)
	// HeadsAstray returns those heads that the journal hasn't: their request, or its fact
	// of that version, isn't there, or its hash is another. At most [MaxHeads] are asked for.
	HeadsAstray(ctx context.Context, heads []Head) ([]Head, error)
}

const (
	// MaxHeads bounds the heads of one place, which is read as a whole.
	MaxHeads = 1000
	// MaxHeadsLinks bounds the places that are read at once.
	MaxHeadsLinks = 16
)

// HeadsLimit returns how many places are read.
func HeadsLimit(limit int) int {
	if limit <= 0 || limit > MaxHeadsLinks {
		return MaxHeadsLinks
	}
	return limit
}

// NextHeads returns the hash of a place of the list, which follows prev: SHA-256 over
// "habeas.journal.heads.v1", the previous hash (32 zero bytes before the first), the place as
// 8 bytes big-endian, and then its heads as [EncodeHeads] writes them.
func NextHeads(prev []byte, place int64, heads []byte) []byte {
	h := sha256.New()
	h.Write([]byte("habeas.journal.heads.v1"))
	if len(prev) == 0 {
		prev = make([]byte, HashSize)
	}
	h.Write(prev)
	h.Write(binary.BigEndian.AppendUint64(nil, uint64(place)))
	h.Write(heads)
	return h.Sum(nil)
}

// EncodeHeads writes heads one after the other: the id's length as 2 bytes big-endian, the id,
// the version as 4, and the hash.
func EncodeHeads(heads []Head) []byte {
	var b []byte
	for _, h := range heads {
		b = binary.BigEndian.AppendUint16(b, uint16(len(h.RequestID)))
		b = append(b, h.RequestID...)
		b = binary.BigEndian.AppendUint32(b, uint32(h.Version))
		b = append(b, h.Hash...)
	}
	return b
}

// DecodeHeads reads what EncodeHeads has written; false where it is something else.
func DecodeHeads(b []byte) (heads []Head, ok bool) {
	for len(b) > 0 {
		if len(b) < 2 {
			return nil, false
		}
		n := int(binary.BigEndian.Uint16(b))
		if b = b[2:]; len(b) < n+4+HashSize {
			return nil, false
		}
		heads = append(heads, Head{RequestID: string(b[:n]), Version: int(binary.BigEndian.Uint32(b[n:])), Hash: b[n+4 : n+4+HashSize]})
		b = b[n+4+HashSize:]
	}
	return heads, true
}
