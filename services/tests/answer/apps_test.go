package answer_test

import (
	"archive/zip"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"mime"
	"mime/quotedprintable"
	"net/mail"
	"path"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/emersion/go-ical"
	"github.com/emersion/go-vcard"

	"habeas.dev/pkg/dsar"
	"habeas.dev/pkg/manifest"
	"habeas.dev/pkg/record"
	"habeas.dev/services/internal/bundle"
	"habeas.dev/services/internal/statement"
)

var received = time.Date(2026, 11, 20, 9, 30, 0, 0, time.UTC)

// hard are texts that break what writes or reads them carelessly.
var hard = []string{
	"Anna", "O'Brien; Camille, née \\ Žižková", "محمد عبد الله بن سلمان الطويل الاسم جدًا جدًا جدًا جدًا جدًا جدًا جدًا", "山田太郎 株式会社テスト本社ビルディング七階営業部第二課課長代理補佐", "प्रिया शर्मा 😀", "END:VCARD", "a\r\nBCC: eve@example.com", "=?utf-8?B?eA==?=", "two\nlines, and a comma; and more",
	strings.Repeat("ü", 300), strings.Repeat("word ", 80), strings.Repeat("x", 200), "\"quoted\" <a@b.c>", "tab\there", "\x00\x07bell\x1b",
}

// written is what a text becomes on one line, or on several.
func written(text string, lines bool) string {
	text = strings.Map(func(c rune) rune {
		if c < ' ' && c != '\n' && c != '\t' {
			return -1
		}
		return c
	}, strings.ReplaceAll(text, "\r\n", "\n"))
	if !lines {
		return strings.Join(strings.Fields(text), " ")
	}
	return strings.TrimSpace(text)
}

func column(name string, more ...string) manifest.Column {
	c := manifest.Column{Name: name}
	if len(more) > 0 {
		c.Concept = more[0]
	}
	return c
}

// company is a system whose records are contacts by their concepts, events and messages; and
// one of which nothing is any of that.
func company() *manifest.Manifest {
	dataset := func(name string, columns ...manifest.Column) manifest.Dataset {
		return manifest.Dataset{Name: name, Title: manifest.Text{"en": name}, Category: "identifiers", Origin: manifest.Provided, Purpose: manifest.Text{"en": "p"}, LegalBasis: "contract", Storage: manifest.Text{"en": "s"}, Columns: columns}
	}
	people := dataset("people", column("first", "person.given_name"), column("last", "person.family_name"), column("mail", "contact.email"), column("tel", "contact.phone"), column("where", "contact.postal_address"),
		column("firm", "organisation.name"), column("born", "person.birth_date"), manifest.Column{Name: "pin", Concept: "tax.id", Secret: manifest.OtherSecret})
	events := dataset("talks", column("title"), column("begins"), column("ends"), column("room"))
	events.Event = &manifest.Event{Title: "title", Start: "begins", End: "ends", Place: "room"}
	messages := dataset("letters", column("sent"), column("about"), column("body"), column("author"), column("to"))
	messages.Message = &manifest.Message{Sent: "sent", Subject: "about", Text: "body", From: "author", To: "to"}
	return &manifest.Manifest{System: "crm", Title: manifest.Text{"en": "Büro"}, Datasets: []manifest.Dataset{people, events, messages, dataset("plain", column("name", "person.name"))}}
}

type rows struct {
	dataset string
	columns []string
	records [][]any
}

// files writes an answer of these records, and returns its files below data/crm/.
func files(t *testing.T, sections ...rows) map[string]string {
	t.Helper()
	var stream bytes.Buffer
	w := record.NewWriter(&stream)
	for _, s := range sections {
		must(t, w.Begin(record.Section{Dataset: s.dataset, Columns: s.columns}))
		for _, values := range s.records {
			r := record.Record{}
			for i, v := range values {
				r[s.columns[i]] = v
			}
			must(t, w.Write(r))
		}
	}
	must(t, w.Close())
	var out bytes.Buffer
	in := bundle.Input{RequestID: "9f0d6c0e-6f0f-4b43-9f0f-3a9c3c0f7a11", Right: dsar.Access, ReceivedAt: received,
		Systems: []bundle.System{{Manifest: company(), Sources: []bundle.Source{func(context.Context) (io.ReadCloser, error) {
			return io.NopCloser(bytes.NewReader(stream.Bytes())), nil
		}}}},
		Tell: func([]statement.Reading) statement.Document {
			return statement.Document{Request: statement.Request{Right: dsar.Access}, Language: "en"}
		}}
	in.Run.At = received
	_, err := bundle.Write(t.Context(), &out, in)
	must(t, err)
	z, err := zip.NewReader(bytes.NewReader(out.Bytes()), int64(out.Len()))
	must(t, err)
	found := map[string]string{}
	for _, f := range z.File {
		_, name, ok := strings.Cut(f.Name, "/data/crm/")
		if !ok {
			continue
		}
		r, err := f.Open()
		must(t, err)
		text, err := io.ReadAll(r)
		must(t, err)
		found[name] = string(text)
	}
	return found
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// lawful checks what every reader relies on: lines end in CRLF, none is too long, and none is
// cut within a character.
func lawful(t *testing.T, name, text string) {
	t.Helper()
	if !strings.HasSuffix(text, "\r\n") || strings.Count(text, "\n") != strings.Count(text, "\r\n") || strings.Count(text, "\r") != strings.Count(text, "\r\n") {
		t.Errorf("%s: lines don't end in CRLF", name)
	}
	for line := range strings.SplitSeq(text, "\r\n") {
		if len(line) > 78 || path.Ext(name) != ".eml" && len(line) > 75 || !utf8.ValidString(line) {
			t.Errorf("%s: %d octets, or no UTF-8: %q", name, len(line), line)
		}
	}
}

// TestContacts: a card for each record, read by another library, says what the record says,
// and nothing that is a secret.
func TestContacts(t *testing.T) {
	t.Parallel()
	s := rows{"people", []string{"first", "last", "mail", "tel", "where", "firm", "born", "pin"}, nil}
	for _, text := range hard {
		s.records = append(s.records, []any{text, "Last", "a@example.com", "+33 6 12 34 56 78", text, text, "1980-02-29", "4711"})
	}
	s.records = append(s.records, []any{nil, nil, "nameless@example.com", nil, nil, nil, nil, nil})
	card := files(t, s)["people.vcf"]
	lawful(t, "people.vcf", card)
	if strings.Contains(card, "4711") || strings.Contains(card, "nameless") {
		t.Error("a card holds a secret, or is of nobody")
	}
	d := vcard.NewDecoder(strings.NewReader(card))
	for _, text := range hard {
		c, err := d.Decode()
		must(t, err)
		if n := parts(c.Value(vcard.FieldName)); len(n) != 5 || n[1] != written(text, false) || n[0] != "Last" {
			t.Errorf("%q: name %q", text, n)
		}
		if got, want := parts(c.Value(vcard.FieldFormattedName)), strings.TrimSpace(written(text, false)+" Last"); len(got) != 1 || got[0] != want {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
		if got := parts(c.Value(vcard.FieldAddress)); len(got) != 7 || got[2] != written(text, true) {
			t.Errorf("address %q, want %q", got, written(text, true))
		}
		if c.Value(vcard.FieldEmail) != "a@example.com" || c.Value(vcard.FieldTelephone) != "+33 6 12 34 56 78" || c.Value(vcard.FieldBirthday) != "1980-02-29" || c.Value(vcard.FieldVersion) != "3.0" {
			t.Errorf("%v", c)
		}
	}
	if _, err := d.Decode(); !errors.Is(err, io.EOF) {
		t.Errorf("more cards than people: %v", err)
	}
}

// parts takes a value apart at its semicolons (RFC 2426, 4). The library has undone the escapes
// of all else, and leaves those of semicolons as they are.
func parts(value string) (all []string) {
	part := ""
	for i := 0; i < len(value); i++ {
		switch {
		case strings.HasPrefix(value[i:], `\;`):
			part += ";"
			i++
		case value[i] == ';':
			all, part = append(all, part), ""
		default:
			part += value[i : i+1]
		}
	}
	return append(all, part)
}

// TestEvents: an entry for each record that has a time, read by another library; the same
// record has the same id in the next answer, and no other has.
func TestEvents(t *testing.T) {
	t.Parallel()
	s := rows{"talks", []string{"title", "begins", "ends", "room"}, nil}
	for _, text := range hard {
		s.records = append(s.records, []any{text, "2026-05-04T09:30:00+02:00", "2026-05-04T10:30:00+02:00", text})
	}
	s.records = append(s.records, []any{"a day", "2026-05-04", "2026-05-03", nil}, []any{"no time", nil, nil, nil}, []any{"no time either", "soon", nil, nil})
	text := files(t, s)["talks.ics"]
	lawful(t, "talks.ics", text)
	c, err := ical.NewDecoder(strings.NewReader(text)).Decode()
	must(t, err)
	all := c.Events()
	if len(all) != len(hard)+1 {
		t.Fatalf("%d events", len(all))
	}
	ids := map[string]bool{}
	for i, e := range all {
		id, err := e.Props.Text(ical.PropUID)
		must(t, err)
		ids[id] = true
		title, err := e.Props.Text(ical.PropSummary)
		must(t, err)
		start, err := e.DateTimeStart(time.UTC)
		must(t, err)
		if i == len(hard) {
			if title != "a day" || e.Props.Get(ical.PropDateTimeStart).ValueType() != ical.ValueDate || e.Props.Get(ical.PropDateTimeEnd) != nil || start.Format(time.DateOnly) != "2026-05-04" {
				t.Errorf("%v", e.Props)
			}
			continue
		}
		place, err := e.Props.Text(ical.PropLocation)
		must(t, err)
		end, err := e.DateTimeEnd(time.UTC)
		must(t, err)
		if want := written(hard[i], false); title != want || place != want || !start.Equal(time.Date(2026, 5, 4, 7, 30, 0, 0, time.UTC)) || end.Sub(start) != time.Hour {
			t.Errorf("%q in %q from %s to %s, want %q", title, place, start, end, want)
		}
	}
	if len(ids) != len(all) {
		t.Errorf("%d ids of %d", len(ids), len(all))
	}
	if again := files(t, s)["talks.ics"]; again != text {
		t.Error("the next answer has other ids")
	}
}

// TestMessages: a file for each message, read by the standard library: no header comes of a
// value, and each says that it isn't the message as it was sent.
func TestMessages(t *testing.T) {
	t.Parallel()
	s := rows{"letters", []string{"sent", "about", "body", "author", "to"}, nil}
	for i, text := range hard {
		s.records = append(s.records, []any{"2026-05-04T09:30:00Z", text, text, []any{"eve@example.com", text, nil}[i%3], "Zoë <z@example.com>, b@example.com"})
	}
	found := files(t, s)
	for i, text := range hard {
		name := fmt.Sprintf("letters/%d.eml", i+1)
		lawful(t, name, found[name])
		m, err := mail.ReadMessage(strings.NewReader(found[name]))
		if err != nil {
			t.Fatalf("%q: %v\n%s", text, err, found[name])
		}
		for header := range m.Header {
			if !strings.Contains(" Date From To Message-Id Subject Comments Mime-Version Content-Type Content-Transfer-Encoding ", " "+header+" ") {
				t.Errorf("%q: has the header %s", text, header)
			}
		}
		subject, err := new(mime.WordDecoder).DecodeHeader(m.Header.Get("Subject"))
		must(t, err)
		if subject != written(text, false) {
			t.Errorf("subject %q, want %q", subject, written(text, false))
		}
		body, err := io.ReadAll(quotedprintable.NewReader(m.Body))
		must(t, err)
		if got := strings.TrimSuffix(strings.ReplaceAll(string(body), "\r\n", "\n"), "\n"); got != written(text, true) {
			t.Errorf("body %q, want %q", got, written(text, true))
		}
		at, err := m.Header.Date()
		if err != nil || !at.Equal(time.Date(2026, 5, 4, 9, 30, 0, 0, time.UTC)) {
			t.Errorf("%s, %v", at, err)
		}
		to, err := m.Header.AddressList("To")
		if err != nil || len(to) != 2 || to[0].Name != "Zoë" || to[1].Address != "b@example.com" {
			t.Errorf("to %v, %v", to, err)
		}
		from, err := m.Header.AddressList("From")
		switch {
		case err != nil && !strings.Contains(err.Error(), "empty group"):
			t.Errorf("%q: from %q: %v", text, m.Header.Get("From"), err)
		case i%3 == 0 && (len(from) != 1 || from[0].Address != "eve@example.com"):
			t.Errorf("from %v", from)
		}
		if made, _ := new(mime.WordDecoder).DecodeHeader(m.Header.Get("Comments")); !strings.Contains(made, "not the message as it was sent") {
			t.Errorf("%q doesn't say that it was made of a record", made)
		}
	}
}

// TestManyMessages: of more than a thousand messages the first thousand are files; all are in
// the tables. A calendar too large for memory is whole.
func TestManyMessages(t *testing.T) {
	t.Parallel()
	letters, talks := rows{"letters", []string{"sent", "about"}, nil}, rows{"talks", []string{"title", "begins"}, nil}
	for i := range 1500 {
		letters.records = append(letters.records, []any{"2026-05-04T09:30:00Z", fmt.Sprint("letter ", i)})
		talks.records = append(talks.records, []any{strings.Repeat("talk ", 100) + fmt.Sprint(i), "2026-05-04"})
	}
	found := files(t, talks, letters)
	mails := 0
	for name := range found {
		if path.Ext(name) == ".eml" {
			mails++
		}
	}
	if mails != 1000 || strings.Count(found["letters.csv"], "letter ") != 1500 {
		t.Errorf("%d files", mails)
	}
	c, err := ical.NewDecoder(strings.NewReader(found["talks.ics"])).Decode()
	must(t, err)
	if n := len(c.Events()); n != 1500 {
		t.Errorf("%d events", n)
	}
}

// TestNoApps: what is none of these is none of these.
func TestNoApps(t *testing.T) {
	t.Parallel()
	found := files(t, rows{"plain", []string{"name"}, [][]any{{"Anna"}}})
	if len(found) != 2 {
		t.Errorf("%d files", len(found))
	}
}
