package main

import (
	"archive/zip"
	"bytes"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

const root = "../../.."

// TestPack: the modules require each other at the version that they are packed as,
// with sums of what is packed, and replace nothing.
func TestPack(t *testing.T) {
	t.Parallel()
	packs, err := packAll(root, "v0.9.1")
	if err != nil {
		t.Skip("not in a checkout of git:", err)
	}
	again, err := packAll(root, "v0.9.1")
	if err != nil {
		t.Fatal(err)
	}
	for i, p := range packs {
		if !bytes.Equal(p.Zip, again[i].Zip) {
			t.Errorf("%s: packed twice, it differs", p.Path)
		}
		if strings.Contains(string(p.Mod), "replace") {
			t.Errorf("%s replaces:\n%s", p.Path, p.Mod)
		}
		files := unzip(t, p.Zip)
		if mod := files[p.Path+"@v0.9.1/go.mod"]; mod != string(p.Mod) {
			t.Errorf("%s: the zip's go.mod is another:\n%s", p.Path, mod)
		}
		if !strings.Contains(files[p.Path+"@v0.9.1/LICENSE"], "Apache License") {
			t.Errorf("%s: no licence in the zip", p.Path)
		}
		if was, err := os.ReadFile(filepath.Join(root, p.Dir, "go.sum")); err == nil && withoutOurs(string(was)) != withoutOurs(string(p.Sum)) {
			t.Errorf("%s: the other modules' sums aren't as the go command sorts them", p.Path)
		}
		for _, o := range packs[:i] {
			sums, err := o.sums()
			if err != nil {
				t.Fatal(err)
			}
			if !strings.Contains(string(p.Mod), o.Path+" v0.9.1\n") || !strings.Contains(files[p.Path+"@v0.9.1/go.sum"], strings.Join(sums, "")) {
				t.Errorf("%s doesn't require %s as it is packed", p.Path, o.Path)
			}
		}
	}
}

// withoutOurs returns a go.sum without the lines of Habeas' modules.
func withoutOurs(sum string) string {
	var b strings.Builder
	for line := range strings.Lines(sum) {
		if !strings.HasPrefix(line, prefix) {
			b.WriteString(line)
		}
	}
	return b.String()
}

func unzip(t *testing.T, data []byte) map[string]string {
	t.Helper()
	r, err := zip.NewReader(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		t.Fatal(err)
	}
	files := map[string]string{}
	for _, f := range r.File {
		in, err := f.Open()
		if err != nil {
			t.Fatal(err)
		}
		content, err := io.ReadAll(in)
		if err != nil {
			t.Fatal(err)
		}
		files[f.Name] = string(content)
	}
	return files
}

// TestProxyKeepsReleases: what was laid out before stays, and pseudo-versions aren't
// in the list.
func TestProxyKeepsReleases(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for _, v := range []string{"v0.10.0", "v0.9.0", "v0.0.0-20261129121640-35b5383e36f8"} {
		p := &pack{Dir: "schemas", Mod: []byte("module habeas.dev/schemas\n"), Zip: []byte("zip")}
		p.Path, p.Version.Version = "habeas.dev/schemas", v
		if err := writeProxy(dir, []*pack{p}, time.Unix(1, 0)); err != nil {
			t.Fatal(err)
		}
	}
	list, err := os.ReadFile(filepath.Join(dir, "habeas.dev/schemas/@v/list"))
	if err != nil || string(list) != "v0.9.0\nv0.10.0\n" {
		t.Errorf("%q, %v", list, err)
	}
}
