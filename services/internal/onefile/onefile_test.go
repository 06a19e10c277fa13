package onefile

import (
	"bytes"
	"encoding/base64"
	"errors"
	"io"
	"regexp"
	"strings"
	"testing"

	"habeas.dev/services/internal/words"
)

// opened opens a file as its script does.
func opened(_ *testing.T, page, passphrase string) ([]byte, error) { return Open(page, passphrase) }

func written(t *testing.T, zip []byte, passphrase, lang string) string {
	t.Helper()
	var b strings.Builder
	if err := Write(&b, zip, passphrase, words.For(lang)); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// TestNothingInTheOpen: of what is in it nothing stands in the file, of two files of the same
// answer nothing is alike, and the passphrase opens it however it was written down.
func TestNothingInTheOpen(t *testing.T) {
	t.Parallel()
	zip := bytes.Repeat([]byte("camille@example.com "), 1000)
	first, second := written(t, zip, "abcd-efgh-jkmn-pqrs", "en"), written(t, zip, "abcd-efgh-jkmn-pqrs", "fr")
	for _, page := range []string{first, second} {
		if strings.Contains(page, "camille") || strings.Contains(page, base64.StdEncoding.EncodeToString(zip[:30])) || strings.Contains(page, "abcd") {
			t.Error("something stands in the open")
		}
		for _, passphrase := range []string{"abcd-efgh-jkmn-pqrs", " ABCD efgh jkmn-pqrs "} {
			if plain, err := opened(t, page, passphrase); err != nil || !bytes.Equal(plain, zip) {
				t.Errorf("%q: %v", passphrase, err)
			}
		}
		if _, err := opened(t, page, "abcd-efgh-jkmn-pqrt"); err == nil {
			t.Error("another passphrase opens it")
		}
	}
	if sealed := regexp.MustCompile(`id="sealed">([^<]{40})`); sealed.FindString(first) == sealed.FindString(second) {
		t.Error("two files begin alike")
	}
	if !strings.Contains(second, "Phrase secrète") || !strings.Contains(second, `lang="fr"`) {
		t.Error("it isn't in the answer's language")
	}
}

// TestAltered: a file of which a byte was changed doesn't open.
func TestAltered(t *testing.T) {
	t.Parallel()
	page := written(t, []byte("an answer that is long enough to be changed"), "abcd-efgh-jkmn-pqrs", "en")
	at := strings.Index(page, `id="sealed">`) + len(`id="sealed">`) + 8
	other := byte('A')
	if page[at] == other {
		other = 'B'
	}
	if _, err := opened(t, page[:at]+string(other)+page[at+1:], "abcd-efgh-jkmn-pqrs"); err == nil {
		t.Error("what was altered opens")
	}
}

// TestLarge: what is too large for one file becomes none.
func TestLarge(t *testing.T) {
	t.Parallel()
	if err := Write(io.Discard, make([]byte, Limit+1), "p", words.English()); !errors.Is(err, ErrLarge) {
		t.Error(err)
	}
}
