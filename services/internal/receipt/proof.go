package receipt

import (
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"

	"habeas.dev/pkg/telemetry"
)

// proofForm is the first line of a proof (c2sp.org/tlog-proof).
const proofForm = "c2sp.org/tlog-proof@v1"

// formatProof returns a proof that a leaf is in the log whose checkpoint it is. extra
// holds the salt: it isn't authenticated, and needn't be, since a wrong one fails.
func formatProof(index int64, salt []byte, hashes tlog.RecordProof, signedCheckpoint []byte) []byte {
	var b bytes.Buffer
	fmt.Fprintf(&b, "%s\nextra %s\nindex %d\n", proofForm, base64.StdEncoding.EncodeToString(salt), index)
	for _, h := range hashes {
		fmt.Fprintln(&b, base64.StdEncoding.EncodeToString(h[:]))
	}
	b.WriteByte('\n')
	b.Write(signedCheckpoint)
	return b.Bytes()
}

// ErrProof says that a proof doesn't prove the document.
var ErrProof = telemetry.Constant("the proof doesn't prove this receipt: one of them was altered, or the key is another log's")

// strict is base64 in which each value has one writing.
var strict = base64.StdEncoding.Strict()

// maxProofHashes is more than any log's proof has: a hash for each doubling.
const maxProofHashes = 63

// Verify checks a proof with nothing but the document and the log's keys. It returns the
// checkpoint that it ends in. [ErrProof] where it doesn't hold.
func Verify(proof, document []byte, keys ...note.Verifier) (Checkpoint, error) {
	head, signed, ok := strings.Cut(string(proof), "\n\n")
	lines := strings.Split(head, "\n")
	if !ok || len(lines) < 3 || len(lines) > 3+maxProofHashes || lines[0] != proofForm {
		return Checkpoint{}, ErrProof
	}
	extra, ok := strings.CutPrefix(lines[1], "extra ")
	salt, err := strict.DecodeString(extra)
	if !ok || err != nil {
		return Checkpoint{}, ErrProof
	}
	word, ok := strings.CutPrefix(lines[2], "index ")
	index, err := strconv.ParseInt(word, 10, 64)
	if !ok || err != nil || index < 0 || strconv.FormatInt(index, 10) != word {
		return Checkpoint{}, ErrProof
	}
	var hashes tlog.RecordProof
	for _, line := range lines[3:] {
		h, err := strict.DecodeString(line)
		if err != nil || len(h) != tlog.HashSize {
			return Checkpoint{}, ErrProof
		}
		hashes = append(hashes, tlog.Hash(h))
	}
	c, err := OpenCheckpoint([]byte(signed), keys...)
	if err != nil {
		return Checkpoint{}, fmt.Errorf("%w (%w)", ErrProof, err)
	}
	if err := tlog.CheckRecord(hashes, c.Size, c.Root, index, tlog.RecordHash(Leaf(document, salt))); err != nil {
		return Checkpoint{}, ErrProof
	}
	return c, nil
}

// Checkpoint is a signed state of the log: its size and its root hash.
type Checkpoint struct {
	Origin string
	Size   int64
	Root   tlog.Hash
	// Signed is the note as it was signed, with every signature.
	Signed []byte
	// Signers are the keys whose signatures were checked.
	Signers []string
}

// text returns what is signed (c2sp.org/tlog-checkpoint).
func (c Checkpoint) text() string {
	return fmt.Sprintf("%s\n%d\n%s\n", c.Origin, c.Size, base64.StdEncoding.EncodeToString(c.Root[:]))
}

// OpenCheckpoint reads a checkpoint that one of the keys signed, and the key of its
// origin is among them.
func OpenCheckpoint(signed []byte, keys ...note.Verifier) (Checkpoint, error) {
	n, err := note.Open(signed, note.VerifierList(keys...))
	if err != nil {
		return Checkpoint{}, fmt.Errorf("checkpoint: %w", err)
	}
	lines := strings.Split(n.Text, "\n")
	if len(lines) < 4 {
		return Checkpoint{}, errors.New("checkpoint: it isn't one")
	}
	c := Checkpoint{Origin: lines[0], Signed: signed}
	size, err := strconv.ParseInt(lines[1], 10, 64)
	if err != nil || size < 0 || strconv.FormatInt(size, 10) != lines[1] {
		return Checkpoint{}, errors.New("checkpoint: its size isn't a number")
	}
	c.Size = size
	if c.Root, err = tlog.ParseHash(lines[2]); err != nil {
		return Checkpoint{}, errors.New("checkpoint: its root isn't a hash")
	}
	ours := false
	for _, s := range n.Sigs {
		if _, err := strict.DecodeString(s.Base64); err != nil {
			return Checkpoint{}, errors.New("checkpoint: a signature isn't written as one is")
		}
		c.Signers = append(c.Signers, s.Name)
		ours = ours || s.Name == c.Origin
	}
	if !ours {
		return Checkpoint{}, errors.New("checkpoint: the log's own key didn't sign it")
	}
	return c, nil
}
