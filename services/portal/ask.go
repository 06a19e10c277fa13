package portal

import (
	"html/template"
	"net/http"
	"net/mail"
	"net/url"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/google/uuid"
	"golang.org/x/text/collate"
	"golang.org/x/text/language"

	"habeas.dev/pkg/dsar"
	"habeas.dev/pkg/identifier"
	"habeas.dev/services/internal/policy"
	"habeas.dev/services/internal/words"
)

const (
	// maxEmail bounds an address (RFC 5321), and maxValue what is typed otherwise.
	maxEmail = 254
	maxValue = 500
)

// place is where somebody may live, and its law.
type place struct{ ID, Title string }

// places returns the laws that there are, by the names of their places.
func (p *Portal) places(lang string) []place {
	var all []place
	for _, id := range p.Policy.IDs() {
		j, _ := p.Policy.Jurisdiction(id)
		all = append(all, place{id, p.Languages.For(lang).Text(j.Title)})
	}
	order := collate.New(language.Make(lang))
	slices.SortFunc(all, func(a, b place) int { return order.CompareString(a.Title, b.Title) })
	return all
}

func (p *Portal) home(w http.ResponseWriter, r *http.Request) {
	p.render(w, r, http.StatusOK, "home.html", page{Title: "home.title", Body: p.places(p.languageOf(r))})
}

// follow leads to the page of a request by its number.
func (p *Portal) follow(w http.ResponseWriter, r *http.Request) {
	id, ok := dsar.ReadRequestID(strings.TrimSpace(r.URL.Query().Get("number")))
	if !ok {
		p.render(w, r, http.StatusUnprocessableEntity, "home.html", page{Title: "home.title", Error: "error.number", Body: p.places(p.languageOf(r))})
		return
	}
	http.Redirect(w, r, "/r/"+id, http.StatusSeeOther)
}

// rightsPage shows what a law grants.
type rightsPage struct {
	Law    string
	Name   string
	Rights []rightChoice
}

type rightChoice struct {
	Title, Says string
	NoProof     bool
	Link        template.URL
}

// choiceOf returns how a right is offered under a law.
func choiceOf(l *words.Language, g policy.Grant, link template.URL) rightChoice {
	return rightChoice{l.Portal["right."+string(g.Right)], l.Portal["says."+string(g.Right)], g.NoProof && !g.AboutEarlier(), link}
}

// ask shows what the law of a place grants, or the form for one of it.
func (p *Portal) ask(w http.ResponseWriter, r *http.Request) {
	j, ok := p.Policy.Jurisdiction(r.URL.Query().Get("law"))
	if !ok {
		p.render(w, r, http.StatusUnprocessableEntity, "home.html", page{Title: "home.title", Error: "error.law", Body: p.places(p.languageOf(r))})
		return
	}
	if right := r.URL.Query().Get("right"); right != "" {
		q := r.URL.Query()
		if grant, granted := j.Grant(dsar.Right(right), p.Now()); granted && p.offered(dsar.Right(right)) && aboutFits(grant, q.Get("about")) {
			p.render(w, r, http.StatusOK, "who.html", page{Title: "who.title", Step: 3, Body: p.whoPage(p.languageOf(r), j, dsar.Right(right), url.Values{"what": {q.Get("what")}, "about": {q.Get("about")}})})
			return
		}
	}
	lang := p.languageOf(r)
	body := rightsPage{Law: j.ID, Name: p.Languages.For(lang).Text(j.Law.Name)}
	for _, right := range j.Over(p.Now()) {
		if !p.offered(right) {
			continue
		}
		g, _ := j.Grant(right, p.Now())
		body.Rights = append(body.Rights, choiceOf(p.Languages.For(lang).Under(j.ID), g, askLink(j.ID, string(right))))
	}
	p.render(w, r, http.StatusOK, "right.html", page{Title: "right.title", Step: 2, Body: body})
}

// offered reports whether a right can be asked for here: it has words.
func (p *Portal) offered(right dsar.Right) bool {
	return p.Languages.For("en").Portal["right."+string(right)] != ""
}

// aboutFits reports whether an earlier request is named where a right is about one, and
// only there.
func aboutFits(g policy.Grant, about string) bool {
	if !g.AboutEarlier() {
		return about == ""
	}
	return dsar.ValidRequestID(about)
}

// aboutLink returns the address of the form for a right that is about an earlier request.
func aboutLink(law string, right dsar.Right, about string) template.URL {
	q := url.Values{"law": {law}, "right": {string(right)}, "about": {about}}
	return template.URL("/ask?" + q.Encode()) //nolint:gosec // a path of our own, its values encoded
}

// askLink returns the address of the page for a law, and for one right by it.
func askLink(law, right string) template.URL {
	q := url.Values{"law": {law}}
	if right != "" {
		q.Set("right", right)
	}
	return template.URL("/ask?" + q.Encode()) //nolint:gosec // a path of our own, its values encoded
}

// Dataset is what the portal knows of a dataset: what it is called, and what of it a
// correction can name.
type Dataset struct {
	Title    map[string]string
	Concepts []string
}

// whoPage is the form that says who asks.
type whoPage struct {
	Law, Right string
	Title      string // of the right
	Back       template.URL
	Due        string
	Corrects   bool
	Concepts   []string
	Known      []string // identifiers besides the address
	What, Of   string   // the dataset that an answer's page asks about, and what it is called
	Writes     bool     // a person decides it, and reads what is written
	About      string   // the earlier request that it is about
	Typed      url.Values
}

// Value returns what was typed into a field.
func (b whoPage) Value(field string) string { return b.Typed.Get(field) }

func (p *Portal) whoPage(lang string, j policy.Jurisdiction, right dsar.Right, typed url.Values) whoPage {
	b := whoPage{Law: j.ID, Right: string(right), Title: p.Languages.For(lang).Under(j.ID).Portal["right."+string(right)], Back: askLink(j.ID, ""), Corrects: right == dsar.Rectification, Writes: right.Decided(), About: typed.Get("about"), Concepts: p.Concepts, Typed: typed}
	if due := j.Due(right, p.Now()); !due.IsZero() {
		b.Due = p.Languages.For(lang).PlainDate(j.Local(due))
	}
	if b.About != "" {
		b.Back = template.URL("/r/" + url.PathEscape(b.About)) //nolint:gosec // a path of our own
	}
	for _, t := range p.Identifiers {
		b.Known = append(b.Known, string(t))
	}
	if d, known := p.Datasets[typed.Get("what")]; known && (right == dsar.Erasure || b.Corrects && len(d.Concepts) > 0) {
		b.What, b.Of = typed.Get("what"), p.Languages.For(lang).Text(d.Title)
		if b.Corrects {
			b.Concepts = d.Concepts
		}
	}
	return b
}

// submitAsk takes the form, and has a code mailed. Nothing is kept of it but in the page
// that is the answer.
func (p *Portal) submitAsk(w http.ResponseWriter, r *http.Request) {
	r.Body = http.MaxBytesReader(w, r.Body, maxForm)
	if err := r.ParseForm(); err != nil {
		p.fail(w, r, http.StatusRequestEntityTooLarge, "error.form")
		return
	}
	j, ok := p.Policy.Jurisdiction(r.PostForm.Get("law"))
	right := dsar.Right(r.PostForm.Get("right"))
	if grant, granted := j.Grant(right, p.Now()); !ok || !granted || !p.offered(right) || !aboutFits(grant, r.PostForm.Get("about")) {
		p.fail(w, r, http.StatusUnprocessableEntity, "error.right")
		return
	}
	lang := p.languageOf(r)
	d, problem := p.drafted(r.PostForm, j, right, lang)
	if problem != "" {
		p.render(w, r, http.StatusUnprocessableEntity, "who.html", page{Title: "who.title", Step: 3, Error: problem, Body: p.whoPage(lang, j, right, r.PostForm)})
		return
	}
	p.begins(w, r, d)
}

// begins has a code mailed for a draft, and shows where it is typed.
func (p *Portal) begins(w http.ResponseWriter, r *http.Request, d draft) {
	if !p.asks.Take(p.limits.Origin(r)) {
		w.Header().Set("Retry-After", "3600")
		p.fail(w, r, http.StatusTooManyRequests, "error.often")
		return
	}
	d, err := p.mailCode(r.Context(), p.languageOf(r), d, p.limits.Origin(r))
	if err != nil {
		p.broken(w, r, err)
		return
	}
	d.Passphrase = suggested(d)
	p.showCode(w, r, http.StatusOK, d, "")
}

// drafted reads a form; problem says what is wrong with it.
func (p *Portal) drafted(f url.Values, j policy.Jurisdiction, right dsar.Right, lang string) (d draft, problem string) {
	d = draft{RequestID: uuid.NewString(), Begun: p.now(), Law: j.ID, Right: string(right), Locale: lang, OnBehalf: f.Get("behalf"), About: f.Get("about")}
	if d.Email, problem = address(f.Get("email")); problem != "" {
		return d, problem
	}
	switch dsar.Check(d.OnBehalf) {
	case "", dsar.CheckAgent, dsar.CheckGuardian, dsar.CheckHeir, dsar.CheckOrganisation:
	default:
		return d, "error.form"
	}
	if d.forOther() {
		if d.Theirs, problem = address(f.Get("theirs")); problem != "" || (identifier.Rules{}).Same(identifier.Email, d.Theirs, d.Email) {
			return d, "error.theirs"
		}
	}
	for _, t := range p.Identifiers {
		if v := strings.TrimSpace(f.Get("id:" + string(t))); v != "" {
			d.Identifiers = append(d.Identifiers, claim{string(t), v})
		}
	}
	if right == dsar.Rectification {
		d.Correct, d.Value = f.Get("correct"), strings.TrimSpace(f.Get("value"))
		if d.Value == "" || !slices.Contains(p.Concepts, d.Correct) {
			return d, "error.correct"
		}
		if of, known := p.Datasets[f.Get("what")]; known && slices.Contains(of.Concepts, d.Correct) {
			d.What = f.Get("what")
		}
	}
	if right.Decided() {
		if d.Message = strings.TrimSpace(f.Get("message")); d.Message == "" {
			return d, "error.text"
		}
	}
	for field, values := range f {
		for _, v := range values {
			limit := maxValue
			if field == "message" {
				limit = maxText
			}
			switch {
			case utf8.RuneCountInString(v) > limit:
				return d, "error.long"
			case !utf8.ValidString(v) || strings.ContainsFunc(v, func(r rune) bool { return r < ' ' && r != '\n' && r != '\r' && r != '\t' }):
				return d, "error.form"
			}
		}
	}
	return d, ""
}

// address returns an e-mail address that was typed: one, and nothing around it.
func address(typed string) (address, problem string) {
	typed = strings.TrimSpace(typed)
	a, err := mail.ParseAddress(typed)
	if err != nil || a.Address != typed || len(typed) > maxEmail || strings.ContainsFunc(typed, func(r rune) bool { return r <= ' ' }) {
		return "", "error.email"
	}
	return typed, ""
}

// forOther reports whether somebody asks for a person whose address is another than theirs.
func (d draft) forOther() bool {
	return slices.Contains([]dsar.Check{dsar.CheckAgent, dsar.CheckGuardian, dsar.CheckHeir}, dsar.Check(d.OnBehalf))
}
