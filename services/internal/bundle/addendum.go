package bundle

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"fmt"

	"golang.org/x/mod/sumdb/note"
)

// AddendumFormat is the form of an addendum to a certificate, as it says itself.
const AddendumFormat = "habeas-addendum/1"

// addendumForm begins what is signed of an addendum: the form of the note, and its version.
// No note over a bundle begins with it.
const addendumForm = "habeas.dev/addendum/v1"

// SignedAddendum appends to an addendum, which ends in a newline, a signed note
// (c2sp.org/signed-note) over it, its request and its number. [SplitAddendum] parts them.
func SignedAddendum(s note.Signer, requestID string, number int, text []byte) ([]byte, error) {
	signed, err := note.Sign(&note.Note{Text: addendumText(requestID, number, text)}, s)
	if err != nil {
		return nil, fmt.Errorf("bundle: sign an addendum: %w", err)
	}
	return bytes.Join([][]byte{text, signed}, []byte("\n")), nil
}

// SplitAddendum parts an addendum from its signature; nil where it isn't signed.
func SplitAddendum(whole []byte) (text, signature []byte) {
	at := bytes.Index(whole, []byte("\n\n"+addendumForm+"\n"))
	if at < 0 {
		return whole, nil
	}
	return whole[:at+1], whole[at+2:]
}

func addendumText(requestID string, number int, text []byte) string {
	return fmt.Sprintf("%s\nrequest %s\nnumber %d\nsha256 %x\n", addendumForm, requestID, number, sha256.Sum256(text))
}

// VerifyAddendum checks an addendum against its signature, as [Verify] does a bundle: with
// keys, one of them MUST have signed it (TestAddendumIsSigned).
func VerifyAddendum(text, signature []byte, keys ...note.Verifier) Report {
	v := &verifier{report: Report{Problems: []Problem{}, Files: 1, Bytes: int64(len(text))}}
	var a struct {
		Format    string `json:"format"`
		RequestID string `json:"request_id"`
		Number    int    `json:"number"`
	}
	if err := json.Unmarshal(text, &a); err != nil || a.Format != AddendumFormat {
		v.problem("not-an-addendum", "", "This is no addendum to a certificate, or it is cut short.")
		return v.report
	}
	if len(signature) == 0 {
		v.unsigned(keys)
		return v.report
	}
	v.note("", signature, keys, addendumText(a.RequestID, a.Number, text), "What was signed is another addendum: this one was altered, or is another request's.")
	return v.report
}
