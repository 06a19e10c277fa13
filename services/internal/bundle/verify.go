package bundle

import (
	"archive/zip"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"golang.org/x/mod/sumdb/note"
)

const (
	// maxFiles is far above what any bundle holds: two files a dataset. A ZIP
	// with more isn't looked at, since every name takes memory.
	maxFiles = 100_000
	// maxTagFile bounds the bag's own files and datapackage.json, which are read
	// into memory: a hundred thousand lines of a manifest.
	maxTagFile = 32 << 20
	// maxProblems is how many problems are named: who has so many needs no more.
	maxProblems = 100
)

// Report lists what Verify found.
type Report struct {
	// Problems is empty where the bundle is whole and unchanged.
	Problems []Problem `json:"problems"`
	// Bag is the name of the top folder.
	Bag string `json:"bag,omitempty"`
	// Signers are who signed it, and Verified whether one of the given keys did.
	Signers  []string `json:"signers,omitempty"`
	Verified bool     `json:"verified"`
	// Files and Bytes are the payload's.
	Files int64 `json:"files"`
	Bytes int64 `json:"bytes"`
}

// Problem is one thing that is wrong with a bundle. It holds names and sizes of
// files, and nothing of their content.
type Problem struct {
	// Code is short and stable, for machines: missing-file, wrong-hash, …
	Code string `json:"code"`
	// File is the name within the bag; empty where the whole is meant.
	File string `json:"file,omitempty"`
	// Text says what is wrong, as a sentence.
	Text string `json:"text"`
}

func (p Problem) String() string {
	if p.File == "" {
		return p.Text
	}
	return p.File + ": " + p.Text
}

// Verify checks a bundle: that the ZIP is sound and unpacks into one folder,
// that this is a BagIt bag with every file there and unchanged, and that the
// Data Package describes every data file as it is. What is wrong with the
// bundle is in the report; an error means that it could not be read, or that
// ctx is over. Memory doesn't grow with the size of the files.
//
// Hashes alone say that it is whole, not who made it: who removes something and makes
// the hashes anew isn't found by them. With keys, one of them MUST have signed it
// (TestResigned).
func Verify(ctx context.Context, r io.ReaderAt, size int64, keys ...note.Verifier) (Report, error) {
	v := &verifier{ctx: ctx, files: map[string]*found{}, report: Report{Problems: []Problem{}}}
	source := &watched{r: r, ctx: ctx}
	zr, err := zip.NewReader(source, size)
	switch {
	case source.err != nil:
		return v.report, fmt.Errorf("bundle: read: %w", source.err)
	case err != nil:
		v.problem("not-a-zip", "", "This is no ZIP file, or it is cut short.")
		return v.report, nil //nolint:nilerr // the report says it
	}
	zr.RegisterDecompressor(zip.Deflate, inflate)
	if err := checkStructure(source, size); err != nil {
		var bad *strictError
		if !errors.As(err, &bad) {
			return v.report, fmt.Errorf("bundle: read: %w", err)
		}
		v.problem("structure", bad.file, "%s", bad.text)
	}
	if v.index(zr); len(v.files) > 0 {
		v.declaration()
		v.readManifests()
		if err := v.hashAll(); err != nil {
			return v.report, err
		}
		v.readInfo()
		v.oxum()
		v.compare()
		v.besides()
		v.dataPackage()
		v.signature(keys)
	}
	if source.err != nil {
		return v.report, fmt.Errorf("bundle: read: %w", source.err)
	}
	return v.report, nil
}

// watched reads the underlying file, remembers its error, and stops when ctx ends.
type watched struct {
	r   io.ReaderAt
	ctx context.Context
	err error
}

func (w *watched) ReadAt(p []byte, off int64) (int, error) {
	if err := w.ctx.Err(); err != nil {
		w.err = err
		return 0, err
	}
	if off < 0 { // a damaged directory sends archive/zip there
		return 0, io.ErrUnexpectedEOF
	}
	n, err := w.r.ReadAt(p, off)
	if err != nil && err != io.EOF {
		w.err = err
	}
	return n, err
}

// verifier is the state of one verification.
type verifier struct {
	ctx      context.Context
	report   Report
	files    map[string]*found   // by name within the bag
	names    []string            // the keys of files, sorted
	payload  listing             // manifest-sha256.txt
	tags     listing             // tagmanifest-sha256.txt
	manifest bool                // manifest-sha256.txt could be read
	readMe   *found              // the page beside the folder
	info     map[string][]string // bag-info.txt, by its labels
}

// found is a file of the ZIP.
type found struct {
	entry  *zip.File
	bytes  int64
	sum    string // hex
	broken bool   // it could not be read
}

// listing holds the hashes of a manifest, by file name.
type listing map[string]string

func (v *verifier) problem(code, file, format string, args ...any) {
	switch n := len(v.report.Problems); {
	case n < maxProblems:
		v.report.Problems = append(v.report.Problems, Problem{code, printable(file), fmt.Sprintf(format, args...)})
	case n == maxProblems:
		v.report.Problems = append(v.report.Problems, Problem{"too-many", "", "There are more problems than these."})
	}
}

// printable returns a file name, cut at 200 bytes, and quoted where it holds
// anything but printable characters: whoever wrote the ZIP chose it.
func printable(name string) string {
	if len(name) > 200 {
		name = name[:200] + "…"
	}
	quoted := strconv.QuoteToGraphic(name)
	if quoted == `"`+name+`"` {
		return name
	}
	return quoted
}

// index lists the ZIP's files, and checks that they unpack into one folder.
func (v *verifier) index(zr *zip.Reader) {
	if len(zr.File) > maxFiles {
		v.problem("too-many-files", "", "The ZIP holds %d files; no bundle has more than %d.", len(zr.File), maxFiles)
		return
	}
	lower := map[string]string{}
	for _, f := range zr.File {
		if !safePath(f.Name) {
			v.problem("unsafe-path", f.Name, "This name could unpack outside of the folder, or to another file than it says.")
			continue
		}
		top, name, inside := strings.Cut(f.Name, "/")
		switch {
		case f.Name == readMeFile && v.readMe != nil:
			v.problem("duplicate", readMeFile, "The ZIP holds this file twice.")
			continue
		case f.Name == readMeFile && f.Mode()&fs.ModeType == 0 && f.Flags&1 == 0:
			v.readMe = &found{entry: f}
			continue
		case !inside:
			v.problem("outside", f.Name, "The file lies beside the bundle's folder and not in it.")
			continue
		case v.report.Bag == "":
			v.report.Bag = top
		case v.report.Bag != top:
			v.problem("outside", f.Name, "The file lies in another folder than the bundle's.")
			continue
		}
		if strings.HasSuffix(f.Name, "/") {
			if f.UncompressedSize64 > 0 {
				v.problem("unsafe-path", name, "A folder has content.")
			}
			continue
		}
		if mode := f.Mode(); mode&fs.ModeType != 0 {
			v.problem("not-a-file", name, "This is a link or a device, and no plain file.")
			continue
		}
		if f.Flags&1 != 0 {
			v.problem("encrypted", name, "The file is encrypted within the ZIP.")
			continue
		}
		if v.files[name] != nil {
			v.problem("duplicate", name, "The ZIP holds this file twice.")
			continue
		}
		if other, twice := lower[strings.ToLower(name)]; twice {
			v.problem("duplicate", name, "It differs from %s only in capitals: one would overwrite the other.", printable(other))
		}
		lower[strings.ToLower(name)] = name
		v.files[name] = &found{entry: f}
		v.names = append(v.names, name)
	}
	slices.Sort(v.names)
	if len(v.files) == 0 && len(v.report.Problems) == 0 {
		v.problem("empty", "", "The ZIP is empty.")
	}
}

// safePath reports whether a name unpacks to the same place below the current
// folder everywhere.
func safePath(name string) bool {
	if !utf8.ValidString(name) || strings.ContainsAny(name, "\\:\x00\r\n") || !fs.ValidPath(strings.TrimSuffix(name, "/")) {
		return false
	}
	return name != "." && name != "./"
}

// bagitForm matches bagit.txt as RFC 8493, section 2.1.1, has it: no byte order
// mark, and no white space before a colon.
var bagitForm = regexp.MustCompile(`\ABagIt-Version: ([0-9]+)\.([0-9]+)(?:\r\n|\n|\r)Tag-File-Character-Encoding: ([A-Za-z0-9._:-]+)(?:\r\n|\n|\r)?\z`)

func (v *verifier) declaration() {
	text, ok := v.tagFile(bagitFile)
	if !ok {
		return
	}
	m := bagitForm.FindStringSubmatch(text)
	switch {
	case m == nil && regexp.MustCompile(`(?m)^[A-Za-z-]+[ \t]+:`).MatchString(text):
		v.problem("bad-declaration", bagitFile, "White space before a colon isn't allowed (RFC 8493, 2.1.1).")
	case m == nil && strings.HasPrefix(text, mark):
		v.problem("bad-declaration", bagitFile, "A byte order mark isn't allowed (RFC 8493, 2.1.1).")
	case m == nil:
		v.problem("bad-declaration", bagitFile, "It must hold the lines “BagIt-Version: M.N” and “Tag-File-Character-Encoding: UTF-8” and nothing else.")
	case m[1] != "1" && m[1]+"."+m[2] != "0.97":
		v.problem("bad-declaration", bagitFile, "BagIt version %s.%s isn't known.", m[1], m[2])
	case !strings.EqualFold(m[3], "UTF-8"):
		v.problem("bad-declaration", bagitFile, "The encoding %s isn't known; it must be UTF-8.", m[3])
	}
}

// tagFile reads one of the bag's own files.
func (v *verifier) tagFile(name string) (string, bool) {
	f := v.files[name]
	if f == nil {
		v.problem("missing-file", name, "The file is missing.")
		return "", false
	}
	if f.entry.UncompressedSize64 > maxTagFile {
		v.problem("too-large", name, "The file has more than %d bytes; no bundle's has.", maxTagFile)
		return "", false
	}
	r, err := f.entry.Open()
	if err == nil {
		defer r.Close()
		var text []byte
		if text, err = io.ReadAll(io.LimitReader(r, maxTagFile+1)); err == nil {
			if !utf8.Valid(text) {
				v.problem("not-utf8", name, "The file isn't UTF-8.")
				return "", false
			}
			return string(text), true
		}
	}
	if !f.broken {
		v.broken(name, f)
	}
	return "", false
}

func (v *verifier) broken(name string, f *found) {
	f.broken = true
	v.problem("damaged", name, "The file can't be unpacked: it is damaged or cut short.")
}

func (v *verifier) readManifests() {
	v.payload, v.manifest = v.listing(manifestFile)
	v.tags, _ = v.listing(tagsFile)
	for _, name := range v.names {
		if strings.Contains(name, "/") {
			continue
		}
		if other := strings.HasPrefix(name, "manifest-") || strings.HasPrefix(name, "tagmanifest-"); other && name != manifestFile && name != tagsFile {
			v.problem("unknown-manifest", name, "Only SHA-256 is checked here; this manifest's hashes are not.")
		}
		if name == "fetch.txt" {
			v.problem("incomplete", name, "It names files that are to be fetched from elsewhere; a bundle holds everything itself.")
		}
	}
}

// manifestLine matches a line of a manifest (RFC 8493, section 2.1.3).
var manifestLine = regexp.MustCompile(`\A([0-9A-Fa-f]{64})[ \t]+\*?(\S.*)\z`)

func (v *verifier) listing(name string) (listing, bool) {
	text, ok := v.tagFile(name)
	if !ok {
		return nil, false
	}
	l := listing{}
	for i, line := range strings.FieldsFunc(text, func(r rune) bool { return r == '\n' || r == '\r' }) {
		m := manifestLine.FindStringSubmatch(line)
		if m == nil {
			v.problem("bad-manifest", name, "Line %d isn't a SHA-256 and a file's name.", i+1)
			continue
		}
		file := decodePath(m[2])
		switch _, twice := l[file]; {
		case !safePath(file):
			v.problem("unsafe-path", file, "%s names a file outside of the bundle's folder.", name)
		case name == manifestFile && !strings.HasPrefix(file, payloadDir):
			v.problem("bad-manifest", file, "%s may name files below data/ only.", name)
		case name == tagsFile && strings.HasPrefix(file, payloadDir):
			v.problem("bad-manifest", file, "%s may not name files below data/.", name)
		case twice:
			v.problem("bad-manifest", file, "%s names the file twice.", name)
		default:
			l[file] = strings.ToLower(m[1])
		}
	}
	return l, true
}

// decodePath undoes the percent encoding of RFC 8493, section 2.1.3: of line
// breaks and the percent sign only.
func decodePath(s string) string {
	if !strings.Contains(s, "%") {
		return s
	}
	return strings.NewReplacer("%0A", "\n", "%0a", "\n", "%0D", "\r", "%0d", "\r", "%25", "%").Replace(s)
}

// hashAll reads every file once.
func (v *verifier) hashAll() error {
	buf := make([]byte, 128<<10)
	sum := sha256.New()
	for _, name := range v.names {
		if err := v.ctx.Err(); err != nil {
			return fmt.Errorf("bundle: %w", err)
		}
		f := v.files[name]
		if f.broken {
			continue
		}
		sum.Reset()
		r, err := f.entry.Open()
		if err == nil {
			f.bytes, err = io.CopyBuffer(struct{ io.Writer }{sum}, struct{ io.Reader }{r}, buf)
			r.Close()
		}
		if err != nil {
			if errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
				return fmt.Errorf("bundle: %w", err)
			}
			v.broken(name, f)
			continue
		}
		f.sum = hex.EncodeToString(sum.Sum(nil))
		if strings.HasPrefix(name, payloadDir) {
			v.report.Files++
			v.report.Bytes += f.bytes
		}
	}
	return nil
}

// compare checks the files against the manifests, and the manifests against the
// files.
func (v *verifier) compare() {
	for _, name := range v.names {
		var want string
		switch {
		case name == tagsFile, name == signatureFile: // nothing can cover the last one; the signature covers the first
			continue
		case strings.HasPrefix(name, payloadDir):
			if want = v.payload[name]; want == "" && v.manifest {
				v.problem("extra-file", name, "The file isn't in %s: it was added.", manifestFile)
			}
		default:
			if want = v.tags[name]; want == "" && v.tags != nil {
				v.problem("extra-file", name, "The file isn't in %s: it was added.", tagsFile)
			}
		}
		if f := v.files[name]; want != "" && !f.broken && f.sum != want {
			v.problem("wrong-hash", name, "The content was changed: its SHA-256 isn't that of the manifest.")
		}
	}
	for _, l := range []listing{v.payload, v.tags} {
		var missing []string
		for name := range l {
			if v.files[name] == nil {
				missing = append(missing, name)
			}
		}
		slices.Sort(missing)
		for _, name := range missing {
			v.problem("missing-file", name, "The file is in the manifest and not in the bundle.")
		}
	}
}

// readInfo reads bag-info.txt.
func (v *verifier) readInfo() {
	text, ok := v.tagFile(infoFile)
	if !ok {
		return
	}
	v.info = map[string][]string{}
	for line := range strings.Lines(text) {
		if label, value, ok := strings.Cut(strings.TrimRight(line, "\r\n"), ":"); ok {
			label = strings.ToLower(label)
			v.info[label] = append(v.info[label], strings.TrimSpace(value))
		}
	}
}

// infoOf returns what bag-info.txt says once under a label; empty: nothing, or more.
func (v *verifier) infoOf(label string) string {
	if values := v.info[strings.ToLower(label)]; len(values) == 1 {
		return values[0]
	}
	return ""
}

// oxum checks bag-info.txt's Payload-Oxum: bytes and number of files.
func (v *verifier) oxum() {
	if v.info == nil {
		return
	}
	oxums := v.info["payload-oxum"]
	want := fmt.Sprintf("%d.%d", v.report.Bytes, v.report.Files)
	switch {
	case len(oxums) != 1:
		v.problem("bad-oxum", infoFile, "It must have Payload-Oxum once; it has it %d times.", len(oxums))
	case oxums[0] != want:
		v.problem("bad-oxum", infoFile, "Payload-Oxum says %s; the payload has %s (bytes.files).", printable(oxums[0]), want)
	}
}

// besides checks the page beside the folder against its hash in bag-info.txt. Bundles of
// Habeas 0.1 have neither.
func (v *verifier) besides() {
	want := v.infoOf(readMeLabel)
	switch {
	case v.info == nil || v.readMe == nil && want == "":
	case v.readMe == nil:
		v.problem("missing-file", readMeFile, "The file beside the folder is missing.")
	case want == "":
		v.problem("outside", readMeFile, "The file lies beside the bundle's folder and not in it.")
	default:
		r, err := v.readMe.entry.Open()
		if err == nil {
			defer r.Close()
			sum := sha256.New()
			if _, err = io.Copy(sum, io.LimitReader(r, maxTagFile)); err == nil && hex.EncodeToString(sum.Sum(nil)) != strings.ToLower(want) {
				v.problem("wrong-hash", readMeFile, "The content was changed: its SHA-256 isn't that of %s.", infoFile)
			}
		}
		if err != nil {
			v.broken(readMeFile, v.readMe)
		}
	}
}

// dataPackage checks datapackage.json against the payload, and the payload against
// it.
func (v *verifier) dataPackage() {
	name := payloadDir + packageFile
	text, ok := v.tagFile(name)
	if !ok {
		return
	}
	var p struct {
		Resources []struct {
			Name, Path, Hash string
			Bytes            *int64
		}
	}
	if err := json.Unmarshal([]byte(text), &p); err != nil {
		v.problem("bad-package", name, "It isn't a Data Package: the JSON can't be read.")
		return
	}
	if len(p.Resources) == 0 {
		v.problem("bad-package", name, "It describes no resource.")
	}
	described := map[string]bool{payloadDir + pageFile: true, name: true}
	names := map[string]bool{}
	for i, r := range p.Resources {
		if r.Name == "" || names[r.Name] {
			v.problem("bad-package", name, "Resource %d has no name of its own.", i+1)
		}
		names[r.Name] = true
		if !safePath(r.Path) {
			v.problem("unsafe-path", name, "Resource %d has a path that leads out of the package.", i+1)
			continue
		}
		path := payloadDir + r.Path
		described[path] = true
		f := v.files[path]
		switch {
		case f == nil:
			v.problem("missing-file", path, "The Data Package describes the file, and it isn't there.")
		case f.broken:
		case r.Hash != "sha256:"+f.sum:
			v.problem("package-mismatch", path, "Its SHA-256 isn't that of the Data Package.")
		case r.Bytes == nil || *r.Bytes != f.bytes:
			v.problem("package-mismatch", path, "Its length isn't that of the Data Package.")
		}
	}
	for _, file := range v.names {
		if strings.HasPrefix(file, payloadDir) && !described[file] {
			v.problem("package-mismatch", file, "The Data Package doesn't describe the file.")
		}
	}
}
