package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"golang.org/x/mod/modfile"
	"golang.org/x/mod/module"
	"golang.org/x/mod/sumdb/dirhash"
	"golang.org/x/mod/zip"
)

// folders are the modules' folders, each before those that require it. A module's
// path is prefix and its folder.
var folders = []string{"schemas", "pkg", "services"}

const prefix = "habeas.dev/"

// pack is one module as its tag has it.
type pack struct {
	module.Version
	Dir      string // its folder, from the repository's root
	Mod, Sum []byte // go.mod and go.sum
	Zip      []byte
	files    []string // all of its folder that git knows, from there
}

// packAll packs the modules under one version. They require each other by it, and
// replace nothing: `go install …@version` refuses a module that does.
func packAll(root, version string) ([]*pack, error) {
	var packs []*pack
	for _, dir := range folders {
		p := &pack{Version: module.Version{Path: prefix + dir, Version: version}, Dir: dir}
		if err := p.read(root); err != nil {
			return nil, fmt.Errorf("module %s: %w", p.Path, err)
		}
		if err := p.require(packs); err != nil {
			return nil, fmt.Errorf("module %s: %w", p.Path, err)
		}
		var b bytes.Buffer
		if err := zip.Create(&b, p.Version, p.zipFiles(root)); err != nil {
			return nil, fmt.Errorf("module %s: %w", p.Path, err)
		}
		p.Zip = b.Bytes()
		packs = append(packs, p)
	}
	return packs, nil
}

// read lists the module's files and reads what will be changed of them.
func (p *pack) read(root string) (err error) {
	out, err := git(root, "ls-files", "-z", "--", p.Dir)
	if err != nil {
		return err
	}
	for f := range strings.SplitSeq(strings.TrimSuffix(out, "\x00"), "\x00") {
		if info, err := os.Lstat(filepath.Join(root, f)); err == nil && info.Mode().IsRegular() {
			p.files = append(p.files, strings.TrimPrefix(f, p.Dir+"/"))
		}
	}
	if p.Mod, err = os.ReadFile(filepath.Join(root, p.Dir, "go.mod")); err != nil {
		return err
	}
	if p.Sum, err = os.ReadFile(filepath.Join(root, p.Dir, "go.sum")); os.IsNotExist(err) {
		err = nil
	}
	return err
}

// require makes the module require others at their versions, and their content.
func (p *pack) require(others []*pack) error {
	m, err := modfile.Parse("go.mod", p.Mod, nil)
	if err != nil {
		return err
	}
	var sums []string
	for line := range strings.Lines(string(p.Sum)) {
		if !strings.HasPrefix(line, prefix) {
			sums = append(sums, line)
		}
	}
	for _, o := range others {
		if !slices.ContainsFunc(m.Require, func(r *modfile.Require) bool { return r.Mod.Path == o.Path }) {
			continue
		}
		if err := m.AddRequire(o.Path, o.Version.Version); err != nil {
			return err
		}
		if err := m.DropReplace(o.Path, ""); err != nil {
			return err
		}
		lines, err := o.sums()
		if err != nil {
			return err
		}
		sums = append(sums, lines...)
	}
	m.Cleanup()
	if p.Mod, err = m.Format(); err != nil {
		return err
	}
	sortSums(sums)
	p.Sum = []byte(strings.Join(sums, ""))
	return nil
}

// sortSums sorts the lines of a go.sum as the go command does, so that it finds
// nothing to tidy.
func sortSums(lines []string) {
	slices.SortStableFunc(lines, func(a, b string) int {
		x, y := sumOf(a), sumOf(b)
		if x == y {
			return 0
		}
		pair := []module.Version{x, y}
		module.Sort(pair)
		if pair[0] == x {
			return -1
		}
		return 1
	})
}

// sumOf returns which module's sum a line of a go.sum is; its version ends in
// /go.mod where the sum is of that file alone.
func sumOf(line string) module.Version {
	path, rest, _ := strings.Cut(line, " ")
	version, _, _ := strings.Cut(rest, " ")
	return module.Version{Path: path, Version: version}
}

// sums returns the module's two lines of a go.sum.
func (p *pack) sums() ([]string, error) {
	dir, err := os.MkdirTemp("", "habeas-zip-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	path := filepath.Join(dir, "module.zip")
	if err := os.WriteFile(path, p.Zip, 0o600); err != nil {
		return nil, err
	}
	whole, err := dirhash.HashZip(path, dirhash.Hash1)
	if err != nil {
		return nil, err
	}
	mod, err := dirhash.Hash1([]string{"go.mod"}, func(string) (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(p.Mod)), nil })
	if err != nil {
		return nil, err
	}
	return []string{
		fmt.Sprintf("%s %s %s\n", p.Path, p.Version.Version, whole),
		fmt.Sprintf("%s %s/go.mod %s\n", p.Path, p.Version.Version, mod),
	}, nil
}

// zipFiles returns the module's files as they go into its zip: with the go.mod and
// go.sum of the pack, and the repository's licence, as the go command has it.
func (p *pack) zipFiles(root string) []zip.File {
	var files []zip.File
	has := map[string]bool{}
	for _, f := range p.files {
		has[f] = true
		switch f {
		case "go.mod", "go.sum":
		default:
			files = append(files, diskFile{f, filepath.Join(root, p.Dir, f)})
		}
	}
	files = append(files, memoryFile{"go.mod", p.Mod})
	if len(p.Sum) > 0 {
		files = append(files, memoryFile{"go.sum", p.Sum})
	}
	if licence := filepath.Join(root, "LICENSE"); !has["LICENSE"] && exists(licence) {
		files = append(files, diskFile{"LICENSE", licence})
	}
	return files
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

// diskFile is a file of the checkout.
type diskFile struct{ name, path string }

func (f diskFile) Path() string                 { return f.name }
func (f diskFile) Lstat() (fs.FileInfo, error)  { return os.Lstat(f.path) }
func (f diskFile) Open() (io.ReadCloser, error) { return os.Open(f.path) }

// memoryFile is one that was made for the pack.
type memoryFile struct {
	name    string
	content []byte
}

func (f memoryFile) Path() string                { return f.name }
func (f memoryFile) Lstat() (fs.FileInfo, error) { return memoryInfo{f}, nil }
func (f memoryFile) Open() (io.ReadCloser, error) {
	return io.NopCloser(bytes.NewReader(f.content)), nil
}

// memoryInfo tells of a memoryFile what zip.Create asks.
type memoryInfo struct{ memoryFile }

func (i memoryInfo) Name() string       { return i.name }
func (i memoryInfo) Size() int64        { return int64(len(i.content)) }
func (i memoryInfo) Mode() fs.FileMode  { return 0o644 }
func (i memoryInfo) ModTime() time.Time { return time.Time{} }
func (i memoryInfo) IsDir() bool        { return false }
func (i memoryInfo) Sys() any           { return nil }

// git runs git in the repository.
func git(root string, args ...string) (string, error) {
	cmd := exec.CommandContext(context.Background(), "git", append([]string{"-C", root}, args...)...)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		return "", fmt.Errorf("git %s: %w: %s", args[0], err, strings.TrimSpace(stderr.String()))
	}
	return string(out), nil
}
