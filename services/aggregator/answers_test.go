package aggregator_test

import (
	"testing"

	"gocloud.dev/blob/memblob"

	"habeas.dev/pkg/vault"
	"habeas.dev/services/aggregator"
	"habeas.dev/services/internal/outbox"
)

// TestWhatOthersOpen: an answer whose keys are destroyed can't be opened, but what opens by
// somebody else's key can as long as it lies there.
func TestWhatOthersOpen(t *testing.T) {
	t.Parallel()
	const id = "10000000-0000-4000-8000-000000000001"
	v, err := vault.Open(t.Context(), vault.Config{Bucket: t.TempDir(), Keys: t.TempDir(), Key: t.TempDir() + "/master.key", CreateKey: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = v.Close() })
	if _, err := v.CreateKeys(t.Context(), id); err != nil {
		t.Fatal(err)
	}
	if err := v.Shred(t.Context(), id); err != nil {
		t.Fatal(err)
	}
	for _, name := range outbox.OfAnswer(id, 0) {
		b := memblob.OpenBucket(nil)
		t.Cleanup(func() { _ = b.Close() })
		if err := b.WriteAll(t.Context(), name, []byte("x"), nil); err != nil {
			t.Fatal(err)
		}
		opens, err := aggregator.Answers{Vault: v, Outbox: b}.Opens(t.Context(), id, 0)
		if err != nil || opens == outbox.Parse(name).Kind.Sealed() {
			t.Errorf("%s opens: %v (%v)", name, opens, err)
		}
	}
}
