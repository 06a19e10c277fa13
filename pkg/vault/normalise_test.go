package vault_test

import (
	"testing"

	"pgregory.net/rapid"

	"habeas.dev/pkg/dsar"
	"habeas.dev/pkg/vault"
)

func TestNormalise(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		typ      dsar.IdentifierType
		in, want string
	}{
		{"email", " Camille.O'Brien@Example.COM\n", "camille.o'brien@example.com"},
		{"email", "Cafe\u0301@x.fr", "café@x.fr"},
		{"email", "ΑΘΗΝΆ@x.gr", "αθηνά@x.gr"},
		{"phone", "+33 (0)1 23-45.67", "+33012345" + "67"},
		{"phone", "01 23 45", "012345"},
		{"phone", "０１２", "012"},
		{"phone", " none ", "none"},
		{"phone", "+", "+"},
		{"account_id", " A-1 ", "A-1"},
	} {
		if got := vault.Normalise(c.typ, c.in); got != c.want {
			t.Errorf("%s %q: %q, want %q", c.typ, c.in, got, c.want)
		}
	}
}

func TestNormaliseTwice(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		typ := rapid.SampledFrom([]dsar.IdentifierType{"email", "phone", "account_id"}).Draw(t, "type")
		s := rapid.OneOf(rapid.String(), rapid.Map(rapid.SliceOf(rapid.Byte()), func(b []byte) string { return string(b) }), rapid.StringMatching(`[+ 0-9()xé.-]*`)).Draw(t, "value")
		once := vault.Normalise(typ, s)
		if twice := vault.Normalise(typ, once); twice != once {
			t.Fatalf("%q, then %q", once, twice)
		}
	})
}
