package vault

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"habeas.dev/pkg/vault/internal/store"
)

// A pack is one file that holds the short objects of a request, of all systems, in a
// directory's bucket: to make a file costs as much CPU as to gather and seal what is in
// it, and a request has about eight objects (docs/adr/0004).
//
// Objects are appended, each as one frame by one call of write, which a local file system keeps apart from those of other
// processes. A frame that a process didn't write to its end has a wrong sum;
// readers pass over it to the next one's magic. The sums tell what was written
// whole, no more: whether it is what was sealed is told by the seal.
//
// A frame that was cut short could become whole by what another process appends
// behind it, if its missing end were the other's beginning. The zero byte at the
// end, which no magic holds, rules that out for up to 8 missing bytes; more would
// take 8 sealed bytes that are the magic by chance.
//
//	magic 8 | sum of all behind it 4 | kind 1 | name's length 1 | content's length 4 | name | content | zero 1
const (
	packMagic  = "\xbd\x9ahabeas"
	packHeader = len(packMagic) + 4 + 1 + 1 + 4
	// maxPacked is the longest object that goes into a pack.
	maxPacked = 16 << 10
	// maxPack is about when a pack takes no more: one is read as a whole for
	// every object in it.
	maxPack = 256 << 10
)

// The kinds of a frame.
const (
	framePut   = 1 // an object; the last one of a name counts
	frameGone  = 2 // the objects whose name begins so were deleted
	frameMoved = 3 // the object of this name is in a file of its own
)

var packSums = crc32.MakeTable(crc32.Castagnoli)

func appendFrame(b []byte, kind byte, name string, content []byte) []byte {
	start := len(b)
	b = append(b, packMagic...)
	b = append(b, 0, 0, 0, 0, kind, byte(len(name)))
	b = binary.BigEndian.AppendUint32(b, uint32(len(content)))
	b = append(b, name...)
	b = append(b, content...)
	b = append(b, 0)
	sum := b[start+len(packMagic):]
	binary.BigEndian.PutUint32(sum, crc32.Checksum(sum[4:], packSums))
	return b
}

// findFrame returns the content of the last object of a name, store.ErrNotFound where
// there is none, and ErrCorrupt where its frame is damaged, and no later one is
// there.
func findFrame(pack []byte, name string) (content []byte, err error) {
	err = store.ErrNotFound
	for {
		at := bytes.Index(pack, []byte(packMagic))
		if at < 0 {
			return content, err
		}
		pack = pack[at:]
		kind, frameName, frameContent, size := parseFrame(pack)
		switch {
		case kind == framePut && frameName == name:
			content, err = frameContent, nil
		case kind == frameMoved && frameName == name:
			content, err = nil, store.ErrNotFound
		case kind == frameGone && strings.HasPrefix(name, frameName):
			content, err = nil, store.ErrNotFound
		case kind == 0 && frameName == name && err != nil:
			err = ErrCorrupt
		}
		pack = pack[size:]
	}
}

// parseFrame reads the frame that a pack begins with. One that isn't whole has
// the kind 0, its name as far as it can be told, and the size of its magic:
// what lies behind may be another's.
func parseFrame(b []byte) (kind byte, name string, content []byte, size int) {
	if len(b) < packHeader {
		return 0, "", nil, len(b)
	}
	h := b[len(packMagic):packHeader]
	nameEnd := packHeader + int(h[5])
	if len(b) < nameEnd {
		return 0, "", nil, len(packMagic)
	}
	name = string(b[packHeader:nameEnd])
	length := binary.BigEndian.Uint32(h[6:])
	if uint64(len(b)-nameEnd) <= uint64(length) {
		return 0, name, nil, len(packMagic)
	}
	end := nameEnd + int(length)
	size = end + 1
	if b[end] != 0 || crc32.Checksum(b[len(packMagic)+4:size], packSums) != binary.BigEndian.Uint32(h) {
		return 0, name, nil, len(packMagic)
	}
	return h[4], name, b[nameEnd:end:end], size
}

// frameOf tells in which pack, under which name, an object may lie.
func frameOf(key string) (pack, name string, ok bool) {
	object, ok := strings.CutPrefix(key, objectsPrefix)
	if !ok {
		return "", "", false
	}
	system, object, _ := strings.Cut(object, "/")
	request, name, ok := strings.Cut(object, "/")
	return packsPrefix + request, system + "~" + name, ok
}

// appendPack adds a frame, and makes the pack where it may. It returns false where
// there is no pack, or it is long enough.
func (d *dir) appendPack(pack string, kind byte, name string, content []byte, mayCreate bool) (bool, error) {
	f, err := os.OpenFile(d.path(pack), os.O_WRONLY|os.O_APPEND, 0)
	if errors.Is(err, fs.ErrNotExist) {
		if !mayCreate {
			return false, nil
		}
		f, err = d.createPack(pack)
	}
	if err != nil {
		return false, err
	}
	defer f.Close()
	if kind == framePut {
		info, err := f.Stat()
		if err != nil {
			return false, err
		}
		if info.Size() > maxPack {
			return false, nil
		}
	}
	buf := d.buffer()
	defer d.buffers.Put(buf)
	*buf = appendFrame((*buf)[:0], kind, name, content)
	_, err = f.Write(*buf)
	return true, err
}

// createPack opens a pack that wasn't there; another process may make it at the same
// time.
func (d *dir) createPack(pack string) (*os.File, error) {
	const flags = os.O_WRONLY | os.O_APPEND | os.O_CREATE
	d.names.Lock()
	defer d.names.Unlock()
	f, err := os.OpenFile(d.path(pack), flags, fileMode)
	if errors.Is(err, fs.ErrNotExist) {
		if err = os.MkdirAll(filepath.Dir(d.path(pack)), dirMode); err == nil {
			f, err = os.OpenFile(d.path(pack), flags, fileMode)
		}
	}
	return f, err
}

// readPack finds an object in a pack and returns a copy of it.
func (d *dir) readPack(pack, name string) ([]byte, error) {
	f, err := os.Open(d.path(pack))
	if err != nil {
		if errors.Is(err, fs.ErrNotExist) {
			return nil, store.ErrNotFound
		}
		return nil, err
	}
	defer f.Close()
	buf := d.buffer()
	defer d.buffers.Put(buf)
	if *buf, err = readAll((*buf)[:0], f); err != nil {
		return nil, err
	}
	content, err := findFrame(*buf, name)
	return bytes.Clone(content), err
}

// readAll reads a file into a buffer. Packs end soon after maxPack; a file
// that is far longer isn't a pack.
func readAll(b []byte, r io.Reader) ([]byte, error) {
	for {
		if len(b) > 64*maxPack {
			return b, fmt.Errorf("a pack of objects is longer than %d bytes: %w", 64*maxPack, ErrCorrupt)
		}
		if len(b) == cap(b) {
			b = append(b, 0)[:len(b)]
		}
		n, err := r.Read(b[len(b):cap(b)])
		b = b[:len(b)+n]
		if errors.Is(err, io.EOF) {
			return b, nil
		}
		if err != nil {
			return b, err
		}
	}
}

// buffer lends a buffer for a frame or a pack; all that goes through is sealed.
func (d *dir) buffer() *[]byte {
	if b, ok := d.buffers.Get().(*[]byte); ok {
		return b
	}
	b := make([]byte, 0, 32<<10)
	return &b
}
