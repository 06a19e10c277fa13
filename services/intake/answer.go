package intake

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strconv"
	"time"

	"gocloud.dev/blob"

	"habeas.dev/services/internal/core"
)

// answerTime bounds how long an answer may take to be sent: some gigabytes over a slow line.
const answerTime = 30 * time.Minute

// GetAnswer is GET /v1/requests/{request_id}/answer.
func (d door) GetAnswer(w http.ResponseWriter, r *http.Request, requestID string) {
	caller, ok := d.signedIn(w, r)
	if !ok {
		return
	}
	if !caller.Fetches || d.in.Outbox == nil {
		problemForbidden.write(w, "this caller may not fetch answers")
		return
	}
	ctx, cancel := context.WithTimeout(r.Context(), submitTimeout)
	defer cancel()
	if _, ok := d.own(ctx, w, caller, requestID); !ok {
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
		return
	case err != nil:
		d.unavailable(ctx, w, err)
		return
	}
	h := w.Header()
	h.Set("Content-Type", "application/age-encryption")
	h.Set("Content-Disposition", `attachment; filename="answer.zip.age"`)
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
