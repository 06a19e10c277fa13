// Package reconcile holds a journal that was restored from a backup against what lies
// elsewhere: the facts on dsar.events, what was submitted on dsar.requests, the outbox and
// the vault. What can be is taken up again, each by facts of the journal; the rest is named.
//
// MUST hold, and this package's tests prove: a fact is taken in only where the vault's secret
// vouches for it and it follows the request's last one by its hash; a request whose answer lies
// in the outbox is not answered again; and it can be killed at any point and run again.
package reconcile

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"gocloud.dev/blob"

	"habeas.dev/pkg/bus"
	"habeas.dev/pkg/dsar"
	"habeas.dev/pkg/vault"
	"habeas.dev/services/internal/core"
	"habeas.dev/services/internal/journal"
	"habeas.dev/services/internal/receipt"
)

// Requests applies commands to requests, and takes facts up again; lifecycle.Lifecycle does.
type Requests interface {
	State(ctx context.Context, requestID string) (core.State, error)
	Do(ctx context.Context, requestID string, c core.Command) (core.State, error)
	TakeUp(ctx context.Context, requestID string, facts []journal.Fact, c *core.TakeUp) (core.State, error)
}

// Topics reads topics; [bus.Scan] on a cluster.
type Topics interface {
	Scan(ctx context.Context, topic string, since time.Time, f func(bus.Scanned) error) error
}

// Door takes in a record of dsar.requests again, as intake does. Its error says that the
// journal or the vault couldn't be asked; code is why the record is refused, empty where it
// isn't.
type Door interface {
	TakeIn(ctx context.Context, r bus.Scanned, known core.TakeUp) (code string, err error)
}

// Answers opens what lies in the outbox as a request's answer.
type Answers interface {
	// Answer returns what the answer of a request is, of one whose keys were destroyed its
	// sealed size alone; nil where there is none. One that doesn't open is an error.
	Answer(ctx context.Context, requestID string) (*dsar.Object, error)
}

// Config says what is held against what. Topics may be nil: then nothing is taken up from
// there.
type Config struct {
	Journal  journal.Store
	Requests Requests
	Vault    *vault.Vault
	Outbox   *blob.Bucket
	Answers  Answers
	Topics   Topics
	Door     Door
	// Since bounds what is read of the topics; the zero time: all of it.
	Since time.Time
	// Beyond is what the mirror's list of heads has beyond the journal's, and From and Until
	// between when that was journalled, as far as is known.
	Beyond      receipt.Beyond
	From, Until time.Time
	// Plan has nothing done: what would be is in the report.
	Plan bool
	// By is who reconciles, for the facts.
	By  string
	Now func() time.Time
	// Progress is told what is being looked at, and how far; may be nil.
	Progress func(what string, n int)
}

// What became of a request.
type What string

// What may become of a request, or have become of it.
const (
	TakenUp   What = "taken-up"  // its later facts are in the journal again
	TakenIn   What = "taken-in"  // it is in the journal again, as it was submitted
	Answered  What = "answered"  // it ended with the answer that had gone out: a person looks
	Told      What = "told"      // letters that had gone out are noted
	Parted    What = "parted"    // the journal has gone on another way: a person looks
	Cut       What = "cut"       // later facts can't be taken in: it goes on from where it is
	Lost      What = "lost"      // the journal doesn't know it: it must be sent again
	Short     What = "short"     // facts of it are lost for good: a person looks
	Forgotten What = "forgotten" // the journal doesn't know it, and its keys were destroyed
	NoKeys    What = "no-keys"   // the vault has lost its keys: it can't go on, or what it left can't be found
)

// Item is what is said of one request. It holds no personal data.
type Item struct {
	Request string `json:"request"`
	// Caller is who sent it, where that is known.
	Caller string `json:"caller,omitempty"`
	What   What   `json:"what"`
	// Facts is how many were taken in again.
	Facts int `json:"facts,omitempty"`
	// Lost is how many facts there were, as the mirrored list of heads says, that nobody has.
	Lost int `json:"facts_lost,omitempty"`
	// Letters is how many had gone out that the journal didn't know of.
	Letters int `json:"letters,omitempty"`
	// Answer is the object of the outbox that answers it.
	Answer string `json:"answer,omitempty"`
	// Status is the request's in the journal.
	Status core.Status `json:"status,omitempty"`
	// Why says more, as a sentence.
	Why string `json:"why,omitempty"`
}

// Report is what was found and done; with Plan, what would be done.
type Report struct {
	Plan  bool      `json:"plan"`
	Since time.Time `json:"since,omitzero"`
	// Facts is how many facts were read of dsar.events.
	Facts int `json:"facts_read"`
	// Heads says what the mirrored list of heads has beyond the journal's, and what of that is
	// lost for good; nil: it has nothing, or there is none.
	Heads *LostHeads `json:"heads,omitempty"`
	Items []Item     `json:"requests"`
}

// Count returns how many requests something became of.
func (r Report) Count(w What) (n int) {
	for _, i := range r.Items {
		if i.What == w {
			n++
		}
	}
	return n
}

// run is one reconciliation on its way.
type run struct {
	Config
	report Report
	// outbox is what lies there of requests that the journal doesn't know, or has open.
	outbox map[string]remains
	// said are the requests that the report has something of.
	said map[string]bool
	// callers are those whom facts name that couldn't be taken in.
	callers map[string]string
	leaves  leaves
	// versions is how many facts the journal had of the requests in the mirrored list.
	versions map[string]int
}

// Run reconciles. What is wrong with a request is in the report; an error means that something
// could not be read or written: it can be run again.
func Run(ctx context.Context, c Config) (Report, error) {
	r := &run{Config: c, report: Report{Plan: c.Plan, Since: c.Since, Items: []Item{}}, outbox: map[string]remains{}, said: map[string]bool{}, callers: map[string]string{}, versions: map[string]int{}}
	for _, part := range []struct {
		name string
		do   func(context.Context) error
	}{{"list of heads", r.noteHeads}, {"outbox", r.lookAtOutbox}, {"facts", r.takeUpFacts}, {"requests", r.takeInRequests}, {"what went out", r.noteRemains}, {"vault", r.lookAtVault}, {"keys of requests", r.lookAtKeys}, {"lost facts", r.nameLost}} {
		if err := part.do(ctx); err != nil {
			return r.report, fmt.Errorf("reconcile: %s: %w", part.name, err)
		}
	}
	slices.SortStableFunc(r.report.Items, func(a, b Item) int {
		if byWhat := slices.Index(order, a.What) - slices.Index(order, b.What); byWhat != 0 {
			return byWhat
		}
		return strings.Compare(a.Request, b.Request)
	})
	return r.report, nil
}

// order is the order in which a report names them: first what somebody must do something about.
var order = []What{Lost, NoKeys, Answered, Parted, Short, Cut, TakenIn, TakenUp, Told, Forgotten}

func (r *run) say(i Item) {
	r.said[i.Request] = true
	r.report.Items = append(r.report.Items, i)
}

func (r *run) progress(what string, n int) {
	if r.Progress != nil && n%100 == 0 {
		r.Progress(what, n)
	}
}

// command returns what is noted of a request that is taken up.
func (r *run) command(from core.TakenFrom, id string, facts int) *core.TakeUp {
	left := r.outbox[id]
	return &core.TakeUp{By: r.By, From: from, Facts: facts, Letters: left.letters, Answer: left.answer, Now: r.Now()}
}

// takeUp takes facts up again, or says what would become of it.
func (r *run) takeUp(ctx context.Context, id string, facts []journal.Fact, c *core.TakeUp) (core.State, error) {
	if !r.Plan {
		return r.Requests.TakeUp(ctx, id, facts, c)
	}
	s, err := r.Requests.State(ctx, id)
	if err != nil {
		return s, err
	}
	for _, f := range facts {
		e, err := core.Decode(f.Type, f.Data)
		if err != nil {
			return s, err
		}
		s = core.Evolve(s, e)
	}
	decided, err := core.Decide(s, *c)
	for _, e := range decided {
		s = core.Evolve(s, e)
	}
	return s, err
}

// known returns a request's row; false where the journal doesn't know it.
func (r *run) known(ctx context.Context, id string) (journal.Row, bool, error) {
	row, err := r.Journal.Row(ctx, id)
	if errors.Is(err, journal.ErrNotFound) || errors.Is(err, journal.ErrInvalid) {
		return row, false, nil
	}
	return row, err == nil, err
}
