package vault

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"

	"habeas.dev/pkg/vault/internal/store"
)

// packIndex is where an open pack's objects and marks lie, as far as it was read: a pack
// only grows, so each frame is read once, and not again for every object that is asked for.
type packIndex struct {
	mu sync.Mutex
	// read is where the last whole frame ends; what lies behind is looked at again.
	read    int64
	objects map[string]extent
	marks   map[string][]byte // the token of the first of each name
	torn    map[string]bool   // whose frame was damaged, where no later one is there
	tail    map[string]bool   // the same of what lies behind read
}

// extent is where an object's content lies.
type extent struct {
	at   int64
	size int
}

// add reads the frames of a pack's end, which begins at x.read.
func (x *packIndex) add(end []byte) {
	x.tail = nil
	from := x.read
	var damaged []string // since the last whole frame
	for f := range frames(end) {
		if f.kind == 0 {
			damaged = append(damaged, f.name)
			continue
		}
		x.tear(&x.torn, damaged)
		damaged = nil
		x.apply(f, from)
		x.read = from + f.at + int64(len(f.content)) + 1
	}
	x.tear(&x.tail, damaged)
}

// tear notes the names of damaged frames.
func (x *packIndex) tear(in *map[string]bool, names []string) {
	for _, name := range names {
		if _, ok := x.objects[name]; ok {
			continue
		}
		if *in == nil {
			*in = map[string]bool{}
		}
		(*in)[name] = true
	}
}

// apply takes in a whole frame, whose place is counted from an offset.
func (x *packIndex) apply(f frame, from int64) {
	switch f.kind {
	case framePut:
		if x.objects == nil {
			x.objects = map[string]extent{}
		}
		x.objects[f.name] = extent{from + f.at, len(f.content)}
		delete(x.torn, f.name)
	case frameMoved:
		delete(x.objects, f.name)
		delete(x.torn, f.name)
	case frameGone:
		deletePrefix(x.objects, f.name)
		deletePrefix(x.marks, f.name)
		deletePrefix(x.torn, f.name)
	case frameMark:
		if x.marks == nil {
			x.marks = map[string][]byte{}
		}
		if _, ok := x.marks[f.name]; !ok {
			x.marks[f.name] = bytes.Clone(f.content)
		}
	}
}

func deletePrefix[V any](m map[string]V, prefix string) {
	for name := range m {
		if strings.HasPrefix(name, prefix) {
			delete(m, name)
		}
	}
}

// find returns where the last object of a name lies: store.ErrNotFound where there is none,
// and ErrCorrupt where its frame is damaged, and no later one is there.
func (x *packIndex) find(name string) (extent, error) {
	e, ok := x.objects[name]
	switch {
	case ok:
		return e, nil
	case x.torn[name] || x.tail[name]:
		return e, ErrCorrupt
	default:
		return e, store.ErrNotFound
	}
}

// look calls f with an open pack's index, once it has what the pack holds. Packs end soon
// after maxPack; a file that is far longer isn't a pack.
func (d *dir) look(p *packFile, size int64, f func(x *packIndex) error) error {
	if size > 64*maxPack {
		return fmt.Errorf("a pack of objects is longer than %d bytes: %w", 64*maxPack, ErrCorrupt)
	}
	x := &p.index
	x.mu.Lock()
	defer x.mu.Unlock()
	if size < x.read { // somebody has cut it
		x.read, x.objects, x.marks, x.torn = 0, nil, nil, nil
	}
	if size > x.read {
		buf := d.buffer()
		defer d.buffers.Put(buf)
		*buf = slices.Grow((*buf)[:0], int(size-x.read))[:size-x.read]
		n, err := p.ReadAt(*buf, x.read)
		if err != nil && !errors.Is(err, io.EOF) { // it was cut meanwhile
			return err
		}
		x.add((*buf)[:n])
	}
	return f(x)
}

// readPack finds an object in a pack and returns it.
func (d *dir) readPack(pack, name string) (content []byte, err error) {
	err = d.usePack(pack, false, func(p *packFile, size int64) error {
		var at extent
		if err := d.look(p, size, func(x *packIndex) (err error) { at, err = x.find(name); return err }); err != nil {
			return err
		}
		content = make([]byte, at.size)
		_, err := p.ReadAt(content, at.at)
		if errors.Is(err, io.EOF) {
			return ErrCorrupt
		}
		return err
	})
	if err != nil {
		content = nil
	}
	return content, notThere(err)
}
