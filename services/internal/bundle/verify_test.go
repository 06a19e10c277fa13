package bundle_test

import (
	"archive/zip"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"html"
	"io"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"habeas.dev/services/internal/bundle"
	"habeas.dev/services/internal/thirdparty"
)

// member is a file of a ZIP that a test makes by hand.
type member struct{ name, content string }

// members returns the files of a bundle, by their full names.
func members(t testing.TB, data []byte) []member {
	t.Helper()
	zr, err := zip.NewReader(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		t.Fatal(err)
	}
	var list []member
	for _, f := range zr.File {
		r, err := f.Open()
		if err != nil {
			t.Fatal(err)
		}
		content, err := io.ReadAll(r)
		if err != nil {
			t.Fatal(err)
		}
		list = append(list, member{f.Name, string(content)})
	}
	return list
}

func pack(t testing.TB, list []member) []byte {
	t.Helper()
	var b bytes.Buffer
	zw := zip.NewWriter(&b)
	for _, m := range list {
		w, err := zw.Create(m.name)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.WriteString(w, m.content); err != nil {
			t.Fatal(err)
		}
	}
	if err := zw.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func verify(t testing.TB, data []byte) bundle.Report {
	t.Helper()
	r, err := bundle.Verify(t.Context(), bytes.NewReader(data), int64(len(data)))
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// names reports whether a problem of that code about that file was found.
func names(r bundle.Report, code, file string) bool {
	return slices.ContainsFunc(r.Problems, func(p bundle.Problem) bool { return p.Code == code && p.File == file })
}

const bag = "habeas-" + requestID + "/"

// rehash makes the manifests right again after a change, as a careful forger
// would: what is then still found is found by something else.
func rehash(list []member) []member {
	hash := func(s string) string { h := sha256.Sum256([]byte(s)); return hex.EncodeToString(h[:]) }
	var payload, tags strings.Builder
	size, files := 0, 0
	for _, m := range list {
		if name, ok := strings.CutPrefix(m.name, bag); ok && strings.HasPrefix(name, "data/") {
			fmt.Fprintf(&payload, "%s  %s\n", hash(m.content), name)
			size += len(m.content)
			files++
		}
	}
	for i, m := range list {
		switch m.name {
		case bag + "manifest-sha256.txt":
			list[i].content = payload.String()
		case bag + "bag-info.txt":
			list[i].content = fmt.Sprintf("Payload-Oxum: %d.%d\n", size, files)
		}
	}
	for _, m := range list {
		if name := strings.TrimPrefix(m.name, bag); !strings.HasPrefix(name, "data/") && name != "tagmanifest-sha256.txt" {
			fmt.Fprintf(&tags, "%s  %s\n", hash(m.content), name)
		}
	}
	for i, m := range list {
		if m.name == bag+"tagmanifest-sha256.txt" {
			list[i].content = tags.String()
		}
	}
	return list
}

// Every file of the bag: changed, removed, doubled, cut short.
func TestTampering(t *testing.T) {
	t.Parallel()
	data, _ := write(t, accessInput(t))
	if r := verify(t, data); len(r.Problems) != 0 || r.Files != 13 || r.Bag+"/" != bag {
		t.Fatalf("%+v", r)
	}
	whole := members(t, data)
	for i, m := range whole {
		name := strings.TrimPrefix(m.name, bag)
		change := func(f func(list []member) []member) bundle.Report {
			return verify(t, pack(t, f(slices.Clone(whole))))
		}
		r := change(func(l []member) []member { l[i].content += " "; return l })
		switch name {
		case "tagmanifest-sha256.txt": // white space at its end changes nothing
		case "bagit.txt", "manifest-sha256.txt", "bag-info.txt", "READ ME FIRST.html":
			if !names(r, "wrong-hash", name) {
				t.Errorf("%s changed: %v", name, r.Problems)
			}
		default:
			if !names(r, "wrong-hash", name) || !names(r, "bad-oxum", "bag-info.txt") {
				t.Errorf("%s changed: %v", name, r.Problems)
			}
		}
		for at := 0; at < len(m.content); at += max(1, len(m.content)/20) {
			r := change(func(l []member) []member {
				c := []byte(m.content)
				c[at] ^= 1
				l[i].content = string(c)
				return l
			})
			if len(r.Problems) == 0 {
				t.Errorf("%s changed at %d: nothing was found", name, at)
			}
		}
		if r := change(func(l []member) []member { return slices.Delete(l, i, i+1) }); !names(r, "missing-file", name) {
			t.Errorf("%s removed: %v", name, r.Problems)
		}
		if r := change(func(l []member) []member { return append(l, m) }); !names(r, "duplicate", name) {
			t.Errorf("%s doubled: %v", name, r.Problems)
		}
		if r := change(func(l []member) []member { l[i].content = l[i].content[:len(l[i].content)/2]; return l }); len(r.Problems) == 0 {
			t.Errorf("%s cut: nothing was found", name)
		}
	}
}

// TestFolder: the folder is named for the company and the day, in any script and on any system;
// the page beside it leads into it, and the bundle verifies, signed too.
func TestFolder(t *testing.T) {
	t.Parallel()
	day := time.Date(2026, 11, 20, 0, 0, 0, 0, time.UTC)
	for company, want := range map[string]string{
		"Example Cloud SARL, Luxembourg": "Example Cloud SARL 2026-11-20", "Société d’Été": "Société d’Été 2026-11-20", "例え株式会社": "例え株式会社 2026-11-20",
		"../../etc": "etc 2026-11-20", "C:\\x|y?*": "C x y 2026-11-20", " . ": "", "": "", strings.Repeat("long ", 50): strings.TrimSpace(strings.Repeat("long ", 50)[:60]) + " 2026-11-20",
	} {
		got := bundle.FolderName(company, day)
		if got != want {
			t.Errorf("%q: %q, want %q", company, got, want)
		}
		in := bundled(accessInput(t))
		in.Folder = got
		var b bytes.Buffer
		if _, err := bundle.Write(t.Context(), &b, in); err != nil {
			t.Fatal(err)
		}
		r := verify(t, b.Bytes())
		if len(r.Problems) > 0 || got != "" && r.Bag != got {
			t.Errorf("%q: %+v", company, r)
		}
		readMe := unpack(t, b.Bytes())["READ ME FIRST.html"]
		_, link, _ := strings.Cut(readMe, `href="`)
		link, _, _ = strings.Cut(link, `"`)
		if path, err := url.PathUnescape(link); err != nil || html.UnescapeString(path) != r.Bag+"/data/index.html" {
			t.Errorf("%q: the page leads to %s", company, link)
		}
	}
	in := bundled(accessInput(t))
	for _, bad := range []string{"a/b", "..", "a\\b", "x.", "a?b", "a%b", " "} {
		in.Folder = bad
		if _, err := bundle.Write(t.Context(), io.Discard, in); !errors.Is(err, bundle.ErrInput) {
			t.Errorf("%q: %v", bad, err)
		}
	}
}

// What only a look at the whole finds, and not a hash of one file.
func TestForgeries(t *testing.T) {
	t.Parallel()
	data, _ := write(t, accessInput(t))
	whole := members(t, data)
	replace := func(file, old, by string) func([]member) []member {
		return func(l []member) []member {
			for i := range l {
				if l[i].name == bag+file {
					if !strings.Contains(l[i].content, old) {
						t.Errorf("%s has no %q", file, old)
					}
					l[i].content = strings.Replace(l[i].content, old, by, 1)
				}
			}
			return l
		}
	}
	add := func(name, content string) func([]member) []member {
		return func(l []member) []member { return append(l, member{name, content}) }
	}
	cases := []struct {
		what   string
		change func([]member) []member
		remade bool // the manifests are made right again
		code   string
		file   string
	}{
		{"white space before the colon", replace("bagit.txt", "BagIt-Version:", "BagIt-Version :"), true, "bad-declaration", "bagit.txt"},
		{"a tab before the second colon", replace("bagit.txt", "Encoding:", "Encoding\t:"), true, "bad-declaration", "bagit.txt"},
		{"a byte order mark", replace("bagit.txt", "BagIt", "\uFEFFBagIt"), true, "bad-declaration", "bagit.txt"},
		{"a third line", replace("bagit.txt", "UTF-8\n", "UTF-8\nMore: x\n"), true, "bad-declaration", "bagit.txt"},
		{"another version", replace("bagit.txt", "1.0", "7.0"), true, "bad-declaration", "bagit.txt"},
		{"another encoding", replace("bagit.txt", "UTF-8", "ISO-8859-1"), true, "bad-declaration", "bagit.txt"},
		{"a wrong oxum", replace("bag-info.txt", "Payload-Oxum: ", "Payload-Oxum: 1"), false, "bad-oxum", "bag-info.txt"},
		{"no oxum", replace("bag-info.txt", "Payload-Oxum", "Payload"), false, "bad-oxum", "bag-info.txt"},
		{"a changed file with right manifests", replace("data/billing/invoices.csv", "F-2026-001", "F-2026-999"), true, "package-mismatch", "data/billing/invoices.csv"},
		{"a longer file with right manifests", replace("data/billing/invoices.csv", "F-2026-001", "F-2026-0011"), true, "package-mismatch", "data/billing/invoices.csv"},
		{"a wrong length in the package", replace("data/datapackage.json", `"bytes":`, `"bytes":1`), true, "package-mismatch", "data/answer.json"},
		{"a wrong hash in the package", replace("data/datapackage.json", `"hash":"sha256:`, `"hash":"sha256:00`), true, "package-mismatch", "data/answer.json"},
		{"no package", replace("data/datapackage.json", `{`, `[`), true, "bad-package", "data/datapackage.json"},
		{"a path out of the package", replace("data/datapackage.json", `"path":"answer.json"`, `"path":"../../x"`), true, "unsafe-path", "data/datapackage.json"},
		{"the same name twice", replace("data/datapackage.json", `"name":"account.profiles"`, `"name":"answer"`), true, "bad-package", "data/datapackage.json"},
		{"an added payload file", add(bag+"data/extra.txt", "x"), false, "extra-file", "data/extra.txt"},
		{"an added payload file with right manifests", add(bag+"data/extra.txt", "x"), true, "package-mismatch", "data/extra.txt"},
		{"an added tag file", add(bag+"extra.txt", "x"), false, "extra-file", "extra.txt"},
		{"files to fetch", add(bag+"fetch.txt", "x"), true, "incomplete", "fetch.txt"},
		{"another manifest", add(bag+"manifest-md5.txt", "x"), true, "unknown-manifest", "manifest-md5.txt"},
		{"two capitals", add(bag+"data/Index.html", "x"), true, "duplicate", "data/index.html"},
		{"a traversal", add(bag+"../../etc/passwd", "x"), false, "unsafe-path", bag + "../../etc/passwd"},
		{"an absolute path", add("/etc/passwd", "x"), false, "unsafe-path", "/etc/passwd"},
		{"a backslash", add(bag+`..\x`, "x"), false, "unsafe-path", `"` + bag + `..\\x"`},
		{"a drive", add("C:/x", "x"), false, "unsafe-path", "C:/x"},
		{"a second folder", add("other/x", "x"), false, "outside", "other/x"},
		{"a file beside the folder", add("x", "x"), false, "outside", "x"},
		{"a terminal's code", add(bag+"data/\x1b[2J", "x"), false, "extra-file", `"data/\x1b[2J"`},
		{"a manifest line that is none", replace("manifest-sha256.txt", "  data/", " | data/"), false, "wrong-hash", "manifest-sha256.txt"},
		{"a manifest that names the tags", replace("manifest-sha256.txt", "  data/answer.json", "  bagit.txt"), false, "bad-manifest", "bagit.txt"},
		{"a manifest that leads out", replace("manifest-sha256.txt", "  data/answer.json", "  data/../../x"), false, "unsafe-path", "data/../../x"},
		{"a manifest that isn't UTF-8", replace("manifest-sha256.txt", "answer", "\xff"), false, "not-utf8", "manifest-sha256.txt"},
	}
	for _, c := range cases {
		list := c.change(slices.Clone(whole))
		if c.remade {
			list = rehash(list)
		}
		r := verify(t, pack(t, list))
		if c.what == "two capitals" {
			if !slices.ContainsFunc(r.Problems, func(p bundle.Problem) bool { return p.Code == "duplicate" }) {
				t.Errorf("%s: %v", c.what, r.Problems)
			}
			continue
		}
		if !names(r, c.code, c.file) {
			t.Errorf("%s: %v", c.what, r.Problems)
		}
	}
}

// A ZIP that is cut anywhere is not a bundle, and none makes Verify panic or err.
func TestTruncated(t *testing.T) {
	t.Parallel()
	data, _ := write(t, accessInput(t))
	for n := 0; n < len(data); n += 37 {
		if r := verify(t, data[:n]); len(r.Problems) == 0 {
			t.Errorf("cut at %d: nothing was found", n)
		}
	}
	for at := 0; at < len(data); at += 11 {
		damaged := slices.Clone(data)
		damaged[at] ^= 0x55
		verify(t, damaged)
	}
	if r := verify(t, nil); !names(r, "not-a-zip", "") {
		t.Error(r.Problems)
	}
	if r := verify(t, pack(t, nil)); !names(r, "empty", "") {
		t.Error(r.Problems)
	}
}

func TestLinksAreNoFiles(t *testing.T) {
	t.Parallel()
	var b bytes.Buffer
	zw := zip.NewWriter(&b)
	h := &zip.FileHeader{Name: "bag/data/link"}
	h.SetMode(fs.ModeSymlink | 0o777)
	w, err := zw.CreateHeader(h)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.WriteString(w, "/etc/passwd"); err != nil {
		t.Fatal(err)
	}
	if err := zw.Close(); err != nil {
		t.Fatal(err)
	}
	if r := verify(t, b.Bytes()); !names(r, "not-a-file", "data/link") {
		t.Error(r.Problems)
	}
}

// The number of problems is bounded.
func TestManyProblems(t *testing.T) {
	t.Parallel()
	var list []member
	for i := range 500 {
		list = append(list, member{fmt.Sprintf("bag/data/%d/../x", i), ""})
	}
	if r := verify(t, pack(t, list)); len(r.Problems) != 101 || r.Problems[100].Code != "too-many" {
		t.Errorf("%d problems", len(r.Problems))
	}
}

type broken struct{}

var errDisk = errors.New("disk error")

func (broken) ReadAt([]byte, int64) (int, error) { return 0, errDisk }

// An error of the disk or of the caller is no problem of the bundle.
func TestVerifyErrors(t *testing.T) {
	t.Parallel()
	if _, err := bundle.Verify(t.Context(), broken{}, 1000); !errors.Is(err, errDisk) {
		t.Error(err)
	}
	data, _ := write(t, accessInput(t))
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := bundle.Verify(ctx, bytes.NewReader(data), int64(len(data))); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}

func FuzzVerify(f *testing.F) {
	data, _ := write(f, accessInput(f))
	f.Add(data)
	f.Add(pack(f, []member{{"a/b", "c"}}))
	f.Fuzz(func(t *testing.T, data []byte) {
		if _, err := bundle.Verify(t.Context(), bytes.NewReader(data), int64(len(data))); err != nil {
			t.Fatal(err)
		}
	})
}

// TestThirdParty has bagit and frictionless judge bundles of every kind.
func TestThirdParty(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for name, data := range map[string][]byte{
		"access": first(write(t, accessInput(t))), "typical": first(write(t, typicalInput(t))), "erasure": first(write(t, erasureInput(t))),
		"large": first(write(t, largeInput(t, 2<<20))),
	} {
		for _, m := range append(members(t, data), member{"bundle.zip", string(data)}) {
			path := filepath.Join(dir, name, filepath.FromSlash(m.name))
			if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(path, []byte(m.content), 0o600); err != nil {
				t.Fatal(err)
			}
		}
	}
	thirdparty.Python(t, "testdata/thirdparty", "validate.py", "BUNDLES="+dir)
}

func first(data []byte, _ bundle.Summary) []byte { return data }
