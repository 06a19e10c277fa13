package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"habeas.dev/pkg/dsar"
	"habeas.dev/services/habeas/upstream"
	"habeas.dev/services/internal/journal"
	"habeas.dev/services/internal/lifecycle"
)

// faultyFleet is a fleet under faults, and what was asked of it since the last one.
type faultyFleet struct {
	*fleet
	*pipeline
	door, console  *member
	events, others []*member // others are all of the fleet

	t       *testing.T
	asked   []asked
	person  int
	crashes int            // how often work may have been done twice since
	unheard bool           // whether reports have been lost since
	before  map[string]int // what was destroyed before
}

type asked struct {
	id     string
	person int
	right  dsar.Right
}

func (s *faultyFleet) begin(t *testing.T) {
	t.Helper()
	s.t, s.asked, s.crashes, s.unheard, s.before = t, nil, 0, false, s.vendors.snapshot()
	s.pipeline.T = t
}

// beginAt has all requests of a test go through another door.
func (s *faultyFleet) beginAt(t *testing.T, door *member) {
	t.Helper()
	s.begin(t)
	usual := s.door
	s.door = door
	t.Cleanup(func() { s.door = usual })
}

// ask sends a request: for access of one of the first people, over and over, or
// for erasure of one of the last, of each once.
func (s *faultyFleet) ask() {
	s.t.Helper()
	if err := s.tryAsk(); err != nil {
		s.t.Fatal(err)
	}
}

func (s *faultyFleet) askMany(n int) {
	s.t.Helper()
	for range n {
		s.ask()
	}
}

func (s *faultyFleet) request(right dsar.Right, person int) upstream.Request {
	return upstream.Request{ID: uuid.NewString(), Right: right, Jurisdiction: "EEA", Locale: "en", Source: "test", ReceivedAt: received, Email: s.fleet.people.Person(person).Email}
}

// tryAsk sends a request until the door has taken it, or refuses it for good: a
// door that can't reach its journal says so, and whoever asks, asks again.
func (s *faultyFleet) tryAsk() error {
	s.person++
	half := len(s.fleet.people.People) / 2
	person, right := 1+s.person%half, dsar.Access
	if s.person%5 == 0 && s.person/5 <= half {
		person, right = half+s.person/5, dsar.Erasure
	}
	r := s.request(right, person)
	ctx, cancel := context.WithTimeout(s.t.Context(), patience)
	defer cancel()
	beat := time.NewTicker(50 * time.Millisecond)
	defer beat.Stop()
	for {
		_, err := upstream.Post(ctx, s.door.url, "", r.JSON())
		if err == nil {
			s.asked = append(s.asked, asked{id: r.ID, person: person, right: right})
			return nil
		}
		select {
		case <-beat.C:
		case <-ctx.Done():
			return err
		}
	}
}

// until waits until something holds for each of the requests.
func (s *faultyFleet) until(what string, holds func(ctx context.Context, id string) bool) {
	s.t.Helper()
	ctx, cancel := context.WithTimeout(s.t.Context(), patience)
	defer cancel()
	beat := time.NewTicker(20 * time.Millisecond)
	defer beat.Stop()
	for _, a := range s.asked {
		for !holds(ctx, a.id) {
			select {
			case <-beat.C:
			case <-ctx.Done():
				row, err := s.in.Journal.Row(context.WithoutCancel(ctx), a.id)
				s.t.Fatalf("request %s is %s, waits for %v, and isn't %s: %v", a.id, row.Status, row.Waiting, what, err)
			}
		}
	}
}

// waitsFor waits until all that was asked waits for one system and nothing else,
// and lists of what waits for it show so.
func (s *faultyFleet) waitsFor(system string) {
	s.t.Helper()
	s.until("waiting for "+system+" alone", func(ctx context.Context, id string) bool {
		row, err := s.in.Journal.Row(ctx, id)
		return err == nil && slices.Equal(row.Waiting, []string{system})
	})
	listed := s.listed(journal.Filter{Waiting: system})
	for _, a := range s.asked {
		if _, ok := listed[a.id]; !ok {
			s.t.Errorf("request %s isn't among those that wait for %s", a.id, system)
		}
		if page := s.page(a.id); !strings.Contains(page, system) {
			s.t.Errorf("request %s: the console doesn't say what it waits for", a.id)
		}
	}
}

// finish waits until all that was asked has ended.
func (s *faultyFleet) finish() {
	s.t.Helper()
	for _, a := range s.asked {
		s.wait(a.id)
	}
}

// end holds after every fault: every request has ended; its bundle holds each of
// its person's records once, or its certificate counts them; its chain verifies;
// its facts amount to what lists and the console show; and no vendor was told to
// destroy a record more often than once, and once more for each crash.
func (s *faultyFleet) end() {
	s.t.Helper()
	s.finish()
	listed := s.listed(journal.Filter{})
	for _, a := range s.asked {
		if a.right == dsar.Erasure {
			s.certifies(a.id, a.person, s.crashes > 0 || s.unheard)
		} else {
			s.holds(a.id, a.person)
		}
		s.sound(a.id, listed[a.id])
	}
	tooOften, _ := s.vendors.more(s.before, 1+s.crashes)
	if len(tooOften) > 0 {
		s.t.Errorf("after %d crashes: %s", s.crashes, strings.Join(tooOften, ", "))
	}
	if erasures := slices.ContainsFunc(s.asked, func(a asked) bool { return a.right == dsar.Erasure }); erasures && len(s.vendors.snapshot()) == 0 {
		s.t.Error("no vendor was told to destroy anything: this counts nothing")
	}
}

// sound compares a request's facts with its chain, its row, and the console.
func (s *faultyFleet) sound(id string, listed journal.Row) {
	s.t.Helper()
	row, facts, err := s.settled(id, &listed)
	if err := errors.Join(err, journal.VerifyHead(row, facts)); err != nil {
		s.t.Errorf("request %s: %v", id, err)
		return
	}
	folded, err := lifecycle.Fold(facts)
	if err != nil || !reflect.DeepEqual(folded, row) || !reflect.DeepEqual(listed, row) {
		s.t.Errorf("request %s: %v\nfacts: %+v\nrow:   %+v\nlist:  %+v", id, err, folded, row, listed)
	}
	if page := s.page(id); !strings.Contains(page, fmt.Sprintf("data-status=%q", folded.Status)) {
		s.t.Errorf("request %s is %s, and the console doesn't say so", id, folded.Status)
	}
}

// settled returns a request's row and its facts of one moment, and looks it up in the list
// again where that is older. What ended gets a receipt after that, and an erasure's copies
// are forgotten: facts come until all are equal.
func (s *faultyFleet) settled(id string, listed *journal.Row) (row journal.Row, facts []journal.Fact, err error) {
	s.t.Helper()
	ctx, cancel := context.WithTimeout(s.t.Context(), patience)
	defer cancel()
	for ctx.Err() == nil {
		if facts, err = s.in.Journal.Facts(ctx, id, 1); err != nil {
			return row, facts, err
		}
		if row, err = s.in.Journal.Row(ctx, id); err != nil {
			return row, facts, err
		}
		switch rows, err := s.in.Journal.List(ctx, journal.Filter{IDPrefix: id, Limit: 1}); {
		case err != nil:
			return row, facts, err
		case row.Version == len(facts) && row.Version == listed.Version:
			return row, facts, nil
		case len(rows) == 1:
			*listed = rows[0]
		}
	}
	return row, facts, ctx.Err()
}

// listed returns all rows of a list, page by page.
func (s *faultyFleet) listed(f journal.Filter) map[string]journal.Row {
	s.t.Helper()
	rows := map[string]journal.Row{}
	for {
		page, err := s.in.Journal.List(s.t.Context(), f)
		if err != nil {
			s.t.Fatal(err)
		}
		for _, row := range page {
			rows[row.RequestID] = row
		}
		if len(page) < f.ListLimit() {
			return rows
		}
		last := page[len(page)-1]
		f.After = journal.Cursor{ReceivedAt: last.ReceivedAt, RequestID: last.RequestID}
	}
}

// page returns what the console shows of a request.
func (s *faultyFleet) page(id string) string {
	s.t.Helper()
	req, err := http.NewRequestWithContext(s.t.Context(), http.MethodGet, s.console.url+"/requests/"+id, nil)
	if err != nil {
		s.t.Fatal(err)
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		s.t.Fatal(err)
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	if err != nil || res.StatusCode != http.StatusOK {
		s.t.Fatalf("console: %s: %v", res.Status, err)
	}
	return string(text)
}
