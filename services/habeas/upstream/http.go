package upstream

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"
)

// Timeout bounds one submission.
const Timeout = 15 * time.Second

// maxAnswer bounds what is read of an answer.
const maxAnswer = 1 << 20

// Post submits a request over HTTP to the door at base, with a token where the door
// knows callers, and returns the answer's body. The error of a request that is refused is the problem's own words.
func Post(ctx context.Context, base, token string, request []byte) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, Timeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, strings.TrimSuffix(base, "/")+"/v1/requests", bytes.NewReader(request))
	if err != nil {
		return nil, err
	}
	req.Header.Set("Content-Type", "application/json")
	if token != "" {
		req.Header.Set("Authorization", "Bearer "+token)
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return nil, err
	}
	defer res.Body.Close()
	body, err := io.ReadAll(io.LimitReader(res.Body, maxAnswer))
	if err != nil {
		return nil, err
	}
	if res.StatusCode/100 != 2 {
		var problem struct{ Title, Detail string }
		_ = json.Unmarshal(body, &problem)
		return nil, fmt.Errorf("%s: %s", res.Status, cmp.Or(problem.Detail, problem.Title))
	}
	return body, nil
}
