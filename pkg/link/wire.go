package link

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"

	"habeas.dev/pkg/dsar"
)

// A request over nine systems is thirty tasks and as many reports, each of them written and
// read by package json twice: as what it is, and as a part of what is sealed. So what is
// written here is put together of parts, and taken apart where it is as it was written
// here; anything else is left to package json (TestWireIsJSON, FuzzWire).

// appendJSON adds an envelope's JSON.
func (e Envelope) appendJSON(b []byte) []byte {
	b = slices.Grow(b, 160+base64.StdEncoding.EncodedLen(len(e.Sealed)))
	b = strconv.AppendQuote(append(b, wireParts[0]...), e.RequestID)
	b = strconv.AppendQuote(append(b, wireParts[1]...), e.System)
	b = strconv.AppendQuote(append(b, wireParts[2]...), string(e.Action))
	b = strconv.AppendInt(append(b, wireParts[3]...), int64(e.Attempt), 10)
	b = base64.StdEncoding.AppendEncode(append(b, wireParts[4]...), e.Sealed)
	return append(b, wireParts[5]...)
}

var wireParts = [...]string{`{"request_id":`, `,"system":`, `,"action":`, `,"attempt":`, `,"sealed":"`, `"}`}

// parseJSON reads what appendJSON writes; false where it isn't that.
func parseJSON(data []byte) (e Envelope, ok bool) {
	var values [len(wireParts) - 1][]byte
	rest, ok := bytes.CutPrefix(data, []byte(wireParts[0]))
	for i := 0; ok && i < len(values); i++ {
		values[i], rest, ok = bytes.Cut(rest, []byte(wireParts[i+1]))
	}
	plain := func(c byte) bool { return ' ' <= c && c <= '~' && c != '\\' }
	if !ok || len(rest) > 0 || slices.ContainsFunc(data, func(c byte) bool { return !plain(c) }) {
		return e, false
	}
	text := func(b []byte) string {
		if len(b) < 2 || b[0] != '"' || b[len(b)-1] != '"' || bytes.IndexByte(b[1:len(b)-1], '"') >= 0 {
			ok = false
			return ""
		}
		return string(b[1 : len(b)-1])
	}
	e = Envelope{RequestID: text(values[0]), System: text(values[1]), Action: dsar.Action(text(values[2]))}
	var err error
	if e.Attempt, err = strconv.Atoi(string(values[3])); err != nil || !ok || strconv.Itoa(e.Attempt) != string(values[3]) {
		return e, false
	}
	e.Sealed, err = base64.StdEncoding.AppendDecode(make([]byte, 0, base64.StdEncoding.DecodedLen(len(values[4]))), values[4])
	return e, err == nil
}

// joined returns the JSON object of some data, which is JSON, and of the fields of rest.
func joined(data []byte, rest any) ([]byte, error) {
	fields, err := json.Marshal(rest)
	if err != nil {
		return nil, fmt.Errorf("link: %w", err)
	}
	b := make([]byte, 0, len(dataBegins)+len(data)+len(fields))
	b = append(append(b, dataBegins...), data...)
	if len(fields) > len("{}") {
		b = append(b, ',')
	}
	return append(b, fields[1:]...), nil
}

const (
	dataBegins = `{"data":`
	// nonceBegins is the first field behind the data; within a text its quotation marks
	// would have a backslash before them.
	nonceBegins = `,"nonce":"`
)

// parted takes apart what joined has put together: the data, which may be no JSON, and an
// object of the other fields; false where it isn't that.
func parted(plain []byte) (data, rest []byte, ok bool) {
	at := bytes.LastIndex(plain, []byte(nonceBegins))
	if at < len(dataBegins) || !bytes.HasPrefix(plain, []byte(dataBegins)) {
		return nil, nil, false
	}
	data = bytes.Clone(plain[len(dataBegins):at])
	plain[at] = '{'
	return data, plain[at:], true
}

// unmarshal reads what was sealed into v, whose data, which may be no JSON, is at data.
func unmarshal(plain []byte, v any, data *json.RawMessage) error {
	first, rest, ok := parted(plain)
	if !ok {
		return json.Unmarshal(plain, v)
	}
	if err := json.Unmarshal(rest, v); err != nil {
		return err
	}
	*data = first
	return nil
}
