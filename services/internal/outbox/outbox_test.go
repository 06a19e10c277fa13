package outbox_test

import (
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"gocloud.dev/blob/fileblob"
	"gocloud.dev/blob/memblob"

	"habeas.dev/services/internal/core"
	"habeas.dev/services/internal/outbox"
)

const id = "9f0d6c0e-6f0f-4b43-9f0f-3a9c3c0f7a11"

// every has an object of each kind.
var every = map[outbox.Kind]string{
	outbox.Answer: outbox.AnswerName(id), outbox.Addendum: outbox.AddendumName(id, 12), outbox.Key: outbox.KeyName(id), outbox.Follower: outbox.FollowerName(id),
	outbox.Receipt: outbox.ReceiptName(id), outbox.Letter: outbox.LetterName(id, 3, core.LetterConfirmation, "pt-BR"), outbox.Mark: outbox.MarkName,
}

// TestEveryKind: a name says of what kind an object is and of which request, each goes with one
// part of it, and deleting what goes with the records leaves nothing of that.
func TestEveryKind(t *testing.T) {
	t.Parallel()
	b := memblob.OpenBucket(nil)
	t.Cleanup(func() { _ = b.Close() })
	for kind, name := range every {
		o := outbox.Parse(name)
		if o.Kind != kind || kind != outbox.Mark && (o.RequestID != id || o.Part == "") {
			t.Errorf("%s is %+v, want %s", name, o, kind)
		}
		if goes := slices.Contains(outbox.OfAnswer(id, 11), name); goes != (o.Part == core.PartRecords) {
			t.Errorf("%s goes with the %s; deleted with the records: %v", name, o.Part, goes)
		}
		if err := b.WriteAll(t.Context(), name, []byte("x"), nil); err != nil {
			t.Fatal(err)
		}
	}
	for range 2 {
		if err := outbox.DeleteAnswer(t.Context(), b, id, 11); err != nil {
			t.Fatal(err)
		}
	}
	for kind, name := range every {
		left, err := b.Exists(t.Context(), name)
		if err != nil || left != (kind == outbox.Letter || kind == outbox.Mark) {
			t.Errorf("%s is left: %v (%v)", kind, left, err)
		}
	}
	if o := outbox.Parse(every[outbox.Letter]).Letter; o != (core.LetterTaken{Letter: core.LetterConfirmation, Language: "pt-BR", Cause: 3}) {
		t.Errorf("%+v", o)
	}
}

// TestUnfinished: what a killed process left half written goes with what it is half of, is
// deleted once nobody can be at it any more, and nothing else is.
func TestUnfinished(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	b, err := fileblob.OpenBucket(dir, &fileblob.Options{NoTempDir: true, Metadata: fileblob.MetadataDontWrite})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = b.Close() })
	if err := os.Mkdir(filepath.Join(dir, "letters"), 0o700); err != nil {
		t.Fatal(err)
	}
	for kind, name := range every {
		if err := b.WriteAll(t.Context(), name, []byte("x"), nil); err != nil {
			t.Fatal(err)
		}
		left := name + ".18a3f00c1b2d3e4f.tmp"
		if o := outbox.Parse(left); o.Kind != outbox.Unfinished || o.Part != outbox.Parse(name).Part || kind != outbox.Mark && o.RequestID != id {
			t.Errorf("%s is %+v", left, o)
		}
		if err := os.WriteFile(filepath.Join(dir, left), []byte("x"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if n, err := outbox.DeleteUnfinished(t.Context(), b, time.Now()); n != 0 || err != nil {
		t.Errorf("%d are deleted at once: %v", n, err)
	}
	if n, err := outbox.DeleteUnfinished(t.Context(), b, time.Now().Add(outbox.UnfinishedFor+time.Minute)); n != len(every) || err != nil {
		t.Errorf("%d of %d: %v", n, len(every), err)
	}
	for kind, name := range every {
		if there, err := b.Exists(t.Context(), name); !there || err != nil {
			t.Errorf("%s is gone: %v", kind, err)
		}
	}
}

// TestNobodysNames: what Habeas gives to nothing is of no kind, and its request is told.
func TestNobodysNames(t *testing.T) {
	t.Parallel()
	for _, name := range []string{id, id + ".key", id + ".exe", id + ".zip.age.x", id + ".exe.18a3f00c1b2d3e4f.tmp", id + ".zip.age.xyz.tmp", id + ".addendum-0.json.age", id + ".addendum-07.json.age", id + ".addendum-x.json.age", id + ".addendum-1", "letters/" + id + ".zip.age",
		"letters/" + id + ".0-confirmation.en.txt", "letters/" + id + ".1-confirmation.txt"} {
		if o := outbox.Parse(name); o.Kind != "" || o.RequestID != id {
			t.Errorf("%s is %+v", name, o)
		}
	}
}
