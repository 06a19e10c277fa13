// Package jose reads what signed tokens say of themselves: the headers of JWS (RFC 7515)
// and the claims of JWT (RFC 7519). It reads strictly, so that no two programs can read two
// things in one token: each name counts as it is written and is there once, each member has
// the type that its RFC gives it, and a header that says what isn't known here is refused.
// It checks no signature.
//
// Errors are constants, and quote nothing of what was read.
package jose

import (
	"encoding/base64"
	"strings"

	"habeas.dev/pkg/telemetry"
)

// Why something isn't read.
var (
	ErrLength = telemetry.Constant("jose: longer than a token is")
	ErrForm   = telemetry.Constant("jose: not three parts in base64 (URL's alphabet, no padding) as a compact JWS has them")
	ErrObject = telemetry.Constant("jose: a part that is no JSON object in UTF-8, has a name twice, or is nested too deep")
	ErrHeader = telemetry.Constant("jose: a header that says what isn't known here: alg, kid, typ, x5t and x5t#S256 are")
	ErrName   = telemetry.Constant("jose: a name that differs from a registered one by small and capital letters alone")
	ErrType   = telemetry.Constant("jose: a registered member of another type than its RFC gives it, or empty, or too long")
	ErrMissed = telemetry.Constant("jose: a member is missing that must be there")
	ErrOrder  = telemetry.Constant("jose: a token that ends before it begins")
	ErrFuture = telemetry.Constant("jose: a token from the future")
	ErrEarly  = telemetry.Constant("jose: a token that isn't good yet")
	ErrEnded  = telemetry.Constant("jose: a token that has ended")
)

// MaxToken bounds a token, in bytes: providers put a person's groups into theirs.
const MaxToken = 64 << 10

// Header is what the header of a JWS says; what isn't there is empty, alg aside.
type Header struct{ Algorithm, KeyID, Type string }

// ReadToken returns what a JWT in compact form says of itself, signed or not.
func ReadToken(token string) (Header, Claims, error) {
	parts, err := split(token)
	if err != nil {
		return Header{}, Claims{}, err
	}
	header, err := readHeader(parts[0])
	if err != nil {
		return Header{}, Claims{}, err
	}
	claims, err := readClaims(parts[1])
	return header, claims, err
}

// Detached is a JWS in compact form whose payload isn't in it (RFC 7515, appendix F).
type Detached struct {
	Header
	Signature []byte

	protected string
}

// ReadDetached returns what a detached JWS says.
func ReadDetached(text string) (Detached, error) {
	parts, err := split(text)
	if err != nil {
		return Detached{}, err
	}
	if len(parts[1]) != 0 || len(parts[2]) == 0 {
		return Detached{}, ErrForm
	}
	header, err := readHeader(parts[0])
	protected, _, _ := strings.Cut(text, ".")
	return Detached{header, parts[2], protected}, err
}

// Signed returns the text that the signature is over, with this payload.
func (d Detached) Signed(payload []byte) string {
	return d.protected + "." + base64.RawURLEncoding.EncodeToString(payload)
}

// split returns the three parts of a compact JWS.
func split(text string) (parts [3][]byte, err error) {
	if len(text) > MaxToken {
		return parts, ErrLength
	}
	written := strings.Split(text, ".")
	if len(written) != len(parts) || strings.ContainsAny(text, "\r\n") { // the decoder skips ends of lines
		return parts, ErrForm
	}
	for i, part := range written {
		if parts[i], err = base64.RawURLEncoding.Strict().DecodeString(part); err != nil {
			return parts, ErrForm
		}
	}
	return parts, nil
}

// readHeader reads a header. Of what isn't known RFC 7515 has who reads ignore all that
// crit doesn't name; here nothing else is taken: what a header may say besides is where the
// key comes from (jku, jwk, x5c, x5u), that the payload is written otherwise (b64, zip), or
// what some other program heeds.
func readHeader(text []byte) (h Header, err error) {
	members, err := readObject(text, "alg", "kid", "typ")
	if err != nil {
		return h, err
	}
	for name := range members {
		switch name {
		case "alg", "kid", "typ", "x5t", "x5t#S256": // the last two name the key as kid does
		default:
			return h, ErrHeader
		}
	}
	err = members.texts(map[string]*string{"alg": &h.Algorithm, "kid": &h.KeyID, "typ": &h.Type})
	if err == nil && h.Algorithm == "" {
		err = ErrMissed
	}
	return h, err
}
