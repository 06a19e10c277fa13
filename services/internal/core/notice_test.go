package core_test

import (
	"errors"
	"testing"
	"time"

	"habeas.dev/pkg/dsar"
	"habeas.dev/services/internal/core"
)

// noticed returns an answered erasure in system s, of whose dataset d three recipients had data,
// and a fourth of another.
func noticed(t *testing.T) (core.State, time.Time) { return noticedOf(t, "") }

// How it may have been erased besides: by a person, or by an attempt that nobody heard of.
const (
	byHand  = "by hand"
	unheard = "unheard"
)

// noticedOf returns that, erased in a way.
func noticedOf(t *testing.T, way string) (core.State, time.Time) {
	t.Helper()
	at := time.Date(2026, 11, 20, 9, 30, 0, 0, time.UTC)
	d, other := core.Reached{System: "s", Dataset: "d"}, core.Reached{System: "s", Dataset: "other"}
	s := core.State{}
	take := func(c core.Command) {
		t.Helper()
		facts, err := core.Decide(s, c)
		if err != nil {
			t.Fatalf("%T: %v", c, err)
		}
		for _, f := range facts {
			s = core.Evolve(s, f)
		}
	}
	take(core.Submit{Accepted: core.Accepted{RequestID: "r1", Right: dsar.Erasure, Jurisdiction: "EEA", ReceivedAt: at, AcceptedAt: at, DueAt: at.AddDate(0, 1, 0), Digest: "d1",
		Identifiers: []dsar.Identifier{{Type: "email", Fingerprint: "fp", Assurance: dsar.AssuranceVerified}},
		Systems:     []dsar.System{{Name: "s", Abilities: []dsar.Action{dsar.Erase}, Needs: []dsar.IdentifierType{"email"}}},
		Recipients: []core.Recipient{
			{ID: "hook", By: core.WayWebhook, Receives: []core.Reached{d, other}}, {ID: "hand", By: core.WayHand, Receives: []core.Reached{d}},
			{ID: "tax", By: core.WayNobody, Receives: []core.Reached{d}}, {ID: "untouched", By: core.WayWebhook, Receives: []core.Reached{other}},
		}}})
	ends := func(a dsar.Action, o dsar.Outcome, counts ...dsar.Counts) {
		t.Helper()
		at = at.Add(time.Minute)
		r := dsar.Report{RequestID: "r1", System: "s", Action: a, Attempt: 1, Kind: dsar.ReportEnded, Outcome: o, Counts: counts}
		if a == dsar.Plan {
			r.Objects = []dsar.Object{{Name: "s/plan/1-a", SHA256: "0000000000000000000000000000000000000000000000000000000000000000"}}
		}
		if a == dsar.Assemble {
			r.System = dsar.Aggregator
			r.Objects = []dsar.Object{{Name: "bundle"}}
		}
		take(core.TakeReport{Report: r, Now: at})
	}
	ends(dsar.Plan, dsar.Found, dsar.Counts{Dataset: "d", Found: 2})
	switch way {
	case byHand:
		take(core.TakeReport{Report: dsar.Report{RequestID: "r1", System: "s", Action: dsar.Erase, Attempt: 1, Kind: dsar.ReportFailed, Code: "forbidden", Reason: "no"}, Now: at})
		take(core.Attest{By: "lea", Reason: "in their console", System: "s", Outcome: dsar.Erased, Now: at})
	case unheard:
		at = at.Add(2 * dsar.DefaultLease)
		take(core.Tick{Now: at})
		take(core.TakeReport{Report: dsar.Report{RequestID: "r1", System: "s", Action: dsar.Erase, Attempt: 2, Kind: dsar.ReportEnded, Outcome: dsar.NothingFound, Counts: []dsar.Counts{{Dataset: "d", Gone: 2}}}, Now: at})
	default:
		ends(dsar.Erase, dsar.Erased, dsar.Counts{Dataset: "d", Found: 2, Erased: 2}, dsar.Counts{Dataset: "other"})
	}
	ends(dsar.Prove, dsar.Proven)
	if len(s.Notices) != 3 || len(s.DueNotices(at)) != 0 {
		t.Fatalf("before the answer: %+v", s.Notices)
	}
	ends(dsar.Assemble, dsar.Assembled)
	if s.Status != core.StatusCompleted {
		t.Fatal(s.Status)
	}
	return s, at
}

// TestRecipientsAreTold: who received what was erased is told by its way once the answer was
// given, reminded, and then left to a person; who confirms is done with; who can't be told, or
// received nothing of it, isn't.
func TestRecipientsAreTold(t *testing.T) {
	t.Parallel()
	s, now := noticed(t)
	do := func(c core.Command) error {
		facts, err := core.Decide(s, c)
		for _, f := range facts {
			s = core.Evolve(s, f)
		}
		return err
	}
	if told := s.Told(); len(told.Notices) != 3 || told.Notices[2].Status != core.NoticeIsExcused || told.Notices[0].Fact == 0 {
		t.Errorf("the answer is told %+v", told.Notices)
	}
	if n := s.Notice("hook"); len(n.Datasets) != 1 || n.Datasets[0].Dataset != "d" {
		t.Errorf("the webhook is told of %v", n.Datasets)
	}
	if s.Notice("untouched") != nil {
		t.Error("who received nothing that was changed is told")
	}
	token := []byte("0123456789abcdef0123456789abcdef")
	for i := 1; i <= core.MaxNotices; i++ {
		due := s.DueNotices(now)
		if len(due) != 1 || due[0].Recipient != "hook" || core.Wake(s).After(now) {
			t.Fatalf("notice %d: due are %+v, woken at %v", i, due, core.Wake(s))
		}
		if err := do(core.SendNotice{Recipient: "hook", Token: token, Now: now}); err != nil {
			t.Fatal(err)
		}
		if len(s.DueNotices(now)) != 0 {
			t.Fatal("it is told twice at once")
		}
		now = now.Add(core.RemindRecipient)
	}
	if !s.Notice("hook").Waits() || len(s.DueNotices(now)) != 0 || !s.Notice("hand").Waits() || s.Notice("tax").Waits() {
		t.Errorf("who waits for a person: %+v", s.Notices)
	}
	if err := do(core.AcknowledgeNotice{Recipient: "hook", Token: []byte("another"), Now: now}); !errors.Is(err, core.ErrNotAllowed) {
		t.Errorf("a foreign token: %v", err)
	}
	if err := do(core.AcknowledgeNotice{Recipient: "nobody", Token: token, Now: now}); !errors.Is(err, core.ErrNotAllowed) {
		t.Errorf("an unknown recipient: %v", err)
	}
	for range 2 { // it may come twice
		if err := do(core.AcknowledgeNotice{Recipient: "hook", Token: token, Now: now}); err != nil || s.Notice("hook").Status != core.NoticeIsAnswered {
			t.Errorf("%v, %+v", err, s.Notice("hook"))
		}
	}
	for _, status := range []core.NoticeStatus{core.NoticeIsSent, core.NoticeIsAnswered} {
		if err := do(core.SettleNotice{By: "lea", Reason: "by telephone", Recipient: "hand", Status: status, Now: now}); err != nil || s.Notice("hand").Status != status {
			t.Errorf("%s: %v, %+v", status, err, s.Notice("hand"))
		}
	}
	if err := do(core.SettleNotice{By: "lea", Reason: "again", Recipient: "hand", Status: core.NoticeIsSent, Now: now}); !errors.Is(err, core.ErrNotAllowed) {
		t.Errorf("what is settled can be settled: %v", err)
	}
	if err := do(core.SettleNotice{By: "lea", Reason: "why", Recipient: "tax", Status: core.NoticeIsOwed, Now: now}); !errors.Is(err, core.ErrInvalid) {
		t.Errorf("it can be owed by hand: %v", err)
	}
}

// TestRecipientsOfWhatIsDoneByHand: what somebody has erased by hand, without saying in which
// datasets, reaches the recipients of those in which the plan has found something.
func TestRecipientsOfWhatIsDoneByHand(t *testing.T) {
	t.Parallel()
	s, now := noticedOf(t, byHand)
	if n := s.Notice("hook"); n == nil || len(n.Datasets) != 1 || n.Datasets[0].Dataset != "d" {
		t.Errorf("the webhook is told of %+v", n)
	}
	if due := s.DueNotices(now); len(due) != 1 || s.Notice("untouched") != nil {
		t.Errorf("due are %+v", due)
	}
}

// TestRecipientsOfWhatMayBeErased: records that are gone, and that an attempt of which nobody
// heard may have erased, are told as erased ones are.
func TestRecipientsOfWhatMayBeErased(t *testing.T) {
	t.Parallel()
	s, now := noticedOf(t, unheard)
	if n := s.Notice("hook"); n == nil || len(n.Datasets) != 1 || n.Datasets[0].Dataset != "d" || len(s.DueNotices(now)) != 1 || s.Notice("untouched") != nil {
		t.Errorf("the webhook is told of %+v", n)
	}
}

// TestUnreachableRecipient: what can't be delivered is tried again, less and less often, and
// is then a person's; what will never be is so at once.
func TestUnreachableRecipient(t *testing.T) {
	t.Parallel()
	for passing, tries := range map[bool]int{true: core.MaxNoticeTries, false: 1} {
		s, now := noticed(t)
		for i := range tries {
			if due := s.DueNotices(now); len(due) != 1 {
				t.Fatalf("passing %t: try %d isn't due: %+v", passing, i, s.Notices)
			}
			facts, err := core.Decide(s, core.SendNotice{Recipient: "hook", Code: "recipient-unreachable", Passing: passing, Now: now})
			if err != nil {
				t.Fatal(err)
			}
			for _, f := range facts {
				s = core.Evolve(s, f)
			}
			if wake := core.Wake(s); i < tries-1 {
				if !wake.After(now) || wake.Sub(now) > 24*time.Hour {
					t.Fatalf("tried again at %v, after %v", wake, now)
				}
				now = wake
			}
		}
		if n := s.Notice("hook"); !n.Waits() || n.Code == "" || len(s.DueNotices(now.AddDate(1, 0, 0))) != 0 {
			t.Errorf("passing %t: %+v", passing, n)
		}
	}
}
