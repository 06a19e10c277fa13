// Package webhook posts signed messages to an address, as Standard Webhooks 1.0 have them
// (https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md):
// receivers verify with any of its libraries.
package webhook

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"strconv"
	"time"
)

const (
	// maxAnswer bounds what is read of an answer; nothing of it is used.
	maxAnswer = 64 << 10
	// hookTime bounds one call of a webhook.
	hookTime = 20 * time.Second
)

// ErrRefused says that the receiver will never take a message.
var ErrRefused = errors.New("the receiver refuses the message")

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

// Post sends one message, {"type": typ, "timestamp": at, "data": data}. ID MUST be the same
// whenever the same message is sent again; each try has the time of its own in the signature.
func (h Hook) Post(ctx context.Context, id, typ string, at time.Time, data any) error {
	keys, err := h.secret()
	if err != nil {
		return err
	}
	body, err := json.Marshal(struct {
		Type      string    `json:"type"`
		Timestamp time.Time `json:"timestamp"`
		Data      any       `json:"data"`
	}{typ, at, data})
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, hookTime)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, h.URL, bytes.NewReader(body))
	if err != nil {
		return errors.New("the webhook's url isn't an address")
	}
	now := strconv.FormatInt(h.Now().Unix(), 10)
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("User-Agent", "habeas")
	signature, err := Sign(keys, id, now, func(to io.Writer) error {
		_, err := to.Write(body)
		return err
	})
	if err != nil {
		return err
	}
	r.Header.Set(HeaderID, id)
	r.Header.Set(HeaderTimestamp, now)
	r.Header.Set(HeaderSignature, signature)
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
