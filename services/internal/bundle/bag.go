package bundle

import (
	"bytes"
	"cmp"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode"
)

// The names of the bag's own files (RFC 8493).
const (
	payloadDir   = "data/"
	bagitFile    = "bagit.txt"
	infoFile     = "bag-info.txt"
	manifestFile = "manifest-sha256.txt"
	tagsFile     = "tagmanifest-sha256.txt"
	bagitContent = "BagIt-Version: 1.0\nTag-File-Character-Encoding: UTF-8\n"
)

// topPrefix begins the name of a top folder that has none of its own; the request's id ends it.
const topPrefix = "habeas-"

// The names in bag-info.txt by which a bundle is verified.
const (
	identifierLabel = "External-Identifier" // the request's id
	readMeLabel     = "Read-Me-SHA256"      // the hash of the file beside the folder
)

// readMeFile lies beside the folder, and leads people to the page in it.
const readMeFile = "READ ME FIRST.html"

// maxFolder is the most characters of a folder's name: some systems know no more than 255
// bytes, and paths of 260 characters.
const maxFolder = 60

// FolderName returns the name of the folder of a company's answer of a day: of its name what
// every file system takes, and of what follows a comma nothing.
func FolderName(company string, day time.Time) string {
	company, _, _ = strings.Cut(company, ",")
	var b strings.Builder
	for _, word := range strings.FieldsFunc(company, func(r rune) bool {
		return !unicode.IsLetter(r) && !unicode.IsDigit(r) && r != '-' && r != '\u2019' && !unicode.IsMark(r)
	}) {
		if b.Len() > 0 {
			b.WriteByte(' ')
		}
		b.WriteString(word)
	}
	name := []rune(strings.Trim(b.String(), "- "))
	if len(name) == 0 {
		return ""
	}
	return strings.TrimSpace(string(name[:min(len(name), maxFolder)])) + " " + day.Format(time.DateOnly)
}

// closeBag writes the bag's own files around the payload, and ends the ZIP.
func (a *archive) closeBag(requestID string, run Run) error {
	slices.SortFunc(a.payload, func(x, y packed) int { return cmp.Compare(x.name, y.name) })
	var total int64
	var manifest bytes.Buffer
	for _, p := range a.payload {
		total += p.bytes
		writeHash(&manifest, p)
	}
	var info strings.Builder
	if !run.At.IsZero() {
		fmt.Fprintf(&info, "Bagging-Date: %s\n", run.At.UTC().Format(time.DateOnly))
	}
	if run.Software != "" {
		fmt.Fprintf(&info, "Bag-Software-Agent: %s\n", oneLine(run.Software))
	}
	fmt.Fprintf(&info, "%s: %s\n", identifierLabel, requestID)
	fmt.Fprintf(&info, "Payload-Oxum: %d.%d\n", total, len(a.payload))
	if !run.At.IsZero() {
		fmt.Fprintf(&info, "Packed-At: %s\n", run.At.UTC().Format(time.RFC3339))
	}
	fmt.Fprintf(&info, "%s: %s\n", readMeLabel, a.readMe.hash())

	var tags bytes.Buffer
	for _, f := range []struct {
		name string
		data []byte
	}{
		{bagitFile, []byte(bagitContent)},
		{infoFile, []byte(info.String())},
		{manifestFile, manifest.Bytes()},
	} {
		p, err := a.add(f.name, f.data)
		if err != nil {
			return err
		}
		writeHash(&tags, p)
	}
	if _, err := a.add(tagsFile, tags.Bytes()); err != nil {
		return err
	}
	if run.Signer != nil {
		signature, err := sign(run.Signer, requestID, tags.Bytes())
		if err != nil {
			return err
		}
		if _, err := a.add(signatureFile, signature); err != nil {
			return err
		}
	}
	if err := a.zip.Close(); err != nil {
		return fmt.Errorf("bundle: end of the ZIP: %w", err)
	}
	return nil
}

// writeHash adds a manifest's line. No name of ours needs the RFC's percent
// encoding: names are checked before.
func writeHash(b *bytes.Buffer, p packed) {
	b.Write(hex.AppendEncode(b.AvailableBuffer(), p.sum[:]))
	b.WriteString("  ")
	b.WriteString(p.name)
	b.WriteByte('\n')
}

// oneLine replaces the line breaks in a value of bag-info.txt.
func oneLine(s string) string { return strings.Join(strings.Fields(s), " ") }

// payloadTotals returns the Payload-Oxum.
func (a *archive) payloadTotals() (files, bytes int64) {
	for _, p := range a.payload {
		bytes += p.bytes
	}
	return int64(len(a.payload)), bytes
}
