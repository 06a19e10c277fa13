package bus

import (
	"crypto/sha256"
	"strings"
	"testing"
)

// The example of RFC 7677, section 3.
const (
	scramFirst  = "n,,n=user,r=rOprNGfwEbeRWgbNEkqO"
	scramAsk    = "r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096"
	scramProof  = "c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ="
	scramServer = "v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4="
)

func scramExample(t *testing.T) (*scramSession, string) {
	t.Helper()
	s := newScram(ScramSHA256, sha256.New, SASL{User: "user", Password: "pencil"})
	s.nonce = func() string { return "rOprNGfwEbeRWgbNEkqO" }
	session, first, err := s.Start(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return session.(*scramSession), string(first)
}

func TestScramExample(t *testing.T) {
	t.Parallel()
	session, first := scramExample(t)
	if first != scramFirst {
		t.Error(first)
	}
	done, proof, err := session.Next(t.Context(), []byte(scramAsk))
	if done || err != nil || string(proof) != scramProof {
		t.Errorf("%v %s, %v", done, proof, err)
	}
	done, rest, err := session.Next(t.Context(), []byte(scramServer))
	if !done || err != nil || len(rest) != 0 {
		t.Errorf("%v %s, %v", done, rest, err)
	}
}

// TestScramSaltsAnew: what is kept of a sign-in is used for one with the same salt and
// iterations only.
func TestScramSaltsAnew(t *testing.T) {
	t.Parallel()
	first, _ := scramExample(t)
	for _, c := range []struct {
		ask  string
		same bool
	}{
		{scramAsk, true}, {strings.Replace(scramAsk, "s=W22", "s=X22", 1), false}, {scramAsk, true}, {strings.Replace(scramAsk, "i=4096", "i=4097", 1), false}, {scramAsk, true}, {scramAsk, true},
	} {
		session, _, err := first.Start(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		_, proof, err := session.Next(t.Context(), []byte(c.ask))
		if err != nil || (string(proof) == scramProof) != c.same {
			t.Errorf("%s: %s, %v", c.ask, proof, err)
		}
	}
}

// TestScramHoldsTheServer: a server that doesn't know the password, or isn't the
// one that was spoken to, isn't signed in with; no error tells the password.
func TestScramHoldsTheServer(t *testing.T) {
	t.Parallel()
	for _, ask := range []string{
		"", "e=other-error", "r=rOprNGfwEbeRWgbNEkqO,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096", strings.Replace(scramAsk, "r=rOpr", "r=xOpr", 1),
		strings.Replace(scramAsk, "i=4096", "i=1", 1), strings.Replace(scramAsk, "i=4096", "i=99999999", 1), strings.Replace(scramAsk, "i=4096", "i=x", 1),
		strings.Replace(scramAsk, "s=W22", "s=?", 1), "m=x," + scramAsk, "r=rOprNGfwEbeRWgbNEkqOx,s=,i=4096",
	} {
		session, _ := scramExample(t)
		if _, proof, err := session.Next(t.Context(), []byte(ask)); err == nil || proof != nil || strings.Contains(err.Error(), "pencil") {
			t.Errorf("%q: %s, %v", ask, proof, err)
		}
	}
	for _, last := range []string{"", "e=invalid-proof", "v=?", "v=" + strings.Repeat("A", 43) + "="} {
		session, _ := scramExample(t)
		if _, _, err := session.Next(t.Context(), []byte(scramAsk)); err != nil {
			t.Fatal(err)
		}
		if _, _, err := session.Next(t.Context(), []byte(last)); err == nil {
			t.Errorf("%q is believed", last)
		}
	}
}

func TestScramUser(t *testing.T) {
	t.Parallel()
	s := newScram(ScramSHA256, sha256.New, SASL{User: "a=b,c", Password: "p"})
	_, first, err := s.Start(t.Context())
	if err != nil || !strings.HasPrefix(string(first), "n,,n=a=3Db=2Cc,r=") {
		t.Errorf("%s, %v", first, err)
	}
}
