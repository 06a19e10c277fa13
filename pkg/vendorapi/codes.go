package vendorapi

import (
	"errors"
	"net/http"
	"strconv"
	"time"

	"habeas.dev/pkg/dsar"
	"habeas.dev/pkg/worker"
)

// Reply is an answer, or one part of it, as its vendor's own form has it.
type Reply struct {
	// Status is HTTP's, of the answer or of the part.
	Status int
	// Own tells that the answer has the vendor's own form. One that hasn't came
	// from something between: a proxy, a load balancer, a page that asks to log in.
	Own bool
	// Code is the vendor's own code for what went wrong; empty where it says that
	// all is well. Message is its own sentence, which may quote values: it is read
	// only, never repeated.
	Code, Message string
	// After is how long the vendor asks to wait; 0 where it doesn't say.
	After time.Duration
	// Detail is the wrapped error, which travels sealed.
	Detail error
}

// cause says in fields what the vendor answered.
func (r Reply) cause() dsar.Cause {
	c := dsar.Cause{Answer: Code(r.Code), Status: r.Status}
	if c.Answer == "unknown" {
		c.Answer = ""
	}
	return c
}

// Meaning makes an error of a reply by its code: one of [Again], [Unsure] and
// [Stale], or one of package worker.
type Meaning func(Reply) error

// Codes are a vendor's own codes, each with its meaning. One that isn't among them
// is never final: the vendor is asked again, and a person hears of it when that
// doesn't help.
type Codes map[string]Meaning

// With returns the codes with one meaning for several more.
func (c Codes) With(m Meaning, codes ...string) Codes {
	for _, code := range codes {
		c[code] = m
	}
	return c
}

// Passing returns the meaning of a code after which nothing was done, and may be
// done later. It waits for at least some time; 0 for as long as the vendor says.
func Passing(wait time.Duration, code, reason string) Meaning {
	return func(r Reply) error { return Again(max(r.After, wait), code, reason, r.Detail) }
}

// Doubtful returns the meaning of a code after which it isn't known whether the
// vendor did it.
func Doubtful(code, reason string) Meaning {
	return func(r Reply) error { return Unsure(code, reason, r.Detail) }
}

// Renewing returns the error of a code that says that the access token is no longer
// accepted.
func Renewing(r Reply) error { return Stale(r.Detail) }

// Final returns the meaning of a code with which a person must deal. The vendor's
// own code is added to the reason.
func Final(code, reason string) Meaning {
	return func(r Reply) error {
		return worker.Because(r.cause(), worker.Permanent(code, reason+" ("+Code(r.Code)+")", r.Detail))
	}
}

// CodeUnknown is the code of an error for a reply whose own code isn't in the
// table.
const CodeUnknown = "unknown-code"

const codeUnavailable = "unavailable"

// Judge returns what a reply means for its call; nil where all is well. It is the
// one place where an error becomes final, and MUST NOT make one final that has
// HTTP 5xx, that isn't in the vendor's own form, or whose code isn't known
// (TestNeverFinal).
func (c *Client) Judge(r Reply) error {
	err := c.meaning(r)
	var e *worker.Error
	if r.Status >= http.StatusInternalServerError && errors.As(err, &e) && e.Permanent() {
		return c.unavailable(r)
	}
	return err
}

func (c *Client) meaning(r Reply) error {
	vendor := c.config.Vendor
	if r.Own && r.Code == "" && r.Status < http.StatusMultipleChoices {
		return nil
	}
	if m, known := c.config.Codes[r.Code]; known && r.Own {
		return m(r)
	}
	switch {
	case r.Status == http.StatusTooManyRequests:
		return Again(r.After, "rate-limited", vendor+" asks for fewer calls", r.Detail)
	case r.Status == http.StatusUnauthorized && c.config.Token != nil: // asked for anew
		return refusedToken(r.Own, r.Detail)
	case r.Status >= http.StatusInternalServerError:
		return c.unavailable(r)
	case !r.Own:
		return notTheVendor(vendor, r.Detail)
	}
	reason := vendor + " answered with a code that isn't known here (HTTP " + strconv.Itoa(r.Status) + ", " + Code(r.Code) + "); it is asked again"
	if c.config.UnknownHint != "" {
		reason += ": " + c.config.UnknownHint
	}
	return &failure{verdict: unsure, code: CodeUnknown, reason: reason, err: r.Detail, answered: true, cause: r.cause()}
}

func notTheVendor(vendor string, err error) *failure {
	return &failure{verdict: unsure, code: "not-the-vendor", reason: "what answered has not " + vendor + "'s own form: a proxy may stand between; it is asked again", err: err}
}

func (c *Client) unavailable(r Reply) error {
	return &failure{verdict: unsure, code: codeUnavailable, reason: c.config.Vendor + " failed (HTTP " + strconv.Itoa(r.Status) + ", " + Code(r.Code) + ")", err: r.Detail, cause: r.cause()}
}

// MayBeOne reports whether an error of a call about many may be about one of them:
// the vendor refused it as it was, or says why in words that aren't known here. The
// others are asked for without it: see [Halve].
func MayBeOne(err error, codes ...string) bool {
	var e *worker.Error
	if !errors.As(err, &e) {
		return false
	}
	for _, code := range codes {
		if e.Code == code {
			return true
		}
	}
	return e.Code == CodeUnknown
}
