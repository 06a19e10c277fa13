package sqlsystem

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"strings"
	"testing"
)

// TestBytes: bytes that are no text come out whole, and say that they are bytes and
// of which kind; text that lies in a column of bytes is text.
func TestBytes(t *testing.T) {
	t.Parallel()
	png := append([]byte("\x89PNG\r\n\x1a\n"), bytes.Repeat([]byte{0, 1, 0xff}, 10)...)
	test := func(t *testing.T, d database) {
		for i, content := range [][]byte{png, {0xff, 0xfe, 0x00}, {0x00, 0x01}, []byte("héllo\n")} {
			d.insert(t, "files", i, 1, content)
		}
		m := small(t, "abilities: [gather, erase]\nneeds: [customer]\nsql: {}", "files | table: files, key: [id], subject: {customer: customer}, erase: delete | id content")
		s := open(t, d, m)
		got := gatherAll(t, s, ids("customer 1"))[0]
		if len(got) != 4 {
			t.Fatalf("got %v", got)
		}
		for i, want := range []struct {
			kind    string
			content []byte
		}{{"data:image/png;base64,", png}, {"data:application/octet-stream;base64,", []byte{0xff, 0xfe, 0x00}}, {"data:application/octet-stream;base64,", []byte{0x00, 0x01}}, {"", []byte("héllo\n")}} {
			var r struct{ Content string }
			_, text, _ := strings.Cut(got[i], " ")
			if err := json.Unmarshal([]byte(text), &r); err != nil {
				t.Fatal(err)
			}
			rest, ok := strings.CutPrefix(r.Content, want.kind)
			content := []byte(rest)
			if want.kind != "" {
				var err error
				if content, err = base64.StdEncoding.DecodeString(rest); err != nil {
					t.Fatal(err)
				}
			}
			if !ok || !bytes.Equal(content, want.content) {
				t.Errorf("%d: %s", i, r.Content)
			}
		}
	}
	t.Run("SQLite", func(t *testing.T) {
		t.Parallel()
		test(t, sqliteDB(t, "CREATE TABLE files (id INTEGER PRIMARY KEY, customer INTEGER, content BLOB)"))
	})
	t.Run("PostgreSQL", func(t *testing.T) {
		t.Parallel()
		test(t, postgresDB(t, "CREATE TABLE files (id INTEGER PRIMARY KEY, customer INTEGER, content BYTEA)"))
	})
	t.Run("MariaDB", func(t *testing.T) {
		t.Parallel()
		test(t, mariaDB(t, "CREATE TABLE files (id INTEGER PRIMARY KEY, customer INTEGER, content LONGBLOB)"))
	})
}

// TestBrokenText: what SQLite holds as a text and isn't one is bytes.
func TestBrokenText(t *testing.T) {
	t.Parallel()
	d := sqliteDB(t, "CREATE TABLE files (id INTEGER PRIMARY KEY, customer INTEGER, content TEXT); INSERT INTO files VALUES (1, 1, CAST(x'ff41' AS TEXT))")
	m := small(t, "abilities: [gather, erase]\nneeds: [customer]\nsql: {}", "files | table: files, key: [id], subject: {customer: customer}, erase: delete | id content")
	if got := gatherAll(t, open(t, d, m), ids("customer 1"))[0]; len(got) != 1 || !strings.Contains(got[0], `"data:application/octet-stream;base64,/0E="`) {
		t.Errorf("got %v", got)
	}
}
