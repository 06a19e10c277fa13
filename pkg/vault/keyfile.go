package vault

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"

	"habeas.dev/pkg/vault/internal/store"
)

// In a directory the wrapped roots of a request lie in one file, keys/<request>.roots: to
// make a file takes as long as most of what is done for a request, and needs to be synced.
// It is made of frames, as a pack is, so that any number of processes can append to it at
// once:
//
//   - of several that create a root, the first frame counts. Whoever creates reads again
//     what is there once its own frame is synced.
//   - the last one that replaces a root counts before that, and one that ends it before all
//     others, whenever it was written.
//   - what doesn't count any more is overwritten with zeros, in its place. Whoever appends
//     looks afterwards for what doesn't count, its own frame included, so that nothing
//     stays that another process appends at the moment of the end (TestEndedKeysAreWiped).
//   - when all roots have ended, the file is made anew, of nothing but that.
//
// Until v0.1.0 each root had a file of its own, which stays its place.
const rootsSuffix = ".roots"

// The kinds of a key file's frames.
const (
	frameCreated  = 5
	frameReplaced = 6
)

// maxKeyFile is far above two roots, what replaced them, and what was left half-written.
const maxKeyFile = 1 << 20

// keyFileOf tells in which key file, under which name, a request's root lies.
func keyFileOf(key string) (file, root string, ok bool) {
	name, ok := strings.CutPrefix(key, keysPrefix)
	if !ok {
		return "", "", false
	}
	request, root, ok := strings.Cut(name, ".")
	if root != SubjectRoot.String() && root != RecordsRoot.String() {
		return "", "", false
	}
	return keysPrefix + request + rootsSuffix, root, ok
}

// rootThatCounts returns the frame of a root that counts; its content is nil where there is
// none.
func rootThatCounts(file []byte, root string) (counts frame) {
	for f := range frames(file) {
		switch {
		case f.name != root || f.kind != frameCreated && f.kind != frameReplaced:
		case counts.kind == frameReplaced && isEnded(counts.content):
		case f.kind == frameReplaced || counts.content == nil:
			counts = f
		}
	}
	return counts
}

// readRoot returns what lies in a key file; store.ErrNotFound where nothing does.
func (d *dir) readRoot(file, root string) ([]byte, error) {
	f, err := os.Open(d.path(file))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, store.ErrNotFound
	}
	if err != nil {
		return nil, err
	}
	defer f.Close()
	text, err := readKeyFile(f)
	if err != nil {
		return nil, err
	}
	content := rootThatCounts(text, root).content
	if content == nil {
		return nil, store.ErrNotFound
	}
	return content, nil
}

// readKeyFile reads an open key file from its beginning.
func readKeyFile(f *os.File) ([]byte, error) {
	text, err := io.ReadAll(io.NewSectionReader(f, 0, maxKeyFile+1))
	if err == nil && len(text) > maxKeyFile {
		err = fmt.Errorf("a file of keys is longer than %d bytes: %w", maxKeyFile, ErrCorrupt)
	}
	return text, err
}

// hasOwnFile reports whether a root lies in a file of its own. Where the folder had no such
// file when it was first asked, it has none: to ask the kernel for each of two names that
// aren't there, while others make files, takes as long as to make one.
func (d *dir) hasOwnFile(key string) (bool, error) {
	if d.looked.CompareAndSwap(false, true) {
		some, err := d.findOwnFiles()
		d.looked.Store(err == nil)
		if err != nil {
			return false, err
		}
		d.noOwnFiles.Store(!some)
	}
	if d.noOwnFiles.Load() {
		return false, nil
	}
	_, err := os.Lstat(d.path(key))
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	return err == nil, err
}

// findOwnFiles reports whether any root lies in a file of its own.
func (d *dir) findOwnFiles() (found bool, err error) {
	stop := errors.New("found")
	err = d.eachFile(context.Background(), keysPrefix, func(file fs.DirEntry) error {
		if _, _, found = keyFileOf(keysPrefix + file.Name()); found {
			return stop
		}
		return nil
	})
	if errors.Is(err, stop) {
		err = nil
	}
	return found, err
}

// createKeys creates the roots of a request, and says which of them existed before.
func (d *dir) createKeys(ctx context.Context, requestID string, sealed sealedRoots) (exists [rootCount]bool, err error) {
	if err := ctx.Err(); err != nil {
		return exists, err
	}
	roots := make([]string, rootCount)
	for which := range rootCount {
		roots[which] = which.String()
	}
	some, err := d.createRoots(keysPrefix+requestID+rootsSuffix, roots, sealed[:])
	copy(exists[:], some)
	return exists, diskError(d.root, err)
}

// putRoot writes one root of a request.
func (d *dir) putRoot(key, file, root string, sealed []byte, mode store.Mode) error {
	if mode == store.Create {
		exists, err := d.createRoots(file, []string{root}, [][]byte{sealed})
		if err == nil && exists[0] {
			err = store.ErrExists
		}
		return err
	}
	switch own, err := d.hasOwnFile(key); {
	case err != nil:
		return err
	case own:
		return d.putFile(key, sealed, mode)
	default:
		return d.replaceRoot(file, root, sealed)
	}
}

// createRoots creates roots of a request in one step, and says which of them existed.
func (d *dir) createRoots(file string, roots []string, sealed [][]byte) (exists []bool, err error) {
	exists = make([]bool, len(roots))
	for i, root := range roots {
		key := strings.TrimSuffix(file, rootsSuffix) + "." + root
		if exists[i], err = d.hasOwnFile(key); err != nil {
			return nil, err
		}
	}
	f, err := d.openKeyFile(file)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	before, err := readKeyFile(f)
	if err != nil {
		return nil, err
	}
	var mine []byte
	for i, root := range roots {
		if exists[i] = exists[i] || rootThatCounts(before, root).content != nil; !exists[i] {
			mine = appendFrame(mine, frameCreated, root, sealed[i])
		}
	}
	if mine == nil {
		return exists, f.Sync() // whoever wrote it may not have come to that
	}
	after, err := appendKeys(f, mine)
	if err != nil {
		return nil, err
	}
	for i, root := range roots {
		if exists[i] {
			continue
		}
		counts := rootThatCounts(after, root).content
		if exists[i] = !bytes.Equal(counts, sealed[i]); isEnded(counts) {
			if err := d.wipe(file, root); err != nil {
				return nil, err
			}
		}
	}
	return exists, nil
}

// replaceRoot replaces a root of a request, or ends it, whether it has one or not.
func (d *dir) replaceRoot(file, root string, sealed []byte) error {
	f, err := d.openKeyFile(file)
	if err != nil {
		return err
	}
	defer f.Close()
	before, err := readKeyFile(f)
	if err != nil {
		return err
	}
	if !isEnded(rootThatCounts(before, root).content) {
		if _, err := appendKeys(f, appendFrame(nil, frameReplaced, root, sealed)); err != nil {
			return err
		}
	}
	return d.wipe(file, root)
}

// openKeyFile opens a key file to append to it, and makes it where it is missing.
func (d *dir) openKeyFile(file string) (*os.File, error) {
	d.names.Lock()
	defer d.names.Unlock()
	return d.openOrCreate(file)
}

// appendKeys appends frames, saves them, and returns the whole file after that.
func appendKeys(f *os.File, frames []byte) ([]byte, error) {
	if _, err := f.Write(frames); err != nil {
		return nil, err
	}
	if err := f.Sync(); err != nil {
		return nil, err
	}
	return readKeyFile(f)
}

// wipe overwrites what doesn't count of a root. Where all roots have ended, it makes the
// file anew.
func (d *dir) wipe(file, root string) error {
	f, err := os.OpenFile(d.path(file), os.O_RDWR, 0)
	if err != nil {
		return err
	}
	defer f.Close()
	text, err := readKeyFile(f)
	if err != nil {
		return err
	}
	counts, wiped := rootThatCounts(text, root), false
	for other := range frames(text) {
		if other.name != root || len(other.content) == 0 || other.at == counts.at {
			continue
		}
		if _, err := f.WriteAt(make([]byte, len(other.content)), other.at); err != nil {
			return err
		}
		wiped = true
	}
	if wiped {
		if err := f.Sync(); err != nil {
			return err
		}
	}
	var ended []byte
	for which := range rootCount {
		if !isEnded(rootThatCounts(text, which.String()).content) {
			return nil
		}
		ended = appendFrame(ended, frameReplaced, which.String(), endedMark)
	}
	if len(text) == len(ended) {
		return nil
	}
	return d.putFile(file, ended, store.Replace)
}

// namesInKeyFile returns the names of the keys that a file of the keys' folder may hold.
func namesInKeyFile(file string) []string {
	request, ok := strings.CutSuffix(file, rootsSuffix)
	if !ok {
		return []string{file}
	}
	var names []string
	for which := range rootCount {
		names = append(names, rootName(request, which))
	}
	return names
}
