package vault

import (
	"bytes"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"hash/crc32"
	"io/fs"
	"iter"
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
	frameMark  = 4 // a mark; the first one of a name counts
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

// frame is a frame of a pack, as [parseFrame] reads it.
type frame struct {
	kind    byte
	name    string
	content []byte
	at      int64 // where the content begins; of a whole frame
}

// frames goes through the frames of a pack.
func frames(pack []byte) iter.Seq[frame] {
	return func(yield func(frame) bool) {
		for begin := 0; ; {
			next := bytes.Index(pack[begin:], []byte(packMagic))
			if next < 0 {
				return
			}
			begin += next
			kind, name, content, size := parseFrame(pack[begin:])
			if !yield(frame{kind, name, content, int64(begin + packHeader + len(name))}) {
				return
			}
			begin += size
		}
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
func (d *dir) frameOf(key string) (pack, name string, ok bool) {
	pack, name, ok = frameOf(key)
	if ok && d.apart {
		system, _, _ := strings.Cut(name, "~")
		pack = objectsPrefix + system + "/" + strings.TrimPrefix(pack, packsPrefix) + packEnd
	}
	return pack, name, ok
}

// packsOf returns in which packs an object may lie: that of its system, and that which the
// systems shared before.
func (d *dir) packsOf(key string) (packs []string, name string) {
	pack, name, ok := d.frameOf(key)
	if !ok {
		return nil, ""
	}
	packs = append(packs, pack)
	if shared, _, _ := frameOf(key); shared != pack {
		packs = append(packs, shared)
	}
	return packs, name
}

// packEnd ends the name of a pack of one system: no request's id has a dot.
const packEnd = ".pack"

// frameOf tells the same where systems share a request's pack.
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
func (d *dir) appendPack(pack string, kind byte, name string, content []byte, mayCreate bool) (packed bool, err error) {
	err = d.usePack(pack, mayCreate, func(p *packFile, size int64) error {
		if kind == framePut && size > maxPack {
			return nil
		}
		packed = true
		return d.writeFrame(p, kind, name, content)
	})
	if errors.Is(err, fs.ErrNotExist) && !mayCreate {
		return false, nil
	}
	return packed, err
}

// writeFrame appends a frame to an open pack by one call of write.
func (d *dir) writeFrame(p *packFile, kind byte, name string, content []byte) error {
	buf := d.buffer()
	defer d.buffers.Put(buf)
	*buf = appendFrame((*buf)[:0], kind, name, content)
	_, err := p.Write(*buf)
	return err
}

// notThere returns store.ErrNotFound for a file that isn't there.
func notThere(err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return store.ErrNotFound
	}
	return err
}

// markPack leaves a mark, as a frame with a token of its own: of many that are there, the
// first counts, whoever wrote it. It is synced before its writer may think it was first.
func (d *dir) markPack(pack, name string) error {
	var token [markToken]byte
	rand.Read(token[:]) // never fails
	return d.usePack(pack, true, func(p *packFile, size int64) error {
		first := func(size int64) (mine bool, err error) {
			err = d.look(p, size, func(x *packIndex) error {
				switch found := x.marks[name]; {
				case found == nil:
				case bytes.Equal(found, token[:]):
					mine = true
				default:
					return store.ErrExists
				}
				return nil
			})
			return mine, err
		}
		mine, err := first(size)
		if err != nil {
			return err
		}
		if !mine { // it is, where the pack was closed after it was written
			if err := d.writeFrame(p, frameMark, name, token[:]); err != nil {
				return err
			}
		}
		if err := p.sync(); err != nil {
			return err
		}
		info, err := p.Stat()
		if err != nil {
			return err
		}
		if mine, err = first(info.Size()); err == nil && !mine {
			err = store.ErrExists // it was deleted at once
		}
		return err
	})
}

// marked returns store.ErrExists where a pack has a mark.
func (d *dir) marked(pack, name string) error {
	err := d.usePack(pack, false, func(p *packFile, size int64) error {
		return d.look(p, size, func(x *packIndex) error {
			if x.marks[name] != nil {
				return store.ErrExists
			}
			return nil
		})
	})
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}

// markToken is the length of what tells one writer's mark from another's.
const markToken = 16

// buffer lends a buffer for a frame or a pack; all that goes through is sealed.
func (d *dir) buffer() *[]byte {
	if b, ok := d.buffers.Get().(*[]byte); ok {
		return b
	}
	b := make([]byte, 0, 32<<10)
	return &b
}
