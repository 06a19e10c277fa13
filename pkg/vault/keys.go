package vault

import (
	"bytes"
	"fmt"
	"sync"
	"sync/atomic"

	"encoding/json"

	"github.com/tink-crypto/tink-go/v2/aead"
	"github.com/tink-crypto/tink-go/v2/insecurecleartextkeyset"
	"github.com/tink-crypto/tink-go/v2/keyset"
	"github.com/tink-crypto/tink-go/v2/streamingaead"
	"github.com/tink-crypto/tink-go/v2/streamingaead/aesgcmhkdf"
	"github.com/tink-crypto/tink-go/v2/tink"
)

// Keys are the keys of one request. They are safe for use by many goroutines.
// Once the request was shredded by this process, they answer [ErrShredded];
// callers MUST NOT hold them longer than one piece of work, since a shredding
// by another process doesn't reach them.
type Keys struct {
	requestID string
	small     tink.AEAD
	stream    func() (tink.StreamingAEAD, error) // made when an object is long enough to need it
	shredded  atomic.Bool
}

// segmentBytes is the unit of a long object: what must be read before the first
// byte of it is trusted, and the memory that one reader or writer takes (twice).
const segmentBytes = 64 << 10

// keySet is what the master key wraps. Its request's id is in it, so that a
// key set can't be put in another's place.
type keySet struct {
	Version int    `json:"v"`
	Request string `json:"request"`
	Small   []byte `json:"small"`  // a Tink keyset, binary: AES-256-GCM
	Stream  []byte `json:"stream"` // a Tink keyset, binary: AES-256-GCM-HKDF, 64 KiB segments
}

const keySetVersion = 1

// newKeys makes fresh keys, and the form in which they are kept.
func newKeys(requestID string) (*Keys, []byte, error) {
	small, err := keyset.NewHandle(aead.AES256GCMKeyTemplate())
	if err != nil {
		return nil, nil, err
	}
	stream, err := newStreamKeyset()
	if err != nil {
		return nil, nil, err
	}
	set := keySet{Version: keySetVersion, Request: requestID}
	if set.Small, err = marshalKeyset(small); err != nil {
		return nil, nil, err
	}
	if set.Stream, err = marshalKeyset(stream); err != nil {
		return nil, nil, err
	}
	plain, err := json.Marshal(set)
	if err != nil {
		return nil, nil, err
	}
	k, err := set.open(small)
	return k, plain, err
}

// parseKeys opens the kept form.
func parseKeys(requestID string, plain []byte) (*Keys, error) {
	var set keySet
	if err := json.Unmarshal(plain, &set); err != nil || set.Version != keySetVersion || set.Request != requestID {
		return nil, ErrCorrupt
	}
	small, err := parseKeyset(set.Small)
	if err != nil {
		return nil, ErrCorrupt
	}
	return set.open(small)
}

func (s keySet) open(small *keyset.Handle) (*Keys, error) {
	a, err := aead.New(small)
	if err != nil {
		return nil, err
	}
	return &Keys{
		requestID: s.Request,
		small:     a,
		stream: sync.OnceValues(func() (tink.StreamingAEAD, error) {
			h, err := parseKeyset(s.Stream)
			if err != nil {
				return nil, ErrCorrupt
			}
			return streamingaead.New(h)
		}),
	}, nil
}

func newStreamKeyset() (*keyset.Handle, error) {
	params, err := aesgcmhkdf.NewParameters(aesgcmhkdf.ParametersOpts{
		KeySizeInBytes:        32,
		DerivedKeySizeInBytes: 32,
		HKDFHashType:          aesgcmhkdf.SHA256,
		SegmentSizeInBytes:    segmentBytes,
	})
	if err != nil {
		return nil, err
	}
	m := keyset.NewManager()
	id, err := m.AddNewKeyFromParameters(params)
	if err != nil {
		return nil, err
	}
	if err := m.SetPrimary(id); err != nil {
		return nil, err
	}
	return m.Handle()
}

// marshalKeyset returns a keyset in the clear, for the master key to wrap at once.
func marshalKeyset(h *keyset.Handle) ([]byte, error) {
	var b bytes.Buffer
	err := insecurecleartextkeyset.Write(h, keyset.NewBinaryWriter(&b))
	return b.Bytes(), err
}

func parseKeyset(b []byte) (*keyset.Handle, error) {
	return insecurecleartextkeyset.Read(keyset.NewBinaryReader(bytes.NewReader(b)))
}

// Seal seals a small value (it is held in memory, twice) as what it is, for this
// request. The result is 33 bytes longer.
func (k *Keys) Seal(plain []byte, kind Kind) ([]byte, error) {
	if k.shredded.Load() {
		return nil, k.errorf(ErrShredded)
	}
	if kind == (Kind{}) {
		return nil, k.errorf(errNoKind)
	}
	sealed, err := k.small.Encrypt(plain, k.bind("value", kind.word))
	if err != nil {
		return nil, k.errorf(err)
	}
	return sealed, nil
}

// Open opens what Seal sealed as the same kind for the same request; anything else
// is [ErrCorrupt].
func (k *Keys) Open(sealed []byte, kind Kind) ([]byte, error) {
	if k.shredded.Load() {
		return nil, k.errorf(ErrShredded)
	}
	plain, err := k.small.Decrypt(sealed, k.bind("value", kind.word))
	if err != nil {
		return nil, k.errorf(ErrCorrupt)
	}
	return plain, nil
}

// bind returns the associated data: kind and request hold no zero byte, so no two
// places share it.
func (k *Keys) bind(kind, place string) []byte {
	b := make([]byte, 0, len("habeas")+len(kind)+len(k.requestID)+len(place)+3)
	b = append(b, "habeas\x00"...)
	b = append(b, kind...)
	b = append(b, 0)
	b = append(b, k.requestID...)
	b = append(b, 0)
	return append(b, place...)
}

func (k *Keys) errorf(err error) error {
	return fmt.Errorf("vault: request %s: %w", k.requestID, err)
}
