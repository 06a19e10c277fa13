package bundle

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"habeas.dev/pkg/manifest"
	"habeas.dev/pkg/record"
)

// Records that are contacts, events or messages lie beside the tables once more, in the form
// that address books (vCard), calendars (iCalendar) and mail programs open.

const (
	// maxMessages is how many messages of a dataset are files each: folders with more are of
	// no use to anybody, and the tables have all.
	maxMessages = 1000
	// maxLine is the most octets of a line of a vCard and of a calendar, without its end
	// (RFC 2426, 2.6; RFC 5545, 3.1).
	maxLine = 75
)

// app is the form in which a dataset's records are written once more. It doesn't change.
type app struct {
	ending, media string
	head, tail    string // of the one file; of messages there are several
	// add adds a record; nothing where it has not what the form needs.
	add func(dst []byte, r appRow) []byte
}

// single reports whether all records are in one file.
func (a *app) single() bool { return a.ending != ".eml" }

// appRow is a record on its way into such a form.
type appRow struct {
	cells []json.RawMessage
	id    string    // of the record as it is shown, and of no other in the answer
	made  time.Time // when the answer was asked for
}

// text returns a cell as a text of one line or several; empty where there is none, or none
// that may be shown.
func (r appRow) text(at int) string {
	if at < 0 || len(r.cells[at]) == 0 || r.cells[at][0] == '{' || r.cells[at][0] == '[' || bytes.Equal(r.cells[at], othersCell) {
		return ""
	}
	text := strings.Map(func(c rune) rune {
		if c < ' ' && c != '\n' && c != '\t' || c >= 0x7f && c < 0xa0 {
			return -1
		}
		return c
	}, strings.ToValidUTF8(strings.ReplaceAll(record.Text(r.cells[at]), "\r\n", "\n"), "�"))
	return strings.TrimSpace(text)
}

// line returns a cell as a text of one line.
func (r appRow) line(at int) string { return strings.Join(strings.Fields(r.text(at)), " ") }

// newApp returns the form of a dataset's records; nil: they have none.
func newApp(pl *plan) *app {
	at := func(column string) int {
		for i := range pl.columns {
			if c := &pl.columns[i]; c.name == column && c.secret == "" && c.file == "" {
				return i
			}
		}
		return -1
	}
	ds := pl.dataset
	switch contact := ds.AsContact(); {
	case ds.Event != nil && at(ds.Event.Title) >= 0 && at(ds.Event.Start) >= 0:
		return calendarOf(ds.Event, at)
	case ds.Message != nil && at(ds.Message.Sent) >= 0:
		return messagesOf(ds.Message, at, pl)
	case contact != nil:
		return contactsOf(contact, at)
	default:
		return nil
	}
}

// contactsOf returns the form of an address book: vCard 3.0 (RFC 2426), which every one reads.
func contactsOf(c *manifest.Contact, at func(string) int) *app {
	name, given, family, birth, email, phone := at(c.Name), at(c.GivenName), at(c.FamilyName), at(c.BirthDate), at(c.Email), at(c.Phone)
	address, street, city, code, country := at(c.Address), at(c.Street), at(c.City), at(c.PostalCode), at(c.Country)
	organisation, department, role, note := at(c.Organisation), at(c.Department), at(c.Role), at(c.Note)
	return &app{ending: ".vcf", media: "text/vcard", add: func(dst []byte, r appRow) []byte {
		org := r.line(organisation)
		formatted := r.line(name)
		for _, other := range []string{strings.TrimSpace(r.line(given) + " " + r.line(family)), org} {
			if formatted == "" {
				formatted = other
			}
		}
		if formatted == "" {
			return dst
		}
		dst = append(dst, "BEGIN:VCARD\r\nVERSION:3.0\r\n"...)
		dst = appendLine(dst, "FN:", escaped(formatted))
		last, first := r.line(family), r.line(given)
		if last == "" && first == "" {
			last = r.line(name)
		}
		dst = appendLine(dst, "N:", structured(last, first, "", "", ""))
		if dept := r.line(department); dept != "" && org != "" {
			dst = appendLine(dst, "ORG:", structured(org, dept))
		} else if org != "" {
			dst = appendLine(dst, "ORG:", escaped(org))
		}
		dst = appendNamed(dst, "TITLE:", r.line(role))
		dst = appendNamed(dst, "EMAIL;TYPE=INTERNET:", r.line(email))
		dst = appendNamed(dst, "TEL:", r.line(phone))
		where := r.text(street)
		if where == "" {
			where = r.text(address)
		}
		if town, zip, land := r.line(city), r.line(code), r.line(country); where+town+zip != "" {
			dst = appendLine(dst, "ADR:", structured("", "", where, town, "", zip, land))
		}
		if day, _, ok := readTime([]byte(r.line(birth))); ok {
			dst = appendLine(dst, "BDAY:", day.Format(time.DateOnly))
		}
		dst = appendNamed(dst, "NOTE:", r.text(note))
		return append(dst, "END:VCARD\r\n"...)
	}}
}

// calendarOf returns the form of a calendar: iCalendar (RFC 5545).
func calendarOf(e *manifest.Event, at func(string) int) *app {
	title, start, end, place, text := at(e.Title), at(e.Start), at(e.End), at(e.Place), at(e.Text)
	return &app{ending: ".ics", media: "text/calendar", head: "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//Habeas//Answer//EN\r\n", tail: "END:VCALENDAR\r\n", add: func(dst []byte, r appRow) []byte {
		from, day, ok := readTime([]byte(r.line(start)))
		if !ok {
			return dst
		}
		dst = append(dst, "BEGIN:VEVENT\r\n"...)
		dst = appendLine(dst, "UID:", r.id)
		dst = appendLine(dst, "DTSTAMP:", r.made.UTC().Format(calendarMoment))
		dst = appendWhen(dst, "DTSTART", from, day)
		if until, alike, ok := readTime([]byte(r.line(end))); ok && alike == day && until.After(from) {
			dst = appendWhen(dst, "DTEND", until, day)
		}
		dst = appendNamed(dst, "SUMMARY:", r.line(title))
		dst = appendNamed(dst, "LOCATION:", r.line(place))
		dst = appendNamed(dst, "DESCRIPTION:", r.text(text))
		return append(dst, "END:VEVENT\r\n"...)
	}}
}

// calendarMoment is how a calendar writes a moment, in UTC.
const calendarMoment = "20060102T150405Z"

func appendWhen(dst []byte, property string, at time.Time, day bool) []byte {
	if day {
		return appendLine(dst, property+";VALUE=DATE:", at.Format("20060102"))
	}
	return appendLine(dst, property+":", at.UTC().Format(calendarMoment))
}

// appendNamed adds a property, where there is a value.
func appendNamed(dst []byte, property, value string) []byte {
	if value == "" {
		return dst
	}
	return appendLine(dst, property, escaped(value))
}

// escaping writes a text as vCard and iCalendar have texts.
var escaping = strings.NewReplacer(`\`, `\\`, ";", `\;`, ",", `\,`, "\n", `\n`)

func escaped(text string) string { return escaping.Replace(text) }

// structured joins the parts of a value that has several.
func structured(parts ...string) string {
	for i, p := range parts {
		parts[i] = escaped(p)
	}
	return strings.Join(parts, ";")
}

// appendLine adds a line, folded where it is too long, and never within a character.
func appendLine(dst []byte, property, value string) []byte {
	line := property + value
	room := maxLine
	for len(line) > room {
		cut := room
		for !utf8.RuneStart(line[cut]) {
			cut--
		}
		dst = append(append(dst, line[:cut]...), "\r\n "...)
		line, room = line[cut:], maxLine-1
	}
	return append(append(dst, line...), "\r\n"...)
}

// appBuffer is what was written of a table's form and isn't in the archive yet.
type appBuffer struct {
	text []byte
	ends []int // of messages, where each ends
	rows int64
	// later tells that it is too large for memory, and written by reading the records again.
	later bool
}

// appRow takes a record into the table's form, in the first pass.
func (t *table) appRow(b *build, row []json.RawMessage) {
	if t.app == nil || t.apps.later {
		return
	}
	before := len(t.apps.text)
	if before == 0 {
		t.apps.text = append(t.apps.text, t.app.head...)
		before = len(t.apps.text)
	}
	t.apps.text = t.app.add(t.apps.text, b.appRow(t, row, t.records))
	if len(t.apps.text) == before {
		return
	}
	t.apps.rows++
	t.apps.ends = append(t.apps.ends, len(t.apps.text))
	if len(t.apps.text) > keepBelow || !t.app.single() && len(t.apps.ends) > maxMessages {
		t.apps = appBuffer{later: true}
	}
}

// appRow makes the record that is the n-th of its dataset, from 0. Its id is of what the
// answer shows alone: nothing of a secret can be tried by it (TestAppsTellNoSecret).
func (b *build) appRow(t *table, row []json.RawMessage, n int64) appRow {
	h := sha256.New()
	_, _ = fmt.Fprintf(h, "%s\x00%s\x00%d", t.system, t.dataset.Name, n)
	for i, cell := range row {
		if c := &t.columns[i]; c.secret != "" {
			cell = c.mask(cell)
		}
		_, _ = h.Write([]byte{0})
		_, _ = h.Write(cell)
	}
	return appRow{cells: row, id: hex.EncodeToString(h.Sum(nil)[:16]) + "@answer.invalid", made: b.archive.modified}
}

// endApp writes a form that was small enough for memory.
func (b *build) endApp(t *table) error {
	if t.app == nil || t.apps.later || t.apps.rows == 0 {
		return nil
	}
	if t.app.single() {
		p, err := b.archive.addPayload(t.appName(), append(t.apps.text, t.app.tail...))
		b.hasApp(t, p, "")
		t.apps.text = nil
		return err
	}
	from := 0
	for i, end := range t.apps.ends {
		if err := b.message(t, i+1, t.apps.text[from:end]); err != nil {
			return err
		}
		from = end
	}
	t.apps.text, t.apps.ends = nil, nil
	return nil
}

// message writes a message into a file of its own.
func (b *build) message(t *table, n int, text []byte) error {
	number := strconv.Itoa(n)
	p, err := b.archive.addPayload(t.system+"/"+t.dataset.Name+"/"+number+t.app.ending, text)
	b.hasApp(t, p, "."+number)
	return err
}

// hasApp has the data package name a file.
func (b *build) hasApp(t *table, p packed, number string) {
	b.attached = append(b.attached, attached{packed: p, name: t.system + "." + t.dataset.Name + number + t.app.ending, title: t.title, media: t.app.media, of: t.plan})
}

// appsAgain writes the forms that were too large for memory, each as its records come.
func (b *build) appsAgain(ctx context.Context, part *systemPart, src Source) error {
	return b.eachSection(ctx, src, func(rd *record.Reader, sec record.Section) error {
		t := part.table(sec.Dataset)
		if t == nil || !t.apps.later {
			return nil
		}
		return b.appAgain(t, rd)
	})
}

func (b *build) appAgain(t *table, rd *record.Reader) error {
	var e *entry
	var err error
	text := []byte(t.app.head)
	if t.app.single() {
		if e, err = b.archive.openPayload(t.appName()); err != nil {
			return err
		}
	}
	for n := int64(0); ; n++ {
		row, err := rd.Row()
		if err == io.EOF {
			break
		}
		if err != nil {
			return err
		}
		if len(row) != len(t.names) {
			return errChanged
		}
		before := len(text)
		if text = t.app.add(text, b.appRow(t, t.withFile(t.covered(t.withoutOthers(b, row)), n), n)); len(text) == before {
			continue
		}
		t.apps.rows++
		switch {
		case e == nil && t.apps.rows <= maxMessages:
			if err := b.message(t, int(t.apps.rows), text); err != nil {
				return err
			}
			text = text[:0]
		case e == nil:
			text = text[:0]
		case len(text) >= flushAt:
			if err := e.write(text); err != nil {
				return err
			}
			text = text[:0]
		}
	}
	if e == nil {
		return nil
	}
	if err := e.write(append(text, t.app.tail...)); err != nil {
		return err
	}
	p, err := e.close()
	b.hasApp(t, p, "")
	return err
}

// appName returns where the one file of a form lies, below data/.
func (t *table) appName() string { return t.system + "/" + t.dataset.Name + t.app.ending }

// appendApp adds to the page what a form is for: a link to its file, or the name of the folder.
func (t *table) appendApp(html []byte) []byte {
	if t.app == nil || t.apps.rows == 0 {
		return html
	}
	html = append(html, ", "...)
	switch t.app.ending {
	case ".vcf":
		return appendLink(html, t.appName(), t.words.AsContacts)
	case ".ics":
		return appendLink(html, t.appName(), t.words.AsCalendar)
	default:
		html = appendEscaped(html, t.words.AsMessages+" ")
		html = append(html, "<code>"...)
		html = append(appendEscaped(html, t.system+"/"+t.dataset.Name), "</code>"...)
		if t.apps.rows > maxMessages {
			html = appendEscaped(html, fmt.Sprintf(t.words.MessagesFirst, t.words.Number(maxMessages), t.words.Number(t.apps.rows)))
		}
		return html
	}
}

func appendLink(html []byte, name, text string) []byte {
	html = append(html, `<a href="`+pathEscaped(name)+`">`...)
	return append(appendEscaped(html, text), "</a>"...)
}
