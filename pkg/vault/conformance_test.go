package vault_test

import (
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"habeas.dev/pkg/vault"
	"habeas.dev/pkg/vault/internal/store"
	"habeas.dev/pkg/vault/internal/vaulttest"
)

func TestDirectory(t *testing.T) {
	t.Parallel()
	for _, apart := range []bool{false, true} {
		t.Run(fmt.Sprintf("apart=%v", apart), func(t *testing.T) {
			t.Parallel()
			inDirectory(t, apart)
		})
	}
}

func inDirectory(t *testing.T, apart bool) {
	vaulttest.Run(t, func(tb testing.TB) vaulttest.Store {
		root := tb.TempDir()
		return vaulttest.Store{
			Open: func(tb testing.TB) *vault.Vault { return openAs(tb, root, apart) },
			Blobs: func(tb testing.TB) map[string][]byte {
				blobs := map[string][]byte{}
				err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
					if err != nil || d.IsDir() || d.Name() == "master.key" {
						return err
					}
					blobs[path], err = os.ReadFile(path)
					return err
				})
				if err != nil {
					tb.Fatal(err)
				}
				return blobs
			},
			Set: func(tb testing.TB, name string, content []byte) {
				if err := os.WriteFile(name, content, 0o600); err != nil {
					tb.Fatal(err)
				}
			},
		}
	})
}

// TestMemory has a process of its own for each vault: what another one knows, it
// reads from the bucket.
func TestMemory(t *testing.T) {
	t.Parallel()
	vaulttest.Run(t, func(tb testing.TB) vaulttest.Store {
		objects, keys := &store.Memory{}, &store.Memory{}
		key := vault.RandomMaster()
		return vaulttest.Store{
			Open: func(tb testing.TB) *vault.Vault {
				v, err := vault.New(tb.Context(), objects, vault.KeysIn(keys), key)
				if err != nil {
					tb.Fatal(err)
				}
				return v
			},
			Blobs: func(testing.TB) map[string][]byte {
				blobs := objects.Blobs()
				maps.Copy(blobs, keys.Blobs())
				return blobs
			},
			Set: func(_ testing.TB, name string, content []byte) {
				if strings.HasPrefix(name, "keys/") {
					keys.Set(name, content)
				} else {
					objects.Set(name, content)
				}
			},
		}
	})
}
