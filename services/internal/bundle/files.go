package bundle

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"path"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"habeas.dev/pkg/record"
)

// A record may hold a file: a photograph, an attachment. It lies beside the tables, by its
// name, and the record says where.

// maxFileName is the most characters of a file's own name that are kept.
const maxFileName = 80

// attached is a file of a record in the bag.
type attached struct {
	packed
	name  string // of its resource
	title string
	media string
	of    *plan
}

// media are the types of files by how their names end: those that the page shows or plays
// begin with image, audio or video. Whatever else there is, it is offered as a file.
var media = map[string]string{
	".jpg": "image/jpeg", ".jpeg": "image/jpeg", ".png": "image/png", ".gif": "image/gif", ".webp": "image/webp",
	".mp3": "audio/mpeg", ".ogg": "audio/ogg", ".oga": "audio/ogg", ".opus": "audio/ogg", ".wav": "audio/wav", ".m4a": "audio/mp4",
	".mp4": "video/mp4", ".webm": "video/webm", ".pdf": "application/pdf", ".txt": "text/plain",
}

func mediaOf(name string) string {
	if t := media[strings.ToLower(path.Ext(name))]; t != "" {
		return t
	}
	return "application/octet-stream"
}

// withFile returns a row with the path of its file in the place of the file's content.
func (t *table) withFile(row []json.RawMessage, record int64) []json.RawMessage {
	if t.file < 0 || !isBase64(row[t.file]) {
		return row
	}
	name := t.fileName(row, record)
	row = slices.Clone(row)
	row[t.file] = json.RawMessage(strconv.AppendQuote(nil, name)) // no character of it is written otherwise in JSON
	return row
}

// fileName returns where the file of a record is, below data/.
func (t *table) fileName(row []json.RawMessage, n int64) string {
	name := ""
	if t.named >= 0 {
		name = safeName(record.Text(row[t.named]))
	}
	if name != "" {
		name = "-" + name
	}
	return t.system + "/" + t.dataset.Name + "/" + strconv.FormatInt(n+1, 10) + name
}

// safeName returns of a file's name what every file system takes.
func safeName(name string) string {
	name = name[strings.LastIndexAny(name, `/\`)+1:]
	var b strings.Builder
	for _, r := range name {
		switch {
		case unicode.IsLetter(r) || unicode.IsDigit(r) || unicode.IsMark(r) || r == '.' || r == '-' || r == '_':
			b.WriteRune(r)
		case r == ' ':
			b.WriteByte('_')
		}
	}
	runes := []rune(strings.Trim(b.String(), "._-"))
	if over := len(runes) - maxFileName; over > 0 { // its end says what it is
		runes = runes[over:]
	}
	return strings.Trim(string(runes), "._-")
}

// isBase64 reports whether a value is the content of a file.
func isBase64(raw json.RawMessage) bool {
	text, ok := plainString(raw)
	if !ok || raw[0] != '"' || len(text) == 0 || len(text)%4 != 0 {
		return false
	}
	padding := len(text)
	for padding > len(text)-2 && text[padding-1] == '=' {
		padding--
	}
	for _, c := range text[:padding] {
		if (c < '0' || c > '9') && (c < 'A' || c > 'Z') && (c < 'a' || c > 'z') && c != '+' && c != '/' {
			return false
		}
	}
	return true
}

// attach writes the files of a source's records, one after the other.
func (b *build) attach(ctx context.Context, part *systemPart, src Source) error {
	return b.eachSection(ctx, src, func(rd *record.Reader, sec record.Section) error {
		at := slices.IndexFunc(part.tables, func(t *table) bool { return t.dataset.Name == sec.Dataset })
		if at < 0 || part.tables[at].files == 0 {
			return nil
		}
		t := part.tables[at]
		for n := int64(0); ; n++ {
			row, err := rd.Row()
			if err == io.EOF {
				return nil
			}
			if err != nil {
				return err
			}
			if len(row) != len(t.names) {
				return errChanged
			}
			if row = t.covered(t.withoutOthers(b, row)); !isBase64(row[t.file]) {
				continue
			}
			if err := b.attachOne(t, row, n); err != nil {
				return err
			}
		}
	})
}

func (b *build) attachOne(t *table, row []json.RawMessage, n int64) error {
	text, _ := plainString(row[t.file])
	content, err := base64.StdEncoding.AppendDecode(nil, text)
	if err != nil {
		return fmt.Errorf("dataset %s: a file's content isn't base64", t.dataset.Name)
	}
	name := t.fileName(row, n)
	p, err := b.archive.addPayload(name, content)
	if err != nil {
		return err
	}
	b.attached = append(b.attached, attached{packed: p, name: t.system + "." + t.dataset.Name + "." + strconv.FormatInt(n+1, 10), title: path.Base(name), media: mediaOf(name), of: t.plan})
	return nil
}

// appendFile adds a file as people look at it: shown, played, or by its name. The path is of
// our own making, but for letters and digits of the file's name.
func appendFile(html []byte, name string) []byte {
	to := pathEscaped(name)
	label := path.Base(name)
	switch kind, _, _ := strings.Cut(mediaOf(name), "/"); kind {
	case "image":
		html = append(html, `<a href="`+to+`"><img loading="lazy" src="`+to+`" alt="`...)
		return append(appendEscaped(html, label), `"></a>`...)
	case "audio":
		html = append(html, `<audio controls preload="none" src="`+to+`"></audio> <a href="`+to+`">`...)
	case "video":
		html = append(html, `<video controls preload="none" src="`+to+`"></video> <a href="`+to+`">`...)
	default:
		html = append(html, `<a download href="`+to+`">`...)
	}
	return append(appendEscaped(html, label), "</a>"...)
}

// pathEscaped writes a path for a link: all but what a URL's path has as it is by its bytes.
func pathEscaped(name string) string {
	var b strings.Builder
	for _, c := range []byte(name) {
		if c >= '0' && c <= '9' || c >= 'A' && c <= 'Z' || c >= 'a' && c <= 'z' || c == '/' || c == '-' || c == '_' || c == '.' {
			b.WriteByte(c)
		} else {
			fmt.Fprintf(&b, "%%%02X", c)
		}
	}
	return b.String()
}
