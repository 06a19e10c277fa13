package bundle

import (
	"bufio"
	"bytes"
	"cmp"
	"compress/flate"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"

	"habeas.dev/pkg/telemetry"
)

// A ZIP says everything twice: once before each file and once in the directory at its
// end; and nothing says what lies between. Programs differ in which of the two they
// believe, so one file can show different things to two readers. checkStructure
// accepts only a ZIP of which every byte is accounted for, once, and both sayings
// agree (APPNOTE 6.3.10; the sizes below are of that document).
const (
	localHeader   = 0x04034b50
	dirHeader     = 0x02014b50
	descriptor    = 0x08074b50
	dirEnd        = 0x06054b50
	dir64End      = 0x06064b50
	dir64Locator  = 0x07064b50
	localSize     = 30
	dirSize       = 46
	dirEndSize    = 22
	dir64EndSize  = 56
	locatorSize   = 20
	extraZip64    = 0x0001
	extraTime     = 0x5455
	flagLater     = 1 << 3                   // sizes and checksum follow the content
	flagUTF8      = 1 << 11                  // the name is UTF-8
	allowedFlags  = flagLater | flagUTF8 | 1 // encryption, which is named by itself
	maxDirectory  = 64 << 20                 // of maxFiles entries of ours, several times over
	noCompression = 0
	deflated      = 8
	zip20, zip45  = 20, 45 // the versions that archive/zip writes beside 0; the latter with 64-bit sizes
)

// dirEntry is a file as the directory describes it.
type dirEntry struct {
	name                   []byte
	head                   []byte // version needed to modification date, which the local header repeats
	flags, method          uint16
	crc                    uint32
	compressed, size       uint64
	offset                 uint64
	extra                  []byte // without the 64-bit sizes
	nameLength, extraBytes int
}

// strictError says what is wrong with a ZIP's structure. Its text ends as a sentence.
type strictError struct{ file, text string }

func (e *strictError) Error() string { return e.text }

func strict(file []byte, format string, args ...any) error {
	return &strictError{string(file), fmt.Sprintf(format, args...)}
}

// checkStructure returns a [*strictError] where a ZIP holds anything that isn't a
// file of its directory, or describes one in two ways; or the error of reading.
func checkStructure(r io.ReaderAt, size int64) error {
	entries, start, err := readDirectory(r, size)
	if err != nil {
		return err
	}
	slices.SortFunc(entries, func(a, b dirEntry) int { return cmp.Compare(a.offset, b.offset) })
	var at uint64
	for i := range entries {
		e := &entries[i]
		switch {
		case e.offset > at:
			return strict(e.name, "%d bytes before it belong to no file.", e.offset-at)
		case e.offset < at:
			return strict(e.name, "It overlaps another file.")
		}
		if at, err = e.checkLocal(r, start); err != nil {
			return err
		}
	}
	if at != start {
		return strict(nil, "%d bytes between the last file and the directory belong to no file.", start-at)
	}
	return nil
}

// readAt reads a piece of the ZIP; one that isn't all there is a strictError.
func readAt(r io.ReaderAt, at uint64, n int) ([]byte, error) {
	if at > math.MaxInt64-uint64(n) {
		return nil, strict(nil, "It points outside of the file.")
	}
	b := make([]byte, n)
	if got, err := r.ReadAt(b, int64(at)); got < n {
		if err != nil && !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) {
			return nil, err
		}
		return nil, strict(nil, "It is cut short.")
	}
	return b, nil
}

// readDirectory returns the directory's entries, and where the directory begins.
func readDirectory(r io.ReaderAt, size int64) (entries []dirEntry, start uint64, err error) {
	if size < dirEndSize {
		return nil, 0, strict(nil, "This is no ZIP file, or it is cut short.")
	}
	end := uint64(size - dirEndSize)
	b, err := readAt(r, end, dirEndSize)
	if err != nil {
		return nil, 0, err
	}
	le := binary.LittleEndian
	if le.Uint32(b) != dirEnd || le.Uint16(b[20:]) != 0 {
		return nil, 0, strict(nil, "Something follows the end of the ZIP, or it has a comment.")
	}
	if le.Uint32(b[4:]) != 0 || le.Uint16(b[8:]) != le.Uint16(b[10:]) {
		return nil, 0, strict(nil, "It is one part of several.")
	}
	count, length, start := uint64(le.Uint16(b[10:])), uint64(le.Uint32(b[12:])), uint64(le.Uint32(b[16:]))
	if count == math.MaxUint16 || length == math.MaxUint32 || start == math.MaxUint32 {
		if count, length, start, end, err = read64End(r, end, [3]uint64{count, length, start}); err != nil {
			return nil, 0, err
		}
	}
	switch {
	case count > maxFiles || length > maxDirectory:
		return nil, 0, strict(nil, "Its directory is larger than any bundle's.")
	case start+length != end: // none of the three is near 2^64: each was bounded by the file's size or above
		return nil, 0, strict(nil, "Its directory isn't where its end says.")
	}
	dir, err := readAt(r, start, int(length))
	if err != nil {
		return nil, 0, err
	}
	for len(dir) > 0 {
		var e dirEntry
		if e, dir, err = readEntry(dir); err != nil {
			return nil, 0, err
		}
		entries = append(entries, e)
	}
	if uint64(len(entries)) != count {
		return nil, 0, strict(nil, "Its end counts %d files; the directory has %d.", count, len(entries))
	}
	return entries, start, nil
}

// read64End reads the end of a directory that doesn't fit into the old one: it must
// be there for a reason, agree with the old one, and stand right before it.
func read64End(r io.ReaderAt, end uint64, old [3]uint64) (count, length, start, at uint64, err error) {
	wrong := func() (uint64, uint64, uint64, uint64, error) {
		return 0, 0, 0, 0, strict(nil, "Its 64-bit directory end isn't what its other end says.")
	}
	if end < dir64EndSize+locatorSize {
		return wrong()
	}
	at = end - dir64EndSize - locatorSize
	b, err := readAt(r, at, dir64EndSize+locatorSize)
	if err != nil {
		return 0, 0, 0, 0, err
	}
	le, loc := binary.LittleEndian, b[dir64EndSize:]
	if le.Uint32(b) != dir64End || le.Uint64(b[4:]) != dir64EndSize-12 || le.Uint64(b[16:]) != 0 || le.Uint64(b[24:]) != le.Uint64(b[32:]) ||
		le.Uint32(loc) != dir64Locator || le.Uint32(loc[4:]) != 0 || le.Uint64(loc[8:]) != at || le.Uint32(loc[16:]) != 1 {
		return wrong()
	}
	count, length, start = le.Uint64(b[32:]), le.Uint64(b[40:]), le.Uint64(b[48:])
	for i, pair := range [3][2]uint64{{count, math.MaxUint16}, {length, math.MaxUint32}, {start, math.MaxUint32}} {
		full, limit := pair[0], pair[1]
		// archive/zip writes all three as unknown once one of them is too large.
		if old[i] != limit && old[i] != full || full > 1<<62 {
			return wrong()
		}
	}
	if count < math.MaxUint16 && length < math.MaxUint32 && start < math.MaxUint32 {
		return wrong() // needed for none of them
	}
	return count, length, start, at, nil
}

// readEntry reads one entry of the directory, and returns what follows it.
func readEntry(dir []byte) (e dirEntry, rest []byte, err error) {
	le := binary.LittleEndian
	if len(dir) < dirSize || le.Uint32(dir) != dirHeader {
		return e, nil, strict(nil, "Its directory holds something that is no entry.")
	}
	e = dirEntry{
		head: dir[6:16], flags: le.Uint16(dir[8:]), method: le.Uint16(dir[10:]), crc: le.Uint32(dir[16:]),
		compressed: uint64(le.Uint32(dir[20:])), size: uint64(le.Uint32(dir[24:])), offset: uint64(le.Uint32(dir[42:])),
		nameLength: int(le.Uint16(dir[28:])), extraBytes: int(le.Uint16(dir[30:])),
	}
	comment, disk := le.Uint16(dir[32:]), le.Uint16(dir[34:])
	whole := dirSize + e.nameLength + e.extraBytes
	if len(dir) < whole {
		return e, nil, strict(nil, "Its directory is cut short.")
	}
	e.name = dir[dirSize : dirSize+e.nameLength]
	switch {
	case comment != 0:
		return e, nil, strict(e.name, "It has a comment.")
	case disk != 0:
		return e, nil, strict(e.name, "It lies in another part.")
	case le.Uint16(dir[36:]) != 0 || le.Uint32(dir[38:]) != 0 || dir[5] != 0 || dir[4] != 0 && dir[4] != zip20 && dir[4] != zip45:
		return e, nil, strict(e.name, "It has attributes that no bundle's file has: it may be a link, or come out otherwise elsewhere.")
	case e.flags&^allowedFlags != 0:
		return e, nil, strict(e.name, "It has flags that no bundle's file has.")
	case e.method != noCompression && e.method != deflated:
		return e, nil, strict(e.name, "It is packed in a way that no bundle's file is.")
	}
	if e.extra, err = e.readExtra(dir[dirSize+e.nameLength : whole]); err != nil {
		return e, nil, err
	}
	return e, dir[whole:], nil
}

// readExtra takes the 64-bit sizes out of an entry's extra fields. Of other fields
// only the time is known: some rename the file, or replace its sizes.
func (e *dirEntry) readExtra(extra []byte) (rest []byte, err error) {
	le := binary.LittleEndian
	seen := map[uint16]bool{}
	for len(extra) > 0 {
		if len(extra) < 4 || len(extra) < 4+int(le.Uint16(extra[2:])) {
			return nil, strict(e.name, "Its extra fields are cut short.")
		}
		id, n := le.Uint16(extra), int(le.Uint16(extra[2:]))
		field := extra[4 : 4+n]
		switch {
		case seen[id]:
			return nil, strict(e.name, "It has an extra field twice.")
		case id == extraTime:
			rest = append(rest, extra[:4+n]...)
		case id == extraZip64:
			if err := e.read64(field); err != nil {
				return nil, err
			}
		default:
			return nil, strict(e.name, "It has an extra field that no bundle's file has.")
		}
		seen[id] = true
		extra = extra[4+n:]
	}
	if !seen[extraZip64] && (e.size == math.MaxUint32 || e.compressed == math.MaxUint32 || e.offset == math.MaxUint32) {
		return nil, strict(e.name, "Its 64-bit sizes are missing.")
	}
	return rest, nil
}

// read64 replaces the sizes and the place that don't fit into 32 bits. archive/zip
// gives all three where one of them doesn't.
func (e *dirEntry) read64(field []byte) error {
	needed := false
	for _, v := range []*uint64{&e.size, &e.compressed, &e.offset} {
		if *v != math.MaxUint32 && v != &e.offset {
			continue
		}
		if len(field) == 0 && *v != math.MaxUint32 {
			break
		}
		if len(field) < 8 {
			return strict(e.name, "Its 64-bit sizes are cut short.")
		}
		full := binary.LittleEndian.Uint64(field)
		if *v != math.MaxUint32 && full != *v || full > 1<<62 {
			return strict(e.name, "It lies in two places, or outside of the file.")
		}
		*v, field = full, field[8:]
		needed = needed || full >= math.MaxUint32
	}
	if !needed || len(field) > 0 {
		return strict(e.name, "It has 64-bit sizes without need.")
	}
	return nil
}

// checkLocal checks that the header before the file says what the directory says,
// and returns where the file ends. start is where the directory begins.
func (e *dirEntry) checkLocal(r io.ReaderAt, start uint64) (end uint64, err error) {
	b, err := readAt(r, e.offset, localSize)
	if err != nil {
		return 0, err
	}
	le := binary.LittleEndian
	differs := func() (uint64, error) {
		return 0, strict(e.name, "The header before the file says otherwise than the directory.")
	}
	nameLength, extraLength := int(le.Uint16(b[26:])), int(le.Uint16(b[28:]))
	wide := e.size >= math.MaxUint32 || e.compressed >= math.MaxUint32
	version := bytes.Equal(b[4:6], e.head[:2]) || wide // it was written before the size was known
	if le.Uint32(b) != localHeader || !version || !bytes.Equal(b[6:14], e.head[2:]) || nameLength != e.nameLength {
		return differs()
	}
	variable, err := readAt(r, e.offset+localSize, nameLength+extraLength)
	if err != nil {
		return 0, err
	}
	if !bytes.Equal(variable[:nameLength], e.name) || !bytes.Equal(variable[nameLength:], e.extra) {
		return differs()
	}
	crc, compressed, size := le.Uint32(b[14:]), uint64(le.Uint32(b[18:])), uint64(le.Uint32(b[22:]))
	end = e.offset + localSize + uint64(nameLength+extraLength) + e.compressed
	if end > start {
		return 0, strict(e.name, "It reaches into the directory.")
	}
	if e.flags&flagLater == 0 {
		if wide || crc != e.crc || compressed != e.compressed || size != e.size {
			return differs()
		}
		return end, e.checkStored()
	}
	if crc != 0 || compressed != 0 || size != 0 {
		return differs()
	}
	n := 16
	if wide {
		n = 24
	}
	d, err := readAt(r, end, n)
	if err != nil {
		return 0, err
	}
	if wide {
		compressed, size = le.Uint64(d[8:]), le.Uint64(d[16:])
	} else {
		compressed, size = uint64(le.Uint32(d[8:])), uint64(le.Uint32(d[12:]))
	}
	if le.Uint32(d) != descriptor || le.Uint32(d[4:]) != e.crc || compressed != e.compressed || size != e.size {
		return differs()
	}
	return end + uint64(n), e.checkStored()
}

// checkStored checks that a file which isn't compressed has one length.
func (e *dirEntry) checkStored() error {
	if e.method == noCompression && e.compressed != e.size {
		return strict(e.name, "It is stored as it is, and has two lengths.")
	}
	return nil
}

var errTrailing = telemetry.Constant("bytes follow the end of the compressed content")

// inflate decompresses a file, and fails where compressed content ends before its place
// does: nothing may hide there, since archive/zip alone wouldn't see what hides there.
func inflate(r io.Reader) io.ReadCloser {
	b := bufio.NewReaderSize(r, inflateBuffer)
	return &inflater{flate.NewReader(b), b} // of a bufio.Reader, flate takes no byte too many
}

// inflateBuffer is read at once from the ZIP.
const inflateBuffer = 32 << 10

type inflater struct {
	io.ReadCloser
	raw *bufio.Reader
}

func (i *inflater) Read(p []byte) (int, error) {
	n, err := i.ReadCloser.Read(p)
	if err == io.EOF {
		if _, more := i.raw.Peek(1); more == nil {
			return n, errTrailing
		}
	}
	return n, err
}
