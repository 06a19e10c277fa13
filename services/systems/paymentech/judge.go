package paymentech

import (
	"errors"
	"net/http"
	"slices"
	"strconv"

	"habeas.dev/pkg/vendorapi"
	"habeas.dev/pkg/worker"
)

const (
	statusDone = "0"
	// StatusNoProfile is the status of a reference without a profile, as far as
	// is known: see [Config.NotFound].
	StatusNoProfile = "9581"
)

// resend tells of a status whether the call is to be made again (Orbital's
// specification, "Action: Resend").
func resend(code string) bool {
	switch code {
	case "1", "2", "3", "6", "14", "24", "26", "29", "30", "40", "9990", "9991", "9992", "9993", "9999":
		return true
	}
	return false
}

// answered is what an answer says of the call.
type answered struct {
	code    string // procStatus; empty where there is none
	profile bool   // names a reference
	whole   bool   // is whole JSON
}

// statusOf reads an answer's status: order.status.procStatus, or procStatus at
// the top where the call was refused. A profile's own status goes before that
// of the order it came with.
func statusOf(body []byte) (a answered) {
	m, err := members(body)
	a.whole = err == nil
	for _, name := range [...]string{"profileProcStatus", "procStatus"} {
		if code := vendorapi.Text(m[name]); code != "" && a.code == "" {
			a.code = trimZeros(code)
		} else if n := string(m[name]); a.code == "" && n != "" && isDigit(n[0]) {
			a.code = trimZeros(n)
		}
	}
	a.profile = vendorapi.Text(m["customerRefNum"]) != ""
	return a
}

// trimZeros makes 00 of 0: the gateway writes both.
func trimZeros(code string) string {
	for len(code) > 1 && code[0] == '0' {
		code = code[1:]
	}
	return code
}

// errNoProfile is a reference without a profile.
var errNoProfile = worker.Permanent("no-profile", "PaymentTech has no profile under this reference", nil)

// judge says what an answer means. Its details are masked: see [masked].
func (w *Worker) judge(a *vendorapi.Answer) error {
	s := statusOf(a.Body)
	after := a.RetryAfter(w.config.Now())
	switch {
	case a.Status == http.StatusTooManyRequests:
		return vendorapi.Again(after, "rate-limited", "PaymentTech asks for fewer calls", a.Detail())
	case resend(s.code):
		return vendorapi.Unsure("unavailable", "PaymentTech asks to send the call again ("+s.code+")", a.Detail())
	case a.Status >= http.StatusInternalServerError:
		return vendorapi.Unsure("unavailable", "PaymentTech failed (HTTP "+strconv.Itoa(a.Status)+")", a.Detail())
	case a.Status == http.StatusUnauthorized, a.Status == http.StatusForbidden, a.Status == http.StatusPreconditionFailed:
		return worker.Permanent("credentials", "PaymentTech refuses the worker's credentials (HTTP "+strconv.Itoa(a.Status)+"): check user name, password and merchant id", a.Detail())
	case a.Status == http.StatusOK && !s.whole:
		return errors.New("half an answer") // which is unsure
	case slices.Contains(w.config.NotFound, s.code):
		return errNoProfile
	case a.Status == http.StatusOK && (s.code == statusDone || s.code == "" && s.profile):
		return nil
	case s.code != "":
		return worker.Permanent("refused", "PaymentTech refuses the call with status "+vendorapi.Code(s.code)+": if that is how it says that there is no profile, add it to not_found in the configuration", a.Detail())
	default:
		return worker.Permanent("refused", "PaymentTech refuses the call (HTTP "+strconv.Itoa(a.Status)+")", a.Detail())
	}
}
