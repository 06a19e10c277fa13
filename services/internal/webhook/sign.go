package webhook

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"hash"
	"io"
	"net/netip"
	"strings"
)

// The headers of a signed message.
const (
	HeaderID        = "Webhook-Id"
	HeaderTimestamp = "Webhook-Timestamp"
	HeaderSignature = "Webhook-Signature"
)

const (
	secretPrefix = "whsec_"
	// A secret has 24 to 64 bytes.
	minSecret, maxSecret = 24, 64
	// maxSecrets is how many are valid at once: two, while one is changed.
	maxSecrets = 2
)

// ParseSecrets reads a secret, whsec_ and 24 to 64 bytes in base64, or two of them, each on
// a line, while one is being changed.
func ParseSecrets(text string) ([][]byte, error) {
	var keys [][]byte
	for _, word := range strings.Fields(text) {
		encoded, ok := strings.CutPrefix(word, secretPrefix)
		key, err := base64.StdEncoding.DecodeString(encoded)
		if !ok || err != nil || len(key) < minSecret || len(key) > maxSecret {
			keys = nil
			break
		}
		keys = append(keys, key)
	}
	if len(keys) == 0 || len(keys) > maxSecrets {
		return nil, errors.New("isn't " + secretPrefix + " and 24 to 64 bytes in base64; make one with: echo " + secretPrefix + "$(openssl rand -base64 32)")
	}
	return keys, nil
}

// Sign returns the signature, by each of the keys, of a message that write writes.
func Sign(keys [][]byte, id, at string, write func(io.Writer) error) (string, error) {
	macs := make([]hash.Hash, len(keys))
	all := make([]io.Writer, len(keys))
	for i, key := range keys {
		macs[i] = hmac.New(sha256.New, key)
		all[i] = macs[i]
	}
	to := io.MultiWriter(all...)
	fmt.Fprintf(to, "%s.%s.", id, at)
	if err := write(to); err != nil {
		return "", err
	}
	out := make([]string, len(macs))
	for i, mac := range macs {
		out[i] = "v1," + base64.StdEncoding.EncodeToString(mac.Sum(nil))
	}
	return strings.Join(out, " "), nil
}

// Loopback reports whether a host is this machine, so that plain HTTP to it goes over no
// network.
func Loopback(host string) bool {
	if host == "localhost" {
		return true
	}
	a, err := netip.ParseAddr(host)
	return err == nil && a.IsLoopback()
}
