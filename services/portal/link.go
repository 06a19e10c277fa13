package portal

import (
	"net/http"
	"net/url"
	"strings"

	"habeas.dev/pkg/dsar"
)

// maxLink is the longest link that a mail has, in characters: what mail programs break or cut
// is of no use. Who has written much types the code.
const maxLink = 1600

// linked is what a mail's link holds, sealed: who has it needn't type the code, nor have the
// page open on which they asked.
type linked struct {
	Draft draft
	Code  string
}

// link returns the address that a draft's mail has beside the code; empty where it would be
// too long, or where more was typed than its page says. Its page does nothing by itself: a
// program that opens links in mails spends nothing.
func (p *Portal) link(d draft, code string) (string, error) {
	if !d.plain() {
		return "", nil
	}
	text, err := seal(p.keys.links, "link", linked{d, code})
	if err != nil {
		return "", err
	}
	if link := strings.TrimSuffix(p.URL, "/") + "/confirm?by=" + url.QueryEscape(text); len(link) <= maxLink {
		return link, nil
	}
	return "", nil
}

// plain reports whether a draft asks for a right, or to follow a request, and for nothing that
// somebody typed besides: what a stranger typed (a correction, another's number) mustn't be
// sent off by who only presses a button in a mail. They would have to type the code on the
// page that the stranger has open (TestNoLinkForWhatWasTyped).
func (d draft) plain() bool {
	return d.OnBehalf == "" && d.Theirs == "" && len(d.Identifiers) == 0 && d.Correct == "" && d.Value == "" && d.Message == "" && d.About == "" && d.What == ""
}

// confirm shows what a mail's link is about, with the button that does it. It says what is
// asked for: it may have been somebody else who gave the address.
func (p *Portal) confirm(w http.ResponseWriter, r *http.Request) {
	var l linked
	if !unseal(p.keys.links, "link", r.URL.Query().Get("by"), &l) || p.Now().Sub(l.Draft.Begun) >= draftTime {
		p.fail(w, r, http.StatusUnprocessableEntity, "error.old")
		return
	}
	l.Draft.Passphrase = suggested(l.Draft)
	asked := ""
	if !l.Draft.Enters {
		asked = p.Languages.For(p.languageOf(r)).Under(l.Draft.Law).Portal["right."+string(dsar.Right(l.Draft.Right))]
	}
	p.showProve(w, r, http.StatusOK, l.Draft, codePage{Code: l.Code, Asked: asked, Number: l.Draft.RequestID}, "")
}
