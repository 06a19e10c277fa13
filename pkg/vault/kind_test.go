package vault

import (
	"errors"
	"testing"
)

// TestKinds: what is sealed as one kind opens as that kind alone, and nothing is
// sealed as none.
func TestKinds(t *testing.T) {
	t.Parallel()
	v, err := InMemory(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	k, err := v.CreateKeys(t.Context(), "9f0d6c0e-6f0f-4b43-9f0f-3a9c3c0f7a11")
	if err != nil {
		t.Fatal(err)
	}
	kinds := []Kind{Identifier, RequestDetails, ReportDetail, Remark, Letter, Rejected, Receipt, LaterBundleKey, BundleKey}
	for _, as := range kinds {
		sealed, err := k.Seal([]byte("hello"), as)
		if err != nil {
			t.Fatal(err)
		}
		for _, to := range kinds {
			if _, err := k.Open(sealed, to); (err == nil) != (as == to) || err != nil && !errors.Is(err, ErrCorrupt) {
				t.Errorf("sealed as %s, opened as %s: %v", as, to, err)
			}
		}
	}
	if _, err := k.Seal([]byte("hello"), Kind{}); !errors.Is(err, errNoKind) {
		t.Errorf("sealed as nothing: %v", err)
	}
}
