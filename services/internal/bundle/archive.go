package bundle

import (
	"archive/zip"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"hash"
	"hash/crc32"
	"io"
	"sync"
	"time"

	"github.com/klauspost/compress/flate"
)

const (
	// deflateLevel is the fastest level: the next one costs a third more time for a
	// few per cent of size.
	deflateLevel = 1
	// storeBelow is the length under which a file is stored as it is: deflating
	// so little saves next to nothing (docs/benchmarks.md).
	storeBelow = 256
)

// packed is a file of the bag that has been written, with its size and hash.
type packed struct {
	name  string // below the top folder
	bytes int64
	sum   [sha256.Size]byte
}

func (p packed) hash() string { return hex.EncodeToString(p.sum[:]) }

// archive writes the files of one bag into a ZIP, and remembers their hashes.
type archive struct {
	zip      *zip.Writer
	top      string // the top folder, with a slash
	modified time.Time
	flates   *sync.Pool // of *flate.Writer
	scratch  *bytes.Buffer
	open     *entry // being written; nil: none
	payload  []packed
	readMe   packed // beside the folder
}

func newArchive(w io.Writer, top string, modified time.Time, flates *sync.Pool, scratch *bytes.Buffer) *archive {
	a := &archive{zip: zip.NewWriter(w), top: top + "/", modified: modified, flates: flates, scratch: scratch}
	a.zip.RegisterCompressor(zip.Deflate, func(w io.Writer) (io.WriteCloser, error) {
		return &pooledFlate{Writer: a.flate(w), pool: flates}, nil
	})
	return a
}

func (a *archive) flate(w io.Writer) *flate.Writer {
	if f, ok := a.flates.Get().(*flate.Writer); ok {
		f.Reset(w)
		return f
	}
	f, err := flate.NewWriter(w, deflateLevel)
	if err != nil {
		panic(err) // the level is a constant
	}
	return f
}

// pooledFlate is a compressor that returns to its pool when it is closed.
type pooledFlate struct {
	*flate.Writer
	pool *sync.Pool
}

func (p *pooledFlate) Close() error {
	err := p.Writer.Close()
	p.pool.Put(p.Writer)
	p.Writer = nil
	return err
}

// add writes a file of the folder whose content is in memory.
func (a *archive) add(name string, data []byte) (packed, error) { return a.addAt(a.top, name, data) }

// addAt writes a file whose content is in memory. Its size and checksum stand before
// its content, which every unzip program understands.
func (a *archive) addAt(folder, name string, data []byte) (packed, error) {
	p := packed{name: name, bytes: int64(len(data)), sum: sha256.Sum256(data)}
	h := &zip.FileHeader{
		Name: folder + name, Modified: a.modified, CRC32: crc32.ChecksumIEEE(data),
		UncompressedSize64: uint64(len(data)), Method: zip.Store,
	}
	body := data
	if len(data) >= storeBelow {
		a.scratch.Reset()
		f := a.flate(a.scratch)
		_, err := f.Write(data)
		if e := f.Close(); err == nil {
			err = e
		}
		a.flates.Put(f)
		if err != nil {
			return p, fmt.Errorf("bundle: %s: %w", name, err)
		}
		if a.scratch.Len() < len(data) {
			body, h.Method = a.scratch.Bytes(), zip.Deflate
		}
	}
	h.CompressedSize64 = uint64(len(body))
	h.SetModTime(a.modified) //nolint:staticcheck // CreateRaw takes the header as it is, and Modified is not in it
	w, err := a.zip.CreateRaw(h)
	if err == nil {
		_, err = w.Write(body)
	}
	if err != nil {
		return p, fmt.Errorf("bundle: %s: %w", name, err)
	}
	return p, nil
}

// addPayload writes a file below data/ whose content is in memory.
func (a *archive) addPayload(name string, data []byte) (packed, error) {
	p, err := a.add(payloadDir+name, data)
	if err == nil {
		a.payload = append(a.payload, p)
	}
	return p, err
}

// entry is a payload file that is too large for memory: it is written as it
// comes, and its size and checksum follow its content. Hashing and deflating go
// on beside whoever makes the content, in a goroutine that close or stop ends.
type entry struct {
	a    *archive
	name string
	n    int64
	work chan []byte // full pieces
	free chan piece  // empty ones
	end  chan struct{}
	// Of the goroutine, until end is closed.
	w   io.Writer
	sum hash.Hash
	err error
}

// piece carries a buffer with content to the goroutine that writes, or an empty one
// back with the error, if any.
type piece struct {
	buf []byte
	err error
}

// entryPieces is how many pieces of flushAt bytes are between the two: one on
// each side, and one on its way.
const entryPieces = 3

func (a *archive) openPayload(name string) (*entry, error) {
	name = payloadDir + name
	w, err := a.zip.CreateHeader(&zip.FileHeader{Name: a.top + name, Modified: a.modified, Method: zip.Deflate})
	if err != nil {
		return nil, fmt.Errorf("bundle: %s: %w", name, err)
	}
	e := &entry{
		a: a, name: name, w: w, sum: sha256.New(),
		work: make(chan []byte, entryPieces), free: make(chan piece, entryPieces), end: make(chan struct{}),
	}
	for range entryPieces {
		e.free <- piece{}
	}
	a.open = e
	go e.run()
	return e, nil
}

func (e *entry) run() {
	defer close(e.end)
	for p := range e.work {
		if e.err == nil {
			e.sum.Write(p)
			_, e.err = e.w.Write(p)
		}
		e.free <- piece{p[:0], e.err}
	}
}

// write copies p to the entry. An error may come with a later piece, or with close.
func (e *entry) write(p []byte) error {
	empty := <-e.free
	if empty.err != nil {
		e.free <- empty
		return fmt.Errorf("bundle: %s: %w", e.name, empty.err)
	}
	e.n += int64(len(p))
	e.work <- append(empty.buf, p...)
	return nil
}

// close ends the entry and returns its size and hash. Nothing else may be written
// to the archive before.
func (e *entry) close() (packed, error) {
	e.stop()
	p := packed{name: e.name, bytes: e.n}
	if e.err != nil {
		return p, fmt.Errorf("bundle: %s: %w", e.name, e.err)
	}
	e.sum.Sum(p.sum[:0])
	e.a.payload = append(e.a.payload, p)
	return p, nil
}

// stop ends the entry's goroutine.
func (e *entry) stop() {
	close(e.work)
	<-e.end
	e.a.open = nil
}

// abandon ends what is still open. It is for the way out of an error.
func (a *archive) abandon() {
	if a.open != nil {
		a.open.stop()
	}
}
