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
	"habeas.dev/services/internal/callers"
	"habeas.dev/services/internal/journal"
)

// Handler returns the HTTP door, as schemas/openapi.yaml describes it.
func (in *Intake) Handler() http.Handler {
	mux := http.NewServeMux()
	api.HandlerWithOptions(door{in}, api.StdHTTPServerOptions{
		BaseRouter: mux,
		ErrorHandlerFunc: func(w http.ResponseWriter, _ *http.Request, _ error) {
			problemInvalid.write(w, "the path, or what follows it, can't be read")
		},
	})
	// What the document doesn't know is answered in its form too.
	mux.HandleFunc("/", func(w http.ResponseWriter, _ *http.Request) { problemPath.write(w, "") })
	for path, allowed := range map[string]string{"/v1/requests": "GET, HEAD, POST", "/v1/requests/{request_id}": "DELETE, GET, HEAD", "/v1/requests/{request_id}/answer": "GET, HEAD", "/v1/requests/{request_id}/receipt": "GET, HEAD", "/v1/requests/{request_id}/match": "POST"} {
		mux.HandleFunc(path, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Allow", allowed)
			problemMethod.write(w, "allowed: "+allowed)
		})
	}
	if in.Notices != nil {
		mux.Handle("/notices/", in.Notices)
	}
	mux.HandleFunc("GET /docs", in.docs.servePage)
	mux.HandleFunc("GET /docs/openapi.yaml", in.docs.serveDocument)
	return mux
}

// Server returns a server for the door with limits on what a connection may hold
// and how long. The caller listens and serves.
func Server(h http.Handler) *http.Server {
	return &http.Server{
		Handler:           h,
		ReadHeaderTimeout: headerTimeout,
		ReadTimeout:       headerTimeout + readTimeout,
		WriteTimeout:      headerTimeout + readTimeout + submitTimeout,
		IdleTimeout:       idleTimeout,
		MaxHeaderBytes:    maxHeaders,
	}
}

// door implements the generated interface; its methods are those of the document.
type door struct{ in *Intake }

var _ api.ServerInterface = door{}

// SubmitRequest is POST /v1/requests.
func (d door) SubmitRequest(w http.ResponseWriter, r *http.Request) {
	caller, ok := d.signedIn(w, r)
	if !ok {
		return
	}
	body, ok := d.readBody(w, r)
	if !ok {
		return
	}
	// A place among those that are worked on is taken now that the body is there: who
	// is slow holds up nobody (TestSlowloris).
	select {
	case d.in.slots <- struct{}{}:
		defer func() { <-d.in.slots }()
	default:
		w.Header().Set("Retry-After", retryBusy)
		problemBusy.write(w, fmt.Sprintf("%d are being worked on; the same request may be sent again", MaxInFlight))
		return
	}
	ctx, cancel := context.WithTimeout(r.Context(), submitTimeout)
	defer cancel()
	receipt, err := d.in.Submit(ctx, caller, body)
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

// signedIn returns who calls; where that is nobody, or calls too often, the answer is
// written. A door without callers believes who is on this machine, and no page that a
// browser there has from elsewhere (TestReboundName).
func (d door) signedIn(w http.ResponseWriter, r *http.Request) (callers.Caller, bool) {
	if d.in.Callers == nil {
		if !callers.OnThisMachine(r) {
			problemForbidden.write(w, "without callers in its configuration the door answers on its own machine only, under localhost")
			return callers.Caller{}, false
		}
		return callers.Local(), true
	}
	origin := d.in.Limits.Origin(r)
	caller, err := d.in.Callers.Of(r)
	switch {
	// A good sign-in passes, whatever came from its address: many share one behind a balancer.
	case errors.Is(err, callers.ErrUnknown) && d.in.Limits.Failing(origin):
		w.Header().Set("Retry-After", retryRate)
		w.Header().Set("Connection", "close") // a body that isn't read
		problemRate.write(w, "too many sign-ins from this address failed")
		return callers.Caller{}, false
	case errors.Is(err, callers.ErrUnknown):
		d.in.Limits.Failed(origin)
		d.in.Log.InfoContext(r.Context(), "a call without a good sign-in", "error", err)
		w.Header().Set("WWW-Authenticate", `Bearer error="invalid_token"`)
		w.Header().Set("Connection", "close") // a body that isn't read
		problemUnknown.write(w, "sign in with a token, a JWT, or a client certificate")
		return caller, false
	case err != nil:
		d.unavailable(r.Context(), w, err)
		return caller, false
	case !d.in.Limits.Call(caller):
		w.Header().Set("Retry-After", retryRate)
		problemRate.write(w, "this caller calls more often than it may")
		return caller, false
	}
	return caller, true
}

// reader returns who calls, where they may read; else the answer is written.
func (d door) reader(w http.ResponseWriter, r *http.Request) (callers.Caller, bool) {
	caller, ok := d.signedIn(w, r)
	if ok && !caller.Reads {
		problemForbidden.write(w, "this caller may submit, and not read")
		return caller, false
	}
	return caller, ok
}

// GetRequest is GET /v1/requests/{request_id}.
func (d door) GetRequest(w http.ResponseWriter, r *http.Request, requestID string) {
	caller, ok := d.reader(w, r)
	if !ok {
		return
	}
	ctx, cancel := context.WithTimeout(r.Context(), submitTimeout)
	defer cancel()
	if row, ok := d.own(ctx, w, caller, requestID); ok {
		writeJSON(w, http.StatusOK, "application/json", d.in.state(row))
	}
}

// own returns a request of the caller's own. Another caller's is answered as one that
// there isn't.
func (d door) own(ctx context.Context, w http.ResponseWriter, caller callers.Caller, requestID string) (journal.Row, bool) {
	if !dsar.ValidRequestID(requestID) {
		problemInvalid.write(w, "a request_id is a UUID in lower case")
		return journal.Row{}, false
	}
	row, err := d.in.Rows.Row(ctx, requestID)
	switch {
	case errors.Is(err, journal.ErrNotFound), err == nil && !caller.Owns(row.Source):
		problemNotFound.write(w, "")
		return journal.Row{}, false
	case err != nil:
		d.unavailable(ctx, w, err)
		return journal.Row{}, false
	}
	return row, true
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
func (d door) readBody(w http.ResponseWriter, r *http.Request) ([]byte, bool) {
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
	// A body that trickles holds its connection for so long and no longer. Recorders
	// have no deadline; their bodies are there.
	deadline := http.NewResponseController(w)
	_ = deadline.SetReadDeadline(time.Now().Add(readTimeout))
	var body bytes.Buffer // it grows with what is there, and not with what is announced
	counted := &counted{from: http.MaxBytesReader(w, r.Body, MaxBody), held: &d.in.reading}
	defer counted.free()
	_, err = body.ReadFrom(counted)
	var over *http.MaxBytesError
	switch {
	case errors.Is(err, errMuchRead):
		w.Header().Set("Connection", "close")
		w.Header().Set("Retry-After", retryBusy)
		problemBusy.write(w, "too much is being read; the same request may be sent again")
		return nil, false
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
