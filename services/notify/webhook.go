package notify

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

// The headers and the secret's form are those of Standard Webhooks 1.0
// (https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md):
// receivers verify with any of its libraries.
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
	// eventType is the type of the event that a webhook gets.
	eventType = "habeas.attention.v1"
)

// Webhook posts messages to an address, signed.
type Webhook struct {
	// URL is the address to post to: https, except on loopback.
	URL string
	// SecretFile holds the secret: whsec_ and 24 to 64 bytes in base64. Read at
	// every call, so that a new one is used at once.
	SecretFile string
	Now        func() time.Time
}

var _ Channel = Webhook{}

// Check returns what is wrong with the configuration, before anything is sent.
func (h Webhook) Check() error {
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

func (h Webhook) secret() ([]byte, error) {
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

// Deliver implements [Channel]. Each try has the time of its own in the
// signature, and the message's id.
func (h Webhook) Deliver(ctx context.Context, m Message) error {
	key, err := h.secret()
	if err != nil {
		return err
	}
	body, err := json.Marshal(struct {
		Type      string    `json:"type"`
		Timestamp time.Time `json:"timestamp"`
		Data      Message   `json:"data"`
	}{eventType, m.At, m})
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, hookTime)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, h.URL, bytes.NewReader(body))
	if err != nil {
		return errors.New("the webhook's url isn't an address")
	}
	at := strconv.FormatInt(h.Now().Unix(), 10)
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("User-Agent", "habeas")
	r.Header.Set(headerID, m.ID)
	r.Header.Set(headerTimestamp, at)
	r.Header.Set(headerSignature, "v1,"+sign(key, m.ID, at, body))
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
