package keeper_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"habeas.dev/pkg/dsar"
	"habeas.dev/pkg/vault"
	"habeas.dev/services/internal/core"
	"habeas.dev/services/internal/journal/memjournal"
	"habeas.dev/services/internal/keeper"
)

// TestRotate wraps all keys by a new master key while requests come and others are
// forgotten: afterwards the new key alone opens everything, the old one nothing, and what
// was forgotten stays so.
func TestRotate(t *testing.T) {
	t.Parallel()
	h := newHouse(t, memjournal.New(memjournal.Config{}))
	const n = 40
	id := func(i int) string { return fmt.Sprintf("30000000-0000-4000-8000-%012d", i) }
	for i := range n {
		h.Request(id(i), dsar.Access, "anna@example.com")
	}
	h.Tick(start)
	fresh := filepath.Join(t.TempDir(), "new.key")
	must(t, os.WriteFile(fresh, []byte("AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=\n"), 0o600))
	open := func(key string, old ...string) (*vault.Vault, error) {
		v, err := vault.Open(t.Context(), vault.Config{Bucket: h.Dir + "/objects", Keys: h.Dir + "/keys", Key: key, OldKeys: old})
		if err == nil {
			t.Cleanup(func() { _ = v.Close() })
		}
		return v, err
	}
	before := h.Dir + "/master.key"
	if _, err := open(fresh); !errors.Is(err, vault.ErrWrongKey) {
		t.Fatalf("the new key opens it already: %v", err)
	}
	// Every process knows both keys first, and wraps by the new one then.
	var err error
	h.Vault, err = open(before, fresh)
	must(t, err)
	if _, _, err := keeper.Rotate(t.Context(), openOne(t, h.Dir, before), h.Keeper.List, keeper.JournalledBy(h.Requests), h.Now); !errors.Is(err, vault.ErrNoOldKeys) {
		t.Errorf("without an old key: %v", err)
	}
	both, err := open(fresh, before)
	must(t, err)
	h.Keeper.Vault = both
	var all sync.WaitGroup
	all.Go(func() {
		for i := range n / 2 {
			for _, part := range []core.Part{core.PartRecords, core.PartSubject} {
				if err := h.Keeper.Forget(t.Context(), id(i), part, "lea", "asked"); err != nil {
					t.Error(err)
				}
			}
		}
	})
	rewrapped, total, err := keeper.Rotate(t.Context(), both, h.Keeper.List, keeper.JournalledBy(h.Requests), h.Now)
	all.Wait()
	if err != nil || rewrapped == 0 || total < 2*n {
		t.Fatalf("%d of %d, %v", rewrapped, total, err)
	}
	// Once more, as whoever forgot while it ran may have come after it.
	rewrapped, _, err = keeper.Rotate(t.Context(), both, h.Keeper.List, keeper.JournalledBy(h.Requests), h.Now)
	if err != nil || rewrapped != 0 {
		t.Errorf("%d were wrapped again, %v", rewrapped, err)
	}
	h.Vault, err = open(fresh)
	must(t, err)
	for i := range n {
		r, a, _, s := h.opens(id(i))
		if gone := i < n/2; r == gone || a == gone || s == gone {
			t.Errorf("request %d: records %v, answer %v, whom it was about %v", i, r, a, s)
		}
	}
	if _, err := open(before); !errors.Is(err, vault.ErrWrongKey) {
		t.Errorf("the old key still opens it: %v", err)
	}
}

func openOne(t *testing.T, dir, key string, old ...string) *vault.Vault {
	t.Helper()
	v, err := vault.Open(t.Context(), vault.Config{Bucket: dir + "/objects", Keys: dir + "/keys", Key: key, OldKeys: old})
	must(t, err)
	t.Cleanup(func() { _ = v.Close() })
	return v
}

// TestRotatedKeysFromABackup: whoever does something to all keys, of which a backup was
// restored, ends what was forgotten since first, though there is nothing else to do, and
// though some key is damaged.
func TestRotatedKeysFromABackup(t *testing.T) {
	t.Parallel()
	fresh := filepath.Join(t.TempDir(), "new.key")
	must(t, os.WriteFile(fresh, []byte("AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=\n"), 0o600))
	for name, do := range map[string]func(h *house, v *vault.Vault) error{
		"rotate": func(h *house, v *vault.Vault) error {
			_, _, err := keeper.Rotate(t.Context(), v, h.Keeper.List, keeper.JournalledBy(h.Requests), h.Now)
			return err
		},
		"sealing": func(h *house, v *vault.Vault) error {
			_, _, err := keeper.GiveSealer(t.Context(), v, h.Keeper.List, keeper.JournalledBy(h.Requests), h.Now)
			return err
		},
	} {
		for _, damaged := range []bool{false, true} {
			t.Run(fmt.Sprint(name, damaged), func(t *testing.T) {
				t.Parallel()
				h := newHouse(t, memjournal.New(memjournal.Config{}))
				h.Request(one, dsar.Access, "anna@example.com")
				h.Request(two, dsar.Access, "sam@example.com")
				_, err := h.Vault.MakeSealingKey(t.Context(), false)
				must(t, err)
				must(t, do(h, openOne(t, h.Dir, h.Dir+"/master.key", fresh))) // all has been done
				backup := t.TempDir()
				must(t, os.CopyFS(backup, os.DirFS(h.Dir+"/keys")))
				must(t, h.Keeper.Forget(t.Context(), two, core.PartRecords, "lea", "asked"))
				must(t, h.Keeper.Forget(t.Context(), two, core.PartSubject, "lea", "asked"))
				must(t, os.RemoveAll(h.Dir+"/keys"))
				must(t, os.CopyFS(h.Dir+"/keys", os.DirFS(backup)))
				if damaged {
					must(t, os.WriteFile(h.Dir+"/keys/keys/9f0d6c0e-6f0f-4b43-9f0f-3a9c3c0f7a33.subject", []byte("no key at all"), 0o600))
				}
				if err := do(h, openOne(t, h.Dir, h.Dir+"/master.key", fresh)); errors.Is(err, vault.ErrUnopened) != damaged || err != nil && !damaged {
					t.Error(err)
				}
				if _, err := openOne(t, h.Dir, h.Dir+"/master.key").Keys(t.Context(), two); !errors.Is(err, vault.ErrShredded) {
					t.Errorf("what was forgotten: %v", err)
				}
			})
		}
	}
}
