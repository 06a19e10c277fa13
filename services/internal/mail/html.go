package mail

import (
	_ "embed"
	"html/template"
	"regexp"
	"strings"
	"unicode"
)

// Brand is how the company looks in a mail's HTML part.
type Brand struct {
	Name string
	// Accent is its colour, #rrggbb; empty: a dark one.
	Accent string
}

const defaultAccent = "#2b3a4a"

//go:embed mail.gohtml
var pageText string

var page = template.Must(template.New("mail").Parse(pageText))

// run is a piece of a paragraph: text, or an address that is opened.
type run struct {
	Text, Link string
	Strong     bool
}

// address is an address in a text, without what ends the sentence behind it.
var address = regexp.MustCompile(`https?://[^\s<>"]*[^\s<>".,;:!?)]`)

// maxShown is how many characters of an address are shown: who reads it sees where it leads.
const maxShown = 36

// html returns the HTML part of a mail: what its text says, and nothing else. It loads nothing,
// so that opening it tells nobody, and reads on a telephone, in light and dark.
func (b Brand) html(m Message) (string, error) {
	var paragraphs [][]run
	for _, p := range strings.Split(m.Text, "\n\n") {
		if p = strings.Join(strings.FieldsFunc(p, breaks), " "); p != "" {
			paragraphs = append(paragraphs, runs(p, m.Strong))
		}
	}
	if b.Accent == "" {
		b.Accent = defaultAccent
	}
	var out strings.Builder
	err := page.Execute(&out, map[string]any{"Language": m.Language, "Subject": m.Subject, "Brand": b, "Paragraphs": paragraphs})
	return out.String(), err
}

// breaks reports whether a line can end at a character, as it can't at a space of French
// before a colon.
func breaks(r rune) bool { return unicode.IsSpace(r) && r != '\u00a0' && r != '\u202f' }

// runs takes a paragraph apart.
func runs(text, strong string) []run {
	var out []run
	plain := func(text string) {
		before, after, found := strings.Cut(text, strong)
		if strong == "" || !found {
			before, found = text, false
		}
		if before != "" {
			out = append(out, run{Text: before})
		}
		if found {
			out = append(out, run{Text: strong, Strong: true})
			if after != "" {
				out = append(out, run{Text: after})
			}
		}
	}
	from := 0
	for _, at := range address.FindAllStringIndex(text, -1) {
		plain(text[from:at[0]])
		link := text[at[0]:at[1]]
		_, shown, _ := strings.Cut(link, "://")
		if letters := []rune(shown); len(letters) > maxShown {
			shown = string(letters[:maxShown-1]) + "…"
		}
		out, from = append(out, run{Text: shown, Link: link}), at[1]
	}
	plain(text[from:])
	return out
}
