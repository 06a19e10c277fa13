package wal

import (
	"os"
	"path/filepath"
	"slices"
	"testing"
)

// A change that was appended is there again; half a line is not, and the next
// change follows whole ones.
func TestReopen(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "room", "x.changes")
	open := func() (*Log, []string) {
		var seen []string
		l, err := Open(path, "seed 1", func(b []byte) error { seen = append(seen, string(b)); return nil })
		if err != nil {
			t.Fatal(err)
		}
		return l, seen
	}
	l, _ := open()
	for _, s := range []string{"a", "b"} {
		if err := l.Append(s); err != nil {
			t.Fatal(err)
		}
	}
	l.Close()
	f, err := os.OpenFile(path, os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	f.WriteString(`"torn`)
	f.Close()
	l, seen := open()
	if !slices.Equal(seen, []string{`"a"`, `"b"`}) {
		t.Fatalf("replayed %q", seen)
	}
	l.Append("c")
	l.Close()
	l, seen = open()
	l.Close()
	if !slices.Equal(seen, []string{`"a"`, `"b"`, `"c"`}) {
		t.Fatalf("replayed %q", seen)
	}
	if _, err := Open(path, "seed 2", func([]byte) error { return nil }); err == nil {
		t.Fatal("a log of another population was taken")
	}
}
