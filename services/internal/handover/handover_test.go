package handover_test

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"testing"

	"filippo.io/age"
	"gocloud.dev/blob/memblob"

	"habeas.dev/services/internal/handover"
)

// TestOnlyThePassphraseOpens: what is encrypted to the recipient opens by the wrapped
// identity and the passphrase, blanks around it aside, and by no other.
func TestOnlyThePassphraseOpens(t *testing.T) {
	t.Parallel()
	const passphrase = "a horse, some staples"
	key, err := handover.NewKey(passphrase)
	if err != nil {
		t.Fatal(err)
	}
	r, err := age.ParseX25519Recipient(key.Recipient)
	if err != nil {
		t.Fatal(err)
	}
	var sealed bytes.Buffer
	w, err := age.Encrypt(&sealed, r)
	if err != nil {
		t.Fatal(err)
	}
	_, _ = io.WriteString(w, "the answer")
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	i, err := age.NewScryptIdentity(passphrase)
	if err != nil {
		t.Fatal(err)
	}
	text, err := age.Decrypt(bytes.NewReader(key.Wrapped), i)
	if err != nil {
		t.Fatal(err)
	}
	ids, err := age.ParseIdentities(text)
	if err != nil {
		t.Fatal(err)
	}
	plain, err := age.Decrypt(&sealed, ids...)
	if err != nil {
		t.Fatal(err)
	}
	if got, _ := io.ReadAll(plain); string(got) != "the answer" {
		t.Errorf("%q", got)
	}
	if err := handover.Opens(key.Wrapped, " "+passphrase+"\n"); err != nil {
		t.Error(err)
	}
	for _, wrong := range []string{"", "A horse, some staples", passphrase + "."} {
		if err := handover.Opens(key.Wrapped, wrong); !errors.Is(err, handover.ErrPassphrase) {
			t.Errorf("%q: %v", wrong, err)
		}
	}
}

func TestPassphrases(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	for range 100 {
		p := handover.Passphrase()
		if err := handover.Check(p); err != nil || seen[p] || len(p) != 19 {
			t.Errorf("%q: %v", p, err)
		}
		seen[p] = true
	}
	for _, weak := range []string{"", "short", "aaaaaaaaaaaaaaaa", "   elevenchars   ", strings.Repeat("abcdef", 40), "\xff\xfeabcdefghijklm"} {
		if _, err := handover.NewKey(weak); !errors.Is(err, handover.ErrWeak) {
			t.Errorf("%q: %v", weak, err)
		}
	}
}

func TestOutbox(t *testing.T) {
	t.Parallel()
	const id = "9f0d6c0e-6f0f-4b43-9f0f-3a9c3c0f7a11"
	outbox := memblob.OpenBucket(nil)
	t.Cleanup(func() { _ = outbox.Close() })
	if _, err := handover.Read(t.Context(), outbox, id); !errors.Is(err, handover.ErrNoKey) {
		t.Error(err)
	}
	if err := handover.Leave(t.Context(), outbox, id, []byte("wrapped")); err != nil {
		t.Fatal(err)
	}
	if got, err := handover.Read(t.Context(), outbox, id); err != nil || string(got) != "wrapped" {
		t.Errorf("%q %v", got, err)
	}
	for range 2 {
		if err := handover.Revoke(t.Context(), outbox, id); err != nil {
			t.Error(err)
		}
	}
	if _, err := handover.Read(t.Context(), outbox, id); !errors.Is(err, handover.ErrNoKey) {
		t.Error(err)
	}
}
