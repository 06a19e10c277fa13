package bundle_test

import (
	"archive/zip"
	"bytes"
	"encoding/binary"
	"hash/crc32"
	"slices"
	"testing"

	"habeas.dev/services/internal/bundle"
)

// places returns where the parts of a bundle's ZIP are: each local header, and the
// directory's beginning, by its end record.
func places(t testing.TB, data []byte) (locals []int, dir int) {
	t.Helper()
	end := len(data) - 22
	dir = int(binary.LittleEndian.Uint32(data[end+16:]))
	for at := dir; at < end; {
		locals = append(locals, int(binary.LittleEndian.Uint32(data[at+42:])))
		at += 46 + int(binary.LittleEndian.Uint16(data[at+28:])) + int(binary.LittleEndian.Uint16(data[at+30:]))
	}
	return locals, dir
}

// insert puts bytes into a ZIP, and moves what the directory says of what lies behind.
func insert(t testing.TB, data []byte, at int, more []byte) []byte {
	t.Helper()
	le := binary.LittleEndian
	out := slices.Concat(data[:at], more, data[at:])
	locals, dir := places(t, data)
	if at <= dir {
		dir += len(more)
		le.PutUint32(out[len(out)-22+16:], uint32(dir))
	}
	p := dir
	for range locals {
		if o := le.Uint32(out[p+42:]); int(o) >= at {
			le.PutUint32(out[p+42:], o+uint32(len(more)))
		}
		p += 46 + int(le.Uint16(out[p+28:])) + int(le.Uint16(out[p+30:]))
	}
	return out
}

// hidden is a file that no directory names.
func hidden() []byte {
	content, name := []byte("seen by who reads from the beginning"), "habeas-x/data/hidden.txt"
	h := make([]byte, 30)
	le := binary.LittleEndian
	le.PutUint32(h, 0x04034b50)
	h[4] = 20
	le.PutUint32(h[14:], crc32.ChecksumIEEE(content))
	le.PutUint32(h[18:], uint32(len(content)))
	le.PutUint32(h[22:], uint32(len(content)))
	le.PutUint16(h[26:], uint16(len(name)))
	return slices.Concat(h, []byte(name), content)
}

// TestStrictZIP: a ZIP that shows one thing to one program and another to the next is
// found, however it is done.
func TestStrictZIP(t *testing.T) {
	t.Parallel()
	data, _ := write(t, accessInput(t))
	locals, dir := places(t, data)
	end := len(data) - 22
	le := binary.LittleEndian
	change := func(f func(b []byte)) []byte { b := bytes.Clone(data); f(b); return b }
	cases := map[string][]byte{
		"appended":                       append(bytes.Clone(data), "more"...),
		"appended, as the ZIP's comment": append(change(func(b []byte) { le.PutUint16(b[end+20:], 4) }), "more"...),
		"prepended":                      append([]byte("MZ"), data...),
		"prepended, and all moved":       insert(t, data, 0, []byte("#!/bin/sh\n")),
		"a whole ZIP before it":          append(bytes.Clone(data), data...),
		"bytes between two files":        insert(t, data, locals[1], []byte("between")),
		"a file that no directory names": insert(t, data, locals[2], hidden()),
		"bytes before the directory":     insert(t, data, dir, []byte("between")),
		"bytes after the directory":      insert(t, data, end, []byte("between")),
		"another name before the file":   change(func(b []byte) { b[locals[0]+30+8] ^= 1 }),
		"another method":                 change(func(b []byte) { b[locals[0]+8] ^= 8 }),
		"another size":                   change(func(b []byte) { b[locals[0]+22]++ }),
		"another checksum":               change(func(b []byte) { b[locals[0]+14]++ }),
		"another date":                   change(func(b []byte) { b[locals[0]+12]++ }),
		"no name before the file":        change(func(b []byte) { le.PutUint16(b[locals[0]+26:], 0) }),
		"two files in one place": change(func(b []byte) {
			second := dir + 46 + int(le.Uint16(b[dir+28:])) + int(le.Uint16(b[dir+30:]))
			copy(b[second+42:second+46], b[dir+42:dir+46])
		}),
		"fewer files counted": change(func(b []byte) { b[end+8]--; b[end+10]-- }),
		"several parts":       change(func(b []byte) { b[end+4] = 1 }),
		"a link":              change(func(b []byte) { b[dir+5] = 3; le.PutUint32(b[dir+38:], 0o120777<<16) }),
		"a 64-bit end without need": func() []byte {
			more := make([]byte, 76)
			le.PutUint32(more, 0x06064b50)
			le.PutUint64(more[4:], 44)
			le.PutUint64(more[24:], uint64(len(locals)))
			le.PutUint64(more[32:], uint64(len(locals)))
			le.PutUint64(more[40:], uint64(end-dir))
			le.PutUint64(more[48:], uint64(dir))
			le.PutUint32(more[56:], 0x07064b50)
			le.PutUint64(more[64:], uint64(end))
			le.PutUint32(more[72:], 1)
			b := insert(t, data, end, more)
			le.PutUint32(b[len(b)-22+16:], 0xffffffff)
			return b
		}(),
	}
	for what, b := range cases {
		r := verify(t, b)
		if len(r.Problems) == 0 {
			t.Errorf("%s: nothing was found", what)
		}
		// Some are no ZIP to archive/zip at all; the others are named for what they are.
		if !slices.ContainsFunc(r.Problems, func(p bundle.Problem) bool {
			return p.Code == "structure" || p.Code == "not-a-zip"
		}) {
			t.Errorf("%s: %v", what, r.Problems)
		}
	}
}

// repacked makes a ZIP whose files' headers are changed by f before they are written.
func repacked(t testing.TB, data []byte, f func(h *zip.FileHeader, packed []byte) []byte) []byte {
	t.Helper()
	var b bytes.Buffer
	zw := zip.NewWriter(&b)
	zr, err := zip.NewReader(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range zr.File {
		raw, err := file.OpenRaw()
		if err != nil {
			t.Fatal(err)
		}
		packed := new(bytes.Buffer)
		if _, err := packed.ReadFrom(raw); err != nil {
			t.Fatal(err)
		}
		h := file.FileHeader
		content := f(&h, packed.Bytes())
		h.CompressedSize64 = uint64(len(content))
		w, err := zw.CreateRaw(&h)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write(content); err != nil {
			t.Fatal(err)
		}
	}
	if err := zw.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// TestStrictEntries: what can be hidden in a file's own headers or behind its content.
func TestStrictEntries(t *testing.T) {
	t.Parallel()
	in := accessInput(t)
	data, _ := write(t, in)
	same := func(_ *zip.FileHeader, packed []byte) []byte { return packed }
	if r := verify(t, repacked(t, data, same)); len(r.Problems) != 0 {
		t.Fatalf("repacked, and nothing changed: %v", r.Problems)
	}
	for what, f := range map[string]func(h *zip.FileHeader, packed []byte) []byte{
		"a comment": func(h *zip.FileHeader, packed []byte) []byte { h.Comment = "x"; return packed },
		"a name for other programs": func(h *zip.FileHeader, packed []byte) []byte {
			h.Extra = append(h.Extra, 0x75, 0x70, 9, 0, 1, 0, 0, 0, 0, 'e', 'v', 'i', 'l')
			return packed
		},
		"an extra field cut short": func(h *zip.FileHeader, packed []byte) []byte {
			h.Extra = append(h.Extra, 0x55, 0x54, 9, 0, 1)
			return packed
		},
		"64-bit sizes without need": func(h *zip.FileHeader, packed []byte) []byte {
			h.Extra = append(h.Extra, 1, 0, 0, 0)
			return packed
		},
		"bytes behind compressed content": func(h *zip.FileHeader, packed []byte) []byte {
			if h.Method == zip.Deflate {
				return append(packed, "hidden"...)
			}
			return packed
		},
	} {
		if r := verify(t, repacked(t, data, f)); len(r.Problems) == 0 {
			t.Errorf("%s: nothing was found", what)
		}
	}
}

// TestEveryByte changes bytes of a bundle, all over it: each change is found, but of
// bits within compressed content that mean nothing; the journal's hash covers those.
func TestEveryByte(t *testing.T) {
	t.Parallel()
	data, _ := write(t, accessInput(t))
	whole := members(t, data)
	step := 3
	if testing.Short() {
		step = 17
	}
	for i := 0; i < len(data); i += step {
		b := bytes.Clone(data)
		b[i] ^= 1 << (i % 8)
		if r := verify(t, b); len(r.Problems) == 0 && !slices.Equal(members(t, b), whole) {
			t.Errorf("byte %d of %d: nothing was found", i, len(data))
		}
	}
}
