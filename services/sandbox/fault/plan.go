package fault

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// All stands for every vendor in a [Plan].
const All = "all"

// Plan is what goes wrong with which vendor, by its name, and by [All].
type Plan map[string]Config

// Of returns a vendor's part: its own, or that of all.
func (p Plan) Of(vendor string) Config {
	if c, ok := p[vendor]; ok {
		return c
	}
	return p[All]
}

// Grammar is the form of [Parse]'s text, for those who write it.
const Grammar = `Parts are joined by semicolons: salesforce:5xx=0.2,latency=50ms;marketo:quota=1h.
A part without a vendor's name is for all that have none of their own. Shares are from 0 to 1 of all calls:
  latency=50ms   before every answer; jitter=20ms more at most
  5xx=0.2        answered 503, nothing done
  lost=0.1       done, and answered 502
  cut=0.1        done, and the connection cut in mid-answer
  half=0.1       done, and half of the answer given
  throttle=0.1   refused as too many calls, in the vendor's way
  spoilt=0.1     done, and answered so that it must not count; spoil=short+empty in
                 these ways only: empty, twice, stranger, short, doubled, emptied,
                 unended, passing, unknown, partly
  lock=0.1       of changes to a record: somebody holds it
  quota=1h       the day's calls are used up, for so long from the start
  revoke=0.01    the access token is revoked first (Salesforce, Marketo)
  pages=0.1      page tokens expire first (Salesforce, Marketo)
  forbid=Task    the caller may not see it: an object or Object.Field of Salesforce, a
                 kind of Marketo's calls (activities, customObjects); more joined by +
  settle=1m      what is deleted is still shown for so long
  seed=7         of what is drawn`

// Parse reads a plan; an empty text is one without faults. known are the
// vendors' names. Its error is one line that names the part.
func Parse(text string, known []string) (Plan, error) {
	p := Plan{}
	for part := range strings.SplitSeq(text, ";") {
		if part = strings.TrimSpace(part); part == "" {
			continue
		}
		vendor, settings, ok := strings.Cut(part, ":")
		if !ok {
			vendor, settings = All, part
		}
		vendor = strings.TrimSpace(vendor)
		if !isKnown(vendor, known) {
			return nil, fmt.Errorf("sandbox faults: no vendor is called %q; there are %s", vendor, strings.Join(known, ", "))
		}
		if _, twice := p[vendor]; twice {
			return nil, fmt.Errorf("sandbox faults: %s stands twice; join its settings by commas", vendor)
		}
		c, err := parseConfig(settings)
		if err != nil {
			return nil, fmt.Errorf("sandbox faults: %s: %w", vendor, err)
		}
		p[vendor] = c
	}
	return p, nil
}

func isKnown(vendor string, known []string) bool {
	for _, k := range append([]string{All}, known...) {
		if vendor == k {
			return true
		}
	}
	return false
}

func parseConfig(text string) (c Config, err error) {
	shares := map[string]*float64{"5xx": &c.ServerError, "lost": &c.ErrorAfter, "cut": &c.Cut, "half": &c.Half, "spoilt": &c.Spoilt,
		"throttle": &c.Throttle, "lock": &c.Lock, "revoke": &c.Revoke, "pages": &c.ExpirePages}
	times := map[string]*time.Duration{"latency": &c.Latency, "jitter": &c.Jitter, "quota": &c.Quota, "settle": &c.Settle}
	for setting := range strings.SplitSeq(text, ",") {
		name, value, _ := strings.Cut(strings.TrimSpace(setting), "=")
		switch {
		case shares[name] != nil:
			*shares[name], err = strconv.ParseFloat(value, 64)
			if err != nil || *shares[name] < 0 || *shares[name] > 1 {
				return c, fmt.Errorf("%s=%s is no share from 0 to 1", name, value)
			}
		case times[name] != nil:
			*times[name], err = time.ParseDuration(value)
			if err != nil || *times[name] < 0 {
				return c, fmt.Errorf("%s=%s is no time such as 50ms or 1h", name, value)
			}
		case name == "forbid":
			c.Forbid = value
		case name == "spoil":
			c.Spoil = value
		case name == "seed":
			if c.Seed, err = strconv.ParseInt(value, 10, 64); err != nil {
				return c, fmt.Errorf("seed=%s is no whole number", value)
			}
		default:
			return c, fmt.Errorf("nothing is called %q; there are latency, jitter, 5xx, lost, cut, half, throttle, lock, quota, revoke, pages, spoilt, spoil, forbid, settle, seed", name)
		}
	}
	if sum := c.ServerError + c.Throttle + c.ErrorAfter + c.Cut + c.Half + c.Spoilt; sum > 1 {
		return c, fmt.Errorf("5xx, throttle, lost, cut, half and spoilt are %g of all calls together; at most 1", sum)
	}
	return c, nil
}
