package link

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/tink-crypto/tink-go/v2/aead"
	"github.com/tink-crypto/tink-go/v2/insecurecleartextkeyset"
	"github.com/tink-crypto/tink-go/v2/keyset"
	"github.com/tink-crypto/tink-go/v2/tink"

	"habeas.dev/pkg/internal/secretfile"
	"habeas.dev/pkg/telemetry"
)

// Key is the keyset of one worker's link, shared by it and the coordinator alone. It is
// safe for many goroutines.
//
// A keyset has a key that seals, and others that only open: the one before, and the one
// after. [Rotate] moves on by one, so that whoever still has the file of the last
// rotation opens what is sealed by this one's, and the other way round
// (TestRotationWhileItIsSpread).
type Key struct {
	path string // of the file that it is read from again; empty: of none

	mu     sync.RWMutex
	aead   tink.AEAD
	text   []byte    // the file's content
	looked time.Time // when the file was last read
}

const (
	// maxKeyset is far above a keyset of three keys.
	maxKeyset = 64 << 10
	// lookEvery bounds how often the file is read again because something didn't open:
	// anybody who can write to a topic can have it read.
	lookEvery = time.Second
	dirMode   = 0o700
)

// ErrNoKey says that there is no link key where one was looked for.
var ErrNoKey = telemetry.Constant("there is no link key: make it with habeas keys init, and put it there")

// NewKey makes a key that is in no file: for tests, and for programs of one process.
func NewKey() *Key {
	text, err := fresh()
	if err != nil {
		panic(err) // making a keyset of random bytes doesn't fail
	}
	k := &Key{}
	if err := k.use(text); err != nil {
		panic(err)
	}
	return k
}

// Open reads a key from its file; [ErrNoKey] where there is none. The file is read again
// when something doesn't open, so that a rotation needs no restart.
func Open(path string) (*Key, error) {
	k := &Key{path: path}
	text, err := read(path)
	if err != nil {
		return nil, err
	}
	return k, k.use(text)
}

// Create makes a key's file where there is none, readable by its owner only. Of many
// that make it at the same time, all get the same one.
func Create(path string) (made bool, err error) {
	if _, err := os.Stat(path); err == nil {
		return false, nil
	}
	text, err := fresh()
	if err != nil {
		return false, fmt.Errorf("link: %w", err)
	}
	err = place(path, text, os.Link)
	if errors.Is(err, fs.ErrExist) {
		return false, nil
	}
	return err == nil, err
}

// Rotate moves a key's file on by one: what was made to come next seals, what sealed only
// opens, what only opened is gone, and another is made to come next. Whoever holds a copy
// MUST have the new file before the next rotation.
func Rotate(path string) error {
	text, err := read(path)
	if err != nil {
		return err
	}
	h, err := parse(text)
	if err != nil {
		return fmt.Errorf("link: %s: %w", path, err)
	}
	m := keyset.NewManagerFromHandle(h)
	next, gone := uint32(0), uint32(0)
	for i, primary := 0, false; i < h.Len(); i++ {
		e, err := h.Entry(i)
		if err != nil {
			return fmt.Errorf("link: %s: %w", path, err)
		}
		switch {
		case e.IsPrimary():
			primary = true
		case primary:
			next = e.KeyID()
		default:
			gone = e.KeyID()
		}
	}
	if next == 0 {
		return fmt.Errorf("link: %s: the keyset has no key that comes next: make it with habeas keys init", path)
	}
	_, err = m.Add(aead.AES256GCMKeyTemplate())
	if err == nil {
		err = m.SetPrimary(next)
	}
	if err == nil && gone != 0 {
		err = m.Delete(gone)
	}
	if err == nil {
		if h, err = m.Handle(); err == nil {
			text, err = write(h)
		}
	}
	if err != nil {
		return fmt.Errorf("link: rotate %s: %w", path, err)
	}
	return place(path, text, os.Rename)
}

// fresh makes a keyset of two keys: one that seals, and one to come next.
func fresh() ([]byte, error) {
	m := keyset.NewManager()
	first, err := m.Add(aead.AES256GCMKeyTemplate())
	if err != nil {
		return nil, err
	}
	if _, err := m.Add(aead.AES256GCMKeyTemplate()); err != nil {
		return nil, err
	}
	if err := m.SetPrimary(first); err != nil {
		return nil, err
	}
	h, err := m.Handle()
	if err != nil {
		return nil, err
	}
	return write(h)
}

func write(h *keyset.Handle) ([]byte, error) {
	var b bytes.Buffer
	err := insecurecleartextkeyset.Write(h, keyset.NewJSONWriter(&b))
	return b.Bytes(), err
}

func parse(text []byte) (*keyset.Handle, error) {
	h, err := insecurecleartextkeyset.Read(keyset.NewJSONReader(bytes.NewReader(text)))
	if err != nil {
		return nil, errors.New("it is no keyset of Tink's in JSON") // its words may quote the key
	}
	return h, nil
}

func read(path string) ([]byte, error) {
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("link: %s: %w", path, ErrNoKey)
	}
	if err != nil {
		return nil, fmt.Errorf("link: %w", err)
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, maxKeyset))
	if err != nil {
		return nil, fmt.Errorf("link: %w", err)
	}
	return text, nil
}

// place writes a key's file, and puts it there in one step.
func place(path string, text []byte, put func(from, to string) error) error {
	err := os.MkdirAll(filepath.Dir(path), dirMode)
	if err == nil {
		err = secretfile.Write(path, text, put)
	}
	if err != nil {
		return fmt.Errorf("link: %w", err)
	}
	return nil
}

// use takes a file's content into use.
func (k *Key) use(text []byte) error {
	h, err := parse(text)
	if err != nil {
		return fmt.Errorf("link: %s: %w", k.path, err)
	}
	a, err := aead.New(h)
	if err != nil {
		return fmt.Errorf("link: %s: the keyset is of another kind: %w", k.path, err)
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	k.aead, k.text, k.looked = a, text, time.Now()
	return nil
}

func (k *Key) current() tink.AEAD {
	k.mu.RLock()
	defer k.mu.RUnlock()
	return k.aead
}

func (k *Key) seal(plain, bound []byte) ([]byte, error) { return k.current().Encrypt(plain, bound) }

// open opens what was sealed, also by a key that came into the file since it was read.
func (k *Key) open(sealed, bound []byte) ([]byte, error) {
	plain, err := k.current().Decrypt(sealed, bound)
	if err == nil || !k.look() {
		return plain, err
	}
	return k.current().Decrypt(sealed, bound)
}

// look reads the file again, and reports whether there is something new in it.
func (k *Key) look() bool {
	k.mu.Lock()
	due := k.path != "" && time.Since(k.looked) >= lookEvery
	if due {
		k.looked = time.Now()
	}
	was := k.text
	k.mu.Unlock()
	if !due {
		return false
	}
	text, err := read(k.path)
	return err == nil && !bytes.Equal(text, was) && k.use(text) == nil
}
