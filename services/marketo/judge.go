package marketo

import (
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"

	"habeas.dev/pkg/vendorapi"
	"habeas.dev/pkg/worker"
)

// judge says what an answer of a whole call means. Marketo answers its own
// errors with HTTP 200 and success false. Every answer counts, of a call that is
// made again in place too.
func (w *Worker) judge(a *vendorapi.Answer) error {
	w.budget.spend()
	after := a.RetryAfter(w.config.Now())
	switch {
	case a.Status >= 500:
		return vendorapi.Unsure("unavailable", "Marketo failed (HTTP "+strconv.Itoa(a.Status)+")", a.Detail())
	case a.Status == http.StatusTooManyRequests:
		return vendorapi.Again(after, "rate-limited", "Marketo asks for fewer calls", a.Detail())
	case a.Status == http.StatusUnauthorized:
		return vendorapi.Stale(a.Detail())
	case a.Status != http.StatusOK:
		return worker.Permanent("refused", "Marketo refused the call (HTTP "+strconv.Itoa(a.Status)+")", a.Detail())
	}
	good, code, message, err := envelope(a.Body)
	switch {
	case err != nil:
		return err
	case good:
		return nil
	}
	return w.meaning(code, message, a.Detail(), after)
}

// envelope reads what every answer begins with.
func envelope(body []byte) (good bool, code, message string, err error) {
	s := vendorapi.NewScanner(body)
	s.Object(func(key []byte) {
		switch string(key) {
		case "success":
			good = s.Bool()
		case "errors":
			s.Array(func() {
				s.Object(func(key []byte) {
					switch v := s.Value(); {
					case string(key) == "code" && code == "":
						code = vendorapi.Text(v)
					case string(key) == "message" && message == "":
						message = vendorapi.Text(v)
					}
				})
			})
		default:
			s.Skip()
		}
	})
	if err = s.Err(); err == nil {
		err = vendorapi.Whole(body)
	}
	return good, code, message, err
}

// meaning is what a code of an error of a whole call means (Adobe, "Error
// Codes"). Messages are read only, never repeated: they may quote values.
func (w *Worker) meaning(code, message string, detail error, after time.Duration) error {
	switch code {
	case "600", "601", "602":
		return vendorapi.Stale(detail)
	case "606":
		return vendorapi.Again(max(after, ratePause), "rate-limited", "Marketo asks for fewer calls", detail)
	case "615":
		return vendorapi.Again(after, "too-many-at-once", "Marketo is asked by too many at once", detail)
	case "608", "713":
		return vendorapi.Again(after, "unavailable", "Marketo is unavailable for a moment", detail)
	case "502", "604", "611", "614":
		return vendorapi.Unsure("unavailable", "Marketo failed ("+code+")", detail)
	case "607":
		return worker.RetryAt(w.budget.renewal(), "quota", "the day's calls of the Marketo instance are used up; they are renewed at midnight in Chicago", detail)
	case "603":
		return worker.Permanent("no-permission", "Marketo forbids the call: check the permissions of the worker's API user", detail)
	case "1006":
		return worker.Permanent("schema", "Marketo doesn't know a field that the manifest declares: make it, or take the column out of the manifest", detail)
	case "1003":
		if strings.Contains(message, "nextPageToken") {
			w.forgetTypes()
			return worker.Transient("page-expired", "Marketo no longer knows the place in a long answer; it is asked anew", detail)
		}
		return worker.Permanent(codeBadValue, "Marketo refuses to be asked for this address, or more than 1,000 leads have it: look for them by hand", detail)
	}
	return worker.Permanent("refused", "Marketo refused the call ("+vendorapi.Code(code)+")", detail)
}

// ratePause is a quarter of the window of 20 seconds in which Marketo counts.
const ratePause = 5 * time.Second

// budget is what this process has called in the quota's day.
type budget struct {
	daily int
	zone  *time.Location
	now   func() time.Time

	mu   sync.Mutex
	day  string
	used int
}

// spend counts a call.
func (b *budget) spend() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.turn()
	b.used++
}

// turn begins a new day. The caller holds the lock.
func (b *budget) turn() {
	if day := b.now().In(b.zone).Format(time.DateOnly); day != b.day {
		b.day, b.used = day, 0
	}
}

// left parks the work where our share of the day is used up.
func (b *budget) left() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.turn()
	if b.used >= b.daily {
		return worker.RetryAt(b.renewal(), "quota", "the share of Marketo's calls of the day that is ours is used up; the rest is left to others", nil)
	}
	return nil
}

// renewal is when the quota's next day begins.
func (b *budget) renewal() time.Time {
	y, m, d := b.now().In(b.zone).Date()
	return time.Date(y, m, d+1, 0, 1, 0, 0, b.zone).UTC()
}
