package console

import (
	"bytes"
	"embed"
	"fmt"
	"html/template"
	"io/fs"
	"net/http"
	"path"
	"regexp"
	"strings"
	"time"

	"habeas.dev/pkg/dsar"
	"habeas.dev/pkg/vendorapi"
	"habeas.dev/services/internal/core"
	"habeas.dev/services/internal/words"
)

//go:embed assets
var assets embed.FS

//go:embed templates
var sources embed.FS

// pages holds the templates of one language, by file name.
type pages map[string]*template.Template

// parsePages reads the templates once for each language: the words are put in by
// functions, and those are bound to one.
func parsePages(languages *words.Languages) (map[string]pages, error) {
	all := map[string]pages{}
	files, err := fs.Glob(sources, "templates/*.html")
	if err != nil {
		return nil, err
	}
	for _, lang := range languages.All() {
		set := pages{}
		for _, file := range files {
			t := template.New("layout.html").Funcs(locale{lang, languages}.funcs())
			if set[path.Base(file)], err = t.ParseFS(sources, "templates/layout.html", "templates/icons.html", "templates/parts.html", "templates/forms.html", file); err != nil {
				return nil, fmt.Errorf("console: %w", err)
			}
		}
		all[lang.Tag] = set
	}
	return all, nil
}

// page is what every template is given.
type page struct {
	Lang    *words.Language
	User    User
	Title   string
	Tab     string   // of the browser's tab, where it says more than the title; in the reader's language
	People  []string // who can be assigned to: those who have requests in hand
	New     bool     // requests can be taken in
	Here    string   // which of the menu's places it is
	Path    string   // of this page, to come back to
	SignOut bool
	Error   string // what went wrong with the last act
	Notice  string // what was done
	Now     time.Time
	Body    any
}

// May reports whether the user has a role, by its name.
func (p page) May(role string) bool { return p.User.Role >= RoleOf(role) }

// render writes a page. It is made as a whole first: what fails halfway is no page.
func (c *Console) render(w http.ResponseWriter, r *http.Request, status int, file string, p page) {
	p.Lang, p.Now, p.SignOut, p.New = languageOf(r), c.Now(), c.SignIn.CanSignOut(), c.TakeIn != nil
	if b, ok := p.Body.(requestBody); ok {
		b.Back = listOf(r, b.RequestID)
		p.Tab, p.Body = b.Tab(p.Lang), b
	}
	if p.User.Role >= Agent && (file == "list.html" || file == "request.html") {
		p.People = c.people.get(r.Context())
	}
	if p.Path == "" && r.Method == http.MethodGet {
		p.Path = r.URL.RequestURI()
	}
	p.Title, p.Error, p.Notice = p.Lang.Say(p.Title), p.Lang.Say(p.Error), p.Lang.Say(p.Notice)
	var b bytes.Buffer
	if err := c.pages[p.Lang.Tag][file].Execute(&b, p); err != nil {
		c.trouble(r.Context(), err)
		http.Error(w, languageOf(r).Say("this page can't be shown"), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Content-Language", p.Lang.Tag)
	w.WriteHeader(status)
	_, _ = b.WriteTo(w)
}

// part renders one block of a page.
func (c *Console) part(lang *words.Language, file, block string, p page) ([]byte, error) {
	var b bytes.Buffer
	err := c.pages[lang.Tag][file].ExecuteTemplate(&b, block, p)
	return b.Bytes(), err
}

// fail writes a page that says why there is no other.
func (c *Console) fail(w http.ResponseWriter, r *http.Request, u User, status int, text string) {
	c.render(w, r, status, "failed.html", page{User: u, Title: "Not possible", Path: "/", Body: languageOf(r).Say(text)})
}

// broken writes that something is wrong with Habeas itself, and logs it.
func (c *Console) broken(w http.ResponseWriter, r *http.Request, u User, err error) {
	c.trouble(r.Context(), err)
	c.fail(w, r, u, http.StatusServiceUnavailable, words.English().Refusals["unavailable"])
}

// funcs returns the functions of templates.
func (l locale) funcs() template.FuncMap {
	return template.FuncMap{
		"t": func(text string, args ...any) string {
			if text = l.lang.Say(text); len(args) > 0 {
				return fmt.Sprintf(text, args...)
			}
			return text
		},
		"others":  l.others,
		"status":  func(s any) string { return l.lang.Word(fmt.Sprint(s)) },
		"actor":   core.ActorName,
		"tone":    func(s any) string { return tone(fmt.Sprint(s)) },
		"when":    l.when,
		"due":     l.due,
		"took":    l.took,
		"lasted":  l.lasted,
		"goes":    func(c dsar.Counts) int64 { return c.Found - c.Kept() },
		"records": func(n int64) string { return l.plural("%d record", "%d records", int(n)) },
		"why":     l.why,
		"timed":   l.timed,
		"second":  l.second,
		"ago":     l.ago,
		"later":   l.later,
		"date":    l.date,
		"day":     l.day,
		"icon":    func(s any) string { return icon(fmt.Sprint(s)) },
		"short":   func(id string) string { return id[:min(8, len(id))] },
		"join":    func(names []string) string { return strings.Join(names, ", ") },
		"left": func(a vendorapi.Account) int64 {
			calls, _ := a.Remaining()
			return calls
		},
		"outcome": func(o any) string { return l.lang.Word(fmt.Sprint(o)) },
		"dict": func(pairs ...any) map[string]any {
			m := map[string]any{}
			for i := 0; i+1 < len(pairs); i += 2 {
				m[fmt.Sprint(pairs[i])] = pairs[i+1]
			}
			return m
		},
	}
}

// when returns a time: in UTC as it is sent, in the reader's zone once the page's
// script has run, and exact on hover.
func (l locale) when(at time.Time) template.HTML {
	return instant(at, "minute", l.lang.ShortMoment(at, "15:04"))
}

// second returns a time to the second, and date only its day.
func (l locale) second(at time.Time) template.HTML {
	return instant(at, "second", l.lang.ShortMoment(at, "15:04:05"))
}

func (l locale) date(at time.Time) template.HTML {
	return instant(at, "day", l.lang.ShortDate(at.UTC()))
}

// day returns a day that is the same whoever reads it, as the time has it: until when something
// is kept, or when an answer is due by its law ([policy.Book.Local]).
func (l locale) day(at time.Time) template.HTML {
	if at.IsZero() {
		return ""
	}
	return template.HTML(fmt.Sprintf(`<time datetime="%s" data-local title="%s">%s</time>`, at.UTC().Format("2006-01-02T15:04:05.000Z"), at.Format("2006-01-02 15:04 MST"), l.lang.ShortDate(at))) //nolint:gosec // digits, and the language's own words
}

func instant(at time.Time, to, text string) template.HTML {
	if at.IsZero() {
		return ""
	}
	exact := at.UTC().Format("2006-01-02T15:04:05.000Z")
	return template.HTML(fmt.Sprintf(`<time datetime="%s" data-to="%s" title="%s">%s</time>`, exact, to, exact, text)) //nolint:gosec // digits, and the language's own words
}

// ago returns how long ago something was, with the exact time in the element and on hover.
func (l locale) ago(at, now time.Time) template.HTML {
	if at.IsZero() {
		return ""
	}
	text := l.lang.Say("just now")
	switch d := now.Sub(at); {
	case d < time.Minute:
	case d < time.Hour:
		text = l.plural("%d minute ago", "%d minutes ago", int(d.Minutes()))
	case d < 48*time.Hour:
		text = l.plural("%d hour ago", "%d hours ago", int(d.Hours()))
	default:
		text = l.plural("%d day ago", "%d days ago", int(d.Hours()/24))
	}
	exact := at.UTC().Format("2006-01-02T15:04:05.000Z")
	return template.HTML(fmt.Sprintf(`<time datetime="%s" data-ago title="%s">%s</time>`, exact, l.lang.ShortMoment(at, "15:04:05"), template.HTMLEscapeString(text))) //nolint:gosec // digits, and words
}

// later returns how long after another time something was: "+1.2 s".
func (l locale) later(at, from time.Time) template.HTML {
	exact := at.UTC().Format("2006-01-02T15:04:05.000Z")
	return template.HTML(fmt.Sprintf(`<time datetime="%s" data-hover title="%s">+%s</time>`, exact, l.lang.ShortMoment(at, "15:04:05"), l.took(from, at))) //nolint:gosec // digits, and words
}

// dueText says how long there is, and how urgent that is.
type dueText struct{ Tone, Text string }

func (l locale) due(at, now time.Time) dueText {
	switch left := at.Sub(now); {
	case at.IsZero():
		return dueText{"quiet", "—"}
	case left < 0:
		return dueText{"bad", l.plural("%d day overdue", "%d days overdue", int(-left.Hours()/24))}
	case left < 24*time.Hour:
		return dueText{"bad", l.lang.Say("due today")}
	case left < 7*24*time.Hour:
		return dueText{"warn", l.plural("%d day left", "%d days left", int(left.Hours()/24))}
	default:
		return dueText{"good", l.plural("%d day left", "%d days left", int(left.Hours()/24))}
	}
}

// f returns a format in the language, with its arguments.
func (l locale) f(format string, args ...any) string { return fmt.Sprintf(l.lang.Say(format), args...) }

func (l locale) plural(one, many string, n int) string {
	if n == 1 {
		return fmt.Sprintf(l.lang.Say(one), n)
	}
	return fmt.Sprintf(l.lang.Say(many), n)
}

// took returns how long a step took, in words.
func (l locale) took(from, to time.Time) string {
	if from.IsZero() || to.IsZero() {
		return ""
	}
	return l.lasted(max(0, to.Sub(from)))
}

// lasted returns a duration in words.
func (l locale) lasted(d time.Duration) string {
	switch {
	case d < time.Second:
		return fmt.Sprintf("%d ms", d.Milliseconds())
	case d < 10*time.Second:
		return fmt.Sprintf("%.1f s", d.Seconds())
	default:
		return l.roughly(d)
	}
}

// roughly returns a duration of seconds and more, in two units at most.
func (l locale) roughly(d time.Duration) string {
	switch {
	case d < 2*time.Minute && d != time.Minute:
		return fmt.Sprintf("%.0f s", d.Seconds())
	case d < time.Hour:
		return fmt.Sprintf("%.0f min", d.Minutes())
	case d < 48*time.Hour && d != 24*time.Hour:
		if minutes := int(d.Minutes()) % 60; minutes != 0 {
			return fmt.Sprintf("%d h %02d", int(d.Hours()), minutes)
		}
		return fmt.Sprintf("%d h", int(d.Hours()))
	default:
		return l.plural("%d day", "%d days", int(d.Hours()/24))
	}
}

// timePattern is a time or a day within a sentence of the timeline.
var timePattern = regexp.MustCompile(`\b\d{4}-\d\d-\d\d( \d\d:\d\d:\d\dZ|\b)`)

// timed returns a sentence whose times are in the reader's zone, as [locale.when], and whose
// days are written in words.
func (l locale) timed(text string) template.HTML {
	var b strings.Builder
	at := 0
	for _, found := range timePattern.FindAllStringIndex(text, -1) {
		b.WriteString(template.HTMLEscapeString(text[at:found[0]]))
		at = found[1]
		if t, err := time.Parse("2006-01-02 15:04:05Z", text[found[0]:at]); err == nil {
			b.WriteString(string(l.when(t)))
		} else if t, err := time.Parse(time.DateOnly, text[found[0]:at]); err == nil {
			b.WriteString(template.HTMLEscapeString(l.lang.ShortDate(t)))
		} else {
			b.WriteString(template.HTMLEscapeString(text[found[0]:at]))
		}
	}
	b.WriteString(template.HTMLEscapeString(text[at:]))
	return template.HTML(b.String()) //nolint:gosec // every other text is escaped
}
