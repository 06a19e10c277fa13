package vendorapi

import (
	"context"
	"encoding/json"
	"fmt"
	"time"
)

// Store keeps what all processes that call one vendor account share: how much
// of the day is used, who is calling at the moment, whether the vendor has asked
// to be left alone. Package ledger has three, in memory, SQLite and PostgreSQL.
type Store interface {
	// Update replaces an account's state with what f makes of it; state is nil
	// where there is none yet, and now is the store's clock, the same for all
	// processes. Updates of one account MUST NOT overlap, whichever processes
	// make them (ledgertest). f may be called more than once; the last counts.
	Update(ctx context.Context, account string, f func(now time.Time, state []byte) []byte) error
	// Each calls f with the state of every account.
	Each(ctx context.Context, f func(now time.Time, account string, state []byte) error) error
}

// shared is an account's state.
type shared struct {
	Vendor string `json:"vendor"`
	// Terms are those of the process that called last: a reader needs no
	// configuration.
	Budget int64 `json:"budget,omitempty"`
	Places int   `json:"places"`

	// Next is when the rate limit's next call would be due if they came evenly
	// (the generic cell rate algorithm's theoretical arrival time).
	Next time.Time `json:"next,omitzero"`
	// Slots are the calls that are out: until when each one's place is kept for
	// it, by its holder.
	Slots map[string]time.Time `json:"slots,omitempty"`
	// Used is how many calls were made until Renewal, at which counting begins
	// anew.
	Used    int64     `json:"used"`
	Renewal time.Time `json:"renewal,omitzero"`
	// Usage is what the vendor itself says of the quota, by everyone together.
	Usage *usage `json:"usage,omitempty"`
	Hold  *hold  `json:"hold,omitempty"`
	// Failures are how many calls in a row said that the vendor is unwell, and
	// Circuit is set while it is taken for down.
	Failures int       `json:"failures,omitempty"`
	Circuit  *circuit  `json:"circuit,omitempty"`
	Last     time.Time `json:"last,omitzero"`
}

type usage struct {
	Used  int64     `json:"used"`
	Limit int64     `json:"limit"`
	At    time.Time `json:"at"`
}

// hold is the vendor's wish to be left alone until a time. Code and reason are
// vouched to be free of personal data, as in package worker.
type hold struct {
	Until  time.Time `json:"until"`
	Code   string    `json:"code"`
	Reason string    `json:"reason"`
}

// circuit is open until a time; from then on one call at a time tries whether
// the vendor is well again.
type circuit struct {
	Until time.Time `json:"until"`
}

// terms are a client's limits.
type terms struct {
	vendor string
	every  time.Duration // between calls; 0: no rate limit
	burst  int
	places int
	lease  time.Duration
	budget int64 // calls until the renewal; 0: no limit
	// renewal is when a day's count that runs at a time ends.
	renewal func(time.Time) time.Time
	share   float64 // of the quota by the vendor's own count
	stale   time.Duration
}

// claim is what a caller asks of an account.
type claim struct {
	holder   string
	reserved bool // the rate limit has let it through already
	call     bool // it has a place of its own process, and would call now
}

// grant is the answer. Neither go nor wait: the caller is not to wait here.
type grant struct {
	granted  bool
	reserved bool
	wait     time.Duration
	code     string
	reason   string
}

const (
	// slotPoll is when to look again whether another process' call has ended.
	slotPoll = 100 * time.Millisecond
)

func decodeState(b []byte) *shared {
	s := &shared{}
	if len(b) > 0 && json.Unmarshal(b, s) != nil {
		// Written by something else: counting begins anew rather than never.
		s = &shared{}
	}
	if s.Slots == nil {
		s.Slots = map[string]time.Time{}
	}
	return s
}

func (s *shared) encode() []byte {
	b, err := json.Marshal(s)
	if err != nil { // it has no value that can't be encoded
		panic(fmt.Sprintf("vendorapi: state of an account: %v", err))
	}
	return b
}

// turn drops what has ended.
func (s *shared) turn(now time.Time, t *terms) {
	for holder, until := range s.Slots {
		if !now.Before(until) { // its process has died
			delete(s.Slots, holder)
		}
	}
	if s.Hold != nil && !now.Before(s.Hold.Until) {
		s.Hold = nil
	}
	if t.renewal != nil && !now.Before(s.Renewal) {
		s.Used, s.Renewal = 0, t.renewal(now)
	}
	s.Vendor, s.Budget, s.Places = t.vendor, t.budget, t.places
}

// take lets a caller through, or says how long it is to wait and why.
func (s *shared) take(now time.Time, t *terms, c claim) grant {
	s.turn(now, t)
	switch {
	case s.Hold != nil:
		return grant{wait: s.Hold.Until.Sub(now), code: s.Hold.Code, reason: s.Hold.Reason, reserved: c.reserved}
	case s.Circuit != nil && now.Before(s.Circuit.Until):
		return grant{wait: s.Circuit.Until.Sub(now), code: codeDown, reason: t.vendor + reasonDown}
	case t.budget > 0 && s.Used >= t.budget:
		return grant{wait: s.Renewal.Sub(now), code: "quota", reason: "the share of " + t.vendor + "'s calls of the day that is ours is used up; the rest is left to others"}
	case s.overTold(now, t):
		return grant{wait: s.Usage.At.Add(t.stale).Sub(now), code: "quota", reason: t.vendor + " says that the day's calls are nearly used up; the rest is left to others"}
	}
	if !c.reserved && t.every > 0 {
		next := s.Next
		if next.Before(now) {
			next = now
		}
		wait := next.Add(-time.Duration(t.burst-1) * t.every).Sub(now)
		if wait > MaxWait {
			return grant{wait: wait, code: "rate-limited", reason: "the budget of calls to " + t.vendor + " is used up for the moment"}
		}
		s.Next, c.reserved = next.Add(t.every), true
		if wait > 0 {
			return grant{wait: wait, reserved: true}
		}
	}
	// One call tries whether a vendor that was down is well again.
	if places := t.places; !c.call || len(s.Slots) >= places || s.Circuit != nil && len(s.Slots) > 0 {
		return grant{wait: slotPoll, reserved: true, code: codeBusy, reason: "other workers of ours are calling " + t.vendor + " as often at once as is allowed"}
	}
	s.Slots[c.holder] = now.Add(t.lease)
	s.Used++
	s.Last = now
	return grant{granted: true}
}

func (s *shared) overTold(now time.Time, t *terms) bool {
	u := s.Usage
	return u != nil && t.share > 0 && u.Limit > 0 && float64(u.Used) >= t.share*float64(u.Limit) && now.Sub(u.At) < t.stale
}

// result is what a call leaves for the others.
type result struct {
	usage  *usage
	hold   *hold // its Until is a duration from the zero time where relative
	after  time.Duration
	health health
}

// health is what a call says of the vendor's.
type health uint8

const (
	unknown health = iota // it was broken off by ourselves
	well                  // it answered, if only to refuse
	sick
	hung // it took the call, and didn't answer within the call's whole time
)

// renew keeps a place on, and reports whether it is held still.
func (s *shared) renew(now time.Time, t *terms, holder string) bool {
	s.turn(now, t)
	_, held := s.Slots[holder]
	if held {
		s.Slots[holder] = now.Add(t.lease)
	}
	return held
}

// leave gives a place back.
func (s *shared) leave(now time.Time, t *terms, holder string, r result) {
	s.turn(now, t)
	delete(s.Slots, holder)
	if r.usage != nil {
		r.usage.At = now
		s.Usage = r.usage
	}
	if r.hold != nil {
		h := *r.hold
		if r.after > 0 {
			h.Until = now.Add(r.after)
		}
		if s.Hold == nil || h.Until.After(s.Hold.Until) {
			s.Hold = &h
		}
	}
	switch {
	case r.health == well:
		s.Failures, s.Circuit = 0, nil
	case r.health == sick, r.health == hung:
		s.Failures++
		if r.health == hung {
			s.Failures += hungCounts - 1
		}
		if s.Failures >= breakAfter {
			s.Circuit = &circuit{Until: now.Add(breakFor)}
		}
	}
}

const (
	codeBusy   = "busy"
	codeDown   = "vendor-down"
	reasonDown = " failed many times in a row and is left alone for a while"
)
