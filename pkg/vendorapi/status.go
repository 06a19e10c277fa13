package vendorapi

import (
	"context"
	"slices"
	"strings"
	"time"
)

// Circuit tells whether a vendor is taken for well.
type Circuit string

// The states of a circuit.
const (
	Closed   Circuit = "closed"    // well
	HalfOpen Circuit = "half-open" // one call at a time tries whether it is well again
	Open     Circuit = "open"      // down: it isn't called
)

// Account is how things stand with one vendor account, over all processes that
// call it.
type Account struct {
	// Name is as in [Config]: marketo/123-abc-456.mktorest.com. Vendor is what a
	// support agent reads.
	Name, Vendor string
	// Used is how many calls all our processes made in the quota's running day,
	// and Budget how many they may; Budget is 0 where there is no limit of ours.
	Used, Budget int64
	// Renewal is when the day ends; the zero time where nothing is counted by
	// the day.
	Renewal time.Time
	// VendorUsed and VendorLimit are the vendor's own count of everybody's
	// calls, where it tells; else 0.
	VendorUsed, VendorLimit int64
	// InFlight is how many calls are out, of Places.
	InFlight, Places int
	Circuit          Circuit
	// Until is when a vendor that is left alone (by its own wish, by its circuit,
	// or because the budget is spent) is called again, and Code and Reason say
	// why; the zero time where it is called.
	Until        time.Time
	Code, Reason string
	// LastCall is when the last call began.
	LastCall time.Time
}

// Remaining returns how many calls of our budget are left; limited is false where there
// is none.
func (a Account) Remaining() (calls int64, limited bool) {
	return max(a.Budget-a.Used, 0), a.Budget > 0
}

// Accounts reads how things stand with every account of a store, in order of
// name. It changes nothing.
func Accounts(ctx context.Context, s Store) ([]Account, error) {
	var list []Account
	err := s.Each(ctx, func(now time.Time, name string, state []byte) error {
		list = append(list, decodeState(state).account(name, now))
		return nil
	})
	slices.SortFunc(list, func(a, b Account) int { return strings.Compare(a.Name, b.Name) })
	return list, err
}

func (s *shared) account(name string, now time.Time) Account {
	a := Account{Name: name, Vendor: s.Vendor, Used: s.Used, Budget: s.Budget, Renewal: s.Renewal, Places: s.Places, Circuit: Closed, LastCall: s.Last}
	for _, until := range s.Slots {
		if now.Before(until) {
			a.InFlight++
		}
	}
	if !s.Renewal.IsZero() && !now.Before(s.Renewal) { // a day on which nothing was called yet
		a.Used, a.Renewal = 0, time.Time{}
	}
	if s.Usage != nil {
		a.VendorUsed, a.VendorLimit = s.Usage.Used, s.Usage.Limit
	}
	switch {
	case s.Circuit != nil && now.Before(s.Circuit.Until):
		a.Circuit, a.Until, a.Code, a.Reason = Open, s.Circuit.Until, codeDown, s.Vendor+reasonDown
	case s.Circuit != nil:
		a.Circuit = HalfOpen
	}
	if left, limited := a.Remaining(); limited && left == 0 && a.Until.Before(a.Renewal) {
		a.Until, a.Code, a.Reason = a.Renewal, "quota", "our share of the day's calls is used up"
	}
	if s.Hold != nil && now.Before(s.Hold.Until) && a.Until.Before(s.Hold.Until) {
		a.Until, a.Code, a.Reason = s.Hold.Until, s.Hold.Code, s.Hold.Reason
	}
	return a
}
