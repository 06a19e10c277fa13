package receipt_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"filippo.io/torchwood"
	"gocloud.dev/blob"
	"gocloud.dev/blob/memblob"
	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"

	"habeas.dev/services/internal/journal"
	"habeas.dev/services/internal/journal/memjournal"
	"habeas.dev/services/internal/journal/sqlitejournal"
	"habeas.dev/services/internal/receipt"
	"habeas.dev/services/internal/signkey"
)

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func newKey(t testing.TB, name string) signkey.Key {
	t.Helper()
	k, err := signkey.Create(filepath.Join(t.TempDir(), "log.key"), name)
	must(t, err)
	return k
}

func newLog(t testing.TB, j receipt.Journal, key signkey.Key, mirror *blob.Bucket, witnesses ...*receipt.Witness) *receipt.Log {
	t.Helper()
	l, err := receipt.NewLog(receipt.Config{Journal: j, Key: key, Mirror: mirror, Witnesses: witnesses})
	must(t, err)
	return l
}

// grow appends leaves, each with a fact of a request of its own.
func grow(t testing.TB, j journal.Journal, from, n int) {
	t.Helper()
	for i := from; i < from+n; i++ {
		must(t, j.Append(t.Context(), journal.Append{
			RequestID: fmt.Sprintf("r%d", i), Facts: []journal.NewFact{{Type: "receipt.issued", Data: []byte("{}"), At: start}},
			Row: journal.Row{ReceivedAt: start, UpdatedAt: start}, Leaf: receipt.Leaf(fmt.Appendf(nil, "document %d", i), salt),
		}))
	}
}

var salt = bytes.Repeat([]byte{7}, 32)

// policy is what torchwood, which isn't ours, verifies proofs by.
func policy(t testing.TB, key signkey.Key) torchwood.Policy {
	t.Helper()
	v, err := note.NewVerifier(key.Verifier)
	must(t, err)
	return torchwood.ThresholdPolicy(2, torchwood.OriginPolicy(key.Name()), torchwood.SingleVerifierPolicy(v))
}

// TestOthersVerify: a proof is verified by another implementation, with nothing but the
// key, the document and the salt in the proof; and the mirror is read by its client.
func TestOthersVerify(t *testing.T) {
	t.Parallel()
	key, j, bucket := newKey(t, "privacy.example.com/log"), memjournal.New(memjournal.Config{}), memblob.OpenBucket(nil)
	l := newLog(t, j, key, bucket)
	v, err := note.NewVerifier(key.Verifier)
	must(t, err)
	for _, n := range []int{1, 1, 5, 250, 300} {
		size, err := j.TreeSize(t.Context())
		must(t, err)
		grow(t, j, int(size), n)
		for _, i := range []int64{0, size, size + int64(n) - 1} {
			proof, err := l.Proof(t.Context(), i, salt)
			must(t, err)
			document := fmt.Appendf(nil, "document %d", i)
			extra, err := torchwood.ProofExtraData(proof)
			must(t, err)
			if err := torchwood.VerifyProof(policy(t, key), tlog.RecordHash(receipt.Leaf(document, extra)), proof); err != nil {
				t.Errorf("leaf %d: %v", i, err)
			}
			if err := torchwood.VerifyProof(policy(t, key), tlog.RecordHash(receipt.Leaf([]byte("another"), extra)), proof); err == nil {
				t.Errorf("leaf %d proves another document", i)
			}
			if c, err := receipt.Verify(proof, document, v); err != nil || c.Size != size+int64(n) {
				t.Errorf("leaf %d: %v, %v", i, c.Size, err)
			}
			for at := 0; at < len(proof); at++ {
				bad := bytes.Clone(proof)
				bad[at] ^= 1
				if _, err := receipt.Verify(bad, document, v); err == nil {
					t.Errorf("leaf %d: byte %d of the proof was altered, and it holds", i, at)
				}
			}
		}
	}
	checkMirror(t, bucket, key, j)
}

// checkMirror reads the mirror as anybody may, and compares it with the journal's leaves.
func checkMirror(t *testing.T, bucket *blob.Bucket, key signkey.Key, j journal.Tree) {
	t.Helper()
	dir := t.TempDir()
	files := bucket.List(&blob.ListOptions{Prefix: "log/" + strings.ReplaceAll(key.Name(), "/", "_") + "/"})
	var prefix string
	for {
		o, err := files.Next(t.Context())
		if errors.Is(err, io.EOF) {
			break
		}
		must(t, err)
		prefix = strings.Join(strings.Split(o.Key, "/")[:2], "/") + "/"
		b, err := bucket.ReadAll(t.Context(), o.Key)
		must(t, err)
		path := filepath.Join(dir, filepath.FromSlash(strings.TrimPrefix(o.Key, prefix)))
		must(t, os.MkdirAll(filepath.Dir(path), 0o700))
		must(t, os.WriteFile(path, b, 0o600))
	}
	signed, err := os.ReadFile(filepath.Join(dir, "checkpoint"))
	must(t, err)
	c, _, err := torchwood.VerifyCheckpoint(signed, policy(t, key))
	must(t, err)
	tiles, err := torchwood.NewTileFS(os.DirFS(dir))
	must(t, err)
	client, err := torchwood.NewClient(tiles)
	must(t, err)
	n := int64(0)
	for i, entry := range client.AllEntries(t.Context(), c.Tree, 0) {
		l, err := j.Leaves(t.Context(), i, 1)
		must(t, err)
		if len(l) != 1 || !bytes.Equal(l[0].Data, entry) {
			t.Fatalf("leaf %d differs", i)
		}
		n++
	}
	if err := client.Err(); err != nil || n != c.N {
		t.Errorf("%d of %d leaves: %v", n, c.N, err)
	}
}

// TestRestored: a journal that is restored from an older copy takes in what it lacks and
// signs one history on, once somebody has said so; where it has gone another way before that, nothing is signed,
// and a log of a new name begins.
func TestRestored(t *testing.T) {
	t.Parallel()
	dir, key, bucket := t.TempDir(), newKey(t, "privacy.example.com/log"), memblob.OpenBucket(nil)
	open := func(name string) *sqlitejournal.Store {
		s, err := sqlitejournal.Open(t.Context(), sqlitejournal.Config{Path: filepath.Join(dir, name)})
		must(t, err)
		t.Cleanup(func() { _ = s.Close() })
		return s
	}
	j := open("journal.db")
	l := newLog(t, j, key, bucket)
	grow(t, j, 0, 300)
	_, err := l.Publish(t.Context())
	must(t, err)
	must(t, j.Close())
	older, err := os.ReadFile(filepath.Join(dir, "journal.db"))
	must(t, err)
	for _, copied := range []string{"same.db", "on.db"} {
		must(t, os.WriteFile(filepath.Join(dir, copied), older, 0o600))
	}
	j = open("journal.db")
	l = newLog(t, j, key, bucket)
	grow(t, j, 300, 333)
	newest, err := l.Publish(t.Context())
	must(t, err)
	proof, err := l.Proof(t.Context(), 600, salt)
	must(t, err)
	must(t, j.Close())

	// Restored, and nothing else happened since.
	j = open("same.db")
	l = newLog(t, j, key, bucket)
	if c, err := l.Publish(t.Context()); !errors.Is(err, receipt.ErrBehind) {
		t.Fatalf("%d leaves are signed, and nobody has said that they are taken in: %v", c.Size, err)
	}
	must(t, l.TakeIn(t.Context()))
	c, err := l.Publish(t.Context())
	must(t, err)
	if c.Size != 633 || c.Root != newest.Root || !bytes.Equal(c.Signed, newest.Signed) {
		t.Errorf("%d leaves", c.Size)
	}
	grow(t, j, 5000, 4)
	if c, err = l.Publish(t.Context()); err != nil || c.Size != 637 {
		t.Fatalf("%d, %v", c.Size, err)
	}
	if again, err := l.Proof(t.Context(), 600, salt); err != nil || torchwood.VerifyProof(policy(t, key), tlog.RecordHash(receipt.Leaf([]byte("document 600"), salt)), again) != nil {
		t.Error(err)
	}
	checkMirror(t, bucket, key, j)

	// Restored, and gone on before it was noticed: as many leaves, fewer, and more.
	for _, n := range []int{1, 337, 400} {
		name := fmt.Sprintf("on%d.db", n)
		must(t, os.WriteFile(filepath.Join(dir, name), older, 0o600))
		j := open(name)
		grow(t, j, 9000, n)
		forked := newLog(t, j, key, bucket)
		err := forked.TakeIn(t.Context())
		if err == nil {
			_, err = forked.Publish(t.Context())
		}
		if !errors.Is(err, receipt.ErrForked) {
			t.Fatalf("%d leaves of another history: %v", n, err)
		}
		other := newKey(t, fmt.Sprintf("privacy.example.com/log%d", n))
		fresh := newLog(t, j, other, bucket)
		if c, err := fresh.Publish(t.Context()); err != nil || c.Size != int64(300+n) {
			t.Errorf("a log of a new name: %d, %v", c.Size, err)
		}
	}
	// What was proven before holds still.
	if err := torchwood.VerifyProof(policy(t, key), tlog.RecordHash(receipt.Leaf([]byte("document 600"), salt)), proof); err != nil {
		t.Error(err)
	}
}

// TestLeavesWereRemoved: a log that lost leaves signs nothing.
func TestLeavesWereRemoved(t *testing.T) {
	t.Parallel()
	key := newKey(t, "privacy.example.com/log")
	whole, shorter := memjournal.New(memjournal.Config{}), memjournal.New(memjournal.Config{})
	grow(t, whole, 0, 20)
	grow(t, shorter, 0, 10)
	_, err := newLog(t, whole, key, memblob.OpenBucket(nil)).Publish(t.Context())
	must(t, err)
	signed, _, err := whole.Note(t.Context(), "log "+key.Name())
	must(t, err)
	must(t, shorter.SetNote(t.Context(), "log "+key.Name(), signed, 0))
	if _, err := newLog(t, shorter, key, memblob.OpenBucket(nil)).Publish(t.Context()); !errors.Is(err, receipt.ErrForked) {
		t.Errorf("neither the mirror nor the journal has them: %v", err)
	}
}

// TestAnotherKey: a log isn't signed on with another key of the same name.
func TestAnotherKey(t *testing.T) {
	t.Parallel()
	j, bucket := memjournal.New(memjournal.Config{}), memblob.OpenBucket(nil)
	grow(t, j, 0, 3)
	_, err := newLog(t, j, newKey(t, "privacy.example.com/log"), bucket).Publish(t.Context())
	must(t, err)
	grow(t, j, 3, 3)
	if c, err := newLog(t, j, newKey(t, "privacy.example.com/log"), bucket).Publish(t.Context()); err == nil {
		t.Errorf("signed %d", c.Size)
	}
}

// TestManyPublish: several processes publish while leaves come; the mirror ends whole.
func TestManyPublish(t *testing.T) {
	t.Parallel()
	key, j, bucket := newKey(t, "privacy.example.com/log"), memjournal.New(memjournal.Config{}), memblob.OpenBucket(nil)
	var all sync.WaitGroup
	for range 4 {
		l := newLog(t, j, key, bucket)
		all.Go(func() {
			for range 20 {
				if _, err := l.Publish(context.Background()); err != nil && !errors.Is(err, journal.ErrConflict) {
					t.Error(err)
				}
			}
		})
	}
	grow(t, j, 0, 400)
	all.Wait()
	c, err := newLog(t, j, key, bucket).Publish(t.Context())
	if err != nil || c.Size != 400 {
		t.Fatalf("%d, %v", c.Size, err)
	}
	checkMirror(t, bucket, key, j)
}

// witness is one as c2sp.org/tlog-witness has it.
type witness struct {
	mu     sync.Mutex
	signer *torchwood.CosignatureSigner
	log    torchwood.Policy
	seen   torchwood.Checkpoint
	down   bool
}

func (w *witness) ServeHTTP(rw http.ResponseWriter, r *http.Request) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.down {
		rw.WriteHeader(http.StatusServiceUnavailable)
		return
	}
	body, _ := io.ReadAll(r.Body)
	head, signed, _ := strings.Cut(string(body), "\n\n")
	lines := strings.Split(head, "\n")
	var old int64
	_, _ = fmt.Sscanf(lines[0], "old %d", &old)
	c, n, err := torchwood.VerifyCheckpoint([]byte(signed), w.log)
	if err != nil {
		rw.WriteHeader(http.StatusForbidden)
		return
	}
	if old != w.seen.N {
		rw.WriteHeader(http.StatusConflict)
		fmt.Fprintln(rw, w.seen.N)
		return
	}
	var proof tlog.TreeProof
	for _, line := range lines[1:] {
		b, _ := base64.StdEncoding.DecodeString(line)
		proof = append(proof, tlog.Hash(b))
	}
	if old > 0 && old < c.N && tlog.CheckTree(proof, c.N, c.Hash, old, w.seen.Hash) != nil || old == c.N && w.seen.Hash != c.Hash && old > 0 {
		rw.WriteHeader(http.StatusUnprocessableEntity)
		return
	}
	w.seen = c
	cosigned, _ := note.Sign(&note.Note{Text: n.Text}, w.signer)
	_, line, _ := strings.Cut(string(cosigned), "\n\n")
	_, _ = io.WriteString(rw, line)
}

// TestWitness: a checkpoint is published when its witness has cosigned it, and others
// verify both.
func TestWitness(t *testing.T) {
	t.Parallel()
	key, j, bucket := newKey(t, "privacy.example.com/log"), memjournal.New(memjournal.Config{}), memblob.OpenBucket(nil)
	signer, err := torchwood.NewCosignatureSigner("witness.example.org/w", newEd25519(t))
	must(t, err)
	w := &witness{signer: signer, log: policy(t, key)}
	server := httptest.NewServer(w)
	defer server.Close()
	l := newLog(t, j, key, bucket, receipt.NewWitness(server.URL))
	both := torchwood.ThresholdPolicy(2, policy(t, key), torchwood.SingleVerifierPolicy(signer.Verifier()))
	for size := range 5 {
		grow(t, j, size*3, 3)
		proof, err := l.Proof(t.Context(), int64(size*3), salt)
		must(t, err)
		if err := torchwood.VerifyProof(both, tlog.RecordHash(receipt.Leaf(fmt.Appendf(nil, "document %d", size*3), salt)), proof); err != nil {
			t.Error(err)
		}
	}
	w.mu.Lock()
	w.seen, w.down = torchwood.Checkpoint{}, true // it forgot, and is down
	w.mu.Unlock()
	grow(t, j, 100, 1)
	if _, err := l.Proof(t.Context(), 15, salt); err == nil {
		t.Error("a proof left without its witness")
	}
	w.mu.Lock()
	w.down = false
	w.mu.Unlock()
	if _, err := l.Proof(t.Context(), 15, salt); err != nil {
		t.Error(err)
	}
}
