package conform

import (
	"errors"
	"maps"
	"os"
	"path/filepath"
	"testing"

	"habeas.dev/pkg/dsar"
	"habeas.dev/pkg/vendorapi"
)

// RenewsToken revokes the access token three times in mid-run: it is renewed, once for
// all callers, also where an erasure meets it. tokens returns how many were given out.
func (d *Direct) RenewsToken(tokens func() int64, revoke func()) {
	d.T.Helper()
	e := d.Emails()
	for round := range 3 {
		if _, errs := d.Gather(e...); errors.Join(errs...) != nil {
			d.T.Fatal(errors.Join(errs...))
		}
		if n := tokens(); n != int64(round+1) {
			d.T.Fatalf("%d tokens after %d revocations", n, round)
		}
		revoke()
	}
	for _, j := range d.Do(dsar.Erase, e[:3]...) {
		if j.Err != nil {
			d.T.Fatal(j.Err)
		}
	}
}

// KeepsChanges erases somebody, and opens the stand-in again without having closed it,
// as after kill -9: what was acknowledged outlives its process, and nothing else does.
// counted returns what an erasure of somebody plans.
func KeepsChanges(t *testing.T, open func(dir string) Direct, counted func(d Direct, number int) map[string]int) {
	t.Helper()
	dir := t.TempDir()
	d := open(dir)
	e := d.Emails()
	if j := d.Do(dsar.Erase, e[0])[0]; j.Err != nil {
		t.Fatal(j.Err)
	}
	again := open(dir)
	if j := again.Do(dsar.Prove, e[0])[0]; j.Err != nil || len(j.Counts) > 0 {
		t.Fatalf("%v, %v", j.Counts, j.Err)
	}
	if j := again.Do(dsar.Plan, e[1])[0]; j.Err != nil || !maps.Equal(Found(j.Counts), counted(again, 2)) {
		t.Fatalf("%v, %v", j.Counts, j.Err)
	}
}

// ReadsSecretAnew changes the file of a worker's secret from a wrong one to the right
// one: the worker reads it again with each token, and needs no restart.
func ReadsSecretAnew(t *testing.T, open func(vendorapi.Secret) Direct, right string) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "secret")
	write := func(secret string) {
		if err := os.WriteFile(file, []byte(secret+"\n"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("old")
	d := open(vendorapi.SecretFile(file))
	if _, errs := d.Gather(d.Emails()[0]); errs[0] == nil {
		t.Fatal("a wrong secret was taken")
	}
	write(right)
	if _, errs := d.Gather(d.Emails()[0]); errs[0] != nil {
		t.Fatal(errs[0])
	}
}
