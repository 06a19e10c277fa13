package bundle

import (
	"bytes"
	"encoding/base64"
	"mime/quotedprintable"
	"net/mail"
	"strings"
	"time"
	"unicode/utf8"

	"habeas.dev/pkg/manifest"
)

// messagesOf returns the form of a mail program: a message each (RFC 5322, MIME). Each says
// that it was made of a record, and isn't the message as it went. Where nobody is known to have
// written it, it is from a group without members, called as the system is (RFC 6854).
func messagesOf(m *manifest.Message, at func(string) int, pl *plan) *app {
	sent, subject, text, from, to := at(m.Sent), at(m.Subject), at(m.Text), at(m.From), at(m.To)
	return &app{ending: ".eml", media: "message/rfc822", add: func(dst []byte, r appRow) []byte {
		when, _, ok := readTime([]byte(r.line(sent)))
		if !ok {
			return dst
		}
		dst = append(dst, "Date: "+when.Format(time.RFC1123Z)+"\r\n"...)
		author := addresses(r.line(from))
		if author == "" {
			author = group(pl.systemTitle)
		}
		dst = append(dst, "From: "+author+"\r\n"...)
		if receiver := addresses(r.line(to)); receiver != "" {
			dst = append(dst, "To: "+receiver+"\r\n"...)
		}
		dst = append(dst, "Message-ID: <"+r.id+">\r\n"...)
		if title := r.line(subject); title != "" {
			dst = append(dst, "Subject: "+encodedText(title)+"\r\n"...)
		}
		dst = append(dst, "Comments: "+encodedText(pl.words.MessageMade)+"\r\n"...)
		dst = append(dst, "MIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n"...)
		var body bytes.Buffer
		w := quotedprintable.NewWriter(&body)
		_, _ = w.Write([]byte(strings.ReplaceAll(r.text(text), "\n", "\r\n"))) // never fails: it is in memory
		_ = w.Close()
		return append(append(dst, body.Bytes()...), "\r\n"...)
	}}
}

// addresses returns a cell as a header has addresses: one or several, a line each; or as a
// group's name, where it holds none. Empty for an empty one.
func addresses(text string) string {
	if text == "" {
		return ""
	}
	list, err := mail.ParseAddressList(text)
	if err != nil {
		return group(text)
	}
	all := make([]string, len(list))
	for i, a := range list {
		if !plain(a.Address) || len(a.Address) > maxAddress {
			return group(text) // no header holds it as an address
		}
		all[i] = (&mail.Address{Address: a.Address}).String()
		if name := strings.ToValidUTF8(a.Name, "�"); name != "" { // what was encoded may be anything
			all[i] = phrase(name) + "\r\n " + all[i]
		}
	}
	return strings.Join(all, ",\r\n ")
}

// maxAddress is the longest address, in octets (RFC 5321).
const maxAddress = 254

// group returns a group without members: a name where there is no address.
func group(name string) string { return phrase(name) + ":;" }

// phrase returns a name as a header has it.
func phrase(name string) string {
	if plain(name) && len(name) <= maxEncoded {
		return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(name) + `"`
	}
	return encodedWords(name)
}

// maxEncoded is how many octets of a text are in one encoded word: in base64, with what is
// around them, they stay below the 75 that one may have (RFC 2047).
const maxEncoded = 36

// encodedText returns a text as a header has it: as it is where it can be, else in encoded
// words.
func encodedText(text string) string {
	if plain(text) && len(text) <= maxEncoded && !strings.Contains(text, "=?") {
		return text
	}
	return encodedWords(text)
}

// encodedWords returns a text in encoded words, a line each, and never cut within a character.
func encodedWords(text string) string {
	var words []string
	for len(text) > 0 {
		cut := min(len(text), maxEncoded)
		for cut > 1 && cut < len(text) && !utf8.RuneStart(text[cut]) {
			cut--
		}
		words = append(words, "=?utf-8?B?"+base64.StdEncoding.EncodeToString([]byte(text[:cut]))+"?=")
		text = text[cut:]
	}
	return strings.Join(words, "\r\n ")
}

// plain reports whether a text is printable ASCII.
func plain(text string) bool {
	for i := range len(text) {
		if text[i] < ' ' || text[i] > '~' {
			return false
		}
	}
	return true
}
