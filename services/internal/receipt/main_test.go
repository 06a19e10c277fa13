package receipt_test

import (
	"crypto/ed25519"
	"crypto/rand"
	"testing"
	"time"
)

var start = time.Date(2026, 11, 20, 9, 30, 0, 0, time.UTC)

func newEd25519(t testing.TB) ed25519.PrivateKey {
	t.Helper()
	_, key, err := ed25519.GenerateKey(rand.Reader)
	must(t, err)
	return key
}
