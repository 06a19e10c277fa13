package vault

import (
	"context"
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	"habeas.dev/pkg/internal/secretfile"
)

// Master is the key that wraps a vault's other keys: one that is at hand, or a
// service that has it.
type Master interface {
	Encrypt(ctx context.Context, plain []byte) ([]byte, error)
	// Decrypt MUST answer [ErrWrongKey] where the ciphertext isn't of this key,
	// or can't be told from one of another; any other error says that the key
	// couldn't be asked.
	Decrypt(ctx context.Context, sealed []byte) ([]byte, error)
}

const (
	// masterBytes is the length of a master key that is at hand.
	masterBytes = 32
	// masterTimeout bounds one call of the master key. A service that takes
	// longer is down.
	masterTimeout = 30 * time.Second
)

// local is a master key that is at hand: AES-256-GCM with random nonces. It
// wraps one key set a request, so that 2^32 of them are never near.
type local struct{ cipher.AEAD }

func newLocal(key [masterBytes]byte) Master {
	block, err := aes.NewCipher(key[:])
	if err != nil {
		panic(err) // 32 bytes are a key of AES
	}
	a, err := cipher.NewGCMWithRandomNonce(block)
	if err != nil {
		panic(err) // its blocks are of 16 bytes
	}
	return local{a}
}

func randomMaster() Master {
	var key [masterBytes]byte
	rand.Read(key[:]) // never fails
	return newLocal(key)
}

func (l local) Encrypt(_ context.Context, plain []byte) ([]byte, error) {
	return l.Seal(nil, nil, plain, nil), nil
}

func (l local) Decrypt(_ context.Context, sealed []byte) ([]byte, error) {
	plain, err := l.Open(nil, nil, sealed, nil)
	if err != nil {
		return nil, ErrWrongKey
	}
	return plain, nil
}

// openMaster opens the master key of a configuration.
func openMaster(ctx context.Context, cfg Config) (Master, error) {
	scheme, rest, isURL := strings.Cut(cfg.Key, "://")
	switch {
	case cfg.Key == "":
		return nil, errors.New("vault: no master key: set Key to a file or a URL")
	case !isURL:
		return masterFile(cfg.Key, cfg.CreateKey)
	case scheme == "file":
		path, err := filePath(cfg.Key)
		if err != nil {
			return nil, fmt.Errorf("vault: master key: %w", err)
		}
		return masterFile(path, cfg.CreateKey)
	case scheme == "base64key":
		return masterBase64(rest)
	case cfg.Drivers == nil:
		return nil, fmt.Errorf("vault: %w", noDrivers("Key", scheme))
	default:
		k, err := cfg.Drivers.OpenMaster(ctx, cfg.Key)
		if err != nil {
			return nil, fmt.Errorf("vault: master key: %w", err)
		}
		return k, nil
	}
}

// CheckKey says what is wrong with a master key ([Config].Key) as far as that can be told without
// connecting or writing: that it is none. One that is missing from a folder may yet be made, and
// one of a key service only that knows.
func CheckKey(key string) error {
	scheme, rest, isURL := strings.Cut(key, "://")
	path := key
	switch {
	case key == "":
		return nil
	case scheme == "base64key" && isURL:
		_, err := masterBase64(rest)
		return err
	case scheme == "file" && isURL:
		var err error
		if path, err = filePath(key); err != nil {
			return fmt.Errorf("vault: master key: %w", err)
		}
	case isURL:
		return nil
	}
	if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	_, err := masterFile(path, false)
	return err
}

// filePath takes file:///absolute and file://./relative, as gocloud does.
func filePath(s string) (string, error) {
	u, err := url.Parse(s)
	if err != nil {
		return "", err
	}
	switch u.Host {
	case "", "localhost":
		return filepath.FromSlash(u.Path), nil
	case ".":
		return filepath.FromSlash(strings.TrimPrefix(u.Path, "/")), nil
	default:
		return "", fmt.Errorf("%s://%s: want file:///path, or file://./path", u.Scheme, u.Host)
	}
}

// masterBase64 takes both alphabets of base64. Its errors don't repeat the key.
func masterBase64(s string) (Master, error) {
	s = strings.TrimSpace(s)
	key, err := base64.StdEncoding.DecodeString(s)
	if err != nil {
		key, err = base64.URLEncoding.DecodeString(s)
	}
	if err != nil || len(key) != masterBytes {
		return nil, errors.New("vault: the master key is none: want 32 bytes in base64, as `openssl rand -base64 32` makes them")
	}
	return newLocal([masterBytes]byte(key)), nil
}

// masterFile reads the key from a file, and makes one where it is missing and
// may be made. Of two processes that make it at the same time, both take the
// winner's.
func masterFile(path string, mayCreate bool) (Master, error) {
	data, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		if !mayCreate {
			return nil, fmt.Errorf("vault: there is no master key at %s: put it there", path)
		}
		if err := createMaster(path); err != nil {
			return nil, fmt.Errorf("vault: create the master key: %w", err)
		}
		data, err = os.ReadFile(path)
	}
	if err != nil {
		return nil, fmt.Errorf("vault: master key: %w", diskError(path, err))
	}
	k, err := masterBase64(string(data))
	if err != nil {
		return nil, fmt.Errorf("%w (%s)", err, path)
	}
	return k, nil
}

func createMaster(path string) error {
	parent := filepath.Dir(path)
	if err := os.MkdirAll(parent, dirMode); err != nil {
		return diskError(parent, err)
	}
	var key [masterBytes]byte
	rand.Read(key[:]) // never fails
	err := secretfile.Write(path, []byte(base64.StdEncoding.EncodeToString(key[:])+"\n"), os.Link)
	if errors.Is(err, fs.ErrExist) {
		return nil // another process was first
	}
	return diskError(path, err)
}

// wrap seals a key set by the master key.
func (v *Vault) wrap(ctx context.Context, plain []byte) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, masterTimeout)
	defer cancel()
	sealed, err := v.master.Encrypt(ctx, plain)
	if err != nil {
		return nil, fmt.Errorf("the master key's service: %w", err)
	}
	return sealed, nil
}

// unwrap opens what is sealed by the master key. It returns ErrWrongKey where the
// key doesn't open it, and another error where the key's service couldn't be asked.
func (v *Vault) unwrap(ctx context.Context, sealed []byte) ([]byte, error) {
	return unwrapBy(ctx, v.master, sealed)
}

func unwrapBy(ctx context.Context, by Master, sealed []byte) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, masterTimeout)
	defer cancel()
	plain, err := by.Decrypt(ctx, sealed)
	if err == nil {
		return plain, nil
	}
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	if errors.Is(err, ErrWrongKey) {
		return nil, err
	}
	return nil, fmt.Errorf("the master key's service: %w", err)
}

// unwrapKeys tells damaged keys from a master key that can't be asked just now:
// it opened the index once, and if it still does, the fault is the keys'.
func (v *Vault) unwrapKeys(ctx context.Context, sealed []byte) ([]byte, error) {
	plain, err := v.unwrap(ctx, sealed)
	if !errors.Is(err, ErrWrongKey) {
		return plain, err
	}
	if _, again := v.unwrap(ctx, v.sealedIndex); again != nil {
		return nil, fmt.Errorf("the master key's service: %w", err)
	}
	return nil, ErrCorrupt
}
