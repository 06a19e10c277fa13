package console

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"

	"habeas.dev/services/internal/core"
	"habeas.dev/services/internal/correspondence"
	"habeas.dev/services/internal/letter"
	"habeas.dev/services/internal/outbox"
)

// maxLetter bounds what is read of a letter, in bytes: many times the longest.
const maxLetter = 64 << 10

// Letters opens the letters that were written, as they lie in the outbox.
type Letters interface {
	// OpenLetter opens a letter by the name of its object.
	OpenLetter(ctx context.Context, object string) (io.ReadCloser, error)
}

// Phrase is something that agents write to people often.
type Phrase struct {
	Title string `yaml:"title"`
	Text  string `yaml:"text"`
}

// Phrases holds saved phrases by the language that they are in.
type Phrases map[string][]Phrase

// maxPhrases bounds the phrases of one language: more than anybody chooses from.
const maxPhrases = 100

// ReadPhrases reads a file of saved phrases.
func ReadPhrases(path string) (Phrases, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }() // it was read
	read := yaml.NewDecoder(f)
	read.KnownFields(true)
	var p Phrases
	if err := read.Decode(&p); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	for lang, list := range p {
		if len(list) > maxPhrases {
			return nil, fmt.Errorf("%s: %s has %d phrases, at most %d are taken", path, lang, len(list), maxPhrases)
		}
		for i := range list {
			one := &list[i]
			one.Title, one.Text = strings.TrimSpace(one.Title), strings.TrimSpace(one.Text)
			if n := utf8.RuneCountInString(one.Text); one.Title == "" || n == 0 || n > maxReason || strings.Contains(one.Text, "@") {
				return nil, fmt.Errorf("%s: phrase %d of %s must have a title, and a text of at most %d characters without addresses", path, i+1, lang, maxReason)
			}
		}
	}
	return p, nil
}

// shownLetter is a letter on a page.
type shownLetter struct {
	Kind       core.Letter
	Language   string
	Subject    string
	Paragraphs []string
	At         time.Time
	Channel    string
	RequestID  string
}

// readLetter shows a letter as it was written.
func (c *Console) readLetter(w http.ResponseWriter, r *http.Request, u User) {
	id, read, ok := c.named(w, r, u)
	if !ok {
		return
	}
	cause, _ := strconv.Atoi(r.PathValue("cause"))
	i := slices.IndexFunc(read.state.Letters, func(l core.LetterSent) bool { return l.Cause == cause && string(l.Letter) == r.PathValue("kind") })
	if i < 0 || c.Letters == nil {
		c.fail(w, r, u, http.StatusNotFound, "This letter isn’t here.")
		return
	}
	sent := read.state.Letters[i]
	text, err := c.openLetter(r.Context(), outbox.LetterName(id, sent.Cause, sent.Letter, sent.Language))
	if err != nil {
		c.trouble(r.Context(), err)
		c.fail(w, r, u, http.StatusNotFound, "This letter isn’t in the outbox any more: its time had come.")
		return
	}
	c.render(w, r, http.StatusOK, "letter.html", page{User: u, Title: "Letter", Here: "requests", Body: shownAs(id, sent, text)})
}

// shownAs returns a letter of the outbox, whose first paragraph is its subject.
func shownAs(id string, sent core.LetterSent, text string) shownLetter {
	subject, rest, _ := strings.Cut(strings.TrimSpace(text), "\n\n")
	return shownLetter{Kind: sent.Letter, Language: sent.Language, Subject: subject, Paragraphs: strings.Split(rest, "\n\n"), At: sent.At, Channel: string(sent.Channel), RequestID: id}
}

func (c *Console) openLetter(ctx context.Context, object string) (string, error) {
	in, err := c.Letters.OpenLetter(ctx, object)
	if err != nil {
		return "", err
	}
	defer func() { _ = in.Close() }() // it was only read
	text, err := io.ReadAll(io.LimitReader(in, maxLetter))
	return string(text), err
}

// written returns the acts of which a letter comes, with what they do.
func written() map[core.Verb]action {
	return map[core.Verb]action{core.VerbAskProof: askProof, core.VerbAskClarification: askClarification, core.VerbExtend: extend, core.VerbRefuse: refuse, core.VerbDecide: decide}
}

// previewLetter shows the letter that an act would have the person written, and does
// nothing: what was filled in is still in the form.
func (c *Console) previewLetter(w http.ResponseWriter, r *http.Request, u User) {
	id, form, ok := c.form(w, r, u)
	if !ok {
		return
	}
	verb := core.Verb(form.Get("letter"))
	do, known := written()[verb]
	if !known || core.RoleFor(verb) > u.Role || c.Writer == nil {
		c.again(w, r, u, id, form, errChoice)
		return
	}
	letters, err := c.lettersOf(r.Context(), u, id, form, do)
	if err != nil {
		c.again(w, r, u, id, form, err)
		return
	}
	c.show(w, r, u, id, func(b *requestBody) {
		b.typed(string(verb), form)
		b.Preview = letters
	})
}

// lettersOf returns the letters that an act would have the person written.
func (c *Console) lettersOf(ctx context.Context, u User, id string, form values, do action) (out []letter.Letter, err error) {
	s, err := c.state(ctx, id)
	if err != nil {
		return nil, err
	}
	command, err := do(c, u, form, c.now())
	if err != nil {
		return nil, err
	}
	events, err := core.Decide(s, command)
	if err != nil {
		return nil, err
	}
	for _, e := range events {
		before := len(s.Occasions)
		s = core.Evolve(s, e)
		for _, o := range s.Occasions[min(before, len(s.Occasions)):] {
			told := s.Told()
			for seq := 1; seq <= s.Version; seq++ { // the facts that there would be, which have no hash yet
				told.Facts = append(told.Facts, core.Cited{Seq: seq, Hash: "preview"})
			}
			stated := correspondence.Document(c.Writer, s, told, o)
			l, err := c.Writer.Write(o.Letter, &stated, false)
			if err != nil {
				return nil, err
			}
			out = append(out, l)
		}
	}
	return out, nil
}
