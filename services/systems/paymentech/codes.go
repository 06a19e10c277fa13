package paymentech

import (
	"net/http"
	"slices"

	"habeas.dev/pkg/vendorapi"
	"habeas.dev/pkg/worker"
)

const (
	statusDone = "0"
	// StatusNoProfile is the status of a reference without a profile, as far as
	// is known: see [Config.NotFound].
	StatusNoProfile = "9581"
	// codeSecurity stands for the statuses of a call with wrong credentials.
	codeSecurity = "security"
)

// resends are the statuses after which the call is to be made again (Orbital's
// specification, "Action: Resend").
var resends = []string{"1", "2", "3", "6", "14", "24", "26", "29", "30", "40", "9990", "9991", "9992", "9993", "9999"}

// errNoProfile is a reference without a profile.
var errNoProfile = worker.Permanent("no-profile", "PaymentTech has no profile under this reference", nil)

// codes returns the gateway's statuses, as far as they are known.
func (w *Worker) codes() vendorapi.Codes {
	return vendorapi.Codes{
		codeSecurity: vendorapi.Final("credentials", "PaymentTech refuses the worker's credentials: check user name, password and merchant id"),
	}.
		With(vendorapi.Doubtful("unavailable", "PaymentTech asks to send the call again"), resends...).
		With(func(vendorapi.Reply) error { return errNoProfile }, w.config.NotFound...)
}

// readReply reads an answer, which is masked: see [masked]. One without a status is
// none of the gateway's.
func readReply(a *vendorapi.Answer) vendorapi.Reply {
	m, err := members(a.Body)
	if err != nil {
		return vendorapi.Reply{}
	}
	code := statusOf(m)
	r := vendorapi.Reply{Own: code != ""}
	switch {
	case slices.Contains([]int{http.StatusUnauthorized, http.StatusForbidden, http.StatusPreconditionFailed}, a.Status):
		r.Code = codeSecurity
	case code != statusDone:
		r.Code = code
	}
	return r
}

// statusOf returns an answer's status: order.status.procStatus, or procStatus at
// the top where the call was refused; empty where there is none. A profile's own
// status goes before that of the order it came with.
func statusOf(m profile) string {
	for _, name := range [...]string{"profileProcStatus", "procStatus"} {
		if code := vendorapi.Text(m[name]); code != "" {
			return trimZeros(code)
		}
		if n := string(m[name]); n != "" && isDigit(n[0]) {
			return trimZeros(n)
		}
	}
	return ""
}

// trimZeros makes 00 of 0: the gateway writes both.
func trimZeros(code string) string {
	for len(code) > 1 && code[0] == '0' {
		code = code[1:]
	}
	return code
}
