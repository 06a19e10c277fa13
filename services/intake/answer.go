package intake

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strconv"
	"time"

	"gocloud.dev/blob"

	"habeas.dev/services/internal/callers"
	"habeas.dev/services/internal/core"
)

// answerTime bounds how long an answer may take to be sent: some gigabytes over a slow line.
const answerTime = 30 * time.Minute

// GetAnswer is GET /v1/requests/{request_id}/answer.
func (d door) GetAnswer(w http.ResponseWriter, r *http.Request, requestID string) {
	ctx, cancel := context.WithTimeout(r.Context(), submitTimeout)
	defer cancel()
	caller, ok := d.fetches(ctx, w, r, requestID)
	if !ok {
		return
	}
	from, err := d.in.openAnswer(ctx, r.Context(), requestID)
	if err == nil && r.Method != http.MethodHead {
		_, err = d.in.Requests.Do(ctx, requestID, core.FetchAnswer{By: nameOf(caller), Now: d.in.Now().UTC().Truncate(time.Microsecond)})
	}
	if from != nil {
		defer func() { _ = from.Close() }() // it was only read
	}
	switch {
	case errors.Is(err, core.ErrNotAllowed):
		problemNoAnswer.write(w, "it isn't answered yet, its answer was destroyed when its time had come, or was fetched as often as may be")
	case err != nil:
		d.unavailable(ctx, w, err)
	default:
		give(w, r, "answer.zip.age", from)
	}
}

// GetReceipt is GET /v1/requests/{request_id}/receipt.
func (d door) GetReceipt(w http.ResponseWriter, r *http.Request, requestID string) {
	ctx, cancel := context.WithTimeout(r.Context(), submitTimeout)
	defer cancel()
	if _, ok := d.fetches(ctx, w, r, requestID); !ok {
		return
	}
	s, err := d.in.Requests.State(ctx, requestID)
	switch {
	case err != nil:
		d.unavailable(ctx, w, err)
		return
	case s.GivesOut() != nil || s.ReceiptLeft == nil || s.ReceiptLeft.Object == "":
		problemNoReceipt.write(w, "it is made soon after the answer, and left where the request brought a recipient or an agent has made a passphrase; it goes with the answer")
		return
	}
	from, err := d.in.Outbox.NewReader(r.Context(), s.ReceiptLeft.Object, nil)
	if err != nil {
		d.unavailable(ctx, w, err)
		return
	}
	defer func() { _ = from.Close() }() // it was only read
	give(w, r, "receipt.html.age", from)
}

// fetches returns the caller where it may fetch answers and the request is its own;
// otherwise it has written why not.
func (d door) fetches(ctx context.Context, w http.ResponseWriter, r *http.Request, requestID string) (callers.Caller, bool) {
	caller, ok := d.signedIn(w, r)
	if !ok {
		return caller, false
	}
	if !caller.Fetches || d.in.Outbox == nil {
		problemForbidden.write(w, "this caller may not fetch answers")
		return caller, false
	}
	_, ok = d.own(ctx, w, caller, requestID)
	return caller, ok
}

// give writes an age file of the outbox under a name.
func give(w http.ResponseWriter, r *http.Request, name string, from *blob.Reader) {
	h := w.Header()
	h.Set("Content-Type", "application/age-encryption")
	h.Set("Content-Disposition", `attachment; filename="`+name+`"`)
	h.Set("Content-Length", strconv.FormatInt(from.Size(), 10))
	h.Set("Cache-Control", "no-store")
	h.Set("X-Content-Type-Options", "nosniff")
	_ = http.NewResponseController(w).SetWriteDeadline(time.Now().Add(answerTime)) // recorders have none
	w.WriteHeader(http.StatusOK)
	if r.Method != http.MethodHead {
		_, _ = io.Copy(w, from) // who went away is told nothing
	}
}

// openAnswer opens the answer to a request, for as long as its reader stays; what there is
// none of is [core.ErrNotAllowed].
func (in *Intake) openAnswer(ctx, reader context.Context, requestID string) (*blob.Reader, error) {
	s, err := in.Requests.State(ctx, requestID)
	if err == nil {
		err = s.GivesOut()
	}
	if err != nil {
		return nil, err
	}
	return in.Outbox.NewReader(reader, s.Bundle.Name, nil)
}
