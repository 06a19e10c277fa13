// Package words has what Habeas says to people, in each language: answers and
// their pages, letters, mail to those who run it, the console, the sentences of
// codes, the record of processing activities. What one system or one law says is in
// its manifest or in the law's file.
//
// A language is a folder, named by its BCP 47 language, whose files are those of en:
//
//	language.yaml   its name, dates and numbers
//	answer.yaml     the page of an answer to a person
//	statements.yaml what an answer states, by kind (services/internal/statement)
//	letters.yaml    the words of letters
//	letters.tmpl    the letters
//	journal.yaml    the journal's words: statuses, rights, actions, outcomes, and so on
//	mail.yaml       mail to those who run Habeas
//	record.yaml     the record of processing activities
//	portal.yaml     the portal, by what is said where
//	causes.yaml     a sentence for each code of a task that waits or failed
//	refusals.yaml   why something wasn't done
//	sentences.yaml  the console, by its English; en has none. It may have what laws and
//	                manifests say, too, which don't know the language themselves.
//
// Japanese letters are ja/letters.tmpl. A language is complete or isn't loaded: a
// word that en has and it lacks, one too many, and other placeholders are errors
// (TestLanguagesAreAlike). Beside those that are built in, an installation has those of its
// own folders ([Load]).
package words

import (
	"bytes"
	"cmp"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path"
	"reflect"
	"slices"
	"strings"
	"sync"
	"text/template"

	"go.yaml.in/yaml/v3"
)

// reference is the language that the others are held to, and the one for whoever
// reads none of them.
const reference = "en"

// Language is everything that Habeas says in one language.
type Language struct {
	// Tag is the language's BCP 47 tag.
	Tag string
	// Name is the language's own name for itself.
	Name string

	Answer  Answer
	Letters Letters
	Mail    Mail
	Notice  Notice
	Record  Record
	// Journal has the journal's words, as people read them ([Language.Word]).
	Journal map[string]string
	// Portal has the portal's texts.
	Portal map[string]string
	// Causes has the sentences of codes.
	Causes map[string]string
	// Refusals has the sentences of refusals ([RefusalCode]).
	Refusals map[string]string
	// Sentences has texts by their English.
	Sentences map[string]string

	format format
	laws   map[string]*Language // with the words that a law has for its rights
}

// Word returns a word of the journal as people read it: needs-attention is "needs
// attention". What isn't the journal's it says as a text ([Language.Say]).
func (l *Language) Word(word string) string { return cmp.Or(l.Journal[word], l.Say(word)) }

// Text returns a text of a law or a manifest in the language: its own, or what the
// language's sentences.yaml says for its English, or the English; as it is printed,
// whatever keys its author has.
func (l *Language) Text(t map[string]string) string {
	if own := t[l.Tag]; own != "" {
		return l.Bound(l.spaced(printed(own)))
	}
	return l.Bound(l.spaced(printed(l.Say(t[reference]))))
}

// Say returns a text of the console in the language, by its English; the English
// where the language has none.
func (l *Language) Say(english string) string { return cmp.Or(l.Sentences[english], english) }

// Languages are what an installation speaks: the languages that are built in, and those
// of its folders. They are read-only, and safe for many goroutines. Nil Languages are those
// that are built in.
type Languages struct{ byTag map[string]*Language }

// Load reads the languages that are built into Habeas, and then those of folders: each
// folder in one of them is a language. One of a folder stands instead of a built-in one of
// the same tag, English aside, by which the others are checked.
func Load(folders ...string) (*Languages, error) {
	all := &Languages{maps.Clone(builtIn().byTag)}
	for _, folder := range folders {
		own, err := languagesOf(os.DirFS(folder), English())
		if err != nil {
			return nil, fmt.Errorf("%w (in %s)", err, folder)
		}
		maps.Copy(all.byTag, own)
		if len(own) == 0 {
			return nil, fmt.Errorf("words: no language in %s: a language is a folder of its own, named by its tag, as fr", folder)
		}
	}
	return all, nil
}

// LoadFS reads the languages of one folder, and no other. It must have English.
func LoadFS(folder fs.FS) (*Languages, error) {
	all, err := languagesOf(folder, nil)
	if err != nil {
		return nil, err
	}
	return &Languages{all}, nil
}

func (l *Languages) tags() map[string]*Language {
	if l == nil {
		return builtIn().byTag
	}
	return l.byTag
}

// Get returns the language of a locale (BCP 47), whatever its region; nil where it is none
// of these.
func (l *Languages) Get(locale string) *Language {
	tag, _, _ := strings.Cut(strings.ReplaceAll(locale, "_", "-"), "-")
	return l.tags()[strings.ToLower(tag)]
}

// For returns the language of a locale, and English where it is none of these.
func (l *Languages) For(locale string) *Language {
	return cmp.Or(l.Get(locale), l.tags()[reference])
}

// Pick returns the language of a locale, or where it is none of these, the first of the
// preferred ones that is.
func (l *Languages) Pick(locale string, preferred []string) *Language {
	for _, tag := range append([]string{locale}, preferred...) {
		if one := l.Get(tag); one != nil {
			return one
		}
	}
	return l.For(reference)
}

// All returns the languages, English first.
func (l *Languages) All() []*Language {
	all := slices.Collect(maps.Values(l.tags()))
	slices.SortFunc(all, func(a, b *Language) int {
		return cmp.Or(cmp.Compare(order(a), order(b)), cmp.Compare(a.Tag, b.Tag))
	})
	return all
}

// For returns the built-in language of a locale (BCP 47): whatever its region, and English
// where it is none of those.
func For(locale string) *Language { return (*Languages)(nil).For(locale) }

// English returns the language that the others are held to.
func English() *Language { return builtIn().byTag[reference] }

// All returns the built-in languages, English first.
func All() []*Language { return (*Languages)(nil).All() }

func order(l *Language) int {
	if l.Tag == reference {
		return 0
	}
	return 1
}

//go:embed */*.yaml */*.tmpl
var files embed.FS

// builtIn are the languages in the program.
var builtIn = sync.OnceValue(func() *Languages {
	all, err := LoadFS(files)
	if err != nil {
		panic(err) // a mistake in the files, which TestLanguagesAreAlike tells first
	}
	return all
})

// languagesOf reads the languages of a folder, by their tags, and holds them to English:
// the folder's own, or the one that is given. An error names the file, and the word that is
// missing, unknown, or unlike the English.
func languagesOf(folder fs.FS, english *Language) (map[string]*Language, error) {
	all := map[string]*Language{}
	tags, err := fs.ReadDir(folder, ".")
	if err != nil {
		return nil, fmt.Errorf("words: %w", err)
	}
	for _, dir := range tags {
		if !dir.IsDir() {
			continue
		}
		if dir.Name() == reference && english != nil {
			return nil, errors.New("words: en: English is built in: the other languages are checked by it")
		}
		l, err := read(folder, dir.Name())
		if err != nil {
			return nil, fmt.Errorf("words: %s: %w", dir.Name(), err)
		}
		all[l.Tag] = l
	}
	if english = cmp.Or(english, all[reference]); english == nil {
		return nil, errors.New("words: no folder en")
	}
	for _, l := range all {
		if err := alike(english, l); err != nil {
			return nil, fmt.Errorf("words: %s: %w", l.Tag, err)
		}
		l.complete(english)
	}
	return all, nil
}

// complete adds the sentences of codes and refusals to those of the console, by their English.
func (l *Language) complete(english *Language) {
	for code, cause := range english.Causes {
		l.Sentences[cause] = l.Causes[code]
	}
	for code, refusal := range english.Refusals {
		l.Sentences[refusal] = l.Refusals[code]
	}
}

// read reads one language's folder. Its texts are bound ([Language.Bound]); a letter is when it
// is written.
func read(folder fs.FS, tag string) (*Language, error) {
	l := &Language{Tag: tag, Sentences: map[string]string{}}
	texts := map[string]any{
		"language": &l.format, "answer": &l.Answer, "statements": &l.Answer.Statements, "letters": &l.Letters, "journal": &l.Journal, "mail": &l.Mail, "notice": &l.Notice, "record": &l.Record, "portal": &l.Portal, "causes": &l.Causes, "refusals": &l.Refusals, "sentences": &l.Sentences,
	}
	for name, into := range texts {
		text, err := fs.ReadFile(folder, path.Join(tag, name+".yaml"))
		if name == "sentences" && tag == reference && errors.Is(err, fs.ErrNotExist) {
			continue // it is what the others go by
		}
		if err != nil {
			return nil, err
		}
		d := yaml.NewDecoder(bytes.NewReader(text))
		d.KnownFields(true)
		if err := d.Decode(into); err != nil {
			return nil, fmt.Errorf("%s.yaml: %w", name, err)
		}
	}
	for _, into := range texts {
		l.bindAll(reflect.ValueOf(into).Elem())
	}
	letters, err := template.New(tag).Option("missingkey=error").ParseFS(folder, path.Join(tag, "letters.tmpl"))
	if err != nil {
		return nil, err
	}
	l.Name, l.Letters.Templates, l.Answer.Language = l.format.Name, letters, l
	return l, nil
}
