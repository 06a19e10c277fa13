package bus

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/pbkdf2"
	"crypto/rand"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"fmt"
	"hash"
	"strconv"
	"strings"
	"sync"

	"github.com/segmentio/kafka-go/sasl"

	"habeas.dev/pkg/telemetry"
)

// scram signs in by SCRAM (RFC 5802, RFC 7677), without channel binding.
//
// It is ours because kafka-go's brings three modules to every worker, and
// prepares passwords by SASLprep, which Kafka's brokers don't: a password that
// isn't ASCII could not sign in with it.
type scram struct {
	name           string
	hash           func() hash.Hash
	user, password string
	nonce          func() string

	mu    sync.Mutex
	known salted // of the last sign-in: the same for all connections to a cluster
}

// salted is a password as a server's salt and iterations make it, which takes a millisecond
// or more; RFC 5802 lets a client keep it (section 3).
type salted struct {
	salt       string
	iterations int
	key        []byte
}

// salt returns the password salted as a server wants it.
func (s *scram) salt(salt []byte, iterations int) ([]byte, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.known.key != nil && s.known.salt == string(salt) && s.known.iterations == iterations {
		return s.known.key, nil
	}
	key, err := pbkdf2.Key(s.hash, s.password, salt, iterations, s.hash().Size())
	if err != nil {
		return nil, fmt.Errorf("bus: SCRAM: %w", err)
	}
	s.known = salted{string(salt), iterations, key}
	return key, nil
}

const (
	// scramIterations are what a server may ask for: RFC 7677 wants 4,096 at
	// least, and a server that asks for millions holds up every connection.
	minScramIterations = 4096
	maxScramIterations = 1 << 20
	// scramHeader says that the client binds to no channel and acts for nobody else
	// (RFC 5802, section 7).
	scramHeader = "n,,"
)

var errScram = telemetry.Constant("bus: the broker's SCRAM answer is not what RFC 5802 has")

func newScram(name string, h func() hash.Hash, s SASL) *scram {
	return &scram{name: name, hash: h, user: s.User, password: s.Password, nonce: rand.Text}
}

func (s *scram) Name() string { return s.name }

func (s *scram) Start(context.Context) (sasl.StateMachine, []byte, error) {
	user := strings.NewReplacer("=", "=3D", ",", "=2C").Replace(s.user)
	nonce := s.nonce()
	c := &scramSession{scram: s, nonce: nonce, first: "n=" + user + ",r=" + nonce}
	return c, []byte(scramHeader + c.first), nil
}

// scramSession is the state of one sign-in.
type scramSession struct {
	*scram
	nonce, first string
	signature    []byte // what the server must prove to know; nil before the proof was sent
}

func (c *scramSession) Next(_ context.Context, challenge []byte) (done bool, response []byte, err error) {
	if c.signature == nil {
		response, err = c.prove(string(challenge))
		return false, response, err
	}
	return true, nil, c.verify(string(challenge))
}

// prove answers the server's first message with the proof that the password is
// known (RFC 5802, section 3).
func (c *scramSession) prove(challenge string) ([]byte, error) {
	nonce, salt, iterations, err := parseChallenge(challenge)
	if err != nil {
		return nil, err
	}
	if !strings.HasPrefix(nonce, c.nonce) || len(nonce) == len(c.nonce) {
		return nil, fmt.Errorf("%w: it doesn't go on with our nonce", errScram)
	}
	salted, err := c.salt(salt, iterations)
	if err != nil {
		return nil, err
	}
	final := "c=" + base64.StdEncoding.EncodeToString([]byte(scramHeader)) + ",r=" + nonce
	signed := c.first + "," + challenge + "," + final
	clientKey := c.mac(salted, "Client Key")
	stored := c.hash()
	stored.Write(clientKey)
	proof := make([]byte, len(clientKey))
	subtle.XORBytes(proof, clientKey, c.mac(stored.Sum(nil), signed))
	c.signature = c.mac(c.mac(salted, "Server Key"), signed)
	return []byte(final + ",p=" + base64.StdEncoding.EncodeToString(proof)), nil
}

// verify holds the server's last message against what only one that knows the
// password can say.
func (c *scramSession) verify(challenge string) error {
	value, ok := strings.CutPrefix(challenge, "v=")
	if !ok { // e=…, whose text is the server's
		return errors.New("bus: the broker refused the SCRAM sign-in: check user and password")
	}
	signature, err := base64.StdEncoding.DecodeString(value)
	if err != nil || !hmac.Equal(signature, c.signature) {
		return fmt.Errorf("%w: it doesn't know the password either", errScram)
	}
	return nil
}

func (c *scramSession) mac(key []byte, text string) []byte {
	m := hmac.New(c.hash, key)
	m.Write([]byte(text))
	return m.Sum(nil)
}

// parseChallenge reads the server's first message: r=…,s=…,i=…, and extensions,
// which are passed over unless they are mandatory (m=).
func parseChallenge(s string) (nonce string, salt []byte, iterations int, err error) {
	parts := strings.Split(s, ",")
	if len(parts) < 3 {
		return "", nil, 0, errScram
	}
	nonce, okNonce := strings.CutPrefix(parts[0], "r=")
	encoded, okSalt := strings.CutPrefix(parts[1], "s=")
	count, okCount := strings.CutPrefix(parts[2], "i=")
	if !okNonce || !okSalt || !okCount {
		return "", nil, 0, errScram
	}
	if salt, err = base64.StdEncoding.DecodeString(encoded); err != nil || len(bytes.TrimSpace(salt)) == 0 {
		return "", nil, 0, fmt.Errorf("%w: the salt", errScram)
	}
	if iterations, err = strconv.Atoi(count); err != nil || iterations < minScramIterations || iterations > maxScramIterations {
		return "", nil, 0, fmt.Errorf("%w: want %d to %d iterations", errScram, minScramIterations, maxScramIterations)
	}
	return nonce, salt, iterations, nil
}
