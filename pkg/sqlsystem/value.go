package sqlsystem

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"math"
	"net/http"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// kind is a column's type in the manifest.
type kind uint8

const (
	kindString kind = iota
	kindInteger
	kindNumber
	kindBoolean
	kindDate
	kindDatetime
	kindObject
)

// kindOf reads a manifest's column type.
func kindOf(typ string) kind {
	switch typ {
	case "integer":
		return kindInteger
	case "number":
		return kindNumber
	case "boolean":
		return kindBoolean
	case "date":
		return kindDate
	case "datetime":
		return kindDatetime
	case "object":
		return kindObject
	default:
		return kindString
	}
}

// value makes a record's value of what a driver returned. The same content gives
// the same value whichever database it is from. What isn't of the declared type
// is told as the text that it is: nothing is left out for being odd.
func (k kind) value(v any) any {
	switch v := v.(type) {
	case nil:
		return nil
	case []byte:
		if !readable(string(v)) {
			return bytesAsData(v)
		}
		return k.text(string(v))
	case string:
		if !utf8.ValidString(v) { // SQLite takes any bytes for a text
			return bytesAsData([]byte(v))
		}
		return k.text(v)
	case int64:
		switch k {
		case kindString, kindDate, kindDatetime:
			return strconv.FormatInt(v, 10)
		case kindBoolean:
			if v == 0 || v == 1 {
				return v == 1
			}
		}
		return v
	case uint64:
		return k.value(strconv.FormatUint(v, 10))
	case float32: // with no more digits than it has
		return k.value(strconv.FormatFloat(float64(v), 'f', -1, 32))
	case float64:
		switch k {
		case kindString, kindDate, kindDatetime:
			return strconv.FormatFloat(v, 'f', -1, 64)
		case kindInteger:
			// 2^53: beyond it a float64 isn't exact.
			if v == math.Trunc(v) && math.Abs(v) <= 1<<53 {
				return int64(v)
			}
		}
		return number(v)
	case bool:
		switch k {
		case kindString:
			return strconv.FormatBool(v)
		case kindInteger, kindNumber:
			if v {
				return int64(1)
			}
			return int64(0)
		}
		return v
	case time.Time:
		if k == kindDate {
			return v.Format(time.DateOnly)
		}
		return instant(v)
	default:
		return k.text(fmt.Sprint(v))
	}
}

// text makes a value of a text.
func (k kind) text(s string) any {
	switch k {
	case kindInteger:
		if n, err := strconv.ParseInt(s, 10, 64); err == nil {
			return n
		}
		if _, err := strconv.ParseUint(s, 10, 64); err == nil {
			return json.Number(s)
		}
	case kindNumber:
		if n, ok := decimal(s); ok {
			return n
		}
	case kindBoolean:
		switch s {
		case "t", "true":
			return true
		case "f", "false":
			return false
		}
	case kindDate:
		if strings.HasPrefix(s, "0000-00-00") { // MariaDB's date that is none
			return nil
		}
		if isDate(s) {
			return s
		}
		if t, ok := parseInstant(s); ok {
			return t.Format(time.DateOnly)
		}
	case kindDatetime:
		if strings.HasPrefix(s, "0000-00-00") {
			return nil
		}
		if isInstant(s) {
			return s
		}
		if t, ok := parseInstant(s); ok {
			return instant(t)
		}
	case kindObject:
		decoder := json.NewDecoder(strings.NewReader(s))
		decoder.UseNumber() // 64-bit numbers stay whole
		var v any
		if decoder.Decode(&v) == nil && !decoder.More() {
			return v
		}
	}
	return s
}

// instant returns a moment as a record tells it.
func instant(t time.Time) string { return t.UTC().Format(time.RFC3339Nano) }

// instantForms are how the databases write an instant. A form without a zone is
// UTC.
var instantForms = [...]string{
	time.RFC3339Nano,
	"2006-01-02 15:04:05.999999999Z07:00",
	"2006-01-02 15:04:05.999999999-07",
	"2006-01-02T15:04:05.999999999",
	"2006-01-02 15:04:05.999999999",
	"2006-01-02T15:04",
	"2006-01-02 15:04",
	time.DateOnly, // its first moment
}

func parseInstant(s string) (time.Time, bool) {
	if len(s) < len(time.DateOnly) {
		return time.Time{}, false
	}
	for _, form := range instantForms {
		if t, err := time.Parse(form, s); err == nil {
			return t, true
		}
	}
	return time.Time{}, false
}

// isDate reports whether s has the form of a date.
func isDate(s string) bool {
	if len(s) != len(time.DateOnly) {
		return false
	}
	for i := range len(s) {
		switch i {
		case 4, 7:
			if s[i] != '-' {
				return false
			}
		default:
			if s[i] < '0' || s[i] > '9' {
				return false
			}
		}
	}
	return true
}

// isInstant reports whether s has the form in which records tell an instant, which
// spares reading and writing it.
func isInstant(s string) bool {
	const form = "2006-01-02T15:04:05Z"
	return len(s) == len(form) && s[10] == 'T' && s[13] == ':' && s[16] == ':' && s[19] == 'Z' &&
		isDate(s[:10]) && allDigits(s[11:13]) && allDigits(s[14:16]) && allDigits(s[17:19])
}

// number returns a float64, or where encoding/json would write it with an exponent,
// and PostgreSQL's numeric wouldn't, its digits.
func number(f float64) any {
	if a := math.Abs(f); a != 0 && (a < 1e-6 || a >= 1e21) && !math.IsInf(f, 0) {
		return json.Number(strconv.FormatFloat(f, 'f', -1, 64))
	}
	if math.IsNaN(f) || math.IsInf(f, 0) {
		return strconv.FormatFloat(f, 'f', -1, 64) // JSON has no such number
	}
	return f
}

// decimal returns a number's text without zeros that say nothing.
func decimal(s string) (json.Number, bool) {
	digits := strings.TrimPrefix(s, "-")
	whole, fraction, _ := strings.Cut(digits, ".")
	if whole == "" || len(whole) > 1 && whole[0] == '0' || !allDigits(whole) || !allDigits(fraction) || strings.HasSuffix(s, ".") {
		return "", false
	}
	if fraction != "" {
		s = strings.TrimRight(s, "0")
		s = strings.TrimSuffix(s, ".")
	}
	if s == "-0" {
		s = "0"
	}
	return json.Number(s), true
}

func allDigits(s string) bool {
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return true
}

// readable reports whether bytes are a text: UTF-8 without characters that no text
// has.
func readable(s string) bool {
	return utf8.ValidString(s) && !strings.ContainsFunc(s, func(r rune) bool {
		return r < ' ' && r != '\t' && r != '\n' && r != '\r' && r != '\f' || r == 0x7f
	})
}

// bytesAsData returns bytes that aren't text, whole, as a URL that says so and of
// which kind they are (RFC 2397): data:image/png;base64,….
func bytesAsData(b []byte) string {
	kind, _, _ := strings.Cut(http.DetectContentType(b), ";")
	if strings.HasPrefix(kind, "text/") { // in an encoding that isn't known
		kind = "application/octet-stream"
	}
	return "data:" + kind + ";base64," + base64.StdEncoding.EncodeToString(b)
}
