package lakesystem

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
)

// text returns a value as keys and identifiers are compared; false for null.
func text(a arrow.Array, i int) (string, bool) {
	if a.IsNull(i) {
		return "", false
	}
	switch a := a.(type) {
	case *array.String:
		return a.Value(i), true
	case *array.LargeString:
		return a.Value(i), true
	case *array.Int32:
		return strconv.FormatInt(int64(a.Value(i)), 10), true
	case *array.Int64:
		return strconv.FormatInt(a.Value(i), 10), true
	case *array.Timestamp:
		return moment(a, i).Format(time.RFC3339Nano), true
	default:
		return a.ValueStr(i), true
	}
}

// moment returns a time in UTC; of a column without a zone, as if it were in UTC.
func moment(a *array.Timestamp, i int) time.Time {
	unit := arrow.Microsecond
	if typ, ok := a.DataType().(*arrow.TimestampType); ok {
		unit = typ.Unit
	}
	return a.Value(i).ToTime(unit).UTC()
}

// date returns the day that a value is of; false for null, and for what is no date.
func date(a arrow.Array, i int) (day time.Time, ok bool) {
	if a.IsNull(i) {
		return day, false
	}
	switch a := a.(type) {
	case *array.Date32:
		return a.Value(i).ToTime(), true
	case *array.Timestamp:
		return moment(a, i), true
	}
	s, _ := text(a, i)
	if len(s) >= len(time.DateOnly) {
		day, err := time.Parse(time.DateOnly, s[:len(time.DateOnly)])
		return day, err == nil
	}
	return day, false
}

// value returns a value as a record holds it, by the type that the manifest gives the
// column. What isn't of that type is told as the text that it is.
func value(typ string, a arrow.Array, i int) any {
	if a.IsNull(i) {
		return nil
	}
	number := typ == "" || typ == "string" || typ == "date" || typ == "datetime" // told as a text
	switch a := a.(type) {
	case *array.Boolean:
		if typ == "boolean" {
			return a.Value(i)
		}
		return strconv.FormatBool(a.Value(i))
	case *array.Int32:
		if !number {
			return int64(a.Value(i))
		}
	case *array.Int64:
		if !number {
			return a.Value(i)
		}
	case *array.Float32:
		if f := float64(a.Value(i)); !number && !math.IsNaN(f) && !math.IsInf(f, 0) {
			return json.Number(strconv.FormatFloat(f, 'f', -1, 32))
		}
	case *array.Float64:
		if f := a.Value(i); !number && !math.IsNaN(f) && !math.IsInf(f, 0) {
			return f
		}
	case *array.Decimal128:
		if !number {
			return json.Number(a.ValueStr(i))
		}
	case *array.Date32:
		return a.Value(i).ToTime().Format(time.DateOnly)
	case *array.Timestamp:
		if typ == "date" {
			return moment(a, i).Format(time.DateOnly)
		}
		return moment(a, i).Format(time.RFC3339Nano)
	case *array.Binary:
		return base64.StdEncoding.EncodeToString(a.Value(i))
	case *array.FixedSizeBinary:
		return base64.StdEncoding.EncodeToString(a.Value(i))
	case *array.Struct, *array.List, *array.LargeList, *array.Map:
		return nested(a, i)
	}
	s, _ := text(a, i)
	if typ == "object" {
		if v, ok := parsed([]byte(s)); ok {
			return v
		}
	}
	return strings.ToValidUTF8(s, "\uFFFD")
}

// nested returns a list, a map or a group as JSON has it.
func nested(a arrow.Array, i int) any {
	j, err := json.Marshal(a.GetOneForMarshal(i))
	if err == nil {
		if v, ok := parsed(j); ok {
			return v
		}
	}
	return a.ValueStr(i)
}

// parsed reads JSON with its numbers as they are.
func parsed(text []byte) (v any, ok bool) {
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.UseNumber()
	err := decoder.Decode(&v)
	return v, err == nil && !decoder.More()
}
