package onefile

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/pbkdf2"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"habeas.dev/pkg/telemetry"
)

// ErrPassphrase says that a passphrase doesn't open a file, or that it was altered.
var ErrPassphrase = telemetry.Constant("onefile: the passphrase doesn't open it, or it was altered")

var errForm = telemetry.Constant("onefile: this is no such file")

// places are where a file has what is needed to open it.
var places = regexp.MustCompile(`(?s)data-salt="([^"]+)" data-nonce="([^"]+)" data-rounds="(\d+)".*id="sealed">([^<]*)<`)

// Open returns the ZIP that a file holds, as the file's own script opens it: a second reader of
// what Write and browsers write.
func Open(file, passphrase string) ([]byte, error) {
	m := places.FindStringSubmatch(file)
	if m == nil {
		return nil, errForm
	}
	var parts [3][]byte
	for i, at := range []int{1, 2, 4} {
		var err error
		if parts[i], err = base64.StdEncoding.DecodeString(strings.ReplaceAll(m[at], "&#43;", "+")); err != nil {
			return nil, errForm
		}
	}
	n, err := strconv.Atoi(m[3])
	if err != nil || n > 100*rounds {
		return nil, errForm
	}
	key, err := pbkdf2.Key(sha256.New, normal(passphrase), parts[0], n, keySize)
	if err != nil {
		return nil, fmt.Errorf("onefile: %w", err)
	}
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, fmt.Errorf("onefile: %w", err)
	}
	gcm, err := cipher.NewGCM(block)
	if err != nil || len(parts[1]) != gcm.NonceSize() {
		return nil, errForm
	}
	zip, err := gcm.Open(nil, parts[1], parts[2], nil)
	if err != nil {
		return nil, ErrPassphrase
	}
	return zip, nil
}
