package bundle

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"strings"

	"golang.org/x/mod/sumdb/note"
)

// signatureFile is a signed note (c2sp.org/signed-note) over the tag manifest, which
// covers every other file, and over the request. It is a tag file of the bag that no
// manifest names, since none could.
const signatureFile = "signature.note"

// signatureForm begins what is signed: the form of the note, and its version.
const signatureForm = "habeas.dev/bundle/v1"

// signedText returns what is signed of a bundle.
func signedText(requestID string, tagManifest []byte) string {
	return fmt.Sprintf("%s\nrequest %s\ntagmanifest-sha256 %x\n", signatureForm, requestID, sha256.Sum256(tagManifest))
}

// sign returns the bundle's signature file.
func sign(s note.Signer, requestID string, tagManifest []byte) ([]byte, error) {
	signed, err := note.Sign(&note.Note{Text: signedText(requestID, tagManifest)}, s)
	if err != nil {
		return nil, fmt.Errorf("bundle: sign: %w", err)
	}
	return signed, nil
}

// signature checks the bundle's signature file against the keys. Without keys it
// checks only that what is signed is this bundle: who signed it isn't known then.
func (v *verifier) signature(keys []note.Verifier) {
	if v.files[signatureFile] == nil {
		v.unsigned(keys)
		return
	}
	signature, ok := v.tagFile(signatureFile)
	if !ok {
		return
	}
	want := "" // of a bag without tags, which is a problem of its own
	if tags, ok := v.tagFile(tagsFile); ok {
		id, named := strings.CutPrefix(v.report.Bag, topPrefix)
		if !named {
			id = v.infoOf(identifierLabel)
		}
		want = signedText(id, []byte(tags))
	}
	v.note(signatureFile, []byte(signature), keys, want, "What was signed is another bundle: this one was altered, or is another request's.")
}

// unsigned takes in that there is no signature.
func (v *verifier) unsigned(keys []note.Verifier) {
	if len(keys) > 0 {
		v.problem("unsigned", "", "It isn't signed: anybody may have made it.")
	}
}

// note checks a signed note: who signed it, and that it is of the wanted text; else another
// thing was signed.
func (v *verifier) note(file string, signature []byte, keys []note.Verifier, want, another string) {
	signed, err := note.Open(signature, note.VerifierList(keys...))
	var unverified *note.UnverifiedNoteError
	var invalid *note.InvalidSignatureError
	switch {
	case errors.As(err, &unverified):
		if signed = unverified.Note; len(keys) > 0 {
			v.problem("other-key", file, "It was signed by none of the keys: it is somebody else's, or of a time with another key.")
		}
	case errors.As(err, &invalid):
		v.problem("bad-signature", file, "The signature is forged, or what was signed was altered.")
		return
	case err != nil:
		v.problem("bad-signature", file, "It is no signed note.")
		return
	}
	if signed.Text != want {
		v.problem("bad-signature", file, "%s", another)
		return
	}
	v.report.Signers = names(signed.Sigs, signed.UnverifiedSigs)
	v.report.Verified = err == nil
}

// names returns who signed a note, each once.
func names(lists ...[]note.Signature) (all []string) {
	seen := map[string]bool{}
	for _, list := range lists {
		for _, s := range list {
			if !seen[s.Name] {
				seen[s.Name] = true
				all = append(all, s.Name)
			}
		}
	}
	return all
}
