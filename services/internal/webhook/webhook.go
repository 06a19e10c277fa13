// Package webhook posts signed messages to an address, as Standard Webhooks 1.0 have them
// (https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md):
// receivers verify with any of its libraries.
package webhook

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"strconv"
	"strings"
	"time"

	"habeas.dev/pkg/telemetry"
)

const (
	// maxAnswer bounds what is read of an answer; nothing of it is used.
	maxAnswer = 64 << 10
	// hookTime bounds one call of a webhook.
	hookTime = 20 * time.Second
)

// ErrRefused says that the receiver will never take a message.
var ErrRefused = telemetry.Constant("the receiver refuses the message")

// Hook is an address that messages are posted to. Its errors hold neither the address nor
// what was posted (TestWebhookAnswers of services/notify).
type Hook struct {
	// URL is the address to post to: https, except on loopback.
	URL string
	// SecretFile holds the secret, as [ParseSecrets] reads it. Read at every call, so that
	// a new one is used at once.
	SecretFile string
	Now        func() time.Time
}

// Check returns what is wrong with the configuration, before anything is sent.
func (h Hook) Check() error {
	u, err := url.Parse(h.URL)
	switch {
	case err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http":
		return errors.New("the webhook's url isn't an address, as https://example.com/hook")
	case u.Scheme == "http" && !Loopback(u.Hostname()):
		return errors.New("the webhook's url isn't https: messages would go in the open")
	}
	_, err = h.secret()
	return err
}

func (h Hook) secret() ([][]byte, error) {
	text, err := os.ReadFile(h.SecretFile)
	if err != nil {
		return nil, fmt.Errorf("the webhook's secret: %w", err)
	}
	keys, err := ParseSecrets(string(text))
	if err != nil {
		return nil, fmt.Errorf("the webhook's secret in %s %w", h.SecretFile, err)
	}
	return keys, nil
}

// Message is a signed message, whichever way it goes: the signature is over id, timestamp and
// body with full stops between them.
type Message struct {
	ID        string `json:"webhook-id"`
	Timestamp string `json:"webhook-timestamp"`
	Signature string `json:"webhook-signature"`
	Body      string `json:"body"`
}

// Signed returns a message that is signed and not sent: {"type": typ, "timestamp": at, "data":
// data}. ID MUST be the same whenever the same message is sent again; each try has the time of
// its own in the signature.
func (h Hook) Signed(id, typ string, at time.Time, data any) (Message, error) {
	keys, err := h.secret()
	if err != nil {
		return Message{}, err
	}
	body, err := json.Marshal(struct {
		Type      string    `json:"type"`
		Timestamp time.Time `json:"timestamp"`
		Data      any       `json:"data"`
	}{typ, at, data})
	if err != nil {
		return Message{}, err
	}
	m := Message{ID: id, Timestamp: strconv.FormatInt(h.Now().Unix(), 10), Body: string(body)}
	m.Signature, err = Sign(keys, id, m.Timestamp, func(to io.Writer) error {
		_, err := to.Write(body)
		return err
	})
	return m, err
}

// Post sends one message, as [Hook.Signed] makes it.
func (h Hook) Post(ctx context.Context, id, typ string, at time.Time, data any) error {
	m, err := h.Signed(id, typ, at, data)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, hookTime)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, h.URL, strings.NewReader(m.Body))
	if err != nil {
		return errors.New("the webhook's url isn't an address")
	}
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("User-Agent", "habeas")
	r.Header.Set(HeaderID, m.ID)
	r.Header.Set(HeaderTimestamp, m.Timestamp)
	r.Header.Set(HeaderSignature, m.Signature)
	client := http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	answer, err := client.Do(r)
	if err != nil {
		return errors.New("the receiver can't be reached") // the error holds the url, which may hold a secret
	}
	defer func() { _ = answer.Body.Close() }()
	_, _ = io.Copy(io.Discard, io.LimitReader(answer.Body, maxAnswer))
	switch {
	case answer.StatusCode/100 == 2:
		return nil
	case answer.StatusCode == http.StatusGone:
		return fmt.Errorf("%w: %d", ErrRefused, answer.StatusCode)
	default:
		return fmt.Errorf("the receiver answers %d", answer.StatusCode)
	}
}
