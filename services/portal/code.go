package portal

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"math/big"
	"net/http"
	"strings"
	"time"

	"habeas.dev/services/internal/journal"
	"habeas.dev/services/internal/mail"
)

const (
	// codeTime is how long a code is good for, and codeTries how often it may be tried:
	// eight digits, five tries, ten codes a day and fifty misses a month are odds of one in
	// two million for who guesses for a month.
	codeTime  = 10 * time.Minute
	codeTries = 5
)

// codeLimits bounds the codes of one mailbox: whoever asks in somebody's name can't have
// them flooded.
var codeLimits = journal.ProofLimits{PerDay: 10, Failed: 50}

// mailCode has a code mailed to a draft's address, and returns the draft that it proves.
// Where there were too many the person is told the same, and nothing is mailed.
func (p *Portal) mailCode(ctx context.Context, lang string, d draft) (draft, error) {
	n, err := rand.Int(rand.Reader, big.NewInt(100_000_000))
	if err != nil {
		return d, fmt.Errorf("portal: %w", err)
	}
	code := fmt.Sprintf("%08d", n)
	d.Proof = rand.Text()
	now := p.now()
	err = p.Proofs.AddProof(ctx, journal.Proof{ID: d.Proof, Who: p.keys.mailbox(d.Email), Hash: p.keys.code(d.Proof, code), At: now, Ends: now.Add(codeTime), Tries: codeTries}, codeLimits)
	if errors.Is(err, journal.ErrOften) {
		p.Log.InfoContext(ctx, "a code isn't mailed: its mailbox had as many as may be")
		return d, nil
	}
	if err != nil {
		return d, fmt.Errorf("portal: %w", err)
	}
	l := p.Languages.For(lang)
	p.post.send(mail.Message{To: []string{d.Email}, ID: "code." + d.Proof, Language: l.Tag, Date: now,
		Subject: fmt.Sprintf(l.Portal["mail.subject"], p.called(lang)),
		Text:    fmt.Sprintf(l.Portal["mail.text"], p.called(lang), code[:4]+" "+code[4:])})
	return d, nil
}

// digits returns what of a typed code is digits.
func digits(typed string) string {
	return strings.Map(func(r rune) rune {
		if r >= '0' && r <= '9' {
			return r
		}
		return -1
	}, typed)
}

// codePage asks for the code of a draft.
type codePage struct {
	Draft      string
	Enters     bool
	Keyed      bool
	Proven     bool
	Passphrase string
}

// showCode shows the page on which a code is typed.
func (p *Portal) showCode(w http.ResponseWriter, r *http.Request, status int, d draft, problem string) {
	sealed, err := p.sealDraft(d)
	if err != nil {
		p.broken(w, r, err)
		return
	}
	p.render(w, r, status, "code.html", page{Title: "code.title", Error: problem, Body: codePage{sealed, d.Enters, d.keyed(), !d.Proven.IsZero(), d.Passphrase}})
}
