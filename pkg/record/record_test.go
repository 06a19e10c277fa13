package record_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"habeas.dev/pkg/record"
)

// table is a section and its rows, as the tests make them.
type table struct {
	section record.Section
	rows    []record.Record
}

func write(t interface{ Fatal(...any) }, tables []table) []byte {
	var b bytes.Buffer
	w := record.NewWriter(&b)
	var n int64
	for _, tb := range tables {
		if err := w.Begin(tb.section); err != nil {
			t.Fatal(err)
		}
		for _, r := range tb.rows {
			if err := w.Write(r); err != nil {
				t.Fatal(err)
			}
			n++
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	if w.Records() != n {
		t.Fatal("records", w.Records(), n)
	}
	return b.Bytes()
}

// readAll reads a stream to its end or error, and copies what it read.
func readAll(in io.Reader) (sections []record.Section, rows [][][]json.RawMessage, err error) {
	r := record.NewReader(in)
	for {
		s, err := r.Next()
		if err == io.EOF {
			return sections, rows, nil
		}
		if err != nil {
			return sections, rows, err
		}
		sections = append(sections, s)
		rows = append(rows, nil)
		for {
			row, err := r.Row()
			if err == io.EOF {
				break
			}
			if err != nil {
				return sections, rows, err
			}
			var c []json.RawMessage
			for _, v := range row {
				c = append(c, bytes.Clone(v))
			}
			rows[len(rows)-1] = append(rows[len(rows)-1], c)
		}
	}
}

// text returns any bytes, UTF-8 or not, with what JSON and lines care for.
func text() *rapid.Generator[string] {
	return rapid.OneOf(
		rapid.String(),
		rapid.Map(rapid.SliceOf(rapid.Byte()), func(b []byte) string { return string(b) }),
		rapid.SampledFrom([]string{"", "\n", "\r\n", `"`, `\`, "],[", "\u2028\u2029", "\x00\x1f\x7f", "\xff\xfe", "\ufeff", "👩‍👩‍👧", "Ἀθήνα", "O'Brien", "<script>&amp;"}),
	)
}

func value() *rapid.Generator[any] {
	number := rapid.Custom(func(t *rapid.T) any {
		return json.Number(rapid.StringMatching(`-?(0|[1-9][0-9]{0,60})(\.[0-9]{1,30})?([eE][+-]?[0-9]{1,3})?`).Draw(t, "number"))
	})
	return rapid.OneOf(
		rapid.Just[any](nil),
		rapid.Map(text(), func(s string) any { return s }),
		rapid.Map(rapid.Bool(), func(b bool) any { return b }),
		rapid.Map(rapid.Int64(), func(i int64) any { return i }),
		rapid.Map(rapid.Int(), func(i int) any { return i }),
		rapid.Map(rapid.Uint64(), func(i uint64) any { return i }),
		rapid.Map(rapid.Float64(), func(f float64) any {
			if math.IsNaN(f) || math.IsInf(f, 0) {
				return nil
			}
			return f
		}),
		number,
		rapid.Map(rapid.Int64Range(-62135596800, 253402300799), func(s int64) any { return time.Unix(s, s&0xfffff).UTC() }),
		rapid.Map(rapid.SliceOf(text()), func(s []string) any { return s }),
		rapid.Map(rapid.MapOf(text(), rapid.SliceOf(rapid.Int())), func(m map[string][]int) any { return m }),
	)
}

func tables() *rapid.Generator[[]table] {
	return rapid.Custom(func(t *rapid.T) []table {
		names := rapid.SliceOfNDistinct(rapid.StringMatching(`[a-z_]{1,8}`), 0, 4, rapid.ID[string]).Draw(t, "datasets")
		out := make([]table, 0, len(names))
		for _, n := range names {
			cols := rapid.SliceOfNDistinct(text(), 0, 6, func(s string) string { return strings.ToValidUTF8(s, "\ufffd") }).Draw(t, "columns")
			tb := table{section: record.Section{Dataset: n, Columns: cols}}
			for range rapid.IntRange(0, 5).Draw(t, "rows") {
				r := record.Record{}
				for _, c := range cols {
					if rapid.Bool().Draw(t, "there") {
						r[c] = value().Draw(t, "value")
					}
				}
				tb.rows = append(tb.rows, r)
			}
			out = append(out, tb)
		}
		return out
	})
}

// same reports whether two texts of JSON say the same, numbers to the last digit.
func same(a, b []byte) bool {
	canon := func(j []byte) string {
		d := json.NewDecoder(bytes.NewReader(j))
		d.UseNumber()
		var v any
		if err := d.Decode(&v); err != nil {
			return "not JSON: " + string(j)
		}
		out, _ := json.Marshal(v)
		return string(out)
	}
	return canon(a) == canon(b)
}

// What is written is read, and every value says what encoding/json says.
func TestRoundTrip(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		in := tables().Draw(t, "tables")
		sections, rows, err := readAll(bytes.NewReader(write(t, in)))
		if err != nil {
			t.Fatal(err)
		}
		if len(sections) != len(in) {
			t.Fatalf("%d sections of %d", len(sections), len(in))
		}
		for i, tb := range in {
			if sections[i].Dataset != tb.section.Dataset || len(rows[i]) != len(tb.rows) {
				t.Fatalf("section %d: %v", i, sections[i])
			}
			for j, r := range tb.rows {
				for c, name := range tb.section.Columns {
					want, err := json.Marshal(r[name])
					if err != nil {
						t.Fatal(err)
					}
					if got := rows[i][j][c]; !json.Valid(got) || !same(got, want) {
						t.Fatalf("got %s, want %s", got, want)
					}
					text := string(rows[i][j][c])
					switch want[0] {
					case 'n':
						text = ""
					case '"':
						if err := json.Unmarshal(want, &text); err != nil {
							t.Fatal(err)
						}
					}
					if got := record.Text(rows[i][j][c]); got != text {
						t.Fatalf("the text of %s is %q, want %q", want, got, text)
					}
				}
			}
		}
	})
}

// TestText: what isn't JSON has a text too, and none that fails.
func TestText(t *testing.T) {
	t.Parallel()
	for value, want := range map[string]string{"": "", "null": "", `""`: "", `"a\"\u00e9"`: `a"é`, "12.50": "12.50", `{"a":1}`: `{"a":1}`, `"`: `"`, `"\`: `"\`, `"\x"`: `"\x"`} {
		if got := record.Text(json.RawMessage(value)); got != want {
			t.Errorf("%s: %q, want %q", value, got, want)
		}
	}
}

// A stream that was cut anywhere is told from a whole one, and what was read of
// it before is a beginning of it.
func TestTruncated(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		whole := write(t, tables().Draw(t, "tables"))
		cut := rapid.IntRange(0, len(whole)-1).Draw(t, "cut")
		if _, _, err := readAll(bytes.NewReader(whole[:cut])); !errors.Is(err, record.ErrTruncated) {
			t.Fatalf("cut at %d of %d: %v", cut, len(whole), err)
		}
	})
}

// An error of the store after the last line is no end: a sealed stream may tell
// only then that it isn't whole.
func TestErrorAfterEnd(t *testing.T) {
	t.Parallel()
	whole := write(t, []table{{section: record.Section{Dataset: "a", Columns: []string{"b"}}, rows: []record.Record{{"b": "c"}}}})
	broken := errors.New("broken")
	if _, _, err := readAll(io.MultiReader(bytes.NewReader(whole), errReader{broken})); !errors.Is(err, broken) {
		t.Fatal(err)
	}
}

type errReader struct{ err error }

func (r errReader) Read([]byte) (int, error) { return 0, r.err }

func TestRefused(t *testing.T) {
	t.Parallel()
	section := record.Section{Dataset: "invoices", Columns: []string{"number", "total"}}
	for name, c := range map[string]struct {
		do   func(w *record.Writer) error
		want error
		says string
	}{
		"unknown column": {func(w *record.Writer) error { return w.Write(record.Record{"number": 1, "vat": 2}) }, record.ErrColumn, "vat"},
		"NaN":            {func(w *record.Writer) error { return w.Write(record.Record{"total": math.NaN()}) }, record.ErrValue, "total"},
		"no number":      {func(w *record.Writer) error { return w.Write(record.Record{"total": json.Number("secret")}) }, record.ErrValue, "total"},
		"channel":        {func(w *record.Writer) error { return w.Write(record.Record{"total": make(chan int)}) }, record.ErrValue, "chan int"},
		"bad raw JSON":   {func(w *record.Writer) error { return w.Write(record.Record{"total": json.RawMessage("secret")}) }, record.ErrValue, "total"},
		"year 10000":     {func(w *record.Writer) error { return w.Write(record.Record{"total": time.Unix(1<<40, 0)}) }, record.ErrValue, "total"},
		"too long": {func(w *record.Writer) error {
			return w.Write(record.Record{"total": strings.Repeat("x", record.MaxRow)})
		}, record.ErrTooLong, "invoices"},
		"begun twice": {func(w *record.Writer) error { return w.Begin(section) }, record.ErrSection, "invoices"},
		"no name":     {func(w *record.Writer) error { return w.Begin(record.Section{}) }, record.ErrSection, "dataset"},
		"column twice": {func(w *record.Writer) error {
			return w.Begin(record.Section{Dataset: "x", Columns: []string{"a", "a"}})
		}, record.ErrSection, "twice"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var b bytes.Buffer
			w := record.NewWriter(&b)
			if err := w.Begin(section); err != nil {
				t.Fatal(err)
			}
			err := c.do(w)
			if !errors.Is(err, c.want) || !strings.Contains(err.Error(), c.says) || strings.Contains(err.Error(), "secret") {
				t.Fatal(err)
			}
			// The stream is as it was.
			if err := w.Write(record.Record{"number": "F-1"}); err != nil {
				t.Fatal(err)
			}
			if err := w.Close(); err != nil {
				t.Fatal(err)
			}
			_, rows, err := readAll(&b)
			if err != nil || len(rows) != 1 || len(rows[0]) != 1 || string(rows[0][0][0]) != `"F-1"` {
				t.Fatal(rows, err)
			}
		})
	}
}

func TestWriterState(t *testing.T) {
	t.Parallel()
	w := record.NewWriter(io.Discard)
	if err := w.Write(record.Record{}); !errors.Is(err, record.ErrSection) {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	if err := w.Begin(record.Section{Dataset: "a"}); err == nil {
		t.Fatal("begun after the end")
	}
}

// An error of the underlying writer is final.
func TestWriteFails(t *testing.T) {
	t.Parallel()
	full := errors.New("full")
	w := record.NewWriter(errWriter{full})
	if err := w.Begin(record.Section{Dataset: "a", Columns: []string{"b"}}); err != nil {
		t.Fatal(err)
	}
	if err := w.Write(record.Record{"b": strings.Repeat("x", 1<<20)}); !errors.Is(err, full) {
		t.Fatal(err)
	}
	if err := w.Close(); !errors.Is(err, full) {
		t.Fatal(err)
	}
}

type errWriter struct{ err error }

func (w errWriter) Write([]byte) (int, error) { return 0, w.err }

// A row may be longer than any buffer, and rows can be passed over.
func TestLongRowsAndSkipping(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("é\n", 1<<20)
	b := write(t, []table{
		{record.Section{Dataset: "a", Columns: []string{"x"}}, []record.Record{{"x": long}, {"x": 1}}},
		{record.Section{Dataset: "b", Columns: []string{"y"}}, []record.Record{{"y": long}}},
	})
	r := record.NewReader(bytes.NewReader(b))
	for _, want := range []string{"a", "b"} {
		s, err := r.Next()
		if err != nil || s.Dataset != want {
			t.Fatal(s, err)
		}
		if want == "b" {
			row, err := r.Row()
			var got string
			if err != nil || json.Unmarshal(row[0], &got) != nil || got != long {
				t.Fatal(len(got), err)
			}
		}
	}
	if _, err := r.Next(); err != io.EOF || r.Records() != 3 {
		t.Fatal(err, r.Records())
	}
}

// Whatever is read, the reader says rows of the section's width, or an error.
func FuzzReader(f *testing.F) {
	f.Add(write(f, []table{{record.Section{Dataset: "a", Columns: []string{"b", "c"}}, []record.Record{{"b": "x,]", "c": []int{1, 2}}}}}))
	head := `{"habeas":"records/1"}` + "\n"
	for _, s := range []string{"", head, head + `{"end":0}` + "\n", head + "[]\n", head + `{"dataset":"a","columns":["b"]}` + "\n[\"\\\"]\n", head + `{"dataset":"a"}` + "\n[]\n{\"end\":1}\n", head + `{"dataset":"a","columns":["b"]}` + "\n[]\n", "[\n", head + `{"dataset":"a","columns":["b"]}` + "\n[1]]\n"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		sections, rows, _ := readAll(bytes.NewReader(b))
		for i, rs := range rows {
			for _, r := range rs {
				if len(r) != len(sections[i].Columns) {
					t.Fatal("wrong width")
				}
			}
		}
	})
}

func TestMalformed(t *testing.T) {
	t.Parallel()
	head := `{"habeas":"records/1"}` + "\n" + `{"dataset":"a","columns":["b","c"]}` + "\n"
	for _, s := range []string{
		"{}\n", head + "[1]\n", head + "[1,2,3]\n", head + "[1,]\n", head + "[1,2\n", head + "[\"a,\"]\n", head + "[1,2]]\n", head + "x\n",
		head + "[1,2]\n{\"end\":2}\n", head + "{\"end\":0}\nx", head + "{}\n", head + "\n",
	} {
		if _, _, err := readAll(strings.NewReader(s)); !errors.Is(err, record.ErrMalformed) {
			t.Errorf("%q: %v", s, err)
		}
	}
}

var sample = record.Record{
	"id": int64(483920), "email": "camille.o'brien@example.com", "name": "Camille O'Brien", "city": "Orléans",
	"active": true, "balance": 129.5, "created_at": time.Date(2026, 3, 2, 9, 30, 0, 0, time.UTC), "note": nil,
}

var sampleSection = record.Section{Dataset: "people", Columns: []string{"id", "email", "name", "city", "active", "balance", "created_at", "note"}}

func BenchmarkWrite(b *testing.B) {
	w := record.NewWriter(io.Discard)
	w.Begin(sampleSection)
	b.ReportAllocs()
	for b.Loop() {
		if err := w.Write(sample); err != nil {
			b.Fatal(err)
		}
	}
}

// One system's answer: two datasets of ten rows.
func BenchmarkStream20(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		w := record.NewWriter(io.Discard)
		for _, d := range []string{"a", "b"} {
			w.Begin(record.Section{Dataset: d, Columns: sampleSection.Columns})
			for range 10 {
				w.Write(sample)
			}
		}
		w.Close()
	}
}

func BenchmarkRead(b *testing.B) {
	rows := make([]record.Record, 1000)
	for i := range rows {
		rows[i] = sample
	}
	stream := write(b, []table{{sampleSection, rows}})
	b.ReportAllocs()
	b.ResetTimer()
	for n := 0; n < b.N; {
		r := record.NewReader(bytes.NewReader(stream))
		r.Next()
		for ; n < b.N; n++ {
			if _, err := r.Row(); err != nil {
				break
			}
		}
	}
}

// A section's line that has escapes is read the slow way, to the same end.
func TestSectionNames(t *testing.T) {
	t.Parallel()
	for _, s := range []record.Section{
		{Dataset: "invoices", Columns: []string{"number", "issued_on"}},
		{Dataset: "none", Columns: nil},
		{Dataset: "one", Columns: []string{""}},
		{Dataset: `quo"te`, Columns: []string{`a","b`, `]}`, `\`, `","columns":["`}},
		{Dataset: `","columns":["`, Columns: []string{"a"}},
	} {
		var b bytes.Buffer
		w := record.NewWriter(&b)
		if err := w.Begin(s); err != nil {
			t.Fatal(err)
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		got, err := record.NewReader(&b).Next()
		if err != nil || got.Dataset != s.Dataset || !slices.Equal(got.Columns, s.Columns) {
			t.Errorf("%+v became %+v: %v", s, got, err)
		}
	}
}
