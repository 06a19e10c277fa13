package console_test

import (
	"archive/zip"
	"bytes"
	"crypto/rand"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"golang.org/x/mod/sumdb/note"

	"habeas.dev/services/console"
	"habeas.dev/services/internal/core"
	"habeas.dev/services/internal/evidence"
	"habeas.dev/services/internal/outbox"
)

// TestEvidence: an officer takes along what proves how a request was dealt with: a document
// that says it, facts, letters and receipt. It verifies by the key alone, and whatever is
// changed, removed or added in it is found; it has nothing that identifies the person.
func TestEvidence(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	secret, public, err := note.GenerateKey(rand.Reader, "privacy.example.com/bundles")
	if err != nil {
		t.Fatal(err)
	}
	if d.signer, err = note.NewSigner(secret); err != nil {
		t.Fatal(err)
	}
	key, err := note.NewVerifier(public)
	if err != nil {
		t.Fatal(err)
	}
	_, strange, err := note.GenerateKey(rand.Reader, "privacy.example.com/bundles")
	if err != nil {
		t.Fatal(err)
	}
	other, err := note.NewVerifier(strange)
	if err != nil {
		t.Fatal(err)
	}
	id := d.completed()
	d.letters = map[string]string{outbox.LetterName(id, 1, core.LetterConfirmation, "fr"): "Votre demande\n\nBonjour."}
	d.open()
	for _, kind := range []core.Letter{core.LetterConfirmation, core.LetterAnswer} {
		d.do(id, core.NoteLetter{LetterSent: core.LetterSent{Letter: kind, Language: "fr", Cause: 1, Channel: "outbox", Moment: core.Moment{At: start.Add(2 * time.Minute)}}})
	}
	w := d.call(d.as(console.Officer), "GET", "/requests/"+id+"/evidence.zip", nil)
	if w.Code != http.StatusOK || strings.Contains(w.Body.String(), canary) {
		t.Fatalf("%d", w.Code)
	}
	whole := w.Body.Bytes()
	verify := func(pack []byte, keys ...note.Verifier) (codes string, verified bool) {
		r, err := evidence.Verify(bytes.NewReader(pack), int64(len(pack)), keys...)
		if err != nil {
			return err.Error(), false
		}
		for _, p := range r.Problems {
			codes += p.Code + " " + p.File + "; "
		}
		return codes, r.Verified
	}
	if codes, ok := verify(whole, key); codes != "" || !ok || !evidence.Is(bytes.NewReader(whole), int64(len(whole))) {
		t.Fatalf("%q, verified %t", codes, ok)
	}
	if codes, ok := verify(whole); codes != "" || ok {
		t.Errorf("without a key: %q, verified %t", codes, ok)
	}
	if codes, ok := verify(whole, other); !strings.Contains(codes, "other-key") && !strings.Contains(codes, "bad-signature") || ok {
		t.Errorf("by another key: %q, verified %t", codes, ok)
	}
	files := unzip(t, whole)
	for name, want := range map[string]string{"evidence.html": "Votre demande", "facts.json": "request.accepted", "trace.json": `"status": "completed"`, "letters/1-confirmation.txt": "Bonjour.", "receipt.json": "{}", "receipt.tlog-proof": "proof", "evidence.txt": "habeas evidence v1\nrequest " + id} {
		if !strings.Contains(string(files[name]), want) || strings.Contains(string(files[name]), canary) {
			t.Errorf("%s: no %q in %.300s", name, want, files[name])
		}
	}
	if page := string(files["evidence.html"]); !strings.Contains(page, "any more: 1") || !strings.Contains(page, "privacy.example.com/bundles") || strings.Contains(page, "<script") {
		t.Error("the document doesn't say which letter is missing, or who signed")
	}
	for name, change := range map[string]struct {
		do   func(files map[string][]byte)
		code string
	}{
		"a changed letter": {func(f map[string][]byte) { f["letters/1-confirmation.txt"] = []byte("Non.") }, "wrong-hash letters/"},
		"a missing letter": {func(f map[string][]byte) { delete(f, "letters/1-confirmation.txt") }, "missing-file letters/"},
		"an added file":    {func(f map[string][]byte) { f["more.txt"] = []byte("more") }, "extra-file more.txt"},
		"a changed list": {func(f map[string][]byte) {
			f["evidence.txt"] = bytes.Replace(f["evidence.txt"], []byte("made 2026"), []byte("made 2025"), 1)
		}, "bad-signature evidence.txt"},
		"a changed fact": {func(f map[string][]byte) {
			f["facts.json"] = bytes.Replace(f["facts.json"], []byte(`"version": 2`), []byte(`"version": 9`), 1)
		}, "broken-chain facts.json"},
	} {
		f := unzip(t, whole)
		change.do(f)
		if codes, _ := verify(zipped(t, f), key); !strings.Contains(codes, change.code) {
			t.Errorf("%s: %q", name, codes)
		}
	}
}

func unzip(t *testing.T, pack []byte) map[string][]byte {
	t.Helper()
	z, err := zip.NewReader(bytes.NewReader(pack), int64(len(pack)))
	if err != nil {
		t.Fatal(err)
	}
	out := map[string][]byte{}
	for _, f := range z.File {
		in, err := f.Open()
		if err != nil {
			t.Fatal(err)
		}
		if out[f.Name], err = io.ReadAll(in); err != nil {
			t.Fatal(err)
		}
	}
	return out
}

func zipped(t *testing.T, files map[string][]byte) []byte {
	t.Helper()
	var out bytes.Buffer
	z := zip.NewWriter(&out)
	for name, data := range files {
		w, err := z.Create(name)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write(data); err != nil {
			t.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}
