package recipients

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/url"
	"slices"
	"strings"
	"time"

	"filippo.io/age"
	"filippo.io/age/armor"

	"habeas.dev/pkg/dsar"
	"habeas.dev/pkg/event"
	"habeas.dev/pkg/manifest"
	"habeas.dev/pkg/vault"
	"habeas.dev/services/internal/core"
	"habeas.dev/services/internal/mail"
	"habeas.dev/services/internal/webhook"
	"habeas.dev/services/internal/words"
)

// Requests reads requests and applies commands to them; lifecycle.Lifecycle implements it.
type Requests interface {
	State(ctx context.Context, requestID string) (core.State, error)
	Do(ctx context.Context, requestID string, c core.Command) (core.State, error)
}

// Vault opens what a request has sealed; vault.Vault implements it.
type Vault interface {
	Keys(ctx context.Context, requestID string) (*vault.Keys, error)
	Secret(purpose string) []byte
}

// Mailer sends mail; mail.Server implements it.
type Mailer interface {
	Send(ctx context.Context, m mail.Message) error
}

// Teller sends the notices that are owed. It is safe for many goroutines.
type Teller struct {
	Requests   Requests
	Vault      Vault
	Recipients manifest.Recipients
	Manifests  map[string]*manifest.Manifest
	// Mail is nil where no server is configured: a person tells who is told by mail.
	Mail Mailer
	// Door is the address at which notices are acknowledged; empty: notices name none.
	Door string
	// Sender says who sends a notice, in a language.
	Sender func(jurisdiction, lang string) string
	// Languages are those that the installation speaks; nil: those that are built in.
	Languages *words.Languages
	Now       func() time.Time
}

// Why a recipient can't be told by its way: a person must.
const (
	codeUnknown      = "recipient-unknown"       // the catalogue has it no longer
	codeNoIdentifier = "recipient-no-identifier" // it knows people by nothing that is known of the person
	codeNoMail       = "recipient-no-mail"
	codeRefused      = "recipient-refused"
	codeUnreachable  = "recipient-unreachable"
	codeForgotten    = "recipient-forgotten" // whom it is about
)

// Tell sends each notice of a request that is due, and records how that went.
func (t *Teller) Tell(ctx context.Context, requestID string) error {
	s, err := t.Requests.State(ctx, requestID)
	if err != nil {
		return fmt.Errorf("recipients: request %s: %w", requestID, err)
	}
	for _, n := range s.DueNotices(t.Now()) {
		token := t.token(requestID, n.Recipient, n.Fact)
		told, err := t.send(ctx, s, n, token)
		if err != nil {
			return fmt.Errorf("recipients: request %s: %w", requestID, err)
		}
		told.Recipient, told.Token, told.Now = n.Recipient, hashed(token), t.Now().UTC().Truncate(time.Microsecond)
		if _, err := t.Requests.Do(ctx, requestID, told); err != nil {
			return fmt.Errorf("recipients: request %s: %w", requestID, err)
		}
	}
	return nil
}

// token returns what acknowledges the notices of one fact. It is the same each time, so
// that a notice that is sent again holds the same.
func (t *Teller) token(requestID, recipient string, fact int) []byte {
	mac := hmac.New(sha256.New, t.Vault.Secret("recipients' notices"))
	fmt.Fprintf(mac, "%s\x00%s\x00%d", requestID, recipient, fact)
	return mac.Sum(nil)
}

func hashed(token []byte) []byte {
	sum := sha256.Sum256(token)
	return sum[:]
}

// send sends one notice, and returns how that went.
func (t *Teller) send(ctx context.Context, s core.State, n core.Notice, token []byte) (core.SendNotice, error) {
	none := core.SendNotice{}
	r, known := t.Recipients[n.Recipient]
	if !known {
		return core.SendNotice{Code: codeUnknown}, nil
	}
	lang := t.Languages.For(r.Told.Language)
	notice, err := t.notice(ctx, s, n, r, lang)
	switch {
	case errors.Is(err, vault.ErrShredded), errors.Is(err, vault.ErrNoKeys):
		return core.SendNotice{Code: codeForgotten}, nil
	case err != nil:
		return none, err
	case len(notice.Person) == 0:
		return core.SendNotice{Code: codeNoIdentifier}, nil
	case n.By == core.WayMail && t.Mail == nil:
		return core.SendNotice{Code: codeNoMail}, nil
	}
	notice.Acknowledge.Token = tokenText(token)
	if t.Door != "" {
		notice.Acknowledge.URL = strings.TrimSuffix(t.Door, "/") + Path + url.PathEscape(notice.RequestID) + "/" + url.PathEscape(n.Recipient)
	}
	if n.By == core.WayMail {
		err = t.mail(ctx, notice, r, lang)
	} else {
		err = webhook.Hook{URL: r.Told.URL, SecretFile: r.Told.Secret, Now: t.Now}.Post(ctx, notice.ID, EventType, t.Now().UTC(), notice)
	}
	switch {
	case err == nil:
		return none, nil
	case ctx.Err() != nil:
		return none, ctx.Err()
	case errors.Is(err, webhook.ErrRefused), errors.Is(err, mail.ErrRefused):
		return core.SendNotice{Code: codeRefused}, nil
	default:
		return core.SendNotice{Code: codeUnreachable, Passing: true}, nil
	}
}

// notice returns what a recipient is told.
func (t *Teller) notice(ctx context.Context, s core.State, n core.Notice, r manifest.Recipient, lang *words.Language) (Notice, error) {
	a := s.Accepted
	out := Notice{ID: id(a.RequestID, n.Recipient, n.Fact, n.Tries+1), RequestID: a.RequestID, Do: doing(s.Right), By: t.Sender(a.Jurisdiction, lang.Tag), Number: n.Tries + 1}
	for _, p := range n.Datasets {
		title := p.Dataset
		if m := t.Manifests[p.System]; m != nil && m.Dataset(p.Dataset) != nil {
			title = lang.Text(m.Dataset(p.Dataset).Title)
		}
		if !slices.Contains(out.Data, title) {
			out.Data = append(out.Data, title)
		}
	}
	keys, err := t.Vault.Keys(ctx, a.RequestID)
	if err != nil {
		return out, err
	}
	for _, i := range s.Usable() {
		if !slices.Contains(r.Knows, i.Type) {
			continue
		}
		value, err := keys.Open(i.Sealed, vault.Identifier)
		if err != nil {
			return out, err
		}
		out.Person = append(out.Person, Known{i.Type, string(value)})
	}
	if len(a.Details) == 0 {
		return out, nil
	}
	plain, err := keys.Open(a.Details, vault.RequestDetails)
	if err != nil {
		return out, err
	}
	var d event.Details
	if json.Unmarshal(plain, &d) != nil {
		return out, errors.New("the details are not what they should be")
	}
	out.Lift = d.Lift
	out.Corrections = t.corrections(s, n, d.Corrections, lang)
	return out, nil
}

// doing returns what a right has recipients do as well.
func doing(r dsar.Right) dsar.Action {
	switch stages := r.Stages(); {
	case r == dsar.Erasure:
		return dsar.Erase
	case len(stages) > 0:
		return stages[0]
	default:
		return ""
	}
}

// corrections returns those that have changed a field of a dataset which the recipient
// receives.
func (t *Teller) corrections(s core.State, n core.Notice, all []event.Correction, lang *words.Language) []Correction {
	var out []Correction
	for _, c := range all {
		for _, p := range n.Datasets {
			d := t.dataset(p)
			if d == nil || c.System != "" && c.System != p.System || c.Dataset != "" && c.Dataset != p.Dataset {
				continue
			}
			for _, changed := range s.Changed(p) {
				col := d.Column(changed)
				if col == nil || c.Column != col.Name && c.Column != col.Concept {
					continue
				}
				field := col.Concept
				if field == "" {
					field = lang.Text(col.Title)
				}
				if one := (Correction{field, c.Value}); !slices.Contains(out, one) {
					out = append(out, one)
				}
			}
		}
	}
	return out
}

func (t *Teller) dataset(p core.Reached) *manifest.Dataset {
	if m := t.Manifests[p.System]; m != nil {
		return m.Dataset(p.Dataset)
	}
	return nil
}

// mail sends a notice by mail. The notice itself, signed as a webhook's, is sealed to the
// recipient's key: the text around it says nothing of a person, and is what anybody can write.
func (t *Teller) mail(ctx context.Context, n Notice, r manifest.Recipient, lang *words.Language) error {
	w := lang.Notice
	signed, err := webhook.Hook{SecretFile: r.Told.Secret, Now: t.Now}.Signed(n.ID, EventType, t.Now().UTC(), n)
	if err != nil {
		return err
	}
	sealed, err := seal(r.Told.Key, signed)
	if err != nil {
		return err
	}
	var b strings.Builder
	say := func(text string) { b.WriteString(text + "\n\n") }
	if n.Number > 1 {
		say(w.Reminder)
	}
	lead := w.Lead[n.Do]
	if n.Lift {
		lead = w.Lifted
	}
	say(lead)
	say(fmt.Sprintf(w.By, n.By))
	say(w.Data + "\n- " + strings.Join(n.Data, "\n- "))
	if n.Acknowledge.URL != "" {
		say(fmt.Sprintf(w.Answer, n.Acknowledge.URL+"?token="+n.Acknowledge.Token))
	}
	say(fmt.Sprintf(w.Number, n.ID))
	say(w.Sealed)
	b.WriteString(sealed)
	return t.Mail.Send(ctx, mail.Message{To: []string{r.Told.Address}, ID: n.ID, Subject: w.Subject[n.Do], Text: b.String(), Language: lang.Tag, Date: t.Now()})
}

// seal seals a value to an age key, armoured.
func seal(key string, v any) (string, error) {
	to, err := age.ParseX25519Recipient(key)
	if err != nil {
		return "", errors.New("the recipient's age key can't be read")
	}
	plain, err := json.Marshal(v)
	if err != nil {
		return "", err
	}
	var out bytes.Buffer
	armoured := armor.NewWriter(&out)
	w, err := age.Encrypt(armoured, to)
	if err != nil {
		return "", err
	}
	if _, err := io.Copy(w, bytes.NewReader(plain)); err != nil {
		return "", err
	}
	if err := errors.Join(w.Close(), armoured.Close()); err != nil {
		return "", err
	}
	return out.String(), nil
}
