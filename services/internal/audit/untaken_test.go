package audit_test

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"habeas.dev/services/internal/audit"
	"habeas.dev/services/internal/untaken"
)

// TestKeysOfNoneYet: keys that a request has left which was never taken in are counted while they
// may still be destroyed by themselves, and named from then on; a request that was deleted is
// named however young its keys are.
func TestKeysOfNoneYet(t *testing.T) {
	t.Parallel()
	s := inSQLite(t)
	written := func(id string, ago time.Duration) {
		t.Helper()
		at := s.Now.Add(-ago)
		must(t, os.Chtimes(filepath.Join(s.Dir, "keys/keys", id+".roots"), at, at))
	}
	const young, late = "10000000-0000-4000-8000-0000000000f1", "10000000-0000-4000-8000-0000000000f2"
	for _, id := range []string{young, late} {
		_, err := s.Vault.CreateKeys(t.Context(), id)
		must(t, err)
	}
	written(young, time.Hour)
	written(late, untaken.For+2*untaken.Every)
	written(open, time.Minute)
	s.delete(open)
	s.exec("DELETE FROM request WHERE id = ?", open)
	r, err := audit.Run(t.Context(), audit.Config{Journal: s.Journal, Vault: s.Vault, Now: s.Now})
	must(t, err)
	named := map[string]bool{}
	for _, f := range r.Findings {
		if f.Code == "vault-stranger" {
			named[f.Request] = true
		}
	}
	if len(named) != 2 || !named[late] || !named[open] || r.Untaken != 1 {
		t.Errorf("%v are named, and %d are counted", named, r.Untaken)
	}
}

// TestMoreThanAreNamed: of more than are named, of keys and of requests, the end says so.
func TestMoreThanAreNamed(t *testing.T) {
	t.Parallel()
	s := inSQLite(t)
	const many = 1001
	for i := range many {
		_, err := s.Vault.CreateKeys(t.Context(), fmt.Sprintf("40000000-0000-4000-8000-%012d", i))
		must(t, err)
	}
	r, err := audit.Run(t.Context(), audit.Config{Journal: s.Journal, Vault: s.Vault, Now: time.Now().AddDate(1, 0, 0)})
	must(t, err)
	if last := r.Findings[len(r.Findings)-1]; len(r.Findings) != many || last.Code != "too-many" {
		t.Errorf("%d findings, the last %+v", len(r.Findings), last)
	}
}
