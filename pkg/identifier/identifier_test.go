package identifier_test

import (
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"habeas.dev/pkg/dsar"
	"habeas.dev/pkg/identifier"
)

func rules(t interface {
	Helper()
	Fatal(args ...any)
}, country string) identifier.Rules {
	t.Helper()
	r, err := identifier.New(country)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestNormalise(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		country  string
		typ      dsar.IdentifierType
		in, want string
	}{
		{"", "email", " Camille.O'Brien@Example.COM\n", "camille.o'brien@example.com"},
		{"", "email", "\u200banna@example.com\u00a0\ufeff\x00", "anna@example.com"},
		{"", "email", "Cafe\u0301@x.fr", "café@x.fr"},
		{"", "email", "ΑΘΗΝΆΣ@x.gr", "αθηνάσ@x.gr"},
		{"", "email", "αθηνάς@x.gr", "αθηνάσ@x.gr"},
		{"", "email", "\u212aarl@x.org", "karl@x.org"},
		{"", "email", "Anna@MÜLLER.de", "anna@xn--mller-kva.de"},
		{"", "email", "anna@XN--MLLER-KVA.de", "anna@xn--mller-kva.de"},
		{"", "email", "anna@例え。jp", "anna@xn--r8jz45g.jp"},
		{"", "email", "anna+news@example.com", "anna+news@example.com"},
		{"", "email", "a.n.n.a@gmail.com", "a.n.n.a@gmail.com"},
		{"", "email", "İpek@x.tr", "i\u0307pek@x.tr"},
		{"", "email", "i\u0307pek@x.tr", "i\u0307pek@x.tr"},
		{"", "email", "ıpek@x.tr", "ıpek@x.tr"},
		{"", "email", "ſam@x.org", "ſam@x.org"},
		{"", "email", "Mailto:anna@x.org.", "anna@x.org"},
		{"", "email", "mailto: MAILTO:anna@x.org", "anna@x.org"},
		{"", "email", "anna@x.org..", "anna@x.org.."},
		{"", "email", "anna@ｅxample.com", "anna@example.com"},
		{"", "email", "a\xff@x.org", "a\xff@x.org"},
		{"", "email", "no address", "no address"},
		{"", "crm.email", " A@X.org", "a@x.org"},
		{"", "phone", "+33 (0)6 12-34.56/78", "+33612345678"},
		{"", "phone", "+33\u00a06\u202f12\u200b345678", "+33612345678"},
		{"", "phone", "0033612345678", "+33612345678"},
		{"", "phone", "tel:+33-6-12-34-56-78", "+33612345678"},
		{"", "phone", "06 12 34 56 78", "0612345678"},
		{"FR", "phone", "06 12 34 56 78", "+33612345678"},
		{"FR", "phone", "33612345678", "33612345678"},
		{"FR", "phone", "15", "15"},
		{"FR", "phone", "+39 06 6982", "+39066982"},
		{"IT", "phone", "06 698212", "+3906698212"},
		{"US", "phone", "(415) 555-0100", "+14155550100"},
		{"US", "phone", "1-415-555-0100", "+14155550100"},
		{"US", "phone", "011 33 6 12 34 56 78", "+33612345678"},
		{"ES", "phone", "34612345678", "34612345678"},
		{"US", "phone", "(415) 555-0100 ext. 12", "+14155550100;ext=12"},
		{"US", "phone", "4155550100x12", "+14155550100;ext=12"},
		{"", "phone", "٠٦١٢", "0612"},
		{"", "phone", "０１２", "012"},
		{"", "phone", " none ", "none"},
		{"", "phone", "ask for Anna, 12", "ask for anna, 12"},
		{"", "phone", "+", "+"},
		{"", "account_id", "\u3000A-1 ", "A-1"},
		{"", "desk.user_id", " 2", "2"},
		{"", "account_id", " 5F2B3C4D-1a2b-4c3d-8E9F-0a1b2c3d4e5f", "5f2b3c4d-1a2b-4c3d-8e9f-0a1b2c3d4e5f"},
		{"", "cookie_id", "5F2B3C4D1A2B4C3D8E9F0A1B2C3D4E5F", "5f2b3c4d-1a2b-4c3d-8e9f-0a1b2c3d4e5f"},
		{"", "cookie_id", "{5f2b3c4d-1a2b-4c3d-8e9f-0a1b2c3d4e5f}", "5f2b3c4d-1a2b-4c3d-8e9f-0a1b2c3d4e5f"},
		{"", "cookie_id", "URN:uuid:5f2b3c4d-1a2b-4c3d-8e9f-0a1b2c3d4e5f", "5f2b3c4d-1a2b-4c3d-8e9f-0a1b2c3d4e5f"},
		{"", "cookie_id", "{5f2b3c4d-1a2b-4c3d-8e9f-0a1b2c3d4e5f", "{5f2b3c4d-1a2b-4c3d-8e9f-0a1b2c3d4e5f"},
		{"", "cookie_id", "5F2B3C4D-1A2B-4C3D8-E9F-0A1B2C3D4E5F", "5F2B3C4D-1A2B-4C3D8-E9F-0A1B2C3D4E5F"},
		{"", "cookie_id", "5F2B3C4D1A2B4C3D8E9F0A1B2C3D4E5G", "5F2B3C4D1A2B4C3D8E9F0A1B2C3D4E5G"},
		{"", "email", " \u200b\t", ""},
	} {
		if got := rules(t, c.country).Normalise(c.typ, c.in); got != c.want {
			t.Errorf("%s %s %q: %q, want %q", c.country, c.typ, c.in, got, c.want)
		}
	}
	if _, err := identifier.New("XX"); err == nil {
		t.Error("a country that doesn't exist is taken")
	}
}

// TestDifferentPeople holds apart what must never become one.
func TestDifferentPeople(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		typ  dsar.IdentifierType
		a, b string
	}{
		{"email", "anna@x.org", "anna+1@x.org"},
		{"email", "anna@x.org", "an.na@x.org"},
		{"email", "strasse@x.de", "straße@x.de"},
		{"email", "anna@x.org", "anna@x.com"},
		{"email", "İpek@x.tr", "ipek@x.tr"},
		{"email", "ıpek@x.tr", "ipek@x.tr"},
		{"email", "ſam@x.org", "sam@x.org"},
		{"email", "", ""},
		{"account_id", "a-1", "A-1"},
		{"account_id", "1", "01"},
		{"account_id", "5f2b3c4d-1a2b-4c3d-8e9f-0a1b2c3d4e5f", "5f2b3c4d-1a2b-4c3d-8e9f-0a1b2c3d4e50"},
		{"account_id", "5f2b3c4d1a2b4c3d8e9f0a1b2c3d4e5", "05f2b3c4d1a2b4c3d8e9f0a1b2c3d4e5"},
		{"account_id", "ABCDEF0123456789", "abcdef0123456789"},
		{"phone", "+33612345678", "+44612345678"},
		{"phone", "+14155550100x1", "+14155550100x2"},
		{"phone", "ask Anna 1", "ask Ben 1"},
	} {
		for _, country := range []string{"", "FR", "US"} {
			if rules(t, country).Same(c.typ, c.a, c.b) {
				t.Errorf("%s %s: %q and %q are one", country, c.typ, c.a, c.b)
			}
		}
	}
}

func anyValue(t *rapid.T) (dsar.IdentifierType, string) {
	typ := rapid.SampledFrom([]dsar.IdentifierType{"email", "phone", "account_id", "desk.email"}).Draw(t, "type")
	s := rapid.OneOf(rapid.String(), rapid.Map(rapid.SliceOf(rapid.Byte()), func(b []byte) string { return string(b) }),
		rapid.StringMatching(`[+ 0-9()x#é.-]*`), rapid.StringMatching(`(urn:uuid:|\{)?[0-9a-fA-F]{8}-?([0-9a-f]{4}-?){3}[0-9A-F]{12}\}?`), rapid.StringMatching(`(00|\+|011)?(33|1|39|44)?\(?0?\)?[0-9 ]{6,11}( ?x ?[0-9]{1,3})?`),
		rapid.StringMatching(`[a-zA-Zéßİıς.+]{1,5}@(xn--)?[a-zA-Zäßñ-]{1,6}\.[a-z]{2,3}`)).Draw(t, "value")
	return typ, s
}

func anyRules(t *rapid.T) identifier.Rules {
	r, err := identifier.New(rapid.SampledFrom([]string{"", "FR", "US", "IT", "ES", "HU", "JP", "BR"}).Draw(t, "country"))
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestNormaliseTwice(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		r := anyRules(t)
		typ, s := anyValue(t)
		once := r.Normalise(typ, s)
		if twice := r.Normalise(typ, once); twice != once {
			t.Fatalf("%q, then %q", once, twice)
		}
	})
}

// TestFormsAreOnePerson: every form is a writing of the same identifier, in the form
// that a database compares by.
func TestFormsAreOnePerson(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		r := anyRules(t)
		typ, s := anyValue(t)
		forms := r.Forms(typ, s)
		if n := r.Normalise(typ, s); forms[0] != n {
			t.Fatalf("the first of %q isn't %q", forms, n)
		}
		for _, f := range forms {
			if n := r.Normalise(typ, f); n != forms[0] {
				t.Fatalf("%q of %q is %q", f, s, n)
			}
		}
	})
}

// TestAWritingIsAmongTheForms: however a person's number or address is written, what a
// database makes of it is among the forms of every other writing.
func TestAWritingIsAmongTheForms(t *testing.T) {
	t.Parallel()
	for country, writings := range map[string][]string{
		"FR": {"+33612345678", "+33 (0)6 12 34 56 78", "0033 6 12 34 56 78", "06.12.34.56.78", "06 12\u202f34 56 78"},
		"US": {"+1 (415) 555-0100", "415-555-0100", "1 415 555 0100", "011 1 415 555 0100"},
		"GB": {"+44 (0)20 7946 0000", "020 7946 0000", "00442079460000"},
	} {
		r := rules(t, country)
		for _, asked := range writings {
			for _, stored := range writings {
				if !slices.Contains(r.Forms("phone", asked), identifier.Plain("phone", stored)) {
					t.Errorf("%s: asked %q, stored %q: %q", country, asked, stored, r.Forms("phone", asked))
				}
			}
		}
	}
	addresses := []string{"Anna@müller.de ", "anna@XN--MLLER-KVA.de", "\tanna@mu\u0308ller.de"}
	for _, asked := range addresses {
		for _, stored := range addresses {
			if !slices.Contains(rules(t, "").Forms("email", asked), identifier.Plain("email", stored)) {
				t.Errorf("asked %q, stored %q: %q", asked, stored, rules(t, "").Forms("email", asked))
			}
		}
	}
}

// TestBlanks: what a database is told to trim is what Trim takes off.
func TestBlanks(t *testing.T) {
	t.Parallel()
	for _, r := range identifier.Blanks {
		if got := identifier.Trim(string(r) + "a" + string(r)); got != "a" {
			t.Errorf("%U stays: %q", r, got)
		}
	}
	if strings.ContainsAny(identifier.Blanks, "abc@+0123") {
		t.Error("a character of identifiers is a blank")
	}
}

// TestUUIDsInAnyWriting: every writing of a UUID is the same identifier, and those that stores
// have are among its forms.
func TestUUIDsInAnyWriting(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		canonical := rapid.StringMatching(`[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}`).Draw(t, "uuid")
		plain := strings.ReplaceAll(canonical, "-", "")
		upper := strings.ToUpper(canonical)
		stored := []string{canonical, upper, plain, strings.ToUpper(plain), "{" + canonical + "}", "{" + upper + "}"}
		for _, w := range append([]string{"urn:uuid:" + canonical, "URN:UUID:" + upper, " " + upper[:13] + canonical[13:] + "\n"}, stored...) {
			if n := rules(t, "").Normalise("account_id", w); n != canonical {
				t.Fatalf("%q is %q", w, n)
			}
			for _, form := range stored {
				if forms := rules(t, "").Forms("cookie_id", w); !slices.Contains(forms, form) {
					t.Fatalf("%q of %q isn't among %q", form, w, forms)
				}
			}
		}
	})
}

// TestMalformed: what is no identifier of its type is said.
func TestMalformed(t *testing.T) {
	t.Parallel()
	for typ, values := range map[dsar.IdentifierType][]string{
		"email":      {"", " \u200b", "Anna <anna@example.com>", "<anna@example.com>", "anna@@example.com", "a b@example.com", "@example.com", "anna@", "anna", "anna@example..com", "anna@.com", "an\u00adna@example.com", "anna@example.com, bob@example.com", "anna@example.com;bob@example.com", "mailto:", "anna@x.org..", "a\xff@x.org", "\"anna\"@example.com"},
		"crm.email":  {"anna"},
		"phone":      {"", "none", "+"},
		"account_id": {"", "\t"},
	} {
		for _, v := range values {
			if said := identifier.Malformed(typ, v); said == "" {
				t.Errorf("%s %q: %q", typ, v, said)
			}
		}
	}
	for typ, values := range map[dsar.IdentifierType][]string{
		"email":      {"anna@example.com", " Anna+news@Example.com. ", "mailto:anna@example.com", "anna@localhost", "josé@bücher.example", "anna@例え。jp", "o'brien!#$%&*/=?^_{|}~@x.org", "İpek@x.tr"},
		"phone":      {"15", "+33 (0)6 12", "call 12"},
		"account_id": {"Anna <1>", "a b"},
	} {
		for _, v := range values {
			if said := identifier.Malformed(typ, v); said != "" {
				t.Errorf("%s %q: %q", typ, v, said)
			}
		}
	}
}

// TestFindable: what is said to be findable is, by every writing of the same identifier.
func TestFindable(t *testing.T) {
	t.Parallel()
	found := 0
	rapid.Check(t, func(t *rapid.T) {
		r := anyRules(t)
		typ, stored := anyValue(t)
		if !r.Findable(typ, stored) {
			return
		}
		found++
		for _, asked := range append(r.Forms(typ, stored), strings.ToUpper(stored), " "+stored) {
			if r.Same(typ, asked, stored) && !slices.Contains(r.Forms(typ, asked), identifier.Plain(typ, stored)) {
				t.Fatalf("%q isn't found by %q", stored, asked)
			}
		}
	})
	if found == 0 {
		t.Error("nothing is findable")
	}
	for typ, values := range map[dsar.IdentifierType][]string{"email": {"anna@ｅxample.com", "Anna <anna@x.org>", "\u212aarl@x.org"}, "phone": {"33612345678", "+３３612345678", "none"}} {
		for _, v := range values {
			if (identifier.Rules{}).Findable(typ, v) {
				t.Errorf("%q is findable", v)
			}
		}
	}
}
