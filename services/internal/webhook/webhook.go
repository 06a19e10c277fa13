// Package webhook posts signed messages to an address, as Standard Webhooks 1.0 have them
// (https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md):
// receivers verify with any of its libraries.
package webhook

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
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
)

const (
	headerID        = "Webhook-Id"
	headerTimestamp = "Webhook-Timestamp"
	headerSignature = "Webhook-Signature"
	secretPrefix    = "whsec_"
	// A secret has 24 to 64 bytes.
	minSecret, maxSecret = 24, 64
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
	// SecretFile holds the secret: whsec_ and 24 to 64 bytes in base64. Read at
	// every call, so that a new one is used at once.
	SecretFile string
	Now        func() time.Time
}

// Check returns what is wrong with the configuration, before anything is sent.
func (h Hook) Check() error {
	u, err := url.Parse(h.URL)
	switch {
	case err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http":
		return errors.New("the webhook's url isn't an address, as https://example.com/hook")
	case u.Scheme == "http" && u.Hostname() != "localhost" && u.Hostname() != "127.0.0.1" && u.Hostname() != "::1":
		return errors.New("the webhook's url isn't https: messages would go in the open")
	}
	_, err = h.secret()
	return err
}

func (h Hook) secret() ([]byte, error) {
	text, err := os.ReadFile(h.SecretFile)
	if err != nil {
		return nil, fmt.Errorf("the webhook's secret: %w", err)
	}
	encoded, ok := strings.CutPrefix(strings.TrimSpace(string(text)), secretPrefix)
	key, err := base64.StdEncoding.DecodeString(encoded)
	if !ok || err != nil || len(key) < minSecret || len(key) > maxSecret {
		return nil, fmt.Errorf("the webhook's secret in %s isn't %s and %d to %d bytes in base64; make one with: echo %s$(openssl rand -base64 32)", h.SecretFile, secretPrefix, minSecret, maxSecret, secretPrefix)
	}
	return key, nil
}

// Post sends one message, {"type": typ, "timestamp": at, "data": data}. ID MUST be the same
// whenever the same message is sent again; each try has the time of its own in the signature.
func (h Hook) Post(ctx context.Context, id, typ string, at time.Time, data any) error {
	key, err := h.secret()
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
	r.Header.Set(headerID, id)
	r.Header.Set(headerTimestamp, now)
	r.Header.Set(headerSignature, "v1,"+sign(key, id, now, body))
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

// sign returns the HMAC-SHA256 over id, time and body.
func sign(key []byte, id, at string, body []byte) string {
	mac := hmac.New(sha256.New, key)
	fmt.Fprintf(mac, "%s.%s.", id, at)
	mac.Write(body)
	return base64.StdEncoding.EncodeToString(mac.Sum(nil))
}
