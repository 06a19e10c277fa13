package portal

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"

	"habeas.dev/pkg/dsar"
)

// maxAnswer bounds what is read of intake's answer.
const maxAnswer = 64 << 10

// aDay is after how long intake has a person's next request come, in seconds, where they
// have made as many as may be.
const aDay = "86400"

// HTTPDoor is intake in another process, by its HTTP door.
type HTTPDoor struct {
	url, token string
	client     *http.Client
}

// NewHTTPDoor returns the door at an address, which the portal opens by its token: that of a
// caller with proves.
func NewHTTPDoor(url, token string) *HTTPDoor {
	return &HTTPDoor{url: strings.TrimSuffix(url, "/"), token: token, client: &http.Client{Timeout: callTime,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}}
}

// Submit implements [Door].
func (d *HTTPDoor) Submit(ctx context.Context, data []byte) error {
	status, _, wait, err := d.call(ctx, "/v1/requests", data)
	switch {
	case err != nil:
		return err
	case status == http.StatusAccepted:
		return nil
	case status == http.StatusTooManyRequests && wait == aDay:
		return ErrTooMany
	case status == http.StatusBadRequest, status == http.StatusConflict, status == http.StatusUnprocessableEntity, status == http.StatusRequestEntityTooLarge:
		return ErrRefused
	default:
		return fmt.Errorf("portal: intake answers %d", status)
	}
}

// Match implements [Door].
func (d *HTTPDoor) Match(ctx context.Context, requestID string, typ dsar.IdentifierType, value string) (dsar.Assurance, error) {
	body, err := json.Marshal(map[string]string{"type": string(typ), "value": value})
	if err != nil {
		return "", fmt.Errorf("portal: %w", err)
	}
	status, answer, _, err := d.call(ctx, "/v1/requests/"+requestID+"/match", body)
	if err != nil {
		return "", err
	}
	var found struct {
		Assurance dsar.Assurance `json:"assurance"`
	}
	if status != http.StatusOK || json.Unmarshal(answer, &found) != nil {
		return "", fmt.Errorf("portal: intake answers %d", status)
	}
	return found.Assurance, nil
}

// call posts JSON to the door. Its errors don't quote what was sent.
func (d *HTTPDoor) call(ctx context.Context, path string, body []byte) (status int, answer []byte, wait string, err error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, d.url+path, bytes.NewReader(body))
	if err != nil {
		return 0, nil, "", errors.New("portal: portal.door isn't an address")
	}
	r.Header.Set("Authorization", "Bearer "+d.token)
	r.Header.Set("Content-Type", "application/json")
	resp, err := d.client.Do(r)
	if err != nil {
		return 0, nil, "", fmt.Errorf("portal: intake can't be reached: %w", err)
	}
	defer func() { _ = resp.Body.Close() }() // it was only read
	answer, err = io.ReadAll(io.LimitReader(resp.Body, maxAnswer))
	if err != nil {
		return 0, nil, "", fmt.Errorf("portal: intake's answer: %w", err)
	}
	return resp.StatusCode, answer, resp.Header.Get("Retry-After"), nil
}
