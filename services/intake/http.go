package intake

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"mime"
	"net/http"
	"strings"
	"time"

	"habeas.dev/pkg/dsar"
	"habeas.dev/services/intake/api"
	"habeas.dev/services/internal/journal"
)

// Handler returns the HTTP door, as schemas/openapi.yaml describes it.
func (in *Intake) Handler() http.Handler {
	mux := http.NewServeMux()
	api.HandlerWithOptions(door{in}, api.StdHTTPServerOptions{
		BaseRouter: mux,
		ErrorHandlerFunc: func(w http.ResponseWriter, _ *http.Request, _ error) {
			problemInvalid.write(w, "the path can't be read")
		},
	})
	// What the document doesn't know is answered in its form too.
	mux.HandleFunc("/", func(w http.ResponseWriter, _ *http.Request) { problemPath.write(w, "") })
	for path, allowed := range map[string]string{"/v1/requests": "POST", "/v1/requests/{request_id}": "GET, HEAD", "/healthz": "GET, HEAD", "/readyz": "GET, HEAD"} {
		mux.HandleFunc(path, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Allow", allowed)
			problemMethod.write(w, "allowed: "+allowed)
		})
	}
	return mux
}

// Server returns a server for the door with limits on what a connection may hold
// and how long. The caller listens and serves.
func Server(h http.Handler) *http.Server {
	return &http.Server{
		Handler:           h,
		ReadHeaderTimeout: headerTimeout,
		ReadTimeout:       headerTimeout + readTimeout,
		WriteTimeout:      headerTimeout + readTimeout + submitTimeout + readyTimeout,
		IdleTimeout:       idleTimeout,
		MaxHeaderBytes:    maxHeaders,
	}
}

// door implements the generated interface; its methods are those of the document.
type door struct{ in *Intake }

var _ api.ServerInterface = door{}

// SubmitRequest is POST /v1/requests.
func (d door) SubmitRequest(w http.ResponseWriter, r *http.Request) {
	select {
	case d.in.slots <- struct{}{}:
		defer func() { <-d.in.slots }()
	default:
		w.Header().Set("Retry-After", retryBusy)
		problemBusy.write(w, fmt.Sprintf("%d are being worked on; the same request may be sent again", MaxInFlight))
		return
	}
	body, ok := readBody(w, r)
	if !ok {
		return
	}
	ctx, cancel := context.WithTimeout(r.Context(), submitTimeout)
	defer cancel()
	receipt, err := d.in.Submit(ctx, body)
	var refusal *Refusal
	switch {
	case err == nil:
		w.Header().Set("Location", "/v1/requests/"+receipt.RequestId)
		writeJSON(w, http.StatusAccepted, "application/json", receipt)
	case errors.As(err, &refusal):
		writeRefusal(w, refusal)
	default:
		d.unavailable(ctx, w, err)
	}
}

// GetRequest is GET /v1/requests/{request_id}.
func (d door) GetRequest(w http.ResponseWriter, r *http.Request, requestID string) {
	if !dsar.ValidRequestID(requestID) {
		problemInvalid.write(w, "a request_id is a UUID in lower case")
		return
	}
	ctx, cancel := context.WithTimeout(r.Context(), submitTimeout)
	defer cancel()
	row, err := d.in.Rows.Row(ctx, requestID)
	switch {
	case err == nil:
		writeJSON(w, http.StatusOK, "application/json", state(row))
	case errors.Is(err, journal.ErrNotFound):
		problemNotFound.write(w, "")
	default:
		d.unavailable(ctx, w, err)
	}
}

// GetHealth is GET /healthz: this process answers.
func (d door) GetHealth(w http.ResponseWriter, _ *http.Request) {
	writeJSON(w, http.StatusOK, "application/json", api.Health{Status: api.Ok})
}

// GetReadiness is GET /readyz: requests can be taken in.
func (d door) GetReadiness(w http.ResponseWriter, r *http.Request) {
	if d.in.Ready != nil {
		ctx, cancel := context.WithTimeout(r.Context(), readyTimeout)
		defer cancel()
		if err := d.in.Ready(ctx); err != nil {
			d.unavailable(ctx, w, err)
			return
		}
	}
	d.GetHealth(w, r)
}

// unavailable answers that the same may be tried again; why is for the log.
func (d door) unavailable(ctx context.Context, w http.ResponseWriter, err error) {
	if !errors.Is(err, context.Canceled) { // the caller went away
		d.in.Log.ErrorContext(ctx, "requests can't be taken in", "error", err)
	}
	w.Header().Set("Retry-After", retryUnavailable)
	problemUnavailable.write(w, "nothing was taken in; the same request may be sent again")
}

// readBody reads a body that is JSON by its headers and at most [MaxBody] long,
// or answers why not.
func readBody(w http.ResponseWriter, r *http.Request) ([]byte, bool) {
	media, params, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if charset := params["charset"]; err != nil || media != "application/json" || charset != "" && !strings.EqualFold(charset, "utf-8") {
		problemContentType.write(w, "want application/json in UTF-8")
		return nil, false
	}
	if r.Header.Get("Content-Encoding") != "" {
		problemContentType.write(w, "want a body that isn't compressed")
		return nil, false
	}
	tooLarge := fmt.Sprintf("at most %d bytes are read", MaxBody)
	if r.ContentLength > MaxBody { // it says so itself: nothing is read
		w.Header().Set("Connection", "close")
		problemTooLarge.write(w, tooLarge)
		return nil, false
	}
	// A body that trickles holds a slot for so long and no longer. Recorders
	// have no deadline; their bodies are there.
	deadline := http.NewResponseController(w)
	_ = deadline.SetReadDeadline(time.Now().Add(readTimeout))
	var body bytes.Buffer
	body.Grow(int(max(r.ContentLength, 0)) + bytes.MinRead)
	_, err = body.ReadFrom(http.MaxBytesReader(w, r.Body, MaxBody))
	var over *http.MaxBytesError
	switch {
	case errors.As(err, &over):
		problemTooLarge.write(w, tooLarge)
		return nil, false
	case err != nil:
		w.Header().Set("Connection", "close")
		problemTimeout.write(w, fmt.Sprintf("it must be complete, within %v", readTimeout))
		return nil, false
	}
	_ = deadline.SetReadDeadline(time.Time{})
	return body.Bytes(), true
}
