package portal

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/netip"
	"time"

	"habeas.dev/pkg/dsar"
	"habeas.dev/pkg/identifier"
)

// minSecret is the least that the portal's secret may have, in bytes.
const minSecret = 32

// keys are what is derived from the portal's secret, each for one purpose.
type keys struct {
	codes, mailboxes        []byte
	drafts, sessions, links cipher.AEAD
}

func newKeys(secret []byte) (k keys, err error) {
	if len(secret) < minSecret {
		return k, fmt.Errorf("portal: the secret has %d bytes, at least %d", len(secret), minSecret)
	}
	var raw [5][]byte
	for i, purpose := range []string{"codes", "mailboxes", "drafts", "sessions", "links"} {
		if raw[i], err = hkdf.Key(sha256.New, secret, nil, "habeas portal: "+purpose, 32); err != nil {
			return k, err
		}
	}
	k.codes, k.mailboxes = raw[0], raw[1]
	for i, to := range []*cipher.AEAD{&k.drafts, &k.sessions, &k.links} {
		block, err := aes.NewCipher(raw[2+i])
		if err != nil {
			return k, err
		}
		if *to, err = cipher.NewGCMWithRandomNonce(block); err != nil {
			return k, err
		}
	}
	return k, nil
}

// code returns the keyed hash of a code, bound to what it proves.
func (k keys) code(proof, code string) []byte { return mac(k.codes, proof+"\x00"+code) }

// mailbox returns the name by which a mailbox is counted, however its address is written:
// a keyed hash.
func (k keys) mailbox(address string) string {
	return "mail:" + base64.RawURLEncoding.EncodeToString(mac(k.mailboxes, identifier.Rules{}.Normalise(identifier.Email, address)))
}

// asker returns whom a code's proof asks, as far as the network counts from which somebody
// wants it.
func (k keys) asker(address string, from netip.Prefix) string {
	return "from:" + base64.RawURLEncoding.EncodeToString(mac(k.mailboxes, from.String()+" "+identifier.Rules{}.Normalise(identifier.Email, address)))
}

func mac(key []byte, text string) []byte {
	h := hmac.New(sha256.New, key)
	h.Write([]byte(text))
	return h.Sum(nil)
}

// seal returns a value as text that only portals with the same secret read. It is bound to
// where it belongs.
func seal(aead cipher.AEAD, place string, v any) (string, error) {
	plain, err := json.Marshal(v)
	if err != nil {
		return "", err
	}
	return base64.RawURLEncoding.EncodeToString(aead.Seal(nil, nil, plain, []byte(place))), nil
}

// unseal reads what seal wrote for the same place.
func unseal(aead cipher.AEAD, place, text string, v any) bool {
	sealed, err := base64.RawURLEncoding.DecodeString(text)
	if err != nil {
		return false
	}
	plain, err := aead.Open(nil, nil, sealed, []byte(place))
	return err == nil && json.Unmarshal(plain, v) == nil
}

// draft is what somebody has asked for and not proven yet. It lies in the page that they
// have open, sealed, and nowhere at the portal.
type draft struct {
	RequestID string
	Begun     time.Time
	Email     string // of who asks
	Proof     string // the id of the code's row
	// Enters tells that somebody follows a request that there is; the rest is a new one's.
	Enters      bool
	Law, Right  string
	OnBehalf    string
	Theirs      string // the address of the person for whom somebody asks
	Identifiers []claim
	Correct     string
	Value       string
	Message     string // with what a person decides
	About       string // the earlier request that it is about
	What        string // of which dataset an answer's page asks, as system.dataset; empty: of all
	Locale      string
	// Proven is set once the code was right: the rest is tried again without it.
	Proven     time.Time
	Recipient  string
	Wrapped    []byte
	Passphrase string `json:"-"` // for the page alone, where the form comes back
}

// keyed reports whether a draft's answer is locked by a passphrase: not that of who only
// follows a request, nor one that a person decides, whose answer is a letter.
func (d draft) keyed() bool { return !d.Enters && !dsar.Right(d.Right).Decided() }

// claim is an identifier that somebody says is theirs.
type claim struct{ Type, Value string }

// draftTime is how long a draft may be open.
const draftTime = time.Hour

func (p *Portal) sealDraft(d draft) (string, error) { return seal(p.keys.drafts, "draft", d) }

// readDraft returns a form's draft, where it isn't too old.
func (p *Portal) readDraft(text string) (d draft, ok bool) {
	ok = unseal(p.keys.drafts, "draft", text, &d)
	age := p.Now().Sub(d.Begun)
	return d, ok && age < draftTime && age > -time.Minute
}
