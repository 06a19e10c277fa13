package sqlsystem

import (
	"bytes"
	"compress/gzip"
	"compress/zlib"
	"encoding/base64"
	"encoding/hex"
	"io"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"habeas.dev/pkg/manifest"
)

// maxDecoded bounds what a compressed value of one row is read to: it is held in memory,
// and a few bytes can claim to be any size.
const maxDecoded = 16 << 20

// value makes a record's value of what a driver returned, after it was decoded. What can't
// be is told as it is.
func (f *field) value(v any) any {
	if f.unit != "" {
		if t, ok := epoch(v, f.unit); ok {
			return f.kind.value(t)
		}
	}
	if len(f.encoding) > 0 && v != nil {
		if b, ok := decoded(v, f.encoding); ok {
			return f.kind.value(b)
		}
	}
	return f.kind.value(v)
}

// epoch reads a moment that is counted from the beginning of 1970.
func epoch(v any, unit string) (time.Time, bool) {
	per := manifest.Units()[unit]
	switch v := v.(type) {
	case int64:
		return time.Unix(floorDiv(v, per), (v-floorDiv(v, per)*per)*(int64(time.Second)/per)).UTC(), true
	case float64:
		if whole, part := math.Modf(v / float64(per)); math.Abs(whole) < 1<<40 {
			return time.Unix(int64(whole), int64(part*1e6)*1e3).UTC(), true
		}
	case string, []byte:
		text, _ := textOf(v)
		if n, err := strconv.ParseInt(text, 10, 64); err == nil {
			return epoch(n, unit)
		}
	}
	return time.Time{}, false
}

func floorDiv(a, b int64) int64 {
	if q := a / b; a%b >= 0 {
		return q
	}
	return a/b - 1
}

// decoded takes a value's encodings off, the outermost first.
func decoded(v any, encodings []string) ([]byte, bool) {
	text, _ := textOf(v)
	b := []byte(text)
	for _, e := range encodings {
		var err error
		switch e {
		case "base64":
			clean := strings.NewReplacer("\r", "", "\n", "", "-", "+", "_", "/", "=", "").Replace(string(b))
			b, err = base64.RawStdEncoding.DecodeString(clean)
		case "hex":
			b, err = hex.DecodeString(string(b))
		case "gzip":
			b, err = inflated(b, func(r io.Reader) (io.Reader, error) { return gzip.NewReader(r) })
		case "zlib":
			b, err = inflated(b, func(r io.Reader) (io.Reader, error) { return zlib.NewReader(r) })
		case "latin1":
			b = []byte(string(slices.Collect(func(yield func(rune) bool) {
				for _, c := range b {
					if !yield(rune(c)) {
						return
					}
				}
			})))
		}
		if err != nil {
			return nil, false
		}
	}
	return b, true
}

// inflated reads what is compressed; more than maxDecoded is an error.
func inflated(b []byte, open func(io.Reader) (io.Reader, error)) ([]byte, error) {
	r, err := open(bytes.NewReader(b))
	if err != nil {
		return nil, err
	}
	out, err := io.ReadAll(io.LimitReader(r, maxDecoded+1))
	if err == nil && len(out) > maxDecoded {
		err = io.ErrShortBuffer
	}
	return out, err
}
