package console_test

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"habeas.dev/pkg/dsar"
	"habeas.dev/pkg/vendorapi"
	"habeas.dev/services/console"
	"habeas.dev/services/internal/core"
	"habeas.dev/services/internal/watch"
)

// TestSystems says of each system how it is, by the worst that is known of it.
func TestSystems(t *testing.T) {
	t.Parallel()
	at := start.Add(30 * time.Minute)
	ended := core.TaskEnded{System: "billing", Action: dsar.Gather, Attempt: 1, Outcome: dsar.Gathered, Moment: core.Moment{At: at}}
	drifted := ended
	drifted.Notes = []string{"the table invoices has a column that its manifest doesn't declare: iban"}
	failed := core.TaskFailed{System: "billing", Action: dsar.Gather, Attempt: 1, Outcome: dsar.Failed, Code: "no-permission", Reason: "billing says no", Moment: core.Moment{At: at}}
	no := func(minute int) core.Event {
		f := failed
		f.At = at.Add(time.Duration(minute) * time.Minute)
		return f
	}
	var often []core.Event // every other task fails
	for i := range 6 {
		e := ended
		e.At = at.Add(time.Duration(2*i) * time.Minute)
		often = append(often, e, no(2*i+1))
	}
	var sometimes []core.Event // three of twelve fail, never one after the other
	for i := range 12 {
		e := no(i)
		if i%4 != 0 {
			f := ended
			f.At = at.Add(time.Duration(i) * time.Minute)
			e = f
		}
		sometimes = append(sometimes, e)
	}
	account := vendorapi.Account{Name: "billing/example.com", Vendor: "Billing", Used: 400, Budget: 1000, Circuit: vendorapi.Closed}
	paused, down := account, account
	paused.Until, paused.Code, paused.Reason = start.Add(2*time.Hour), "quota", "our share is used up"
	down.Circuit, down.Until, down.Reason = vendorapi.Open, start.Add(2*time.Hour), "Billing is down"
	for name, c := range map[string]struct {
		facts    []core.Event
		accounts []vendorapi.Account
		tasks    func(context.Context, string) (int64, error)
		shows    []string
	}{
		"nothing known":   {nil, nil, nil, []string{"not heard of yet"}},
		"answers":         {[]core.Event{ended}, []vendorapi.Account{account}, func(context.Context, string) (int64, error) { return 17, nil }, []string{">answers<", ">17<", "<dd>0 <", "of 1<", "600", "of 1000"}},
		"brokers away":    {[]core.Event{ended}, nil, func(context.Context, string) (int64, error) { return 0, errors.New("no broker") }, []string{">answers<"}},
		"silent":          {[]core.Event{ended, core.TaskSent{System: "billing", Reason: core.SentUnheard, Moment: core.Moment{At: at.Add(time.Minute)}}}, []vendorapi.Account{paused}, nil, []string{"doesn’t answer", "since"}},
		"one failed":      {[]core.Event{ended, no(1)}, nil, nil, []string{">answers<", "<dd>1 <", "of 2<", "billing says no", "no-permission"}},
		"fails":           {[]core.Event{ended, no(1), no(2), no(3)}, nil, nil, []string{">fails<", "billing says no", "<dd>3 <", "of 4<", "no-permission"}},
		"fails often":     {often, nil, nil, []string{">fails often<", "billing says no", "<dd>6 <", "of 12<"}},
		"fails sometimes": {sometimes, nil, nil, []string{">fails sometimes<", `class="pill warn"`, "billing says no", "<dd>3 <", "of 12<"}},
		"puts off":        {[]core.Event{ended, core.TaskParked{System: "billing", Code: "rate-limited", Reason: "too fast", Until: start.Add(2 * time.Hour), Moment: core.Moment{At: at.Add(time.Minute)}}}, nil, nil, []string{"puts off", "too fast"}},
		"quota":           {[]core.Event{ended}, []vendorapi.Account{paused}, nil, []string{"left alone", "our share is used up"}},
		"circuit":         {[]core.Event{ended}, []vendorapi.Account{down}, nil, []string{"left alone", "Billing is down", "circuit open"}},
		"drift":           {[]core.Event{drifted}, nil, nil, []string{"its worker notes", "declare: iban"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := newDesk(t)
			d.tasks = c.tasks
			if c.accounts != nil {
				d.accounts = func(context.Context) ([]vendorapi.Account, error) { return c.accounts, nil }
			}
			d.open()
			if err := watch.Save(t.Context(), d.journal, c.facts); err != nil {
				t.Fatal(err)
			}
			w := d.call(d.as(console.Viewer), "GET", "/systems", nil)
			for _, want := range c.shows {
				if !strings.Contains(w.Body.String(), want) {
					t.Errorf("no %q in %s", want, w.Body)
				}
			}
			if w.Code != http.StatusOK {
				t.Errorf("%d", w.Code)
			}
		})
	}
}
