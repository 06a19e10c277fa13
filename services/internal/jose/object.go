package jose

import (
	"bytes"
	"encoding/json"
	"strings"
	"unicode/utf8"
)

const (
	// maxDepth bounds how deep a token's claims are nested: providers' have four levels.
	maxDepth = 16
	// maxText bounds a registered member, in bytes: subjects have 255 (OpenID Connect Core,
	// section 2), issuers and audiences are addresses.
	maxText = 1 << 10
)

// object is a JSON object's members, by their names as they are written.
type object map[string]json.RawMessage

// readObject reads a JSON object that has each name once, at any depth, and none that is
// another writing of a registered one: decoders differ in which of two counts, and some take
// Sub for sub.
func readObject(text []byte, registered ...string) (object, error) {
	if !utf8.Valid(text) {
		return nil, ErrObject
	}
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	if first, err := d.Token(); err != nil || first != json.Delim('{') || !once(d, '{', 1) {
		return nil, ErrObject
	}
	var members object
	if json.Unmarshal(text, &members) != nil { // and there is nothing after it
		return nil, ErrObject
	}
	for name := range members {
		for _, is := range registered {
			if name != is && strings.EqualFold(name, is) {
				return nil, ErrName
			}
		}
	}
	return members, nil
}

// once reports whether what has just been opened is read to its end, and no object in it has
// a name twice.
func once(d *json.Decoder, opened json.Delim, depth int) bool {
	seen := map[string]bool{}
	for d.More() {
		if opened == '{' {
			name, err := d.Token()
			s, ok := name.(string)
			if err != nil || !ok || seen[s] {
				return false
			}
			seen[s] = true
		}
		value, err := d.Token()
		if err != nil {
			return false
		}
		if delim, nested := value.(json.Delim); nested && (depth == maxDepth || !once(d, delim, depth+1)) {
			return false
		}
	}
	_, err := d.Token()
	return err == nil
}

// texts reads members that are texts.
func (o object) texts(fields map[string]*string) (err error) {
	for name, field := range fields {
		if raw, has := o[name]; has {
			if *field, err = text(raw); err != nil {
				return err
			}
		}
	}
	return nil
}

// text reads a text that says something. What isn't a character (half of a surrogate pair,
// which decoders write as they like) is in none.
func text(raw json.RawMessage) (s string, err error) {
	if raw[0] != '"' || json.Unmarshal(raw, &s) != nil || s == "" || len(s) > maxText || strings.ContainsRune(s, utf8.RuneError) {
		return "", ErrType
	}
	return s, nil
}
