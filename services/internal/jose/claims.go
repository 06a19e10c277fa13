package jose

import (
	"encoding/json"
	"math"
	"strconv"
	"time"
)

// Claims are the registered claims of a JWT; what isn't there is empty, or the zero time.
type Claims struct {
	Issuer, Subject              string
	Audience                     []string
	Expires, NotBefore, IssuedAt time.Time
}

// maxAudience bounds how many a token is meant for.
const maxAudience = 32

func readClaims(text []byte) (c Claims, err error) {
	members, err := readObject(text, "iss", "sub", "aud", "exp", "nbf", "iat", "jti")
	if err != nil {
		return c, err
	}
	var id string
	if err := members.texts(map[string]*string{"iss": &c.Issuer, "sub": &c.Subject, "jti": &id}); err != nil {
		return c, err
	}
	for name, field := range map[string]*time.Time{"exp": &c.Expires, "nbf": &c.NotBefore, "iat": &c.IssuedAt} {
		if raw, has := members[name]; has {
			if *field, err = date(raw); err != nil {
				return c, err
			}
		}
	}
	if raw, has := members["aud"]; has {
		c.Audience, err = audience(raw)
	}
	return c, err
}

// audience reads aud: a text, or a list of texts.
func audience(raw json.RawMessage) ([]string, error) {
	if raw[0] != '[' {
		one, err := text(raw)
		return []string{one}, err
	}
	var list []json.RawMessage
	if json.Unmarshal(raw, &list) != nil || len(list) == 0 || len(list) > maxAudience {
		return nil, ErrType
	}
	all := make([]string, len(list))
	for i, one := range list {
		var err error
		if all[i], err = text(one); err != nil {
			return nil, err
		}
	}
	return all, nil
}

const (
	// maxNumber bounds how a number of seconds is written, in bytes.
	maxNumber = 32
	// lastSecond is the end of the year 9999, which is beyond every token's.
	lastSecond = 253_402_300_799
)

// date reads a NumericDate (RFC 7519, section 2): a number of seconds since 1970, of which
// there may be parts.
func date(raw json.RawMessage) (time.Time, error) {
	seconds, err := strconv.ParseFloat(string(raw), 64) // what else it reads (Inf, 0x1p4) is no JSON
	if err != nil || len(raw) > maxNumber || !(seconds >= 0 && seconds <= lastSecond) {
		return time.Time{}, ErrType
	}
	whole, part := math.Modf(seconds)
	return time.Unix(int64(whole), int64(part*float64(time.Second))), nil
}

// GoodAt checks that a token is good at a time, and says since when and until when it is;
// leeway is how far the clocks may be apart.
func (c Claims) GoodAt(now time.Time, leeway time.Duration) error {
	switch {
	case c.Expires.IsZero() || c.IssuedAt.IsZero():
		return ErrMissed
	case !c.Expires.After(c.IssuedAt) || !c.Expires.After(c.NotBefore):
		return ErrOrder
	case c.IssuedAt.After(now.Add(leeway)):
		return ErrFuture
	case c.NotBefore.After(now.Add(leeway)):
		return ErrEarly
	case !now.Before(c.Expires.Add(leeway)):
		return ErrEnded
	}
	return nil
}
