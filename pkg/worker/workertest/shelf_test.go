package workertest

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"sync"
	"testing"
	"time"

	"habeas.dev/pkg/dsar"
	"habeas.dev/pkg/manifest"
	"habeas.dev/pkg/record"
	"habeas.dev/pkg/worker"
)

// shelf is a system in memory: loans by reader, of which those not yet given
// back must stay. Each field of wrong makes it a worker that is wrong in one
// thing.
type shelf struct {
	log   *slog.Logger
	wrong wrong

	mu    sync.Mutex
	how   How
	loans map[string][]loan // by address
	// locked are the addresses to which nothing is lent.
	locked map[string]bool
}

type loan struct {
	book string
	open bool // must stay
}

// wrong is the mistake that a worker makes; none where empty.
type wrong string

// The mistakes.
const (
	losesARecord        wrong = "loses a record"
	givesAnothers       wrong = "gives anothers"
	inventsOfNobody     wrong = "invents of nobody"
	forgetsTheSecond    wrong = "forgets the second"
	mixesTwins          wrong = "mixes twins"
	findsWrong          wrong = "finds wrong"
	countsTooFew        wrong = "counts too few"
	hidesWhatStays      wrong = "hides what stays"
	erasesWhatStays     wrong = "erases what stays"
	erasesNothing       wrong = "erases nothing"
	erasesOthers        wrong = "erases others"
	failsOnGone         wrong = "fails on gone"
	claimsAgain         wrong = "claims again"
	saysDoneHalfway     wrong = "says done halfway"
	losesAfterTheCut    wrong = "loses after the cut"
	permanentForPassing wrong = "permanent for passing"
	passingForPermanent wrong = "passing for permanent"
	triesOnLimit        wrong = "tries on limit"
	logsTheAddress      wrong = "logs the address"
	plansTwice          wrong = "plans a record twice"
	hidesTheGone        wrong = "hides the gone"
	forgetsKeysOnly     wrong = "asks anew though it is by keys only"
	missesTheLate       wrong = "misses the late"
	hidesTheLate        wrong = "hides the late"
	losesTheRestricted  wrong = "doesn't find what is restricted"
	goesByTheKeyAlone   wrong = "erases what is somebody else's by now"
	provesByTheKeyAlone wrong = "finds what is somebody else's by now"
)

// mistakes are all of them.
var mistakes = []wrong{
	losesARecord,
	givesAnothers,
	inventsOfNobody,
	forgetsTheSecond,
	mixesTwins,
	findsWrong,
	countsTooFew,
	hidesWhatStays,
	erasesWhatStays,
	erasesNothing,
	erasesOthers,
	failsOnGone,
	claimsAgain,
	saysDoneHalfway,
	losesAfterTheCut,
	permanentForPassing,
	passingForPermanent,
	triesOnLimit,
	logsTheAddress,
	plansTwice,
	forgetsKeysOnly,
	hidesTheGone,
	missesTheLate,
	hidesTheLate,
	losesTheRestricted,
	goesByTheKeyAlone,
	provesByTheKeyAlone,
}

var errShelf = errors.New("the shelf of anna@example.com is stuck")

func (s *shelf) begin(ctx context.Context, t worker.Task) error {
	if s.wrong == logsTheAddress {
		s.log.Info("asked", "who", t.Identifiers[0].Value)
	}
	s.mu.Lock()
	how := s.how
	s.mu.Unlock()
	switch how {
	case Failing:
		if s.wrong == permanentForPassing {
			return worker.Permanent("stuck", "the shelf is stuck", errShelf)
		}
		return errShelf
	case Refusing:
		if s.wrong == passingForPermanent {
			return errShelf
		}
		return worker.Permanent("locked", "the shelf is locked: bring the key", errShelf)
	case RateLimited:
		if s.wrong == triesOnLimit {
			return worker.Permanent("busy", "too many readers", nil)
		}
		return worker.RetryAfter(time.Hour, "busy", "too many readers", nil)
	case Hanging:
		<-ctx.Done()
		return ctx.Err()
	}
	return nil
}

func (s *shelf) of(t worker.Task) string {
	for _, i := range slices.Concat(t.Identifiers, t.Owner) {
		if i.Type == "email" {
			return i.Value
		}
	}
	return ""
}

func (s *shelf) Resolve(ctx context.Context, jobs []*worker.ResolveJob) error {
	return worker.Each(ctx, jobs, func(ctx context.Context, j *worker.ResolveJob) error {
		if err := s.begin(ctx, j.Task); err != nil {
			return err
		}
		email := s.of(j.Task)
		if s.wrong == findsWrong || s.loans[email] == nil {
			return nil
		}
		j.Found = []worker.Found{{Type: "account_id", Value: "card-" + email, From: j.Identifiers[0]}}
		return nil
	})
}

func (s *shelf) Gather(ctx context.Context, jobs []*worker.GatherJob) error {
	return worker.Each(ctx, jobs, func(ctx context.Context, j *worker.GatherJob) error { return s.gather(ctx, j.Task, j.Records) })
}

func (s *shelf) gather(ctx context.Context, t worker.Task, out *worker.Records) error {
	if err := s.begin(ctx, t); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	loans := s.loans[s.of(t)]
	if s.wrong == losesARecord && len(loans) > 0 {
		loans = loans[1:]
	}
	if s.wrong == givesAnothers {
		loans = append(append([]loan{}, loans...), loan{book: "somebody else's book"})
	}
	if s.wrong == inventsOfNobody && loans == nil {
		loans = []loan{{book: "a book"}}
	}
	if s.wrong == losesAfterTheCut && s.how == Working {
		loans = nil
	}
	for _, l := range loans {
		if err := out.Write("loans", record.Record{"book": l.book, "open": l.open}); err != nil {
			return err
		}
	}
	return nil
}

func (s *shelf) Plan(ctx context.Context, jobs []*worker.PlanJob) error {
	return worker.Each(ctx, jobs, func(ctx context.Context, j *worker.PlanJob) error {
		if err := s.begin(ctx, j.Task); err != nil {
			return err
		}
		s.mu.Lock()
		defer s.mu.Unlock()
		loans := s.loans[s.of(j.Task)]
		if s.wrong == losesTheRestricted && s.locked[s.of(j.Task)] {
			return nil
		}
		if s.wrong == countsTooFew && len(loans) > 1 {
			loans = loans[1:]
		}
		for i, l := range loans {
			key := l.book
			if s.wrong == plansTwice && i == 1 {
				key = loans[0].book
			}
			var err error
			if l.open && s.wrong != hidesWhatStays {
				err = j.Plan.Keep("loans", key, dsar.Retention{Ground: "contract"})
			} else {
				err = j.Plan.Erase("loans", key)
			}
			if err != nil {
				return err
			}
		}
		return nil
	})
}

// Restrict has nothing lent to a reader any more.
func (s *shelf) Restrict(ctx context.Context, jobs []*worker.RestrictJob) error {
	return worker.Each(ctx, jobs, func(ctx context.Context, j *worker.RestrictJob) error {
		if err := s.begin(ctx, j.Task); err != nil {
			return err
		}
		s.mu.Lock()
		defer s.mu.Unlock()
		email := s.of(j.Task)
		s.locked[email] = true
		n := int64(len(s.loans[email]))
		j.Counts = []dsar.Counts{{Dataset: "loans", Found: n, Restricted: n}}
		return nil
	})
}

func (s *shelf) Prove(ctx context.Context, jobs []*worker.EraseJob) error {
	return worker.Each(ctx, jobs, func(ctx context.Context, j *worker.EraseJob) error {
		if err := s.begin(ctx, j.Task); err != nil {
			return err
		}
		s.mu.Lock()
		defer s.mu.Unlock()
		c := dsar.Counts{Dataset: "loans"}
		planned := map[string]bool{}
		for e, err := range j.Plan.Entries(ctx) {
			if err != nil {
				return err
			}
			planned[e.Key] = true
		}
		for _, l := range s.loans[s.of(j.Task)] {
			if j.ByKeys && !planned[l.book] && s.wrong != forgetsKeysOnly {
				continue
			}
			if c.Found++; l.open && s.wrong != hidesWhatStays {
				c.Retain(1, "contract", time.Time{})
			}
		}
		for email, loans := range s.loans {
			for _, l := range loans {
				if s.wrong == provesByTheKeyAlone && email != s.of(j.Task) && planned[l.book] {
					c.Found++
				}
			}
		}
		j.Counts = []dsar.Counts{c}
		return nil
	})
}

func (s *shelf) Erase(ctx context.Context, jobs []*worker.EraseJob) error {
	return worker.Each(ctx, jobs, func(ctx context.Context, j *worker.EraseJob) error {
		if err := s.begin(ctx, j.Task); err != nil {
			return err
		}
		s.mu.Lock()
		defer s.mu.Unlock()
		return s.erase(ctx, j)
	})
}

func (s *shelf) erase(ctx context.Context, j *worker.EraseJob) error {
	email := s.of(j.Task)
	c := dsar.Counts{Dataset: "loans"}
	planned := map[string]bool{}
	for e, err := range j.Plan.Entries(ctx) {
		if err != nil {
			return err
		}
		planned[e.Key] = true
		i := slices.IndexFunc(s.loans[email], func(l loan) bool { return l.book == e.Key })
		if s.wrong == goesByTheKeyAlone {
			for reader, loans := range s.loans {
				if reader != email {
					s.loans[reader] = slices.DeleteFunc(loans, func(l loan) bool { return l.book == e.Key })
				}
			}
		}
		switch {
		case i < 0 && s.wrong == failsOnGone:
			return worker.Permanent("gone", "nothing is there to erase", nil)
		case i < 0 && s.wrong == hidesTheGone:
		case i < 0 && s.wrong == claimsAgain:
			c.Erased++
		case i < 0:
			c.Gone++
		}
	}
	var left []loan
	for i, l := range s.loans[email] {
		if s.how == Halfway && i > 0 && s.wrong != saysDoneHalfway {
			s.loans[email] = append(left, s.loans[email][i:]...)
			return worker.Permanent("stuck", "the shelf is stuck", nil)
		}
		if !planned[l.book] && j.ByKeys && s.wrong != forgetsKeysOnly {
			left = append(left, l)
			continue
		}
		if !planned[l.book] && (s.wrong == missesTheLate || s.wrong == erasesNothing) {
			left = append(left, l)
			continue
		}
		if !planned[l.book] && s.wrong != hidesTheLate {
			c.Late++
		}
		if l.open && s.wrong != erasesWhatStays {
			c.Retain(1, "contract", time.Time{})
			left = append(left, l)
			continue
		}
		if c.Erased++; s.wrong == erasesNothing {
			left = append(left, l)
		}
	}
	s.loans[email] = left
	if s.wrong == erasesOthers {
		s.loans["bob@example.org"] = nil
	}
	j.Counts = []dsar.Counts{c}
	return nil
}

func (s *shelf) Break(how How) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.how = how
	return true
}

func open(w wrong) func(testing.TB, *slog.Logger) System {
	return func(_ testing.TB, log *slog.Logger) System {
		s := &shelf{log: log, wrong: w, locked: map[string]bool{}, loans: map[string][]loan{
			"anna@example.com": {{"The Trial", false}, {"The Castle", false}, {"Amerika", true}},
			"bob@example.org":  {{"Middlemarch", false}, {"Silas Marner", false}},
		}}
		text := func(t string) manifest.Text { return manifest.Text{"en": t} }
		subject := func(email string, stay map[string]int64) Subject {
			sub := Subject{Identifiers: []worker.Identifier{{Type: "email", Value: email, Assurance: dsar.AssuranceVerified}}, Finds: []worker.Identifier{{Type: "account_id", Value: "card-" + email}}, Stay: stay}
			for _, l := range s.loans[email] {
				sub.Records = append(sub.Records, Record{"loans", map[string]any{"book": l.book, "open": l.open}})
			}
			return sub
		}
		var impl any = s
		if w == forgetsTheSecond || w == mixesTwins {
			impl = &batchShelf{s}
		}
		return System{
			Manifest: &manifest.Manifest{
				System: "library", Title: text("Library"), Abilities: []dsar.Action{dsar.Resolve, dsar.Gather, dsar.Erase, dsar.Restrict},
				Needs: []dsar.IdentifierType{"email"}, Finds: []dsar.IdentifierType{"account_id"},
				Datasets: []manifest.Dataset{{Name: "loans", Title: text("Loans"), Category: "commercial information", Origin: manifest.Observed, Purpose: text("To lend"),
					LegalBasis: "contract", Storage: text("A year"), Columns: []manifest.Column{{Name: "book"}, {Name: "open", Type: "boolean"}}}},
			},
			Worker:   impl,
			Subjects: []Subject{subject("anna@example.com", map[string]int64{"loans": 1}), subject("bob@example.org", nil)},
			Nobody:   []worker.Identifier{{Type: "email", Value: "nobody@example.net"}},
			Break:    s.Break,
		}
	}
}

// batchShelf gathers in batches.
type batchShelf struct{ *shelf }

func (b *batchShelf) Gather(ctx context.Context, jobs []*worker.GatherJob) error {
	seen := map[string]bool{}
	for i, j := range jobs {
		if b.wrong == forgetsTheSecond && i > 0 {
			continue
		}
		if email := b.of(j.Task); b.wrong == mixesTwins && seen[email] {
			continue
		} else { //nolint:revive // the scope is the point
			seen[email] = true
		}
		j.Err = b.gather(ctx, j.Task, j.Records)
	}
	return nil
}
