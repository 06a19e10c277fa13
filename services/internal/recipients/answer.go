package recipients

import (
	"context"
	"crypto/sha256"
	_ "embed"
	"encoding/base64"
	"errors"
	"html/template"
	"io"
	"net/http"
	"strings"
	"time"

	"habeas.dev/services/internal/core"
	"habeas.dev/services/internal/words"
)

// Path is where notices are acknowledged: Path + request id + "/" + recipient.
const Path = "/notices/"

// maxBody bounds what is read of an answer: a token.
const maxBody = 4 << 10

// answerTime bounds one answer.
const answerTime = 10 * time.Second

// Door takes the answers of recipients: who brings a notice's token acknowledges it.
type Door struct {
	Requests Requests
	// Languages are those that the installation speaks; nil: those that are built in.
	Languages *words.Languages
	Now       func() time.Time
}

// Handler returns the door. GET shows a page with one button, which is what a link in a
// mail opens; POST acknowledges, with the token as a form's field or as the body's text.
func (d Door) Handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET "+Path+"{request}/{recipient}", func(w http.ResponseWriter, r *http.Request) {
		d.page(w, r, http.StatusOK, d.language(r).Notice.Ask, r.URL.Query().Get("token"))
	})
	mux.HandleFunc("POST "+Path+"{request}/{recipient}", d.acknowledge)
	return mux
}

func (d Door) acknowledge(w http.ResponseWriter, r *http.Request) {
	said := d.language(r).Notice
	form := strings.HasPrefix(r.Header.Get("Content-Type"), "application/x-www-form-urlencoded")
	r.Body = http.MaxBytesReader(w, r.Body, maxBody)
	var text string
	if form {
		text = r.PostFormValue("token")
	} else if body, err := io.ReadAll(r.Body); err == nil {
		text = strings.TrimSpace(string(body))
	}
	ctx, cancel := context.WithTimeout(r.Context(), answerTime)
	defer cancel()
	status, sentence := http.StatusOK, said.Acknowledged
	switch err := d.take(ctx, r.PathValue("request"), r.PathValue("recipient"), text); {
	case errors.Is(err, core.ErrNotAllowed), errors.Is(err, core.ErrUnknown):
		status, sentence = http.StatusNotFound, said.Unknown // alike, whether there is such a request or not
	case err != nil:
		http.Error(w, "try again later", http.StatusServiceUnavailable)
		return
	}
	if form {
		d.page(w, r, status, sentence, "")
		return
	}
	if status == http.StatusOK {
		w.WriteHeader(http.StatusNoContent)
		return
	}
	http.Error(w, "no such notice", status)
}

func (d Door) take(ctx context.Context, requestID, recipient, text string) error {
	token, err := base64.RawURLEncoding.DecodeString(text)
	if err != nil || len(token) != sha256.Size {
		return core.ErrNotAllowed
	}
	_, err = d.Requests.Do(ctx, requestID, core.AcknowledgeNotice{Recipient: recipient, Token: hashed(token), Now: d.Now().UTC().Truncate(time.Microsecond)})
	return err
}

// language returns the language that a browser asks for first.
func (d Door) language(r *http.Request) *words.Language {
	first, _, _ := strings.Cut(r.Header.Get("Accept-Language"), ",")
	first, _, _ = strings.Cut(first, ";")
	return d.Languages.For(strings.TrimSpace(first))
}

//go:embed answer.gohtml
var pageText string

var pageTemplate = template.Must(template.New("answer").Parse(pageText))

// page writes the page. It runs nothing, and tells no other site where it was.
func (d Door) page(w http.ResponseWriter, r *http.Request, status int, sentence, token string) {
	l := d.language(r)
	h := w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Cache-Control", "no-store")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'")
	w.WriteHeader(status)
	_ = pageTemplate.Execute(w, struct {
		Language, Sentence, Token string
		W                         words.Notice
	}{l.Tag, sentence, token, l.Notice})
}
