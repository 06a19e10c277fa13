package vault

import (
	"encoding/binary"
	"errors"
	"strings"
)

// wrapped is a secret as it lies in the key store. In its plain form, the only one before
// v0.2.0, it is what the master key has made of it. In the other form wrappedMagic comes
// first, then one byte that says by what it is sealed, then the length of what others may
// read, that, and the sealed secret.
type wrapped struct {
	by byte
	// part is what the holder of a sealing key has of a request, sealed by that
	// ([Sealer]); of a sealing key itself its number, in the open. Empty where
	// there is neither.
	part   []byte
	sealed []byte
}

const (
	wrappedMagic = "habeas wrapped 1\n"

	byMaster = 1 // by the master key
	byPublic = 2 // to the public half of a sealing key, whose number comes first

	maxPart = 4 << 10
)

// parseWrapped reads what lies in the key store.
func parseWrapped(blob []byte) (wrapped, error) {
	rest, ok := strings.CutPrefix(string(blob), wrappedMagic)
	if !ok {
		return wrapped{by: byMaster, sealed: blob}, nil
	}
	if len(rest) < 3 || rest[0] != byMaster && rest[0] != byPublic {
		return wrapped{}, ErrCorrupt
	}
	n := int(binary.BigEndian.Uint16([]byte(rest[1:3])))
	if n > maxPart || len(rest) < 3+n {
		return wrapped{}, ErrCorrupt
	}
	return wrapped{by: rest[0], part: []byte(rest[3 : 3+n]), sealed: []byte(rest[3+n:])}, nil
}

// bytes returns it as it lies in the key store: in the plain form where that says all of it.
func (w wrapped) bytes() ([]byte, error) {
	if w.by == byMaster && len(w.part) == 0 {
		return w.sealed, nil
	}
	if len(w.part) > maxPart {
		return nil, errors.New("vault: what a sealing key has of a request is too long")
	}
	out := make([]byte, 0, len(wrappedMagic)+3+len(w.part)+len(w.sealed))
	out = append(append(out, wrappedMagic...), w.by)
	out = binary.BigEndian.AppendUint16(out, uint16(len(w.part)))
	out = append(out, w.part...)
	return append(out, w.sealed...), nil
}
