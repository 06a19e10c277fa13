package console_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"habeas.dev/services/console"
	"habeas.dev/services/internal/core"
)

// sentThings is what people have sent, in the clear.
type sentThings struct{}

func (sentThings) Open(_ context.Context, object string) (io.ReadCloser, error) {
	content, ok := map[string]string{"proof": "\x89PNG\r\n\x1a\n a picture", "page": "<script>alert(1)</script>", "paper": "%PDF-1.7 a paper"}[object]
	if !ok {
		return nil, errors.New("there is none")
	}
	return io.NopCloser(strings.NewReader(content)), nil
}

// proofSent is a request of which the person has sent proof.
func (d *desk) proofSent() string {
	id := d.proofAsked()
	for _, object := range []string{"proof", "page", "paper"} {
		d.do(id, core.NoteSent{PersonSent: core.PersonSent{What: core.SentProof, Object: object, Bytes: 1, Moment: core.Moment{At: start.Add(2 * time.Minute)}}})
	}
	return id
}

// TestSentIsNoPage: what a person has sent is shown as text or a picture, or handed over;
// whatever is in it, a browser runs nothing of it. What isn't of the request isn't shown.
func TestSentIsNoPage(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	id := d.proofSent()
	for object, want := range map[string][2]string{"proof": {"image/png", "inline"}, "page": {"text/plain; charset=utf-8", "inline"}, "paper": {"application/pdf", `attachment; filename="proof.pdf"`}} {
		w := d.call(d.as(console.Agent), http.MethodPost, "/requests/"+id+"/sent", d.form(id, "object", object))
		h := w.Header()
		if w.Code != http.StatusOK || h.Get("Content-Type") != want[0] || h.Get("Content-Disposition") != want[1] || h.Get("Content-Security-Policy") != "default-src 'none'; sandbox" || h.Get("X-Content-Type-Options") != "nosniff" {
			t.Errorf("%s: %d %v", object, w.Code, h)
		}
	}
	for _, object := range []string{"", "another's", "../proof"} {
		if w := d.call(d.as(console.Agent), http.MethodPost, "/requests/"+id+"/sent", d.form(id, "object", object)); w.Code != http.StatusUnprocessableEntity {
			t.Errorf("%q: %d", object, w.Code)
		}
	}
}

// TestPassphraseIsShownOnce: the page that follows the click has the new passphrase, and no
// other page, no fact and no log.
func TestPassphraseIsShownOnce(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	id := d.completed()
	const made = "abcd-efgh-jkmn-pqrs"
	if w := d.call(d.as(console.Agent), http.MethodPost, "/requests/"+id+"/new-passphrase", d.form(id)); !strings.Contains(w.Body.String(), made) {
		t.Errorf("%d: it isn't shown", w.Code)
	}
	for _, path := range []string{"", "/trace.json"} {
		if w := d.call(d.as(console.Agent), http.MethodGet, "/requests/"+id+path, url.Values(nil)); strings.Contains(w.Body.String(), made) {
			t.Errorf("%s shows it again", path)
		}
	}
}
