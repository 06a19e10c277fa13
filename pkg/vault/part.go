package vault

import (
	"crypto/cipher"
	"crypto/hpke"
)

// part is what the holder of a sealing key has of a request: the keys of its own
// fingerprints and digests, and a public half to which values are sealed. None of it opens
// anything. It lies beside the request's subject root, and ends with that.
type part struct {
	fingerprints, digests []byte
	public                hpke.PublicKey
}

// partOf returns a request's part, which comes of its subject root.
func partOf(requestID string, secret []byte) part {
	return part{
		fingerprints: derive(secret, fingerprints, requestID), digests: derive(secret, digests, requestID),
		public: valuesHalf(derive(secret, "values", requestID)).PublicKey(),
	}
}

// valuesHalf returns the private half of what opens small values: it comes of their secret,
// so that whoever has that opens both.
func valuesHalf(values []byte) hpke.PrivateKey { return privateHalf(derive(values, "half")) }

// seal returns the part as it lies in the key store.
func (p part) seal(by cipher.AEAD, requestID string) []byte {
	plain := make([]byte, 0, 2*rootBytes+halfBytes)
	plain = append(append(append(plain, p.fingerprints...), p.digests...), p.public.Bytes()...)
	return by.Seal(nil, nil, plain, bind("part", requestID, SubjectRoot.String()))
}

// openPart opens a part by one of several keys.
func openPart(by []cipher.AEAD, requestID string, sealed []byte) (part, error) {
	for _, k := range by {
		plain, err := k.Open(nil, nil, sealed, bind("part", requestID, SubjectRoot.String()))
		if err != nil || len(plain) != 2*rootBytes+halfBytes {
			continue
		}
		public, err := publicHalf(plain[2*rootBytes:])
		return part{fingerprints: plain[:rootBytes], digests: plain[rootBytes : 2*rootBytes], public: public}, err
	}
	return part{}, ErrNoPart
}

// key returns the key of a purpose.
func (p part) key(purpose string) []byte {
	if purpose == digests {
		return p.digests
	}
	return p.fingerprints
}

// The purposes of keyed hashes in a request.
const (
	fingerprints = "fingerprints"
	digests      = "digests"
)
