// Package onefile writes an answer as one HTML file that opens in any browser by a passphrase:
// for who sends it by other ways than the portal. It needs no network and nothing of ours.
//
// The file holds the ZIP, encrypted by AES-256-GCM under a key that PBKDF2 makes of the
// passphrase, as browsers' Web Crypto has them. It can be tried by whoever has it, for as long
// as they like, so that the passphrase is one that [Write] is given and no person chose: 80
// random bits or more.
//
// Guarantees, each with the test that holds it:
//   - Without the passphrase nothing of the answer is in the file but its length (TestNothingInTheOpen).
//   - A file that was altered doesn't open (TestAltered).
//   - A real browser opens it, shows the page, and saves the files (TestBrowserOneFile in services/internal/bundle).
package onefile

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/pbkdf2"
	"crypto/rand"
	"crypto/sha256"
	_ "embed" // the page, its style and its script
	"encoding/base64"
	"fmt"
	"html/template"
	"io"
	"strings"

	"habeas.dev/pkg/telemetry"
	"habeas.dev/services/internal/bundle"
	"habeas.dev/services/internal/words"
)

// Limit is the largest ZIP that becomes one file: what a browser on a telephone decrypts at
// once, and what mail servers let through.
const Limit = 20 << 20

// ErrLarge says that an answer is larger than [Limit].
var ErrLarge = telemetry.Constant("onefile: the answer is too large for one file")

const (
	// rounds of PBKDF2 with SHA-256, as OWASP's sheet on the storage of passwords has them
	// (2023). The strength is the passphrase's; this makes it 19 bits more.
	rounds   = 600_000
	saltSize = 16
	keySize  = 32
)

//go:embed page.gohtml
var pageText string

//go:embed open.css
var style string

//go:embed open.js
var script string

var page = template.Must(template.New("onefile").Parse(pageText))

// view is what the page shows before it is opened.
type view struct {
	W                *words.Answer
	Policy           string
	Style            template.CSS
	Script           template.HTML
	Salt, Nonce, Cut string
	Rounds           int
}

// Write writes the HTML file of an answer's ZIP to w, in the answer's language.
func Write(w io.Writer, zip []byte, passphrase string, l *words.Language) error {
	if len(zip) > Limit {
		return ErrLarge
	}
	salt := make([]byte, saltSize)
	_, _ = rand.Read(salt) // never fails
	key, err := pbkdf2.Key(sha256.New, normal(passphrase), salt, rounds, keySize)
	if err != nil {
		return fmt.Errorf("onefile: %w", err)
	}
	block, err := aes.NewCipher(key)
	if err != nil {
		return fmt.Errorf("onefile: %w", err)
	}
	gcm, err := cipher.NewGCM(block)
	if err != nil {
		return fmt.Errorf("onefile: %w", err)
	}
	nonce := make([]byte, gcm.NonceSize()) // of a key that is used once
	_, _ = rand.Read(nonce)
	frame, err := Frame(l)
	if err != nil {
		return err
	}
	before, after, _ := strings.Cut(strings.NewReplacer(Salt, base64.StdEncoding.EncodeToString(salt), Nonce, base64.StdEncoding.EncodeToString(nonce)).Replace(frame), Sealed)
	if _, err := io.WriteString(w, before); err != nil {
		return fmt.Errorf("onefile: write: %w", err)
	}
	encoder := base64.NewEncoder(base64.StdEncoding, w)
	if _, err := encoder.Write(gcm.Seal(nil, nonce, zip, nil)); err != nil {
		return fmt.Errorf("onefile: write: %w", err)
	}
	if err := encoder.Close(); err != nil {
		return fmt.Errorf("onefile: write: %w", err)
	}
	if _, err := io.WriteString(w, after); err != nil {
		return fmt.Errorf("onefile: write: %w", err)
	}
	return nil
}

// The places in a [Frame] that are filled in.
const (
	Salt   = "HABEAS-SALT"   // of PBKDF2, in base64
	Nonce  = "HABEAS-NONCE"  // of AES-GCM, in base64
	Sealed = "HABEAS-SEALED" // the encrypted ZIP, in base64
)

// Frame returns the HTML file in a language, with nothing sealed in it yet: for a browser that
// seals an answer itself, as the portal's page has it do.
func Frame(l *words.Language) (string, error) {
	var frame bytes.Buffer
	sum := sha256.Sum256([]byte(script))
	err := page.Execute(&frame, view{
		W: &l.Answer, Style: template.CSS(style), Script: template.HTML("<script>" + script + "</script>"), Salt: Salt, Nonce: Nonce, Cut: Sealed, Rounds: rounds, //nolint:gosec // our own
		Policy: "default-src 'none'; style-src 'unsafe-inline'; img-src blob: data:; media-src blob:; script-src 'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "' " + bundle.ScriptPolicy() + "; base-uri 'none'; form-action 'none'",
	})
	if err != nil {
		return "", fmt.Errorf("onefile: %w", err)
	}
	return frame.String(), nil
}

// normal leaves out of a passphrase what people change when they write it down: capitals,
// blanks and hyphens. The script does the same.
func normal(passphrase string) string {
	return strings.NewReplacer("-", "", " ", "", "\u00a0", "", "\t", "").Replace(strings.ToLower(strings.TrimSpace(passphrase)))
}
