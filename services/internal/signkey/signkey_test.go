package signkey_test

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/mod/sumdb/note"

	"habeas.dev/services/internal/signkey"
)

func TestKey(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "keys", "log.key")
	made, err := signkey.Create(path, signkey.Name("privacy.example.com", signkey.Log))
	if err != nil {
		t.Fatal(err)
	}
	read, err := signkey.Read(path)
	if err != nil || read.Verifier != made.Verifier || read.Name() != "privacy.example.com/log" {
		t.Fatalf("%v, %v", read, err)
	}
	signed, err := note.Sign(&note.Note{Text: "word\n"}, read)
	if err != nil {
		t.Fatal(err)
	}
	for _, from := range []string{path + ".pub", read.Verifier} {
		verifiers, err := signkey.Verifiers([]string{from})
		if err != nil || len(verifiers) != 1 {
			t.Fatal(err)
		}
		if n, err := note.Open(signed, note.VerifierList(verifiers...)); err != nil || n.Text != "word\n" {
			t.Errorf("%v, %v", n, err)
		}
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v, %v", info, err)
	}
	if _, err := signkey.Create(path, "privacy.example.com/log"); !errors.Is(err, fs.ErrExist) {
		t.Errorf("a key was replaced: %v", err)
	}
	if again, err := signkey.Read(path); err != nil || again.Verifier != made.Verifier {
		t.Errorf("%v, %v", again, err)
	}
}

// TestErrorsQuoteNoKey: what is in a key's file is in no error.
func TestErrorsQuoteNoKey(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "k")
	if err := os.WriteFile(path, []byte("PRIVATE+KEY+secretname+secret"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := signkey.Read(path); err == nil || strings.Contains(err.Error(), "secret") {
		t.Error(err)
	}
	if _, err := signkey.Read(filepath.Join(t.TempDir(), "none")); err == nil || !strings.Contains(err.Error(), "habeas keys init") {
		t.Error(err)
	}
}

func TestOrigin(t *testing.T) {
	t.Parallel()
	for origin, good := range map[string]bool{
		"privacy.example.com": true, "privacy.example.com/habeas": true, "": false, "two words": false, "a+b": false, "Upper.example": false, "/x": false, "a/": false,
	} {
		if err := signkey.CheckOrigin(origin); (err == nil) != good {
			t.Errorf("%q: %v", origin, err)
		}
	}
}
