package console

import (
	"context"
	"io"
	"net/http"
	"slices"

	"habeas.dev/services/internal/core"
)

// maxSent bounds what is shown of what a person has sent, in bytes: as much as the portal
// takes.
const maxSent = 10 << 20

// changeKey records that what opens an answer is changed.
func (c *Console) changeKey(w http.ResponseWriter, r *http.Request, u User, revoke bool) (id string, form values, ok bool) {
	if id, form, ok = c.form(w, r, u); !ok {
		return id, form, false
	}
	do := core.ChangeAnswerKey{By: u.By(), Reason: form.Get("reason"), Revoke: revoke, Now: c.now()}
	if _, err := c.do(r.Context(), id, core.IfUnchanged{Acts: form.acts(), Command: do}); err != nil {
		c.again(w, r, u, id, form, err)
		return id, form, false
	}
	return id, form, true
}

// newPassphrase makes another passphrase for an answer, and shows it once: a reload shows
// the page without it.
func (c *Console) newPassphrase(w http.ResponseWriter, r *http.Request, u User) {
	id, form, ok := c.changeKey(w, r, u, false)
	if !ok {
		return
	}
	passphrase, err := c.Answers.Passphrase(r.Context(), id)
	if err != nil {
		c.again(w, r, u, id, form, err)
		return
	}
	c.show(w, r, u, id, func(b *requestBody) { b.Passphrase = passphrase })
}

// revokeAnswer has an answer served to nobody any more.
func (c *Console) revokeAnswer(w http.ResponseWriter, r *http.Request, u User) {
	id, form, ok := c.changeKey(w, r, u, true)
	if !ok {
		return
	}
	if err := c.Answers.Revoke(r.Context(), id); err != nil {
		c.again(w, r, u, id, form, err)
		return
	}
	http.Redirect(w, r, "/requests/"+id+"?done=revoke-answer", http.StatusSeeOther)
}

// showSent shows something that the person has sent, and records that somebody looked. It is
// shown as text or a picture, or handed over as a file; it is never a page.
func (c *Console) showSent(w http.ResponseWriter, r *http.Request, u User) {
	id, form, ok := c.form(w, r, u)
	if !ok {
		return
	}
	content, err := c.open(r.Context(), id, form.Get("object"))
	if err == nil {
		_, err = c.do(r.Context(), id, core.Reveal{By: u.By(), Reason: form.Get("reason"), Now: c.now()})
	}
	if err != nil {
		c.again(w, r, u, id, form, err)
		return
	}
	kind, disposition := "text/plain; charset=utf-8", "inline"
	switch found := http.DetectContentType(content); found {
	case "image/jpeg", "image/png":
		kind = found
	case "application/pdf":
		kind, disposition = found, `attachment; filename="proof.pdf"`
	}
	w.Header().Set("Content-Security-Policy", "default-src 'none'; sandbox")
	w.Header().Set("Content-Type", kind)
	w.Header().Set("Content-Disposition", disposition)
	_, _ = w.Write(content)
}

// open reads what the person of a request has sent, and nothing else.
func (c *Console) open(ctx context.Context, id, object string) ([]byte, error) {
	s, err := c.state(ctx, id)
	if err != nil {
		return nil, err
	}
	if c.Sent == nil || object == "" || !slices.ContainsFunc(s.Sent, func(sent core.PersonSent) bool { return sent.Object == object }) {
		return nil, errSent
	}
	from, err := c.Sent.Open(ctx, object)
	if err != nil {
		c.trouble(ctx, err)
		return nil, errSent
	}
	defer func() { _ = from.Close() }() // it was only read
	content, err := io.ReadAll(io.LimitReader(from, maxSent))
	if err != nil {
		return nil, err
	}
	return content, nil
}

// toJudge returns what the person has sent and nobody has judged yet.
func toJudge(s core.State) (out []core.PersonSent) {
	for _, sent := range s.Sent {
		if sent.Object != "" && s.Awaited != "" && !sent.At.Before(s.AwaitedSince) {
			out = append(out, sent)
		}
	}
	return out
}
