package portal

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"math"
	"math/big"
	"net/http"
	"net/netip"
	"strings"
	"time"

	"habeas.dev/services/internal/callers"
	"habeas.dev/services/internal/journal"
	"habeas.dev/services/internal/mail"
)

const (
	// codeTime is how long a code is good for, and codeTries how often it may be tried:
	// eight digits, five tries, ten codes a day and fifty misses are odds of one in two
	// million for who guesses for a month.
	codeTime  = 10 * time.Minute
	codeTries = 5
)

// What bounds the codes of one mailbox, so that whoever asks in somebody's name can't have them
// flooded, and from one network can't keep them from asking (from two they can:
// docs/threats.md): ten a day, of which one network of origin has five; and after fifty misses
// in a month codes are no longer refused, but so long that nobody guesses them.
var (
	codeLimits = journal.ProofLimits{PerDay: 10, Failed: 50}
	longLimits = journal.ProofLimits{PerDay: codeLimits.PerDay, Failed: math.MaxInt32}
	fromOne    = journal.ProofLimits{PerDay: 5, Failed: math.MaxInt32}
)

const (
	// codeLength is how many digits a code has, and longCode how many it has that may be tried
	// fifty times a day: in ten years odds of one in fifty billion.
	codeLength = 8
	longCode   = 16
)

// newCode returns a code of so many digits, in groups of four.
func newCode(length int) (string, error) {
	var code strings.Builder
	for i := range length {
		n, err := rand.Int(rand.Reader, big.NewInt(10))
		if err != nil {
			return "", err
		}
		if i > 0 && i%4 == 0 {
			code.WriteByte(' ')
		}
		code.WriteByte(byte('0' + n.Int64()))
	}
	return code.String(), nil
}

// beginProof begins the proof of a draft's mailbox, asked for from an origin, and returns its
// code; journal.ErrOften where there were too many.
func (p *Portal) beginProof(ctx context.Context, d draft, origin netip.Addr) (code string, err error) {
	now := p.now()
	proof := journal.Proof{ID: d.Proof, At: now, Ends: now.Add(codeTime), Tries: codeTries}
	begin := func(length int, limits journal.ProofLimits) error {
		if code, err = newCode(length); err != nil {
			return fmt.Errorf("portal: %w", err)
		}
		proof.Who, proof.Hash = p.keys.mailbox(d.Email), p.keys.code(d.Proof, digits(code))
		return p.Proofs.AddProof(ctx, proof, limits)
	}
	// That this network has asked is counted as a proof that nobody can give.
	asked := proof
	asked.ID, asked.Who, asked.Hash = "from."+d.Proof, p.keys.asker(d.Email, callers.Network(origin)), p.keys.code(d.Proof, rand.Text())
	if err := p.Proofs.AddProof(ctx, asked, fromOne); err != nil {
		return "", err
	}
	err = begin(codeLength, codeLimits)
	if errors.Is(err, journal.ErrOften) {
		err = begin(longCode, longLimits)
	}
	return code, err
}

// mailCode has a code mailed to a draft's address, and returns the draft that it proves.
// Where there were too many the person is told the same, and nothing is mailed.
func (p *Portal) mailCode(ctx context.Context, lang string, d draft, origin netip.Addr) (draft, error) {
	d.Proof = rand.Text()
	code, err := p.beginProof(ctx, d, origin)
	if errors.Is(err, journal.ErrOften) {
		p.Log.InfoContext(ctx, "a code isn't mailed: its mailbox had as many as may be")
		return d, nil
	}
	if err != nil {
		return d, fmt.Errorf("portal: %w", err)
	}
	link, err := p.link(d, digits(code))
	if err != nil {
		return d, err
	}
	l := p.Languages.For(lang)
	text := fmt.Sprintf(l.Portal["mail.text"], p.called(lang), code)
	if link != "" {
		text += "\n" + fmt.Sprintf(l.Portal["mail.link"], link) + "\n"
	}
	text += "\n" + l.Portal["mail.other"] + "\n"
	p.post.send(mail.Message{To: []string{d.Email}, ID: "code." + d.Proof, Language: l.Tag, Date: p.now(), Subject: fmt.Sprintf(l.Portal["mail.subject"], p.called(lang)), Text: text, Strong: code})
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
	// Code, of a mail's link, needn't be typed; Asked is what is asked for by it, and Number
	// the request that is followed.
	Code, Asked, Number string
}

// showCode shows the page on which a code is typed.
func (p *Portal) showCode(w http.ResponseWriter, r *http.Request, status int, d draft, problem string) {
	p.showProve(w, r, status, d, codePage{}, problem)
}

// showProve shows the page by which a draft is proven: by a code that is typed, or by that of a
// mail's link.
func (p *Portal) showProve(w http.ResponseWriter, r *http.Request, status int, d draft, b codePage, problem string) {
	sealed, err := p.sealDraft(d)
	if err != nil {
		p.broken(w, r, err)
		return
	}
	b.Draft, b.Enters, b.Keyed, b.Proven, b.Passphrase = sealed, d.Enters, d.keyed(), !d.Proven.IsZero(), d.Passphrase
	title := "code.title"
	if b.Code != "" {
		title = "confirm.title"
	}
	p.render(w, r, status, "code.html", page{Title: title, Error: problem, Body: b})
}
