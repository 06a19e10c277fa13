package conform

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"habeas.dev/pkg/dsar"
	"habeas.dev/pkg/worker"
	"habeas.dev/services/internal/webhook"
)

const (
	// callTime bounds a call of the checks that speak without the bridge.
	callTime = 30 * time.Second
	// maxAnswer bounds what is read of such an answer.
	maxAnswer = 64 << 10
	// strangers' is a secret that no service has.
	strangers = "whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="
)

// caller speaks to the service as others might.
type caller struct {
	base   string
	action string
	secret [][]byte
	client *http.Client
}

func newCaller(c Config) (*caller, error) {
	keys, err := webhook.ParseSecrets(c.Secret)
	if err != nil {
		return nil, fmt.Errorf("the secret %w", err)
	}
	base := c.URL
	if base == "" {
		base = c.Manifest.HTTP.URL
	}
	action := "gather"
	if !c.Manifest.Can(dsar.Gather) {
		action = "resolve"
	}
	client := &http.Client{Timeout: callTime, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	return &caller{base: strings.TrimSuffix(base, "/"), action: action, secret: keys, client: client}, nil
}

// message is a call with what may be wrong about it.
type message struct {
	action string
	keys   [][]byte
	at     time.Time
	signed string // what is signed
	sent   string // what is sent
}

// whole returns a body of the contract that asks for a subject.
func whole(s Subject) string {
	var b strings.Builder
	b.WriteString(`{"task":"1","request":"00000000-0000-4000-8000-000000000002","right":"access","jurisdiction":"EEA","attempt":1,"identifiers":[`)
	for i, id := range s {
		if i > 0 {
			b.WriteByte(',')
		}
		fmt.Fprintf(&b, `{"type":%q,"value":%q}`, id.Type, id.Value)
	}
	b.WriteString("]}\n{\"end\":{\"lines\":1}}\n")
	return b.String()
}

func (k *kit) message() message {
	body := whole(nobody(k.Manifest))
	return message{action: k.call.action, keys: k.call.secret, at: time.Now(), signed: body, sent: body}
}

// answer is what came back.
type answer struct {
	status int
	header http.Header
	body   string
}

// send sends a message.
func (c *caller) send(ctx context.Context, m message) (answer, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, c.base+"/v1/"+m.action, bytes.NewBufferString(m.sent))
	if err != nil {
		return answer{}, errors.New("the address isn't one")
	}
	at, id := strconv.FormatInt(m.at.Unix(), 10), "conform-"+strconv.FormatInt(time.Now().UnixNano(), 10)
	signature, err := webhook.Sign(m.keys, id, at, func(to io.Writer) error {
		_, err := io.WriteString(to, m.signed)
		return err
	})
	if err != nil {
		return answer{}, err
	}
	r.Header.Set("Content-Type", "application/x-ndjson")
	r.Header.Set(webhook.HeaderID, id)
	r.Header.Set(webhook.HeaderTimestamp, at)
	r.Header.Set(webhook.HeaderSignature, signature)
	came, err := c.client.Do(r)
	if err != nil {
		return answer{}, errors.New("the service can't be reached, or doesn't answer")
	}
	defer came.Body.Close()
	body, err := io.ReadAll(io.LimitReader(came.Body, maxAnswer))
	if err != nil {
		return answer{}, errors.New("the service's answer broke off")
	}
	return answer{came.StatusCode, came.Header, string(body)}, nil
}

// The statuses that schemas/worker.openapi.yaml has for what a service must refuse: any of
// them will do (TestStatusesAreTheContracts).
var (
	unsigned      = []int{http.StatusUnauthorized, http.StatusForbidden}
	contrary      = []int{http.StatusBadRequest, http.StatusUnprocessableEntity}
	unknownAction = []int{http.StatusNotFound, http.StatusMethodNotAllowed}
)

// answers sends a message that must be answered with one of some statuses.
func (k *kit) answers(ctx context.Context, m message, statuses ...int) error {
	a, err := k.call.send(ctx, m)
	if err != nil {
		return err
	}
	if slices.Contains(statuses, a.status) {
		return nil
	}
	words := make([]string, len(statuses))
	for i, s := range statuses {
		words[i] = strconv.Itoa(s)
	}
	return fmt.Errorf("it answers %d, and should answer %s", a.status, strings.Join(words, " or "))
}

func (k *kit) refusesStrangers(ctx context.Context) error {
	m := k.message()
	m.keys, _ = webhook.ParseSecrets(strangers)
	return k.answers(ctx, m, unsigned...)
}

func (k *kit) refusesChanged(ctx context.Context) error {
	m := k.message()
	m.sent = strings.Replace(m.signed, `"attempt":1`, `"attempt":2`, 1)
	return k.answers(ctx, m, unsigned...)
}

func (k *kit) refusesOld(ctx context.Context) error {
	for _, d := range []time.Duration{-10 * time.Minute, 10 * time.Minute} {
		m := k.message()
		m.at = m.at.Add(d)
		if err := k.answers(ctx, m, unsigned...); err != nil {
			return fmt.Errorf("with a time that is ten minutes off, %w", err)
		}
	}
	return nil
}

func (k *kit) takesEither(ctx context.Context) error {
	m := k.message()
	other, _ := webhook.ParseSecrets(strangers)
	m.keys = append(other, m.keys...)
	return k.answers(ctx, m, http.StatusOK)
}

func (k *kit) refusesCut(ctx context.Context) error {
	m := k.message()
	m.signed, _, _ = strings.Cut(m.signed, `{"end"`)
	m.sent = m.signed
	return k.answers(ctx, m, contrary...)
}

func (k *kit) refusesUnknown(ctx context.Context) error {
	m := k.message()
	m.action = "publish"
	return k.answers(ctx, m, unknownAction...)
}

// refusesNoPlan has an erasure of nobody, and without a plan, refused: what came so would
// erase whatever is found.
func (k *kit) refusesNoPlan(ctx context.Context) error {
	m := k.message()
	m.action = string(dsar.Erase)
	m.signed = strings.Replace(m.signed, `"right":"access"`, `"right":"erasure"`, 1)
	m.sent = m.signed
	return k.answers(ctx, m, contrary...)
}

// quotesNobody asks for what the service must refuse or can't answer, with an identifier
// that must not come back where it would be shown or logged.
func (k *kit) quotesNobody(ctx context.Context) error {
	const canary = "canary-6f1ed002"
	asked := whole(Subject{worker.Identifier{Type: k.Manifest.Needs[0], Value: canary}})
	for _, body := range []string{asked, strings.Replace(asked, `"attempt":1`, `"attempt":"`+canary+`"`, 1), canary, strings.Replace(asked, `"lines":1`, `"lines":7`, 1)} {
		m := k.message()
		m.signed, m.sent = body, body
		a, err := k.call.send(ctx, m)
		if err != nil {
			return err
		}
		for name, values := range a.header {
			if strings.Contains(strings.Join(values, " "), canary) {
				return fmt.Errorf("the header %s of its answer quotes what it was asked by", name)
			}
		}
		if strings.Contains(a.body, canary) {
			return fmt.Errorf("its answer with status %d quotes what it was asked by: the reason of an error is shown and logged", a.status)
		}
	}
	return nil
}
