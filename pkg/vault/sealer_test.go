package vault_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"habeas.dev/pkg/dsar"
	"habeas.dev/pkg/identifier"
	"habeas.dev/pkg/vault"
	"habeas.dev/pkg/vault/internal/store"
)

// house is a vault in two places, as several processes open it.
type house struct {
	testing.TB
	objects *store.Memory
	keys    *store.Memory
	master  vault.Master
}

func newHouse(tb testing.TB) *house {
	return &house{tb, &store.Memory{}, &store.Memory{}, vault.RandomMaster()}
}

// opens returns the vault as a process has it that holds the master key.
func (h *house) opens() *vault.Vault {
	h.Helper()
	v, err := vault.New(h.Context(), h.objects, vault.KeysIn(h.keys), h.master)
	if err != nil {
		h.Fatal(err)
	}
	return v
}

// key returns what intake is given.
func (h *house) key(anew bool) vault.SealingKey {
	h.Helper()
	k, err := h.opens().MakeSealingKey(h.Context(), anew)
	if err != nil {
		h.Fatal(err)
	}
	return k
}

// seals returns the vault as a process has it that holds a sealing key.
func (h *house) seals(k vault.SealingKey) *vault.Sealer {
	h.Helper()
	s, err := vault.NewSealer(h.Context(), vault.KeysIn(h.keys), k, identifier.Rules{})
	if err != nil {
		h.Fatal(err)
	}
	return s
}

func (h *house) create(by interface {
	CreateKeys(ctx context.Context, id string) (*vault.Keys, error)
}, id string) *vault.Keys {
	h.Helper()
	k, err := by.CreateKeys(h.Context(), id)
	if err != nil {
		h.Fatal(err)
	}
	return k
}

func (h *house) keysOf(by interface {
	Keys(ctx context.Context, id string) (*vault.Keys, error)
}, id string) *vault.Keys {
	h.Helper()
	k, err := by.Keys(h.Context(), id)
	if err != nil {
		h.Fatal(err)
	}
	return k
}

func (h *house) seal(k *vault.Keys, text string, kind vault.Kind) []byte {
	h.Helper()
	sealed, err := k.Seal([]byte(text), kind)
	if err != nil {
		h.Fatal(err)
	}
	return sealed
}

func (h *house) print(k *vault.Keys, value string) string {
	h.Helper()
	print, err := k.Fingerprint("email", value)
	if err != nil {
		h.Fatal(err)
	}
	return print
}

func (h *house) digest(k *vault.Keys, text string) string {
	h.Helper()
	d, err := k.Digest([]byte(text))
	if err != nil {
		h.Fatal(err)
	}
	return d
}

// TestSealer: what a sealer makes and seals opens for who holds the master key, by whichever
// process and however often the request came; both make the same fingerprints and digests.
func TestSealer(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	in := h.key(false)
	first := h.create(h.seals(in), request)
	sealed := [][]byte{h.seal(first, "anna@example.com", vault.Identifier)}
	// The process died, or another one takes the same in: it has no key of it any more.
	again := h.create(h.seals(in), request)
	sealed = append(sealed, h.seal(again, "anna@example.com", vault.Identifier))

	opened := h.keysOf(h.opens(), request)
	for i, s := range sealed {
		if plain, err := opened.Open(s, vault.Identifier); err != nil || string(plain) != "anna@example.com" {
			t.Errorf("what was sealed %d times before: %q, %v", i, plain, err)
		}
		for _, kind := range []vault.Kind{vault.RequestDetails, vault.Rejected, vault.BundleKey} {
			if _, err := opened.Open(s, kind); !errors.Is(err, vault.ErrCorrupt) {
				t.Errorf("%d opens as %s: %v", i, kind, err)
			}
		}
		s[len(s)-1] ^= 1
		if _, err := opened.Open(s, vault.Identifier); !errors.Is(err, vault.ErrCorrupt) {
			t.Errorf("%d opens changed: %v", i, err)
		}
		s[len(s)-1] ^= 1
	}
	other := h.create(h.seals(in), "other")
	if _, err := h.keysOf(h.opens(), "other").Open(sealed[1], vault.Identifier); !errors.Is(err, vault.ErrCorrupt) {
		t.Errorf("it opens in another request: %v", err)
	}
	for _, k := range []*vault.Keys{first, again, h.keysOf(h.seals(in), request)} {
		if h.print(k, " Anna@example.com") != h.print(opened, "anna@example.com") || h.digest(k, "x") != h.digest(opened, "x") {
			t.Error("fingerprints or digests differ")
		}
		if h.print(k, "anna@example.com") == h.print(other, "anna@example.com") {
			t.Error("two requests have one fingerprint")
		}
	}
	s, v := h.seals(in), h.opens()
	if s.Fingerprint("email", "anna@example.com") != v.Fingerprint("email", "anna@example.com") || s.Digest([]byte("x")) != v.Digest([]byte("x")) {
		t.Error("fingerprints across requests differ")
	}
	// Who assembles answers has the secrets of small values alone.
	values, err := vault.ValueKeys(request, opened.Values(vault.SubjectRoot), opened.Values(vault.RecordsRoot))
	must(t, err)
	for i, s := range sealed {
		if plain, err := values.Open(s, vault.Identifier); err != nil || string(plain) != "anna@example.com" {
			t.Errorf("by the values' key, %d: %q, %v", i, plain, err)
		}
	}
	// What comes of the keys is whole: objects of both roots.
	for _, name := range []string{"billing/gather/1-a", "billing/plan/1-a"} {
		k, err := opened.ObjectKey(name)
		must(t, err)
		w, err := h.opens().Objects.Create(t.Context(), k, name)
		must(t, err)
		must(t, w.Close())
	}
}

// TestSealerOpensNothing: with all that intake has, the sealing key, the key store and every
// sealed value of it, nothing opens: neither what others sealed nor what it has sealed
// itself before.
func TestSealerOpensNothing(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	in := h.key(false)
	v := h.opens()
	byOthers, byIntake := h.create(v, "by-others"), h.create(h.seals(in), "by-intake")
	sealed := map[string][][]byte{
		"by-others": {h.seal(byOthers, "anna@example.com", vault.Identifier)},
		"by-intake": {h.seal(byIntake, "anna@example.com", vault.Identifier), h.seal(h.keysOf(h.seals(in), "by-intake"), "anna@example.com", vault.Identifier)},
	}
	s := h.seals(in)
	for id, all := range sealed {
		k := h.keysOf(s, id)
		for i, one := range all {
			if plain, err := k.Open(one, vault.Identifier); err == nil {
				t.Errorf("%s %d opens: %q", id, i, plain)
			}
		}
		if again := h.create(s, id); again.Values(vault.SubjectRoot) != nil || again.Values(vault.RecordsRoot) != nil {
			t.Errorf("%s: it has the secrets of values", id)
		}
		if _, err := k.ObjectKey("billing/gather/1-a"); !errors.Is(err, vault.ErrSealsOnly) {
			t.Errorf("%s: it has keys of objects: %v", id, err)
		}
		if _, err := k.Seal([]byte("x"), vault.BundleKey); !errors.Is(err, vault.ErrSealsOnly) {
			t.Errorf("%s: it seals an answer's key: %v", id, err)
		}
	}
	// Each key that it has, as a key of anything: of a master key, of a root, of values.
	text, err := json.Marshal(in)
	must(t, err)
	var parts struct{ Parts [][]byte }
	must(t, json.Unmarshal(text, &parts))
	for _, key := range append(parts.Parts, in.Index, in.Public) {
		if _, err := vault.New(t.Context(), h.objects, vault.KeysIn(h.keys), vault.LocalMaster([32]byte(key))); !errors.Is(err, vault.ErrWrongKey) {
			t.Errorf("one of its keys opens the vault: %v", err)
		}
		for id, all := range sealed {
			values, err := vault.ValueKeys(id, key, key)
			must(t, err)
			for _, one := range all {
				if _, err := values.Open(one, vault.Identifier); !errors.Is(err, vault.ErrCorrupt) {
					t.Errorf("one of its keys opens %s: %v", id, err)
				}
			}
		}
	}
	// And none of the secrets of the coordinator's.
	for _, purpose := range []string{"list of what was forgotten", "task nonces"} {
		if bytes.Equal(v.Secret(purpose), vault.SecretBy(in.Index, purpose)) {
			t.Errorf("it can compute the secret of the %s", purpose)
		}
	}
}

// TestSealerForgets: what is forgotten is so for a sealer, in its process at once and in
// another one within CacheTTL, and what it had of the request is gone from the key store.
func TestSealerForgets(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t)
		in := h.key(false)
		s := h.seals(in)
		k := h.create(s, request)
		sealed := h.seal(k, "anna@example.com", vault.Identifier)
		h.keysOf(s, request) // remembered
		was := h.keys.Blobs()["keys/"+request+".subject"]
		must(t, h.opens().End(t.Context(), request, vault.SubjectRoot))
		time.Sleep(vault.CacheTTL + time.Second) //nolint:forbidigo // in a bubble of synctest
		left := h.keysOf(s, request)
		if _, err := left.Fingerprint("email", "anna@example.com"); !errors.Is(err, vault.ErrShredded) {
			t.Errorf("fingerprints: %v", err)
		}
		if _, err := left.Seal([]byte("x"), vault.Identifier); !errors.Is(err, vault.ErrShredded) {
			t.Errorf("it seals: %v", err)
		}
		if _, err := h.keysOf(h.opens(), request).Open(sealed, vault.Identifier); !errors.Is(err, vault.ErrShredded) {
			t.Errorf("it opens: %v", err)
		}
		for name, blob := range h.keys.Blobs() {
			if bytes.Contains(blob, was[len(was)/2:]) {
				t.Errorf("%s holds what was there", name)
			}
		}
		must(t, s.Shred(t.Context(), request))
		for _, by := range []interface {
			CreateKeys(ctx context.Context, id string) (*vault.Keys, error)
		}{s, h.seals(in), h.opens()} {
			if _, err := by.CreateKeys(t.Context(), request); !errors.Is(err, vault.ErrShredded) {
				t.Errorf("it is created again: %v", err)
			}
		}
	})
}

// TestSealersAtOnce: of sealers and openers that create one request's keys at once, all seal
// what the same keys open.
func TestSealersAtOnce(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	v := openAs(t, dir, true)
	in, err := v.MakeSealingKey(t.Context(), false)
	must(t, err)
	path := filepath.Join(t.TempDir(), "sealing.key")
	must(t, in.WriteFile(path))
	for round := range 20 {
		id := fmt.Sprintf("request-%d", round)
		var all sync.WaitGroup
		sealed := make([][]byte, 8)
		for i := range sealed {
			s, err := vault.OpenSealer(t.Context(), vault.Config{Keys: dir + "/keys"}, path)
			must(t, err)
			all.Go(func() {
				var k *vault.Keys
				var err error
				if i%4 == 3 {
					k, err = v.CreateKeys(t.Context(), id)
				} else {
					k, err = s.CreateKeys(t.Context(), id)
				}
				if err == nil {
					sealed[i], err = k.Seal([]byte("x"), vault.Identifier)
				}
				if err := errors.Join(err, s.Close()); err != nil {
					t.Error(err)
				}
			})
		}
		all.Wait()
		opened, err := open(t, dir).Keys(t.Context(), id)
		must(t, err)
		for i, s := range sealed {
			if plain, err := opened.Open(s, vault.Identifier); err != nil || string(plain) != "x" {
				t.Fatalf("%s, %d: %q, %v", id, i, plain, err)
			}
		}
	}
}

// TestGiveSealer: a vault in use, whose requests were made by the master key, gets a sealing
// key: nothing changes for who opens; the sealer knows nothing of them before it is given
// its part, and all of it after. Sealing keys follow each other, and so do master keys.
func TestGiveSealer(t *testing.T) {
	t.Parallel()
	synctest.Test(t, giveSealer)
}

func giveSealer(t *testing.T) {
	h := newHouse(t)
	before := h.opens()
	old := h.create(before, "old")
	sealed := map[string][]byte{"old": h.seal(old, "old", vault.Identifier)}
	h.create(before, "forgotten")
	must(t, before.Shred(t.Context(), "forgotten"))
	if _, _, err := before.GiveSealer(t.Context()); !errors.Is(err, vault.ErrNoSealingKey) {
		t.Errorf("there is none: %v", err)
	}
	forms := func() (plain, other int) {
		for name, blob := range h.keys.Blobs() {
			if strings.HasPrefix(name, "keys/old.") {
				if bytes.HasPrefix(blob, []byte("habeas wrapped 1\n")) {
					other++
				} else {
					plain++
				}
			}
		}
		return plain, other
	}
	if plain, other := forms(); plain != 2 || other != 0 {
		t.Errorf("without a sealing key, %d keys as ever and %d others", plain, other)
	}
	first := h.key(false)
	if same := h.key(false); !bytes.Equal(same.Public, first.Public) || len(same.Parts) != 1 {
		t.Error("another one is made")
	}
	s := h.seals(first)
	if _, err := s.Keys(t.Context(), "old"); !errors.Is(err, vault.ErrNoPart) {
		t.Errorf("before it has its part: %v", err)
	}
	if _, err := s.CreateKeys(t.Context(), "old"); !errors.Is(err, vault.ErrNoPart) {
		t.Errorf("before it has its part: %v", err)
	}
	if _, err := s.Keys(t.Context(), "none"); !errors.Is(err, vault.ErrNoKeys) {
		t.Errorf("of none: %v", err)
	}
	given, all, err := h.opens().GiveSealer(t.Context())
	if err != nil || given != 1 || all != 4 {
		t.Errorf("gave %d of %d, %v", given, all, err)
	}
	if given, _, err = h.opens().GiveSealer(t.Context()); err != nil || given != 0 {
		t.Errorf("again: %d, %v", given, err)
	}
	if h.print(h.keysOf(s, "old"), "a") != h.print(old, "a") {
		t.Error("fingerprints differ")
	}
	if _, err := s.Keys(t.Context(), "forgotten"); !errors.Is(err, vault.ErrShredded) {
		t.Errorf("what was forgotten: %v", err)
	}
	// A process that has opened the vault before knows of it in time.
	time.Sleep(vault.CacheTTL + time.Second) //nolint:forbidigo // in a bubble of synctest
	h.create(before, "later")
	h.keysOf(s, "later")
	sealed["by the first"] = h.seal(h.create(s, "by-the-first"), "by the first", vault.Identifier)

	// Another sealing key: the old one's holder goes on for a while.
	second := h.key(true)
	next := h.seals(second)
	for _, id := range []string{"old", "later", "by-the-first"} {
		h.keysOf(next, id)
	}
	sealed["by the first, late"] = h.seal(h.create(h.seals(first), "by-the-first-late"), "by the first, late", vault.Identifier)
	sealed["by the second"] = h.seal(h.create(next, "by-the-second"), "by the second", vault.Identifier)
	if given, _, err = h.opens().GiveSealer(t.Context()); err != nil || given != 6 { // both roots of those that the first has sealed
		t.Errorf("gave %d, %v", given, err)
	}
	if _, err := h.seals(first).Keys(t.Context(), "old"); !errors.Is(err, vault.ErrNoPart) {
		t.Errorf("the first reads on: %v", err)
	}

	// Another master key.
	dir := t.TempDir()
	must(t, os.WriteFile(dir+"/new", []byte("AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=\n"), 0o600))
	rotated, err := vault.NewBy(t.Context(), h.objects, vault.KeysIn(h.keys), dir+"/new", h.master)
	must(t, err)
	if _, _, err := rotated.Rewrap(t.Context()); err != nil {
		t.Fatal(err)
	}
	now, err := vault.NewBy(t.Context(), h.objects, vault.KeysIn(h.keys), dir+"/new")
	must(t, err)
	for text, s := range sealed {
		id := strings.NewReplacer(" ", "-", ",", "").Replace(text)
		k, err := now.Keys(t.Context(), id)
		must(t, err)
		if plain, err := k.Open(s, vault.Identifier); err != nil || string(plain) != text {
			t.Errorf("%s: %q, %v", id, plain, err)
		}
		h.keysOf(h.seals(second), id)
	}
	if again, _, err := rotated.Rewrap(t.Context()); err != nil || again != 0 {
		t.Errorf("rewraps %d again, %v", again, err)
	}
	if _, err := vault.New(t.Context(), h.objects, vault.KeysIn(h.keys), h.master); !errors.Is(err, vault.ErrWrongKey) {
		t.Errorf("the old master key opens: %v", err)
	}
}

// TestSealingKeysAtOnce: of processes that make the vault a sealing key at once, all get the one
// that there is then; of those that make another, each gets one of its own, and what is sealed
// by each opens.
func TestSealingKeysAtOnce(t *testing.T) {
	t.Parallel()
	for _, anew := range []bool{false, true} {
		dir := t.TempDir()
		open(t, dir) // is set up
		made := make([]vault.SealingKey, 8)
		var all sync.WaitGroup
		for i := range made {
			v := open(t, dir)
			all.Go(func() {
				var err error
				if made[i], err = v.MakeSealingKey(t.Context(), anew); err != nil {
					t.Error(err)
				}
			})
		}
		all.Wait()
		for i, in := range made {
			path := filepath.Join(t.TempDir(), "sealing.key")
			must(t, in.WriteFile(path))
			s, err := vault.OpenSealer(t.Context(), vault.Config{Keys: dir + "/keys"}, path)
			if err != nil {
				t.Fatalf("another one is made: %t: the key of process %d is lost: %v", anew, i, err)
			}
			id := fmt.Sprintf("request-%d", i)
			k, err := s.CreateKeys(t.Context(), id)
			must(t, err)
			sealed, err := k.Seal([]byte("x"), vault.Identifier)
			must(t, errors.Join(err, s.Close()))
			opened, err := open(t, dir).Keys(t.Context(), id)
			must(t, err)
			if plain, err := opened.Open(sealed, vault.Identifier); err != nil || string(plain) != "x" {
				t.Errorf("another one is made: %t: what process %d's seals: %q, %v", anew, i, plain, err)
			}
		}
		there, err := filepath.Glob(filepath.Join(dir, "keys", "keys", "sealing*"))
		must(t, err)
		if want := map[bool]int{false: 1, true: len(made)}[anew]; len(there) != want {
			t.Errorf("another one is made: %t: there are %d, want %d", anew, len(there), want)
		}
	}
}

// TestSealingKeysAreUnwrappedOnce: the master key is asked once for each sealing key, however
// long a process runs.
func TestSealingKeysAreUnwrappedOnce(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t)
		m := &countingMaster{Master: h.master}
		v, err := vault.New(t.Context(), h.objects, vault.KeysIn(h.keys), m)
		must(t, err)
		h.key(false)
		creates := func(id string, unwraps int64) {
			t.Helper()
			before := m.decrypts.Load()
			h.create(v, id)
			if n := m.decrypts.Load() - before; n != unwraps {
				t.Errorf("%s: the master key was asked %d times, want %d", id, n, unwraps)
			}
			time.Sleep(vault.CacheTTL + time.Second) //nolint:forbidigo // in a bubble of synctest
		}
		creates("first", 1)
		creates("later", 0)
		h.key(true)
		creates("once-there-is-another", 1)
		creates("later-still", 0)
	})
}

// TestSealingKeyFile: a file that is missing, broken or another vault's is said to be so, and
// nothing of it is repeated.
func TestSealingKeyFile(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	in, err := open(t, dir).MakeSealingKey(t.Context(), false)
	must(t, err)
	strange, err := open(t, t.TempDir()).MakeSealingKey(t.Context(), false)
	must(t, err)
	write := func(name string, text []byte) string {
		path := filepath.Join(t.TempDir(), name)
		must(t, os.WriteFile(path, text, 0o600))
		return path
	}
	good := filepath.Join(t.TempDir(), "good")
	must(t, in.WriteFile(good))
	must(t, in.WriteFile(good)) // in the place of what is there
	if info, err := os.Stat(good); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v, %v", info.Mode(), err)
	}
	text, err := os.ReadFile(good)
	must(t, err)
	other := filepath.Join(t.TempDir(), "other")
	must(t, strange.WriteFile(other))
	for name, c := range map[string]struct {
		path, says string
	}{
		"good":      {path: good},
		"missing":   {good + "x", "there is no sealing key at"},
		"a master":  {write("m", []byte("AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=\n")), "no file of habeas keys sealing"},
		"cut":       {write("c", text[:len(text)/2]), "no file of habeas keys sealing"},
		"empty":     {write("e", []byte("{}")), "no file of habeas keys sealing"},
		"another's": {other, "another vault's"},
	} {
		s, err := vault.OpenSealer(t.Context(), vault.Config{Keys: dir + "/keys"}, c.path)
		if c.says == "" {
			must(t, err)
			must(t, s.Close())
			continue
		}
		if err == nil || !strings.Contains(err.Error(), c.says) || strings.Contains(err.Error(), "AAEC") || strings.Contains(err.Error(), "public") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

const oldPrint = "84a73d23fce81683917abd1d4a66bca29dcb8803d8c1f395c9bf7b40d9df9e11"

// TestOldIndex: a vault of before v0.2.0 has one key for fingerprints and secrets, and both
// stay as they were.
func TestOldIndex(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	index := bytes.Repeat([]byte{7}, 32)
	sealed, err := h.master.Encrypt(t.Context(), append([]byte("habeas index 1\n"), index...))
	must(t, err)
	must(t, vault.KeysIn(h.keys).CreateKey(t.Context(), "index", sealed))
	v := h.opens()
	if !bytes.Equal(v.Secret("x"), vault.SecretBy(index, "x")) {
		t.Error("its secrets are others")
	}
	// Of Python's hmac and hashlib.
	if got := v.Fingerprint(dsar.IdentifierType("email"), "anna@example.com"); got != oldPrint {
		t.Errorf("its fingerprints are others: %s", got)
	}
	if s := h.seals(h.key(false)); s.Fingerprint("email", "anna@example.com") != oldPrint {
		t.Error("the sealer's are others")
	}
}

// countingMaster counts what is unwrapped.
type countingMaster struct {
	vault.Master
	decrypts atomic.Int64
}

func (m *countingMaster) Decrypt(ctx context.Context, sealed []byte) ([]byte, error) {
	m.decrypts.Add(1)
	return m.Master.Decrypt(ctx, sealed)
}
