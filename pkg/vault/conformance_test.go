package vault_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"gocloud.dev/blob"
	"gocloud.dev/blob/fileblob"
	"gocloud.dev/blob/memblob"
	"gocloud.dev/secrets/localsecrets"

	"habeas.dev/pkg/vault"
	"habeas.dev/pkg/vault/vaulttest"
)

func TestDirectory(t *testing.T) {
	t.Parallel()
	vaulttest.Run(t, func(tb testing.TB) vaulttest.Store {
		root := tb.TempDir()
		return vaulttest.Store{
			Open: func(tb testing.TB) *vault.Vault { return open(tb, root) },
			Blobs: func(tb testing.TB) map[string][]byte {
				blobs := map[string][]byte{}
				err := filepath.WalkDir(root+"/vault", func(path string, d fs.DirEntry, err error) error {
					if err != nil || d.IsDir() {
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

// bucketStore is a vault over gocloud's portable type, as it is in any cloud.
func bucketStore(tb testing.TB, b *blob.Bucket) vaulttest.Store {
	key, err := localsecrets.NewRandomKey()
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { b.Close() })
	return vaulttest.Store{
		Open: func(tb testing.TB) *vault.Vault {
			v, err := vault.New(context.Background(), b, localsecrets.NewKeeper(key))
			if err != nil {
				tb.Fatal(err)
			}
			return v
		},
		Blobs: func(tb testing.TB) map[string][]byte {
			blobs := map[string][]byte{}
			list := b.List(nil)
			for {
				o, err := list.Next(context.Background())
				if errors.Is(err, io.EOF) {
					return blobs
				}
				if err != nil {
					tb.Fatal(err)
				}
				if blobs[o.Key], err = b.ReadAll(context.Background(), o.Key); err != nil {
					tb.Fatal(err)
				}
			}
		},
		Set: func(tb testing.TB, name string, content []byte) {
			if err := b.WriteAll(context.Background(), name, bytes.Clone(content), nil); err != nil {
				tb.Fatal(err)
			}
		},
	}
}

func TestMemory(t *testing.T) {
	t.Parallel()
	vaulttest.Run(t, func(tb testing.TB) vaulttest.Store { return bucketStore(tb, memblob.OpenBucket(nil)) })
}

// TestFileblob runs gocloud's own driver for files, which nobody needs: [vault.Open]
// takes a path. It can't pass CreatedOnce and ShreddedWhileCreating, since its
// IfNotExist looks first and renames then.
func TestFileblob(t *testing.T) {
	t.Parallel()
	vaulttest.Run(t, func(tb testing.TB) vaulttest.Store {
		if strings.Contains(tb.Name(), "CreatedOnce") || strings.Contains(tb.Name(), "ShreddedWhileCreating") {
			tb.Skip("fileblob's IfNotExist isn't one step")
		}
		b, err := fileblob.OpenBucket(tb.TempDir(), &fileblob.Options{Metadata: fileblob.MetadataDontWrite, NoTempDir: true})
		if err != nil {
			tb.Fatal(err)
		}
		return bucketStore(tb, b)
	})
}
