package vault_test

import (
	"context"
	"encoding/hex"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"

	"habeas.dev/pkg/vault"
)

const processEnv = "HABEAS_VAULT_TEST_DIR"

// TestProcess is what TestProcesses runs in processes of its own.
func TestProcess(t *testing.T) {
	root := os.Getenv(processEnv)
	if root == "" {
		t.Skip("runs within TestProcesses")
	}
	v := open(t, root)
	for i := range 50 {
		k, err := v.CreateKeys(t.Context(), fmt.Sprint("r", i))
		if err != nil {
			t.Fatal(err)
		}
		sealed, err := k.Seal([]byte("hello"), vault.Identifier)
		if err != nil {
			t.Fatal(err)
		}
		fmt.Println("sealed", i, hex.EncodeToString(sealed))
		w, err := v.Create(t.Context(), fmt.Sprint("r", i), fmt.Sprintf("a/gather/1-%d", os.Getpid()))
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprint(w, strings.Repeat("x", 3000))
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		fmt.Println("wrote", i, os.Getpid())
	}
}

// Processes that set up one vault at the same time, master key included, and
// create the same requests' keys, all use the same; none of their objects is lost.
func TestProcesses(t *testing.T) {
	t.Parallel()
	root := t.TempDir()
	const processes = 4
	var (
		all    sync.WaitGroup
		mu     sync.Mutex
		sealed [][]string // request number, and what one process sealed for it
		in     []string
	)
	for range processes {
		all.Go(func() {
			cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestProcess$", "-test.v")
			cmd.Env = append(os.Environ(), processEnv+"="+root)
			out, err := cmd.CombinedOutput()
			mu.Lock()
			defer mu.Unlock()
			if err != nil {
				t.Errorf("%v: %s", err, out)
			}
			for line := range strings.Lines(string(out)) {
				f := strings.Fields(line)
				switch {
				case len(f) == 3 && f[0] == "sealed":
					sealed = append(sealed, f[1:])
				case len(f) == 3 && f[0] == "wrote":
					in = append(in, "r"+f[1]+" a/gather/1-"+f[2])
				}
			}
		})
	}
	all.Wait()
	if len(sealed) != 50*processes || len(in) != 50*processes {
		t.Fatal(len(sealed), len(in))
	}
	v := open(t, root)
	for _, s := range sealed {
		k, err := v.Keys(t.Context(), "r"+s[0])
		if err != nil {
			t.Fatal(err)
		}
		value, err := hex.DecodeString(s[1])
		if err != nil {
			t.Fatal(err)
		}
		if plain, err := k.Open(value, vault.Identifier); err != nil || string(plain) != "hello" {
			t.Fatalf("two processes have different keys of r%s: %v", s[0], err)
		}
	}
	for _, s := range in {
		request, name, _ := strings.Cut(s, " ")
		if err := readInto(v, request, name, 3000); err != nil {
			t.Fatal(err)
		}
	}
}

func readInto(v *vault.Vault, request, name string, want int64) error {
	r, err := v.OpenObject(context.Background(), request, name)
	if err != nil {
		return err
	}
	defer r.Close()
	n, err := io.Copy(io.Discard, r)
	if err == nil && n != want {
		err = fmt.Errorf("%d bytes of %d", n, want)
	}
	return err
}
