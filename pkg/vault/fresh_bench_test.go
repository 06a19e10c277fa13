package vault

import "testing"

// Keys that this process hasn't opened yet: read, unwrap, parse.
func BenchmarkKeysUncached(b *testing.B) {
	v, err := Open(b.Context(), Config{Bucket: b.TempDir(), Keys: b.TempDir(), Key: b.TempDir() + "/key", CreateKey: true})
	if err != nil {
		b.Fatal(err)
	}
	if _, err := v.CreateKeys(b.Context(), "r"); err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		v.cache.drop()
		if _, err := v.Keys(b.Context(), "r"); err != nil {
			b.Fatal(err)
		}
	}
}
