// Package evidence packs what proves how one request was dealt with: a document that
// prints, its facts, letters and receipt, and a signed list of their hashes. Whoever has the
// pack and the installation's public key verifies it offline ([Verify]): that nothing of it
// was changed, left out or added, and that the facts' hash chain holds.
package evidence

import (
	"archive/zip"
	"bytes"
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"golang.org/x/mod/sumdb/note"

	"habeas.dev/pkg/telemetry"
	"habeas.dev/services/internal/bundle"
	"habeas.dev/services/internal/journal"
)

const (
	// ListName is the file that lists the others with their hashes, and is signed.
	ListName = "evidence.txt"
	// FactsName is the file of the facts.
	FactsName = "facts.json"
	// form begins the list: a key that signs answers signs nothing else by it.
	form = "habeas evidence v1"
	// maxFiles and maxSize bound a pack that is verified: a request has few letters, and
	// facts of kilobytes.
	maxFiles = 10_000
	maxSize  = 256 << 20
)

// File is one file of a pack.
type File struct {
	Name string
	Data []byte
}

// fact is a fact as a pack has it: its bytes, by which the chain is computed anew.
type fact struct {
	Version int       `json:"version"`
	Type    string    `json:"type"`
	At      time.Time `json:"at"`
	Data    []byte    `json:"data"` // base64 of its JSON
	Hash    string    `json:"hash"`
}

// Facts returns the file of a request's facts. Personal data in them is sealed.
func Facts(facts []journal.Fact) (File, error) {
	out := make([]fact, 0, len(facts))
	for _, f := range facts {
		out = append(out, fact{f.Version, f.Type, f.At, f.Data, hex.EncodeToString(f.Hash)})
	}
	data, err := json.MarshalIndent(out, "", "  ")
	return File{FactsName, data}, err
}

// Write writes a pack of a request's files as a ZIP. Without a signer its list isn't signed,
// which [Verify] says.
func Write(out io.Writer, requestID string, files []File, signer note.Signer, at time.Time) error {
	var list strings.Builder
	fmt.Fprintf(&list, "%s\nrequest %s\nmade %s\n", form, requestID, at.UTC().Format(time.RFC3339))
	for _, f := range files {
		fmt.Fprintf(&list, "%x  %s\n", sha256.Sum256(f.Data), f.Name)
	}
	text := []byte(list.String())
	if signer != nil {
		signed, err := note.Sign(&note.Note{Text: list.String()}, signer)
		if err != nil {
			return fmt.Errorf("evidence: %w", err)
		}
		text = signed
	}
	z := zip.NewWriter(out)
	for _, f := range append(slices.Clone(files), File{ListName, text}) {
		w, err := z.CreateHeader(&zip.FileHeader{Name: f.Name, Method: zip.Deflate, Modified: at.UTC()})
		if err != nil {
			return err
		}
		if _, err := w.Write(f.Data); err != nil {
			return err
		}
	}
	return z.Close()
}

// Is reports whether a ZIP is a pack of evidence, and no answer.
func Is(in io.ReaderAt, size int64) bool {
	z, err := zip.NewReader(in, size)
	return err == nil && slices.ContainsFunc(z.File, func(f *zip.File) bool { return f.Name == ListName })
}

// Verify reports what is wrong with a pack: a file that isn't as the list says, that is
// missing, or that the list hasn't; a chain that doesn't hold; a signature of none of the
// keys. Without keys nobody's signature is checked, as the report says.
func Verify(in io.ReaderAt, size int64, keys ...note.Verifier) (bundle.Report, error) {
	r := bundle.Report{}
	bad := func(code, file, text string) {
		r.Problems = append(r.Problems, bundle.Problem{Code: code, File: file, Text: text})
	}
	files, err := read(in, size)
	if err != nil {
		return r, err
	}
	text := openList(files[ListName], keys, &r, bad)
	requestID, listed := "", map[string]bool{}
	for i, line := range strings.Split(strings.TrimSuffix(text, "\n"), "\n") {
		hash, name, _ := strings.Cut(line, "  ")
		data, there := files[name]
		switch sum := sha256.Sum256(data); {
		case i == 0 && line != form:
			bad("not-evidence", ListName, "It is no list of evidence.")
			return r, nil
		case i == 1:
			requestID = strings.TrimPrefix(line, "request ")
		case i < 3:
		case !there || name == ListName:
			bad("missing-file", name, "It is missing.")
		case hash != hex.EncodeToString(sum[:]):
			bad("wrong-hash", name, "It isn't as it was: its hash is another.")
		default:
			r.Files, r.Bytes = r.Files+1, r.Bytes+int64(len(data))
		}
		listed[name] = true
	}
	for name := range files {
		if name != ListName && !listed[name] {
			bad("extra-file", name, "The list hasn't it: somebody has added it.")
		}
	}
	if err := chain(files[FactsName], requestID); err != nil {
		bad("broken-chain", FactsName, "The facts' chain doesn't hold: "+err.Error()+".")
	}
	slices.SortFunc(r.Problems, func(a, b bundle.Problem) int { return strings.Compare(a.File+a.Code, b.File+b.Code) })
	return r, nil
}

// read reads a pack's files.
func read(in io.ReaderAt, size int64) (map[string][]byte, error) {
	z, err := zip.NewReader(in, size)
	if err != nil {
		return nil, fmt.Errorf("evidence: %w", err)
	}
	if len(z.File) > maxFiles {
		return nil, errors.New("evidence: it has more files than any")
	}
	files, left := map[string][]byte{}, int64(maxSize)
	for _, f := range z.File {
		if _, twice := files[f.Name]; twice {
			return nil, fmt.Errorf("evidence: %q is there twice", f.Name)
		}
		from, err := f.Open()
		if err != nil {
			return nil, fmt.Errorf("evidence: %w", err)
		}
		data, err := io.ReadAll(io.LimitReader(from, left+1))
		err = errors.Join(err, from.Close())
		if left -= int64(len(data)); err != nil || left < 0 {
			return nil, fmt.Errorf("evidence: %q can't be read, or is larger than any: %w", f.Name, cmp.Or(err, errLarge))
		}
		files[f.Name] = data
	}
	return files, nil
}

// errLarge says that a pack is larger than any.
var errLarge = telemetry.Constant("too large")

// openList returns the list's text, and checks who signed it.
func openList(list []byte, keys []note.Verifier, r *bundle.Report, bad func(code, file, text string)) string {
	if !bytes.Contains(list, []byte("\n\n")) { // nothing stands behind the list
		if len(keys) > 0 {
			bad("not-signed", ListName, "It isn't signed.")
		}
		return string(list)
	}
	signed, err := note.Open(list, note.VerifierList(keys...))
	unverified := (*note.UnverifiedNoteError)(nil)
	switch {
	case errors.As(err, &unverified):
		if signed = unverified.Note; len(keys) > 0 {
			bad("other-key", ListName, "It was signed by none of the keys.")
		}
	case err != nil:
		bad("bad-signature", ListName, "The signature is forged, or what was signed was altered.")
		text, _, _ := strings.Cut(string(list), "\n\n")
		return text + "\n"
	default:
		r.Verified = true
	}
	for _, s := range append(slices.Clone(signed.Sigs), signed.UnverifiedSigs...) {
		if !slices.Contains(r.Signers, s.Name) {
			r.Signers = append(r.Signers, s.Name)
		}
	}
	return signed.Text
}

// chain computes the facts' hash chain anew.
func chain(data []byte, requestID string) error {
	var in []fact
	if err := json.Unmarshal(data, &in); err != nil || len(in) == 0 {
		return errors.New("there are no facts")
	}
	facts := make([]journal.Fact, 0, len(in))
	for _, f := range in {
		hash, err := hex.DecodeString(f.Hash)
		if err != nil {
			return errors.New("a hash can't be read")
		}
		facts = append(facts, journal.Fact{RequestID: requestID, Version: f.Version, Type: f.Type, At: f.At, Data: f.Data, Hash: hash})
	}
	return journal.VerifyChain(facts)
}
