package bundle_test

import (
	"archive/zip"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strings"
	"testing"
	"time"

	"golang.org/x/net/html"
	"pgregory.net/rapid"

	"habeas.dev/pkg/dsar"
	"habeas.dev/pkg/manifest"
	"habeas.dev/pkg/record"
	"habeas.dev/services/internal/bundle"
	"habeas.dev/services/internal/bundle/bundletest"
	"habeas.dev/services/internal/core"
	"habeas.dev/services/internal/statement"
)

// The payload says nothing of the run: another day, another program, other
// times of gathering, and a Writer that has written other bundles before.
func TestSameFactsSamePayload(t *testing.T) {
	t.Parallel()
	first, s1 := write(t, accessInput(t))
	again, s2 := write(t, accessInput(t))
	if !bytes.Equal(first, again) || s1 != s2 {
		t.Error("the same input gives another ZIP")
	}
	other := accessInput(t)
	other.Run = bundle.Run{At: packedAt.AddDate(1, 0, 0), Software: "another"}
	for i := range other.Systems {
		for j := range other.Systems[i].Ends {
			other.Systems[i].Ends[j].At = packedAt.AddDate(0, 1, 0)
		}
	}
	var wr bundle.Writer
	var b bytes.Buffer
	for range 3 {
		for _, in := range []input{typicalInput(t), erasureInput(t), other} {
			b.Reset()
			if _, err := wr.Write(t.Context(), &b, in.bundle()); err != nil {
				t.Fatal(err)
			}
		}
		want, got := unpack(t, first), unpack(t, b.Bytes())
		if len(want) != len(got) {
			t.Fatal("another number of files")
		}
		for name, content := range want {
			if got[name] != content && name != "bag-info.txt" && name != "tagmanifest-sha256.txt" {
				t.Errorf("%s differs:\n%s", name, bundletest.FirstDifference(got[name], content))
			}
		}
		if want["bag-info.txt"] == got["bag-info.txt"] {
			t.Error("bag-info.txt doesn't say when the bundle was packed")
		}
	}
}

// hostileText draws what people, programs and attackers put into fields.
func hostileText() *rapid.Generator[string] {
	return rapid.OneOf(rapid.String(), rapid.SampledFrom([]string{
		"", "=1+1", "+cmd|' /C calc'!A0", "-2+3+cmd", "@SUM(1)", "\t=1", "\r=1", "'", "''=x", "'=x", "＝1", "+33 1 23 45", "-12.5", "'t Hooft", "a\r\nb", "\n", " ", " a ", `"`, `""`, ",", ";",
		"</td></tr><script>alert(1)</script>", "<!--", "]]>", "{{.}}", "&amp;&#0;", "\x00", "\x00\x01\x1f", "\u2028\u2029", "\ufeff", "\u202eabc", "名前 ünï", "\\", `\"`, "null", "true", "[held, not shown: password]",
		strings.Repeat("long ", 200), strings.Repeat("é", 300),
	}))
}

func anyValue() *rapid.Generator[any] {
	return rapid.OneOf(
		rapid.Map(hostileText(), func(s string) any { return s }),
		rapid.Just[any](nil), rapid.Map(rapid.Bool(), func(b bool) any { return b }), rapid.Map(rapid.Int64(), func(n int64) any { return n }),
		rapid.Map(rapid.Float64(), func(f float64) any { return f }),
		rapid.Map(rapid.Int64Range(-1e9, 4e9), func(n int64) any { return time.Unix(n, n%1e9).UTC() }),
		rapid.Map(rapid.MapOf(hostileText(), hostileText()), func(m map[string]string) any { return m }),
		rapid.Map(rapid.SliceOf(hostileText()), func(l []string) any { return l }),
	)
}

// Any records in, the same records out: exactly from JSON, by the rules of the
// CSV cells from CSV; and the bundle verifies.
func TestRecordsSurvive(t *testing.T) {
	t.Parallel()
	var wr bundle.Writer
	rapid.Check(t, func(t *rapid.T) {
		names := rapid.SliceOfNDistinct(rapid.StringMatching(`[A-Za-z][A-Za-z0-9_]{0,5}|[,";\n é=]{1,3}`), 1, 5, rapid.ID[string]).Draw(t, "columns")
		ds := manifest.Dataset{Name: "things", Title: text("Things", "Choses"), Origin: manifest.Provided, LegalBasis: "contract", Category: "identifiers"}
		for _, n := range names {
			ds.Columns = append(ds.Columns, manifest.Column{Name: n, Type: rapid.SampledFrom(append(manifest.ColumnTypes(), "")).Draw(t, "type")})
		}
		var records []record.Record
		for range rapid.IntRange(1, 5).Draw(t, "rows") {
			r := record.Record{}
			for _, n := range names {
				r[n] = anyValue().Draw(t, "value")
			}
			records = append(records, r)
		}
		in := input{RequestID: "r1", Right: dsar.Access, ReceivedAt: received, Systems: []part{{
			Manifest: &manifest.Manifest{System: "sys", Datasets: []manifest.Dataset{ds}}, Ends: []core.ActionEnd{ended(dsar.Gather, dsar.Gathered)},
			Sources: []bundle.Source{rapidSource(t, rows{"things", names, records})},
		}}}
		var b bytes.Buffer
		if _, err := wr.Write(context.Background(), &b, in.bundle()); err != nil {
			t.Fatal(err)
		}
		report, err := bundle.Verify(context.Background(), bytes.NewReader(b.Bytes()), int64(b.Len()))
		if err != nil || len(report.Problems) > 0 {
			t.Fatal(err, report.Problems)
		}
		files := unpackRapid(t, b.Bytes())
		checkJSON(t, files["data/sys/things.json"], names, records)
		checkCSV(t, files["data/sys/things.csv"], names, records)
		checkPage(t, files["data/index.html"])
	})
}

func rapidSource(t *rapid.T, s rows) bundle.Source {
	var b bytes.Buffer
	w := record.NewWriter(&b)
	if err := w.Begin(record.Section{Dataset: s.dataset, Columns: s.columns}); err != nil {
		t.Fatal(err)
	}
	for _, r := range s.records {
		if err := w.Write(r); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return func(context.Context) (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(b.Bytes())), nil }
}

func unpackRapid(t *rapid.T, data []byte) map[string]string {
	zr, err := zip.NewReader(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		t.Fatal(err)
	}
	files := map[string]string{}
	for _, f := range zr.File {
		r, err := f.Open()
		if err != nil {
			t.Fatal(err)
		}
		content, err := io.ReadAll(r)
		if err != nil {
			t.Fatal(err)
		}
		_, name, inside := strings.Cut(f.Name, "/")
		if !inside {
			name = f.Name
		}
		files[name] = string(content)
	}
	if err := bundletest.CheckAnswer(files); err != nil {
		t.Fatal(err)
	}
	return files
}

// canon returns a value as JSON has it after one reading.
func canon(t *rapid.T, v any) string {
	text, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	var back any
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	if err := d.Decode(&back); err != nil {
		t.Fatal(err)
	}
	text, _ = json.Marshal(back)
	return string(text)
}

func checkJSON(t *rapid.T, file string, names []string, records []record.Record) {
	var got []map[string]any
	d := json.NewDecoder(strings.NewReader(file))
	d.UseNumber()
	if err := d.Decode(&got); err != nil {
		t.Fatalf("%v in %s", err, file)
	}
	if len(got) != len(records) {
		t.Fatalf("%d records of %d", len(got), len(records))
	}
	for i, r := range records {
		if got[i]["_system"] != "sys" || got[i]["_dataset"] != "things" || len(got[i]) != len(names)+2 {
			t.Fatalf("%v", got[i])
		}
		for _, n := range names {
			if g, w := canon(t, got[i][n]), canon(t, r[n]); g != w {
				t.Fatalf("%q: got %s, want %s", n, g, w)
			}
		}
	}
}

// parseCSV reads RFC 4180 to the letter: encoding/csv changes line breaks
// within cells.
func parseCSV(t *rapid.T, file string) [][]string {
	file, marked := strings.CutPrefix(file, "\uFEFF")
	if !marked {
		t.Fatal("no byte order mark")
	}
	var table [][]string
	var line []string
	for file != "" {
		var cell string
		if strings.HasPrefix(file, `"`) {
			var b strings.Builder
			rest := file[1:]
			for {
				text, after, ok := strings.Cut(rest, `"`)
				if !ok {
					t.Fatal("a quote isn't closed")
				}
				b.WriteString(text)
				if rest = after; !strings.HasPrefix(rest, `"`) {
					break
				}
				b.WriteByte('"')
				rest = rest[1:]
			}
			cell, file = b.String(), rest
		} else {
			n := strings.IndexAny(file, ",\r")
			cell, file = file[:n], file[n:]
			if strings.ContainsAny(cell, "\"\n") {
				t.Fatalf("%q isn't quoted", cell)
			}
		}
		line = append(line, cell)
		switch {
		case strings.HasPrefix(file, ","):
			file = file[1:]
		case strings.HasPrefix(file, "\r\n"):
			file = file[2:]
			table = append(table, line)
			line = nil
		default:
			t.Fatalf("neither a comma nor a line's end at %q", file)
		}
	}
	return table
}

// guarded is a cell in which an apostrophe stands before what a spreadsheet
// could take for a formula. Taking one off undoes it.
var guarded = regexp.MustCompile(`\A'+[=+\-@\t\r＝＋－＠]`)

func checkCSV(t *rapid.T, file string, names []string, records []record.Record) {
	table := parseCSV(t, file)
	if len(table) != len(records)+1 {
		t.Fatalf("%d lines for %d records", len(table), len(records))
	}
	for i, n := range append([]string{"_system", "_dataset"}, names...) {
		if table[0][i] != n {
			t.Fatalf("column %q is called %q", n, table[0][i])
		}
	}
	for i, r := range records {
		line := table[i+1]
		if line[0] != "sys" || line[1] != "things" {
			t.Fatalf("%q", line)
		}
		for j, n := range names {
			cell := line[j+2]
			switch v := r[n].(type) {
			case nil:
				if cell != "" {
					t.Fatalf("null became %q", cell)
				}
			case string:
				want := canon(t, v)
				if strings.ContainsAny(cell[:min(1, len(cell))], "=@\t\r") {
					t.Fatalf("%q reads as a formula", cell)
				}
				if strings.HasPrefix(cell, "+") || strings.HasPrefix(cell, "-") {
					if regexp.MustCompile(`[^0-9 ().\-/+]`).MatchString(cell) {
						t.Fatalf("%q reads as a formula", cell)
					}
				}
				if guarded.MatchString(cell) {
					cell = cell[1:]
				}
				if got := canon(t, cell); got != want {
					t.Fatalf("got %s, want %s", got, want)
				}
			default:
				want := canon(t, v)
				if s, ok := v.(time.Time); ok {
					cell, want = canon(t, cell), canon(t, s)
				} else if json.Valid([]byte(cell)) {
					cell = canon(t, json.RawMessage(cell))
				}
				if cell != want {
					t.Fatalf("got %s, want %s", cell, want)
				}
			}
		}
	}
}

// elements are all that the page may have: nothing of a record becomes markup.
var elements = regexp.MustCompile(`^(html|head|meta|title|style|body|a|header|div|p|h1|h2|h3|h4|ul|li|b|span|dl|dt|dd|main|section|nav|table|thead|tbody|tr|th|td|br|article|code|form|label|input|select|option|output|button|details|summary|ol|i|script|img|audio|video)$`)

func checkPage(t *rapid.T, page string) {
	z := html.NewTokenizer(strings.NewReader(page))
	for {
		switch z.Next() {
		case html.ErrorToken:
			if z.Err() != io.EOF {
				t.Fatal(z.Err())
			}
			return
		case html.CommentToken:
			t.Fatalf("a comment: %q", z.Raw())
		case html.StartTagToken, html.SelfClosingTagToken:
			tok := z.Token()
			if !elements.MatchString(tok.Data) {
				t.Fatalf("an element %s", tok.Data)
			}
			if tok.Data == "script" {
				if z.Next(); string(z.Raw()) != bundle.PageScript || !strings.Contains(page, "script-src "+bundle.ScriptHash+";") {
					t.Fatalf("a script that isn't the page's: %q", z.Raw())
				}
			}
			for _, a := range tok.Attr {
				if strings.HasPrefix(a.Key, "on") || a.Key == "style" || a.Key == "src" {
					t.Fatalf("an attribute %s", a.Key)
				}
			}
		}
	}
}

// Hostile texts in every place that isn't a record.
func TestPreviewEscapes(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		s := func(what string) string { return hostileText().Draw(t, what) }
		both := func(what string) manifest.Text { return manifest.Text{"en": s(what)} }
		ds := manifest.Dataset{
			Name: "things", Title: both("title"), Purpose: both("purpose"), Storage: both("storage"), Category: s("category"), Origin: manifest.Origin(s("origin")),
			LegalBasis: s("basis"), Recipients: []string{s("recipient")}, Columns: []manifest.Column{{Name: "a", Title: both("column"), Secret: "password"}},
		}
		m := &manifest.Manifest{System: "sys", Title: both("system"), Datasets: []manifest.Dataset{ds, {Name: "empty", Title: both("empty")}}}
		in := input{
			RequestID: "r1", Right: dsar.Access, ReceivedAt: received, Jurisdiction: "EEA",
			Identifiers: []statement.Identifier{{Type: "email", Value: s("value"), FoundBy: s("by"), FromType: "email", FromValue: s("from")}},
			Systems: []part{{
				Manifest: m, Ends: []core.ActionEnd{ended(dsar.Gather, dsar.Gathered)},
				Sources: []bundle.Source{rapidSource(t, rows{"things", []string{"a"}, []record.Record{{"a": s("record")}}})},
			}},
			Policy: policy{Controller: statement.Controller{
				Law: s("law"), Entity: s("entity"), Contact: s("contact"), Rights: []string{s("right")}, Automated: s("automated"), Transfers: s("transfers"),
				Complaint: []statement.Authority{{Name: s("authority"), Address: s("address"), URL: rapid.SampledFrom([]string{"javascript:alert(1)", `https://a/"onclick="x`, "https://a"}).Draw(t, "url")}},
				Also:      []string{s("statement")}, Categories: true,
			}},
			Letter: &bundle.Letter{Title: s("letter"), Paragraphs: []string{s("paragraph")}},
			Run:    bundle.Run{Software: s("software")},
		}
		var b bytes.Buffer
		if _, err := bundle.Write(context.Background(), &b, in.bundle()); err != nil {
			t.Fatal(err)
		}
		if report, err := bundle.Verify(context.Background(), bytes.NewReader(b.Bytes()), int64(b.Len())); err != nil || len(report.Problems) > 0 {
			t.Fatal(err, report.Problems)
		}
		page := unpackRapid(t, b.Bytes())["data/index.html"]
		checkPage(t, page)
		if strings.Contains(page, `href="javascript:`) {
			t.Fatal("a link runs a script")
		}
	})
}

// What can't become a bundle is refused, and says whose fault it is.
func TestRefusals(t *testing.T) {
	t.Parallel()
	thing := func(m *manifest.Manifest, sections ...rows) input {
		return input{RequestID: "r1", Right: dsar.Access, Systems: []part{{Manifest: m, Sources: []bundle.Source{source(t, sections...)}}}}
	}
	one := []record.Record{{"brand": "x"}}
	cases := map[string]struct {
		in   input
		want error
	}{
		"undeclared dataset": {thing(billingManifest(), rows{"secrets", []string{"brand"}, one}), bundle.ErrUndeclared},
		"undeclared column":  {thing(billingManifest(), rows{"payment_methods", []string{"brand", "extra"}, one}), bundle.ErrUndeclared},
		"request id":         {input{RequestID: "../x", Right: dsar.Access}, bundle.ErrInput},
		"no manifest":        {input{RequestID: "r1", Right: dsar.Access, Systems: []part{{}}}, bundle.ErrInput},
		"system's name":      {thing(&manifest.Manifest{System: "a/b"}), bundle.ErrInput},
		"system twice":       {input{RequestID: "r1", Systems: []part{{Manifest: billingManifest()}, {Manifest: billingManifest()}}}, bundle.ErrInput},
	}
	for name, c := range cases {
		_, err := bundle.Write(t.Context(), io.Discard, c.in.bundle())
		if !errors.Is(err, c.want) {
			t.Errorf("%s: %v", name, err)
		}
		var src *bundle.SourceError
		if errors.Is(c.want, bundle.ErrUndeclared) && (!errors.As(err, &src) || src.System != "billing") {
			t.Errorf("%s: not the system's: %v", name, err)
		}
	}
	reserved := billingManifest()
	reserved.Datasets[1].Columns[0].Name = "_system"
	if _, err := bundle.Write(t.Context(), io.Discard, bundled(thing(reserved, rows{"payment_methods", []string{"_system"}, nil}))); err == nil {
		t.Error("a reserved column was taken")
	}
	twice := thing(billingManifest(), rows{"payment_methods", []string{"brand"}, one})
	twice.Systems[0].Sources = append(twice.Systems[0].Sources, twice.Systems[0].Sources[0])
	if _, err := bundle.Write(t.Context(), io.Discard, twice.bundle()); err == nil {
		t.Error("a dataset was taken twice")
	}
}

// failing is a destination that breaks off.
type failing struct{ left int }

var errFull = errors.New("the disk is full")

func (f *failing) Write(p []byte) (int, error) {
	if f.left -= len(p); f.left < 0 {
		return 0, errFull
	}
	return len(p), nil
}

// The destination's errors are its own, wherever they hit; a truncated stream is
// the system's.
func TestErrors(t *testing.T) {
	t.Parallel()
	in := typicalInput(t)
	var wr bundle.Writer
	var complete bytes.Buffer
	if _, err := wr.Write(t.Context(), &complete, in.bundle()); err != nil {
		t.Fatal(err)
	}
	for left := 0; left < complete.Len(); left += complete.Len() / 18 {
		_, err := wr.Write(t.Context(), &failing{left}, in.bundle())
		var src *bundle.SourceError
		if !errors.Is(err, errFull) || errors.As(err, &src) {
			t.Errorf("after %d bytes: %v", left, err)
		}
	}
	for left := 0; left < 400_000; left += 40_000 { // large files are written elsewhere
		if _, err := wr.Write(t.Context(), &failing{left}, bundled(largeInput(t, 3<<20))); !errors.Is(err, errFull) {
			t.Errorf("after %d bytes: %v", left, err)
		}
	}
	whole := stream(t, rows{"payment_methods", []string{"brand"}, []record.Record{{"brand": "x"}, {"brand": "y"}}})
	for n := range len(whole) {
		cut := input{RequestID: "r1", Right: dsar.Access, Systems: []part{{Manifest: billingManifest(), Sources: []bundle.Source{
			func(context.Context) (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(whole[:n])), nil },
		}}}}
		var src *bundle.SourceError
		if _, err := wr.Write(t.Context(), io.Discard, cut.bundle()); !errors.As(err, &src) {
			t.Fatalf("cut at %d: %v", n, err)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := wr.Write(ctx, io.Discard, in.bundle()); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	// After all that, the Writer still writes what it should.
	var b bytes.Buffer
	if _, err := wr.Write(t.Context(), &b, in.bundle()); err != nil {
		t.Fatal(err)
	}
	verifies(t, b.Bytes())
}

// A stream that isn't the same the second time is noticed.
func TestChangedStream(t *testing.T) {
	t.Parallel()
	many := func(n int) rows {
		r := rows{"payment_methods", []string{"brand"}, nil}
		for i := range n {
			r.records = append(r.records, record.Record{"brand": fmt.Sprint(strings.Repeat("x", 1000), i)})
		}
		return r
	}
	for _, second := range [][]byte{stream(t, many(999)), stream(t)} {
		first, opened := stream(t, many(1000)), 0
		in := input{RequestID: "r1", Right: dsar.Access, Systems: []part{{Manifest: billingManifest(), Sources: []bundle.Source{
			func(context.Context) (io.ReadCloser, error) {
				opened++
				if opened == 1 {
					return io.NopCloser(bytes.NewReader(first)), nil
				}
				return io.NopCloser(bytes.NewReader(second)), nil
			},
		}}}}
		var src *bundle.SourceError
		if _, err := bundle.Write(t.Context(), io.Discard, in.bundle()); !errors.As(err, &src) || opened != 2 {
			t.Errorf("opened %d times: %v", opened, err)
		}
	}
}
