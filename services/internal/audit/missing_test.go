package audit

import (
	"fmt"
	"testing"

	"gocloud.dev/blob/memblob"

	"habeas.dev/pkg/vault"
)

// TestEveryMissingLetterIsLookedUp: that an erasure had many letters deleted hides none that
// somebody else has.
func TestEveryMissingLetterIsLookedUp(t *testing.T) {
	t.Parallel()
	a := &audit{Config: Config{Mirror: memblob.OpenBucket(nil), Vault: &vault.Vault{}}, missing: map[string][]int{}}
	first, second := look{audit: a, first: true}, look{audit: a}
	for i := range 2 * maxFindings {
		first.misses(fmt.Sprint(i), 1)
		second.misses(fmt.Sprint(i), 1)
	}
	for i := range 2*maxFindings - 1 {
		delete(a.missing, fmt.Sprint(i)) // the list of what erasures have deleted has it
	}
	if err := a.lost(t.Context()); err != nil {
		t.Fatal(err)
	}
	if f := a.report.Findings; len(f) != 1 || f[0].Request != fmt.Sprint(2*maxFindings-1) || len(a.missing) > 0 {
		t.Errorf("%+v", f)
	}
}
