package sqlsystem

import (
	"bytes"
	"compress/gzip"
	"encoding/base64"
	"slices"
	"testing"
	"time"

	"habeas.dev/pkg/dsar"
)

// TestUnits: moments that are counted are told as moments, and say how long a record must
// stay.
func TestUnits(t *testing.T) {
	t.Parallel()
	everyDatabase(t, `CREATE TABLE visits (id INTEGER PRIMARY KEY, email TEXT, at BIGINT, day BIGINT); INSERT INTO visits VALUES (1, 'ann@example.com', 1767225600123, 1767225600), (2, 'ann@example.com', -1, NULL), (3, 'ann@example.com', NULL, 0)`, func(t *testing.T, d database) {
		s := open(t, d, small(t, "abilities: [gather, erase]\nneeds: [email]\nsql: {}",
			"visits | table: visits, key: [id], subject: {email: email}, erase: delete | id at:datetime,unit:_milliseconds day:date,unit:_seconds | retention: [{ground: security, source: law, title: {en: Security}, column: day, period: P1Y, undated: go}]"))
		want := []string{`visits {"at":"2026-01-01T00:00:00.123Z","day":"2026-01-01","id":"1"}`, `visits {"at":"1969-12-31T23:59:59.999Z","day":null,"id":"2"}`, `visits {"at":null,"day":"1970-01-01","id":"3"}`}
		if got := gatherAll(t, s, ids("email ann@example.com"))[0]; !slices.Equal(got, want) {
			t.Errorf("got %v", got)
		}
		jobs := jobsOf(dsar.Erasure, ids("email ann@example.com"))
		if err := s.eraseAll(t.Context(), jobs); err != nil || jobs[0].Err != nil {
			t.Fatal(err, jobs[0].Err)
		}
		if left := d.column(t, "SELECT id FROM visits"); !slices.Equal(left, []string{"1"}) {
			t.Errorf("left %v", left)
		}
		if r := jobs[0].Counts[0].Retained; len(r) != 1 || !r[0].Until.Equal(time.Date(2027, 1, 2, 0, 0, 0, 0, time.UTC)) {
			t.Errorf("retained %+v", r)
		}
	})
}

// TestEncodings: what is encoded or compressed is told as what it says, and what can't be
// read as it is.
func TestEncodings(t *testing.T) {
	t.Parallel()
	pressed := func(text string) []byte {
		var b bytes.Buffer
		w := gzip.NewWriter(&b)
		w.Write([]byte(text))
		w.Close()
		return b.Bytes()
	}
	everyDatabase(t, `CREATE TABLE letters (id INTEGER PRIMARY KEY, email TEXT, body TEXT)`, func(t *testing.T, d database) {
		d.insert(t, "letters", 1, "ann@example.com", base64.StdEncoding.EncodeToString(pressed(`{"to":"Ann"}`)))
		d.insert(t, "letters", 2, "ann@example.com", "not base64!")
		d.insert(t, "letters", 3, "ann@example.com", base64.StdEncoding.EncodeToString(pressed(string(make([]byte, maxDecoded+1)))))
		s := open(t, d, small(t, "abilities: [gather]\nneeds: [email]\nsql: {}",
			"letters | table: letters, key: [id], subject: {email: email} | body:object,encoding:_[base64,gzip]"))
		got := gatherAll(t, s, ids("email ann@example.com"))[0]
		if got[0] != `letters {"body":{"to":"Ann"}}` || got[1] != `letters {"body":"not base64!"}` || len(got[2]) > maxDecoded {
			t.Errorf("got %.100q", got)
		}
	})
}
