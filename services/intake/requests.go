package intake

import (
	"cmp"
	"context"
	"encoding/base64"
	"errors"
	"net/http"
	"strconv"
	"strings"
	"time"

	"habeas.dev/pkg/dsar"
	"habeas.dev/services/intake/api"
	"habeas.dev/services/internal/callers"
	"habeas.dev/services/internal/core"
	"habeas.dev/services/internal/journal"
)

const (
	// defaultPage and maxPage bound a list, in requests.
	defaultPage = 50
	maxPage     = 200
)

// ListRequests is GET /v1/requests.
func (d door) ListRequests(w http.ResponseWriter, r *http.Request, params api.ListRequestsParams) {
	caller, ok := d.reader(w, r)
	if !ok {
		return
	}
	f := journal.Filter{Source: caller.Name, Limit: defaultPage}
	if params.Limit != nil {
		f.Limit = *params.Limit
	}
	if f.Limit < 1 || f.Limit > maxPage {
		problemInvalid.write(w, "limit is from 1 to "+strconv.Itoa(maxPage))
		return
	}
	if params.Status != nil {
		if !statusForm(*params.Status) {
			problemInvalid.write(w, "status is a word of a request's life")
			return
		}
		f.Statuses = []core.Status{core.Status(*params.Status)}
	}
	if params.After != nil {
		if f.After, ok = readCursor(*params.After); !ok {
			problemInvalid.write(w, "after is the next of a page")
			return
		}
	}
	ctx, cancel := context.WithTimeout(r.Context(), submitTimeout)
	defer cancel()
	rows, err := d.in.Rows.List(ctx, f)
	if err != nil {
		d.unavailable(ctx, w, err)
		return
	}
	list := api.RequestList{Requests: make([]api.RequestState, len(rows))}
	for i, row := range rows {
		list.Requests[i] = d.in.state(row)
	}
	if len(rows) == f.Limit {
		next := writeCursor(rows[len(rows)-1].Cursor())
		list.Next = &next
	}
	writeJSON(w, http.StatusOK, "application/json", list)
}

// statusForm reports whether a text can be a status.
func statusForm(s string) bool {
	return s != "" && len(s) <= 40 && strings.Trim(s, "abcdefghijklmnopqrstuvwxyz-") == ""
}

// writeCursor returns a place in a list as callers hand it back.
func writeCursor(c journal.Cursor) string {
	return base64.RawURLEncoding.EncodeToString([]byte(strconv.FormatInt(c.ReceivedAt.UnixMicro(), 10) + " " + c.RequestID))
}

func readCursor(s string) (journal.Cursor, bool) {
	text, err := base64.RawURLEncoding.DecodeString(s)
	at, id, found := strings.Cut(string(text), " ")
	micro, bad := strconv.ParseInt(at, 10, 64)
	received := time.UnixMicro(micro).UTC()
	if err != nil || !found || bad != nil || !dsar.ValidRequestID(id) || received.Year() < 1 || received.Year() > 9999 {
		return journal.Cursor{}, false
	}
	return journal.Cursor{ReceivedAt: received, RequestID: id}, true
}

// nameOf returns a caller as facts name one.
func nameOf(c callers.Caller) string { return "caller " + cmp.Or(c.Name, "on this machine") }

// CancelRequest is DELETE /v1/requests/{request_id}.
func (d door) CancelRequest(w http.ResponseWriter, r *http.Request, requestID string) {
	caller, ok := d.signedIn(w, r)
	if !ok {
		return
	}
	if !caller.Cancels {
		problemForbidden.write(w, "this caller may not cancel")
		return
	}
	ctx, cancel := context.WithTimeout(r.Context(), submitTimeout)
	defer cancel()
	row, ok := d.own(ctx, w, caller, requestID)
	if !ok {
		return
	}
	if row.Status != core.StatusCancelled {
		_, err := d.in.Requests.Do(ctx, requestID, core.Cancel{By: nameOf(caller), Reason: "cancelled at the door", Now: d.in.Now().UTC().Truncate(time.Microsecond)})
		switch {
		case errors.Is(err, core.ErrEnded), errors.Is(err, core.ErrAnswered), errors.Is(err, core.ErrBegun), errors.Is(err, core.ErrNotAllowed):
			problemCancel.write(w, "it has ended, or has begun to be erased")
			return
		case err != nil:
			d.unavailable(ctx, w, err)
			return
		}
		if row, ok = d.own(ctx, w, caller, requestID); !ok {
			return
		}
	}
	writeJSON(w, http.StatusOK, "application/json", d.in.state(row))
}
