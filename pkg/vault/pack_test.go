package vault

import (
	"bytes"
	"errors"
	"os"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"habeas.dev/pkg/vault/internal/store"
)

// findFrame reads a whole pack: it returns the content of the last object of a name, store.ErrNotFound where
// there is none, and ErrCorrupt where its frame is damaged, and no later one is
// there.
func findFrame(pack []byte, name string) (content []byte, err error) {
	err = store.ErrNotFound
	for f := range frames(pack) {
		switch {
		case f.kind == framePut && f.name == name:
			content, err = f.content, nil
		case f.kind == frameMoved && f.name == name:
			content, err = nil, store.ErrNotFound
		case f.kind == frameGone && strings.HasPrefix(name, f.name):
			content, err = nil, store.ErrNotFound
		case f.kind == 0 && f.name == name && err != nil:
			err = ErrCorrupt
		}
	}
	return content, err
}

// findMark reads a whole pack: it returns the token of the first mark of a name; nil where there is none.
func findMark(pack []byte, name string) (token []byte) {
	for f := range frames(pack) {
		switch {
		case f.kind == frameMark && f.name == name && token == nil:
			token = f.content
		case f.kind == frameGone && strings.HasPrefix(name, f.name):
			token = nil
		}
	}
	return token
}

// Whatever processes leave half-written between them, every frame that was
// written to its end is found, and nothing else is.
func TestPackSurvivesTornFrames(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		name := rapid.SampledFrom([]string{"a", "ab", "b", "c"})
		content := rapid.OneOf(rapid.SliceOfN(rapid.Byte(), 0, 40), rapid.Map(rapid.IntRange(0, 7), func(n int) []byte {
			return bytes.Repeat([]byte(packMagic)[:n], 3) // all but the whole magic, which sealed bytes aren't
		}))
		want := map[string][]byte{}
		torn := false
		var pack []byte
		for range rapid.IntRange(0, 12).Draw(t, "steps") {
			n, c := name.Draw(t, "name"), content.Draw(t, "content")
			switch rapid.IntRange(0, 5).Draw(t, "what") {
			case 0:
				f := appendFrame(nil, framePut, n, c)
				pack = append(pack, f[:rapid.IntRange(0, len(f)-1).Draw(t, "torn")]...)
				torn = true
			case 1:
				pack = appendFrame(pack, frameGone, n, nil)
				for k := range want {
					if strings.HasPrefix(k, n) {
						delete(want, k)
					}
				}
			case 2:
				pack = appendFrame(pack, frameMoved, n, nil)
				delete(want, n)
			case 3:
				pack = appendFrame(pack, frameMark, n, c)
			default:
				pack = appendFrame(pack, framePut, n, c)
				want[n] = append([]byte{}, c...)
			}
		}
		// What an index finds, which has read it bit by bit, is what one reading finds.
		x := &packIndex{}
		for size := int64(0); size < int64(len(pack)); {
			size = min(size+int64(rapid.IntRange(1, 60).Draw(t, "more")), int64(len(pack)))
			if size > x.read {
				x.add(pack[x.read:size])
			}
		}
		for _, n := range []string{"a", "ab", "b", "c"} {
			got, err := findFrame(pack, n)
			at, ierr := x.find(n)
			if !errors.Is(ierr, err) || err == nil && !bytes.Equal(pack[at.at:at.at+int64(at.size)], got) {
				t.Fatalf("%s: the index finds %+v, %v; a reading %q, %v", n, at, ierr, got, err)
			}
			if !bytes.Equal(x.marks[n], findMark(pack, n)) {
				t.Fatalf("%s: the mark is another", n)
			}
			w, ok := want[n]
			switch {
			case ok && (err != nil || !bytes.Equal(got, w)):
				t.Fatalf("%s: %q, %v; want %q", n, got, err, w)
			case !ok && !errors.Is(err, store.ErrNotFound) && !(torn && errors.Is(err, ErrCorrupt)):
				t.Fatalf("%s: %q, %v; want none", n, got, err)
			}
		}
	})
}

func FuzzFindFrame(f *testing.F) {
	f.Add(appendFrame(appendFrame(nil, framePut, "a", []byte("x")), frameGone, "", nil), "a")
	f.Add([]byte(packMagic+packMagic), "")
	f.Fuzz(func(t *testing.T, pack []byte, name string) {
		if content, err := findFrame(pack, name); err != nil && content != nil {
			t.Fatal("content beside an error")
		}
	})
}

// A frame that a full disk or a kill cut short harms no other.
func TestPackGoesOnAfterTornFrame(t *testing.T) {
	t.Parallel()
	d, err := openDir(t.TempDir(), false)
	if err != nil {
		t.Fatal(err)
	}
	if err := d.Put(t.Context(), "objects/a/r/before", []byte("x"), store.Object); err != nil {
		t.Fatal(err)
	}
	frame := appendFrame(nil, framePut, "a~torn", bytes.Repeat([]byte("x"), 9000))
	pack := d.path("requests/r")
	f, err := os.OpenFile(pack, os.O_WRONLY|os.O_APPEND, 0)
	if err != nil {
		t.Fatal(err)
	}
	f.Write(frame[:4096])
	f.Close()
	if err := d.Put(t.Context(), "objects/a/r/after", []byte("y"), store.Object); err != nil {
		t.Fatal(err)
	}
	for key, want := range map[string]string{"objects/a/r/before": "x", "objects/a/r/after": "y"} {
		if got, err := get(t.Context(), d, key); err != nil || string(got) != want {
			t.Fatal(key, got, err)
		}
	}
	if _, err := get(t.Context(), d, "objects/a/r/torn"); !errors.Is(err, ErrCorrupt) {
		t.Fatal(err)
	}
}
