package portal

import (
	"bytes"
	"cmp"
	"embed"
	"fmt"
	"html/template"
	"io/fs"
	"net/http"
	"path"
	"slices"
	"strconv"
	"strings"
	"time"

	"golang.org/x/text/language"

	"habeas.dev/services/internal/words"
)

//go:embed templates
var sources embed.FS

// pages holds the templates of one language, by file name.
type pages map[string]*template.Template

// parsePages reads the templates once for each language.
func parsePages(languages *words.Languages) (map[string]pages, error) {
	files, err := fs.Glob(sources, "templates/*.html")
	if err != nil {
		return nil, err
	}
	all := map[string]pages{}
	for _, l := range languages.All() {
		set := pages{}
		for _, file := range files {
			t := template.New("layout.html").Funcs(template.FuncMap{"t": say(l), "others": others(languages, l), "concept": concept(l)})
			if set[path.Base(file)], err = t.ParseFS(sources, "templates/layout.html", file); err != nil {
				return nil, fmt.Errorf("portal: %w", err)
			}
		}
		all[l.Tag] = set
	}
	return all, nil
}

// say returns what says a text of a language; one that there isn't is an error.
func say(l *words.Language) func(key string, args ...any) (string, error) {
	return func(key string, args ...any) (string, error) {
		text, ok := l.Portal[key]
		if !ok {
			return "", fmt.Errorf("portal: no text %s", key)
		}
		if len(args) > 0 {
			text = fmt.Sprintf(text, args...)
		}
		return text, nil
	}
}

// concept returns what says what a correction names: an operator's own go by their names.
func concept(l *words.Language) func(string) string {
	return func(name string) string { return cmp.Or(l.Portal["concept."+name], name) }
}

// others returns the languages that a reader of this one can change to.
func others(languages *words.Languages, l *words.Language) func() []*words.Language {
	return func() []*words.Language {
		return slices.DeleteFunc(languages.All(), func(o *words.Language) bool { return o.Tag == l.Tag })
	}
}

// steps is how many pages asking takes.
const steps = "4"

// page is what every template is given.
type page struct {
	Lang   string
	Brand  Brand
	Title  string // the name of its text
	Step   int    // which of the steps of asking it is; 0: none
	Error  string // the name of what went wrong
	Script bool   // it opens an answer
	Here   string // its address, where it can be shown again; else empty
	Body   any
}

// StepText returns which step it is.
func (p page) StepText() string { return strconv.Itoa(p.Step) }

// Steps returns how many there are.
func (page) Steps() string { return steps }

// HasLogo reports whether there is a picture.
func (p page) HasLogo() bool { return len(p.Brand.Logo) > 0 }

// render writes a page. It is made as a whole first: what fails halfway is no page.
func (p *Portal) render(w http.ResponseWriter, r *http.Request, status int, file string, v page) {
	v.Lang, v.Brand = p.languageOf(r), p.Brand
	v.Brand.Name = p.called(v.Lang)
	if r.Method == http.MethodGet {
		v.Here = r.URL.RequestURI()
	}
	if _, asks := v.Body.(codePage); asks {
		v.Step = 4
		if v.Body.(codePage).Enters || v.Body.(codePage).Code != "" {
			v.Step = 0
		}
	}
	var b bytes.Buffer
	if err := p.pages[v.Lang][file].Execute(&b, v); err != nil {
		p.trouble(r.Context(), err)
		http.Error(w, p.Languages.For(v.Lang).Portal["error.broken"], http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Content-Language", v.Lang)
	w.WriteHeader(status)
	_, _ = b.WriteTo(w)
}

// fail writes a page that says why there is no other.
func (p *Portal) fail(w http.ResponseWriter, r *http.Request, status int, problem string) {
	p.render(w, r, status, "failed.html", page{Title: "error.title", Error: problem})
}

// broken writes that something is wrong with Habeas itself, and logs it.
func (p *Portal) broken(w http.ResponseWriter, r *http.Request, err error) {
	p.trouble(r.Context(), err)
	p.fail(w, r, http.StatusServiceUnavailable, "error.broken")
}

// languageCookie holds the language that somebody chose.
const languageCookie = "habeas-language"

// languageOf returns the language that somebody chose, or that their browser asks for.
func (p *Portal) languageOf(r *http.Request) string {
	all := p.Languages.All()
	if c, err := r.Cookie(languageCookie); err == nil {
		for _, l := range all {
			if l.Tag == c.Value {
				return l.Tag
			}
		}
	}
	tags := make([]language.Tag, len(all))
	for i, l := range all {
		tags[i] = language.Make(l.Tag)
	}
	_, i := language.MatchStrings(language.NewMatcher(tags), r.Header.Get("Accept-Language"))
	return all[i].Tag
}

// setLanguage stores the language that somebody chose, and shows the page again.
func (p *Portal) setLanguage(w http.ResponseWriter, r *http.Request) {
	r.Body = http.MaxBytesReader(w, r.Body, maxForm)
	chosen := r.PostFormValue("language")
	for _, l := range p.Languages.All() {
		if l.Tag == chosen {
			http.SetCookie(w, &http.Cookie{Name: languageCookie, Value: chosen, Path: "/", MaxAge: int((365 * 24 * time.Hour).Seconds()), Secure: p.overTLS(), HttpOnly: true, SameSite: http.SameSiteLaxMode})
			http.Redirect(w, r, ownPage(r.PostFormValue("page")), http.StatusSeeOther)
			return
		}
	}
	p.fail(w, r, http.StatusUnprocessableEntity, "error.form")
}

// ownPage returns a path of this site, whatever was asked for.
func ownPage(asked string) string {
	if !strings.HasPrefix(asked, "/") || strings.HasPrefix(asked, "//") || strings.ContainsAny(asked, "\\\r\n") {
		return "/"
	}
	return asked
}
