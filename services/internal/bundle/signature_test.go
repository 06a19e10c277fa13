package bundle_test

import (
	"crypto/rand"
	"slices"
	"strings"
	"testing"

	"golang.org/x/mod/sumdb/note"

	"habeas.dev/services/internal/bundle"
)

// newKey makes a key that signs, and what verifies it.
func newKey(t testing.TB, name string) (note.Signer, note.Verifier) {
	t.Helper()
	secret, public, err := note.GenerateKey(rand.Reader, name)
	if err != nil {
		t.Fatal(err)
	}
	s, err := note.NewSigner(secret)
	if err != nil {
		t.Fatal(err)
	}
	v, err := note.NewVerifier(public)
	if err != nil {
		t.Fatal(err)
	}
	return s, v
}

func verifyBy(t testing.TB, data []byte, keys ...note.Verifier) bundle.Report {
	t.Helper()
	r, err := bundle.Verify(t.Context(), strings.NewReader(string(data)), int64(len(data)), keys...)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// TestResigned: a system removed from an answer, or its request changed, and every hash
// made anew, is found by whoever has the key.
func TestResigned(t *testing.T) {
	t.Parallel()
	signer, key := newKey(t, "privacy.example.com/bundles")
	forger, others := newKey(t, "privacy.example.com/bundles")
	in := accessInput(t)
	in.Run.Signer = signer
	data, _ := write(t, in)
	if again, _ := write(t, in); string(again) != string(data) {
		t.Error("the same bundle twice differs")
	}
	if r := verifyBy(t, data, key); len(r.Problems) != 0 || !r.Verified || !slices.Equal(r.Signers, []string{"privacy.example.com/bundles"}) {
		t.Fatalf("%+v", r)
	}
	if r := verifyBy(t, data, others, key); len(r.Problems) != 0 || !r.Verified {
		t.Errorf("by one of two keys: %+v", r)
	}
	if r := verifyBy(t, data, others); !names(r, "other-key", "signature.note") || r.Verified {
		t.Errorf("by another key: %+v", r)
	}
	if r := verifyBy(t, data); len(r.Problems) != 0 || r.Verified || len(r.Signers) != 1 {
		t.Errorf("without a key: %+v", r)
	}
	unsigned := accessInput(t)
	plain, _ := write(t, unsigned)
	if r := verifyBy(t, plain, key); !names(r, "unsigned", "") {
		t.Errorf("unsigned: %v", r.Problems)
	}
	whole := members(t, data)
	tags := func(l []member) *string {
		for i := range l {
			if l[i].name == bag+"tagmanifest-sha256.txt" {
				return &l[i].content
			}
		}
		t.Fatal("no tag manifest")
		return nil
	}
	withoutSystem := func(l []member) []member {
		l = slices.DeleteFunc(l, func(m member) bool { return strings.HasPrefix(m.name, bag+"data/billing/") })
		if len(l) == len(whole) {
			t.Fatal("nothing was removed")
		}
		return rehash(l)
	}
	signed := func(s note.Signer, id string) func(l []member) []member {
		return func(l []member) []member {
			for i := range l {
				if l[i].name == bag+"signature.note" {
					b, err := note.Sign(&note.Note{Text: bundle.Statement(id, []byte(*tags(l)))}, s)
					if err != nil {
						t.Fatal(err)
					}
					l[i].content = string(b)
				}
			}
			return l
		}
	}
	for what, f := range map[string]func(l []member) []member{
		"a system removed, the hashes anew": withoutSystem,
		"and the signature removed": func(l []member) []member {
			return slices.DeleteFunc(withoutSystem(l), func(m member) bool { return m.name == bag+"signature.note" })
		},
		"and signed by another key":                  func(l []member) []member { return signed(forger, requestID)(withoutSystem(l)) },
		"white space at the end of the tag manifest": func(l []member) []member { *tags(l) += " "; return l },
		"signed for another request":                 signed(signer, "00000000-0000-4000-8000-000000000000"),
		"as another request's answer": func(l []member) []member {
			for i := range l {
				l[i].name = strings.Replace(l[i].name, requestID, "00000000-0000-4000-8000-000000000000", 1)
			}
			return l
		},
		"a signature that is no note": func(l []member) []member {
			for i := range l {
				if l[i].name == bag+"signature.note" {
					l[i].content = "signed: me\n"
				}
			}
			return l
		},
	} {
		if r := verifyBy(t, pack(t, f(slices.Clone(whole))), key); len(r.Problems) == 0 || r.Verified {
			t.Errorf("%s: %+v", what, r)
		}
	}
}

// TestAddendumIsSigned: an addendum that was altered, is another request's, or was signed by
// somebody else, is found by whoever has the key.
func TestAddendumIsSigned(t *testing.T) {
	t.Parallel()
	signer, key := newKey(t, "privacy.example.com/bundles")
	_, others := newKey(t, "privacy.example.com/bundles")
	text := []byte("{\n  \"format\": \"habeas-addendum/1\",\n  \"request_id\": \"r1\",\n  \"number\": 1\n}\n")
	whole, err := bundle.SignedAddendum(signer, "r1", 1, text)
	if err != nil {
		t.Fatal(err)
	}
	alone, signature := bundle.SplitAddendum(whole)
	if string(alone) != string(text) || len(signature) == 0 {
		t.Fatalf("%q, %q", alone, signature)
	}
	if r := bundle.VerifyAddendum(alone, signature, key); len(r.Problems) != 0 || !r.Verified || !slices.Equal(r.Signers, []string{"privacy.example.com/bundles"}) {
		t.Errorf("%+v", r)
	}
	for name, c := range map[string]struct {
		text, signature []byte
		key             note.Verifier
		code            string
	}{
		"altered":         {[]byte(strings.Replace(string(text), "}", ",\"more\": 1}", 1)), signature, key, "bad-signature"},
		"another number":  {[]byte(strings.Replace(string(text), "number\": 1", "number\": 2", 1)), signature, key, "bad-signature"},
		"another request": {[]byte(strings.Replace(string(text), "r1", "r2", 1)), signature, key, "bad-signature"},
		"unsigned":        {text, nil, key, "unsigned"},
		"by another":      {text, signature, others, "other-key"},
		"no addendum":     {[]byte("{}"), signature, key, "not-an-addendum"},
		"a bundle's note": {text, []byte(strings.Replace(string(signature), "addendum/v1", "bundle/v1", 1)), key, "bad-signature"},
	} {
		if r := bundle.VerifyAddendum(c.text, c.signature, c.key); len(r.Problems) != 1 || r.Problems[0].Code != c.code || r.Verified {
			t.Errorf("%s: %+v", name, r)
		}
	}
	if unsigned, none := bundle.SplitAddendum(text); string(unsigned) != string(text) || none != nil {
		t.Error("an addendum that isn't signed was parted")
	}
}
